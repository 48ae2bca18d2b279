//! Files of which only what is not zero is in the fuzzer's input: a container has half a megabyte of index for three entries,
//! and a superblock may stand a gigabyte from the next one.
//!
//! ```text
//! size           u64
//! then, as often as there is something left:
//!   sector       u32   where the bytes belong, in units of 512
//!   length       u16
//!   bytes        as many; what comes later lies over what came before
//! ```
//!
//! All numbers are little-endian.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{DiskReader, Error, Extent, ReadAt, Result};

/// Stretches that are taken from an input; the rest of it is passed over.
const CHUNKS: usize = 256;
const SECTOR: u64 = 512;

/// A file of mostly zeros, which counts what is read of it.
#[derive(Default)]
pub struct SparseFile {
    size: u64,
    chunks: Vec<(u64, Vec<u8>)>,
    reads: AtomicU64,
    bytes: AtomicU64,
    outside: AtomicU64,
}

/// What was read of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Calls.
    pub count: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Calls that reached beyond the end.
    pub outside: u64,
}

impl SparseFile {
    /// The file in an input, cut to `most` bytes.
    pub fn decode(input: &[u8], most: u64) -> Self {
        let mut file = Self::default();
        let Some((size, mut rest)) = input.split_first_chunk() else { return file };
        file.size = u64::from_le_bytes(*size).min(most);
        while let Some(([a, b, c, d, e, f], after)) = rest.split_first_chunk() {
            if file.chunks.len() == CHUNKS {
                break;
            }
            let length = usize::from(u16::from_le_bytes([*e, *f])).min(after.len());
            let (bytes, after) = after.split_at(length);
            file.write(u64::from(u32::from_le_bytes([*a, *b, *c, *d])) * SECTOR, bytes.to_vec());
            rest = after;
        }
        file
    }

    /// The input for a file: all its sectors that are not zero. The end of the file needs none.
    pub fn encode(size: u64, sectors: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<u8> {
        let mut input = size.to_le_bytes().to_vec();
        for (at, bytes) in sectors {
            assert!(at % SECTOR == 0 && at / SECTOR <= u64::from(u32::MAX), "a seed has bytes at {at}");
            input.extend(((at / SECTOR) as u32).to_le_bytes());
            input.extend((bytes.len() as u16).to_le_bytes());
            input.extend(bytes);
        }
        input
    }

    /// The input for a file that is at hand.
    pub fn encode_bytes(file: &[u8]) -> Vec<u8> {
        let input = Self::encode(file.len() as u64, Self::stretches(file));
        // No more than it holds, or the rest of the target would be tried on something else.
        assert!(Self::decode(&input, u64::MAX).to_vec() == file || Self::stretches(file).len() > CHUNKS);
        input
    }

    /// The stretches of a file that are not zero, in whole sectors, none of more bytes than a chunk can have.
    pub fn stretches(file: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut chunks: Vec<(u64, Vec<u8>)> = Vec::new();
        for (number, sector) in file.chunks(SECTOR as usize).enumerate() {
            let at = number as u64 * SECTOR;
            if sector.iter().all(|byte| *byte == 0) {
                continue;
            }
            match chunks.last_mut() {
                Some((start, bytes)) if *start + bytes.len() as u64 == at && bytes.len() < 32 << 10 => {
                    bytes.extend(sector);
                }
                _ => chunks.push((at, sector.to_vec())),
            }
        }
        chunks
    }

    /// Lays these bytes over what is there. What lies beyond the end is cut off.
    pub fn write(&mut self, at: u64, mut bytes: Vec<u8>) {
        let room = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        bytes.truncate(room);
        if !bytes.is_empty() {
            self.chunks.push((at, bytes));
        }
    }

    /// A larger file, with these bytes at its beginning and this one from `start` on.
    pub fn moved_behind(&self, start: u64, head: Vec<u8>) -> Self {
        let moved = self.chunks.iter().map(|(at, bytes)| (at + start, bytes.clone()));
        let chunks = std::iter::once((0, head)).chain(moved).collect();
        Self { size: self.size + start, chunks, ..Self::default() }
    }

    /// `N` bytes, if they are there, without counting the read.
    pub fn peek<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        at.checked_add(N as u64).filter(|end| *end <= self.size)?;
        self.copy(&mut bytes, at);
        Some(bytes)
    }

    /// The whole file.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.size).expect("a size that a vector can have")];
        self.copy(&mut bytes, 0);
        bytes
    }

    /// What was read since the last time.
    pub fn take_reads(&self) -> Reads {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        Reads { count: take(&self.reads), bytes: take(&self.bytes), outside: take(&self.outside) }
    }

    fn copy(&self, buf: &mut [u8], offset: u64) {
        buf.fill(0);
        let end = offset + buf.len() as u64;
        for (at, bytes) in &self.chunks {
            let (from, to) = (offset.max(*at), end.min(at + bytes.len() as u64));
            if from < to {
                let source = &bytes[(from - at) as usize..(to - at) as usize];
                buf[(from - offset) as usize..(to - offset) as usize].copy_from_slice(source);
            }
        }
    }
}

impl ReadAt for SparseFile {
    fn path(&self) -> &Path {
        Path::new("fuzzed")
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.size) {
            self.outside.fetch_add(1, Ordering::Relaxed);
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size });
        }
        self.copy(buf, offset);
        Ok(())
    }
}

impl DiskReader for SparseFile {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let end = self.size;
        Ok((offset < end).then_some(Extent { start: offset, end }))
    }
}
