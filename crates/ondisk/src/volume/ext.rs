//! ext2, ext3 and ext4. Source: kernel Documentation/filesystems/ext4/super.rst.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;
use crate::disk::ExtSuperblock;

/// The superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The signature, and the features.
    pub basic: ExtSuperblock,
    /// Values such as [`Superblock::STATE_CLEAN`].
    pub state: u16,
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// Label, padded with NULs.
    pub label: [u8; 16],
    /// Inodes of a group.
    pub inodes_per_group: u32,
    /// Revision; 0 has inodes of 128 bytes.
    pub revision: u32,
    /// Bytes of an inode, from revision 1 on.
    pub inode_size: u16,
    /// Inode of the journal; 0 = on another device.
    pub journal_inode: u32,
    /// Bytes of a group descriptor, with [`Superblock::INCOMPATIBLE_64BIT`].
    pub descriptor_size: u16,
    /// First block of descriptors that lies in its own groups, with [`Superblock::INCOMPATIBLE_META_GROUPS`].
    pub first_meta_group: u32,
    /// The two groups with a copy of the superblock, with [`Superblock::COMPATIBLE_SPARSE_2`].
    pub copies: [u32; 2],
    /// Blocks, upper 32 bits; only with [`Superblock::INCOMPATIBLE_64BIT`].
    pub blocks_high: u32,
}

impl Superblock {
    /// Bytes of it.
    pub const SIZE: usize = 1024;
    /// `state`: it was unmounted. With a journal, the feature [`Superblock::INCOMPATIBLE_RECOVER`] says more.
    pub const STATE_CLEAN: u16 = 1;
    /// `state`: errors were met.
    pub const STATE_ERRORS: u16 = 2;
    /// `state`: deleted files are being cleaned up.
    pub const STATE_ORPHANS: u16 = 4;
    /// Incompatible feature: the journal holds changes that were not carried out.
    pub const INCOMPATIBLE_RECOVER: u32 = 0x4;
    /// Incompatible feature: this is a journal alone.
    pub const INCOMPATIBLE_JOURNAL_DEVICE: u32 = 0x8;
    /// Incompatible feature: more than 2^32 blocks.
    pub const INCOMPATIBLE_64BIT: u32 = 0x80;
    /// Incompatible feature: directories say what their entries are.
    pub const INCOMPATIBLE_FILE_TYPE: u32 = 0x2;
    /// Incompatible feature: descriptors lie in their own groups.
    pub const INCOMPATIBLE_META_GROUPS: u32 = 0x10;
    /// Compatible feature: only two groups have a copy of the superblock.
    pub const COMPATIBLE_SPARSE_2: u32 = 0x200;
    /// Read-only compatible feature: only some groups have a copy of the superblock.
    pub const READ_ONLY_SPARSE: u32 = 0x1;
    /// Read-only compatible feature: the file of deleted files is not empty.
    pub const READ_ONLY_ORPHANS: u32 = 0x1_0000;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: ExtSuperblock::decode(&first(b)),
            state: LE::read_u16(&b[58..60]),
            uuid: first(&b[104..]),
            label: first(&b[120..]),
            inodes_per_group: LE::read_u32(&b[40..44]),
            revision: LE::read_u32(&b[76..80]),
            inode_size: LE::read_u16(&b[88..90]),
            journal_inode: LE::read_u32(&b[224..228]),
            descriptor_size: LE::read_u16(&b[254..256]),
            first_meta_group: LE::read_u32(&b[260..264]),
            copies: [LE::read_u32(&b[0x24c..0x250]), LE::read_u32(&b[0x250..0x254])],
            blocks_high: LE::read_u32(&b[0x150..0x154]),
        }
    }

    /// Whether a group begins with a copy of the superblock.
    pub fn has_copy(&self, group: u64) -> bool {
        let basic = &self.basic;
        if group == 0 {
            return true;
        }
        if basic.compatible & Self::COMPATIBLE_SPARSE_2 != 0 {
            return self.copies.contains(&u32::try_from(group).unwrap_or(u32::MAX));
        }
        if basic.read_only_compatible & Self::READ_ONLY_SPARSE == 0 || group == 1 {
            return true;
        }
        let is_power = |base: u64| {
            let mut rest = group;
            while rest.is_multiple_of(base) {
                rest /= base;
            }
            rest == 1
        };
        [3, 5, 7].into_iter().any(is_power)
    }
}

/// The part of a group descriptor that says where its inodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupDescriptor {
    /// Block of the inode table, lower 32 bits.
    pub inode_table: u32,
    /// Upper 32 bits; only of descriptors of 64 bytes and more.
    pub inode_table_high: u32,
}

impl GroupDescriptor {
    /// Bytes of the short one.
    pub const SIZE_SHORT: u64 = 32;
    /// Bytes that are decoded here: those of the long one.
    pub const SIZE: usize = 64;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { inode_table: LE::read_u32(&b[8..12]), inode_table_high: LE::read_u32(&b[40..44]) }
    }
}

