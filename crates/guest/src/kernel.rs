//! What a kernel has built in, and the names of modules.

use std::collections::{BTreeMap, BTreeSet};

use crate::text;

/// Most names that are kept of a list.
const NAMES_MAX: usize = 20_000;
/// What the names of compressed modules end in.
const MODULE_ENDS: [&str; 5] = [".ko", ".ko.xz", ".ko.zst", ".ko.gz", ".ko.bz2"];

/// A driver that a server of the cloud may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Driver {
    /// `virtio`: the bus.
    Virtio,
    /// `virtio_ring`: the queues.
    VirtioRing,
    /// `virtio_pci`: the devices.
    VirtioPci,
    /// `virtio_blk`: disks.
    VirtioBlk,
    /// `virtio_scsi`: disks.
    VirtioScsi,
    /// `virtio_net`: the network.
    VirtioNet,
    /// `sd_mod`: disks behind `virtio_scsi`.
    SdMod,
}

impl Driver {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Virtio,
        Self::VirtioRing,
        Self::VirtioPci,
        Self::VirtioBlk,
        Self::VirtioScsi,
        Self::VirtioNet,
        Self::SdMod,
    ];

    /// The module's name.
    pub fn module(self) -> &'static str {
        match self {
            Self::Virtio => "virtio",
            Self::VirtioRing => "virtio_ring",
            Self::VirtioPci => "virtio_pci",
            Self::VirtioBlk => "virtio_blk",
            Self::VirtioScsi => "virtio_scsi",
            Self::VirtioNet => "virtio_net",
            Self::SdMod => "sd_mod",
        }
    }

    /// The option that builds it, as in `.config`. The ring is built with the bus; it had an option of its own up to 4.x.
    pub fn option(self) -> &'static str {
        match self {
            Self::Virtio | Self::VirtioRing => "CONFIG_VIRTIO",
            Self::VirtioPci => "CONFIG_VIRTIO_PCI",
            Self::VirtioBlk => "CONFIG_VIRTIO_BLK",
            Self::VirtioScsi => "CONFIG_SCSI_VIRTIO",
            Self::VirtioNet => "CONFIG_VIRTIO_NET",
            Self::SdMod => "CONFIG_BLK_DEV_SD",
        }
    }
}

/// The names of what a kernel has built in: `modules.builtin`.
pub type ModulesBuiltin = BTreeSet<String>;

/// The name of a module by the path of its file, with `_` for `-`; `None` if it is no module.
pub fn module_name(path: &str) -> Option<String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = MODULE_ENDS.iter().find_map(|end| file.strip_suffix(end))?;
    (!name.is_empty()).then(|| text::name(&name.replace('-', "_")))
}

/// `modules.builtin`: a path for each line, `kernel/drivers/virtio/virtio.ko`.
pub fn parse_modules_builtin(bytes: &[u8]) -> ModulesBuiltin {
    text::lines(bytes).filter_map(|(_, line)| module_name(line.trim())).take(NAMES_MAX).collect()
}

/// A kernel's configuration: `CONFIG_VIRTIO=y`. Values by option; what is not set has none.
pub fn parse_kernel_config(bytes: &[u8]) -> BTreeMap<String, String> {
    let lines = text::lines(bytes).filter_map(|(_, line)| {
        let (option, value) = line.trim().split_once('=')?;
        let wanted = Driver::ALL.iter().any(|driver| driver.option() == option)
            || matches!(option, "CONFIG_MODULES" | "CONFIG_VIRTIO_RING");
        wanted.then(|| (option.to_owned(), text::name(value)))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modules_have_one_name() {
        for (path, name) in [
            ("kernel/drivers/block/virtio_blk.ko", Some("virtio_blk")),
            ("kernel/net/virtio-net.ko.zst", Some("virtio_net")),
            ("a/b.ko.xz", Some("b")),
            ("b.ko.gz", Some("b")),
            ("modules.dep", None),
            (".ko", None),
            ("x.kox", None),
        ] {
            assert_eq!(module_name(path).as_deref(), name, "{path}");
        }
        let builtin = parse_modules_builtin(
            b"kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio-ring.ko\n\n",
        );
        assert_eq!(builtin.into_iter().collect::<Vec<_>>(), ["virtio", "virtio_ring"]);
    }

    #[test]
    fn a_configuration_has_options() {
        let text = b"# CONFIG_VIRTIO_NET is not set\nCONFIG_VIRTIO=y\nCONFIG_VIRTIO_BLK=m\nCONFIG_OTHER=y\n";
        let config = parse_kernel_config(text);
        assert_eq!(config.len(), 2);
        assert_eq!(config[Driver::VirtioRing.option()], "y");
        assert_eq!(config[Driver::VirtioBlk.option()], "m");
        assert_eq!(config.get(Driver::VirtioNet.option()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_modules_builtin(&bytes);
            parse_kernel_config(&bytes);
        }
    }
}
