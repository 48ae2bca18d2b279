//! Parallels' expandable image, and the elements of a bundle's descriptor.
//!
//! Sources: qemu docs/interop/parallels.rst and docs/interop/prl-xml.rst. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// Numbers in headers and descriptors count sectors of this many bytes.
pub const SECTOR: u64 = 512;
/// The only `version`.
pub const VERSION: u32 = 2;
/// `in_use` while a program has the image open for writing, or after it crashed.
pub const IN_USE_OPEN: u32 = 0x746f_6e59;
/// `in_use` of an image that was closed.
pub const IN_USE_CLOSED: u32 = 0x312e_3276;
/// Bytes of an entry of the block allocation table, which follows the header.
pub const BAT_ENTRY_SIZE: u64 = 4;

/// The root element of the descriptor of a bundle, `DiskDescriptor.xml`.
pub const XML_ROOT: &str = "Parallels_disk_image";
/// The engine of a disk that is not encrypted.
pub const XML_NO_ENGINE: &str = "{00000000-0000-0000-0000-000000000000}";

/// The header of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`Header::MAGIC`] or [`Header::MAGIC_EXTENDED`].
    pub magic: [u8; 16],
    /// [`VERSION`].
    pub version: u32,
    /// Sectors of a cluster.
    pub cluster_sectors: u32,
    /// Entries of the block allocation table.
    pub bat_entries: u32,
    /// Size of the disk in sectors; with [`Header::MAGIC`] only its lower 32 bits count.
    pub sectors: u64,
    /// [`IN_USE_OPEN`], [`IN_USE_CLOSED`], or 0 from programs that don't know the field.
    pub in_use: u32,
    /// Where the data starts, in sectors; 0 = after the table.
    pub data_offset: u32,
}

impl Header {
    /// Bytes of the header.
    pub const SIZE: usize = 64;
    /// First bytes of the older kind, whose table counts sectors.
    pub const MAGIC: [u8; 16] = *b"WithoutFreeSpace";
    /// First bytes of the newer kind, whose table counts clusters.
    pub const MAGIC_EXTENDED: [u8; 16] = *b"WithouFreSpacExt";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            magic: [0; 16],
            version: LE::read_u32(&b[16..20]),
            cluster_sectors: LE::read_u32(&b[28..32]),
            bat_entries: LE::read_u32(&b[32..36]),
            sectors: LE::read_u64(&b[36..44]),
            in_use: LE::read_u32(&b[44..48]),
            data_offset: LE::read_u32(&b[48..52]),
        };
        header.magic.copy_from_slice(&b[..16]);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_has_64_bits_and_no_alignment() {
        let mut b = [0; Header::SIZE];
        b[28] = 8;
        b[36] = 1;
        b[43] = 2;
        b[44..48].copy_from_slice(b"v2.1");
        let header = Header::decode(&b);
        assert_eq!((header.cluster_sectors, header.sectors), (8, 2 << 56 | 1));
        assert_eq!(header.in_use, IN_USE_CLOSED);
    }
}
