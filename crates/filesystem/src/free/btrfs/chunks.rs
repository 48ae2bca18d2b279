//! The chunks: which logical addresses are where on the device.

use std::ops::Range;

use imsprep_ondisk::volume::btrfs_trees::{Chunk, Key};

use super::geometry::Geometry;
use crate::{Error, Result};

/// Most chunks: 64 TiB in those of 1 GiB.
const CHUNKS_MAX: usize = 1 << 16;

/// A chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) logical: Range<u64>,
    pub(super) kind: u64,
    /// Where its copies begin on the device.
    places: Vec<u64>,
}

/// All chunks, in order of their logical addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks {
    pub(super) list: Vec<Mapped>,
    /// All of their copies on the device, in order of their places.
    stripes: Vec<Range<u64>>,
}

impl Chunks {
    /// Adds a chunk.
    pub(super) fn add(&mut self, key: Key, data: &[u8], geometry: &Geometry) -> Result<()> {
        let (chunk, stripes) = data.split_first_chunk().ok_or_else(nonsense)?;
        let chunk = Chunk::decode(chunk);
        let copies = match chunk.kind & !Chunk::CONTENT {
            0 => 1,
            Chunk::DUPLICATE => 2,
            kind => {
                return Err(Error::refused(format!(
                    "its chunks are spread by {kind:#x}, which is not supported"
                )));
            }
        };
        let end = key.offset.checked_add(chunk.length).filter(|_| chunk.length > 0).ok_or_else(nonsense)?;
        if key.kind != Key::CHUNK || usize::from(chunk.stripes) != copies || self.list.len() >= CHUNKS_MAX {
            return Err(nonsense());
        }
        let mut places = Vec::new();
        let (stripes, after) = stripes.as_chunks::<{ Chunk::STRIPE }>();
        for stripe in stripes {
            let word = |at: usize| {
                stripe
                    .get(at..)
                    .and_then(|rest| rest.first_chunk())
                    .map_or(0, |word| u64::from_le_bytes(*word))
            };
            let (device, place) = (word(0), word(8));
            let end =
                place.checked_add(chunk.length).filter(|end| *end <= geometry.size).ok_or_else(nonsense)?;
            if device != geometry.superblock.device {
                return Err(Error::refused("it has chunks on another device"));
            }
            places.push(place);
            self.stripes.push(place..end);
        }
        if places.len() != copies || !after.is_empty() {
            return Err(nonsense());
        }
        self.list.push(Mapped { logical: key.offset..end, kind: chunk.kind, places });
        Ok(())
    }

    /// Sorts what was added, in which no two may be in the same place.
    pub(super) fn sort(&mut self) -> Result<()> {
        self.list.sort_unstable_by_key(|chunk| chunk.logical.start);
        self.stripes.sort_unstable_by_key(|stripe| stripe.start);
        let is_apart = |pair: &[Range<u64>]| matches!(pair, [one, other] if one.end <= other.start);
        let is_apart_too =
            |pair: &[Mapped]| matches!(pair, [one, other] if one.logical.end <= other.logical.start);
        if self.stripes.windows(2).all(is_apart) && self.list.windows(2).all(is_apart_too) {
            return Ok(());
        }
        Err(Error::corrupt("two of its chunks are in the same place"))
    }

    /// The copies of all chunks on the device, in order.
    pub(super) fn stripes(&self) -> &[Range<u64>] {
        &self.stripes
    }

    /// The chunk that has a logical address, by its number.
    pub(super) fn find(&self, address: u64) -> Option<usize> {
        let number = self.list.partition_point(|chunk| chunk.logical.end <= address);
        self.list.get(number).filter(|chunk| chunk.logical.start <= address).map(|_| number)
    }

    /// Where the copies of logical addresses are on the device, all of which have to be in one chunk.
    pub(super) fn places(&self, logical: Range<u64>) -> Result<Vec<Range<u64>>> {
        let chunk = self.find(logical.start).and_then(|number| self.list.get(number));
        let chunk = chunk.filter(|chunk| logical.end <= chunk.logical.end && logical.start < logical.end);
        let chunk = chunk.ok_or_else(|| {
            Error::corrupt(format!("the address {} is in none of its chunks", logical.start))
        })?;
        let within = logical.start.saturating_sub(chunk.logical.start);
        let length = logical.end.saturating_sub(logical.start);
        let place = |place: &u64| {
            let start = place.saturating_add(within);
            start..start.saturating_add(length)
        };
        Ok(chunk.places.iter().map(place).collect())
    }

    /// What of a device of `size` bytes is in no chunk.
    pub(super) fn outside(&self, size: u64) -> Vec<Range<u64>> {
        let starts = std::iter::once(0).chain(self.stripes.iter().map(|stripe| stripe.end));
        let ends = self.stripes.iter().map(|stripe| stripe.start).chain([size]);
        starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
    }
}

pub(super) fn nonsense() -> Error {
    Error::corrupt("a chunk makes no sense")
}
