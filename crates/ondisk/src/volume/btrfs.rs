//! Btrfs. Source: kernel Documentation/filesystems/btrfs.rst and the on-disk format page of btrfs.readthedocs.io.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// The first superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// Where the superblock is: [`Superblock::OFFSET`].
    pub own_offset: u64,
    /// Logical address of the tree of changes that were synced and not yet committed; 0 = there are none.
    pub log_root: u64,
    /// Bytes of all its devices.
    pub total_bytes: u64,
    /// Devices.
    pub devices: u64,
    /// Bytes of a sector.
    pub sector_size: u32,
    /// Bytes of this device, by the copy of its own item.
    pub device_bytes: u64,
    /// Label, padded with NULs.
    pub label: [u8; 256],
}

impl Superblock {
    /// Bytes that are decoded here, of 4096.
    pub const SIZE: usize = 0x22b;
    /// Where it is.
    pub const OFFSET: u64 = 64 << 10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            uuid: first(&b[0x20..]),
            own_offset: LE::read_u64(&b[0x30..0x38]),
            log_root: LE::read_u64(&b[0x60..0x68]),
            total_bytes: LE::read_u64(&b[0x70..0x78]),
            devices: LE::read_u64(&b[0x88..0x90]),
            sector_size: LE::read_u32(&b[0x90..0x94]),
            device_bytes: LE::read_u64(&b[0xd1..0xd9]),
            label: first(&b[0x12b..]),
        }
    }
}
