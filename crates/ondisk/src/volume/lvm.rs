//! LVM2. Source: lib/format_text/layout.h and the headers of lib/label of LVM2.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// The label, in one of the first four sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// [`LVM_LABEL`](crate::disk::LVM_LABEL).
    pub magic: [u8; 8],
    /// The sector that it is in.
    pub sector: u64,
    /// Where the physical volume's header is, from the label.
    pub offset: u32,
    /// [`LVM_TYPE`](crate::disk::LVM_TYPE).
    pub kind: [u8; 8],
}

impl Label {
    /// Bytes of it.
    pub const SIZE: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: first(b),
            sector: LE::read_u64(&b[8..16]),
            offset: LE::read_u32(&b[20..24]),
            kind: first(&b[24..]),
        }
    }
}

/// The start of a physical volume's header; lists of areas follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicalVolume {
    /// Its UUID: 32 characters without the hyphens.
    pub uuid: [u8; 32],
    /// Bytes of the device.
    pub size: u64,
}

impl PhysicalVolume {
    /// Bytes of it.
    pub const SIZE: usize = 40;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { uuid: first(b), size: LE::read_u64(&b[32..40]) }
    }
}

/// An area of a physical volume. A list of data areas and one of metadata areas follow each other; an area at 0 ends each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Where it is, from the start of the physical volume.
    pub offset: u64,
    /// Bytes of it.
    pub size: u64,
}

impl Area {
    /// Bytes of it.
    pub const SIZE: usize = 16;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { offset: LE::read_u64(&b[..8]), size: LE::read_u64(&b[8..16]) }
    }
}

/// The header of a metadata area, with the first place of a text in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataHeader {
    /// [`MetadataHeader::MAGIC`].
    pub magic: [u8; 16],
    /// Where the area is, from the start of the physical volume.
    pub start: u64,
    /// Bytes of the area, which is a ring: after its end it goes on behind this header.
    pub size: u64,
    /// Where the text is, from `start`; 0 = there is none.
    pub text_offset: u64,
    /// Bytes of the text, a NUL at its end included.
    pub text_size: u64,
    /// CRC-32 of the text, begun with [`MetadataHeader::CRC_START`].
    pub text_checksum: u32,
}

impl MetadataHeader {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 64;
    /// Bytes that the header takes up in its area.
    pub const ROOM: u64 = 512;
    /// Value of `magic`.
    pub const MAGIC: [u8; 16] = *b" LVM2 x[5A%r0N*>";
    /// First value of its CRC-32, which is not inverted at the end.
    pub const CRC_START: u32 = 0xf597_a6cf;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: first(&b[4..]),
            start: LE::read_u64(&b[24..32]),
            size: LE::read_u64(&b[32..40]),
            text_offset: LE::read_u64(&b[40..48]),
            text_size: LE::read_u64(&b[48..56]),
            text_checksum: LE::read_u32(&b[56..60]),
        }
    }
}
