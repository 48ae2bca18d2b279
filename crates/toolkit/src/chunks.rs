//! Walking over the data of disks, block by block, shared by several threads.

use std::sync::{Mutex, PoisonError};

use imsprep_source::{Cancel, DiskReader, Extent, Result, Stage};

/// Bytes of a chunk: the block of ZVHD2, which is expanded as a whole or not at all.
pub(crate) const CHUNK: u64 = 2 << 20;

/// A block of which at least one of the disks may hold data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk<const N: usize> {
    /// A multiple of [`CHUNK`].
    pub(crate) start: u64,
    /// Which of the disks may hold data in it; the others read as zeros.
    pub(crate) data: [bool; N],
}

/// Hands out the chunks of disks in ascending order, each once, to whoever asks.
pub(crate) struct Chunks<'a, const N: usize> {
    stage: &'a Stage<'a>,
    limit: u64,
    state: Mutex<State<'a, N>>,
}

struct State<'a, const N: usize> {
    at: u64,
    sides: [Side<'a>; N],
}

/// One disk, and the stretch of data that was found last.
struct Side<'a> {
    disk: &'a dyn DiskReader,
    known: Option<Extent>,
    /// All is zero from here on.
    zero_from: u64,
}

impl Side<'_> {
    fn data_from(&mut self, at: u64) -> Result<Option<Extent>> {
        if at >= self.zero_from {
            return Ok(None);
        }
        if self.known.is_none_or(|known| known.end <= at) {
            self.known = self.disk.data_from(at)?;
            if self.known.is_none() {
                self.zero_from = at;
            }
        }
        Ok(self.known)
    }
}

impl<'a, const N: usize> Chunks<'a, N> {
    /// The chunks of `disks` that begin before `limit`. What is passed over is reported to `stage`.
    pub(crate) fn new(disks: [&'a dyn DiskReader; N], limit: u64, stage: &'a Stage<'a>) -> Self {
        let sides = disks.map(|disk| Side { disk, known: None, zero_from: disk.size() });
        Self { stage, limit, state: Mutex::new(State { at: 0, sides }) }
    }

    /// The next chunk, or `None` if only zeros follow.
    pub(crate) fn next(&self, cancel: &Cancel) -> Result<Option<Chunk<N>>> {
        cancel.check()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { at, sides } = &mut *state;
        let before = *at;
        let mut starts = [None; N];
        for (start, side) in starts.iter_mut().zip(sides) {
            *start = side.data_from(before)?.map(|extent| extent.start.max(before));
        }
        let first = starts.iter().flatten().min().map_or(self.limit, |first| first / CHUNK * CHUNK);
        if first >= self.limit {
            *at = self.limit.max(before);
            self.stage.advance(self.limit.saturating_sub(before));
            return Ok(None);
        }
        // The last chunk may end beyond the limit, which must not be asked about again.
        let end = first.saturating_add(CHUNK);
        *at = end;
        self.stage.advance(end.min(self.limit) - before);
        let data = starts.map(|start| start.is_some_and(|start| start < end));
        Ok(Some(Chunk { start: first, data }))
    }

    /// Hands out no more chunks.
    fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).at = u64::MAX;
    }
}

/// Runs `work`, which takes its chunks from `chunks`, on that many threads of the pool that the caller is in, and returns
/// the first error that any of them met. After it no chunk is handed out: the others would work on in vain, for hours on
/// a large disk.
pub(crate) fn on_threads<const N: usize>(
    threads: usize,
    chunks: &Chunks<'_, N>,
    work: impl Fn() -> crate::Result<()> + Sync,
) -> crate::Result<()> {
    let failed = Mutex::new(None);
    rayon::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|_| {
                if let Err(error) = work() {
                    chunks.end();
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use imsprep_source::{MemoryImage, ReadAt};
    use proptest::prelude::*;

    use super::*;

    /// A disk that reports ranges and has nothing to read.
    struct FakeDisk(u64, Vec<Extent>);

    impl ReadAt for FakeDisk {
        fn path(&self) -> &std::path::Path {
            "told".as_ref()
        }
        fn size(&self) -> u64 {
            self.0
        }
        fn read_at(&self, _: &mut [u8], _: u64) -> Result<()> {
            Ok(())
        }
    }

    impl DiskReader for FakeDisk {
        fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
            let after = self.1.iter().find(|e| e.end > offset);
            Ok(after.map(|e| Extent { start: e.start.max(offset), end: e.end }))
        }
    }

    fn told(blocks: u64, lengths: &[u64]) -> FakeDisk {
        let (mut at, mut extents) = (0, Vec::new());
        for pair in lengths.chunks(2) {
            let start = at + pair[0];
            at = (start + pair.get(1).unwrap_or(&1)).min(blocks * CHUNK);
            if start < at {
                extents.push(Extent { start, end: at });
            }
        }
        FakeDisk(blocks * CHUNK, extents)
    }

    proptest! {
        #[test]
        fn every_chunk_with_data_comes_once_and_no_other(
            a in prop::collection::vec(1..5 * CHUNK / 2, 0..12), b in prop::collection::vec(1..5 * CHUNK / 2, 0..12),
            limit in 0..20 * CHUNK
        ) {
            let disks = [told(16, &a), told(9, &b)];
            let overlaps = |disk: &FakeDisk, start: u64| disk.1.iter().any(|e| e.start < start + CHUNK && start < e.end);
            let stage = Stage::begin(&(), "test", limit);
            let chunks = Chunks::new([&disks[0], &disks[1]], limit, &stage);
            for start in (0..limit).step_by(usize::try_from(CHUNK).unwrap()) {
                let data = [overlaps(&disks[0], start), overlaps(&disks[1], start)];
                if data.contains(&true) {
                    prop_assert_eq!(chunks.next(&Cancel::new()).unwrap(), Some(Chunk { start, data }));
                }
            }
            prop_assert_eq!(chunks.next(&Cancel::new()).unwrap(), None);
            prop_assert_eq!(chunks.next(&Cancel::new()).unwrap(), None);
        }
    }

    #[test]
    fn after_an_error_of_one_thread_the_others_get_no_more() {
        let disk = told(2000, &[1, 2000 * CHUNK]);
        let stage = Stage::begin(&(), "test", disk.size());
        let chunks = Chunks::new([&disk], disk.size(), &stage);
        let taken = AtomicU64::new(0);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let result = pool.install(|| {
            on_threads(3, &chunks, || {
                while let Some(chunk) = chunks.next(&Cancel::new())? {
                    taken.fetch_add(1, Ordering::Relaxed);
                    if chunk.start == 0 {
                        return Err(imsprep_source::Error::Cancelled.into());
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            })
        });
        assert!(result.is_err());
        assert!(taken.into_inner() < 1000);
    }

    #[test]
    fn cancelling_ends_it() {
        let cancel = Cancel::new();
        cancel.cancel();
        let disk = MemoryImage::new("x", vec![1; 10]);
        let stage = Stage::begin(&(), "test", 10);
        assert!(Chunks::new([&disk], 10, &stage).next(&cancel).is_err());
    }
}
