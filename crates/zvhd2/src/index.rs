//! The index: where the record of each data block is.

use imsprep_findings::{Finding, Report, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, IndexEntry, RecordHeader};
use imsprep_source::{Cancel, ReadAt, is_zero};

use crate::bitmap::Bitmap;
use crate::layout::IndexPlace;
use crate::span::Span;
use crate::{Error, rules};

/// Bytes of the index that are read at once.
const CHUNK: u64 = 64 << 10;
/// Bytes that the index reader has room for when it reads a record: it reads as many as the entry says.
const BUFFER_SIZE: u32 = 4_202_496;

/// Bytes of a block. Containers of other sizes are refused when they are opened.
pub(crate) const BLOCK: u64 = disk::BLOCK_SIZE as u64;

/// Where the record of one data block is. Its header lies in the file; its content is checked when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordLocation {
    /// The block, below 2^32.
    pub(crate) block: u32,
    /// Bytes of the record, as the index has it.
    pub(crate) length: u32,
    /// Offset of the record in the file.
    pub(crate) offset: u64,
}

/// The record of an entry.
pub(crate) fn place_of(entry: &Entry) -> RecordLocation {
    RecordLocation { block: entry.block, length: entry.raw.length, offset: entry.raw.offset }
}

/// The record of one data block according to the index. It is not verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The block whose bit of the bitmap the entry belongs to: for this one the index reader takes it.
    pub(crate) block: u32,
    /// Where the entry is.
    pub(crate) at: u64,
    pub(crate) raw: IndexEntry,
}

/// Reads the entry of each data block, as far as they are in the file.
pub(crate) fn read_index(
    source: &dyn ReadAt,
    place: IndexPlace,
    bitmap: &Bitmap,
    report: &mut Report,
    cancel: &Cancel,
) -> Result<Vec<Entry>, Error> {
    if place.by_block {
        return read_by_block(source, place, bitmap, report, cancel);
    }
    let mut entries = Vec::with_capacity(bitmap.blocks.len());
    let mut chunk = Vec::new();
    let mut chunk_at = place.span.start;
    for (ordinal, block) in (0_u64..).zip(&bitmap.blocks) {
        let at = place.span.start.saturating_add(ordinal * IndexEntry::SIZE as u64);
        if Span::within(at, IndexEntry::SIZE as u64, place.span.end).is_none() {
            break;
        }
        if at >= chunk_at + chunk.len() as u64 {
            cancel.check()?;
            chunk_at = at;
            chunk.resize(usize::try_from(CHUNK.min(place.span.end - at)).unwrap_or(0), 0);
            source.read_at(&mut chunk, at)?;
        }
        let bytes = usize::try_from(at - chunk_at).ok().and_then(|start| chunk.get(start..)?.first_chunk());
        let Some(bytes) = bytes else { break };
        entries.push(Entry { block: *block, at, raw: IndexEntry::decode(bytes) });
    }
    Ok(entries)
}

/// Reads an index in which every block has its entry at its own number. The index reader goes by it alone, so it must have
/// a record for the blocks that the bitmap marks and for no other.
fn read_by_block(
    source: &dyn ReadAt,
    place: IndexPlace,
    bitmap: &Bitmap,
    report: &mut Report,
    cancel: &Cancel,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(bitmap.blocks.len());
    let mut marked = bitmap.blocks.iter().copied().peekable();
    let (mut differing, mut first) = (0, None);
    let mut chunk = Vec::new();
    let mut chunk_at = place.span.start;
    while chunk_at < place.span.end {
        cancel.check()?;
        let length = CHUNK.min(place.span.end - chunk_at);
        chunk.resize(usize::try_from(length).unwrap_or(0), 0);
        source.read_at(&mut chunk, chunk_at)?;
        let size = IndexEntry::SIZE as u64;
        let next = chunk_at + length;
        let block_after = (next - place.span.start) / size;
        // Most of a large disk has no data, and no entries.
        if is_zero(&chunk) && marked.peek().is_none_or(|block| u64::from(*block) >= block_after) {
            chunk_at = next;
            continue;
        }
        let (pieces, _) = chunk.as_chunks::<{ IndexEntry::SIZE }>();
        for (at, bytes) in (chunk_at..next).step_by(IndexEntry::SIZE).zip(pieces) {
            let Ok(block) = u32::try_from((at - place.span.start) / size) else { continue };
            let raw = IndexEntry::decode(bytes);
            let is_marked = marked.next_if_eq(&block).is_some();
            let has_record = raw.offset != 0 && raw.length != 0;
            if is_marked {
                entries.push(Entry { block, at, raw });
            } else if raw.offset != 0 && raw.block != block {
                let message = format!("the index entry of block {block} is that of block {}", raw.block);
                let finding = Finding::new(&rules::INDEX_BLOCK, message).at(at).in_block(block.into());
                report.push(finding.expected(block).found(raw.block));
            }
            if is_marked != has_record {
                differing += 1;
                first.get_or_insert((at, block, is_marked));
            }
        }
        chunk_at = next;
    }
    if let Some((at, block, is_marked)) = first {
        let (marks, has) = if is_marked { ("marks", "no record") } else { ("does not mark", "a record") };
        let message = format!("the bitmap {marks} block {block}, but the index has {has} for it");
        let finding = Finding::new(&rules::INDEX_BITMAP, message).at(at).in_block(block.into());
        let finding = finding.expected("a record for every block that the bitmap marks, and for no other");
        report.push_counted(finding.found(format!("{differing} blocks that differ")), differing);
    }
    Ok(entries)
}

