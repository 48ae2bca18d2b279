//! What the machine itself can do, measured in the same run.

use std::path::Path;
use std::time::{Duration, Instant};

use imsprep_source::{AlignedBuffer, Cancel, Extent, ImageFile, is_zero};
use rayon::prelude::*;

use crate::Result;

/// Bytes that each thread tests: far more than caches hold.
const MEMORY: usize = 256 << 20;
/// Bytes of one direct read.
const PIECE: u64 = 2 << 20;
/// Direct reads in flight.
const IN_FLIGHT: usize = 8;
/// Bytes that are read from the disk, at most.
const DISK: u64 = 2 << 30;
/// With less than that, nothing is said of the disk.
const AT_LEAST: u64 = 64 << 20;
/// Measured this often; the best counts, since a limit is what is possible.
const TIMES: usize = 5;

/// Bytes for each second that `threads` threads together test for zeros in memory.
pub(crate) fn memory_rate(threads: usize) -> Option<f64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()?;
    // Filled and tested by the same thread, so that the pages are there and near.
    let buffers = pool.install(|| (0..threads).into_par_iter().map(|_| zeros_written()).collect::<Vec<_>>());
    let test = || pool.install(|| buffers.par_iter().all(|buffer| is_zero(std::hint::black_box(buffer))));
    let times = (0..TIMES).filter_map(|_| {
        let begun = Instant::now();
        test().then(|| begun.elapsed())
    });
    rate(MEMORY as u64 * threads as u64, times.min()?)
}

/// Zeros that were written to memory. Memory that was never written is one shared page of zeros, which stays in the cache.
fn zeros_written() -> Vec<u8> {
    let mut bytes = vec![1; MEMORY];
    std::hint::black_box(&mut bytes).fill(0);
    bytes
}

/// Bytes for each second that the disk gives of this file to several direct reads in flight; `None` where there are no
/// direct reads or no data.
pub(crate) fn disk_rate(path: &Path, cancel: &Cancel) -> Result<Option<f64>> {
    let image = ImageFile::open(path)?;
    let Ok(direct) = image.reopen_direct() else { return Ok(None) };
    let pieces = pieces(&image)?;
    // A few pieces are over before the disk is at its speed.
    if (pieces.len() as u64) * PIECE < AT_LEAST {
        return Ok(None);
    }
    let total = pieces.iter().map(|piece| piece.end - piece.start).sum::<u64>();
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(IN_FLIGHT).build() else { return Ok(None) };
    let mut best: Option<Duration> = None;
    for _ in 0..2 {
        let begun = Instant::now();
        pool.install(|| {
            // In the file's order, as a scan reads.
            pieces.par_iter().with_max_len(1).try_for_each_init(
                || AlignedBuffer::zeroed(usize::try_from(PIECE).unwrap_or(0)),
                |buffer, piece| {
                    cancel.check()?;
                    direct.read_once(buffer.bytes_mut(), piece.start).map(|_| ())
                },
            )
        })?;
        let time = begun.elapsed();
        best = Some(best.map_or(time, |before| before.min(time)));
    }
    Ok(best.filter(|_| total > 0).and_then(|time| rate(total, time)))
}

/// The first data of the file, in pieces that can be read directly.
fn pieces(image: &ImageFile) -> Result<Vec<Extent>> {
    let mut pieces = Vec::new();
    let mut extents = image.extents();
    let (mut at, mut left) = (0, DISK);
    while let Some(extent) = extents.data_from(at)? {
        // Whole pieces within the extent: holes cost the disk nothing.
        let start = extent.start.next_multiple_of(PIECE);
        at = start + PIECE;
        if at <= extent.end {
            pieces.push(Extent { start, end: at });
            left = left.saturating_sub(PIECE);
        }
        if left == 0 {
            break;
        }
    }
    Ok(pieces)
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn rate(bytes: u64, time: Duration) -> Option<f64> {
    let seconds = time.as_secs_f64();
    (seconds > 0.0).then(|| bytes as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_a_rate() {
        assert!(memory_rate(1).unwrap() > 1e6);
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 70 << 20]).unwrap();
        let has_direct_reads = ImageFile::open(&path).unwrap().reopen_direct().is_ok();
        let rate = disk_rate(&path, &Cancel::new()).unwrap();
        assert_eq!(rate.is_some(), has_direct_reads);
        std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(disk_rate(&path, &Cancel::new()).unwrap(), None, "nothing but a hole");
    }
}
