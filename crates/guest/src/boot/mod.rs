//! Boot loaders' configurations: what the default entry starts.

mod bls;
mod grub;
mod grub_legacy;
mod grub_syntax;
mod grub_test;
mod grubenv;
mod syslinux;
mod systemd_boot;
mod version_order;

pub use bls::{BlsEntry, parse_bls};
pub use grub::{GrubFiles, GrubMenu, SearchKind, evaluate_grub};
pub use grub_legacy::parse_grub_legacy;
pub use grubenv::{GRUBENV_SIZE, parse_grubenv};
pub use syslinux::parse_syslinux;
pub use systemd_boot::{LoaderConf, parse_loader_conf, select_bls, sort_bls};
pub(crate) use version_order::compare_versions;

/// An entry of a boot loader's menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MenuEntry {
    /// What the menu shows.
    pub title: String,
    /// The names that may select it: its identifier, its label. The title selects it as well where the loader allows that.
    pub ids: Vec<String>,
    /// The kernel.
    pub kernel: Option<LoaderPath>,
    /// The initramfs archives, in order; the loader joins them.
    pub initramfs: Vec<LoaderPath>,
    /// The kernel's command line.
    pub options: String,
    /// The EFI program that is started instead of a kernel: a unified kernel image, another loader.
    pub program: Option<LoaderPath>,
    /// The line of the configuration where the entry begins, from 1.
    pub line: u32,
    /// The line with the command line for the kernel, from 1.
    pub options_line: u32,
    /// Why the entry is not known for certain: something that is decided only when the machine starts.
    pub computed: Option<String>,
}

/// A file as a boot loader names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoaderPath {
    /// The device in the loader's words, such as `hd0,gpt2` or `lvm/vg0-root`; `None` for the one that the configuration is on.
    pub device: Option<String>,
    /// The path on the device.
    pub path: String,
}

impl LoaderPath {
    /// A path on the device that the configuration is on.
    pub fn here(path: impl Into<String>) -> Self {
        Self { device: None, path: path.into() }
    }

    /// `(device)/path`, or `/path`.
    pub(crate) fn parse(text: &str, device: Option<&str>) -> Self {
        if let Some((named, path)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            return Self { device: Some(named.to_owned()), path: path.to_owned() };
        }
        Self { device: device.map(str::to_owned), path: text.to_owned() }
    }
}

/// The menu of a boot loader and which of its entries starts by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// The entries, in order.
    pub entries: Vec<MenuEntry>,
    /// The index of the default entry; `None` if there is none, or it is not known.
    pub default: Option<usize>,
    /// Why the default entry is not known.
    pub unknown: Option<String>,
}

/// Most entries of a menu.
pub(crate) const ENTRIES_MAX: usize = 512;
