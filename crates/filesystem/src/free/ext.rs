//! The free space of ext2, ext3 and ext4: what the bitmaps of the groups leave over.
//!
//! Bitmaps are held against the checksums and counts in the descriptors, the counts against the superblock, and what is free against
//! the places of everything that the file system itself keeps: a group that lacks a bitmap has nothing else.

mod bits;
mod blocks;
mod geometry;
mod groups;

use std::ops::Range;

use super::FreeSpace;
use crate::cached::Cached;
use crate::{Error, Result};
use blocks::Blocks;
use geometry::Geometry;
use groups::{Group, Groups};

/// Reads the free space of a volume that has the magic.
pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let geometry = Geometry::read(disk)?;
    let groups = Groups::read(disk, &geometry)?;
    let places =
        groups.list.iter().filter(|group| group.has_bitmap).map(|group| group.block_bitmap).collect();
    let mut bitmaps = Blocks::new(disk, geometry.block_size, places);
    let mut space = Space::new(&geometry, &groups.metadata);
    for (number, group) in (0..).zip(&groups.list) {
        space.clusters = 0;
        if group.has_bitmap {
            let bitmap = bitmaps.next()?;
            group.check_bitmap(&geometry, number, bitmap)?;
            let clusters = geometry.clusters_of(number);
            bits::zeros(bitmap, clusters, |run| space.add_clusters(number, run))?;
        } else {
            space.add_without_bitmap(number)?;
        }
        check_count(number, group, space.clusters)?;
    }
    let counted = space.all_clusters.saturating_mul(geometry.ratio);
    if counted != geometry.free_blocks {
        return Err(Error::corrupt(format!(
            "its superblock counts {} free blocks, and its groups {counted}",
            geometry.free_blocks
        )));
    }
    Ok(space.free)
}

fn check_count(number: u64, group: &Group, found: u64) -> Result<()> {
    if found == group.free_clusters {
        return Ok(());
    }
    let kind = if group.has_bitmap { "its bitmap has" } else { "without a bitmap it has" };
    Err(Error::corrupt(format!(
        "the descriptor of group {number} counts {} free clusters, and {kind} {found}",
        group.free_clusters
    )))
}

/// What was found to be free so far.
struct Space<'l> {
    geometry: &'l Geometry,
    /// Blocks that the file system itself keeps, ascending.
    metadata: &'l [Range<u64>],
    /// The first of them that does not end before what was added last.
    next: usize,
    free: FreeSpace,
    /// Free clusters of this group, and of all so far.
    clusters: u64,
    all_clusters: u64,
}

impl<'l> Space<'l> {
    fn new(geometry: &'l Geometry, metadata: &'l [Range<u64>]) -> Self {
        let free = FreeSpace::new(geometry.blocks.saturating_mul(geometry.block_size));
        Self { geometry, metadata, next: 0, free, clusters: 0, all_clusters: 0 }
    }

    /// Adds free clusters of a group.
    fn add_clusters(&mut self, number: u64, run: Range<u64>) -> Result<()> {
        let count = run.end.saturating_sub(run.start);
        self.clusters = self.clusters.saturating_add(count);
        self.all_clusters = self.all_clusters.saturating_add(count);
        let first = self.geometry.first_of(number);
        let block = |cluster: u64| first.saturating_add(cluster.saturating_mul(self.geometry.ratio));
        let blocks = block(run.start)..block(run.end).min(self.geometry.blocks);
        while let Some(metadata) = self.metadata.get(self.next) {
            if metadata.end > blocks.start {
                if metadata.start < blocks.end {
                    return Err(Error::corrupt(format!(
                        "its bitmap has the block {} free, which holds the file system's own data",
                        metadata.start.max(blocks.start)
                    )));
                }
                break;
            }
            self.next += 1;
        }
        let size = self.geometry.block_size;
        self.free.push(blocks.start.saturating_mul(size)..blocks.end.saturating_mul(size))
    }

    /// Adds the clusters of a group in which the file system itself has nothing.
    fn add_without_bitmap(&mut self, number: u64) -> Result<()> {
        let metadata = self.metadata;
        let first = self.geometry.first_of(number);
        let clusters = self.geometry.clusters_of(number);
        let end = first.saturating_add(clusters.saturating_mul(self.geometry.ratio));
        let mut free_from = 0;
        let from = metadata.partition_point(|held| held.end <= first);
        for held in metadata.iter().skip(from).take_while(|held| held.start < end) {
            let start = held.start.saturating_sub(first) / self.geometry.ratio;
            if start > free_from {
                self.add_clusters(number, free_from..start)?;
            }
            free_from = free_from.max(held.end.saturating_sub(first).div_ceil(self.geometry.ratio));
        }
        if free_from < clusters { self.add_clusters(number, free_from..clusters) } else { Ok(()) }
    }
}
