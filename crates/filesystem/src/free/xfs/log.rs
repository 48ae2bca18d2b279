//! Whether the log says that the file system was unmounted.
//!
//! The log is a ring of blocks. Each begins with the number of the cycle in which it was written, except for those that begin a record,
//! which have it behind a magic. Where the cycle changes is the head; what was written last lies before it. A clean log ends in a record
//! of one operation, which says that the file system was unmounted. Everything else is refused, even if nothing has to be replayed.

use std::ops::Range;

use imsprep_ondisk::volume::xfs::{
    LOG_BLOCK, LOG_RECORD_MAX, LOG_RECORDS_AT_ONCE, LogBlock, OPERATION_FLAGS_OFFSET, OPERATION_UNMOUNT,
};

use crate::cached::Cached;
use crate::{Error, Result};

/// Blocks before the head in which its last record begins: the largest one with its header.
const BEFORE: u64 = LOG_RECORD_MAX / LOG_BLOCK + LOG_RECORD_MAX / LogBlock::HEADER_COVERS as u64;
/// Blocks after the head into which records may have been written ahead of those before them, when the machine stopped.
const AFTER: u64 = LOG_RECORD_MAX * LOG_RECORDS_AT_ONCE / LOG_BLOCK;

/// Refuses a log, in these bytes, that is not clean.
pub(super) fn check(disk: &Cached<'_>, at: Range<u64>) -> Result<()> {
    let log = Log { disk, at: at.start, blocks: at.end.saturating_sub(at.start) / LOG_BLOCK };
    let (head, newest_after) = log.head()?;
    if !log.ends_with_unmount(head)? || !log.is_quiet_after(head, newest_after)? {
        return Err(Error::refused("its log is not empty"));
    }
    Ok(())
}

struct Log<'l, 'a> {
    disk: &'l Cached<'a>,
    at: u64,
    blocks: u64,
}

impl Log<'_, '_> {
    fn block(&self, number: u64) -> Result<LogBlock> {
        Ok(LogBlock::decode(&self.disk.array(self.at.saturating_add(number.saturating_mul(LOG_BLOCK)))?))
    }

    fn cycle(&self, number: u64) -> Result<u32> {
        Ok(cycle_of(&self.block(number)?))
    }

    /// The first block of an older cycle, which is the number of blocks if all are of one, and the newest cycle that what lies
    /// after it may have.
    fn head(&self) -> Result<(u64, u32)> {
        let end = self.blocks.checked_sub(1).ok_or_else(|| Error::corrupt("its log is empty"))?;
        let (first, last) = (self.cycle(0)?, self.cycle(end)?);
        if first == 0 {
            return Err(Error::refused("its log was never written"));
        }
        if first == last {
            return Ok((self.blocks, first));
        }
        let (mut low, mut high) = (0, end);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.cycle(middle)? == first { low = middle } else { high = middle }
        }
        Ok((high, first.saturating_sub(1)))
    }

    /// Whether the record that ends at the head is that of an unmount. It may have begun before the end of the ring and gone on at
    /// its start.
    fn ends_with_unmount(&self, head: u64) -> Result<bool> {
        for back in 1..=BEFORE.min(self.blocks) {
            let number = (head + self.blocks - back) % self.blocks;
            let block = self.block(number)?;
            if block.magic_or_cycle != LogBlock::MAGIC {
                continue;
            }
            let has_more = block.version & 2 != 0 && block.buffer > LogBlock::HEADER_COVERS;
            let headers = if has_more { block.buffer.div_ceil(LogBlock::HEADER_COVERS) } else { 1 };
            let data = number + u64::from(headers);
            let end = data + u64::from(block.length).div_ceil(LOG_BLOCK);
            if end % self.blocks != head % self.blocks || block.operations != 1 {
                return Ok(false);
            }
            let within = data % self.blocks * LOG_BLOCK + OPERATION_FLAGS_OFFSET as u64;
            let [flags] = self.disk.array(self.at.saturating_add(within))?;
            return Ok(flags & OPERATION_UNMOUNT != 0);
        }
        Ok(false)
    }

    /// Whether nothing newer lies after the head, written out of order. What is older may be of any cycle: tools that empty a log
    /// leave zeros after the record that they write, and before what is left of earlier ones.
    fn is_quiet_after(&self, head: u64, newest: u32) -> Result<bool> {
        let from = if head == self.blocks { 0 } else { head };
        let count = (self.blocks - from).min(AFTER);
        let mut bytes = vec![0; usize::try_from(count * LOG_BLOCK).unwrap_or_default()];
        self.disk.read_once(self.at.saturating_add(from * LOG_BLOCK), &mut bytes)?;
        let size = usize::try_from(LOG_BLOCK).unwrap_or(usize::MAX);
        let mut blocks = bytes.chunks_exact(size).filter_map(|block| block.first_chunk());
        Ok(blocks.all(|block| cycle_of(&LogBlock::decode(block)) <= newest))
    }
}

fn cycle_of(block: &LogBlock) -> u32 {
    if block.magic_or_cycle == LogBlock::MAGIC { block.cycle } else { block.magic_or_cycle }
}
