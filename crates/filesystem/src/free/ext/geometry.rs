//! What the superblock says, checked.

use imsprep_ondisk::disk::ExtSuperblock as Basic;
use imsprep_ondisk::volume::ext::Superblock;
use imsprep_ondisk::volume::ext_space::{SpaceDescriptor, SpaceSuperblock};

use crate::cached::Cached;
use crate::crc32c::with_seed;
use crate::{Error, Result};

/// Incompatible features with which free space is counted as here: file types, groups of descriptors, extents, 64 bits, protection
/// against two mounts, flexible groups, attributes in inodes, a seed of checksums, large directories, content in inodes, encryption,
/// case folding.
const INCOMPATIBLE: u32 =
    0x2 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000;
/// The same of read-only compatible ones: few superblocks, large files, trees of names, huge files, checksums of descriptors, many links,
/// large inodes, quota, clusters, checksums, "read-only", projects, verity. Without snapshots, replicas and shared blocks.
const READ_ONLY: u32 =
    0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x8000;
/// The same of compatible ones: preallocation, AFS, journal, attributes, blocks for descriptors, indexes, two superblocks, fast commits,
/// stable inodes, a file of orphans. Without snapshots and groups that lack tables.
const COMPATIBLE: u32 = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x200 | 0x400 | 0x800 | 0x1000;
/// Fewest blocks of a group, which is the least that mke2fs makes.
const GROUP_BLOCKS_MIN: u64 = 256;
/// Most groups: 128 TiB in blocks of 4 KiB.
const GROUPS_MAX: u64 = 1 << 20;

/// The numbers of a file system.
#[derive(Debug)]
pub(super) struct Geometry {
    pub(super) superblock: Superblock,
    pub(super) block_size: u64,
    /// Blocks of a cluster.
    pub(super) ratio: u64,
    /// Blocks, with those before the first group.
    pub(super) blocks: u64,
    pub(super) first: u64,
    pub(super) blocks_per_group: u64,
    pub(super) groups: u64,
    /// Blocks of the table of inodes of a group.
    pub(super) table_blocks: u64,
    pub(super) descriptor_size: usize,
    pub(super) reserved_descriptor_blocks: u64,
    pub(super) free_blocks: u64,
    pub(super) checksums: Checksums,
}

/// Which checksums there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Checksums {
    None,
    /// CRC-16 of descriptors.
    Descriptors,
    /// CRC-32C of everything, from this seed on.
    All(u32),
}

