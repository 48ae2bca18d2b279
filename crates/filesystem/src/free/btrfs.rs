//! The free space of Btrfs: what no chunk has, and in chunks the gaps between the extents.
//!
//! Chunks are held against the stripes in the tree of devices; extents against the groups that count them and the superblock. Only volumes
//! of one device are read, whose chunks are there once or twice.

mod chunk_tree;
mod chunks;
mod extents;
mod geometry;
mod tree;

use std::ops::Range;
use std::rc::Rc;

use imsprep_ondisk::volume::btrfs_trees::{Key, TreeRoot};

use super::FreeSpace;
use crate::cached::Cached;
use crate::{Error, Result};
use extents::Extents;
use geometry::Geometry;
use tree::Trees;

/// What Btrfs never uses for anything else: the first MiB, and 64 KiB for each further copy of the superblock. These may lie in chunks.
const KEPT: [Range<u64>; 3] =
    [0..1 << 20, 64 << 20..(64 << 20) + (64 << 10), 256 << 30..(256 << 30) + (64 << 10)];

/// Reads the free space of a volume that has the magic.
pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let geometry = Geometry::read(disk)?;
    let mut trees = Trees::new(disk, &geometry);
    let chunks = Rc::new(chunk_tree::read(&mut trees, &geometry)?);
    trees.chunks = Rc::clone(&chunks);
    let extents_at = trees.find(TreeRoot::EXTENTS)?;
    check_stripes(&mut trees, &geometry)?;
    let mut extents = Extents::new(&chunks, u64::from(geometry.node_size));
    trees.walk(&extents_at, TreeRoot::EXTENTS, &mut |key, data| extents.add(key, data))?;
    let mut ranges = extents.finish(geometry.superblock.bytes_used)?;
    ranges.extend(chunks.outside(geometry.size));
    ranges.sort_unstable_by_key(|range| range.start);
    let mut free = FreeSpace::new(geometry.size);
    for range in ranges {
        push_without_kept(&mut free, range)?;
    }
    for node in &trees.nodes {
        for held in chunks.places(*node..node.saturating_add(geometry.node_size.into()))? {
            let next = free.ranges().partition_point(|range| range.end <= held.start);
            if free.ranges().get(next).is_some_and(|range| range.start < held.end) {
                return Err(Error::corrupt(format!("its tree of extents lacks the node at {node}")));
            }
        }
    }
    Ok(free)
}

fn push_without_kept(free: &mut FreeSpace, range: Range<u64>) -> Result<()> {
    let mut start = range.start;
    for kept in KEPT {
        if start >= range.end {
            break;
        }
        if kept.start > start && kept.start < range.end {
            free.push(start..kept.start)?;
        }
        if kept.end > start && kept.start < range.end {
            start = kept.end;
        }
    }
    if start < range.end { free.push(start..range.end) } else { Ok(()) }
}

/// Holds the chunks against the stripes that the device has by its own tree.
fn check_stripes(trees: &mut Trees<'_, '_>, geometry: &Geometry) -> Result<()> {
    let devices_at = trees.find(TreeRoot::DEVICES)?;
    let device = geometry.superblock.device;
    let mut stripes = Vec::new();
    trees.walk(&devices_at, TreeRoot::DEVICES, &mut |key, data| {
        if key.kind == Key::STRIPE {
            let length =
                data.get(24..).and_then(|rest| rest.first_chunk()).map(|length| u64::from_le_bytes(*length));
            let end = length.and_then(|length| key.offset.checked_add(length));
            let end = end.filter(|_| key.object == device);
            stripes.push(key.offset..end.ok_or_else(|| Error::corrupt("a stripe makes no sense"))?);
        }
        Ok(())
    })?;
    if trees.chunks.stripes() != stripes.as_slice() {
        return Err(Error::corrupt("its chunks have other stripes than its device"));
    }
    Ok(())
}
