//! WIM, the Windows Imaging Format: files of an installation, not a disk.
//!
//! Source: Microsoft, "Windows Imaging File Format". Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of the file.
pub const MAGIC: [u8; 8] = *b"MSWIM\0\0\0";
/// First bytes of wimlib's pipable form.
pub const MAGIC_PIPABLE: [u8; 8] = *b"WLPWM\0\0\0";

/// The header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which part of a split file this is, from 1.
    pub part: u16,
    /// Parts of a split file; 1 if it is not split.
    pub parts: u16,
    /// Installations in it.
    pub images: u32,
}

impl Header {
    /// Bytes that are decoded here, of 208.
    pub const SIZE: usize = 48;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            part: LE::read_u16(&b[40..42]),
            parts: LE::read_u16(&b[42..44]),
            images: LE::read_u32(&b[44..48]),
        }
    }
}
