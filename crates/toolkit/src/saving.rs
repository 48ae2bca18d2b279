//! What a conversion would have saved without the bytes that no file holds.

use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use imsprep_filesystem::Limits;
use imsprep_guest::DiskSpace;
use imsprep_inspect::Inspection;
use imsprep_source::{BlockMap, BlockSize, Cancel, ReadAt, is_zero};

use crate::data_bits::DataBits;
use crate::space::read_space;

/// What may be spent on it: it is not what was asked for, so that the time is short.
const LIMITS: Limits = Limits { disk_bytes: 512 << 20, steps: 50_000_000, time: Duration::from_secs(2) };

/// How many of the blocks that hold data no file holds a byte of. Blocks have 2 MiB, or what the bitmap layout of a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saving {
    /// Blocks that hold data.
    pub data_blocks: u64,
    /// Those of them of which no file holds a byte.
    pub free_blocks: u64,
}

impl Saving {
    /// The saving among the blocks that hold data in this map, by the free space of the disk. `None` if there are none, or nothing is known to be free.
    pub(crate) fn of(data: &BlockMap, space: &DiskSpace) -> Option<Self> {
        (data.data_count() > 0 && space.bytes() > 0)
            .then(|| Self { data_blocks: data.data_count(), free_blocks: free_data(data, space.ranges()) })
    }

    /// Whether it is worth a word: more than a tenth of the data.
    pub fn is_large(&self) -> bool {
        self.free_blocks.saturating_mul(10) > self.data_blocks
    }
}

/// The blocks that held data, collected while they are read.
#[derive(Debug)]
pub(crate) struct SeenBlocks(Mutex<DataBits>);

impl SeenBlocks {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(DataBits::new(BlockSize::MIB_2)))
    }

    /// These bytes, of one block, were read at `offset`.
    pub(crate) fn saw(&self, bytes: &[u8], offset: u64) {
        if !is_zero(bytes) {
            self.saw_data(offset);
        }
    }

    /// The block at `offset` holds data.
    pub(crate) fn saw_data(&self, offset: u64) {
        let block = offset / BlockSize::MIB_2.bytes();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mark([block]);
    }

    /// What would be saved of a disk of `size` bytes, by the allocation data of its volumes. `None` if nothing is known; an error is no
    /// failure here.
    pub(crate) fn saving(
        self,
        inspection: &Inspection,
        disk: &dyn ReadAt,
        size: u64,
        cancel: &Cancel,
    ) -> Option<Saving> {
        let bits = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let data = bits.into_map(Path::new("disk"), size).ok()?;
        if data.data_count() == 0 {
            return None;
        }
        Saving::of(&data, &read_space(inspection, disk, LIMITS, cancel).ok()?)
    }
}

/// The blocks of a disk of `size` bytes that are wholly in one of the ranges, which are ascending. The last block may be partial.
pub(crate) fn blocks_in(
    ranges: &[Range<u64>],
    size: u64,
    block_size: u64,
) -> impl Iterator<Item = Range<u64>> + '_ {
    ranges.iter().map(move |range| {
        let end = if range.end >= size { size.div_ceil(block_size) } else { range.end / block_size };
        range.start.div_ceil(block_size)..end
    })
}

/// How many data blocks are wholly in one of the ranges.
fn free_data(data: &BlockMap, ranges: &[Range<u64>]) -> u64 {
    let blocks = blocks_in(ranges, data.image_size(), data.block_size().bytes());
    let mut runs = data.runs().filter(|run| run.data).map(|run| run.first..run.first + run.count).peekable();
    let mut count = 0;
    for free in blocks {
        while let Some(run) = runs.peek() {
            count += run.end.min(free.end).saturating_sub(run.start.max(free.start));
            if run.end > free.end {
                break;
            }
            runs.next();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_are_counted_as_one_by_one(
            data in prop::collection::vec(any::<bool>(), 1..40), lengths in prop::collection::vec(1_u64..12, 0..14), cut in 0_u64..4,
        ) {
            // Lengths are quarters of a block.
            const PART: u64 = 512 << 10;
            let size = data.len() as u64 * 4 * PART - cut * PART;
            let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIB_2).unwrap();
            (0..).zip(&data).for_each(|(block, data)| map.set(block, *data));
            let (mut at, mut free) = (0, Vec::new());
            for pair in lengths.chunks_exact(2) {
                let start = (at + pair[0] * PART).min(size);
                at = (start + pair[1] * PART).min(size);
                if start < at {
                    free.push(start..at);
                }
            }
            let is_free = |part: u64| part * PART >= size || free.iter().any(|free| free.contains(&(part * PART)));
            let is_in_one = |block: u64| (block * 4..block * 4 + 4).all(is_free);
            let naive = (0..).zip(&data).filter(|(block, data)| **data && is_in_one(*block)).count();
            prop_assert_eq!(free_data(&map, &free), naive as u64);
        }
    }
}
