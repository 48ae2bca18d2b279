//! A file in the root directory of an NTFS: the one in which Windows hibernates.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::ntfs::{
    Attribute, DIRECTORY_NAME, HIBERNATION_FILE, HIBERNATION_MAGIC, INDEX_BLOCK_HEADER,
    INDEX_BLOCK_SIZE_OFFSET, INDEX_ROOT_HEADER, IndexEntry, IndexHeader, RECORD_ROOT, RECORD_TABLE,
    RecordHeader,
};
use imsprep_ondisk::volume::ntfs_record::{attribute, restore, runs, value};
use imsprep_source::Result;

use super::ntfs_volume::Ntfs;

/// Most blocks of the root directory that are read.
const BLOCKS_MAX: u64 = 256;
/// Most runs of the directory, and of the master file table.
const RUNS_MAX: usize = 256;
/// Sizes of a block of an index.
const BLOCK_MIN: u64 = 512;
const BLOCK_MAX: u64 = 64 << 10;

/// Whether there is a file that says that a system is hibernated in it.
pub(super) fn is_hibernated(ntfs: &Ntfs<'_>) -> Result<bool> {
    let Some(root) = ntfs.record(RECORD_ROOT)? else { return Ok(false) };
    let Some(number) = find(ntfs, &root)? else { return Ok(false) };
    let Some(file) = any_record(ntfs, number)? else { return Ok(false) };
    let Some(data) = attribute(&file, Attribute::DATA, &[]) else { return Ok(false) };
    let magic = match value(data) {
        Some(value) => value.first_chunk().copied(),
        None => match runs(data, 1).first().and_then(|run| run.first) {
            Some(first) => ntfs.view.array(first.saturating_mul(ntfs.cluster))?,
            None => None,
        },
    };
    Ok(magic.is_some_and(|magic: [u8; 4]| magic.eq_ignore_ascii_case(&HIBERNATION_MAGIC)))
}

/// The number of the file's record, by the entries in the directory's record and in the blocks elsewhere.
fn find(ntfs: &Ntfs<'_>, root: &[u8]) -> Result<Option<u64>> {
    let Some(index) = attribute(root, Attribute::INDEX_ROOT, &DIRECTORY_NAME).and_then(value) else {
        return Ok(None);
    };
    if let Some(number) = find_in(index, INDEX_ROOT_HEADER) {
        return Ok(Some(number));
    }
    let size = index.get(INDEX_BLOCK_SIZE_OFFSET..).and_then(<[u8]>::first_chunk);
    let size = size.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    if !size.is_power_of_two() || !(BLOCK_MIN..=BLOCK_MAX).contains(&size) {
        return Ok(None);
    }
    let blocks = attribute(root, Attribute::INDEX_ALLOCATION, &DIRECTORY_NAME).unwrap_or_default();
    let mut left = BLOCKS_MAX;
    for run in runs(blocks, RUNS_MAX) {
        let count = (run.count.saturating_mul(ntfs.cluster) / size).min(left);
        left -= count;
        let Some(first) = run.first else { continue };
        for number in 0..count {
            let at = first.saturating_mul(ntfs.cluster).saturating_add(number * size);
            let Some(bytes) = ntfs.view.bytes(at, size)? else { break };
            let block = restore(bytes, RecordHeader::INDEX);
            if let Some(number) = block.and_then(|block| find_in(&block, INDEX_BLOCK_HEADER)) {
                return Ok(Some(number));
            }
        }
    }
    Ok(None)
}

/// The number of the file's record, by the entries of the list whose header is at `header_at`.
fn find_in(index: &[u8], header_at: usize) -> Option<u64> {
    let list = index.get(header_at..)?;
    let header = IndexHeader::decode(list.first_chunk()?);
    let mut rest = list.get(usize::try_from(header.entries).ok()?..usize::try_from(header.end).ok()?)?;
    // The last entry has no name, and ends the list here.
    loop {
        let entry = IndexEntry::decode(rest.first_chunk()?);
        let length = usize::from(entry.length);
        if entry.flags & IndexEntry::LAST != 0 || length < IndexEntry::SIZE {
            return None;
        }
        let name = rest.get(IndexEntry::SIZE..length)?.get(..2 * usize::from(entry.name_length))?;
        if text::utf16_le(name).eq_ignore_ascii_case(HIBERNATION_FILE) {
            return Some(entry.record);
        }
        rest = rest.get(length..)?;
    }
}

/// Any record of the master file table, which may be in several parts.
fn any_record(ntfs: &Ntfs<'_>, number: u64) -> Result<Option<Vec<u8>>> {
    let Some(table) = ntfs.record(RECORD_TABLE)? else { return Ok(None) };
    let mut within = number.saturating_mul(ntfs.record_size);
    for run in runs(attribute(&table, Attribute::DATA, &[]).unwrap_or_default(), RUNS_MAX) {
        let length = run.count.saturating_mul(ntfs.cluster);
        if within < length {
            let Some(first) = run.first else { return Ok(None) };
            let at = first.saturating_mul(ntfs.cluster).saturating_add(within);
            let bytes = ntfs.view.bytes(at, ntfs.record_size)?;
            return Ok(bytes.and_then(|bytes| restore(bytes, RecordHeader::FILE)));
        }
        within -= length;
    }
    Ok(None)
}
