//! Apple disk images: the trailer of UDIF, and the header of an encrypted one.
//!
//! Source: no official one; the layout as the open readers agree on it (qemu, dmg2img, 7-Zip). Big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

/// First bytes of an encrypted image, version 2. What is inside shows only with the key.
pub const ENCRYPTED_MAGIC: [u8; 8] = *b"encrcdsa";

/// The trailer in the last 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// [`Trailer::MAGIC`].
    pub magic: [u8; 4],
    /// 4.
    pub version: u32,
    /// [`Trailer::SIZE`].
    pub header_size: u32,
    /// Byte offset of the data fork.
    pub data_offset: u64,
    /// Bytes of the data fork.
    pub data_length: u64,
    /// Which part of a split image this is, from 1; 0 or 1 if it is not split.
    pub segment: u32,
    /// Parts of a split image; 0 or 1 if it is not split.
    pub segments: u32,
    /// Byte offset of the property list that names the blocks.
    pub xml_offset: u64,
    /// Bytes of the property list.
    pub xml_length: u64,
    /// Size of the disk in sectors of 512 bytes.
    pub sectors: u64,
}

impl Trailer {
    /// Bytes of the trailer.
    pub const SIZE: usize = 512;
    /// First bytes of the trailer.
    pub const MAGIC: [u8; 4] = *b"koly";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            version: BE::read_u32(&b[4..8]),
            header_size: BE::read_u32(&b[8..12]),
            data_offset: BE::read_u64(&b[24..32]),
            data_length: BE::read_u64(&b[32..40]),
            segment: BE::read_u32(&b[56..60]),
            segments: BE::read_u32(&b[60..64]),
            xml_offset: BE::read_u64(&b[216..224]),
            xml_length: BE::read_u64(&b[224..232]),
            sectors: BE::read_u64(&b[492..500]),
        }
    }
}
