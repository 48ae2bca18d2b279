//! A scan that brings in every byte, from the first to the last, for a caller that needs them all, such as a hash.
//!
//! SHA-256 takes bytes in order and none may be left out, so the parallel scan, which settles most blocks by one page, can't
//! feed it, and reading the image once for each would double the work of a disk that is slow. Here one thread reads and tests
//! for zeros while the caller's thread takes what was read, and each buffer is read once. More readers would not help, as the
//! hash is the slow side: it took 3.4 s for 2 GiB in memory, with the processor's own instructions for it, and the scan alone
//! 0.13 s.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Instant;

use imsprep_source::{
    BlockMap, BlockSize, Cancel, Error, ImageFile, ReadAt, ReadPattern, Result, Stage, Work, is_zero,
};

use crate::{IoChoice, IoMode, Scan};

/// The next bytes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes<'a> {
    /// These.
    Data(&'a [u8]),
    /// So many zeros: a hole.
    Zeros(u64),
}

/// What one read brings in at most, and what a hole is taken in, so that a stop is heard.
const BUFFER: u64 = 2 << 20;
/// Buffers on their way: enough that neither side waits for the other's short pauses.
const BUFFERS: usize = 4;
/// Zeros that are passed on at once.
const ZEROS: u64 = 256 << 20;

/// Bytes that were read: within one block.
struct Chunk {
    start: u64,
    bytes: Vec<u8>,
    has_data: bool,
}

/// Scans the whole image and gives every byte of it, in order, to `take`, on the caller's thread. The map is that of
/// [`scan`](crate::scan()).
///
/// # Errors
///
/// As [`scan`](crate::scan()), and what `take` returns, which ends the scan.
pub fn scan_in_order(
    image: &ImageFile,
    block_size: BlockSize,
    take: &mut dyn FnMut(Bytes<'_>) -> Result<()>,
    work: Work<'_>,
) -> Result<Scan> {
    let begun = Instant::now();
    let mut map = BlockMap::zeroed(image.path(), image.size(), block_size)?;
    let stage = Stage::begin(work.progress, "scanning and hashing", image.size());
    let own = image.reopen_for(ReadPattern::Sequential).ok();
    let reader = own.as_ref().unwrap_or(image);
    let (full, taken) = sync_channel(BUFFERS);
    let (back, empty) = channel();
    let mut passed = Passed { at: 0, take, stage: &stage, cancel: work.cancel };
    let bytes_read = thread::scope(|scope| {
        let reading = thread::Builder::new()
            .spawn_scoped(scope, move || read_all(reader, block_size, &full, &empty, work.cancel))
            .map_err(|source| Error::NoThread { path: image.path().to_owned(), source })?;
        let took = take_all(taken, &back, &mut passed, &mut map, block_size);
        // With its receiver gone the reader stops, if it has not come to the end.
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        took.and(read)
    })?;
    passed.zeros_up_to(image.size())?;
    drop(stage);
    image.verify_unchanged()?;
    let io = IoChoice { mode: IoMode::Read, reason: "in order, as the hash takes it".into() };
    Ok(Scan { map, bytes_read, elapsed: begun.elapsed(), io })
}

/// Reads all data, in pieces that do not cross a block's end. Returns the bytes read.
fn read_all(
    image: &ImageFile,
    block_size: BlockSize,
    full: &SyncSender<Chunk>,
    empty: &Receiver<Vec<u8>>,
    cancel: &Cancel,
) -> Result<u64> {
    let mut extents = image.extents();
    let (mut at, mut bytes_read) = (0, 0);
    while let Some(extent) = extents.data_from(at)? {
        cancel.check()?;
        let start = extent.start;
        let block_end = (start / block_size.bytes() + 1).saturating_mul(block_size.bytes());
        let end = extent.end.min(block_end).min(start.saturating_add(BUFFER));
        let mut bytes = empty.try_recv().unwrap_or_default();
        bytes.resize(usize::try_from(end - start).unwrap_or(0), 0);
        image.read_at(&mut bytes, start)?;
        let has_data = !is_zero(&bytes);
        if full.send(Chunk { start, bytes, has_data }).is_err() {
            // The taker has stopped, and says why.
            return Ok(bytes_read);
        }
        bytes_read += end - start;
        at = end;
    }
    Ok(bytes_read)
}

fn take_all(
    taken: Receiver<Chunk>,
    back: &Sender<Vec<u8>>,
    passed: &mut Passed<'_>,
    map: &mut BlockMap,
    block_size: BlockSize,
) -> Result<()> {
    for chunk in taken {
        passed.zeros_up_to(chunk.start)?;
        passed.data(&chunk.bytes)?;
        if chunk.has_data {
            map.set(chunk.start / block_size.bytes(), true);
        }
        // The reader may be through already.
        let _ = back.send(chunk.bytes);
    }
    Ok(())
}

/// How far the image was passed on.
struct Passed<'a> {
    at: u64,
    take: &'a mut dyn FnMut(Bytes<'_>) -> Result<()>,
    stage: &'a Stage<'a>,
    cancel: &'a Cancel,
}

impl Passed<'_> {
    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.cancel.check()?;
        (self.take)(Bytes::Data(bytes))?;
        self.advance(bytes.len() as u64);
        Ok(())
    }

    fn zeros_up_to(&mut self, end: u64) -> Result<()> {
        while self.at < end {
            self.cancel.check()?;
            let count = (end - self.at).min(ZEROS);
            (self.take)(Bytes::Zeros(count))?;
            self.advance(count);
        }
        Ok(())
    }

    fn advance(&mut self, bytes: u64) {
        self.at += bytes;
        self.stage.advance(bytes);
    }
}
