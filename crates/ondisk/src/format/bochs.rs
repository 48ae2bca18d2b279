//! Bochs' growing image and redo logs.
//!
//! Source: the Bochs user manual and its redo log header, as qemu's reader has it. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of the file.
pub const MAGIC: [u8; 22] = *b"Bochs Virtual HD Image";
/// `kind`, the only one that exists.
pub const KIND: &[u8] = b"Redolog";
/// `version` with the size of the disk after `extent_bytes`.
pub const VERSION_1: u32 = 0x0001_0000;
/// `version` with a timestamp between the two.
pub const VERSION_2: u32 = 0x0002_0000;

/// The header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`KIND`], padded with NULs.
    pub kind: [u8; 16],
    /// `Growing`, `Undoable` or `Volatile`, padded with NULs; the last two are changes to another disk.
    pub subtype: [u8; 16],
    /// [`VERSION_1`] or [`VERSION_2`].
    pub version: u32,
    /// Bytes of the header.
    pub header_size: u32,
    /// Entries of the catalog that follows the header.
    pub catalog_entries: u32,
    /// Bytes of the bitmap in front of an extent.
    pub bitmap_bytes: u32,
    /// Bytes of an extent.
    pub extent_bytes: u32,
    /// Virtual disk size in bytes, where version 1 has it.
    pub disk_size_v1: u64,
    /// Virtual disk size in bytes, where version 2 has it.
    pub disk_size_v2: u64,
}

impl Header {
    /// Bytes that are decoded here, of 512.
    pub const SIZE: usize = 96;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            kind: [0; 16],
            subtype: [0; 16],
            version: LE::read_u32(&b[64..68]),
            header_size: LE::read_u32(&b[68..72]),
            catalog_entries: LE::read_u32(&b[72..76]),
            bitmap_bytes: LE::read_u32(&b[76..80]),
            extent_bytes: LE::read_u32(&b[80..84]),
            disk_size_v1: LE::read_u64(&b[84..92]),
            disk_size_v2: LE::read_u64(&b[88..96]),
        };
        header.kind.copy_from_slice(&b[32..48]);
        header.subtype.copy_from_slice(&b[48..64]);
        header
    }
}
