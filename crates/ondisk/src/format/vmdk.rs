//! VMDK, VMware's virtual disk.
//!
//! Source: VMware, "Virtual Disk Format 5.0"; for seSparse, which that leaves out, the header as files of ESXi 6.5 have
//! it. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// Sizes in headers and descriptors count sectors of this many bytes.
pub const SECTOR: u64 = 512;
/// The comment that marks a descriptor, in lower case; readers take any case.
pub const DESCRIPTOR_MARKER: &str = "disk descriptorfile";
/// `parentCID` of a disk without a parent.
pub const NO_PARENT_CID: u32 = 0xffff_ffff;

/// Every `createType`, as VMware and qemu write them.
pub const CREATE_TYPES: &[&str] = &[
    "custom",
    "fullDevice",
    "monolithicFlat",
    "monolithicSparse",
    "partitionedDevice",
    "seSparse",
    "streamOptimized",
    "twoGbMaxExtentFlat",
    "twoGbMaxExtentSparse",
    "vmfs",
    "vmfsEagerZeroedThick",
    "vmfsPassthroughRawDeviceMap",
    "vmfsPreallocated",
    "vmfsRaw",
    "vmfsRawDeviceMap",
    "vmfsRDM",
    "vmfsRDMP",
    "vmfsSparse",
    "vmfsThin",
];

/// `flags`: [`SparseHeader::rgd_offset`] names a second grain directory, with grain tables of its own.
pub const FLAG_REDUNDANT: u32 = 1 << 1;
/// `flags`: an entry of 1 in a grain table is a grain of zeros.
pub const FLAG_ZERO_GRAINS: u32 = 1 << 2;
/// Entries of a grain table, in every file.
pub const GRAIN_TABLE_ENTRIES: u32 = 512;
/// Entry of a grain directory or table for what is not in the file: it reads as zeros.
pub const ENTRY_ABSENT: u32 = 0;
/// Entry of a grain table for a grain of zeros, under [`FLAG_ZERO_GRAINS`].
pub const ENTRY_ZEROS: u32 = 1;
/// `compress_algorithm`: zlib streams.
pub const COMPRESSION_DEFLATE: u16 = 1;

/// `flags`: grains are compressed.
pub const FLAG_COMPRESSED: u32 = 1 << 16;
/// `flags`: markers stand before grains and tables, as streams need them.
pub const FLAG_MARKERS: u32 = 1 << 17;
/// `gd_offset` when the grain directory is named by the footer at the end of the file.
pub const GD_AT_END: u64 = u64::MAX;
/// Bytes from the end of the file to that footer, which is a copy of the header.
pub const FOOTER_FROM_END: u64 = 1024;

/// Header of a hosted sparse extent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseHeader {
    /// [`SparseHeader::MAGIC`].
    pub magic: [u8; 4],
    /// 1 to 3.
    pub version: u32,
    /// Values such as [`FLAG_COMPRESSED`].
    pub flags: u32,
    /// Size of the disk in sectors.
    pub capacity: u64,
    /// Sectors of a grain.
    pub grain_size: u64,
    /// Sector of the embedded descriptor; 0 = none.
    pub descriptor_offset: u64,
    /// Sectors of the embedded descriptor.
    pub descriptor_size: u64,
    /// Entries of a grain table: [`GRAIN_TABLE_ENTRIES`].
    pub table_entries: u32,
    /// Sector of the redundant grain directory.
    pub rgd_offset: u64,
    /// Sector of the grain directory, or [`GD_AT_END`].
    pub gd_offset: u64,
    /// Sectors of header, descriptor and tables, after which the grains begin.
    pub overhead: u64,
    /// Not 0: the file was not closed.
    pub unclean_shutdown: u8,
    /// [`COMPRESSION_DEFLATE`], where grains are compressed.
    pub compress_algorithm: u16,
}

impl SparseHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 512;
    /// First bytes of the header.
    pub const MAGIC: [u8; 4] = *b"KDMV";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            version: LE::read_u32(&b[4..8]),
            flags: LE::read_u32(&b[8..12]),
            capacity: LE::read_u64(&b[12..20]),
            grain_size: LE::read_u64(&b[20..28]),
            descriptor_offset: LE::read_u64(&b[28..36]),
            descriptor_size: LE::read_u64(&b[36..44]),
            table_entries: LE::read_u32(&b[44..48]),
            rgd_offset: LE::read_u64(&b[48..56]),
            gd_offset: LE::read_u64(&b[56..64]),
            overhead: LE::read_u64(&b[64..72]),
            unclean_shutdown: b[72],
            compress_algorithm: LE::read_u16(&b[77..79]),
        }
    }
}

/// What stands before a compressed grain, where there are markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrainMarker {
    /// Sector of the disk that the grain begins at.
    pub sector: u64,
    /// Bytes of compressed data that follow.
    pub size: u32,
}

impl GrainMarker {
    /// Bytes of the marker.
    pub const SIZE: usize = 12;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { sector: LE::read_u64(&b[..8]), size: LE::read_u32(&b[8..12]) }
    }
}

/// Header of a sparse extent on VMFS, also called COWD after its magic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CowdHeader {
    /// [`CowdHeader::MAGIC`].
    pub magic: [u8; 4],
    /// 1.
    pub version: u32,
    /// Size of the disk in sectors.
    pub capacity: u32,
    /// Sectors of a grain.
    pub grain_size: u32,
    /// Sector of the grain directory.
    pub gd_offset: u32,
}

impl CowdHeader {
    /// Bytes that are decoded here, of 2048.
    pub const SIZE: usize = 24;
    /// First bytes of the header.
    pub const MAGIC: [u8; 4] = *b"COWD";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            version: LE::read_u32(&b[4..8]),
            capacity: LE::read_u32(&b[12..16]),
            grain_size: LE::read_u32(&b[16..20]),
            gd_offset: LE::read_u32(&b[20..24]),
        }
    }
}

/// Header of a space-efficient sparse extent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeSparseHeader {
    /// [`SeSparseHeader::MAGIC`].
    pub magic: u64,
    /// [`SeSparseHeader::VERSION`].
    pub version: u64,
    /// Size of the disk in sectors.
    pub capacity: u64,
}

impl SeSparseHeader {
    /// Bytes that are decoded here, of 512.
    pub const SIZE: usize = 24;
    /// First eight bytes of the header, as a number.
    pub const MAGIC: u64 = 0xcafe_babe;
    /// Version 2.1, the only one seen.
    pub const VERSION: u64 = 0x0000_0002_0000_0001;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: LE::read_u64(&b[..8]),
            version: LE::read_u64(&b[8..16]),
            capacity: LE::read_u64(&b[16..24]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unaligned_and_little_endian() {
        let mut b = [0; SparseHeader::SIZE];
        b[..4].copy_from_slice(&SparseHeader::MAGIC);
        b[12] = 7;
        b[56..64].fill(0xff);
        b[72] = 1;
        let header = SparseHeader::decode(&b);
        assert_eq!((header.capacity, header.gd_offset, header.unclean_shutdown), (7, GD_AT_END, 1));
    }

    #[test]
    fn create_types_are_sorted_and_single() {
        assert!(CREATE_TYPES.windows(2).all(|w| w[0].to_lowercase() < w[1].to_lowercase()));
    }
}
