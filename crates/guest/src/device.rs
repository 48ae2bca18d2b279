//! How fstab, boot loaders and the kernel's command line name a device.

use std::fmt;

use crate::text;

/// A device as it is named in a configuration. Texts come from the image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceSpec {
    /// The UUID of a file system: `UUID=`, `/dev/disk/by-uuid/`.
    Uuid(String),
    /// The label of a file system: `LABEL=`, `/dev/disk/by-label/`.
    Label(String),
    /// The UUID of a partition: `PARTUUID=`, `/dev/disk/by-partuuid/`.
    PartUuid(String),
    /// The name of a GPT partition: `PARTLABEL=`, `/dev/disk/by-partlabel/`.
    PartLabel(String),
    /// A link that udev makes from the hardware: `/dev/disk/by-id/`, `/dev/disk/by-path/`, `ID=`. It does not survive a move
    /// to other hardware.
    Hardware(String),
    /// A logical volume: `/dev/vg/lv` or the mangled `/dev/mapper/vg-lv`.
    LogicalVolume {
        /// The volume group.
        group: String,
        /// The logical volume.
        volume: String,
    },
    /// Another device of the device mapper, such as an opened LUKS volume: the name after `/dev/mapper/`.
    Mapped(String),
    /// A software RAID: the path.
    Raid(String),
    /// The kernel's name of a disk or partition, which depends on the hardware: the path.
    Name {
        /// The path, such as `/dev/sda1`.
        path: String,
        /// What gives such names.
        kind: NameKind,
        /// The number of the partition, if the name has one.
        partition: Option<u32>,
    },
    /// A file system of the network: `server:/path`, `//server/share`, `nfs`.
    Network(String),
    /// No device: `tmpfs`, `proc`, `none`; a directory for a bind mount; a file for a loop mount.
    Other(String),
}

/// What gives a disk its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// `sd`: SCSI, SATA, USB; virtio-scsi as well.
    Scsi,
    /// `hd`: IDE in old kernels.
    Ide,
    /// `vd`: virtio-blk.
    Virtio,
    /// `xvd`: Xen.
    Xen,
    /// `nvme`.
    Nvme,
    /// Anything else that is a block device.
    Other,
}

impl DeviceSpec {
    /// Reads a device as fstab, `root=` or `What=` name it, after quotes and escapes were resolved.
    pub fn parse(spec: &str) -> Self {
        let spec = text::value(spec);
        if let Some((tag, value)) = spec.split_once('=') {
            let value = value.trim_matches('"').trim_matches('\'').to_owned();
            match tag.to_ascii_uppercase().as_str() {
                "UUID" => return Self::Uuid(value),
                "LABEL" => return Self::Label(value),
                "PARTUUID" => return Self::PartUuid(value),
                "PARTLABEL" => return Self::PartLabel(value),
                "ID" => return Self::Hardware(spec),
                _ => {}
            }
        }
        // systemd and dracut write what stands in /dev also with a prefix of their own.
        let path = spec.strip_prefix("block:").unwrap_or(&spec);
        if let Some(name) = path.strip_prefix("/dev/") {
            return Self::of_node(path, name);
        }
        let is_network = path.starts_with("//")
            || path == "nfs"
            || path.starts_with("nfs:")
            || path.starts_with("nfs4:")
            || path.starts_with("iscsi:")
            || path.starts_with("netroot")
            || path.find(":/").is_some_and(|at| !path.get(..at).unwrap_or_default().starts_with('/'));
        if is_network { Self::Network(spec) } else { Self::Other(spec) }
    }

