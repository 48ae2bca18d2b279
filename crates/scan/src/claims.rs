//! Handing out the image in batches, in file order, past what is only holes.

use std::iter::Zip;
use std::ops::RangeFrom;
use std::slice::ChunksMut;
use std::sync::Mutex;

use imsprep_source::{BlockMap, Error, ExtentCursor, ImageFile, ReadAt, Result, Stage};

/// Bytes of the image in a batch, at least; rounded up to whole bytes of the map (8 blocks).
const BATCH: u64 = 32 << 20;

/// A stretch of blocks for one worker: whole bytes of the map, so that workers share nothing.
pub(crate) struct Batch<'m> {
    /// Its first block.
    pub(crate) first: u64,
    /// The bits of its blocks.
    pub(crate) bits: &'m mut [u8],
}

/// The batches that nobody has claimed yet. The disk sees one sweep.
pub(crate) struct Claims<'m, 'f> {
    rest: Mutex<Rest<'m, 'f>>,
    blocks_in_batch: u64,
    batch_bytes: u64,
    size: u64,
}

struct Rest<'m, 'f> {
    batches: Zip<RangeFrom<u64>, ChunksMut<'m, u8>>,
    /// Number of the first of them.
    next: u64,
    extents: ExtentCursor<'f>,
}

impl<'m, 'f> Claims<'m, 'f> {
    pub(crate) fn new(image: &'f ImageFile, map: &'m mut BlockMap) -> Self {
        let block_size = map.block_size().bytes();
        let blocks_in_batch = BATCH.div_ceil(block_size).next_multiple_of(8);
        let bytes_of_map = usize::try_from(blocks_in_batch / 8).unwrap_or(usize::MAX);
        let batches = (0u64..).zip(map.as_lsb_bytes_mut().chunks_mut(bytes_of_map));
        Self {
            rest: Mutex::new(Rest { batches, next: 0, extents: image.extents() }),
            blocks_in_batch,
            batch_bytes: blocks_in_batch.saturating_mul(block_size),
            size: image.size(),
        }
    }

    /// The next batch that has any data; `None` if none is left. `stage` hears of the batches that were passed over.
    pub(crate) fn next(&self, stage: &Stage<'_>) -> Result<Option<Batch<'m>>> {
        // Poisoned by a worker that panicked: its panic ends the scan.
        let Ok(mut rest) = self.rest.lock() else { return Err(Error::Cancelled) };
        let from = rest.next.saturating_mul(self.batch_bytes);
        if from >= self.size {
            return Ok(None);
        }
        let Some(data) = rest.extents.data_from(from)? else {
            rest.next = u64::MAX;
            stage.advance(self.size - from);
            return Ok(None);
        };
        let number = data.start / self.batch_bytes;
        let passed_over = number - rest.next;
        stage.advance(passed_over.saturating_mul(self.batch_bytes));
        rest.next = number + 1;
        let batch = rest.batches.nth(usize::try_from(passed_over).unwrap_or(usize::MAX));
        Ok(batch.map(|(number, bits)| Batch { first: number * self.blocks_in_batch, bits }))
    }
}
