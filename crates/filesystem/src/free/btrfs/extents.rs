//! The extents in chunks, the gaps between them, and what the groups count.

use std::ops::Range;

use imsprep_ondisk::volume::btrfs_trees::Key;

use super::chunks::Chunks;
use crate::free::FreeSpace;
use crate::{Error, Result};

/// The extents of all chunks, which come in order.
pub(super) struct Extents<'c> {
    chunks: &'c Chunks,
    node_size: u64,
    groups: Vec<Group>,
    /// The chunk that the last extent was in.
    current: usize,
    /// Up to where in it is known what is free.
    at: u64,
    /// Free places on the device, in any order.
    free: Vec<Range<u64>>,
}

/// What is known of a chunk.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    /// Bytes of its extents.
    held: u64,
    /// The same by its own count.
    counted: Option<u64>,
}

impl<'c> Extents<'c> {
    pub(super) fn new(chunks: &'c Chunks, node_size: u64) -> Self {
        let at = chunks.list.first().map_or(0, |chunk| chunk.logical.start);
        let groups = vec![Group::default(); chunks.list.len()];
        Self { chunks, node_size, groups, current: 0, at, free: Vec::new() }
    }

    /// Takes an item of the tree of extents.
    pub(super) fn add(&mut self, key: Key, data: &[u8]) -> Result<()> {
        match key.kind {
            Key::EXTENT => self.extent(key.object, key.offset),
            Key::NODE => self.extent(key.object, self.node_size),
            Key::GROUP => self.group(key, data),
            _ => Ok(()),
        }
    }

    fn extent(&mut self, start: u64, length: u64) -> Result<()> {
        let wrong = || Error::corrupt(format!("the extent at {start} makes no sense"));
        let end = start.checked_add(length).filter(|_| length > 0).ok_or_else(wrong)?;
        let number = self.chunks.find(start).ok_or_else(wrong)?;
        self.skip_to(number)?;
        let chunk = self.chunks.list.get(number).ok_or_else(wrong)?;
        if start < self.at || end > chunk.logical.end {
            return Err(wrong());
        }
        self.gap(start)?;
        self.at = end;
        let group = self.groups.get_mut(number).ok_or_else(wrong)?;
        group.held = group.held.saturating_add(length);
        Ok(())
    }

    fn group(&mut self, key: Key, data: &[u8]) -> Result<()> {
        let wrong = || Error::corrupt(format!("the group at {} is none of its chunks", key.object));
        let number = self.chunks.find(key.object).ok_or_else(wrong)?;
        let chunk = self.chunks.list.get(number).ok_or_else(wrong)?;
        let word = |at: usize| {
            data.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u64::from_le_bytes(*word))
        };
        let end = key.object.checked_add(key.offset);
        let is_same = chunk.logical.start == key.object
            && end == Some(chunk.logical.end)
            && word(16) == Some(chunk.kind);
        let group = self.groups.get_mut(number).filter(|group| is_same && group.counted.is_none());
        group.ok_or_else(wrong)?.counted = word(0);
        Ok(())
    }

    /// Goes on to a later chunk: what is behind the last extent of those before is free.
    fn skip_to(&mut self, number: usize) -> Result<()> {
        while self.current < number {
            let end = self.chunks.list.get(self.current).map_or(0, |chunk| chunk.logical.end);
            self.gap(end)?;
            self.current += 1;
            self.at = self.chunks.list.get(self.current).map_or(end, |chunk| chunk.logical.start);
        }
        Ok(())
    }

    /// Adds what is free up to an address in the chunk.
    fn gap(&mut self, end: u64) -> Result<()> {
        if self.at < end {
            let places = self.chunks.places(self.at..end)?;
            if self.free.len() + places.len() > FreeSpace::RANGES_MAX {
                return Err(Error::limit(format!(
                    "free space is in more than {} ranges",
                    FreeSpace::RANGES_MAX
                )));
            }
            self.free.extend(places);
        }
        Ok(())
    }

    /// What is free on the device within the chunks, in any order; `used` is the sum of all extents by the superblock.
    pub(super) fn finish(mut self, used: u64) -> Result<Vec<Range<u64>>> {
        self.skip_to(self.chunks.list.len())?;
        for (group, chunk) in self.groups.iter().zip(&self.chunks.list) {
            if group.counted != Some(group.held) {
                return Err(Error::corrupt(format!(
                    "the chunk at {} has extents of {} bytes, and its group counts {}",
                    chunk.logical.start,
                    group.held,
                    group.counted.map_or("nothing".to_owned(), |counted| counted.to_string())
                )));
            }
        }
        let held: u64 = self.groups.iter().map(|group| group.held).fold(0, u64::saturating_add);
        if held != used {
            return Err(Error::corrupt(format!("its superblock counts {used} bytes, and its groups {held}")));
        }
        Ok(self.free)
    }
}
