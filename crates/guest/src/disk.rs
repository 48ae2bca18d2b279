//! The volumes of a disk, and which of them a configuration means.

use std::rc::Rc;

use imsprep_filesystem::FileSystem;
use imsprep_inspect::{EfiSystem, Firmware};

use crate::{DeviceSpec, NameKind};

/// The volumes of a disk and what is known of how it starts.
pub struct Disk<'a> {
    /// The volumes: of partitions in their order, then logical volumes.
    pub volumes: Vec<DiskVolume<'a>>,
    /// Which firmware would start it.
    pub firmware: Firmware,
    /// The EFI system partitions.
    pub efi: Vec<EfiSystem>,
}

/// A volume: of a partition, of the whole disk, or a logical one. Texts come from the image.
pub struct DiskVolume<'a> {
    /// What messages call it: `partition 2`, `logical volume vg0/root`, `the disk`.
    pub name: String,
    /// The partition, if it is one.
    pub partition: Option<PartitionName>,
    /// Group and name, if it is a logical volume.
    pub logical: Option<(String, String)>,
    /// The kind of its content, as `blkid` names it: `ext4`, `LVM2_member`, `empty`.
    pub kind: &'static str,
    /// The UUID of its content.
    pub uuid: Option<String>,
    /// The label of its content.
    pub label: Option<String>,
    /// Whether it is what a software RAID of one copy holds.
    pub is_raid: bool,
    /// Why other volumes may be in it that are not known: it is encrypted, or a member of something that was not put together.
    pub hides: Option<String>,
    /// Its files; or why they can't be read. `Err` with an empty text where there can't be any, such as in swap space.
    pub files: Result<Rc<dyn FileSystem + 'a>, String>,
}

/// How a partition may be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionName {
    /// The number.
    pub number: u32,
    /// `PARTUUID`: a GUID, or signature and number of an MBR.
    pub uuid: Option<String>,
    /// `PARTLABEL`.
    pub label: Option<String>,
    /// Whether the table says that it is an EFI system partition.
    pub is_efi_system: bool,
}

/// What a device in a configuration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The volume with this index.
    Found(usize),
    /// It is certainly not on this disk.
    Absent,
    /// It can't be told, for this reason.
    Unknown(String),
}

impl Lookup {
    /// The index of the volume.
    pub fn found(&self) -> Option<usize> {
        if let Self::Found(index) = self { Some(*index) } else { None }
    }
}

impl<'a> Disk<'a> {
    /// A volume by its index.
    pub fn volume(&self, index: usize) -> Option<&DiskVolume<'a>> {
        self.volumes.get(index)
    }

    /// Why volumes may exist that are not in the list.
    pub fn hidden(&self) -> Option<String> {
        self.volumes
            .iter()
            .find_map(|volume| volume.hides.as_ref().map(|reason| format!("{} {reason}", volume.name)))
    }

    /// Which volume a configuration means by a device.
    pub fn find(&self, device: &DeviceSpec) -> Lookup {
        let by = |fits: &dyn Fn(&DiskVolume<'_>) -> bool| self.volumes.iter().position(fits);
        let found = match device {
            DeviceSpec::Uuid(uuid) => by(&|volume| same(volume.uuid.as_deref(), uuid)),
            DeviceSpec::Label(label) => by(&|volume| volume.label.as_deref() == Some(label)),
            DeviceSpec::PartUuid(uuid) => by(&|volume| {
                volume.partition.as_ref().is_some_and(|partition| same(partition.uuid.as_deref(), uuid))
            }),
            DeviceSpec::PartLabel(label) => by(&|volume| {
                volume.partition.as_ref().is_some_and(|partition| partition.label.as_deref() == Some(label))
            }),
            DeviceSpec::LogicalVolume { group, volume: name } => {
                by(&|volume| volume.logical.as_ref().is_some_and(|(of, found)| of == group && found == name))
            }
            DeviceSpec::Name { path, kind, partition } => return self.by_name(path, *kind, *partition),
            DeviceSpec::Mapped(_) => {
                return Lookup::Unknown("the device is only made when the system starts".into());
            }
            DeviceSpec::Raid(_) => return self.raid(),
            DeviceSpec::Hardware(_) => return Lookup::Unknown("the name depends on the hardware".into()),
            DeviceSpec::Network(_) | DeviceSpec::Other(_) => {
                return Lookup::Unknown("it is no device of a disk".into());
            }
        };
        match found {
            Some(index) => Lookup::Found(index),
            // Partitions are all known.
            None if matches!(device, DeviceSpec::PartUuid(_) | DeviceSpec::PartLabel(_)) => Lookup::Absent,
            None => self.hidden().map_or(Lookup::Absent, Lookup::Unknown),
        }
    }

    /// The kernel's names count disks by letters or numbers; the image is the first one.
    fn by_name(&self, path: &str, kind: NameKind, partition: Option<u32>) -> Lookup {
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_first = match kind {
            NameKind::Scsi | NameKind::Ide | NameKind::Virtio => letters_after(name, 2) == "a",
            // Xen's first disk was xvde on some systems.
            NameKind::Xen => matches!(letters_after(name, 3), "a" | "e"),
            NameKind::Nvme => name.starts_with("nvme0n1"),
            NameKind::Other => return Lookup::Unknown("the name depends on the hardware".into()),
        };
        if !is_first {
            return Lookup::Absent;
        }
        let found = match partition {
            Some(number) => self.partition(number),
            None => self.whole(),
        };
        found.map_or(Lookup::Absent, Lookup::Found)
    }

    /// The volume that the disk is as a whole.
    pub(crate) fn whole(&self) -> Option<usize> {
        let is_part = |volume: &DiskVolume<'_>| {
            volume.partition.is_some() || volume.logical.is_some() || volume.is_raid
        };
        self.volumes.iter().position(|volume| !is_part(volume))
    }

    /// The volume in a partition.
    pub fn partition(&self, number: u32) -> Option<usize> {
        self.volumes
            .iter()
            .position(|volume| volume.partition.as_ref().is_some_and(|found| found.number == number))
    }

    fn raid(&self) -> Lookup {
        let mut arrays = self.volumes.iter().enumerate().filter(|(_, volume)| volume.is_raid);
        if let (Some((index, _)), None) = (arrays.next(), arrays.next()) {
            return Lookup::Found(index);
        }
        if self.volumes.iter().any(|volume| volume.kind == "linux_raid_member") {
            return Lookup::Unknown("what is in a software RAID is not known".into());
        }
        self.hidden().map_or(Lookup::Absent, Lookup::Unknown)
    }
}