impl Geometry {
    pub(super) fn read(disk: &Cached<'_>) -> Result<Self> {
        let bytes = disk.array(Basic::OFFSET)?;
        let superblock = Superblock::decode(&bytes);
        let space = SpaceSuperblock::decode(&bytes);
        check_features(&superblock)?;
        let checksums = checksums(&bytes, &superblock, &space)?;
        check_state(&superblock, &space)?;
        let geometry = Self::of(superblock, &space, checksums).ok_or_else(nonsense)?;
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
    fn of(superblock: Superblock, space: &SpaceSuperblock, checksums: Checksums) -> Option<Self> {
        let basic = &superblock.basic;
        if !basic.is_plausible() || superblock.revision > 1 {
            return None;
        }
        let block_size = 1024_u64 << basic.log_block_size;
        let is_64 = basic.incompatible & Superblock::INCOMPATIBLE_64BIT != 0;
        let wide = |low: u32, high: u32| u64::from(low) | if is_64 { u64::from(high) << 32 } else { 0 };
        let blocks = wide(basic.blocks, superblock.blocks_high);
        let blocks_per_group = u64::from(basic.blocks_per_group);
        let has_clusters = basic.read_only_compatible & Basic::READ_ONLY_BIGALLOC != 0;
        let ratio = if has_clusters {
            1_u64.checked_shl(space.log_cluster_size.checked_sub(basic.log_block_size)?)?
        } else {
            1
        };
        let clusters = blocks_per_group / ratio;
        let is_group = blocks_per_group >= GROUP_BLOCKS_MIN
            && clusters.checked_mul(ratio) == Some(blocks_per_group)
            && clusters <= block_size * 8
            && clusters.is_multiple_of(8)
            && (!has_clusters || clusters == u64::from(space.clusters_per_group));
        let first = u64::from(basic.first_data_block);
        let inode_size = if superblock.revision == 0 { 128 } else { u64::from(superblock.inode_size) };
        let inodes = u64::from(superblock.inodes_per_group);
        let descriptor_size =
            if is_64 { usize::from(superblock.descriptor_size) } else { SpaceDescriptor::SIZE_SHORT };
        let is_descriptor = descriptor_size.is_power_of_two()
            && (!is_64 || (SpaceDescriptor::SIZE..=1024).contains(&descriptor_size));
        let is_inode = (128..=block_size).contains(&inode_size)
            && inode_size.is_power_of_two()
            && inodes > 0
            && inodes <= block_size * 8;
        if !is_group || !is_descriptor || !is_inode || blocks <= first {
            return None;
        }
        let groups = (blocks - first).div_ceil(blocks_per_group);
        if groups > GROUPS_MAX || groups.checked_mul(inodes) != Some(space.inodes.into()) {
            return None;
        }
        let geometry = Self {
            block_size,
            ratio,
            blocks,
            first,
            blocks_per_group,
            groups,
            table_blocks: (inodes * inode_size).div_ceil(block_size),
            descriptor_size,
            reserved_descriptor_blocks: space.reserved_descriptor_blocks.into(),
            free_blocks: wide(space.free_blocks, space.free_blocks_high),
            checksums,
            superblock,
        };
        let has_meta = geometry.has_meta_groups();
        let first_meta = u64::from(geometry.superblock.first_meta_group);
        (!has_meta || first_meta <= geometry.descriptor_blocks()).then_some(geometry)
    }

    /// Whether descriptors lie in their own groups, all or those behind the first.
    pub(super) fn has_meta_groups(&self) -> bool {
        self.superblock.basic.incompatible & Superblock::INCOMPATIBLE_META_GROUPS != 0
    }

    /// Descriptors of a block.
    pub(super) fn descriptors_per_block(&self) -> u64 {
        self.block_size / self.descriptor_size as u64
    }

    /// Blocks of all descriptors.
    pub(super) fn descriptor_blocks(&self) -> u64 {
        self.groups.div_ceil(self.descriptors_per_block())
    }

    /// First block of a group.
    pub(super) fn first_of(&self, group: u64) -> u64 {
        self.first.saturating_add(group.saturating_mul(self.blocks_per_group))
    }

    /// Clusters of a group. The last one may be short, and its last cluster too.
    pub(super) fn clusters_of(&self, group: u64) -> u64 {
        let left = self.blocks.saturating_sub(self.first_of(group));
        left.min(self.blocks_per_group).div_ceil(self.ratio)
    }
}

fn check_features(superblock: &Superblock) -> Result<()> {
    let basic = &superblock.basic;
    if basic.incompatible & Superblock::INCOMPATIBLE_RECOVER != 0 {
        return Err(Error::refused("its journal is not empty"));
    }
    if basic.read_only_compatible & Superblock::READ_ONLY_ORPHANS != 0 {
        return Err(Error::refused("deleted files are still being cleaned up"));
    }
    let unknown = [
        basic.compatible & !COMPATIBLE,
        basic.incompatible & !INCOMPATIBLE,
        basic.read_only_compatible & !READ_ONLY,
    ];
    if unknown != [0; 3] {
        let [compatible, incompatible, read_only] = unknown;
        return Err(Error::refused(format!(
            "uses features with which free space is not known: {compatible:#x} (compatible), {incompatible:#x} (incompatible), {read_only:#x} (read-only compatible)"
        )));
    }
    let has_features = [basic.compatible, basic.incompatible, basic.read_only_compatible] != [0; 3];
    if superblock.revision == 0 && has_features {
        return Err(nonsense());
    }
    Ok(())
}

fn check_state(superblock: &Superblock, space: &SpaceSuperblock) -> Result<()> {
    if superblock.state & Superblock::STATE_ERRORS != 0 {
        return Err(Error::refused("it says that it has errors"));
    }
    if superblock.state & Superblock::STATE_CLEAN == 0 {
        return Err(Error::refused("it was not unmounted"));
    }
    if superblock.state & Superblock::STATE_ORPHANS != 0 || space.last_orphan != 0 {
        return Err(Error::refused("deleted files are still being cleaned up"));
    }
    Ok(())
}

fn checksums(
    bytes: &[u8; Superblock::SIZE],
    superblock: &Superblock,
    space: &SpaceSuperblock,
) -> Result<Checksums> {
    let basic = &superblock.basic;
    if basic.read_only_compatible & SpaceSuperblock::READ_ONLY_CHECKSUMS != 0 {
        if space.checksum_kind != SpaceSuperblock::CRC_32C {
            return Err(Error::refused(format!(
                "its checksums are of an unknown kind: {}",
                space.checksum_kind
            )));
        }
        let summed = bytes.get(..SpaceSuperblock::CHECKSUM_OFFSET).unwrap_or_default();
        if with_seed(!0, summed) != space.checksum {
            return Err(Error::corrupt("its superblock has a wrong checksum"));
        }
        let has_seed = basic.incompatible & SpaceSuperblock::INCOMPATIBLE_SEED != 0;
        let seed = if has_seed { space.checksum_seed } else { with_seed(!0, &superblock.uuid) };
        return Ok(Checksums::All(seed));
    }
    if basic.read_only_compatible & SpaceSuperblock::READ_ONLY_DESCRIPTOR_CHECKSUMS != 0 {
        return Ok(Checksums::Descriptors);
    }
    Ok(Checksums::None)
}

fn nonsense() -> Error {
    Error::corrupt("its superblock makes no sense")
}