    fn of_node(path: &str, name: &str) -> Self {
        if let Some(rest) = name.strip_prefix("disk/") {
            return match rest.split_once('/') {
                Some(("by-uuid", value)) => Self::Uuid(udev_unescaped(value)),
                Some(("by-label", value)) => Self::Label(udev_unescaped(value)),
                Some(("by-partuuid", value)) => Self::PartUuid(udev_unescaped(value)),
                Some(("by-partlabel", value)) => Self::PartLabel(udev_unescaped(value)),
                _ => Self::Hardware(path.to_owned()),
            };
        }
        if let Some(mapped) = name.strip_prefix("mapper/") {
            let parts = demangled(mapped).filter(|(group, volume)| !is_multipath(group, volume));
            return parts.map_or_else(
                || Self::Mapped(mapped.to_owned()),
                |(group, volume)| Self::LogicalVolume { group, volume },
            );
        }
        if name.starts_with("md") {
            return Self::Raid(path.to_owned());
        }
        match name.split_once('/') {
            Some(("cciss" | "ida" | "i2o" | "rd" | "ataraid", _)) => {
                Self::Name { path: path.to_owned(), kind: NameKind::Other, partition: None }
            }
            Some(("shm" | "pts" | "mqueue" | "hugepages" | "bus", _)) => Self::Other(path.to_owned()),
            // Devices of other drivers that lie in a folder as a volume group does.
            Some((
                "zvol" | "rbd" | "drbd" | "bcache" | "etherd" | "oracleasm" | "asm" | "vx" | "raw" | "ubi"
                | "evms" | "block",
                _,
            )) => Self::Hardware(path.to_owned()),
            Some(("loop" | "fd", _)) => Self::Other(path.to_owned()),
            Some((group, volume)) if !volume.contains('/') => {
                Self::LogicalVolume { group: group.to_owned(), volume: volume.to_owned() }
            }
            Some(_) => Self::Hardware(path.to_owned()),
            None => Self::named(path, name),
        }
    }

    fn named(path: &str, name: &str) -> Self {
        let kinds = [
            ("xvd", NameKind::Xen),
            ("sd", NameKind::Scsi),
            ("hd", NameKind::Ide),
            ("vd", NameKind::Virtio),
            ("nvme", NameKind::Nvme),
            ("mmcblk", NameKind::Other),
            ("dasd", NameKind::Other),
            ("ubda", NameKind::Other),
        ];
        let is_other = ["root", "nfs", "gpt-auto-root", "cdrom", "dvd", "fuse", "shm", "zero", "null"]
            .contains(&name)
            || name.starts_with("sr")
            || name.starts_with("fd")
            || name.starts_with("loop")
            || name.starts_with("ram")
            || name.starts_with("zram");
        match kinds.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            Some((prefix, kind)) => {
                let rest = name.get(prefix.len()..).unwrap_or_default();
                let partition = match kind {
                    NameKind::Nvme | NameKind::Other => rest.rsplit_once('p').map(|(_, number)| number),
                    _ => Some(rest.trim_start_matches(|c: char| c.is_ascii_lowercase())),
                };
                let partition = partition.and_then(|number| number.parse().ok());
                Self::Name { path: path.to_owned(), kind: *kind, partition }
            }
            None if is_other => Self::Other(path.to_owned()),
            None => Self::Name { path: path.to_owned(), kind: NameKind::Other, partition: None },
        }
    }

    /// Whether the name comes from the kernel or the hardware, and can differ on another machine.
    pub fn depends_on_hardware(&self) -> bool {
        matches!(self, Self::Name { .. } | Self::Hardware(_))
    }

    /// Whether it names a block device at all.
    pub fn is_block_device(&self) -> bool {
        !matches!(self, Self::Network(_) | Self::Other(_))
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(value) => write!(f, "UUID={value}"),
            Self::Label(value) => write!(f, "LABEL={value}"),
            Self::PartUuid(value) => write!(f, "PARTUUID={value}"),
            Self::PartLabel(value) => write!(f, "PARTLABEL={value}"),
            Self::LogicalVolume { group, volume } => write!(f, "/dev/{group}/{volume}"),
            Self::Mapped(name) => write!(f, "/dev/mapper/{name}"),
            Self::Name { path, .. } => f.write_str(path),
            Self::Hardware(text) | Self::Raid(text) | Self::Network(text) | Self::Other(text) => {
                f.write_str(text)
            }
        }
    }
}

/// The parts of a device-mapper name that LVM made: it doubles hyphens in both names and puts one between.
fn demangled(name: &str) -> Option<(String, String)> {
    let bytes = name.as_bytes();
    let mut at = 0;
    let mut split = None;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'-' {
            if bytes.get(at + 1) == Some(&b'-') {
                at += 1;
            } else if split.replace(at).is_some() {
                // A second single hyphen: an inner volume of LVM, or no logical volume.
                return None;
            }
        }
        at += 1;
    }
    let (group, volume) = name.split_at_checked(split?)?;
    let volume = volume.get(1..)?;
    (!group.is_empty() && !volume.is_empty()).then(|| (group.replace("--", "-"), volume.replace("--", "-")))
}

/// Whether the parts of a name are those of a partition of a multipath device: `mpatha-part1`, `3600508b4-part2`.
fn is_multipath(group: &str, volume: &str) -> bool {
    let number = volume.strip_prefix("part").or_else(|| volume.strip_prefix('p'));
    let is_partition =
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    let is_wwid = group.len() >= 16 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_partition && (group.starts_with("mpath") || is_wwid || volume.starts_with("part"))
}

