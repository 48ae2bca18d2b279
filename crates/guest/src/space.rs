//! Which bytes of a disk no file holds: the free space of its volumes, by the place on the disk.
//!
//! A volume about which there is any doubt is kept as it is, with the reason; a doubt about the partition table keeps all of them.

use std::ops::Range;
use std::sync::Arc;

use imsprep_filesystem::{Access, ErrorKind, FreeSpace, free_space};
use imsprep_inspect::{Inspection, Lvm, PartitionType, State, TableProblem, UncleanReason, VolumeKind};
use imsprep_source::{Cancel, Error, ReadAt, Result};

use crate::open::Source;
use crate::partitioned::{is_partitioned, reason_of};
use crate::{VolumeSources, text};

/// The bytes of a disk that no file holds, and the volumes that they are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskSpace {
    /// The volumes: of partitions in their order, then logical volumes.
    pub volumes: Vec<VolumeSpace>,
    ranges: Arc<[Range<u64>]>,
}

/// A volume, and how much of it is free. Texts come from the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeSpace {
    /// What messages call it: `partition 2`, `logical volume vg0/root`, `the disk`.
    pub name: String,
    /// The kind of its content, as `blkid` names it.
    pub kind: &'static str,
    /// Bytes of the volume.
    pub size: u64,
    /// Bytes of it that no file holds; or why that is not known, or not to be relied on.
    pub free: std::result::Result<u64, String>,
}

/// Reads the free space of a volume, as [`free_space`] does.
type Reader<'r> = dyn Fn(&dyn ReadAt) -> imsprep_filesystem::Result<FreeSpace> + 'r;

impl DiskSpace {
    /// Most free ranges that are kept of a disk: 32 MiB of memory.
    pub const RANGES_MAX: usize = FreeSpace::RANGES_MAX;

    /// Reads which bytes of a disk are free.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if the work was interrupted. What can't be read is kept, with the reason.
    pub fn read(
        inspection: &Inspection,
        sources: &VolumeSources<'_>,
        access: &Access,
        cancel: &Cancel,
    ) -> Result<Self> {
        Self::read_by(inspection, sources, &|volume| free_space(volume, access), cancel)
    }

    fn read_by(
        inspection: &Inspection,
        sources: &VolumeSources<'_>,
        reader: &Reader<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let doubt = doubt(inspection, sources);
        let (mut volumes, mut all) = (Vec::new(), Vec::new());
        for source in &sources.sources {
            let ranges = match &doubt {
                Some(doubt) => Err(doubt.clone()),
                None => free_in(source, reader, cancel)?,
            };
            let free = ranges.and_then(|ranges| {
                if all.len() + ranges.len() > Self::RANGES_MAX {
                    return Err(format!(
                        "the free space of the disk is in more than {} ranges",
                        Self::RANGES_MAX
                    ));
                }
                let bytes = bytes_of(&ranges);
                all.extend(ranges);
                Ok(bytes)
            });
            let size = source.bytes.as_ref().map_or(0, ReadAt::size);
            let (name, kind) = (source.name.clone(), source.content.kind.name());
            volumes.push(VolumeSpace { name, kind, size, free });
        }
        if !join(&mut all) {
            // A contradiction.
            all.clear();
            for volume in &mut volumes {
                volume.free = Err("the volumes of the disk share bytes".to_owned());
            }
        }
        Ok(Self { volumes, ranges: all.into() })
    }

    /// The same with every volume kept, for this reason: whoever read the disk knows that something writes to it. Volumes that are kept
    /// for another reason keep that.
    #[must_use]
    pub fn keeping_all(mut self, reason: &str) -> Self {
        for volume in self.volumes.iter_mut().filter(|volume| volume.free.is_ok()) {
            volume.free = Err(reason.to_owned());
        }
        Self { ranges: Arc::new([]), ..self }
    }

    /// The free ranges in bytes on the disk: ascending, none empty, none next to another.
    pub fn ranges(&self) -> &Arc<[Range<u64>]> {
        &self.ranges
    }

