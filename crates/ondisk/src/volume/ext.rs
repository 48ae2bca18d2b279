//! ext2, ext3 and ext4. Source: kernel Documentation/filesystems/ext4/super.rst.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;
use crate::disk::ExtSuperblock;

/// The superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The part that tells it from other bytes, and the features.
    pub basic: ExtSuperblock,
    /// [`Superblock::STATE_CLEAN`] and the like.
    pub state: u16,
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// Label, padded with NULs.
    pub label: [u8; 16],
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
    /// Read-only compatible feature: the file of deleted files is not empty.
    pub const READ_ONLY_ORPHANS: u32 = 0x1_0000;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: ExtSuperblock::decode(&first(b)),
            state: LE::read_u16(&b[58..60]),
            uuid: first(&b[104..]),
            label: first(&b[120..]),
            blocks_high: LE::read_u32(&b[0x150..0x154]),
        }
    }
}
