//! EWF, the Expert Witness format of EnCase (E01 and its successor).
//!
//! Source: libewf's "Expert Witness Compression Format" and its version 2. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of a file of version 1.
pub const MAGIC: [u8; 8] = *b"EVF\x09\x0d\x0a\xff\x00";
/// First bytes of a file of version 2.
pub const MAGIC_V2: [u8; 8] = *b"EVF2\x0d\x0a\x81\x00";
/// Version 1: where the number of the segment is, as u16; the first file of a set has 1.
pub const SEGMENT_OFFSET: u64 = 9;
/// Version 1: where the first section is.
pub const FIRST_SECTION: u64 = 13;
/// Type of the last section of a file that another one follows.
pub const SECTION_NEXT: [u8; 16] = *b"next\0\0\0\0\0\0\0\0\0\0\0\0";
/// Type of a section with a [`Volume`].
pub const SECTION_VOLUME: [u8; 16] = *b"volume\0\0\0\0\0\0\0\0\0\0";
/// The same, as EnCase's later versions and the second and later files name it.
pub const SECTION_DISK: [u8; 16] = *b"disk\0\0\0\0\0\0\0\0\0\0\0\0";

/// What a section begins with. The last section of a file has nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is, padded with NULs.
    pub kind: [u8; 16],
    /// Byte offset of the next one; its own in the last.
    pub next: u64,
}

impl Section {
    /// Bytes before the section's data.
    pub const SIZE: usize = 76;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut section = Self { kind: [0; 16], next: LE::read_u64(&b[16..24]) };
        section.kind.copy_from_slice(&b[..16]);
        section
    }
}

/// The start of a volume section's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Bytes of a sector.
    pub bytes_per_sector: u32,
    /// Sectors of the disk.
    pub sectors: u64,
}

impl Volume {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 24;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { bytes_per_sector: LE::read_u32(&b[12..16]), sectors: LE::read_u64(&b[16..24]) }
    }
}