/// udev writes unsafe characters of labels as `\x20`.
fn udev_unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let hex = rest.strip_prefix("\\x").and_then(|rest| rest.get(..2));
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = rest.get(4..).unwrap_or_default();
        } else {
            let (first, after) = rest.split_at(c.len_utf8());
            bytes.extend_from_slice(first.as_bytes());
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(path: &str, kind: NameKind, partition: Option<u32>) -> DeviceSpec {
        DeviceSpec::Name { path: path.into(), kind, partition }
    }

    fn volume(group: &str, volume: &str) -> DeviceSpec {
        DeviceSpec::LogicalVolume { group: group.into(), volume: volume.into() }
    }

    #[test]
    fn every_way_to_name_a_device_is_known() {
        use DeviceSpec::*;
        for (text, expected) in [
            ("UUID=ab-cd", Uuid("ab-cd".into())),
            ("UUID=\"ab-cd\"", Uuid("ab-cd".into())),
            ("/dev/disk/by-uuid/ab-cd", Uuid("ab-cd".into())),
            ("LABEL=root", Label("root".into())),
            ("/dev/disk/by-label/my\\x20root\\x2f", Label("my root/".into())),
            ("PARTUUID=1-02", PartUuid("1-02".into())),
            ("PARTLABEL=esp", PartLabel("esp".into())),
            ("/dev/disk/by-partlabel/x", PartLabel("x".into())),
            ("/dev/disk/by-id/scsi-36000c29-part1", Hardware("/dev/disk/by-id/scsi-36000c29-part1".into())),
            ("/dev/disk/by-path/pci-0", Hardware("/dev/disk/by-path/pci-0".into())),
            ("/dev/mapper/vg--a-root--1", volume("vg-a", "root-1")),
            ("/dev/mapper/vg0-root", volume("vg0", "root")),
            ("/dev/mapper/luks-1234-5678", Mapped("luks-1234-5678".into())),
            ("/dev/mapper/crypt", Mapped("crypt".into())),
            ("/dev/mapper/mpatha-part1", Mapped("mpatha-part1".into())),
            (
                "/dev/mapper/3600508b400105e210000900000490000-part2",
                Mapped("3600508b400105e210000900000490000-part2".into()),
            ),
            ("/dev/zvol/swap", Hardware("/dev/zvol/swap".into())),
            ("/dev/vg0/root", volume("vg0", "root")),
            ("/dev/md0", Raid("/dev/md0".into())),
            ("/dev/md/root", Raid("/dev/md/root".into())),
            ("/dev/sda1", name("/dev/sda1", NameKind::Scsi, Some(1))),
            ("/dev/sdaa", name("/dev/sdaa", NameKind::Scsi, None)),
            ("/dev/xvda2", name("/dev/xvda2", NameKind::Xen, Some(2))),
            ("/dev/vdb12", name("/dev/vdb12", NameKind::Virtio, Some(12))),
            ("/dev/nvme0n1p3", name("/dev/nvme0n1p3", NameKind::Nvme, Some(3))),
            ("/dev/nvme0n1", name("/dev/nvme0n1", NameKind::Nvme, None)),
            ("/dev/cciss/c0d0p1", name("/dev/cciss/c0d0p1", NameKind::Other, None)),
            ("server:/export", Network("server:/export".into())),
            ("[fe80::1]:/export", Network("[fe80::1]:/export".into())),
            ("//server/share", Network("//server/share".into())),
            ("tmpfs", Other("tmpfs".into())),
            ("/dev/shm", Other("/dev/shm".into())),
            ("/dev/sr0", Other("/dev/sr0".into())),
            ("/dev/root", Other("/dev/root".into())),
            ("/srv/a:/b", Other("/srv/a:/b".into())),
        ] {
            assert_eq!(DeviceSpec::parse(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_lvm_mangles_comes_back(group in "[a-z][a-z0-9-]{0,6}[a-z]", lv in "[a-z][a-z0-9-]{0,6}[a-z]") {
            let mangled = format!("/dev/mapper/{}-{}", group.replace('-', "--"), lv.replace('-', "--"));
            prop_assert_eq!(DeviceSpec::parse(&mangled), volume(&group, &lv));
        }

        #[test]
        fn any_text_is_some_device(text in any::<String>()) {
            let _ = DeviceSpec::parse(&text).to_string();
        }
    }
}