/// Whether each entry names the block that the index reader takes it for.
pub(crate) fn check_blocks(entries: &[Entry], report: &mut Report) {
    if entries.iter().all(|e| e.raw.block == e.block) {
        return;
    }
    let mut named = entries.iter().map(|e| e.raw.block).collect::<Vec<_>>();
    named.sort_unstable();
    // The right blocks, in another order.
    let permuted = named.iter().eq(entries.iter().map(|e| &e.block));
    let repeated = |block: u32| {
        let first = named.partition_point(|n| *n < block);
        named.get(first + 1) == Some(&block)
    };
    for entry in entries.iter().filter(|e| e.raw.block != e.block) {
        let rule = if permuted {
            &rules::INDEX_ORDER
        } else if repeated(entry.raw.block) {
            &rules::INDEX_DUPLICATE
        } else {
            &rules::INDEX_BLOCK
        };
        let message =
            format!("the index entry of block {} is that of block {}", entry.block, entry.raw.block);
        report.push(
            Finding::new(rule, message)
                .at(entry.at)
                .in_block(entry.block.into())
                .expected(entry.block)
                .found(entry.raw.block),
        );
    }
}

/// The entries whose record may be where they say, by file offset.
pub(crate) fn check_places(
    entries: Vec<Entry>,
    place: IndexPlace,
    bitmap: &Bitmap,
    end: u64,
    report: &mut Report,
) -> Vec<Entry> {
    let mut good = entries;
    good.retain(|entry| {
        let IndexEntry { offset, length, .. } = entry.raw;
        // The header must be there whatever length the entry gives.
        let span = Span::within(offset, u64::from(length).max(RecordHeader::SIZE as u64), end);
        let free = span.is_some_and(|s| !s.overlaps(place.span) && !s.overlaps(bitmap.span));
        if !free {
            let message = format!("the index entry of block {} points to an impossible offset", entry.block);
            report.push(
                Finding::new(&rules::ENTRY_BOUNDS, message)
                    .at(entry.at)
                    .in_block(entry.block.into())
                    .expected(format!("a record between 4096 and {}", place.span.start.min(end)))
                    .found(format!("{length} bytes at {offset}")),
            );
        } else if !offset.is_multiple_of(disk::ALIGN) {
            report.push(
                Finding::new(
                    &rules::ENTRY_ALIGN,
                    format!("the record of block {} is not aligned", entry.block),
                )
                .at(entry.at)
                .in_block(entry.block.into())
                .expected("a multiple of 4096")
                .found(offset),
            );
        }
        if free && length > BUFFER_SIZE {
            let message = format!("the length in the index entry of block {} is too large", entry.block);
            report.push(
                Finding::new(&rules::RECORD_LENGTH, message)
                    .at(entry.at)
                    .in_block(entry.block.into())
                    .expected(format!("at most {BUFFER_SIZE}, the size of the index reader's buffer"))
                    .found(length)
                    .severity(Severity::Error),
            );
        }
        free
    });
    good.sort_unstable_by_key(|e| (e.raw.offset, e.block));
    good
}
