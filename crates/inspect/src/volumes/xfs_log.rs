//! The log of an XFS: whether it says that the file system was unmounted.
//!
//! The log is a ring of blocks. Each begins with the number of the cycle in which it was written, but for those that begin
//! a record, which have it behind a magic. Where the cycle changes is the head; what was written last lies before it. A clean
//! log ends in a record of one operation, which says that the file system was unmounted.

use imsprep_ondisk::volume::xfs::{
    LOG_BLOCK, LOG_RECORD_MAX, LOG_RECORDS_AT_ONCE, LogBlock, OPERATION_FLAGS_OFFSET, OPERATION_UNMOUNT,
};
use imsprep_source::Result;

use crate::view::View;
use crate::{State, UncleanReason};

/// Bytes before the head in which its last record begins: the largest one with its header.
const BEFORE: u64 = LOG_RECORD_MAX + (LOG_RECORD_MAX / LogBlock::HEADER_COVERS as u64) * LOG_BLOCK;
/// Bytes after the head into which records may have been written ahead of those before them, when the machine stopped.
const AFTER: u64 = LOG_RECORD_MAX * LOG_RECORDS_AT_ONCE;

/// The state according to the log of `length` bytes at `at`. Clean only if that is certain.
pub(crate) fn state(view: &View<'_>, at: u64, length: u64) -> Result<State> {
    let log = Log { view, at, blocks: length / LOG_BLOCK };
    let Some(head) = log.find_head()? else { return Ok(State::Unknown) };
    let Some(last) = log.last_record(head.block)? else { return Ok(State::Unknown) };
    Ok(match last {
        Last::Other => State::Dirty(UncleanReason::Journal),
        Last::Unmount if log.is_quiet_after(&head)? => State::Clean,
        Last::Unmount => State::Dirty(UncleanReason::Journal),
    })
}

/// Which record was written last.
enum Last {
    Unmount,
    Other,
}

/// The end of what was written.
struct Head {
    /// The first block of an older cycle; the number of blocks if all are of one.
    block: u64,
    /// The newest cycle that what lies after it may have.
    newest_after: u32,
}

struct Log<'a> {
    view: &'a View<'a>,
    at: u64,
    blocks: u64,
}

impl Log<'_> {
    /// The block's first bytes; `None` beyond the end of the volume.
    fn block(&self, number: u64) -> Result<Option<LogBlock>> {
        let at = number.checked_mul(LOG_BLOCK).and_then(|within| self.at.checked_add(within));
        let Some(at) = at else { return Ok(None) };
        Ok(self.view.array(at)?.map(|bytes| LogBlock::decode(&bytes)))
    }

    fn cycle(&self, number: u64) -> Result<Option<u32>> {
        Ok(self.block(number)?.map(cycle_of))
    }

    /// Halves the log until the place is found where the cycle is no longer that of the first block.
    fn find_head(&self) -> Result<Option<Head>> {
        let Some(end) = self.blocks.checked_sub(1) else { return Ok(None) };
        let (Some(first), Some(after)) = (self.cycle(0)?, self.cycle(end)?) else { return Ok(None) };
        // Nothing was ever written, not even by mkfs.
        if first == 0 {
            return Ok(None);
        }
        if first == after {
            // At the end the ring begins again, in the next cycle.
            return Ok(Some(Head { block: self.blocks, newest_after: first }));
        }
        let (mut low, mut high) = (0, end);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.cycle(middle)? {
                Some(cycle) if cycle == first => low = middle,
                Some(_) => high = middle,
                None => return Ok(None),
            }
        }
        Ok(Some(Head { block: high, newest_after: first.saturating_sub(1) }))
    }

    /// The record that ends at the head. It may have begun before the end of the ring and gone on at its start.
    fn last_record(&self, head: u64) -> Result<Option<Last>> {
        for back in 1..=(BEFORE / LOG_BLOCK).min(self.blocks) {
            let number = (head + self.blocks - back) % self.blocks;
            let Some(block) = self.block(number)? else { return Ok(None) };
            if block.magic_or_cycle != LogBlock::MAGIC {
                continue;
            }
            let headers = if block.version & 2 != 0 && block.buffer > LogBlock::HEADER_COVERS {
                u64::from(block.buffer.div_ceil(LogBlock::HEADER_COVERS))
            } else {
                1
            };
            let data = number + headers;
            let end = data + u64::from(block.length).div_ceil(LOG_BLOCK);
            if end % self.blocks != head % self.blocks || block.operations != 1 {
                return Ok(Some(Last::Other));
            }
            let at = self.at + data % self.blocks * LOG_BLOCK + OPERATION_FLAGS_OFFSET as u64;
            let Some([flags]) = self.view.array(at)? else { return Ok(None) };
            let is_unmount = flags & OPERATION_UNMOUNT != 0;
            return Ok(Some(if is_unmount { Last::Unmount } else { Last::Other }));
        }
        Ok(None)
    }

    /// Whether nothing newer lies after the head, written out of order. What is older may be of any cycle: tools that empty
    /// a log leave zeros after the record that they write, and before what is left of earlier ones.
    fn is_quiet_after(&self, head: &Head) -> Result<bool> {
        let from = if head.block == self.blocks { 0 } else { head.block };
        let length = (self.blocks - from).saturating_mul(LOG_BLOCK).min(AFTER);
        let Some(bytes) = self.view.bytes(self.at + from * LOG_BLOCK, length)? else { return Ok(false) };
        let block_size = usize::try_from(LOG_BLOCK).unwrap_or(usize::MAX);
        let mut blocks = bytes.chunks_exact(block_size).filter_map(|block| block.first_chunk());
        Ok(blocks.all(|block| cycle_of(LogBlock::decode(block)) <= head.newest_after))
    }
}

fn cycle_of(block: LogBlock) -> u32 {
    if block.magic_or_cycle == LogBlock::MAGIC { block.cycle } else { block.magic_or_cycle }
}
