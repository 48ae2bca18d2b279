//! Handing out the image in parts, in file order, past what is only holes.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use imsprep_source::{BlockMap, Error, ExtentCursor, ImageFile, ReadAt, Result, Stage};

use crate::part::{BUFFER, Claim, Found, PROBED_FROM};

/// Bytes of the image in a batch, at least.
const BATCH: u64 = 32 << 20;
/// The same where the data is in short pieces. Each takes hardly any time then, and workers that come for the next batch all
/// the time would wait for one another.
const BATCH_OF_PIECES: u64 = 512 << 20;
/// How long a worker stays away from the stream, at most. There is nothing that it could miss.
const AWAY: Duration = Duration::from_millis(100);

/// The parts that are not claimed yet, and what was found in the others. The disk sees one sweep.
pub(crate) struct Claims<'m, 'f> {
    rest: Mutex<Rest<'m, 'f>>,
    block_size: u64,
    size: u64,
    /// How many workers take pieces of the stream.
    streaming_workers: usize,
    /// The stream has ended, for now or for good.
    stream_ended: Condvar,
}

struct Rest<'m, 'f> {
    map: &'m mut BlockMap,
    /// The first byte that is not claimed.
    at: u64,
    extents: ExtentCursor<'f>,
    probes: Probes,
    /// The last part was a piece of the stream.
    is_streaming: bool,
}

impl<'m, 'f> Claims<'m, 'f> {
    /// The parts of an image whose data blocks are going to be set in `map`. So many workers take pieces of the stream; if none
    /// does, all parts are batches.
    pub(crate) fn new(image: &'f ImageFile, map: &'m mut BlockMap, streaming_workers: usize) -> Self {
        let block_size = map.block_size().bytes();
        let probes = match streaming_workers {
            0 => Probes::Always,
            _ if block_size < PROBED_FROM => Probes::Never,
            _ => Probes::While(Recent::default()),
        };
        let rest = Rest { map, at: 0, extents: image.extents(), probes, is_streaming: false };
        let stream_ended = Condvar::new();
        Self { rest: Mutex::new(rest), block_size, size: image.size(), streaming_workers, stream_ended }
    }

    /// Takes over what a worker found in its last part, and returns the next one that has any data; `None` if none is
    /// left. `stage` hears of what was passed over.
    pub(crate) fn next(&self, worker: usize, found: &mut Found, stage: &Stage<'_>) -> Result<Option<Claim>> {
        // Poisoned by a worker that panicked: its panic ends the scan.
        let Ok(mut rest) = self.rest.lock() else { return Err(Error::Cancelled) };
        for (first, count) in found.runs.drain(..) {
            rest.map.set_run(first, count, true);
        }
        rest.probes.learn(std::mem::take(&mut found.settled), std::mem::take(&mut found.read_whole));
        if worker >= self.streaming_workers {
            let waited = self.stream_ended.wait_timeout_while(rest, AWAY, |rest| rest.is_streaming);
            let Ok((woken, _)) = waited else { return Err(Error::Cancelled) };
            rest = woken;
        }
        let from = rest.at;
        let claim = self.claim(&mut rest)?;
        let start = claim.map_or(self.size, |claim| claim.start);
        rest.at = claim.map_or(self.size, |claim| claim.end);
        let was_streaming =
            std::mem::replace(&mut rest.is_streaming, claim.is_some_and(|claim| claim.is_streamed));
        if was_streaming && !rest.is_streaming {
            self.stream_ended.notify_all();
        }
        drop(rest);
        stage.advance(start.saturating_sub(from));
        Ok(claim)
    }

