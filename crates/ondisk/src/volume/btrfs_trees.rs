//! The trees of Btrfs, as far as they say where space is held. Source: the on-disk format page of btrfs.readthedocs.io and kernel
//! include/uapi/linux/btrfs_tree.h.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// The part of the superblock that leads to the trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeSuperblock {
    /// UUID of the file system.
    pub uuid: [u8; 16],
    /// [`TreeSuperblock::FLAGS`] and others.
    pub flags: u64,
    /// Number of the last transaction.
    pub generation: u64,
    /// Logical address of the tree of trees, and of the tree of chunks.
    pub roots: [u64; 2],
    /// Levels below these.
    pub levels: [u8; 2],
    /// Bytes of all extents.
    pub bytes_used: u64,
    /// Bytes of a sector and of a node.
    pub sizes: [u32; 2],
    /// Bytes of `chunks` that are in use.
    pub chunks_size: u32,
    /// Number of the transaction that wrote the tree of chunks.
    pub chunk_generation: u64,
    /// Read-only compatible features.
    pub read_only_compatible: u64,
    /// Incompatible features.
    pub incompatible: u64,
    /// Number of this device.
    pub device: u64,
    /// Bytes of this device, and of its stripes.
    pub device_bytes: [u64; 2],
    /// The UUID in nodes, with [`TreeSuperblock::INCOMPATIBLE_UUID`].
    pub nodes_uuid: [u8; 16],
}

impl TreeSuperblock {
    /// Bytes of it.
    pub const SIZE: usize = 4096;
    /// Flags of a superblock that was written as usual.
    pub const FLAGS: u64 = 3;
    /// Where the chunks are that hold the tree of chunks.
    pub const CHUNKS_OFFSET: usize = 0x32b;
    /// Most bytes of these.
    pub const CHUNKS_MAX: u32 = 2048;
    /// Incompatible feature: nodes have a UUID of their own.
    pub const INCOMPATIBLE_UUID: u64 = 0x400;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            uuid: first(&b[0x20..]),
            flags: LE::read_u64(&b[0x38..0x40]),
            generation: LE::read_u64(&b[0x48..0x50]),
            roots: [LE::read_u64(&b[0x50..0x58]), LE::read_u64(&b[0x58..0x60])],
            levels: [b[0xc6], b[0xc7]],
            bytes_used: LE::read_u64(&b[0x78..0x80]),
            sizes: [LE::read_u32(&b[0x90..0x94]), LE::read_u32(&b[0x94..0x98])],
            chunks_size: LE::read_u32(&b[0xa0..0xa4]),
            chunk_generation: LE::read_u64(&b[0xa4..0xac]),
            read_only_compatible: LE::read_u64(&b[0xb4..0xbc]),
            incompatible: LE::read_u64(&b[0xbc..0xc4]),
            device: LE::read_u64(&b[0xc9..0xd1]),
            device_bytes: [LE::read_u64(&b[0xd1..0xd9]), LE::read_u64(&b[0xd9..0xe1])],
            nodes_uuid: first(&b[0x23b..]),
        }
    }
}

/// The header of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHeader {
    /// Checksum of what follows it.
    pub checksum: u32,
    /// UUID.
    pub uuid: [u8; 16],
    /// Its own logical address.
    pub address: u64,
    /// Number of the transaction that wrote it.
    pub generation: u64,
    /// Number of the tree that it was written for.
    pub owner: u64,
    /// Entries.
    pub entries: u32,
    /// Levels below; 0 = it holds items.
    pub level: u8,
}

impl NodeHeader {
    /// Bytes of it.
    pub const SIZE: usize = 101;
    /// Bytes of the checksum, which it is not of.
    pub const CHECKSUM: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            checksum: LE::read_u32(&b[..4]),
            uuid: first(&b[0x20..]),
            address: LE::read_u64(&b[0x30..0x38]),
            generation: LE::read_u64(&b[0x50..0x58]),
            owner: LE::read_u64(&b[0x58..0x60]),
            entries: LE::read_u32(&b[0x60..0x64]),
            level: b[0x64],
        }
    }
}

/// The key of an item, by which items are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What it is about: the number of a tree, or a logical address.
    pub object: u64,
    /// Its kind, such as [`Key::EXTENT`].
    pub kind: u8,
    /// What else there is to say, such as a length.
    pub offset: u64,
}

impl Key {
    /// Bytes of it.
    pub const SIZE: usize = 17;
    /// Kind: a tree.
    pub const ROOT: u8 = 132;
    /// Kind: an extent, whose length is the offset.
    pub const EXTENT: u8 = 168;
    /// Kind: a node.
    pub const NODE: u8 = 169;
    /// Kind: a group, whose length is the offset.
    pub const GROUP: u8 = 192;
    /// Kind: a stripe on a device.
    pub const STRIPE: u8 = 204;
    /// Kind: a device.
    pub const DEVICE: u8 = 216;
    /// Kind: a chunk, whose logical address is the offset.
    pub const CHUNK: u8 = 228;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { object: LE::read_u64(&b[..8]), kind: b[8], offset: LE::read_u64(&b[9..17]) }
    }
}

/// A chunk, without its stripes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes.
    pub length: u64,
    /// What it holds, and how it is spread: [`Chunk::CONTENT`], [`Chunk::DUPLICATE`].
    pub kind: u64,
    /// Stripes that follow.
    pub stripes: u16,
}

impl Chunk {
    /// Bytes of it.
    pub const SIZE: usize = 48;
    /// Bytes of a stripe.
    pub const STRIPE: usize = 32;
    /// The bits of `kind` that say what it holds: data, system, metadata.
    pub const CONTENT: u64 = 7;
    /// `kind`: two copies on one device.
    pub const DUPLICATE: u64 = 0x20;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            length: LE::read_u64(&b[..8]),
            kind: LE::read_u64(&b[24..32]),
            stripes: LE::read_u16(&b[44..46]),
        }
    }
}

/// Where a tree is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRoot {
    /// Number of the transaction that wrote the root.
    pub generation: u64,
    /// Logical address of the root.
    pub address: u64,
    /// Levels below it.
    pub level: u8,
}

impl TreeRoot {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 239;
    /// Number of the tree of trees.
    pub const TREES: u64 = 1;
    /// Number of the tree of extents.
    pub const EXTENTS: u64 = 2;
    /// Number of the tree of chunks.
    pub const CHUNKS: u64 = 3;
    /// Number of the tree of the stripes of devices.
    pub const DEVICES: u64 = 4;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { generation: LE::read_u64(&b[160..168]), address: LE::read_u64(&b[176..184]), level: b[238] }
    }
}
