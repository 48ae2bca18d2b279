//! Partition tables as evidence of a disk.

use imsprep_ondisk::disk::{BOOT_SIGNATURE, GptHeader, Mbr, MbrPartition, PARTITION_PROTECTIVE, SECTOR};

use crate::Evidence;
use crate::content::is_boot_record;
use crate::input::Input;

/// A valid partition table: GPT before MBR, as a GPT disk's MBR only protects it.
pub(crate) fn evidence(input: &Input<'_>) -> Option<Evidence> {
    if has_gpt(input) {
        Some(Evidence::Gpt)
    } else if has_mbr(input) {
        Some(Evidence::Mbr)
    } else {
        None
    }
}

/// A GPT header in sector 1, of 512 or 4096 bytes, whose CRC is right.
pub(crate) fn has_gpt(input: &Input<'_>) -> bool {
    [SECTOR, 4096].into_iter().any(|sector| {
        input.head_array(sector).map(|bytes| GptHeader::decode(&bytes)).is_some_and(|header| {
            header.signature == GptHeader::SIGNATURE
                && header.my_lba == 1
                && (GptHeader::SIZE as u64..=sector).contains(&header.header_size.into())
                && header_crc(input, sector, header.header_size) == Some(header.header_crc)
        })
    })
}

fn header_crc(input: &Input<'_>, offset: u64, size: u32) -> Option<u32> {
    let start = usize::try_from(offset).ok()?;
    let header = input.head().get(start..)?.get(..usize::try_from(size).ok()?)?;
    let (before, rest) = header.split_at_checked(GptHeader::CRC_OFFSET)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(&[0; 4]);
    hasher.update(rest.get(4..)?);
    Some(hasher.finalize())
}

/// A partition table that makes sense. The signature is no proof: boot records of FAT and NTFS have it, too.
fn has_mbr(input: &Input<'_>) -> bool {
    let Some(mbr) = input.head_array(0).map(|bytes| Mbr::decode(&bytes)) else { return false };
    let used = || mbr.partitions.iter().filter(|p| p.kind != 0);
    mbr.signature == BOOT_SIGNATURE
        && !is_boot_record(input)
        && mbr.partitions.iter().all(|p| matches!(p.status, 0 | 0x80))
        && used().count() > 0
        && used().all(|p| is_plausible(p, input.size()))
        && used().enumerate().all(|(n, p)| used().skip(n + 1).all(|other| !overlap(p, other)))
}

/// Whether an ISO's first sectors make it bootable as a disk, too. Its partitions overlap and start at sector 0, as
/// they hold the ISO itself, so the table is not held to the rules of a disk's.
pub(crate) fn is_hybrid(input: &Input<'_>) -> bool {
    let mbr = input.head_array(0).map(|bytes| Mbr::decode(&bytes));
    mbr.is_some_and(|mbr| mbr.signature == BOOT_SIGNATURE && mbr.partitions.iter().any(|p| p.kind != 0))
        || has_gpt(input)
}

/// Not the protective entry of a GPT that isn't there, not empty, and at least begun within the disk.
fn is_plausible(partition: &MbrPartition, size: u64) -> bool {
    partition.kind != PARTITION_PROTECTIVE
        && partition.first > 0
        && partition.count > 0
        && u64::from(partition.first) < size.div_ceil(SECTOR)
}

fn overlap(a: &MbrPartition, b: &MbrPartition) -> bool {
    let end = |p: &MbrPartition| u64::from(p.first) + u64::from(p.count);
    u64::from(a.first) < end(b) && u64::from(b.first) < end(a)
}
