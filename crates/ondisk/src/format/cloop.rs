//! cloop, a compressed loop image.
//!
//! Source: cloop's own header, a shell script of 128 bytes and two numbers. Big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

/// First bytes of the file; the name of the image that the script would mount varies.
pub const MAGIC: &[u8] = b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop";
/// Where the numbers are.
pub const HEADER_OFFSET: u64 = 128;

/// The numbers behind the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of a block, expanded: a multiple of 512.
    pub block_size: u32,
    /// Blocks of the image; one offset more than these follows.
    pub blocks: u32,
}

impl Header {
    /// Bytes of it.
    pub const SIZE: usize = 8;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { block_size: BE::read_u32(&b[..4]), blocks: BE::read_u32(&b[4..8]) }
    }
}
