//! Android's sparse image, as fastboot takes it.
//!
//! Source: AOSP system/core/libsparse/sparse_format.h. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// The header of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`Header::MAGIC`].
    pub magic: u32,
    /// 1; a reader must refuse a higher one.
    pub major_version: u16,
    /// Bytes of this header, at least [`Header::SIZE`].
    pub header_size: u16,
    /// Bytes of a block: a multiple of 4.
    pub block_size: u32,
    /// Blocks of the disk.
    pub blocks: u32,
    /// Chunks of the file.
    pub chunks: u32,
}

impl Header {
    /// Bytes of the header.
    pub const SIZE: usize = 28;
    /// First four bytes, as a number.
    pub const MAGIC: u32 = 0xed26_ff3a;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: LE::read_u32(&b[..4]),
            major_version: LE::read_u16(&b[4..6]),
            header_size: LE::read_u16(&b[8..10]),
            block_size: LE::read_u32(&b[12..16]),
            blocks: LE::read_u32(&b[16..20]),
            chunks: LE::read_u32(&b[20..24]),
        }
    }
}
