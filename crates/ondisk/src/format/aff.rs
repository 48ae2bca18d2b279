//! AFF, the Advanced Forensic Format of AFFLIB.
//!
//! Source: AFFLIB's format description: a magic, then named segments. Big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

/// First bytes of the file.
pub const MAGIC: [u8; 8] = *b"AFF10\r\n\0";
/// Name of the segment with the size of the disk: the lower, then the upper 32 bits.
pub const SEGMENT_SIZE: &[u8] = b"imagesize";
/// Bytes of the tail behind a segment's data.
pub const TAIL_SIZE: u64 = 8;

/// The header of a segment; its name, its data and a tail follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// [`Segment::MAGIC`].
    pub magic: [u8; 4],
    /// Bytes of the name.
    pub name_length: u32,
    /// Bytes of the data.
    pub data_length: u32,
}

impl Segment {
    /// Bytes of the header.
    pub const SIZE: usize = 16;
    /// First bytes of the header.
    pub const MAGIC: [u8; 4] = *b"AFF\0";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            name_length: BE::read_u32(&b[4..8]),
            data_length: BE::read_u32(&b[8..12]),
        }
    }
}
