//! libzstd alone, on blocks that lie in memory: what a program that compresses or expands can reach at most.

use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{BlockMap, Cancel, ImageFile, ReadAt};
use zstd::bulk::{Compressor, Decompressor};

use crate::content::BLOCK;
use crate::image::Image;
use crate::usage::{Usage, measure_here};
use crate::{Error, Result, container};

/// What libzstd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// Compresses the data blocks of a RAW, each for itself.
    Compress,
    /// Expands the payloads of a container, each for itself.
    Expand,
}

pub(crate) const NAME: &str = "libzstd in memory";
const LEVEL: i32 = 3;

impl Bare {
    /// Brings the input into memory, then does the work on so many threads, each with a context and a buffer that it
    /// keeps; only the work is measured. Returns the bytes that came out, too.
    pub(crate) fn run(
        self,
        image: &Image,
        truth: &BlockMap,
        threads: usize,
        cancel: &Cancel,
    ) -> Result<(u64, Usage)> {
        let inputs = match self {
            Self::Compress => data_blocks(image, truth, cancel)?,
            Self::Expand => container::payloads(&image.path, cancel)?,
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| failed(&error))?;
        let (bytes, usage) = match self {
            Self::Compress => measure_here(|| pool.install(|| compress(&inputs, cancel)))?,
            Self::Expand => measure_here(|| pool.install(|| expand(&inputs, cancel)))?,
        };
        let expected = truth.data_count() * BLOCK;
        if self == Self::Expand && bytes != expected {
            return Err(failed(&format!("the output has {bytes} bytes, expected {expected}")));
        }
        Ok((bytes, usage))
    }
}

fn data_blocks(image: &Image, truth: &BlockMap, cancel: &Cancel) -> Result<Vec<Vec<u8>>> {
    let file = ImageFile::open(&image.path)?;
    let read = |number: u64| {
        cancel.check()?;
        let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(0)];
        // The end of the image may cut the last one short; a container pads it with zeros.
        let there = usize::try_from(BLOCK.min(image.size - number * BLOCK)).unwrap_or(0);
        file.read_at(block.get_mut(..there).unwrap_or_default(), number * BLOCK)?;
        Ok(block)
    };
    truth.data_blocks().map(read).collect()
}

fn compress(blocks: &[Vec<u8>], cancel: &Cancel) -> Result<u64> {
    let room = zstd::zstd_safe::compress_bound(usize::try_from(BLOCK).unwrap_or(0));
    let begin = || Compressor::new(LEVEL).map(|compressor| (compressor, Vec::with_capacity(room)));
    each(blocks, cancel, begin, |(compressor, payload), block| {
        payload.clear();
        compressor.compress_to_buffer(block, payload)
    })
}

fn expand(payloads: &[Vec<u8>], cancel: &Cancel) -> Result<u64> {
    let room = usize::try_from(BLOCK).unwrap_or(0);
    let begin = || Decompressor::new().map(|decompressor| (decompressor, Vec::with_capacity(room)));
    each(payloads, cancel, begin, |(decompressor, block), payload| {
        block.clear();
        decompressor.decompress_to_buffer(payload, block)
    })
}

/// Does `step` on every input, on all threads of the pool, each with what `begin` made for it once; returns the sum.
fn each<T: Send>(
    inputs: &[Vec<u8>],
    cancel: &Cancel,
    begin: impl Fn() -> std::io::Result<T> + Sync,
    step: impl Fn(&mut T, &[u8]) -> std::io::Result<usize> + Sync,
) -> Result<u64> {
    let next = AtomicU64::new(0);
    let sums = rayon::broadcast(|_| {
        let mut tool = begin().map_err(|error| failed(&error))?;
        let mut sum = 0;
        loop {
            cancel.check()?;
            let number = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            let Some(input) = inputs.get(number) else { return Ok(sum) };
            sum += step(&mut tool, input).map_err(|error| failed(&error))? as u64;
        }
    });
    sums.into_iter().sum()
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Failed { program: NAME.into(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use imsprep_source::Work;

    fn made(case: Case, folder: &std::path::Path) -> (Image, BlockMap) {
        let image = Image::make(case, 24 << 20, folder, Work::new(&(), &Cancel::new())).unwrap();
        let truth = image.truth.clone().unwrap();
        (image, truth)
    }

    /// As many bytes as the payloads that our writer made of the same blocks, and all blocks again.
    #[test]
    fn it_does_the_same_work_as_our_program_on_any_number_of_threads() {
        let dir = tempfile::tempdir().unwrap();
        let (raw, raw_truth) = made(Case::Convert, dir.path());
        let (container, truth) = made(Case::Check, dir.path());
        let payloads = container::payloads(&container.path, &Cancel::new()).unwrap();
        let expected = payloads.iter().map(|payload| payload.len() as u64).sum::<u64>();
        for threads in [1, 2, 5] {
            let compressed = Bare::Compress.run(&raw, &raw_truth, threads, &Cancel::new()).unwrap();
            assert_eq!(compressed.0, expected, "{threads}");
            let expanded = Bare::Expand.run(&container, &truth, threads, &Cancel::new()).unwrap();
            assert_eq!(expanded.0, truth.data_count() * BLOCK, "{threads}");
        }
    }

    #[test]
    fn what_is_missing_or_damaged_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let (container, mut truth) = made(Case::Check, dir.path());
        truth.set(9, true);
        let run = |truth: &BlockMap| Bare::Expand.run(&container, truth, 2, &Cancel::new());
        assert!(run(&truth).unwrap_err().to_string().contains("the output has"));
        truth.set(9, false);
        run(&truth).unwrap();
        let mut bytes = std::fs::read(&container.path).unwrap();
        bytes[4096 + 48..][..64].fill(0xff);
        std::fs::write(&container.path, bytes).unwrap();
        assert!(matches!(run(&truth), Err(Error::Failed { .. })));
    }
}
