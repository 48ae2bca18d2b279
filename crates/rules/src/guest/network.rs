//! Addresses, and rules that tie interfaces to the old machine.

use imsprep_findings::Finding;
use imsprep_guest::{Addressing, InterfaceFact, Linux, NetRuleFile, NetworkManager, NotKnown};

use super::commands::{in_system, initramfs_anew, plain};
use super::judgement::{Judgement, place};
use super::os_rules::{NETWORK_RULES, STATIC_ADDRESS};

pub(super) fn check(linux: &Linux, judgement: &mut Judgement<'_>) {
    let network = &linux.network;
    for file in network.rules.iter().filter(|file| !file.rules.is_empty()) {
        judgement.push(of_rules(linux, file));
    }
    // cloud-init writes its files anew on the new server.
    let rewrites = if network.cloud_init_disabled.is_some() { Ok(false) } else { linux.cloud_init.runs() };
    for fact in network.interfaces.iter().filter(|fact| fact.interface.physical) {
        let is_static = fact.interface.is_static() && fact.interface.enabled;
        let has_mac = fact.interface.mac.is_some();
        match (&rewrites, fact.written_by_cloud_init) {
            (Ok(true), true) => continue,
            (Err(reason), true) => {
                if is_static {
                    judgement.unknown(&STATIC_ADDRESS, reason);
                }
                if has_mac {
                    judgement.unknown(&NETWORK_RULES, reason);
                }
                continue;
            }
            _ => {}
        }
        if has_mac {
            judgement.push(of_mac(fact));
        }
        if is_static {
            judgement.push(of_address(fact));
        } else if let (true, Some(reason)) = (fact.interface.enabled, unknown(fact)) {
            judgement.unknown(&STATIC_ADDRESS, &NotKnown::at(fact.origin.clone(), reason));
        }
    }
    for reason in &network.unread {
        judgement.unknown(&NETWORK_RULES, reason);
        judgement.unknown(&STATIC_ADDRESS, reason);
    }
}

fn unknown(fact: &InterfaceFact) -> Option<String> {
    [&fact.interface.ipv4, &fact.interface.ipv6].into_iter().find_map(|addressing| match addressing {
        Addressing::Unknown(reason) => Some(reason.clone()),
        _ => None,
    })
}

fn of_rules(linux: &Linux, file: &NetRuleFile) -> Finding {
    let rules = file.rules.iter().take(4).map(|rule| format!("{} is {}", rule.mac, rule.name));
    let rules = rules.collect::<Vec<_>>().join(", ");
    let more = if file.rules.len() > 4 { ", and others" } else { "" };
    let line = file.rules.first().map_or(1, |rule| rule.line);
    let version = linux.kernel.as_ref().ok().and_then(|kernel| kernel.version.as_ref().ok());
    let version = version.map(|version| version.value.as_str());
    let initramfs = linux.kernel.as_ref().ok().and_then(|kernel| kernel.initramfs.as_ref().ok()?.as_ref());
    let anew = initramfs_anew(linux, initramfs.map(|found| &found.value), version);
    let fix = if file.in_initramfs {
        in_system("delete the rules from /etc/udev/rules.d, and create the initramfs again", &anew)
    } else {
        let remove = plain(&file.origin.path).map(|path| format!("rm {path}"));
        in_system("delete the rules", &remove.into_iter().collect::<Vec<_>>())
    };
    Finding::new(&NETWORK_RULES, format!("{rules}{more}"))
        .in_guest(place(&file.origin.at_line(line)))
        .fix(fix)
}

fn name_of(fact: &InterfaceFact) -> String {
    fact.interface.name.clone().unwrap_or_else(|| "an interface".into())
}

