//! The free space of XFS: the extents in the trees of its allocation groups.
//!
//! Each group has the same extents in two trees, by place and by length, which are held against each other and against the counts in
//! the group's header; those are held against the superblock.

mod geometry;
mod group;
mod log;
mod tree;

use super::FreeSpace;
use crate::cached::Cached;
use crate::{Error, Result};
use geometry::Geometry;

/// Reads the free space of a volume that has the magic.
pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let geometry = Geometry::read(disk)?;
    log::check(disk, geometry.log.clone())?;
    let mut free = FreeSpace::new(geometry.blocks.saturating_mul(geometry.block_size));
    let mut counted = 0_u64;
    for number in 0..geometry.groups {
        counted = counted.saturating_add(group::read(disk, &geometry, number, &mut free)?);
    }
    if counted != geometry.free_blocks {
        return Err(Error::corrupt(format!(
            "its superblock counts {} free blocks, and its groups {counted}",
            geometry.free_blocks
        )));
    }
    Ok(free)
}
