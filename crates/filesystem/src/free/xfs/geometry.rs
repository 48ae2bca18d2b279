//! What the superblock says, checked.

use std::ops::Range;

use imsprep_ondisk::volume::xfs::Superblock;
use imsprep_ondisk::volume::xfs_space::SpaceSuperblock;

use crate::cached::Cached;
use crate::crc32c;
use crate::{Error, Result};

/// Features of version 4 with which free space is counted as here: attributes, links, quota, alignment, stripes, log, sectors, unwritten
/// extents, directories, names without case, and those in `features_2`.
const VERSION_4: u16 = 0xfdf0;
/// The same in `features_2`: lazy counts, attributes, projects, checksums, types in directories.
const FEATURES_2: u32 = 0x2 | 0x8 | 0x80 | 0x100 | 0x200;
/// Read-only compatible features: trees of free inodes and of owners, shared extents, counts of trees.
const READ_ONLY: u32 = 0x1 | 0x2 | 0x4 | 0x8;
/// Incompatible features: types in directories, inodes anywhere, UUID of structures, times, many extents, exchanges, parents. Without
/// repair, and groups of real time.
const INCOMPATIBLE: u32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x40 | 0x80;

/// The numbers of a file system.
#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) block_size: u64,
    pub(super) sector_size: u64,
    pub(super) blocks: u64,
    pub(super) groups: u32,
    pub(super) group_blocks: u64,
    pub(super) free_blocks: u64,
    /// Where the log is, in bytes.
    pub(super) log: Range<u64>,
    /// Whether structures have checksums, their own places and this UUID.
    pub(super) uuid: Option<[u8; 16]>,
    /// Whether groups have a tree of owners.
    pub(super) has_owners: bool,
}

impl Geometry {
    pub(super) fn read(disk: &Cached<'_>) -> Result<Self> {
        let bytes = disk.array(0)?;
        let superblock = Superblock::decode(&bytes);
        let space = SpaceSuperblock::decode(&bytes);
        let is_5 = match space.version & 0xf {
            5 => true,
            4 => false,
            version => {
                return Err(Error::refused(format!("is of version {version}, which is not supported")));
            }
        };
        let is_sector = space.sector_size.is_power_of_two() && (512..=32768).contains(&space.sector_size);
        if !is_sector {
            return Err(nonsense());
        }
        if is_5 {
            let mut sector = vec![0; space.sector_size.into()];
            disk.read(0, &mut sector)?;
            if !has_checksum(&mut sector, SpaceSuperblock::CHECKSUM_OFFSET) {
                return Err(Error::corrupt("its superblock has a wrong checksum"));
            }
        }
        check_features(&superblock, &space, is_5)?;
        let geometry = Self::of(&superblock, &space, is_5).ok_or_else(nonsense)?;
        if geometry.blocks.checked_mul(geometry.block_size).is_none_or(|size| size > disk.size()) {
            return Err(Error::corrupt(format!(
                "it has {} blocks of {} bytes, and the volume has only {} bytes",
                geometry.blocks,
                geometry.block_size,
                disk.size()
            )));
        }
        Ok(geometry)
    }

    /// The numbers, if they agree with each other.
    fn of(superblock: &Superblock, space: &SpaceSuperblock, is_5: bool) -> Option<Self> {
        let block_size = u64::from(superblock.basic.block_size);
        let group_blocks = u64::from(superblock.group_blocks);
        let is_block = block_size.is_power_of_two()
            && (512..=65536).contains(&block_size)
            && u64::from(space.sector_size) <= block_size;
        // A group has 64 blocks and more, and 16 MiB except on tiny volumes.
        let is_group = group_blocks >= 64
            && superblock.group_log < 32
            && group_blocks <= 1 << superblock.group_log
            && superblock.blocks.div_ceil(group_blocks) == u64::from(space.groups);
        if !is_block || !is_group {
            return None;
        }
        let place = (superblock.log_start >> superblock.group_log)
            .checked_mul(group_blocks)?
            .checked_add(superblock.log_start & ((1 << superblock.group_log) - 1))?;
        let log_end = place.checked_add(superblock.log_blocks.into())?;
        if superblock.log_blocks == 0 || log_end > superblock.blocks {
            return None;
        }
        let has_own_uuid = space.incompatible & SpaceSuperblock::INCOMPATIBLE_UUID != 0;
        let uuid = if has_own_uuid { space.structures_uuid } else { superblock.uuid };
        Some(Self {
            block_size,
            sector_size: space.sector_size.into(),
            blocks: superblock.blocks,
            groups: space.groups,
            group_blocks,
            free_blocks: space.free_blocks,
            log: place.checked_mul(block_size)?..log_end.checked_mul(block_size)?,
            uuid: is_5.then_some(uuid),
            has_owners: is_5 && space.read_only_compatible & SpaceSuperblock::READ_ONLY_OWNERS != 0,
        })
    }

    /// Blocks of a group. The last one may be short.
    pub(super) fn length_of(&self, group: u32) -> u64 {
        self.blocks.saturating_sub(self.first_of(group)).min(self.group_blocks)
    }

    /// First block of a group.
    pub(super) fn first_of(&self, group: u32) -> u64 {
        u64::from(group).saturating_mul(self.group_blocks)
    }
}

fn check_features(superblock: &Superblock, space: &SpaceSuperblock, is_5: bool) -> Result<()> {
    if superblock.in_progress != 0 {
        return Err(Error::refused("it was not made to the end"));
    }
    if is_5 && space.incompatible & Superblock::INCOMPATIBLE_NEEDS_REPAIR != 0 {
        return Err(Error::refused("it has to be repaired"));
    }
    if superblock.log_start == 0 {
        return Err(Error::refused("its log is on another device"));
    }
    if space.realtime != [0; 2] {
        return Err(Error::refused("a part of it is on a device for real time"));
    }
    let has_2 = is_5 || space.version & SpaceSuperblock::VERSION_MORE != 0;
    let unknown = if is_5 {
        u64::from(space.incompatible & !INCOMPATIBLE) << 32
            | u64::from(space.read_only_compatible & !READ_ONLY)
            | u64::from(space.log_incompatible)
    } else {
        let unknown_2 = if has_2 { space.features_2 & !FEATURES_2 } else { 0 };
        u64::from(space.version & !0xf & !VERSION_4) << 32 | u64::from(unknown_2)
    };
    if unknown != 0 {
        return Err(Error::refused(format!(
            "uses features with which free space is not known: {unknown:#x}"
        )));
    }
    let is_lazy = is_5 || (has_2 && space.features_2 & SpaceSuperblock::FEATURE_LAZY != 0);
    if !is_lazy {
        return Err(Error::refused("its groups do not count the blocks of their trees"));
    }
    Ok(())
}

/// Whether a structure has the right checksum at this place, whose bytes are set to 0.
pub(super) fn has_checksum(bytes: &mut [u8], offset: usize) -> bool {
    let Some(place) = bytes.get_mut(offset..).and_then(|rest| rest.first_chunk_mut::<4>()) else {
        return false;
    };
    let sum = u32::from_le_bytes(*place);
    *place = [0; 4];
    crc32c::sum(bytes) == sum
}

fn nonsense() -> Error {
    Error::corrupt("its superblock makes no sense")
}
