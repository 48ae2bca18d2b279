//! Linux software RAID. Source: kernel include/uapi/linux/raid/md_p.h.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// Value of `magic` in both superblocks.
pub const MAGIC: u32 = 0xa92b_4efc;

/// The superblock of version 1, at one of three places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock1 {
    /// [`MAGIC`].
    pub magic: u32,
    /// 1.
    pub major: u32,
    /// The array's UUID.
    pub uuid: [u8; 16],
    /// The array's name, padded with NULs.
    pub name: [u8; 32],
    /// RAID level; -1 = linear.
    pub level: i32,
    /// Devices of the array.
    pub devices: u32,
    /// Where the data begins on this device, in sectors.
    pub data_sector: u64,
    /// Sectors of this device that hold data.
    pub sectors: u64,
    /// Where this superblock is, in sectors.
    pub own_sector: u64,
}

impl Superblock1 {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 152;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: LE::read_u32(&b[..4]),
            major: LE::read_u32(&b[4..8]),
            uuid: first(&b[16..]),
            name: first(&b[32..]),
            level: LE::read_i32(&b[72..76]),
            devices: LE::read_u32(&b[92..96]),
            data_sector: LE::read_u64(&b[128..136]),
            sectors: LE::read_u64(&b[136..144]),
            own_sector: LE::read_u64(&b[144..152]),
        }
    }
}

/// The superblock of version 0.90, near the end of the device, as a little-endian machine writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock0 {
    /// [`MAGIC`].
    pub magic: u32,
    /// 0.
    pub major: u32,
    /// 90.
    pub minor: u32,
    /// The array's UUID: four numbers of 32 bits.
    pub uuid: [u32; 4],
    /// RAID level; -1 = linear.
    pub level: i32,
    /// Devices of the array.
    pub devices: u32,
}

impl Superblock0 {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 64;
    /// It is at the last multiple of this that leaves as much after it.
    pub const ROOM: u64 = 64 << 10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: LE::read_u32(&b[..4]),
            major: LE::read_u32(&b[4..8]),
            minor: LE::read_u32(&b[8..12]),
            uuid: [
                LE::read_u32(&b[20..24]),
                LE::read_u32(&b[52..56]),
                LE::read_u32(&b[56..60]),
                LE::read_u32(&b[60..64]),
            ],
            level: LE::read_i32(&b[28..32]),
            devices: LE::read_u32(&b[40..44]),
        }
    }
}
