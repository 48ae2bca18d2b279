//! Finding the volumes of a disk and opening their files: partitions, what is in a software RAID of one copy, logical volumes.

use std::collections::BTreeSet;

use imsprep_filesystem::{Access, open_volume};
use imsprep_inspect::{
    Boot, Firmware, Inspection, LogicalVolume, MdRaid, Partition, PartitionType, Table, TableKind, Volume,
    VolumeGroup, VolumeKind, inspect_volume,
};
use imsprep_source::{Cancel, Error, ReadAt, Result};

use crate::mapped::Mapped;
use crate::partitioned::is_partitioned;
use crate::{Disk, DiskVolume, PartitionName, text};

/// Most volumes that are opened.
const VOLUMES_MAX: usize = 512;

/// Where the volumes of a disk lie. [`open`](Self::open) opens their files.
pub struct VolumeSources<'d> {
    pub(crate) sources: Vec<Source<'d>>,
    /// The UUID of a physical volume of LVM that is on the disk more than once.
    pub(crate) twice: Option<String>,
    firmware: Firmware,
    boot: Boot,
}

/// A volume, and the bytes that it has.
pub(crate) struct Source<'d> {
    pub(crate) name: String,
    partition: Option<PartitionName>,
    logical: Option<(String, String)>,
    is_raid: bool,
    pub(crate) content: Volume,
    hides: Option<String>,
    pub(crate) bytes: std::result::Result<Mapped<'d>, String>,
    /// Why what the content says of its free space is not to be relied on, whatever it says.
    pub(crate) kept: Option<String>,
}

impl<'d> VolumeSources<'d> {
    /// Finds the volumes of a disk that was inspected.
    ///
    /// # Errors
    ///
    /// If the disk can't be read, or the work was interrupted.
    pub fn find(inspection: &Inspection, disk: &'d dyn ReadAt, cancel: &Cancel) -> Result<Self> {
        let mut found = Self {
            sources: Vec::new(),
            twice: None,
            firmware: inspection.summary.firmware,
            boot: inspection.boot.clone(),
        };
        // Physical volumes of LVM with the place where each begins.
        let mut physical: Vec<(String, u64)> = Vec::new();
        let mut groups: Vec<VolumeGroup> = Vec::new();
        for (partition, volume) in inspection.volumes() {
            cancel.check()?;
            let (start, room) =
                (partition.map_or(0, |partition| partition.start), inspection.space_of(partition));
            let name = partition
                .map_or("the disk".to_owned(), |partition| format!("partition {}", partition.number));
            let stretch = Mapped::stretch(disk, start, room);
            let kept = match partition.and_then(|partition| no_volume(partition.kind)) {
                Some(reason) => Some(reason),
                None => doubt(volume, &stretch, cancel)?,
            };
            note_lvm(volume, start, kept.as_ref(), &mut physical, &mut groups);
            let mut hides = hides(volume);
            if let (VolumeKind::MdRaid(raid), 1) = (&volume.kind, level(volume)) {
                let length = volume.size.unwrap_or(room).min(room.saturating_sub(raid.data_start));
                let start = start.saturating_add(raid.data_start);
                let bytes = Mapped::stretch(disk, start, length);
                let content = inspect_volume(&bytes)?;
                let behind = matches!(raid.version, "0.90" | "1.0")
                    .then(|| "the superblock of its software RAID is behind it".to_owned());
                let kept = match kept.clone().or(behind) {
                    Some(reason) => Some(reason),
                    None => doubt(&content, &bytes, cancel)?,
                };
                note_lvm(&content, start, kept.as_ref(), &mut physical, &mut groups);
                hides = None;
                found.add(Source {
                    name: format!("software RAID on {name}"),
                    partition: None,
                    logical: None,
                    is_raid: true,
                    hides: self::hides(&content),
                    content,
                    bytes: Ok(bytes),
                    kept,
                });
            }
            if partition.is_some_and(|partition| partition.kind.has_no_file_system()) {
                hides = None;
            }
            found.add(Source {
                name,
                partition: partition.map(|partition| partition_name(partition, inspection.table.as_ref())),
                logical: None,
                is_raid: false,
                content: volume.clone(),
                hides,
                bytes: Ok(stretch),
                kept,
            });
        }
        let mut seen = BTreeSet::new();
        found.twice = physical.iter().map(|(uuid, _)| uuid).find(|uuid| !seen.insert(*uuid)).cloned();
        groups.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        groups.dedup_by(|one, other| one.uuid == other.uuid);
        for group in &groups {
            for volume in &group.layout {
                cancel.check()?;
                found.logical(disk, group, volume, &physical)?;
            }
        }
        Ok(found)
    }

    fn add(&mut self, source: Source<'d>) {
        if self.sources.len() < VOLUMES_MAX {
            self.sources.push(source);
        }
    }

    fn logical(
        &mut self,
        disk: &'d dyn ReadAt,
        group: &VolumeGroup,
        volume: &LogicalVolume,
        physical: &[(String, u64)],
    ) -> Result<()> {
        let bytes = Mapped::logical(disk, volume, physical);
        let content = match &bytes {
            Ok(bytes) => inspect_volume(bytes)?,
            Err(_) => Volume::new(VolumeKind::Unknown),
        };
        let hides = match &bytes {
            Ok(_) => hides(&content),
            Err(reason) => Some(reason.clone()),
        };
        let of_group = |reason| format!("volume group {}: {reason}", text::name(&group.name));
        self.add(Source {
            name: format!("logical volume {}/{}", text::name(&group.name), text::name(&volume.name)),
            partition: None,
            logical: Some((group.name.clone(), volume.name.clone())),
            is_raid: false,
            content,
            hides,
            bytes,
            kept: group.unmapped.as_ref().err().map(of_group),
        });
        Ok(())
    }