    fn claim(&self, rest: &mut Rest<'_, '_>) -> Result<Option<Claim>> {
        let mut from = rest.at;
        while from < self.size {
            let Some(data) = rest.extents.data_from(from)? else { break };
            let block = data.start / self.block_size;
            let is_long = data.end - data.start >= BATCH;
            if is_long && rest.probes.are_useless() {
                if self.block_size > BUFFER && rest.map.is_data(block) {
                    // One of its pieces has settled it.
                    from = (block + 1).saturating_mul(self.block_size);
                    continue;
                }
                let end = (data.start / BUFFER + 1).saturating_mul(BUFFER).min(data.end);
                return Ok(Some(Claim { start: data.start, end, is_streamed: true, data: (from, data) }));
            }
            // Batches begin at multiples of their size, as windows that are mapped do, and never within a block: sizes of
            // blocks are powers of two.
            let ends_at = |bytes: u64| (data.start / bytes + 1).saturating_mul(bytes);
            let batch = BATCH.max(self.block_size);
            let start = (data.start / batch * batch).max(from);
            let mut end = ends_at(batch);
            if data.end < end {
                end = ends_at(BATCH_OF_PIECES.max(self.block_size));
            }
            return Ok(Some(Claim {
                start,
                end: end.min(self.size),
                is_streamed: false,
                data: (from, data),
            }));
        }
        Ok(None)
    }
}

/// Whether blocks are probed before they are read whole. Where most blocks hold data, three pages of each settle the matter, and
/// the rest is never read. Where they do not, the probes are reads at random for nothing, and they disturb the
/// read-ahead of the system.
enum Probes {
    Always,
    Never,
    /// As long as they settle enough of the blocks.
    While(Recent),
}

/// The last blocks, with older ones counting less and less.
#[derive(Default)]
struct Recent {
    settled: u32,
    blocks: u32,
    are_useless: bool,
}

impl Recent {
    /// Blocks that are remembered, at most.
    const MEMORY: u32 = 64;
    /// Blocks that are probed before their number is judged.
    const FIRST: u32 = 16;
}

impl Probes {
    /// Takes account of blocks that the probes settled, or would have, and of those that had to be read whole.
    fn learn(&mut self, settled: u32, read_whole: u32) {
        let Self::While(recent) = self else { return };
        recent.settled += settled;
        recent.blocks += settled + read_whole;
        while recent.blocks > Recent::MEMORY {
            recent.settled /= 2;
            recent.blocks /= 2;
        }
        // Two bounds, so that an image in between does not go from one to the other all the time.
        if recent.blocks >= Recent::FIRST {
            let percent = 100 * recent.settled / recent.blocks;
            recent.are_useless = if recent.are_useless { percent < 35 } else { percent < 15 };
        }
    }

