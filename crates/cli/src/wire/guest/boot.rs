//! Boot loader, kernel and initramfs.

use imsprep_guest::{Answer, BootEntry, BootFile, BootLoader, DriverPlaces, Kernel, Lookup};
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::{Fact, Place, WireMachine, WireReason, WireText, all};
use crate::words::guest::{generator, loader_kind, platform};

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireBootLoader {
    /// `grub`, `grub-legacy`, `syslinux`, `systemd-boot` or `unified-kernel`.
    kind: &'static str,
    /// The firmware that starts it: `bios` or `uefi`.
    firmware: &'static str,
    config: Place,
    /// Entries of the menu.
    entries: usize,
    default: Fact<WireEntry>,
    /// What of the configuration is not known.
    not_known: Vec<WireReason>,
}

impl From<&BootLoader> for WireBootLoader {
    fn from(loader: &BootLoader) -> Self {
        Self {
            kind: loader_kind(loader.kind),
            firmware: platform(loader.platform),
            config: (&loader.config).into(),
            entries: loader.entries,
            default: Fact::new(&loader.default, |entry| Some(&entry.origin), |entry| Some(entry.into())),
            not_known: all(&loader.unknown),
        }
    }
}

/// The entry that starts by default.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireEntry {
    title: String,
    command_line: WireText,
    root: Option<WireDevice>,
    kernel: Option<WireBootFile>,
    initramfs: Vec<WireBootFile>,
    /// Why the entry is not known for certain.
    computed: Option<String>,
}

impl From<&BootEntry> for WireEntry {
    fn from(entry: &BootEntry) -> Self {
        let line = &entry.command_line;
        Self {
            title: entry.title.clone(),
            command_line: WireText { value: line.value.text.clone(), at: (&line.origin).into() },
            root: entry.root.as_ref().map(|(device, lookup)| WireDevice::new(device, lookup)),
            kernel: entry.kernel.as_ref().map(WireBootFile::from),
            initramfs: all(&entry.initramfs),
            computed: entry.computed.clone(),
        }
    }
}

/// A device as a configuration names it, and whether the disk has it.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireDevice {
    device: String,
    /// Whether it is on this disk; `null` if that is not known.
    on_disk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl WireDevice {
    pub(super) fn new(device: &impl ToString, lookup: &Lookup) -> Self {
        let (on_disk, not_known) = match lookup {
            Lookup::Found(_) => (Some(true), None),
            Lookup::Absent => (Some(false), None),
            Lookup::Unknown(reason) => (None, Some(reason.clone())),
        };
        Self { device: device.to_string(), on_disk, not_known }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireBootFile {
    at: Place,
    exists: Fact<bool>,
}

impl From<&BootFile> for WireBootFile {
    fn from(file: &BootFile) -> Self {
        Self { at: (&file.origin).into(), exists: Fact::of(&file.exists, |exists| *exists) }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireKernel {
    version: Fact<String>,
    machine: Option<WireMachine>,
    /// The folder of its modules.
    modules: Fact<bool>,
    initramfs: Fact<WireInitramfs>,
    drivers: Vec<WireDriver>,
    /// Whether it can read a virtio disk when it boots.
    boots_from_virtio: Fact<bool>,
    virtio_network: Fact<bool>,
}

impl From<&Kernel> for WireKernel {
    fn from(kernel: &Kernel) -> Self {
        Self {
            version: Fact::sourced(&kernel.version, String::clone),
            machine: kernel.machine.as_ref().map(WireMachine::from),
            modules: Fact::there(&kernel.modules),
            initramfs: Fact::optional(&kernel.initramfs, |initramfs| WireInitramfs {
                generator: initramfs.generator.map(generator),
                hostonly: initramfs.hostonly,
                compressors: initramfs.compressors.clone(),
                modules: initramfs.modules.values().map(std::collections::BTreeSet::len).sum(),
                not_known: initramfs.incomplete.clone(),
            }),
            drivers: kernel
                .drivers
                .iter()
                .map(|(driver, places)| WireDriver::new(driver.module(), places))
                .collect(),
            boots_from_virtio: Fact::plain(kernel.boots_from_virtio()),
            virtio_network: Fact::plain(kernel.has_virtio_network()),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireInitramfs {
    /// `dracut`, `initramfs-tools` or `mkinitcpio`, where that shows.
    generator: Option<&'static str>,
    /// Whether dracut made it for the hardware of one machine only.
    hostonly: bool,
    /// The compressors of its archives.
    compressors: Vec<&'static str>,
    /// The number of modules in it.
    modules: usize,
    /// Why not all of it was read.
    not_known: Option<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireDriver {
    name: &'static str,
    builtin: Fact<bool>,
    initramfs: Fact<bool>,
    /// Below /lib/modules.
    modules: Fact<bool>,
}

impl WireDriver {
    pub(super) fn new(name: &'static str, places: &DriverPlaces) -> Self {
        let fact = |answer: &Answer<bool>| Fact::of(answer, |is| *is);
        Self {
            name,
            builtin: fact(&places.builtin),
            initramfs: fact(&places.initramfs),
            modules: fact(&places.modules),
        }
    }
}
