//! The system in an image, in words.

use imsprep_guest::{
    Addressing, Generator, InterfaceFact, LoaderKind, NetworkManager, Origin, Platform, ServiceState,
};

/// The word for a kind of boot loader in JSON.
pub(crate) fn loader_kind(kind: LoaderKind) -> &'static str {
    match kind {
        LoaderKind::Grub => "grub",
        LoaderKind::GrubLegacy => "grub-legacy",
        LoaderKind::Syslinux => "syslinux",
        LoaderKind::SystemdBoot => "systemd-boot",
        LoaderKind::UnifiedKernel => "unified-kernel",
    }
}

/// The name of a kind of boot loader.
pub(crate) fn loader_name(kind: LoaderKind) -> &'static str {
    match kind {
        LoaderKind::Grub => "GRUB 2",
        LoaderKind::GrubLegacy => "GRUB 0.9x",
        LoaderKind::Syslinux => "Syslinux",
        LoaderKind::SystemdBoot => "systemd-boot",
        LoaderKind::UnifiedKernel => "unified kernel image",
    }
}

/// The word for the firmware that starts a loader.
pub(crate) fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Bios => "bios",
        Platform::Uefi => "uefi",
    }
}

/// The name of the program that made an initramfs.
pub(crate) fn generator(generator: Generator) -> &'static str {
    match generator {
        Generator::Dracut => "dracut",
        Generator::InitramfsTools => "initramfs-tools",
        Generator::Mkinitcpio => "mkinitcpio",
    }
}

/// The word for the program that configures an interface.
pub(crate) fn manager(manager: NetworkManager) -> &'static str {
    match manager {
        NetworkManager::Netplan => "netplan",
        NetworkManager::Ifupdown => "ifupdown",
        NetworkManager::IfcfgRedHat => "ifcfg",
        NetworkManager::IfcfgSuse => "ifcfg-suse",
        NetworkManager::NetworkManager => "networkmanager",
        NetworkManager::Networkd => "systemd-networkd",
        NetworkManager::CloudInit => "cloud-init",
    }
}

/// The word for the state of a service, and where that stands.
pub(crate) fn service_state(state: &ServiceState) -> (&'static str, Option<&Origin>) {
    match state {
        ServiceState::Enabled(origin) => ("enabled", Some(origin)),
        ServiceState::Disabled(origin) => ("disabled", Some(origin)),
        ServiceState::Masked(origin) => ("masked", Some(origin)),
        ServiceState::Absent => ("absent", None),
    }
}

/// How an interface gets its addresses: `DHCP`, `static 10.0.0.2/24`.
pub(crate) fn addressing(fact: &InterfaceFact) -> String {
    let one = |addressing: &Addressing| match addressing {
        Addressing::None => None,
        Addressing::Dhcp => Some("DHCP".to_owned()),
        Addressing::Automatic => Some("automatic".to_owned()),
        Addressing::Static(addresses) => Some(format!("static {}", addresses.join(", "))),
        Addressing::Unknown(reason) => Some(format!("not known: {reason}")),
    };
    let texts = [("", &fact.interface.ipv4), ("IPv6 ", &fact.interface.ipv6)];
    let texts =
        texts.into_iter().filter_map(|(name, addressing)| Some(format!("{name}{}", one(addressing)?)));
    let text = texts.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "no addresses".into() } else { text }
}
