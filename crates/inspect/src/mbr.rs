//! Reading a master boot record, and the chain of logical partitions that it may begin.

use std::collections::BTreeSet;

use imsprep_ondisk::disk::{BOOT_SIGNATURE, Mbr, MbrPartition, PARTITION_PROTECTIVE, SECTOR};
use imsprep_ondisk::mbr::SIGNATURE_OFFSET;
use imsprep_source::{Cancel, Result};

use crate::gpt::Found;
use crate::problems::{Problems, alignment};
use crate::view::View;
use crate::{MAX_LOGICAL, Partition, PartitionType, Table, TableKind, TableProblem, Volume, VolumeKind};

/// The number of the first logical partition.
const FIRST_LOGICAL: u32 = 5;
/// `status` of the active partition.
const ACTIVE: u8 = 0x80;

/// The first sector of a disk, if it can be an MBR: the signature alone is no proof, as boot records of file systems have it.
pub(crate) fn decode(disk: &View<'_>) -> Option<Mbr> {
    let mbr = Mbr::decode(&disk.head_array(0)?);
    let is_mbr =
        mbr.signature == BOOT_SIGNATURE && mbr.partitions.iter().all(|p| matches!(p.status, 0 | ACTIVE));
    is_mbr.then_some(mbr)
}

/// Whether it says that a GPT follows.
pub(crate) fn is_protective(mbr: &Mbr) -> bool {
    mbr.partitions.iter().any(|partition| partition.kind == PARTITION_PROTECTIVE)
}

/// Whether it lists any partition but the protective one.
pub(crate) fn has_partitions(mbr: &Mbr) -> bool {
    mbr.partitions.iter().any(is_own)
}

/// Whether a partition that it lists is marked active, which is what most boot code starts.
pub(crate) fn has_active(mbr: &Mbr) -> bool {
    mbr.partitions.iter().any(|partition| is_own(partition) && partition.status == ACTIVE)
}

/// Whether it can be the table of a disk that holds `whole` as a whole. A boot record of a file system is none. Beside a
/// file system that leaves the first sector alone, and where nothing is known, its partitions have to be possible ones.
/// Those of an ISO image begin with the image itself.
pub(crate) fn fits(mbr: &Mbr, whole: &VolumeKind, disk_size: u64) -> bool {
    match whole {
        _ if has_boot_record(whole) => false,
        VolumeKind::Iso9660 => !is_new(mbr),
        VolumeKind::Unknown | VolumeKind::Empty => is_new(mbr) || is_possible(mbr, disk_size),
        _ => (has_partitions(mbr) || is_protective(mbr)) && is_possible(mbr, disk_size),
    }
}

/// Whether the partitions can be those of a disk of `disk_size` bytes, or of one that was longer before it was cut off: what
/// begins beyond the end then overlaps nothing, and either another one begins before it or all are of a known type.
fn is_possible(mbr: &Mbr, disk_size: u64) -> bool {
    let used = || mbr.partitions.iter().filter(|partition| is_used(partition));
    if used().any(|partition| partition.first == 0) {
        return false;
    }
    let is_within = |partition: &MbrPartition| u64::from(partition.first) * SECTOR < disk_size;
    if used().all(is_within) {
        return true;
    }
    let end = |p: &MbrPartition| u64::from(p.first) + u64::from(p.count);
    let overlap =
        |a: &MbrPartition, b: &MbrPartition| u64::from(a.first) < end(b) && u64::from(b.first) < end(a);
    // What protects a GPT spans all of them.
    let own = || mbr.partitions.iter().filter(|partition| is_own(partition));
    let is_apart = own().enumerate().all(|(n, one)| own().skip(n + 1).all(|other| !overlap(one, other)));
    is_apart
        && (used().any(is_within)
            || used().all(|partition| PartitionType::Mbr(partition.kind).name().is_some()))
}

/// Whether a volume of this kind begins with a boot record, in the place of an MBR.
pub(crate) fn has_boot_record(kind: &VolumeKind) -> bool {
    matches!(
        kind,
        VolumeKind::Fat12
            | VolumeKind::Fat16
            | VolumeKind::Fat32
            | VolumeKind::Ntfs
            | VolumeKind::ExFat
            | VolumeKind::BitLocker
            | VolumeKind::Other("refs")
    )
}

/// Whether its table is empty as a new one is: of code that lies there this can't be said.
fn is_new(mbr: &Mbr) -> bool {
    mbr.partitions.iter().all(|p| (p.status, p.kind, p.first, p.count) == (0, 0, 0, 0))
}

