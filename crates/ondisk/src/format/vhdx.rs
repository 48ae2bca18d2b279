//! VHDX, Hyper-V's virtual hard disk.
//!
//! Source: [MS-VHDX] 8.0. Little-endian; GUIDs as Windows stores them, the first three groups byte-swapped.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of the file. [MS-VHDX] 2.2.1.
pub const FILE_SIGNATURE: [u8; 8] = *b"vhdxfile";
/// Byte offsets of the two headers. [MS-VHDX] 2.2.
pub const HEADER_OFFSETS: [u64; 2] = [64 << 10, 128 << 10];
/// Byte offsets of the two region tables. [MS-VHDX] 2.2.
pub const REGION_TABLE_OFFSETS: [u64; 2] = [192 << 10, 256 << 10];
/// The only `version` of a header.
pub const VERSION: u16 = 1;
/// Where the checksum is in headers and region tables.
pub const CHECKSUM_OFFSET: usize = 4;

/// Region of the metadata: 8B7CA206-4790-4B9A-B8FE-575F050F886E.
pub const REGION_METADATA: [u8; 16] =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];
/// Region of the block allocation table: 2DC27766-F623-4200-9D64-115E9BFD4A08.
pub const REGION_BAT: [u8; 16] =
    [0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08];
/// Metadata item: bytes of a sector for the machine, 8141BF1D-A96F-4709-BA47-F233A8FAAB5F.
pub const ITEM_LOGICAL_SECTOR: [u8; 16] =
    [0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f];
/// Metadata item: bytes of a physical sector, CDA348C7-445D-4471-9CC9-E9885251C556.
pub const ITEM_PHYSICAL_SECTOR: [u8; 16] =
    [0xc7, 0x48, 0xa3, 0xcd, 0x5d, 0x44, 0x71, 0x44, 0x9c, 0xc9, 0xe9, 0x88, 0x52, 0x51, 0xc5, 0x56];
/// Metadata item: the disk's identity, BECA12AB-B2E6-4523-93EF-C309E000C746.
pub const ITEM_DISK_ID: [u8; 16] =
    [0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46];
/// Every metadata item that the specification names.
pub const ITEMS_KNOWN: [[u8; 16]; 6] = [
    ITEM_FILE_PARAMETERS,
    ITEM_DISK_SIZE,
    ITEM_PARENT_LOCATOR,
    ITEM_LOGICAL_SECTOR,
    ITEM_PHYSICAL_SECTOR,
    ITEM_DISK_ID,
];
/// `flags` of a metadata entry: a reader that doesn't know the item must refuse the file.
pub const ITEM_REQUIRED: u32 = 1 << 2;
/// Bit of a region's `required`.
pub const REGION_REQUIRED: u32 = 1 << 0;

/// Metadata item: block size and flags, CAA16737-FA36-4D43-B3B6-33F0AA44E76B.
pub const ITEM_FILE_PARAMETERS: [u8; 16] =
    [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b];
/// Metadata item: virtual disk size, 2FA54224-CD1B-4876-B211-5DBED83BF4B8.
pub const ITEM_DISK_SIZE: [u8; 16] =
    [0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8];
/// Metadata item: parent locator, A8D35F2D-B30B-454D-ABF7-D3D84834AB0C.
pub const ITEM_PARENT_LOCATOR: [u8; 16] =
    [0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8, 0x48, 0x34, 0xab, 0x0c];

/// File parameters: blocks stay allocated, which is what "fixed" means here.
pub const PARAMETER_LEAVE_ALLOCATED: u32 = 1 << 0;
/// File parameters: a differencing disk.
pub const PARAMETER_HAS_PARENT: u32 = 1 << 1;

/// Regions and blocks begin at multiples of this many bytes.
pub const MIB: u64 = 1 << 20;
/// Sectors that one bitmap of sectors covers; the block table has an entry for it after those of its blocks. [MS-VHDX] 2.5.
pub const CHUNK_SECTORS: u64 = 1 << 23;
/// Bits of an entry of the block table that are the block's state. [MS-VHDX] 2.5.1.
pub const BLOCK_STATE_MASK: u64 = 7;
/// State of a block that is in the file.
pub const BLOCK_FULLY_PRESENT: u64 = 6;

/// One of the two headers; the valid one with the higher sequence number is current. [MS-VHDX] 2.2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`Header::SIGNATURE`].
    pub signature: [u8; 4],
    /// CRC-32C of the 4096 bytes with this field as 0.
    pub checksum: u32,
    /// Counts up with each update.
    pub sequence_number: u64,
    /// Which log entries count; zeros = no log to be replayed.
    pub log_guid: [u8; 16],
    /// [`VERSION`].
    pub version: u16,
    /// Bytes of the log.
    pub log_length: u32,
    /// Byte offset of the log.
    pub log_offset: u64,
}

impl Header {
    /// Bytes of the header that its checksum covers.
    pub const SIZE: usize = 4096;
    /// First bytes of the header.
    pub const SIGNATURE: [u8; 4] = *b"head";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            signature: [b[0], b[1], b[2], b[3]],
            checksum: LE::read_u32(&b[4..8]),
            sequence_number: LE::read_u64(&b[8..16]),
            log_guid: [0; 16],
            version: LE::read_u16(&b[66..68]),
            log_length: LE::read_u32(&b[68..72]),
            log_offset: LE::read_u64(&b[72..80]),
        };
        header.log_guid.copy_from_slice(&b[48..64]);
        header
    }
}