    fn are_useless(&self) -> bool {
        match self {
            Self::Always => false,
            Self::Never => true,
            Self::While(recent) => recent.are_useless,
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use imsprep_source::BlockSize;

    use super::*;

    /// Claims of a file of this size with such pieces of data: first byte and length in MiB. A worker reports `settled` of
    /// each block.
    fn claims(
        mib: u64,
        pieces: &[(u64, usize)],
        block_size: BlockSize,
        settled: &dyn Fn(u64) -> Option<bool>,
    ) -> Vec<(u64, u64, bool)> {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        let file = File::create(&path).unwrap();
        file.set_len(mib << 20).unwrap();
        for (start, length) in pieces {
            file.write_all_at(&vec![1; length << 20], start << 20).unwrap();
        }
        let image = ImageFile::open(&path).unwrap();
        let mut map = BlockMap::zeroed(&path, image.size(), block_size).unwrap();
        let claims = Claims::new(&image, &mut map, 1);
        let stage = Stage::begin(&(), "", image.size());
        let mut all = Vec::new();
        let mut found = Found::default();
        while let Some(claim) = claims.next(0, &mut found, &stage).unwrap() {
            let (asked, data) = claim.data;
            assert!(asked <= claim.start && (claim.start..claim.end).contains(&data.start), "{claim:?}");
            assert!(!claim.is_streamed || claim.end <= data.end, "{claim:?}");
            for block in claim.start / block_size.bytes()..claim.end.div_ceil(block_size.bytes()) {
                match settled(block) {
                    Some(true) => found.settled += 1,
                    Some(false) => found.read_whole += 1,
                    None => {}
                }
            }
            all.push((claim.start >> 20, claim.end >> 20, claim.is_streamed));
        }
        all
    }

    fn batches(mib: u64, pieces: &[(u64, usize)], block_size: BlockSize) -> Vec<(u64, u64)> {
        let all = claims(mib, pieces, block_size, &|_| None);
        assert!(all.iter().all(|(.., is_streamed)| !is_streamed), "{all:?}");
        all.into_iter().map(|(start, end, _)| (start, end)).collect()
    }

    #[test]
    fn long_data_comes_in_small_batches_and_pieces_in_large_ones() {
        let long = batches(1000, &[(40, 100)], BlockSize::MIB_2);
        assert_eq!(long, [(32, 64), (64, 96), (96, 128), (128, 512)]);
        let pieces = batches(2000, &[(1, 1), (100, 1), (511, 2), (700, 1), (1999, 1)], BlockSize::MIB_2);
        assert_eq!(pieces, [(0, 512), (512, 1024), (1984, 2000)]);
    }

    #[test]
    fn a_batch_is_not_smaller_than_a_block() {
        let blocks = BlockSize::new(64 << 20).unwrap();
        assert_eq!(batches(2000, &[(1, 1), (130, 100), (1999, 1)], blocks), [(0, 512), (1984, 2000)]);
        assert_eq!(batches(300, &[(130, 100)], blocks), [(128, 192), (192, 300)]);
    }

    /// Where probes settle nothing, the stream goes on piece by piece over all of a long extent and past holes; where they would
    /// have, batches come back.
    #[test]
    fn where_probes_settle_nothing_the_image_is_streamed() {
        let all = claims(600, &[(0, 300), (400, 64)], BlockSize::MIB_2, &|block| Some(block >= 100));
        assert_eq!(all.first(), Some(&(0, 32, false)), "{all:?}");
        let streamed = all.iter().filter(|claim| claim.2).collect::<Vec<_>>();
        assert_eq!(streamed.first(), Some(&&(32, 34, true)), "{all:?}");
        assert!(streamed.iter().all(|(start, end, _)| end - start == 2), "{all:?}");
        let last = streamed.last().unwrap().1;
        assert!((230..=290).contains(&last), "{all:?}");
        assert!(all.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{all:?}");
    }

    /// Workers that stay away come back when batches do, and at the end.
    #[test]
    fn the_stream_is_left_to_its_workers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let mut file = std::fs::File::create(&path).unwrap();
        file.set_len(100 << 20).unwrap();
        std::io::Write::write_all(&mut file, &vec![1; 64 << 20]).unwrap();
        let image = ImageFile::open(&path).unwrap();
        let mut map = BlockMap::zeroed(&path, image.size(), BlockSize::new(64 << 10).unwrap()).unwrap();
        let claims = Claims::new(&image, &mut map, 1);
        let stage = Stage::begin(&(), "", image.size());
        let first = claims.next(0, &mut Found::default(), &stage).unwrap().unwrap();
        assert!(first.is_streamed);
        std::thread::scope(|scope| {
            let away = scope.spawn(|| {
                let begun = std::time::Instant::now();
                (claims.next(1, &mut Found::default(), &stage).unwrap(), begun.elapsed())
            });
            let mut parts = 1;
            while claims.next(0, &mut Found::default(), &stage).unwrap().is_some() {
                parts += 1;
            }
            let (claim, waited) = away.join().unwrap();
            // Pieces, and what is left of the data when it is no longer than a batch. On a machine that is busy, the other worker
            // may have come back before the end and have got one of them.
            assert_eq!(parts + usize::from(claim.is_some()), 18, "{claim:?} after {waited:?}");
            assert!(claim.is_none() || waited >= AWAY, "{claim:?} after {waited:?}");
        });
    }

    #[test]
    fn small_blocks_are_streamed_from_the_start_and_short_data_is_not() {
        let blocks = BlockSize::new(64 << 10).unwrap();
        let all = claims(200, &[(3, 34), (150, 1)], blocks, &|_| None);
        assert_eq!(all, [(3, 4, true), (4, 6, true), (6, 32, false), (32, 200, false)]);
    }
}
