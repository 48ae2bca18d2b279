//! What is on a disk, in words.

use std::fmt::Write as _;

use anstyle::Style;
use imsprep_inspect::{BootCode, DiskUse, Inspection, OsFamily, Partition, State, Volume, VolumeKind};
use imsprep_rules::{Profile, Purpose, quick_min_disk};

use crate::style;

/// `EFI system "ESP", active`
pub(crate) fn kind_of(partition: &Partition) -> String {
    let mut text = match partition.kind.name() {
        Some(name) => name.to_owned(),
        None => format!("type {}", partition.kind.code()),
    };
    if let Some(name) = &partition.name
        && *name != text
    {
        let _ = write!(text, " \"{name}\"");
    }
    if partition.active {
        text += ", active";
    }
    text
}

/// `vfat (FAT32)`, `LVM2_member (vg0)`
pub(crate) fn content(volume: &Volume) -> String {
    let name = volume.kind.name();
    match variant(&volume.kind) {
        Some(variant) => format!("{name} ({variant})"),
        None => name.into(),
    }
}

/// What the name of a kind leaves out, in short.
pub(crate) fn variant(kind: &VolumeKind) -> Option<String> {
    match kind {
        VolumeKind::Fat12 => Some("FAT12".into()),
        VolumeKind::Fat16 => Some("FAT16".into()),
        VolumeKind::Fat32 => Some("FAT32".into()),
        VolumeKind::Btrfs { devices } if *devices != 1 => Some(format!("{devices} devices")),
        VolumeKind::Luks { version } => Some(format!("version {version}")),
        VolumeKind::Lvm(lvm) => lvm.group.as_ref().map(|group| group.name.clone()),
        VolumeKind::MdRaid(raid) => Some(match raid.level {
            -1 => format!("linear, {}", raid.version),
            level => format!("RAID {level}, {}", raid.version),
        }),
        _ => None,
    }
}

pub(crate) fn state(volume: &Volume) -> (&'static str, Style) {
    match volume.state {
        State::Clean => ("clean", style::GOOD),
        State::Dirty(_) => ("dirty", style::DOUBTFUL),
        State::Unknown => ("not known", style::DOUBTFUL),
        State::NotRecorded => ("-", style::DIM),
    }
}

/// One word for a script.
pub(crate) fn boot_code_name(code: BootCode) -> &'static str {
    match code {
        BootCode::Grub => "grub",
        BootCode::Syslinux => "syslinux",
        BootCode::Isolinux => "isolinux",
        BootCode::Windows => "windows",
        BootCode::Parted => "parted",
        BootCode::FreeBsdGpt => "freebsd-gpt",
        BootCode::FreeBsd => "freebsd",
        BootCode::Other => "other",
    }
}

/// The `min_disk` of a quick import of this disk, in GB.
pub(crate) fn min_disk_of(disk: &Inspection, profile: &Profile) -> u64 {
    let purpose = match disk.summary.purpose {
        DiskUse::Data => Purpose::Data,
        DiskUse::System | DiskUse::Unknown => Purpose::System,
    };
    quick_min_disk(disk.disk_size, purpose, disk.summary.system == OsFamily::Windows, profile)
}