fn is_own(partition: &MbrPartition) -> bool {
    is_used(partition) && partition.kind != PARTITION_PROTECTIVE
}

fn is_used(partition: &MbrPartition) -> bool {
    partition.kind != 0 && partition.count > 0
}

/// The partitions of an MBR.
pub(crate) fn read(disk: &View<'_>, mbr: &Mbr, cancel: &Cancel, problems: &mut Problems) -> Result<Found> {
    let primaries = (1..).zip(&mbr.partitions).filter(|(_, partition)| is_used(partition));
    let mut partitions =
        primaries.map(|(number, partition)| of_table(number, 0, partition, false)).collect::<Vec<_>>();
    let active = partitions.iter().filter(|p| p.active).map(|p| p.number).collect::<Vec<_>>();
    if active.len() > 1 {
        problems.push(TableProblem::SeveralActive { numbers: active });
    }
    let mut extended = partitions.iter().filter(|partition| partition.kind.is_extended());
    let Chain { records, logical } = match extended.next() {
        Some(extended) => read_chain(disk, extended, cancel, problems)?,
        None => Chain::default(),
    };
    if extended.next().is_some() {
        problems.push(TableProblem::SeveralExtended);
    }
    partitions.extend(logical);
    problems.check_partitions(&partitions, disk.size());
    let signature = disk.head_array(SIGNATURE_OFFSET as u64).map_or(0, u32::from_le_bytes);
    let kind = TableKind::Mbr { signature };
    let alignment = alignment(&partitions);
    let table = Table { kind, sector: SECTOR, alignment, gpt: None, records, problems: Vec::new() };
    Ok(Found { table, partitions })
}

/// The boot records of an extended partition, and the partitions that they list.
#[derive(Default)]
struct Chain {
    records: Vec<u64>,
    logical: Vec<Partition>,
}

/// Follows the chain of boot records in an extended partition: in each the first entry is a partition, counted from that
/// record, and the second leads to the next record, counted from the extended partition.
fn read_chain(
    disk: &View<'_>,
    extended: &Partition,
    cancel: &Cancel,
    problems: &mut Problems,
) -> Result<Chain> {
    let (mut at, mut seen, mut found) = (extended.start, BTreeSet::new(), Chain::default());
    loop {
        cancel.check()?;
        if !seen.insert(at) {
            problems.push(TableProblem::ExtendedLoop { at });
            return Ok(found);
        }
        if seen.len() > MAX_LOGICAL {
            problems.push(TableProblem::TooManyPartitions { kept: found.logical.len() });
            return Ok(found);
        }
        let is_within = (extended.start..extended.end()).contains(&at);
        if is_within && at.saturating_add(Mbr::SIZE as u64) > disk.size() {
            problems.push(TableProblem::ExtendedPastEnd { at, limit: disk.size() });
            return Ok(found);
        }
        let bytes = disk.array::<{ Mbr::SIZE }>(at)?.filter(|_| is_within);
        // An extended partition in which nothing was made yet need not have a record.
        if bytes.is_some_and(|bytes| at == extended.start && bytes == [0; Mbr::SIZE]) {
            return Ok(found);
        }
        let Some(record) = bytes.map(|bytes| Mbr::decode(&bytes)).filter(|r| r.signature == BOOT_SIGNATURE)
        else {
            problems.push(TableProblem::ExtendedBroken { at });
            return Ok(found);
        };
        found.records.push(at);
        let [partition, link, ..] = record.partitions;
        if is_used(&partition) {
            // The chain is no longer than MAX_LOGICAL.
            let number =
                FIRST_LOGICAL + u32::try_from(found.logical.len()).unwrap_or(u32::MAX - FIRST_LOGICAL);
            found.logical.push(of_table(number, at, &partition, true));
        }
        if !PartitionType::Mbr(link.kind).is_extended() {
            return Ok(found);
        }
        at = extended.start + u64::from(link.first) * SECTOR;
    }
}

/// 32 bits of sectors can't overflow 64 bits of bytes, and `from` is less than twice that.
fn of_table(number: u32, from: u64, partition: &MbrPartition, logical: bool) -> Partition {
    Partition {
        number,
        start: from + u64::from(partition.first) * SECTOR,
        length: u64::from(partition.count) * SECTOR,
        kind: PartitionType::Mbr(partition.kind),
        name: None,
        guid: None,
        active: partition.status == ACTIVE,
        attributes: 0,
        logical,
        content: Volume::new(VolumeKind::Unknown),
    }
}