fn of_mac(fact: &InterfaceFact) -> Finding {
    let (mac, line) = fact.interface.mac.clone().unwrap_or_default();
    let message = format!("{} must have the MAC address {mac}", name_of(fact));
    let name = fact.interface.name.as_deref().and_then(plain);
    let file = plain(&fact.origin.path);
    let commands = match (fact.manager, name, file) {
        (NetworkManager::Netplan, Some(name), _) => vec![format!("netplan set ethernets.{name}.match=null")],
        (_, _, Some(file)) => vec![format!("sed -i {line}d {file}")],
        _ => Vec::new(),
    };
    Finding::new(&NETWORK_RULES, message)
        .in_guest(place(&fact.origin.at_line(line)))
        .found(mac)
        .fix(in_system("delete the line that names the MAC address", &commands))
}

fn of_address(fact: &InterfaceFact) -> Finding {
    let addresses =
        [&fact.interface.ipv4, &fact.interface.ipv6].into_iter().filter_map(|addressing| match addressing {
            Addressing::Static(addresses) => Some(addresses.join(", ")),
            _ => None,
        });
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    Finding::new(&STATIC_ADDRESS, format!("{} has the address {addresses}", name_of(fact)))
        .in_guest(place(&fact.origin))
        .expected("DHCP")
        .found(&addresses)
        .fix(in_system("configure the interface for DHCP", &dhcp(fact)))
}

/// Configures an interface for DHCP, in the words of the program that reads the file.
fn dhcp(fact: &InterfaceFact) -> Vec<String> {
    let name = fact.interface.name.as_deref().and_then(plain);
    let Some(file) = plain(&fact.origin.path) else { return Vec::new() };
    let of_ipv4 = matches!(fact.interface.ipv4, Addressing::Static(_));
    let of_ipv6 = matches!(fact.interface.ipv6, Addressing::Static(_));
    match fact.manager {
        NetworkManager::Netplan => {
            let Some(name) = name else { return Vec::new() };
            let mut commands = ["addresses", "routes", "gateway4", "gateway6"]
                .map(|key| format!("netplan set ethernets.{name}.{key}=null"))
                .to_vec();
            commands.push(format!("netplan set ethernets.{name}.dhcp4=true"));
            commands.push("netplan generate".into());
            commands
        }
        NetworkManager::Ifupdown => {
            let Some(name) = name else { return Vec::new() };
            let keys = "address|netmask|gateway|network|broadcast|dns-nameservers";
            vec![format!(
                "sed -i -E -e 's/^(iface[[:space:]]+{name}[[:space:]]+inet6?[[:space:]]+)static/\\1dhcp/' -e '/^[[:space:]]+({keys})[[:space:]]/d' {file}"
            )]
        }
        NetworkManager::IfcfgRedHat => vec![
            format!(
                "sed -i -E '/^(BOOTPROTO|IPADDR|PREFIX|NETMASK|GATEWAY|IPV6ADDR|IPV6_DEFAULTGW)[0-9]*=/d' {file}"
            ),
            format!("echo BOOTPROTO=dhcp >> {file}"),
        ],
        NetworkManager::IfcfgSuse => vec![
            format!(
                "sed -i -E '/^(BOOTPROTO|IPADDR|PREFIXLEN|NETMASK|BROADCAST|NETWORK|REMOTE_IPADDR)[^=]*=/d' {file}"
            ),
            format!("echo \"BOOTPROTO='dhcp'\" >> {file}"),
        ],
        NetworkManager::NetworkManager => {
            let connection = file.rsplit('/').next().unwrap_or_default();
            let connection = connection.strip_suffix(".nmconnection").unwrap_or(connection);
            let mut settings = String::new();
            if of_ipv4 {
                settings += " ipv4.method auto ipv4.addresses '' ipv4.gateway ''";
            }
            if of_ipv6 {
                settings += " ipv6.method auto ipv6.addresses '' ipv6.gateway ''";
            }
            vec![format!("nmcli connection modify {connection}{settings}")]
        }
        NetworkManager::Networkd => vec![format!(
            "sed -i -E -e '/^(Address|Gateway)[[:space:]]*=/d' -e 's/^\\[Network\\].*/&\\nDHCP=yes/' {file}"
        )],
        NetworkManager::CloudInit if file.starts_with("/etc/cloud/cloud.cfg.d/") => {
            vec![format!("rm {file}")]
        }
        NetworkManager::CloudInit => Vec::new(),
    }
}
