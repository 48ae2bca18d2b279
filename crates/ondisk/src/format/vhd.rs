//! VHD, Virtual PC's hard disk.
//!
//! Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0. Big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

/// The table of blocks, the bitmaps in front of blocks and the geometry count sectors of this many bytes.
pub const SECTOR: u64 = 512;

/// Bytes of the footer that files made before Virtual PC 2004 have: the last, reserved byte is missing.
pub const SHORT_FOOTER_SIZE: u64 = 511;
/// The sectors of the largest geometry, 65535 x 16 x 255: a bigger disk has this one, too.
pub const MAX_GEOMETRY_SECTORS: u64 = 65535 * 16 * 255;

/// `disk_type`: the disk's bytes, then the footer.
pub const TYPE_FIXED: u32 = 2;
/// `disk_type`: blocks are allocated as they are written.
pub const TYPE_DYNAMIC: u32 = 3;
/// `disk_type`: the difference to a parent.
pub const TYPE_DIFFERENCING: u32 = 4;

/// Bytes of an entry of the block allocation table.
pub const TABLE_ENTRY_SIZE: u64 = 4;
/// Entry of the block allocation table for a block that is not in the file: it reads as zeros.
pub const BLOCK_ABSENT: u32 = 0xffff_ffff;

/// The footer at the end of the file; dynamic and differencing disks have a copy at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// [`Footer::COOKIE`].
    pub cookie: [u8; 8],
    /// Byte offset of the dynamic disk's header; all ones in a fixed disk.
    pub data_offset: u64,
    /// The program that made the file.
    pub creator_app: [u8; 4],
    /// Size of the disk in bytes when it was made.
    pub original_size: u64,
    /// Size of the disk in bytes now.
    pub current_size: u64,
    /// Geometry: cylinders.
    pub cylinders: u16,
    /// Geometry: heads.
    pub heads: u8,
    /// Geometry: sectors of 512 bytes per track.
    pub sectors_per_track: u8,
    /// Values such as [`TYPE_FIXED`].
    pub disk_type: u32,
    /// See [`checksum`].
    pub checksum: u32,
    /// 1 = the machine is in the saved state.
    pub saved_state: u8,
}

impl Footer {
    /// Bytes of the footer.
    pub const SIZE: usize = 512;
    /// First bytes of the footer.
    pub const COOKIE: [u8; 8] = *b"conectix";
    /// Where `checksum` is.
    pub const CHECKSUM_OFFSET: usize = 64;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut footer = Self {
            cookie: [0; 8],
            data_offset: BE::read_u64(&b[16..24]),
            creator_app: [b[28], b[29], b[30], b[31]],
            original_size: BE::read_u64(&b[40..48]),
            current_size: BE::read_u64(&b[48..56]),
            cylinders: BE::read_u16(&b[56..58]),
            heads: b[58],
            sectors_per_track: b[59],
            disk_type: BE::read_u32(&b[60..64]),
            checksum: BE::read_u32(&b[64..68]),
            saved_state: b[84],
        };
        footer.cookie.copy_from_slice(&b[..8]);
        footer
    }

    /// Sectors of 512 bytes that the geometry comes to.
    pub fn geometry_sectors(&self) -> u64 {
        u64::from(self.cylinders) * u64::from(self.heads) * u64::from(self.sectors_per_track)
    }

    /// Size of the disk in bytes, as the program that made the file counts it. Virtual PC, and qemu under that name, go by
    /// the geometry; all others by the size field. The largest geometry belongs to every bigger disk as well, so it shows
    /// nothing.
    pub fn virtual_size(&self) -> u64 {
        let sectors = self.geometry_sectors();
        match &self.creator_app {
            b"vpc " | b"qemu" if sectors != MAX_GEOMETRY_SECTORS => sectors * SECTOR,
            _ => self.current_size,
        }
    }
}

/// The header that dynamic and differencing disks have besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicHeader {
    /// [`DynamicHeader::COOKIE`].
    pub cookie: [u8; 8],
    /// Byte offset of the block allocation table.
    pub table_offset: u64,
    /// Entries of that table.
    pub max_table_entries: u32,
    /// Bytes of a block, without its sector bitmap.
    pub block_size: u32,
    /// See [`checksum`].
    pub checksum: u32,
    /// Differencing: the parent's identity.
    pub parent_uuid: [u8; 16],
    /// Differencing: the parent's file name, UTF-16 big-endian, ended by a NUL.
    pub parent_name: [u8; 512],
}

impl DynamicHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 1024;
    /// First bytes of the header.
    pub const COOKIE: [u8; 8] = *b"cxsparse";
    /// Where `checksum` is.
    pub const CHECKSUM_OFFSET: usize = 36;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            cookie: [0; 8],
            table_offset: BE::read_u64(&b[16..24]),
            max_table_entries: BE::read_u32(&b[28..32]),
            block_size: BE::read_u32(&b[32..36]),
            checksum: BE::read_u32(&b[36..40]),
            parent_uuid: [0; 16],
            parent_name: [0; 512],
        };
        header.cookie.copy_from_slice(&b[..8]);
        header.parent_uuid.copy_from_slice(&b[40..56]);
        header.parent_name.copy_from_slice(&b[64..576]);
        header
    }
}

/// One's complement of the sum of the bytes, with the four at `field` taken as 0.
pub fn checksum<const N: usize>(bytes: &[u8; N], field: usize) -> u32 {
    let counted = bytes.iter().enumerate().filter(|(at, _)| !(field..field + 4).contains(at));
    !counted.fold(0, |sum: u32, (_, byte)| sum.wrapping_add(u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_leaves_itself_out() {
        let mut b = [1; Footer::SIZE];
        b[..8].copy_from_slice(&Footer::COOKIE);
        let before = checksum(&b, Footer::CHECKSUM_OFFSET);
        b[64..68].copy_from_slice(&before.to_be_bytes());
        assert_eq!(checksum(&b, Footer::CHECKSUM_OFFSET), before);
        assert_eq!(Footer::decode(&b).checksum, before);
    }

    #[test]
    fn the_largest_geometry_is_about_127_gib() {
        let mut b = [255; Footer::SIZE];
        b[58] = 16;
        assert_eq!(Footer::decode(&b).geometry_sectors(), MAX_GEOMETRY_SECTORS);
    }
}
