//! netplan: YAML files that are merged in the order of their names.

use std::collections::BTreeMap;

use crate::network::{Addressing, INTERFACES_MAX, Interface, is_ipv6};
use crate::text;
use crate::yaml::{self, Node};

/// The kinds of definitions, and whether each is a network card.
const KINDS: &[(&str, bool)] = &[
    ("ethernets", true),
    ("bonds", false),
    ("bridges", false),
    ("vlans", false),
    ("vrfs", false),
    ("tunnels", false),
    ("wifis", false),
    ("modems", false),
    ("dummy-devices", false),
    ("virtual-ethernets", false),
];

/// Definitions of interfaces by identifier, over all files that were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netplan {
    definitions: BTreeMap<String, Definition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Definition {
    physical: bool,
    file: usize,
    line: u32,
    name: Option<String>,
    mac: Option<(String, usize, u32)>,
    dhcp4: Option<bool>,
    dhcp6: Option<bool>,
    addresses: Vec<(String, usize, u32)>,
    off: bool,
}

/// Adds a file; `number` is given back with what was found in it. Files must be added in the order of their names.
///
/// # Errors
///
/// The reason why the file cannot be read. What it says is then not known.
pub fn parse_netplan(netplan: &mut Netplan, number: usize, bytes: &[u8]) -> Result<(), String> {
    let Some(root) = yaml::parse(bytes)? else { return Ok(()) };
    // cloud-init's version 2 has the same content without the outer key in some places.
    if let Some(network) = root.get("network") {
        netplan.add(network, number);
    }
    Ok(())
}

impl Netplan {
    pub(super) fn add(&mut self, network: &Node, file: usize) {
        for (kind, physical) in KINDS {
            for (id, node) in network.get(kind).map(Node::entries).unwrap_or_default() {
                if self.definitions.len() >= INTERFACES_MAX && !self.definitions.contains_key(id) {
                    return;
                }
                let definition = self.definitions.entry(text::name(id)).or_insert_with(|| Definition {
                    physical: *physical,
                    file,
                    line: node.line,
                    name: None,
                    mac: None,
                    dhcp4: None,
                    dhcp6: None,
                    addresses: Vec::new(),
                    off: false,
                });
                definition.merge(node, file);
            }
        }
    }

    /// The interfaces, each with the number of the file that says the decisive thing of it.
    pub fn interfaces(&self) -> Vec<(usize, Interface)> {
        self.definitions.iter().map(|(id, definition)| definition.interface(id)).collect()
    }
}

impl Definition {
    fn merge(&mut self, node: &Node, file: usize) {
        if let Some(matched) = node.get("match") {
            self.name = matched.get("name").and_then(Node::text).map(text::name).or(self.name.take());
            self.take_mac(matched, file);
        }
        self.name = node.get("set-name").and_then(Node::text).map(text::name).or(self.name.take());
        self.take_mac(node, file);
        self.dhcp4 = node.get("dhcp4").and_then(Node::truth).or(self.dhcp4);
        self.dhcp6 = node.get("dhcp6").and_then(Node::truth).or(self.dhcp6);
        self.off |= matches!(node.get("activation-mode").and_then(Node::text), Some("off" | "manual"));
        for item in node.get("addresses").map(Node::items).unwrap_or_default() {
            // An address may have options: it is the key of a map then.
            let address = item.text().or_else(|| item.entries().first().map(|(key, _)| key.as_str()));
            if let (Some(address), true) = (address, self.addresses.len() < 64) {
                self.addresses.push((text::name(address), file, item.line));
            }
        }
    }

    fn take_mac(&mut self, node: &Node, file: usize) {
        if let Some(mac) = node.get("macaddress")
            && let Some(address) = mac.text().filter(|address| text::is_mac(address))
        {
            self.mac = Some((address.to_ascii_lowercase(), file, mac.line));
        }
    }

    fn interface(&self, id: &str) -> (usize, Interface) {
        let mut file = self.file;
        let mut interface =
            Interface { physical: self.physical, enabled: !self.off, ..Interface::new(self.line) };
        // Without a match the identifier is the name.
        interface.name = self.name.clone().or_else(|| self.mac.is_none().then(|| id.to_owned()));
        if self.dhcp4 == Some(true) {
            interface.ipv4 = Addressing::Dhcp;
        }
        if self.dhcp6 == Some(true) {
            interface.ipv6 = Addressing::Dhcp;
        }
        for (address, of, line) in &self.addresses {
            let addressing = if is_ipv6(address) { &mut interface.ipv6 } else { &mut interface.ipv4 };
            let was_static = matches!(addressing, Addressing::Static(_));
            addressing.add(address);
            if !was_static && matches!(addressing, Addressing::Static(_)) {
                (file, interface.line) = (*of, *line);
            }
        }
        if let Some((mac, of, line)) = &self.mac {
            interface.mac = Some((mac.clone(), *line));
            if !interface.is_static() {
                file = *of;
            }
        }
        (file, interface)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interfaces(files: &[&str]) -> Vec<(usize, Interface)> {
        let mut netplan = Netplan::default();
        for (number, file) in files.iter().enumerate() {
            parse_netplan(&mut netplan, number, file.as_bytes()).unwrap();
        }
        netplan.interfaces()
    }

    #[test]
    fn files_are_merged() {
        let first = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n    lan:\n      match:\n        macaddress: \"52:54:00:AB:cd:ef\"\n      set-name: lan0\n      dhcp4: on\n";
        let second = "network:\n  ethernets:\n    eth0:\n      dhcp4: no\n      addresses:\n        - 192.0.2.5/24\n        - \"2001:db8::5/64\":\n            lifetime: 0\n  bridges:\n    br0: {dhcp4: yes}\n";
        let all = interfaces(&[first, second]);
        let [(_, br0), (file, eth0), (_, lan)] = &all[..] else { panic!("{all:?}") };
        assert!(br0.is_dhcp() && !br0.physical);
        assert_eq!((*file, eth0.line), (1, 7));
        assert_eq!(eth0.ipv4, Addressing::Static(vec!["192.0.2.5/24".into()]));
        assert_eq!(eth0.ipv6, Addressing::Static(vec!["2001:db8::5/64".into()]));
        assert!(lan.is_dhcp());
        assert_eq!(
            (lan.name.as_deref(), lan.mac.clone()),
            (Some("lan0"), Some(("52:54:00:ab:cd:ef".into(), 8)))
        );
        // DHCP beside an address is DHCP.
        assert!(
            interfaces(&["network: {ethernets: {e: {dhcp4: yes, addresses: [192.0.2.5/24]}}}"])[0]
                .1
                .is_dhcp()
        );
    }

    #[test]
    fn what_is_no_netplan_is_refused_or_empty() {
        let mut netplan = Netplan::default();
        assert!(parse_netplan(&mut netplan, 0, b"network: [").is_err());
        assert!(parse_netplan(&mut netplan, 0, b"other: 1\n").is_ok());
        assert!(netplan.interfaces().is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(network:|ethernets:|  |e0:|dhcp4: |addresses: |\\[|\\]|\\{|\\}|,|\n|- |yes|x){0,40}") {
            let mut netplan = Netplan::default();
            let _ = parse_netplan(&mut netplan, 0, text.as_bytes());
            netplan.interfaces();
        }
    }
}