/// An inode, without what comes after its first 128 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inode {
    /// Kind and permissions.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes of the file.
    pub size: u64,
    /// Names that it has.
    pub links: u16,
    /// Sectors that it takes, lower 32 bits.
    pub sectors: u32,
    /// [`Inode::EXTENTS`] and others.
    pub flags: u32,
    /// Where its blocks are, or the target of a short link.
    pub blocks: [u8; 60],
    /// Block of extended attributes, lower 32 bits.
    pub attributes: u32,
}

impl Inode {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 128;
    /// Number of the root directory.
    pub const ROOT: u32 = 2;
    /// Flag: encrypted.
    pub const ENCRYPTED: u32 = 0x800;
    /// Flag: the blocks are a tree of extents.
    pub const EXTENTS: u32 = 0x8_0000;
    /// Flag: the content is in the inode.
    pub const INLINE: u32 = 0x1000_0000;
    /// Flag: a directory that does not tell upper from lower case.
    pub const CASE_FOLDED: u32 = 0x4000_0000;
    /// The bits of `mode` that say what it is.
    pub const KIND: u16 = 0o17_0000;
    /// `mode`: a directory.
    pub const DIRECTORY: u16 = 0o4_0000;
    /// `mode`: a file.
    pub const FILE: u16 = 0o10_0000;
    /// `mode`: a symbolic link.
    pub const LINK: u16 = 0o12_0000;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let with_high = |low: u16, high: u16| u32::from(high) << 16 | u32::from(low);
        let mut blocks = [0; 60];
        blocks.copy_from_slice(&b[40..100]);
        Self {
            mode: LE::read_u16(&b[..2]),
            uid: with_high(LE::read_u16(&b[2..4]), LE::read_u16(&b[120..122])),
            gid: with_high(LE::read_u16(&b[24..26]), LE::read_u16(&b[122..124])),
            size: u64::from(LE::read_u32(&b[108..112])) << 32 | u64::from(LE::read_u32(&b[4..8])),
            links: LE::read_u16(&b[26..28]),
            sectors: LE::read_u32(&b[28..32]),
            flags: LE::read_u32(&b[32..36]),
            blocks,
            attributes: LE::read_u32(&b[104..108]),
        }
    }
}

/// The header of a node of an extent tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtentHeader {
    /// [`ExtentHeader::MAGIC`].
    pub magic: u16,
    /// Entries that follow.
    pub entries: u16,
    /// Levels below; 0 = the entries are extents.
    pub depth: u16,
}

impl ExtentHeader {
    /// Bytes of it.
    pub const SIZE: usize = 12;
    /// Value of `magic`.
    pub const MAGIC: u16 = 0xf30a;
    /// Most levels below the root.
    pub const DEPTH_MAX: u16 = 5;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: LE::read_u16(&b[..2]), entries: LE::read_u16(&b[2..4]), depth: LE::read_u16(&b[6..8]) }
    }
}

/// An entry of a node of an extent tree: an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First block of the file.
    pub first: u32,
    /// Blocks.
    pub blocks: u16,
    /// Whether the blocks were allocated and never written: they read as zeros.
    pub is_unwritten: bool,
    /// First block on the volume.
    pub start: u64,
}

impl Extent {
    /// Bytes of it, and of an [`ExtentIndex`].
    pub const SIZE: usize = 12;
    /// Longest extent that was written. The length of one that was not has this added.
    pub const BLOCKS_MAX: u16 = 32768;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let length = LE::read_u16(&b[4..6]);
        let is_unwritten = length > Self::BLOCKS_MAX;
        Self {
            first: LE::read_u32(&b[..4]),
            blocks: if is_unwritten { length - Self::BLOCKS_MAX } else { length },
            is_unwritten,
            start: u64::from(LE::read_u16(&b[6..8])) << 32 | u64::from(LE::read_u32(&b[8..12])),
        }
    }
}

/// An entry of a node of an extent tree: a node below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtentIndex {
    /// First block of the file that it covers.
    pub first: u32,
    /// Block of the node.
    pub node: u64,
}

impl ExtentIndex {
    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Extent::SIZE]) -> Self {
        Self {
            first: LE::read_u32(&b[..4]),
            node: u64::from(LE::read_u16(&b[8..10])) << 32 | u64::from(LE::read_u32(&b[4..8])),
        }
    }
}

/// The start of a directory entry; the name follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Inode; 0 = the entry is free.
    pub inode: u32,
    /// Bytes to the next entry. 0 and 65535 stand for 65536.
    pub length: u16,
    /// Bytes of the name; without file types, whose byte was the upper half of this, no name is longer.
    pub name_length: u8,
    /// What the entry is, with [`Superblock::INCOMPATIBLE_FILE_TYPE`].
    pub kind: u8,
}

impl DirectoryEntry {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 8;
    /// `kind`: a file.
    pub const FILE: u8 = 1;
    /// `kind`: a directory.
    pub const DIRECTORY: u8 = 2;
    /// `kind`: a symbolic link.
    pub const LINK: u8 = 7;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { inode: LE::read_u32(&b[..4]), length: LE::read_u16(&b[4..6]), name_length: b[6], kind: b[7] }
    }
}