fn same(found: Option<&str>, wanted: &str) -> bool {
    found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

fn letters_after(name: &str, start: usize) -> &str {
    let rest = name.get(start..).unwrap_or_default();
    rest.trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(number: u32, kind: &'static str, uuid: &str) -> DiskVolume<'static> {
        DiskVolume {
            name: format!("partition {number}"),
            partition: Some(PartitionName {
                number,
                uuid: Some(format!("1234abcd-0{number}")),
                label: Some(format!("part{number}")),
                is_efi_system: false,
            }),
            logical: None,
            kind,
            uuid: Some(uuid.to_owned()),
            label: Some(format!("label{number}")),
            is_raid: false,
            hides: None,
            files: Err(String::new()),
        }
    }

    fn find(disk: &Disk<'_>, spec: &str) -> Lookup {
        disk.find(&DeviceSpec::parse(spec))
    }

    #[test]
    fn a_device_is_found_absent_or_not_known() {
        let mut disk = Disk {
            volumes: vec![volume(1, "vfat", "AB12-CD34"), volume(2, "ext4", "aa-bb")],
            firmware: Firmware::Bios,
            efi: Vec::new(),
        };
        disk.volumes.push(DiskVolume {
            name: "logical volume vg0/root".into(),
            partition: None,
            logical: Some(("vg0".into(), "root".into())),
            ..volume(9, "xfs", "cc-dd")
        });
        for (spec, expected) in [
            ("UUID=ab12-cd34", Lookup::Found(0)),
            ("UUID=AA-BB", Lookup::Found(1)),
            ("LABEL=label2", Lookup::Found(1)),
            ("PARTUUID=1234ABCD-02", Lookup::Found(1)),
            ("PARTLABEL=part1", Lookup::Found(0)),
            ("/dev/mapper/vg0-root", Lookup::Found(2)),
            ("/dev/vg0/home", Lookup::Absent),
            ("/dev/sda2", Lookup::Found(1)),
            ("/dev/xvde1", Lookup::Found(0)),
            ("/dev/nvme0n1p2", Lookup::Found(1)),
            ("/dev/sda7", Lookup::Absent),
            ("/dev/sdb1", Lookup::Absent),
            ("/dev/nvme1n1p1", Lookup::Absent),
            ("/dev/md0", Lookup::Absent),
            ("UUID=ee-ff", Lookup::Absent),
        ] {
            assert_eq!(find(&disk, spec), expected, "{spec}");
        }
        assert!(matches!(find(&disk, "/dev/mapper/luks"), Lookup::Unknown(_)));
        disk.volumes[0].hides = Some("is encrypted".into());
        assert_eq!(find(&disk, "UUID=ee-ff"), Lookup::Unknown("partition 1 is encrypted".into()));
        assert!(matches!(find(&disk, "/dev/vg0/home"), Lookup::Unknown(_)));
        // A partition can't hide.
        assert_eq!(find(&disk, "PARTLABEL=x"), Lookup::Absent);
    }
}
