//! The index: where the record of each data block is.

use imsprep_findings::{Finding, Report};
use imsprep_ondisk::zvhd2::{self as disk, IndexEntry, RecordHeader};
use imsprep_source::{Cancel, ReadAt};

use crate::bitmap::Bitmap;
use crate::layout::{IndexPlace, Span};
use crate::{Error, rules};

/// Bytes of the index that are read at once.
const CHUNK: u64 = 64 << 10;

/// The record of one data block, as the index tells it. Nothing of it is known to be true.
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
    cancel: &Cancel,
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(bitmap.blocks.len());
    let mut chunk = Vec::new();
    let mut chunk_at = place.span.start;
    for (ordinal, block) in (0_u64..).zip(&bitmap.blocks) {
        let position = if place.by_block { u64::from(*block) } else { ordinal };
        let at = place.span.start.saturating_add(position * IndexEntry::SIZE as u64);
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
        let message = format!("the index entry of block {} names block {}", entry.block, entry.raw.block);
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
            let message =
                format!("the index entry of block {} points to where no record can be", entry.block);
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
        free
    });
    good.sort_unstable_by_key(|e| (e.raw.offset, e.block));
    good
}
