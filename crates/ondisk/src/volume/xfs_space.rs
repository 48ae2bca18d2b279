//! What XFS says of its space: the part of the superblock that [`xfs`](super::xfs) leaves out, the header of an allocation group, and
//! its trees of free extents. Source: "XFS Algorithms & Data Structures", 3rd edition, and kernel fs/xfs/libxfs/xfs_format.h;
//! big-endian, except for checksums.

use byteorder::{BigEndian as BE, ByteOrder, LittleEndian as LE};

use super::first;
use super::xfs::Superblock;

/// The part of the superblock that says how space is divided and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceSuperblock {
    /// Blocks and extents of the part for real time, which is on another device.
    pub realtime: [u64; 2],
    /// Allocation groups.
    pub groups: u32,
    /// Version in the low four bits, features above.
    pub version: u16,
    /// Bytes of a sector.
    pub sector_size: u16,
    /// Free blocks: those in the trees, in the lists of the groups, and of the trees themselves.
    pub free_blocks: u64,
    /// More features of version 4.
    pub features_2: u32,
    /// Read-only compatible features of version 5.
    pub read_only_compatible: u32,
    /// Incompatible features of version 5.
    pub incompatible: u32,
    /// Incompatible features of the log, of version 5.
    pub log_incompatible: u32,
    /// The UUID in structures, with [`SpaceSuperblock::INCOMPATIBLE_UUID`].
    pub structures_uuid: [u8; 16],
}

impl SpaceSuperblock {
    /// Bytes that are decoded here: those of the superblock.
    pub const SIZE: usize = Superblock::SIZE;
    /// Where the checksum is, in the first sector.
    pub const CHECKSUM_OFFSET: usize = 224;
    /// Feature of version 4: there are more, in `features_2`.
    pub const VERSION_MORE: u16 = 0x8000;
    /// Feature of version 4, in `features_2`: the superblock's counts are right only once unmounted, and the groups count the blocks of
    /// their trees. Version 5 always has it.
    pub const FEATURE_LAZY: u32 = 0x2;
    /// Read-only compatible feature: groups have a tree of owners.
    pub const READ_ONLY_OWNERS: u32 = 0x2;
    /// Incompatible feature: structures have a UUID of their own.
    pub const INCOMPATIBLE_UUID: u32 = 0x4;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            realtime: [BE::read_u64(&b[16..24]), BE::read_u64(&b[24..32])],
            groups: BE::read_u32(&b[88..92]),
            version: BE::read_u16(&b[100..102]),
            sector_size: BE::read_u16(&b[102..104]),
            free_blocks: BE::read_u64(&b[144..152]),
            features_2: BE::read_u32(&b[200..204]),
            read_only_compatible: BE::read_u32(&b[212..216]),
            incompatible: BE::read_u32(&b[216..220]),
            log_incompatible: BE::read_u32(&b[220..224]),
            structures_uuid: first(&b[248..]),
        }
    }
}

/// The header of the free space of an allocation group, in its second sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeHeader {
    /// [`FreeHeader::MAGIC`].
    pub magic: [u8; 4],
    /// 1.
    pub version: u32,
    /// Number of the group.
    pub number: u32,
    /// Blocks of the group.
    pub length: u32,
    /// Roots of the trees by place and by length.
    pub roots: [u32; 2],
    /// Levels of these.
    pub levels: [u32; 2],
    /// First and last entry of the list that are in use.
    pub list: [u32; 2],
    /// Entries of the list that are in use.
    pub list_count: u32,
    /// Free blocks in the trees.
    pub free_blocks: u32,
    /// Blocks of the longest free extent.
    pub longest: u32,
    /// Blocks of the trees of free extents and of owners, without the roots.
    pub tree_blocks: u32,
    /// UUID, of version 5.
    pub uuid: [u8; 16],
    /// Blocks of the tree of owners, with its root.
    pub owner_blocks: u32,
}

impl FreeHeader {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 84;
    /// Value of `magic`.
    pub const MAGIC: [u8; 4] = *b"XAGF";
    /// Where the checksum is.
    pub const CHECKSUM_OFFSET: usize = 216;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: first(b),
            version: BE::read_u32(&b[4..8]),
            number: BE::read_u32(&b[8..12]),
            length: BE::read_u32(&b[12..16]),
            roots: [BE::read_u32(&b[16..20]), BE::read_u32(&b[20..24])],
            levels: [BE::read_u32(&b[28..32]), BE::read_u32(&b[32..36])],
            list: [BE::read_u32(&b[40..44]), BE::read_u32(&b[44..48])],
            list_count: BE::read_u32(&b[48..52]),
            free_blocks: BE::read_u32(&b[52..56]),
            longest: BE::read_u32(&b[56..60]),
            tree_blocks: BE::read_u32(&b[60..64]),
            uuid: first(&b[64..]),
            owner_blocks: BE::read_u32(&b[80..84]),
        }
    }
}

/// The header of the list of blocks that are kept for trees, in the fourth sector of a group; version 4 has none.
pub struct FreeList;

impl FreeList {
    /// Bytes of it.
    pub const SIZE: usize = 36;
    /// First bytes.
    pub const MAGIC: [u8; 4] = *b"XAFL";
    /// Where the checksum is.
    pub const CHECKSUM_OFFSET: usize = 32;
}

/// The header of a block of a tree of free extents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeBlock {
    /// One of [`TreeBlock::BY_PLACE`], [`TreeBlock::BY_LENGTH`].
    pub magic: [u8; 4],
    /// Levels below; 0 = it holds extents.
    pub level: u16,
    /// Entries.
    pub entries: u16,
    /// Its own sector of 512 bytes on the volume, of version 5.
    pub sector: u64,
    /// UUID, of version 5.
    pub uuid: [u8; 16],
    /// Number of the group, of version 5.
    pub group: u32,
    /// Checksum of the block, of version 5.
    pub checksum: u32,
}

impl TreeBlock {
    /// Bytes of it in version 5, which are decoded here.
    pub const SIZE: usize = 56;
    /// Bytes of it in version 4.
    pub const SIZE_4: usize = 16;
    /// Where the checksum is.
    pub const CHECKSUM_OFFSET: usize = 52;
    /// Magics of trees sorted by place, in versions 4 and 5.
    pub const BY_PLACE: [[u8; 4]; 2] = [*b"ABTB", *b"AB3B"];
    /// Magics of trees sorted by length.
    pub const BY_LENGTH: [[u8; 4]; 2] = [*b"ABTC", *b"AB3C"];

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: first(b),
            level: BE::read_u16(&b[4..6]),
            entries: BE::read_u16(&b[6..8]),
            sector: BE::read_u64(&b[16..24]),
            uuid: first(&b[32..]),
            group: BE::read_u32(&b[48..52]),
            checksum: LE::read_u32(&b[52..56]),
        }
    }
}
