//! Blocks that are read in order, neighbours together.

use crate::cached::Cached;
use crate::{Error, Result};

/// Most bytes that are read at once.
const READ_MAX: u64 = 1 << 20;

/// Blocks at the given places.
pub(super) struct Blocks<'d, 'a> {
    disk: &'d Cached<'a>,
    block_size: u64,
    places: Vec<u64>,
    /// How many were handed over.
    done: usize,
    /// How many were read.
    read: usize,
    bytes: Vec<u8>,
}

impl<'d, 'a> Blocks<'d, 'a> {
    pub(super) fn new(disk: &'d Cached<'a>, block_size: u64, places: Vec<u64>) -> Self {
        Self { disk, block_size, places, done: 0, read: 0, bytes: Vec::new() }
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<&[u8]> {
        if self.done == self.read {
            self.read_more()?;
        }
        let size = usize::try_from(self.block_size).unwrap_or(usize::MAX);
        let left = self.read - self.done;
        self.done += 1;
        // The last `left` blocks of what was read are those that were not handed over.
        let at = left.checked_mul(size).and_then(|left| self.bytes.len().checked_sub(left));
        at.and_then(|at| self.bytes.get(at..)?.get(..size))
            .ok_or_else(|| Error::corrupt("a block is cut off"))
    }

    fn read_more(&mut self) -> Result<()> {
        let rest = self.places.get(self.read..).unwrap_or_default();
        let first = *rest.first().ok_or_else(|| Error::corrupt("a block is missing"))?;
        let follow = (first..).zip(rest).take_while(|(expected, place)| expected == *place).count();
        let most = usize::try_from(READ_MAX / self.block_size).unwrap_or(1).max(1);
        let count = follow.min(most);
        let length = usize::try_from(self.block_size).ok().and_then(|size| size.checked_mul(count));
        self.bytes.resize(length.ok_or_else(|| Error::limit("blocks are too large"))?, 0);
        self.disk.read_once(first.saturating_mul(self.block_size), &mut self.bytes)?;
        self.read += count;
        Ok(())
    }
}
