//! How the network is configured: each file of each program says something of some interfaces.

mod cloud;
mod ifcfg;
mod ifupdown;
mod keyfile;
mod netplan;
mod networkd;
mod udev;

pub use cloud::{CloudNetwork, parse_cloud_network};
pub use ifcfg::{parse_ifcfg_redhat, parse_ifcfg_suse};
pub use ifupdown::{Interfaces, parse_interfaces};
pub use keyfile::parse_keyfile;
pub use netplan::{Netplan, parse_netplan};
pub use networkd::{parse_link, parse_networkd};
pub use udev::{NetRule, parse_net_rules};
pub(crate) use udev::{has_no_rules, is_persistent_net_rule};

/// Most interfaces that are kept of a file.
pub(crate) const INTERFACES_MAX: usize = 256;
/// Most addresses that are kept of an interface.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// How an interface gets its addresses of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// The file says nothing of it, or switches it off.
    #[default]
    None,
    /// From a DHCP server.
    Dhcp,
    /// IPv6 router advertisements, or link-local addresses.
    Automatic,
    /// These addresses stand in the file.
    Static(Vec<String>),
    /// It can't be told, for this reason.
    Unknown(String),
}

/// The program that reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetworkManager {
    /// netplan: `/etc/netplan`.
    Netplan,
    /// ifupdown: `/etc/network/interfaces`.
    Ifupdown,
    /// network-scripts of Red Hat, also read by NetworkManager: `/etc/sysconfig/network-scripts`.
    IfcfgRedHat,
    /// wicked and its predecessors of SUSE: `/etc/sysconfig/network`.
    IfcfgSuse,
    /// NetworkManager: `/etc/NetworkManager/system-connections`.
    NetworkManager,
    /// systemd-networkd: `/etc/systemd/network`.
    Networkd,
    /// cloud-init: `/etc/cloud`.
    CloudInit,
}

/// What a file says of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The name, or a pattern of names; `None` if the file gives none.
    pub name: Option<String>,
    /// IPv4.
    pub ipv4: Addressing,
    /// IPv6.
    pub ipv6: Addressing,
    /// The MAC address that the interface must have, or is given, with its line.
    pub mac: Option<(String, u32)>,
    /// Whether it comes up when the system starts.
    pub enabled: bool,
    /// Whether it is a network card: no loopback, bridge, bond, VLAN or tunnel.
    pub physical: bool,
    /// The line, from 1, where it begins; for static addresses that of the first.
    pub line: u32,
}

impl Interface {
    pub(crate) fn new(line: u32) -> Self {
        Self {
            name: None,
            ipv4: Addressing::None,
            ipv6: Addressing::None,
            mac: None,
            enabled: true,
            physical: true,
            line,
        }
    }

    /// Whether an address of either family stands in the file.
    pub fn is_static(&self) -> bool {
        [&self.ipv4, &self.ipv6].iter().any(|addressing| matches!(addressing, Addressing::Static(_)))
    }

    /// Whether it asks a DHCP server for an IPv4 address.
    pub fn is_dhcp(&self) -> bool {
        self.ipv4 == Addressing::Dhcp
    }
}

impl Addressing {
    /// Adds an address; what was known before is no more.
    pub(crate) fn add(&mut self, address: &str) {
        let address = crate::text::name(address);
        match self {
            Self::Static(addresses) => {
                if addresses.len() < ADDRESSES_MAX {
                    addresses.push(address);
                }
            }
            // Addresses beside DHCP are additional ones.
            Self::Dhcp => {}
            _ => *self = Self::Static(vec![address]),
        }
    }
}

/// Whether an address is one of IPv6.
pub(crate) fn is_ipv6(address: &str) -> bool {
    address.matches(':').count() >= 2
}

/// Whether a name is the loopback's.
pub(crate) fn is_loopback(name: &str) -> bool {
    name == "lo" || name.starts_with("lo:")
}

/// Whether the comments before a file's first line of content say that cloud-init wrote it: it does so again on a new server.
pub fn is_written_by_cloud_init(bytes: &[u8]) -> bool {
    crate::text::lines(bytes)
        .take(12)
        .take_while(|(_, line)| line.trim().is_empty() || line.starts_with('#'))
        .any(|(_, line)| {
            let line = line.to_ascii_lowercase();
            line.contains("cloud-init") || line.contains("provided by the datasource")
        })
}
