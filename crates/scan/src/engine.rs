//! Sharing the image out among workers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imsprep_source::{BlockMap, BlockSize, Error, ImageFile, ReadAt, ReadPattern, Result, Stage, Work};

use crate::claims::Claims;
use crate::io::{IoChoice, IoMode, choose};
use crate::part::Found;
use crate::worker::{Files, Worker};

/// How to scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// Size of a block.
    pub block_size: BlockSize,
    /// How to bring the bytes in.
    pub io: IoMode,
}

impl Default for ScanOptions {
    /// Blocks of 2 MiB, [`IoMode::Auto`].
    fn default() -> Self {
        Self { block_size: BlockSize::MIB_2, io: IoMode::Auto }
    }
}

/// What a scan found.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Which blocks hold data.
    pub map: BlockMap,
    /// Bytes that were read; the rest lay in holes, or in blocks that one page had settled.
    pub bytes_read: u64,
    /// Wall-clock time.
    pub elapsed: Duration,
    /// How the bytes were brought in.
    pub io: IoChoice,
}

/// Scans the whole image in the current rayon pool.
///
/// # Errors
///
/// I/O errors with file and offset; [`Error::Changed`] if the file is not the same after the scan as when it was
/// opened; [`Error::TooManyBlocks`]; [`Error::Cancelled`].
pub fn scan(image: &ImageFile, options: &ScanOptions, work: Work<'_>) -> Result<Scan> {
    let begun = Instant::now();
    let mut map = BlockMap::zeroed(image.path(), image.size(), options.block_size)?;
    let mut io = choose(image, options.io);
    let files = Files::open(image, &mut io);

    let stage = Stage::begin(work.progress, "scanning", image.size());
    let bytes_read = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let streaming_workers = io.streaming_workers(rayon::current_num_threads(), image.read_ahead());
    let claims = Claims::new(image, &mut map, streaming_workers);
    let work = |number: usize| -> Result<()> {
        // A descriptor of its own: the kernel keeps the place of extents and the read-ahead by descriptor. Of workers that
        // share one each would wait for the others' questions, and look to it like a jump with each read.
        let own = image.reopen().ok();
        let mut worker = Worker::new(&files, own.as_ref().unwrap_or(image), options.block_size);
        let mut found = Found::default();
        while !stop.load(Ordering::Relaxed) {
            let Some(claim) = claims.next(number, &mut found, &stage)? else { break };
            let covered = worker.scan(claim, &mut found, &|| {
                if stop.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { work.cancel.check() }
            })?;
            bytes_read.fetch_add(worker.take_bytes_read(), Ordering::Relaxed);
            stage.advance(covered);
        }
        Ok(())
    };
    in_parallel(&io, |number| {
        if let Err(error) = work(number) {
            // The first error is the one; the others are its echo.
            if !stop.swap(true, Ordering::Relaxed)
                && let Ok(mut slot) = failure.lock()
            {
                *slot = Some(error);
            }
        }
    });
    drop(stage);
    if let Some(error) = failure.into_inner().unwrap_or(None) {
        return Err(error);
    }
    drop(files);
    image.verify_unchanged()?;
    Ok(Scan { map, bytes_read: bytes_read.into_inner(), elapsed: begun.elapsed(), io })
}

/// Runs `work` on as many threads as the mode wants, and tells each its number: threads of the current pool, or, where more
/// requests should be in flight than it has threads, of a pool for this scan.
fn in_parallel(io: &IoChoice, work: impl Fn(usize) + Sync) {
    let work = &work;
    let threads = rayon::current_num_threads();
    let workers = io.workers(threads);
    let run = || {
        rayon::scope(|scope| {
            for number in 0..workers {
                scope.spawn(move |_| work(number));
            }
        });
    };
    if workers > threads
        && let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(workers).build()
    {
        pool.install(run);
    } else {
        run();
    }
}

impl<'a> Files<'a> {
    /// Opens what the mode needs. Where the system refuses a mode, `io` says so and what is done instead.
    fn open(image: &'a ImageFile, io: &mut IoChoice) -> Self {
        let direct = match io.mode {
            IoMode::Direct => match image.reopen_direct() {
                Ok(file) => Some(file),
                Err(error) => {
                    *io = IoChoice {
                        mode: IoMode::Read,
                        reason: format!("direct reads are not supported here ({error})"),
                    };
                    None
                }
            },
            _ => None,
        };
        // Told by trying: without the guard, and on some systems, nothing is mapped.
        if io.mode == IoMode::Map && image.size() > 0 && image.map(0, 1).is_none() {
            *io = IoChoice { mode: IoMode::Read, reason: "memory maps are not supported here".into() };
        }
        // Probes go through a descriptor of their own, so that the kernel does not read ahead of each.
        let probes = image.reopen_for(ReadPattern::Random).ok();
        let stream = image.reopen().ok();
        Files { probes, image, stream, direct, map: io.mode == IoMode::Map }
    }
}
