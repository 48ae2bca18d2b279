//! What is mounted, and the network.

use imsprep_guest::{Addressing, InterfaceFact, MountFact, NetRuleFile, Network};
use schemars::JsonSchema;
use serde::Serialize;

use super::boot::WireDevice;
use super::fact::{Place, WireReason, all};
use crate::words::guest::manager;

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireMount {
    at: Place,
    source: WireDevice,
    target: String,
    /// The kind of file system, as the entry names it.
    kind: String,
    options: Vec<String>,
    enabled: bool,
    /// The volume of this disk that it means.
    volume: Option<String>,
    /// Whether the system does not come up because the device is not on the disk.
    stops_boot: bool,
}

impl From<&MountFact> for WireMount {
    fn from(fact: &MountFact) -> Self {
        let mount = &fact.mount.value;
        Self {
            at: (&fact.mount.origin).into(),
            source: WireDevice::new(&mount.device, &fact.lookup),
            target: mount.target.clone(),
            kind: mount.kind.clone(),
            options: mount.options.clone(),
            enabled: mount.enabled,
            volume: fact.volume.clone(),
            stops_boot: fact.stops_boot(),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireNetwork {
    interfaces: Vec<WireInterface>,
    rules: Vec<WireRuleFile>,
    /// Where cloud-init is told to leave the network alone.
    cloud_init_disabled: Option<Place>,
    /// Files that could not be read or understood.
    unread: Vec<WireReason>,
}

impl From<&Network> for WireNetwork {
    fn from(network: &Network) -> Self {
        Self {
            interfaces: all(&network.interfaces),
            rules: all(&network.rules),
            cloud_init_disabled: network.cloud_init_disabled.as_ref().map(Place::from),
            unread: all(&network.unread),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireInterface {
    /// The name, or a pattern of names.
    name: Option<String>,
    at: Place,
    /// `netplan`, `ifupdown`, `ifcfg`, `ifcfg-suse`, `networkmanager`, `systemd-networkd` or `cloud-init`.
    manager: &'static str,
    ipv4: WireAddressing,
    ipv6: WireAddressing,
    mac: Option<String>,
    enabled: bool,
    /// Whether it is a network card: no loopback, bridge, bond, VLAN or tunnel.
    physical: bool,
    written_by_cloud_init: bool,
}

impl From<&InterfaceFact> for WireInterface {
    fn from(fact: &InterfaceFact) -> Self {
        let interface = &fact.interface;
        Self {
            name: interface.name.clone(),
            at: (&fact.origin).into(),
            manager: manager(fact.manager),
            ipv4: (&interface.ipv4).into(),
            ipv6: (&interface.ipv6).into(),
            mac: interface.mac.as_ref().map(|(mac, _)| mac.clone()),
            enabled: interface.enabled,
            physical: interface.physical,
            written_by_cloud_init: fact.written_by_cloud_init,
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireAddressing {
    /// `none`, `dhcp`, `automatic`, `static` or `not-known`.
    is: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl From<&Addressing> for WireAddressing {
    fn from(addressing: &Addressing) -> Self {
        let (is, addresses, not_known) = match addressing {
            Addressing::None => ("none", Vec::new(), None),
            Addressing::Dhcp => ("dhcp", Vec::new(), None),
            Addressing::Automatic => ("automatic", Vec::new(), None),
            Addressing::Static(addresses) => ("static", addresses.clone(), None),
            Addressing::Unknown(reason) => ("not-known", Vec::new(), Some(reason.clone())),
        };
        Self { is, addresses, not_known }
    }
}

/// A file of udev rules for network cards.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireRuleFile {
    at: Place,
    rules: Vec<WireNetRule>,
    empty: bool,
    in_initramfs: bool,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireNetRule {
    mac: String,
    name: String,
    line: u32,
}

impl From<&NetRuleFile> for WireRuleFile {
    fn from(file: &NetRuleFile) -> Self {
        let rules = file.rules.iter().map(|rule| WireNetRule {
            mac: rule.mac.clone(),
            name: rule.name.clone(),
            line: rule.line,
        });
        Self {
            at: (&file.origin).into(),
            rules: rules.collect(),
            empty: file.empty,
            in_initramfs: file.in_initramfs,
        }
    }
}