/// The start of a region table; its entries follow. [MS-VHDX] 2.2.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionTableHeader {
    /// [`RegionTableHeader::SIGNATURE`].
    pub signature: [u8; 4],
    /// CRC-32C of the table's 64 KiB with this field as 0.
    pub checksum: u32,
    /// Entries, at most [`RegionTableHeader::ENTRIES_MAX`].
    pub entry_count: u32,
}

impl RegionTableHeader {
    /// Bytes before the entries.
    pub const SIZE: usize = 16;
    /// First bytes of the table.
    pub const SIGNATURE: [u8; 4] = *b"regi";
    /// Bytes of the whole table.
    pub const TABLE_SIZE: usize = 64 << 10;
    /// Most entries that are allowed.
    pub const ENTRIES_MAX: u32 = 2047;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            signature: [b[0], b[1], b[2], b[3]],
            checksum: LE::read_u32(&b[4..8]),
            entry_count: LE::read_u32(&b[8..12]),
        }
    }
}

/// Where a region is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionEntry {
    /// Which region, such as [`REGION_METADATA`].
    pub guid: [u8; 16],
    /// Byte offset in the file.
    pub offset: u64,
    /// Bytes of the region.
    pub length: u32,
    /// Bit 0: a reader that doesn't know the region must refuse.
    pub required: u32,
}

impl RegionEntry {
    /// Bytes of an entry.
    pub const SIZE: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut entry = Self {
            guid: [0; 16],
            offset: LE::read_u64(&b[16..24]),
            length: LE::read_u32(&b[24..28]),
            required: LE::read_u32(&b[28..32]),
        };
        entry.guid.copy_from_slice(&b[..16]);
        entry
    }
}

/// The start of the metadata region; its entries follow. [MS-VHDX] 2.6.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataHeader {
    /// [`MetadataHeader::SIGNATURE`].
    pub signature: [u8; 8],
    /// Entries, at most 2047.
    pub entry_count: u16,
}

impl MetadataHeader {
    /// Bytes before the entries.
    pub const SIZE: usize = 32;
    /// First bytes of the region.
    pub const SIGNATURE: [u8; 8] = *b"metadata";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self { signature: [0; 8], entry_count: LE::read_u16(&b[10..12]) };
        header.signature.copy_from_slice(&b[..8]);
        header
    }
}

/// Where a metadata item is. [MS-VHDX] 2.6.1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataEntry {
    /// Which item, such as [`ITEM_DISK_SIZE`].
    pub guid: [u8; 16],
    /// Bytes from the start of the metadata region.
    pub offset: u32,
    /// Bytes of the item.
    pub length: u32,
    /// Values such as [`ITEM_REQUIRED`].
    pub flags: u32,
}

impl MetadataEntry {
    /// Bytes of an entry.
    pub const SIZE: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut entry = Self {
            guid: [0; 16],
            offset: LE::read_u32(&b[16..20]),
            length: LE::read_u32(&b[20..24]),
            flags: LE::read_u32(&b[24..28]),
        };
        entry.guid.copy_from_slice(&b[..16]);
        entry
    }
}

/// Bytes before the entries of a parent locator. [MS-VHDX] 2.6.2.6.1.
pub const LOCATOR_HEADER_SIZE: usize = 20;
/// Where that header has the number of entries, as u16.
pub const LOCATOR_COUNT_OFFSET: usize = 18;

/// One key and value of the parent locator. Both are UTF-16 little-endian without a NUL. [MS-VHDX] 2.6.2.6.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatorEntry {
    /// Bytes from the start of the locator to the key.
    pub key_offset: u32,
    /// Bytes from the start of the locator to the value.
    pub value_offset: u32,
    /// Bytes of the key.
    pub key_length: u16,
    /// Bytes of the value.
    pub value_length: u16,
}

impl LocatorEntry {
    /// Bytes of an entry.
    pub const SIZE: usize = 12;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            key_offset: LE::read_u32(&b[..4]),
            value_offset: LE::read_u32(&b[4..8]),
            key_length: LE::read_u16(&b[8..10]),
            value_length: LE::read_u16(&b[10..12]),
        }
    }
}

/// CRC-32C of the bytes, with the four at [`CHECKSUM_OFFSET`] taken as 0.
pub fn checksum(bytes: &[u8]) -> u32 {
    // Bit by bit: two tables of 64 KiB for each file are not worth a lookup table.
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().enumerate().fold(u32::MAX, |crc, (at, byte)| {
        let counted = !(CHECKSUM_OFFSET..CHECKSUM_OFFSET + 4).contains(&at);
        (0..8).fold(crc ^ if counted { u32::from(*byte) } else { 0 }, |crc, _| step(crc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_32c_has_its_published_check_value() {
        // RFC 3720, B.4: 32 bytes of zeros. Bytes 4..8 count as 0 anyway.
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
        let mut bytes = [0; 32];
        bytes[4..8].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(checksum(&bytes), 0x8a91_36aa);
        bytes[8] = 1;
        assert_ne!(checksum(&bytes), 0x8a91_36aa);
    }
}
