//! Handing out the image in batches, in file order, past what is only holes.

use std::sync::Mutex;

use imsprep_source::{BlockMap, Error, Extent, ExtentCursor, ImageFile, ReadAt, Result, Stage};

/// Bytes of the image in a batch, at least; rounded up to whole bytes of the map (8 blocks).
const BATCH: u64 = 32 << 20;
/// The same where the data is in short pieces. Each takes hardly any time then, and workers that come for the next batch all
/// the time would wait for one another.
const BATCH_OF_PIECES: u64 = 512 << 20;

/// A stretch of blocks for one worker: whole bytes of the map, so that workers share nothing.
pub(crate) struct Batch<'m> {
    /// Its first block.
    pub(crate) first: u64,
    /// The bits of its blocks.
    pub(crate) bits: &'m mut [u8],
    /// What was found when it was claimed: the first data at or after the offset.
    pub(crate) data: (u64, Extent),
}

/// The batches that are not claimed yet. The disk sees one sweep.
pub(crate) struct Claims<'m, 'f> {
    rest: Mutex<Rest<'m, 'f>>,
    /// Bytes of the image that a byte of the map stands for.
    in_a_byte: u64,
    size: u64,
}

struct Rest<'m, 'f> {
    /// The bits of what is not claimed.
    bits: &'m mut [u8],
    /// Bytes of the map before them.
    before: u64,
    extents: ExtentCursor<'f>,
}

impl<'m, 'f> Claims<'m, 'f> {
    pub(crate) fn new(image: &'f ImageFile, map: &'m mut BlockMap) -> Self {
        let in_a_byte = map.block_size().bytes().saturating_mul(8);
        let rest = Rest { bits: map.as_lsb_bytes_mut(), before: 0, extents: image.extents() };
        Self { rest: Mutex::new(rest), in_a_byte, size: image.size() }
    }

    /// The next batch that has any data; `None` if none is left. `stage` hears of what was passed over.
    pub(crate) fn next(&self, stage: &Stage<'_>) -> Result<Option<Batch<'m>>> {
        // Poisoned by a worker that panicked: its panic ends the scan.
        let Ok(mut rest) = self.rest.lock() else { return Err(Error::Cancelled) };
        let from = rest.before.saturating_mul(self.in_a_byte);
        if rest.bits.is_empty() || from >= self.size {
            return Ok(None);
        }
        let Some(data) = rest.extents.data_from(from)? else {
            rest.bits = &mut [];
            stage.advance(self.size - from);
            return Ok(None);
        };
        // Batches begin at multiples of their size, as windows that are mapped do.
        let batch = self.bytes_of_map(BATCH);
        let begins = (data.start / self.in_a_byte / batch * batch).max(rest.before);
        let ends_at = |bytes: u64| (begins / bytes + 1).saturating_mul(bytes);
        let mut end = ends_at(batch);
        if data.end < end.saturating_mul(self.in_a_byte) {
            end = ends_at(self.bytes_of_map(BATCH_OF_PIECES));
        }
        let passed_over = begins - rest.before;
        rest.take(passed_over);
        stage.advance(begins.saturating_mul(self.in_a_byte).saturating_sub(from));
        let bits = rest.take(end - begins);
        Ok(Some(Batch { first: begins.saturating_mul(8), bits, data: (from, data) }))
    }

    /// Bytes of the map for so many of the image, at least.
    fn bytes_of_map(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.in_a_byte)
    }
}

impl<'m> Rest<'m, '_> {
    /// Takes so many bytes off the front, or what there is.
    fn take(&mut self, count: u64) -> &'m mut [u8] {
        let bits = std::mem::take(&mut self.bits);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(bits.len());
        let (taken, rest) = bits.split_at_mut(count);
        self.bits = rest;
        self.before = self.before.saturating_add(count as u64);
        taken
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use imsprep_source::BlockSize;

    use super::*;

    /// The batches of a file of this size with such pieces of data: first byte and length in MiB.
    fn batches(mib: u64, pieces: &[(u64, usize)], block_size: BlockSize) -> Vec<(u64, u64)> {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        let file = File::create(&path).unwrap();
        file.set_len(mib << 20).unwrap();
        for (start, length) in pieces {
            file.write_all_at(&vec![1; length << 20], start << 20).unwrap();
        }
        let image = ImageFile::open(&path).unwrap();
        let mut map = BlockMap::zeroed(&path, image.size(), block_size).unwrap();
        let claims = Claims::new(&image, &mut map);
        let stage = Stage::begin(&(), "", image.size());
        let mut found = Vec::new();
        while let Some(batch) = claims.next(&stage).unwrap() {
            let start = batch.first * block_size.bytes();
            let end = start + batch.bits.len() as u64 * 8 * block_size.bytes();
            assert!(batch.data.0 <= start && (start..end).contains(&batch.data.1.start), "{:?}", batch.data);
            found.push((start >> 20, end >> 20));
        }
        found
    }

    #[test]
    fn long_data_comes_in_small_batches_and_pieces_in_large_ones() {
        let long = batches(1000, &[(40, 100)], BlockSize::MIB_2);
        assert_eq!(long, [(32, 64), (64, 96), (96, 128), (128, 512)]);
        let pieces = batches(2000, &[(1, 1), (100, 1), (511, 2), (700, 1), (1999, 1)], BlockSize::MIB_2);
        assert_eq!(pieces, [(0, 512), (512, 1024), (1984, 2000)]);
    }

    #[test]
    fn of_large_blocks_a_batch_is_a_byte_of_the_map() {
        let blocks = BlockSize::new(64 << 20).unwrap();
        assert_eq!(batches(2000, &[(1, 1), (1999, 1)], blocks), [(0, 512), (1536, 2048)]);
    }
}
