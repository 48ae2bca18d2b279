//! `ifcfg-*` files: those of Red Hat and those of SUSE have the same form and other words.

use crate::assignments::{Assignment, last, parse_assignments};
use crate::network::ifupdown::is_card;
use crate::network::{Addressing, Interface, is_ipv6, is_loopback};
use crate::text;

/// A file of `/etc/sysconfig/network-scripts`. `file_name` is its name, which names the interface where nothing else does.
///
/// Source: Red Hat's sysconfig.txt of initscripts, and nm-settings-ifcfg-rh(5).
pub fn parse_ifcfg_redhat(file_name: &str, bytes: &[u8]) -> Interface {
    let all = parse_assignments(bytes);
    let mut interface = begin(file_name, &all);
    let get = |name: &str| last(&all, name);
    interface.enabled = !get("ONBOOT").is_some_and(|on| text::is_no(&on.value));
    interface.mac = mac(&all, &["HWADDR", "MACADDR"]);
    interface.ipv4 = match get("BOOTPROTO").map(|protocol| protocol.value.to_ascii_lowercase()).as_deref() {
        Some("dhcp" | "bootp") => Addressing::Dhcp,
        Some("" | "none" | "static" | "autoip" | "ibft" | "shared") | None => {
            addresses(&all, "IPADDR", &mut interface.line)
        }
        Some(other) => Addressing::Unknown(format!("BOOTPROTO={} is not known", text::name(other))),
    };
    interface.ipv6 = if get("DHCPV6C").is_some_and(|on| text::is_yes(&on.value)) {
        Addressing::Dhcp
    } else {
        match addresses(&all, "IPV6ADDR", &mut interface.line) {
            Addressing::None if get("IPV6INIT").is_some_and(|on| text::is_yes(&on.value)) => {
                Addressing::Automatic
            }
            other => other,
        }
    };
    interface.physical &= get("TYPE").is_none_or(|kind| kind.value.eq_ignore_ascii_case("Ethernet"))
        && !["BONDING_OPTS", "BONDING_MASTER", "VLAN", "TEAM_CONFIG"].iter().any(|name| get(name).is_some());
    unknown_where_computed(&all, &mut interface);
    interface
}

/// A file of `/etc/sysconfig/network`, as ifcfg(5) of SUSE describes it.
pub fn parse_ifcfg_suse(file_name: &str, bytes: &[u8]) -> Interface {
    let all = parse_assignments(bytes);
    let mut interface = begin(file_name, &all);
    let get = |name: &str| last(&all, name).map(|a| a.value.to_ascii_lowercase());
    interface.enabled = !matches!(get("STARTMODE").as_deref(), Some("off" | "manual"));
    interface.mac = mac(&all, &["LLADDR", "HWADDR"]);
    // wicked takes several words with `+` between.
    let protocol = get("BOOTPROTO").unwrap_or_default();
    let mut words = protocol.split('+');
    interface.ipv4 = if words.clone().any(|word| word == "dhcp" || word == "dhcp4") {
        Addressing::Dhcp
    } else if words
        .clone()
        .all(|word| matches!(word, "" | "none" | "static" | "dhcp6" | "auto6" | "auto4" | "autoip" | "6to4"))
    {
        addresses(&all, "IPADDR", &mut interface.line)
    } else {
        Addressing::Unknown(format!("BOOTPROTO={} is not known", text::name(&protocol)))
    };
    if words.any(|word| word == "dhcp" || word == "dhcp6") {
        interface.ipv6 = Addressing::Dhcp;
    }
    interface.physical &=
        !["BONDING_MASTER", "BRIDGE", "VLAN", "VLAN_ID", "ETHERDEVICE", "TUNNEL", "TUNNEL_DEVICE"]
            .iter()
            .any(|name| get(name).is_some_and(|value| !text::is_no(&value) && !value.is_empty()));
    unknown_where_computed(&all, &mut interface);
    interface
}

