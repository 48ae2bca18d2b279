//! What ext2, ext3 and ext4 say of their space: the part of the superblock and of the descriptors that [`ext`](super::ext) leaves
//! out. Sources: kernel Documentation/filesystems/ext4 and fs/ext4/ext4.h.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::ext::Superblock;

/// The part of the superblock that says how space is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceSuperblock {
    /// Inodes of all groups.
    pub inodes: u32,
    /// Free blocks, lower 32 bits. Blocks, even where space is allocated in clusters.
    pub free_blocks: u32,
    /// Free blocks, upper 32 bits; only with [`Superblock::INCOMPATIBLE_64BIT`].
    pub free_blocks_high: u32,
    /// log2 of the size of a cluster in KiB, with [`READ_ONLY_BIGALLOC`](crate::disk::ExtSuperblock::READ_ONLY_BIGALLOC).
    pub log_cluster_size: u32,
    /// Clusters of a group, with the same.
    pub clusters_per_group: u32,
    /// Blocks behind each copy of the descriptors that are kept for more of them.
    pub reserved_descriptor_blocks: u16,
    /// First inode that is to be deleted or truncated; 0 = there is none.
    pub last_orphan: u32,
    /// The kind of all checksums, with [`SpaceSuperblock::READ_ONLY_CHECKSUMS`]: [`SpaceSuperblock::CRC_32C`].
    pub checksum_kind: u8,
    /// What checksums begin with, with [`SpaceSuperblock::INCOMPATIBLE_SEED`].
    pub checksum_seed: u32,
    /// The checksum of all bytes before it.
    pub checksum: u32,
}

impl SpaceSuperblock {
    /// Bytes of it: those of the superblock.
    pub const SIZE: usize = Superblock::SIZE;
    /// Where `checksum` is.
    pub const CHECKSUM_OFFSET: usize = 0x3fc;
    /// Value of `checksum_kind`.
    pub const CRC_32C: u8 = 1;
    /// Compatible feature: blocks are kept for more descriptors.
    pub const COMPATIBLE_RESIZE: u32 = 0x10;
    /// Incompatible feature: checksums begin with `checksum_seed`, and not with the UUID.
    pub const INCOMPATIBLE_SEED: u32 = 0x2000;
    /// Read-only compatible feature: descriptors have checksums (CRC-16), and groups may lack bitmaps.
    pub const READ_ONLY_DESCRIPTOR_CHECKSUMS: u32 = 0x10;
    /// Read-only compatible feature: all metadata has checksums, and groups may lack bitmaps.
    pub const READ_ONLY_CHECKSUMS: u32 = 0x400;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            inodes: LE::read_u32(&b[..4]),
            free_blocks: LE::read_u32(&b[12..16]),
            free_blocks_high: LE::read_u32(&b[0x158..0x15c]),
            log_cluster_size: LE::read_u32(&b[28..32]),
            clusters_per_group: LE::read_u32(&b[36..40]),
            reserved_descriptor_blocks: LE::read_u16(&b[0xce..0xd0]),
            last_orphan: LE::read_u32(&b[0xe8..0xec]),
            checksum_kind: b[0x175],
            checksum_seed: LE::read_u32(&b[0x270..0x274]),
            checksum: LE::read_u32(&b[0x3fc..0x400]),
        }
    }
}

/// A group descriptor. In the short one all that is `high` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceDescriptor {
    /// Block of the bitmap of blocks, lower and upper 32 bits.
    pub block_bitmap: [u32; 2],
    /// Block of the bitmap of inodes.
    pub inode_bitmap: [u32; 2],
    /// First block of the table of inodes.
    pub inode_table: [u32; 2],
    /// Free clusters, lower and upper 16 bits.
    pub free_clusters: [u16; 2],
    /// [`SpaceDescriptor::NO_BLOCK_BITMAP`] and others.
    pub flags: u16,
    /// Checksum of the bitmap of blocks, lower and upper 16 bits.
    pub block_bitmap_checksum: [u16; 2],
    /// Checksum of the descriptor.
    pub checksum: u16,
}

impl SpaceDescriptor {
    /// Bytes that are decoded here: those of the long one.
    pub const SIZE: usize = 64;
    /// Bytes of the short one.
    pub const SIZE_SHORT: usize = 32;
    /// Where `checksum` is, of two bytes.
    pub const CHECKSUM_OFFSET: usize = 0x1e;
    /// Flag: the bitmap of blocks was never written. It is all zeros but for what the file system itself puts into the group.
    pub const NO_BLOCK_BITMAP: u16 = 2;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            block_bitmap: [LE::read_u32(&b[0..4]), LE::read_u32(&b[32..36])],
            inode_bitmap: [LE::read_u32(&b[4..8]), LE::read_u32(&b[36..40])],
            inode_table: [LE::read_u32(&b[8..12]), LE::read_u32(&b[40..44])],
            free_clusters: [LE::read_u16(&b[0xc..0xe]), LE::read_u16(&b[0x2c..0x2e])],
            flags: LE::read_u16(&b[0x12..0x14]),
            block_bitmap_checksum: [LE::read_u16(&b[0x18..0x1a]), LE::read_u16(&b[0x38..0x3a])],
            checksum: LE::read_u16(&b[0x1e..0x20]),
        }
    }
}
