//! F2FS. Source: kernel include/linux/f2fs_fs.h and Documentation/filesystems/f2fs.rst.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// Bytes of a block.
pub const BLOCK: u64 = 4096;

/// The first superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// log2 of the block size: 12.
    pub log_block_size: u32,
    /// log2 of the blocks of a segment: 9.
    pub log_segment: u32,
    /// Blocks.
    pub blocks: u64,
    /// First block of the checkpoints.
    pub checkpoint: u32,
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// Label: UTF-16, padded with NULs.
    pub label: [u8; 1024],
    /// The path of its first device, padded with NULs; nothing if it has only one.
    pub first_device: [u8; 64],
}

impl Superblock {
    /// Bytes that are decoded here, of 3072.
    pub const SIZE: usize = 2265;
    /// Where it is.
    pub const OFFSET: u64 = 1024;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            log_block_size: LE::read_u32(&b[16..20]),
            log_segment: LE::read_u32(&b[20..24]),
            blocks: LE::read_u64(&b[36..44]),
            checkpoint: LE::read_u32(&b[76..80]),
            uuid: first(&b[108..]),
            label: first(&b[124..]),
            first_device: first(&b[2201..]),
        }
    }
}

/// The first and the last block of a checkpoint, of which there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Grows with each one; the same in the first and in the last block, or it was not written whole.
    pub version: u64,
    /// Values such as [`Checkpoint::UNMOUNTED`].
    pub flags: u32,
    /// Blocks of the checkpoint.
    pub blocks: u32,
}

impl Checkpoint {
    /// Bytes that are decoded here, of a block.
    pub const SIZE: usize = 140;
    /// Flag: it was made when the file system was unmounted.
    pub const UNMOUNTED: u32 = 0x1;
    /// Flag: errors were met.
    pub const ERROR: u32 = 0x8;
    /// Flag: it has to be checked.
    pub const CHECK: u32 = 0x10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            version: LE::read_u64(&b[..8]),
            flags: LE::read_u32(&b[132..136]),
            blocks: LE::read_u32(&b[136..140]),
        }
    }
}
