//! The network: every file that configures an interface, and rules that tie names to old hardware.

use std::collections::{BTreeMap, BTreeSet};

use imsprep_filesystem::FileKind;

use crate::files::Files;
use crate::network::has_no_rules;
use crate::{
    Answer, CloudNetwork, Interface, NetRule, Netplan, NetworkManager, NotKnown, Origin, Sourced,
    is_persistent_net_rule, is_written_by_cloud_init, parse_cloud_network, parse_ifcfg_redhat,
    parse_ifcfg_suse, parse_interfaces, parse_keyfile, parse_link, parse_net_rules, parse_netplan,
    parse_networkd, text,
};

/// Most files that interfaces are read from.
const FILES_MAX: usize = 256;

/// An interface in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceFact {
    /// What is said of it.
    pub interface: Interface,
    /// Where; the line is that of the interface.
    pub origin: Origin,
    /// The program that reads the file.
    pub manager: NetworkManager,
    /// Whether cloud-init wrote the file: if it runs, it writes it anew on a new server.
    pub written_by_cloud_init: bool,
}

/// A file of udev rules for network cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetRuleFile {
    /// The file. In an initramfs the volume is followed by the path of the archive.
    pub origin: Origin,
    /// Rules that give a card with a certain MAC address a name.
    pub rules: Vec<NetRule>,
    /// Whether it has no rules at all. Such a file is put there on purpose: it stops the distribution's own.
    pub empty: bool,
    /// Whether it is in the initramfs.
    pub in_initramfs: bool,
}

/// The network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Interfaces in the order of the programs and files.
    pub interfaces: Vec<InterfaceFact>,
    /// Files of udev rules whose names have `persistent` and `net`, others with a rule for a MAC address, and `.link` files.
    pub rules: Vec<NetRuleFile>,
    /// Where `network: {config: disabled}` tells cloud-init to leave the network alone.
    pub cloud_init_disabled: Option<Origin>,
    /// Files that could not be read or understood: of what they say nothing is known.
    pub unread: Vec<NotKnown>,
}

impl Network {
    fn add(
        &mut self,
        files: &Files<'_>,
        path: &str,
        bytes: &[u8],
        manager: NetworkManager,
        interface: Interface,
    ) {
        let origin = files.origin(path).at_line(interface.line);
        let written_by_cloud_init = is_written_by_cloud_init(bytes);
        self.interfaces.push(InterfaceFact { interface, origin, manager, written_by_cloud_init });
    }

    /// Notes a reason instead of an answer.
    fn take<T>(&mut self, answer: Answer<T>) -> Option<T> {
        answer.map_err(|reason| self.unread.push(reason)).ok()
    }
}

pub(super) fn collect(files: &Files<'_>) -> Network {
    let mut network = Network::default();
    netplan(files, &mut network);
    ifupdown(files, &mut network);
    simple(files, &mut network);
    cloud(files, &mut network);
    rules(files, &mut network);
    network
}