    /// Opens the files of each volume.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if the work was interrupted.
    pub fn open(&self, access: &Access) -> Result<Disk<'_>> {
        let mut volumes = Vec::new();
        for source in &self.sources {
            let files = match &source.bytes {
                Ok(bytes) if has_files(&source.content.kind) => match open_volume(bytes, access) {
                    Ok(files) => Ok(files),
                    Err(error) if error.kind() == imsprep_filesystem::ErrorKind::Cancelled => {
                        return Err(Error::Cancelled);
                    }
                    Err(error) => Err(text::value(error.reason())),
                },
                Ok(_) => Err(String::new()),
                Err(reason) => Err(reason.clone()),
            };
            volumes.push(DiskVolume {
                name: source.name.clone(),
                partition: source.partition.clone(),
                logical: source.logical.clone(),
                kind: source.content.kind.name(),
                uuid: source.content.uuid.clone(),
                label: source.content.label.clone(),
                is_raid: source.is_raid,
                hides: source.hides.clone(),
                files,
            });
        }
        Ok(Disk { volumes, firmware: self.firmware, efi: self.boot.efi.clone() })
    }
}

fn level(volume: &Volume) -> i32 {
    if let VolumeKind::MdRaid(raid) = &volume.kind { raid.level } else { -1 }
}

/// Notes a physical volume of LVM that begins at `start`, and its group. `kept` is why what it says of free space is not to be relied on.
fn note_lvm(
    volume: &Volume,
    start: u64,
    kept: Option<&String>,
    physical: &mut Vec<(String, u64)>,
    groups: &mut Vec<VolumeGroup>,
) {
    if let VolumeKind::Lvm(lvm) = &volume.kind {
        physical.extend(volume.uuid.clone().map(|uuid| (uuid, start)));
        groups.extend(lvm.group.clone().map(|group| match kept {
            Some(reason) => VolumeGroup { unmapped: Err(reason.clone()), ..group },
            None => group,
        }));
    }
}

/// Why a volume that holds others may be left over from an earlier use of its bytes, so that what it says of them need not be so.
fn doubt(volume: &Volume, bytes: &Mapped<'_>, cancel: &Cancel) -> Result<Option<String>> {
    if !matches!(volume.kind, VolumeKind::Lvm(_) | VolumeKind::MdRaid(_)) {
        return Ok(None);
    }
    if let VolumeKind::MdRaid(MdRaid { doubt: Some(doubt), .. }) = &volume.kind {
        return Ok(Some(format!("the software RAID on it is in doubt: {doubt}")));
    }
    if !volume.also.is_empty() {
        return Ok(Some(format!("there are also signatures of {}", volume.also.join(", "))));
    }
    is_partitioned(bytes, cancel)
}

/// Why other volumes may be in one, or it may be what a configuration names without being known.
fn hides(volume: &Volume) -> Option<String> {
    let reason = match &volume.kind {
        kind if kind.is_encrypted() => "is encrypted",
        VolumeKind::Lvm(lvm) => {
            return lvm.unread.map(|reason| format!("is a physical volume of LVM, and {reason}"));
        }
        VolumeKind::MdRaid(_) => "is a member of a software RAID",
        VolumeKind::Zfs => "is a member of a ZFS pool",
        VolumeKind::Unknown => "holds no known content",
        VolumeKind::Other(_) if volume.uuid.is_none() => "holds a file system whose UUID is not read",
        _ => return None,
    };
    Some(reason.to_owned())
}

/// Why a partition of this type is not a volume of its own.
fn no_volume(kind: PartitionType) -> Option<String> {
    if kind.has_no_file_system() {
        return Some("its type is that of a partition without a file system".to_owned());
    }
    // A volume of a dynamic disk may go on in another partition.
    if kind.is_dynamic() {
        return Some("it belongs to a dynamic disk of Windows".to_owned());
    }
    (!kind.is_for_volumes()).then(|| "its partition has a type in which such volumes are not made".to_owned())
}

/// Whether a kind of content has files, be it that no reader knows them.
fn has_files(kind: &VolumeKind) -> bool {
    !matches!(
        kind,
        VolumeKind::Swap
            | VolumeKind::Hibernation
            | VolumeKind::Lvm(_)
            | VolumeKind::Luks { .. }
            | VolumeKind::BitLocker
            | VolumeKind::Zfs
            | VolumeKind::MdRaid(_)
            | VolumeKind::ExtJournal
            | VolumeKind::Extended
            | VolumeKind::Empty
            | VolumeKind::Unknown
    )
}

fn partition_name(partition: &Partition, table: Option<&Table>) -> PartitionName {
    let of_mbr = match table.map(|table| table.kind) {
        Some(TableKind::Mbr { signature }) => Some(format!("{signature:08x}-{:02x}", partition.number)),
        _ => None,
    };
    PartitionName {
        number: partition.number,
        uuid: partition.guid.map(|guid| guid.to_string()).or(of_mbr),
        label: partition.name.clone(),
        is_efi_system: partition.kind.is_efi_system(),
    }
}