    /// How many bytes of the disk are free.
    pub fn bytes(&self) -> u64 {
        bytes_of(&self.ranges)
    }
}

fn bytes_of(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum()
}

/// Sorts the ranges and joins those that follow each other. `false` if any overlap.
fn join(ranges: &mut Vec<Range<u64>>) -> bool {
    ranges.sort_unstable_by_key(|range| range.start);
    let is_apart = ranges.is_sorted_by(|one, next| one.end <= next.start);
    ranges.dedup_by(|next, one| {
        let follows = one.end == next.start;
        if follows {
            one.end = next.end;
        }
        follows
    });
    is_apart
}

/// What keeps every volume of the disk.
fn doubt(inspection: &Inspection, sources: &VolumeSources<'_>) -> Option<String> {
    if let Some(table) = &inspection.table {
        // Neither makes a partition doubtful: the primary table of an enlarged disk is sound.
        let is_harmless = |problem: &&TableProblem| {
            matches!(problem, TableProblem::Misaligned { .. } | TableProblem::BackupNotAtEnd { .. })
        };
        if let Some(problem) = table.problems.iter().find(|problem| !is_harmless(problem)) {
            return Some(format!("the partition table is doubtful: {problem}"));
        }
        if let Some(whole) = &inspection.whole {
            let kind = whole.kind.name();
            return Some(format!(
                "besides the partitions there are signatures of {kind} on the complete disk"
            ));
        }
        // In a sound table they lie between the logical partitions.
        let is_in_partition = |at: &&u64| {
            let all = inspection.partitions.iter().filter(|partition| !partition.kind.is_extended());
            all.into_iter().any(|partition| (partition.start..partition.end()).contains(*at))
        };
        if table.records.iter().any(|at| is_in_partition(&at)) {
            return Some("the partition table is doubtful: a part of it is in a partition".to_owned());
        }
    }
    let is_hibernated = |source: &&Source<'_>| {
        let Source { content, .. } = source;
        content.kind == VolumeKind::Hibernation || content.state == State::Dirty(UncleanReason::Hibernated)
    };
    // What it remembers of its volumes need not be on the disk.
    if let Some(source) = sources.sources.iter().find(is_hibernated) {
        return Some(format!("{} holds a hibernated system", source.name));
    }
    let is_of_hashes = |source: &&Source<'_>| {
        let Source { content, .. } = source;
        content.kind == VolumeKind::Other(VERITY) || content.also.contains(&VERITY)
    };
    if let Some(source) = sources.sources.iter().find(is_of_hashes) {
        return Some(format!("{} holds hashes of all blocks of another volume (dm-verity)", source.name));
    }
    // There are such types for each architecture, and hashes need no superblock.
    let mut partitions = inspection.partitions.iter();
    let is_unknown = |kind: PartitionType| matches!(kind, PartitionType::Gpt(_)) && kind.name().is_none();
    if let Some(partition) = partitions.find(|partition| is_unknown(partition.kind)) {
        let number = partition.number;
        return Some(format!(
            "partition {number} has an unknown type, and may hold hashes of another volume"
        ));
    }
    let twice = sources.twice.as_ref()?;
    Some(format!("the physical volume of LVM {} is on the disk more than once", text::name(twice)))
}

/// The name of the hash tree of dm-verity, which covers the free blocks of a volume as well.
const VERITY: &str = "verity";

/// Whether the hash tree of dm-verity follows a file system of `size` bytes in its volume: at its end, or after Android's footer in the
/// last 64 bytes.
fn has_hashes(volume: &dyn ReadAt, size: u64) -> Result<bool> {
    let has = |at: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        let is_there = at.checked_add(magic.len() as u64).is_some_and(|end| end <= volume.size());
        Ok::<_, Error>(is_there && volume.read_at(&mut bytes, at).map(|()| bytes == magic)?)
    };
    let footer = volume.size().checked_sub(64);
    Ok(has(size, b"verity\0\0")?
        || has(size.div_ceil(4096).saturating_mul(4096), b"verity\0\0")?
        || footer.map_or(Ok(false), |at| has(at, b"AVBf"))?)
}

