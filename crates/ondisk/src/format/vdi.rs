//! VDI, VirtualBox' disk image.
//!
//! Source: VirtualBox' VDICore.h (the format's only published definition) and files written by VBoxManage and
//! qemu-img. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// The signature after the 64 bytes of free text with which the file begins.
pub const SIGNATURE: u32 = 0xbeda_107f;
/// Major version whose header is the one decoded here, in the upper 16 bits of `version`.
pub const VERSION_MAJOR: u32 = 1;

/// `image_type`: blocks are allocated as they are written.
pub const TYPE_DYNAMIC: u32 = 1;
/// `image_type`: all blocks are there.
pub const TYPE_FIXED: u32 = 2;
/// `image_type`: an undo log of a parent.
pub const TYPE_UNDO: u32 = 3;
/// `image_type`: the difference to a parent.
pub const TYPE_DIFF: u32 = 4;

/// Bytes of an entry of the block map.
pub const MAP_ENTRY_SIZE: u64 = 4;

/// VDI's first 456 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`SIGNATURE`].
    pub signature: u32,
    /// Major version << 16 | minor version.
    pub version: u32,
    /// Bytes of the header that begins with this field.
    pub header_size: u32,
    /// Values such as [`TYPE_DYNAMIC`].
    pub image_type: u32,
    /// Byte offset of the block map.
    pub block_map_offset: u32,
    /// Byte offset of the first block.
    pub data_offset: u32,
    /// Virtual disk size in bytes.
    pub disk_size: u64,
    /// Bytes of a block.
    pub block_size: u32,
    /// Blocks of the disk.
    pub blocks: u32,
    /// Blocks that are in the file.
    pub blocks_allocated: u32,
    /// The parent's identity; zeros = no parent.
    pub parent_uuid: [u8; 16],
}

impl Header {
    /// Bytes up to the last field decoded here, with the text before the signature.
    pub const SIZE: usize = 456;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            signature: LE::read_u32(&b[64..68]),
            version: LE::read_u32(&b[68..72]),
            header_size: LE::read_u32(&b[72..76]),
            image_type: LE::read_u32(&b[76..80]),
            block_map_offset: LE::read_u32(&b[340..344]),
            data_offset: LE::read_u32(&b[344..348]),
            disk_size: LE::read_u64(&b[368..376]),
            block_size: LE::read_u32(&b[376..380]),
            blocks: LE::read_u32(&b[384..388]),
            blocks_allocated: LE::read_u32(&b[388..392]),
            parent_uuid: [0; 16],
        };
        header.parent_uuid.copy_from_slice(&b[440..456]);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_follows_the_text() {
        let mut b = [0; Header::SIZE];
        b[64..68].copy_from_slice(&[0x7f, 0x10, 0xda, 0xbe]);
        b[76] = 4;
        b[455] = 9;
        let header = Header::decode(&b);
        assert_eq!((header.signature, header.image_type, header.parent_uuid[15]), (SIGNATURE, TYPE_DIFF, 9));
    }
}
