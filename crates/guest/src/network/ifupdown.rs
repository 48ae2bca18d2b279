//! `/etc/network/interfaces`, as interfaces(5) describes it.

use std::collections::BTreeSet;

use crate::network::{Addressing, INTERFACES_MAX, Interface, is_loopback};
use crate::text;

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// The interfaces. Whether one comes up may also be said in another file.
    pub interfaces: Vec<Interface>,
    /// Names that come up at the start or when the card appears.
    pub automatic: BTreeSet<String>,
    /// Patterns of files that are included, with their lines; those of `source-directory` end in a slash.
    pub includes: Vec<(String, u32)>,
}

/// Reads a file.
pub fn parse_interfaces(bytes: &[u8]) -> Interfaces {
    let mut found = Interfaces::default();
    // The family of the stanza that options belong to.
    let mut stanza = None;
    let mut continued = String::new();
    for (number, line) in text::lines(bytes) {
        let whole = std::mem::take(&mut continued) + line.trim_start();
        if let Some(start) = whole.strip_suffix('\\') {
            continued = text::value(start);
            continue;
        }
        let mut words = whole.split_whitespace();
        let Some(key) = words.next().filter(|key| !key.starts_with('#')) else { continue };
        let key = key.replace('-', "_");
        match key.as_str() {
            "iface" => {
                stanza = None;
                let (Some(name), family, method) = (words.next(), words.next(), words.next()) else {
                    continue;
                };
                if found.interfaces.len() >= INTERFACES_MAX {
                    return found;
                }
                let (family, method) = (family.unwrap_or_default(), method.unwrap_or_default());
                let is_ipv6 = family == "inet6";
                let addressing = match method {
                    "dhcp" | "bootp" => Addressing::Dhcp,
                    "static" => Addressing::Static(Vec::new()),
                    "auto" if is_ipv6 => Addressing::Automatic,
                    "loopback" | "manual" | "none" | "" | "auto" => Addressing::None,
                    other => Addressing::Unknown(format!("the method {} is not read", text::name(other))),
                };
                let mut interface = Interface { name: Some(text::name(name)), ..Interface::new(number) };
                interface.physical = !is_loopback(name) && method != "loopback" && is_card(name);
                *(if is_ipv6 { &mut interface.ipv6 } else { &mut interface.ipv4 }) = addressing;
                found.interfaces.push(interface);
                stanza = Some(is_ipv6);
            }
            "auto" | "mapping" | "source" | "source_directory" | "no_auto_down" | "no_scripts" | "rename"
            | "template" => {
                stanza = None;
                match key.as_str() {
                    "auto" => found.automatic.extend(words.take(INTERFACES_MAX).map(text::name)),
                    "source" => found.includes.extend(words.take(16).map(|path| (text::value(path), number))),
                    "source_directory" => {
                        found.includes.extend(words.take(16).map(|path| (text::value(path) + "/", number)));
                    }
                    _ => {}
                }
            }
            key if key.starts_with("allow_") => {
                stanza = None;
                found.automatic.extend(words.take(INTERFACES_MAX).map(text::name));
            }
            _ => {
                let (Some(is_ipv6), Some(interface)) = (stanza, found.interfaces.last_mut()) else {
                    continue;
                };
                option(interface, is_ipv6, &key, words, number);
            }
        }
    }
    found
}

fn option<'a>(
    interface: &mut Interface,
    is_ipv6: bool,
    key: &str,
    mut words: impl Iterator<Item = &'a str>,
    number: u32,
) {
    match key {
        "address" => {
            let addressing = if is_ipv6 { &mut interface.ipv6 } else { &mut interface.ipv4 };
            if let (Addressing::Static(_), Some(address)) = (&addressing, words.next()) {
                addressing.add(address);
                interface.line = number;
            }
        }
        "hwaddress" => {
            let mac = words.find(|word| text::is_mac(word));
            interface.mac = mac.map(|mac| (mac.to_ascii_lowercase(), number));
        }
        "bridge_ports" | "bond_slaves" | "vlan_raw_device" | "bond_mode" | "tunnel_mode" => {
            interface.physical = false
        }
        _ => {}
    }
}

/// Whether a name is that of a card, and not one that a bridge, bond, VLAN, tunnel or container has by custom.
pub(crate) fn is_card(name: &str) -> bool {
    let others = [
        "br", "bond", "vlan", "tun", "tap", "veth", "docker", "virbr", "vmbr", "wg", "ppp", "sit", "gre",
        "dummy", "team", "ib", "wlan", "wlp", "wwan", "vxlan", "macvlan",
    ];
    !others.iter().any(|other| name.starts_with(other)) && !name.contains('.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = b"# comment\nsource /etc/network/interfaces.d/*\nauto lo eth0\niface lo inet loopback\n\nallow-hotplug ens3\n\
        iface eth0 inet static\n\taddress 192.0.2.7/24\n\tgateway 192.0.2.1\n\thwaddress ether 52:54:00:AB:cd:ef\n\
        iface eth0 inet6 auto\niface ens3 inet \\\n dhcp\niface br0 inet static\n address 192.0.2.9\n bridge_ports eth1\nsource-directory more\n";

    #[test]
    fn stanzas_are_read() {
        let found = parse_interfaces(FILE);
        assert_eq!(found.automatic.iter().map(String::as_str).collect::<Vec<_>>(), ["ens3", "eth0", "lo"]);
        assert_eq!(found.includes, [("/etc/network/interfaces.d/*".into(), 2), ("more/".into(), 17)]);
        let [lo, eth0, eth0v6, ens3, br0] = &found.interfaces[..] else { panic!("{found:?}") };
        assert!(!lo.physical && lo.ipv4 == Addressing::None);
        assert_eq!(eth0.ipv4, Addressing::Static(vec!["192.0.2.7/24".into()]));
        assert_eq!((eth0.mac.clone(), eth0.line), (Some(("52:54:00:ab:cd:ef".into(), 10)), 8));
        assert_eq!(eth0v6.ipv6, Addressing::Automatic);
        assert!(ens3.is_dhcp() && !br0.physical);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_interfaces(&bytes);
            parse_interfaces(&[FILE, &bytes].concat());
        }
    }
}