fn netplan(files: &Files<'_>, network: &mut Network) {
    // A file in a later folder comes in place of one of the same name; all are read in the order of their names.
    let mut by_name = BTreeMap::new();
    for folder in ["/lib/netplan", "/etc/netplan", "/run/netplan"] {
        let listed = files.files_in(folder, |name| name.ends_with(".yaml"));
        for path in network.take(listed).unwrap_or_default() {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            by_name.insert(name, path);
        }
    }
    let mut definitions = Netplan::default();
    let mut read = Vec::new();
    for path in by_name.into_values().take(FILES_MAX) {
        let answer = files.read(&path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        if let Err(reason) = parse_netplan(&mut definitions, read.len(), &bytes) {
            network.unread.push(NotKnown::at(files.origin(&path), reason));
        }
        read.push((path, bytes));
    }
    for (number, interface) in definitions.interfaces() {
        if let Some((path, bytes)) = read.get(number) {
            network.add(files, path, bytes, NetworkManager::Netplan, interface);
        }
    }
}

fn ifupdown(files: &Files<'_>, network: &mut Network) {
    let mut queue = vec!["/etc/network/interfaces".to_owned()];
    let mut seen = BTreeSet::new();
    let mut automatic = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(path) = queue.pop() {
        if seen.len() >= FILES_MAX || !seen.insert(path.clone()) {
            continue;
        }
        let answer = files.read(&path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        let parsed = parse_interfaces(&bytes);
        automatic.extend(parsed.automatic);
        found.extend(parsed.interfaces.into_iter().map(|interface| (path.clone(), bytes.clone(), interface)));
        for (pattern, _) in parsed.includes {
            let pattern = if pattern.starts_with('/') { pattern } else { format!("/etc/network/{pattern}") };
            let answer = included(files, &pattern);
            queue.extend(network.take(answer).unwrap_or_default());
        }
    }
    for (path, bytes, mut interface) in found {
        let is_automatic = |name: &String| automatic.iter().any(|pattern| text::matches_glob(pattern, name));
        interface.enabled = interface.name.as_ref().is_some_and(is_automatic);
        network.add(files, &path, &bytes, NetworkManager::Ifupdown, interface);
    }
}

/// The files that `source` or, with a slash at the end, `source-directory` names.
fn included(files: &Files<'_>, pattern: &str) -> Answer<Vec<String>> {
    let Some((folder, name)) = pattern.rsplit_once('/') else { return Ok(Vec::new()) };
    if name.is_empty() || files.kind(pattern)? == Some(FileKind::Directory) {
        let plain =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        return files.files_in(pattern.trim_end_matches('/'), plain);
    }
    files.files_in(folder, |file| text::matches_glob(name, file))
}

/// Programs with a file for each interface.
fn simple(files: &Files<'_>, network: &mut Network) {
    let is_ifcfg = |name: &str| {
        let left_over = [".bak", ".orig", ".rpmnew", ".rpmsave", ".old", "~", ".swp", ".rpmorig", ".tmp"];
        name.starts_with("ifcfg-") && !left_over.iter().any(|end| name.ends_with(end))
    };
    let is_keyfile = |name: &str| !name.starts_with('.') && !name.ends_with('~') && !name.ends_with(".bak");
    let red_hat = "/etc/sysconfig/network-scripts";
    let paths = files.files_in(red_hat, is_ifcfg);
    for path in network.take(paths).unwrap_or_default().iter().take(FILES_MAX) {
        let answer = files.read(path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        let interface = parse_ifcfg_redhat(path.rsplit('/').next().unwrap_or_default(), &bytes);
        network.add(files, path, &bytes, NetworkManager::IfcfgRedHat, interface);
    }
    let paths = files.files_in("/etc/sysconfig/network", is_ifcfg);
    for path in network.take(paths).unwrap_or_default().iter().take(FILES_MAX) {
        let answer = files.read(path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        let interface = parse_ifcfg_suse(path.rsplit('/').next().unwrap_or_default(), &bytes);
        network.add(files, path, &bytes, NetworkManager::IfcfgSuse, interface);
    }
    let paths = files.files_in("/etc/NetworkManager/system-connections", is_keyfile);
    for path in network.take(paths).unwrap_or_default().iter().take(FILES_MAX) {
        let answer = files.read(path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        if let Some(interface) = parse_keyfile(&bytes) {
            network.add(files, path, &bytes, NetworkManager::NetworkManager, interface);
        }
    }
    let paths = files.files_in("/etc/systemd/network", |name| name.ends_with(".network"));
    for path in network.take(paths).unwrap_or_default().iter().take(FILES_MAX) {
        let answer = files.read(path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        network.add(files, path, &bytes, NetworkManager::Networkd, parse_networkd(&bytes));
    }
}

fn cloud(files: &Files<'_>, network: &mut Network) {
    let mut paths = vec!["/etc/cloud/cloud.cfg".to_owned()];
    let more = files.files_in("/etc/cloud/cloud.cfg.d", |name| name.ends_with(".cfg"));
    paths.extend(network.take(more).unwrap_or_default());
    for path in paths.iter().take(FILES_MAX) {
        let answer = files.read(path);
        let Some(Some(bytes)) = network.take(answer) else { continue };
        match parse_cloud_network(&bytes) {
            Ok(CloudNetwork::Silent) => {}
            Ok(CloudNetwork::Disabled { line }) => {
                network.cloud_init_disabled = Some(files.origin(path).at_line(line))
            }
            Ok(CloudNetwork::Interfaces(interfaces)) => {
                for interface in interfaces {
                    network.add(files, path, &bytes, NetworkManager::CloudInit, interface);
                }
            }
            Err(reason) => network.unread.push(NotKnown::at(files.origin(path), reason)),
        }
    }
}

fn rules(files: &Files<'_>, network: &mut Network) {
    let listed = files.files_in("/etc/udev/rules.d", |name| name.ends_with(".rules"));
    for path in network.take(listed).unwrap_or_default().iter().take(FILES_MAX) {
        let name = path.rsplit('/').next().unwrap_or_default();
        // A link to /dev/null switches a file of the distribution off, as an empty one does.
        let masked = files.link(path);
        let bytes = if network.take(masked).flatten().as_deref() == Some("/dev/null") {
            Vec::new()
        } else {
            let answer = files.read(path);
            let Some(Some(bytes)) = network.take(answer) else { continue };
            bytes
        };
        let file = rule_file(files.origin(path), &bytes, false);
        if is_persistent_net_rule(name) || !file.rules.is_empty() {
            network.rules.push(file);
        }
    }
    let listed = files.files_in("/etc/systemd/network", |name| name.ends_with(".link"));
    for path in network.take(listed).unwrap_or_default().iter().take(FILES_MAX) {
        let answer = files.read(path);
        if let Some(rule) = network.take(answer).flatten().and_then(|bytes| parse_link(&bytes)) {
            let origin = files.origin(path);
            network.rules.push(NetRuleFile { origin, rules: vec![rule], empty: false, in_initramfs: false });
        }
    }
}

/// What a file of udev rules says.
pub(super) fn rule_file(origin: Origin, bytes: &[u8], in_initramfs: bool) -> NetRuleFile {
    NetRuleFile { origin, rules: parse_net_rules(bytes), empty: has_no_rules(bytes), in_initramfs }
}

/// The origins of rule files with their rules, for those who count.
impl NetRuleFile {
    /// Each rule with its place.
    pub fn sourced(&self) -> impl Iterator<Item = Sourced<NetRule>> + '_ {
        self.rules.iter().map(|rule| Sourced::new(rule.clone(), self.origin.at_line(rule.line)))
    }
}
