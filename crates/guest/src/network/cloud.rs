//! The network configuration in cloud-init's own files.

use crate::network::{Addressing, INTERFACES_MAX, Interface, Netplan, is_ipv6};
use crate::text;
use crate::yaml::{self, Node};

/// What a file of cloud-init says of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloudNetwork {
    /// Nothing.
    Silent,
    /// cloud-init must not configure the network: `network: {config: disabled}`.
    Disabled {
        /// The line, from 1.
        line: u32,
    },
    /// These interfaces.
    Interfaces(Vec<Interface>),
}

/// Reads a file of `/etc/cloud/cloud.cfg.d`, or `cloud.cfg` itself: versions 1 and 2 of the configuration.
///
/// # Errors
///
/// The reason why the file cannot be read.
pub fn parse_cloud_network(bytes: &[u8]) -> Result<CloudNetwork, String> {
    let Some(root) = yaml::parse(bytes)? else { return Ok(CloudNetwork::Silent) };
    let Some(network) = root.get("network") else { return Ok(CloudNetwork::Silent) };
    let config = network.get("config");
    if config.and_then(Node::text) == Some("disabled") {
        return Ok(CloudNetwork::Disabled { line: network.line });
    }
    if network.get("version").and_then(Node::text) == Some("2") {
        let mut netplan = Netplan::default();
        netplan.add(network, 0);
        return Ok(CloudNetwork::Interfaces(netplan.interfaces().into_iter().map(|(_, one)| one).collect()));
    }
    let items = config.map(Node::items).unwrap_or_default();
    Ok(CloudNetwork::Interfaces(items.iter().take(INTERFACES_MAX).filter_map(version_1).collect()))
}

fn version_1(node: &Node) -> Option<Interface> {
    let kind = node.get("type").and_then(Node::text)?;
    if !matches!(kind, "physical" | "bond" | "bridge" | "vlan") {
        return None;
    }
    let mut interface = Interface { physical: kind == "physical", ..Interface::new(node.line) };
    interface.name = node.get("name").and_then(Node::text).map(text::name);
    interface.mac = node.get("mac_address").and_then(|mac| {
        let address = mac.text().filter(|address| text::is_mac(address))?;
        Some((address.to_ascii_lowercase(), mac.line))
    });
    for subnet in node.get("subnets").map(Node::items).unwrap_or_default().iter().take(64) {
        match subnet.get("type").and_then(Node::text).unwrap_or_default() {
            "dhcp" | "dhcp4" => interface.ipv4 = Addressing::Dhcp,
            "dhcp6" | "ipv6_dhcpv6-stateful" => interface.ipv6 = Addressing::Dhcp,
            "ipv6_slaac" | "ipv6_dhcpv6-stateless" => interface.ipv6 = Addressing::Automatic,
            "static" | "static6" => {
                if let Some(node) = subnet.get("address")
                    && let Some(address) = node.text()
                {
                    let addressing = if is_ipv6(address) { &mut interface.ipv6 } else { &mut interface.ipv4 };
                    addressing.add(address);
                    interface.line = node.line;
                }
            }
            _ => {}
        }
    }
    Some(interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let one = b"network:\n  version: 1\n  config:\n    - type: physical\n      name: eth0\n      mac_address: '52:54:00:ab:cd:ef'\n      subnets:\n        - type: static\n          address: 192.0.2.5/24\n    - type: nameserver\n      address: 192.0.2.1\n";
        let CloudNetwork::Interfaces(all) = parse_cloud_network(one).unwrap() else { panic!() };
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].ipv4, Addressing::Static(vec!["192.0.2.5/24".into()]));
        assert_eq!((all[0].line, all[0].mac.clone().unwrap().1), (9, 6));
        let two = b"network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n";
        let CloudNetwork::Interfaces(all) = parse_cloud_network(two).unwrap() else { panic!() };
        assert!(all[0].is_dhcp());
        let off = parse_cloud_network(b"network: {config: disabled}\n").unwrap();
        assert_eq!(off, CloudNetwork::Disabled { line: 1 });
        assert_eq!(parse_cloud_network(b"users: []\n").unwrap(), CloudNetwork::Silent);
        assert!(parse_cloud_network(b"network: [").is_err());
    }
}