fn begin(file_name: &str, all: &[Assignment]) -> Interface {
    let of_file = file_name.strip_prefix("ifcfg-").unwrap_or(file_name);
    let device = last(all, "DEVICE").map(|a| a.value.as_str()).filter(|name| !name.is_empty());
    let name = device.unwrap_or(of_file);
    let physical = !is_loopback(name) && is_card(name);
    Interface { name: Some(text::name(name)), physical, ..Interface::new(1) }
}

fn mac(all: &[Assignment], names: &[&str]) -> Option<(String, u32)> {
    let found = names.iter().find_map(|name| last(all, name).filter(|a| text::is_mac(&a.value)))?;
    Some((found.value.to_ascii_lowercase(), found.line))
}

/// The addresses of `NAME`, `NAME0`, `NAME_0` and so on.
fn addresses(all: &[Assignment], name: &str, line: &mut u32) -> Addressing {
    let mut addressing = Addressing::None;
    for assignment in all {
        let rest = assignment.name.strip_prefix(name);
        let is_one =
            rest.is_some_and(|rest| rest.trim_start_matches('_').bytes().all(|byte| byte.is_ascii_digit()));
        if is_one && !assignment.value.is_empty() && (name != "IPADDR" || !is_ipv6(&assignment.value)) {
            if addressing == Addressing::None {
                *line = assignment.line;
            }
            addressing.add(&assignment.value);
        }
    }
    addressing
}

fn unknown_where_computed(all: &[Assignment], interface: &mut Interface) {
    let decisive = all.iter().filter(|a| matches!(a.name.as_str(), "BOOTPROTO" | "IPADDR" | "IPADDR0"));
    if let Some(computed) = decisive.clone().find(|a| a.computed) {
        interface.ipv4 = Addressing::Unknown(format!("{} is computed by a shell", computed.name));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn red_hats_words() {
        let file = b"TYPE=\"Ethernet\"\nBOOTPROTO=none\nDEVICE=eth0\nHWADDR=00:0C:29:ab:cd:ef\nIPADDR=192.0.2.5\nIPADDR1=192.0.2.6\nPREFIX=24\nONBOOT=yes\n";
        let interface = parse_ifcfg_redhat("ifcfg-System_eth0", file);
        assert_eq!(interface.name.as_deref(), Some("eth0"));
        assert_eq!(interface.ipv4, Addressing::Static(vec!["192.0.2.5".into(), "192.0.2.6".into()]));
        assert_eq!((interface.mac.clone(), interface.line), (Some(("00:0c:29:ab:cd:ef".into(), 4)), 5));
        assert!(interface.enabled && interface.physical);
        let dhcp = parse_ifcfg_redhat("ifcfg-ens192", b"BOOTPROTO=\"dhcp\"\nONBOOT=no\n");
        assert!(dhcp.is_dhcp() && !dhcp.enabled && !dhcp.is_static());
        assert_eq!(dhcp.name.as_deref(), Some("ens192"));
        assert!(!parse_ifcfg_redhat("ifcfg-lo", b"DEVICE=lo\nIPADDR=127.0.0.1\n").physical);
        assert!(!parse_ifcfg_redhat("ifcfg-x", b"TYPE=Bridge\nDEVICE=x\n").physical);
        assert!(matches!(parse_ifcfg_redhat("ifcfg-x", b"BOOTPROTO=$P\n").ipv4, Addressing::Unknown(_)));
    }

    #[test]
    fn suses_words() {
        let dhcp = parse_ifcfg_suse("ifcfg-eth0", b"BOOTPROTO='dhcp'\nSTARTMODE='auto'\n");
        assert!(dhcp.is_dhcp() && dhcp.enabled);
        let fixed = parse_ifcfg_suse("ifcfg-eth0", b"BOOTPROTO='static'\nIPADDR='192.0.2.5/24'\nIPADDR_1='192.0.2.6/24'\nLLADDR='52:54:00:ab:cd:ef'\nSTARTMODE='off'\n");
        assert!(fixed.is_static() && !fixed.enabled);
        assert!(fixed.mac.is_some());
        assert!(parse_ifcfg_suse("ifcfg-eth0", b"BOOTPROTO='dhcp4+auto6'\n").is_dhcp());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(name in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_ifcfg_redhat(&name, &bytes);
            parse_ifcfg_suse(&name, &bytes);
        }
    }
}