/// The free ranges of a volume, on the disk, in any order.
fn free_in(
    source: &Source<'_>,
    reader: &Reader<'_>,
    cancel: &Cancel,
) -> Result<std::result::Result<Vec<Range<u64>>, String>> {
    let bytes = match &source.bytes {
        Ok(bytes) => bytes,
        Err(reason) => return Ok(Err(reason.clone())),
    };
    if let Some(reason) = kept(source, bytes.size()) {
        return Ok(Err(reason));
    }
    let ranges = if let VolumeKind::Lvm(lvm) = &source.content.kind {
        match unmapped(lvm) {
            Ok(ranges) => ranges,
            Err(reason) => return Ok(Err(reason)),
        }
    } else {
        if let Some(reason) = is_partitioned(bytes, cancel)? {
            return Ok(Err(reason));
        }
        match reader(bytes) {
            Ok(free) if free.size() > bytes.size() => {
                return Ok(Err("its file system is larger than the volume".to_owned()));
            }
            Ok(free) => match has_hashes(bytes, free.size()) {
                Ok(false) => free.into_ranges(),
                Ok(true) => {
                    return Ok(Err("hashes of all of its blocks (dm-verity) are behind it".to_owned()));
                }
                Err(error) => return Ok(Err(reason_of(&error.into()))),
            },
            Err(error) if error.kind() == ErrorKind::Cancelled => return Err(Error::Cancelled),
            Err(error) => return Ok(Err(reason_of(&error))),
        }
    };
    let mut on_disk = Vec::with_capacity(ranges.len());
    for range in ranges {
        match bytes.on_disk(range) {
            Some(pieces) if on_disk.len() < DiskSpace::RANGES_MAX => on_disk.extend(pieces),
            _ => return Ok(Err("its free space is in too many pieces, or goes beyond its end".to_owned())),
        }
    }
    Ok(Ok(on_disk))
}

/// Why a volume of `size` bytes is kept, whatever its allocation data says.
fn kept(source: &Source<'_>, size: u64) -> Option<String> {
    let Source { content, .. } = source;
    if let Some(reason) = &source.kept {
        return Some(reason.clone());
    }
    match &content.kind {
        kind if kind.is_encrypted() => return Some("it is encrypted".to_owned()),
        VolumeKind::MdRaid(_) => return Some("it is a member of a software RAID".to_owned()),
        VolumeKind::Zfs => return Some("it is a member of a ZFS pool".to_owned()),
        VolumeKind::Empty | VolumeKind::Unknown => return Some("it holds no known file system".to_owned()),
        VolumeKind::Lvm(_)
        | VolumeKind::Ext2
        | VolumeKind::Ext3
        | VolumeKind::Ext4
        | VolumeKind::Xfs
        | VolumeKind::Btrfs { .. }
        | VolumeKind::Ntfs
        | VolumeKind::Fat12
        | VolumeKind::Fat16
        | VolumeKind::Fat32
        | VolumeKind::ExFat
        | VolumeKind::Swap => {}
        _ => return Some("the free space of such a volume is not read".to_owned()),
    }
    if !content.also.is_empty() {
        return Some(format!("there are also signatures of {}", content.also.join(", ")));
    }
    if content.lost_in(size).is_some() {
        return Some("it goes on after the end of the disk or partition".to_owned());
    }
    match content.state {
        State::Dirty(reason) => Some(reason.to_string()),
        State::Unknown => Some("whether it was closed cleanly is unknown".to_owned()),
        State::Clean | State::NotRecorded => None,
    }
}

