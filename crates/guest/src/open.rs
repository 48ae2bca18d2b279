//! Finding the volumes of a disk and opening their files: partitions, what is in a software RAID of one copy, logical volumes.

use std::path::Path;

use imsprep_filesystem::{Access, open_volume};
use imsprep_inspect::{
    Boot, Firmware, Inspection, LogicalVolume, Partition, Table, TableKind, Volume, VolumeGroup, VolumeKind,
    inspect_volume,
};
use imsprep_source::{Cancel, Error, ReadAt, Result};

use crate::{Disk, DiskVolume, PartitionName, text};

/// Most volumes that are opened.
const VOLUMES_MAX: usize = 512;

/// Where the volumes of a disk lie. [`open`](Self::open) opens their files.
pub struct VolumeSources<'d> {
    sources: Vec<Source<'d>>,
    firmware: Firmware,
    boot: Boot,
}

/// A volume, and the bytes that it has.
struct Source<'d> {
    name: String,
    partition: Option<PartitionName>,
    logical: Option<(String, String)>,
    is_raid: bool,
    content: Volume,
    hides: Option<String>,
    bytes: std::result::Result<Mapped<'d>, String>,
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
            note_lvm(volume, start, &mut physical, &mut groups);
            let mut hides = hides(volume);
            if let (VolumeKind::MdRaid(raid), 1) = (&volume.kind, level(volume)) {
                let length = volume.size.unwrap_or(room).min(room.saturating_sub(raid.data_start));
                let start = start.saturating_add(raid.data_start);
                let bytes = Mapped::stretch(disk, start, length);
                let content = inspect_volume(&bytes)?;
                note_lvm(&content, start, &mut physical, &mut groups);
                hides = None;
                found.add(Source {
                    name: format!("software RAID on {name}"),
                    partition: None,
                    logical: None,
                    is_raid: true,
                    hides: self::hides(&content),
                    content,
                    bytes: Ok(bytes),
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
                bytes: Ok(Mapped::stretch(disk, start, room)),
            });
        }
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
        self.add(Source {
            name: format!("logical volume {}/{}", text::name(&group.name), text::name(&volume.name)),
            partition: None,
            logical: Some((group.name.clone(), volume.name.clone())),
            is_raid: false,
            content,
            hides,
            bytes,
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

fn note_lvm(volume: &Volume, start: u64, physical: &mut Vec<(String, u64)>, groups: &mut Vec<VolumeGroup>) {
    if let VolumeKind::Lvm(lvm) = &volume.kind {
        physical.extend(volume.uuid.clone().map(|uuid| (uuid, start)));
        groups.extend(lvm.group.clone());
    }
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

/// Bytes of a disk that are together a volume.
struct Mapped<'d> {
    disk: &'d dyn ReadAt,
    size: u64,
    /// In order, without gaps.
    segments: Vec<MappedSegment>,
}

struct MappedSegment {
    start: u64,
    length: u64,
    stripe_size: u64,
    /// Where each stripe begins on the disk.
    stripes: Vec<u64>,
}

impl<'d> Mapped<'d> {
    /// One stretch of the disk.
    fn stretch(disk: &'d dyn ReadAt, start: u64, length: u64) -> Self {
        let size = disk.size().saturating_sub(start).min(length);
        Self {
            disk,
            size,
            segments: vec![MappedSegment { start: 0, length: size, stripe_size: 0, stripes: vec![start] }],
        }
    }

    /// A logical volume; or why it can't be put together.
    fn logical(
        disk: &'d dyn ReadAt,
        volume: &LogicalVolume,
        physical: &[(String, u64)],
    ) -> std::result::Result<Self, String> {
        if let Some(reason) = &volume.unread {
            return Err(format!("could not be put together: {}", text::name(reason)));
        }
        let mut segments = Vec::new();
        for segment in &volume.segments {
            let place = |(uuid, offset): &(String, u64)| {
                let (_, start) = physical.iter().find(|(found, _)| found == uuid)?;
                start.checked_add(*offset)
            };
            let stripes = segment.stripes.iter().map(place).collect::<Option<Vec<_>>>();
            let stripes = stripes.ok_or("has parts on physical volumes that are not on this disk")?;
            let MappedSegment { start, length, stripe_size, .. } = MappedSegment {
                start: segment.start,
                length: segment.length,
                stripe_size: segment.stripe_size,
                stripes: Vec::new(),
            };
            segments.push(MappedSegment { start, length, stripe_size, stripes });
        }
        let size = segments.last().map_or(0, |last| last.start.saturating_add(last.length));
        Ok(Self { disk, size, segments })
    }

    /// Where on the disk the byte at `offset` is, and how many bytes follow it there.
    fn place(&self, offset: u64) -> Option<(u64, u64)> {
        let index = self.segments.partition_point(|segment| segment.start <= offset).checked_sub(1)?;
        let segment = self.segments.get(index)?;
        let within = offset.checked_sub(segment.start)?;
        let left = segment.length.checked_sub(within).filter(|left| *left > 0)?;
        if segment.stripe_size == 0 {
            return Some((segment.stripes.first()?.checked_add(within)?, left));
        }
        let count = segment.stripes.len() as u64;
        let (chunk, rest) = (within / segment.stripe_size, within % segment.stripe_size);
        let stripe = segment.stripes.get(usize::try_from(chunk % count).ok()?)?;
        let on_stripe = (chunk / count).checked_mul(segment.stripe_size)?.checked_add(rest)?;
        Some((stripe.checked_add(on_stripe)?, left.min(segment.stripe_size - rest)))
    }
}

impl ReadAt for Mapped<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let (mut buf, mut offset) = (buf, offset);
        while !buf.is_empty() {
            let end = || Error::UnexpectedEnd { path: self.disk.path().to_owned(), offset: self.size };
            let (at, length) = self.place(offset).ok_or_else(end)?;
            let count = usize::try_from(length).map_or(buf.len(), |length| length.min(buf.len()));
            let (part, rest) = buf.split_at_mut(count);
            self.disk.read_at(part, at)?;
            offset = offset.saturating_add(count as u64);
            buf = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use imsprep_inspect::Segment;
    use imsprep_source::MemoryImage;

    use super::*;

    #[test]
    fn segments_and_stripes_are_put_together() {
        let bytes = (0..4096_u32).map(|n| u8::try_from(n / 16).unwrap()).collect::<Vec<_>>();
        let disk = MemoryImage::new("disk", bytes);
        let segment = |start, length, stripe_size, stripes: &[(&str, u64)]| Segment {
            start,
            length,
            stripe_size,
            stripes: stripes.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect(),
        };
        let volume = LogicalVolume {
            name: "x".into(),
            segments: vec![segment(0, 32, 0, &[("a", 64)]), segment(32, 64, 16, &[("b", 0), ("a", 0)])],
            unread: None,
        };
        let physical = [("a".to_owned(), 0), ("b".to_owned(), 2048)];
        let mapped = Mapped::logical(&disk, &volume, &physical).unwrap();
        assert_eq!(mapped.size(), 96);
        let mut buf = [0; 96];
        mapped.read_at(&mut buf, 0).unwrap();
        let blocks = buf.chunks(16).map(|block| (block[0], block[15])).collect::<Vec<_>>();
        // Blocks 4 and 5 of the disk; then in turn from 128 (where b begins) and 0.
        assert_eq!(blocks, [(4, 4), (5, 5), (128, 128), (0, 0), (129, 129), (1, 1)]);
        let mut part = [0; 20];
        mapped.read_at(&mut part, 40).unwrap();
        assert_eq!(part[..], buf[40..60]);
        assert!(mapped.read_at(&mut part, 80).is_err());
        assert!(Mapped::logical(&disk, &volume, &physical[..1]).is_err());
    }
}
