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
    /// Features, as the flags below.
    pub features: u32,
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
    /// The number of this device, by which its role is found.
    pub device: u32,
    /// Up to where the copies are known to be the same; [`IN_SYNC`](Self::IN_SYNC) of an array that was closed cleanly.
    pub resync: u64,
    /// The checksum, as [`checksum_of`](Self::checksum_of) has it.
    pub checksum: u32,
    /// Roles of devices that follow the fields: 16 bits for each number of a device.
    pub roles: u32,
}

impl Superblock1 {
    /// Bytes that are decoded here: all before the roles.
    pub const SIZE: usize = 256;
    /// Most bytes of a superblock, with the roles.
    pub const SIZE_MAX: u64 = 4096;
    /// Feature: there is a bitmap of what was written lately.
    pub const FEATURE_BITMAP: u32 = 1;
    /// Value of `resync`.
    pub const IN_SYNC: u64 = u64::MAX;
    /// Offset of `checksum`.
    const CHECKSUM: usize = 216;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: LE::read_u32(&b[..4]),
            major: LE::read_u32(&b[4..8]),
            features: LE::read_u32(&b[8..12]),
            uuid: first(&b[16..]),
            name: first(&b[32..]),
            level: LE::read_i32(&b[72..76]),
            devices: LE::read_u32(&b[92..96]),
            data_sector: LE::read_u64(&b[128..136]),
            sectors: LE::read_u64(&b[136..144]),
            own_sector: LE::read_u64(&b[144..152]),
            device: LE::read_u32(&b[160..164]),
            resync: LE::read_u64(&b[208..216]),
            checksum: LE::read_u32(&b[Self::CHECKSUM..Self::CHECKSUM + 4]),
            roles: LE::read_u32(&b[220..224]),
        }
    }

    /// Bytes of the superblock with its roles.
    pub fn length(&self) -> u64 {
        Self::SIZE as u64 + 2 * u64::from(self.roles)
    }

    /// The checksum of a superblock with its roles: the sum of its numbers of 32 bits without the checksum, and of the 16 bits that may
    /// be left, with what does not fit added again.
    pub fn checksum_of(bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<4>();
        let words = words.iter().enumerate().filter(|(number, _)| *number != Self::CHECKSUM / 4);
        let sum = words.map(|(_, word)| u64::from(u32::from_le_bytes(*word))).sum::<u64>();
        let sum = sum + rest.first_chunk().map_or(0, |half| u64::from(u16::from_le_bytes(*half)));
        let folded = (sum & u64::from(u32::MAX)) + (sum >> 32);
        LE::read_u32(&folded.to_le_bytes()[..4])
    }

    /// The role of this device by the bytes of the superblock: its place in the array. The role of a spare, a device that
    /// failed, or a journal is larger than any place. `None` if it is not listed.
    pub fn role(&self, bytes: &[u8]) -> Option<u16> {
        if self.device >= self.roles {
            return None;
        }
        let at = usize::try_from(self.device).ok()?.checked_mul(2)?.checked_add(Self::SIZE)?;
        bytes.get(at..)?.first_chunk().map(|role| u16::from_le_bytes(*role))
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