/// What no logical volume maps of a physical one.
fn unmapped(lvm: &Lvm) -> std::result::Result<Vec<Range<u64>>, String> {
    if let Some(reason) = lvm.unread {
        return Err(reason.to_owned());
    }
    let group = lvm.group.as_ref().ok_or("it is in no volume group")?;
    group.unmapped.clone().map_err(|reason| text::value(&reason))
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of one range are meant")]
mod tests {
    use std::cell::RefCell;

    use imsprep_inspect::inspect;
    use imsprep_source::MemoryImage;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn put(bytes: &mut [u8], at: u64, what: &[u8]) {
        let at = usize::try_from(at).unwrap();
        bytes[at..at + what.len()].copy_from_slice(what);
    }

    /// An entry of an MBR at `at`: start and length in MiB.
    fn entry(bytes: &mut [u8], at: u64, kind: u8, start: u64, length: u64) {
        put(bytes, at + 4, &[kind]);
        put(bytes, at + 8, &u32::try_from(start * MIB / 512).unwrap().to_le_bytes());
        put(bytes, at + 12, &u32::try_from(length * MIB / 512).unwrap().to_le_bytes());
    }

    /// Swap space of a MiB: what is recognised with the fewest bytes.
    fn swap(bytes: &mut [u8], at: u64, magic: &[u8]) {
        put(bytes, at + 1024, &[1]);
        put(bytes, at + 1028, &[255]);
        put(bytes, at + 4086, magic);
    }

    /// A disk of 16 MiB with swap space in partitions at 2 MiB and at 8 MiB, each of 2 MiB.
    fn disk() -> Vec<u8> {
        let mut bytes = vec![0; 16 << 20];
        put(&mut bytes, 510, &[0x55, 0xaa]);
        entry(&mut bytes, 446, 0x82, 2, 2);
        entry(&mut bytes, 462, 0x82, 8, 2);
        swap(&mut bytes, 2 * MIB, b"SWAPSPACE2");
        swap(&mut bytes, 8 * MIB, b"SWAPSPACE2");
        bytes
    }

    /// What is found if each volume says that these bytes are free, of so many.
    fn space(bytes: Vec<u8>, size: u64, free: &[Range<u64>]) -> DiskSpace {
        let disk = MemoryImage::new("disk", bytes);
        let inspection = inspect(&disk, &Cancel::new()).unwrap();
        let sources = VolumeSources::find(&inspection, &disk, &Cancel::new()).unwrap();
        let seen = RefCell::new(0);
        let reader = |volume: &dyn ReadAt| {
            *seen.borrow_mut() += 1;
            assert_eq!(volume.size(), 2 * MIB);
            let mut space = FreeSpace::new(size);
            free.iter().try_for_each(|range| space.push(range.clone())).map(|()| space)
        };
        let space = DiskSpace::read_by(&inspection, &sources, &reader, &Cancel::new()).unwrap();
        let known = space.volumes.iter().filter(|volume| volume.free.is_ok()).count();
        assert!(known <= seen.take());
        space
    }

    fn reasons(space: &DiskSpace) -> Vec<String> {
        assert_eq!(space.bytes(), 0, "{space:?}");
        space.volumes.iter().map(|volume| volume.free.clone().unwrap_err()).collect()
    }

    #[test]
    fn free_bytes_of_volumes_are_those_of_the_disk() {
        let found = space(disk(), 2 * MIB, &[4096..8192, MIB..2 * MIB]);
        let (first, second) = (2 * MIB, 8 * MIB);
        let expected = [
            first + 4096..first + 8192,
            first + MIB..first + 2 * MIB,
            second + 4096..second + 8192,
            second + MIB..second + 2 * MIB,
        ];
        assert_eq!(found.ranges()[..], expected);
        let volumes = found
            .volumes
            .iter()
            .map(|volume| (volume.name.as_str(), volume.kind, volume.size, volume.free.clone()));
        let free = Ok(4096 + MIB);
        assert_eq!(
            volumes.collect::<Vec<_>>(),
            [("partition 1", "swap", 2 * MIB, free.clone()), ("partition 2", "swap", 2 * MIB, free)]
        );
        // Neighbours are joined.
        let mut bytes = disk();
        entry(&mut bytes, 462, 0x82, 4, 2);
        swap(&mut bytes, 4 * MIB, b"SWAPSPACE2");
        assert_eq!(space(bytes, 2 * MIB, &[0..2 * MIB]).ranges()[..], [2 * MIB..6 * MIB]);
    }

    #[test]
    fn a_volume_in_doubt_is_kept() {
        let free = [4096..8192];
        // A file system that goes on after its volume.
        let found = reasons(&space(disk(), 2 * MIB + 512, &free));
        assert!(found.iter().all(|reason| reason.contains("larger than the volume")), "{found:?}");
        // Another kind, and a partition of a dynamic disk.
        for (kind, magic, reason) in
            [(0x83, &b"-FVE-FS-"[..], "known"), (0x42, &b"SWAPSPACE2"[..], "dynamic disk")]
        {
            let mut bytes = disk();
            bytes[usize::try_from(2 * MIB).unwrap()..usize::try_from(3 * MIB).unwrap()].fill(0);
            swap(&mut bytes, 2 * MIB, magic);
            entry(&mut bytes, 446, kind, 2, 2);
            let found = space(bytes, 2 * MIB, &free);
            assert!(found.volumes[0].free.as_ref().unwrap_err().contains(reason), "{found:?}");
            assert_eq!(found.ranges()[..], [8 * MIB + 4096..8 * MIB + 8192]);
        }
    }

    #[test]
    fn a_signature_that_a_partition_table_was_written_over_is_no_volume() {
        let mut bytes = disk();
        let at = 8 * MIB;
        put(&mut bytes, at + 510, &[0x55, 0xaa]);
        entry(&mut bytes, at + 446, 0x83, 1, 1);
        let found = space(bytes, 2 * MIB, &[4096..8192]);
        assert!(found.volumes[1].free.as_ref().unwrap_err().contains("partition table"), "{found:?}");
        assert_eq!(found.ranges()[..], [2 * MIB + 4096..2 * MIB + 8192]);
    }

    #[test]
    fn a_doubtful_table_keeps_all_volumes() {
        let free = [4096..8192];
        let all_have = |bytes: Vec<u8>, reason: &str| {
            let found = reasons(&space(bytes, 2 * MIB, &free));
            assert!(!found.is_empty() && found.iter().all(|found| found.contains(reason)), "{found:?}");
        };
        let mut overlapping = disk();
        entry(&mut overlapping, 462, 0x82, 3, 2);
        swap(&mut overlapping, 3 * MIB, b"SWAPSPACE2");
        all_have(overlapping, "partition table");
        let mut hibernated = disk();
        swap(&mut hibernated, 8 * MIB, b"S1SUSPEND\0");
        all_have(hibernated, "partition 2 holds a hibernated system");
        let mut past_end = disk();
        entry(&mut past_end, 462, 0x82, 15, 2);
        swap(&mut past_end, 15 * MIB, b"SWAPSPACE2");
        all_have(past_end, "partition table");
        // The second boot record of an extended partition lies in the first logical partition.
        let mut inside = disk();
        entry(&mut inside, 462, 0x05, 5, 10);
        put(&mut inside, 5 * MIB + 510, &[0x55, 0xaa]);
        entry(&mut inside, 5 * MIB + 446, 0x82, 3, 2);
        entry(&mut inside, 5 * MIB + 462, 0x05, 4, 6);
        put(&mut inside, 9 * MIB + 510, &[0x55, 0xaa]);
        entry(&mut inside, 9 * MIB + 446, 0x82, 2, 2);
        swap(&mut inside, 11 * MIB, b"SWAPSPACE2");
        all_have(inside.clone(), "a part of it is in a partition");
        // Where it should be.
        inside[usize::try_from(5 * MIB + 462).unwrap()..][..16].fill(0);
        entry(&mut inside, 5 * MIB + 462, 0x05, 5, 5);
        put(&mut inside, 10 * MIB + 510, &[0x55, 0xaa]);
        entry(&mut inside, 10 * MIB + 446, 0x82, 1, 2);
        assert_eq!(space(inside, 2 * MIB, &free).bytes(), 3 * 4096);
    }
}
