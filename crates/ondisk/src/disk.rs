//! What stands at the start of a disk: partition tables, volume descriptors, superblocks.
//!
//! Sources: UEFI Specification 2.10, chapter 5 (GPT and MBR); ECMA-119 (ISO 9660); ECMA-167 (UDF); for file systems their
//! own documentation, named at each constant.

use byteorder::{BigEndian as BE, ByteOrder, LittleEndian as LE};

/// Bytes of a sector, unless the disk has 4096-byte ones.
pub const SECTOR: u64 = 512;
/// Last two bytes of the first sector, of an MBR and of a volume boot record alike.
pub const BOOT_SIGNATURE: [u8; 2] = [0x55, 0xaa];
/// Partition type of a GPT's protective MBR.
pub const PARTITION_PROTECTIVE: u8 = 0xee;

/// The first sector as an MBR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mbr {
    /// The primary partitions.
    pub partitions: [MbrPartition; 4],
    /// [`BOOT_SIGNATURE`].
    pub signature: [u8; 2],
}

/// A primary partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MbrPartition {
    /// 0x80 = active, 0 = not.
    pub status: u8,
    /// What is in it; 0 = the entry is free.
    pub kind: u8,
    /// First sector.
    pub first: u32,
    /// Sectors.
    pub count: u32,
}

impl MbrPartition {
    /// Bytes of an entry.
    pub const SIZE: usize = 16;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { status: b[0], kind: b[4], first: LE::read_u32(&b[8..12]), count: LE::read_u32(&b[12..16]) }
    }
}

impl Mbr {
    /// Bytes of it.
    pub const SIZE: usize = 512;
    /// Where the partition table starts.
    pub const TABLE_OFFSET: usize = 446;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let (entries, _) = b[Self::TABLE_OFFSET..510].as_chunks::<{ MbrPartition::SIZE }>();
        let entry = |n: usize| MbrPartition::decode(entries.get(n).unwrap_or(&[0; MbrPartition::SIZE]));
        Self { partitions: [entry(0), entry(1), entry(2), entry(3)], signature: [b[510], b[511]] }
    }
}

/// The header of a GUID partition table, in sector 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GptHeader {
    /// [`GptHeader::SIGNATURE`].
    pub signature: [u8; 8],
    /// Bytes of the header that its CRC covers: 92 up to a sector.
    pub header_size: u32,
    /// CRC-32 of the header with this field as 0.
    pub header_crc: u32,
    /// The sector that this header is in.
    pub my_lba: u64,
    /// The sector of the other header.
    pub alternate_lba: u64,
}

impl GptHeader {
    /// Bytes of the defined part, and the least `header_size`.
    pub const SIZE: usize = 92;
    /// First bytes of the header.
    pub const SIGNATURE: [u8; 8] = *b"EFI PART";
    /// Where `header_crc` is.
    pub const CRC_OFFSET: usize = 16;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            signature: [0; 8],
            header_size: LE::read_u32(&b[12..16]),
            header_crc: LE::read_u32(&b[16..20]),
            my_lba: LE::read_u64(&b[24..32]),
            alternate_lba: LE::read_u64(&b[32..40]),
        };
        header.signature.copy_from_slice(&b[..8]);
        header
    }
}

/// The primary volume descriptor of ISO 9660. ECMA-119, 8.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsoVolumeDescriptor {
    /// 1 = primary.
    pub kind: u8,
    /// [`IsoVolumeDescriptor::IDENTIFIER`].
    pub identifier: [u8; 5],
    /// 1.
    pub version: u8,
    /// Size of the volume in logical blocks, from the little-endian half of the field.
    pub volume_blocks: u32,
    /// Bytes of a logical block, from the little-endian half of the field.
    pub block_size: u16,
}

impl IsoVolumeDescriptor {
    /// Bytes that are decoded here, of 2048.
    pub const SIZE: usize = 132;
    /// Where the first descriptor is: sector 16 of 2048 bytes.
    pub const OFFSET: u64 = 32768;
    /// Standard identifier.
    pub const IDENTIFIER: [u8; 5] = *b"CD001";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            kind: b[0],
            identifier: [b[1], b[2], b[3], b[4], b[5]],
            version: b[6],
            volume_blocks: LE::read_u32(&b[80..84]),
            block_size: LE::read_u16(&b[128..130]),
        }
    }
}

/// The superblock of ext2, ext3 and ext4. Source: kernel Documentation/filesystems/ext4/super.rst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtSuperblock {
    /// Blocks, lower 32 bits.
    pub blocks: u32,
    /// First data block: 1 with blocks of 1 KiB, otherwise 0, as with bigalloc whatever the blocks.
    pub first_data_block: u32,
    /// log2 of the block size in KiB.
    pub log_block_size: u32,
    /// Blocks in a group.
    pub blocks_per_group: u32,
    /// [`ExtSuperblock::MAGIC`].
    pub magic: u16,
    /// Compatible features; bit 2 = journal.
    pub compatible: u32,
    /// Incompatible features.
    pub incompatible: u32,
    /// Features that a reader may ignore and a writer may not.
    pub read_only_compatible: u32,
}

impl ExtSuperblock {
    /// Bytes that are decoded here, of 1024.
    pub const SIZE: usize = 104;
    /// Where it is.
    pub const OFFSET: u64 = 1024;
    /// Where `magic` is, from the superblock's start.
    pub const MAGIC_OFFSET: u64 = 56;
    /// Value of `magic`.
    pub const MAGIC: u16 = 0xef53;
    /// Largest `log_block_size`: 64 KiB.
    pub const LOG_BLOCK_SIZE_MAX: u32 = 6;
    /// Compatible feature: journal, which makes ext2 ext3.
    pub const COMPATIBLE_JOURNAL: u32 = 1 << 2;
    /// Incompatible features of ext2 and ext3: compression, file types, recovery, journal device, meta_bg.
    pub const INCOMPATIBLE_EXT3: u32 = 0x1f;
    /// Read-only compatible features of ext2 and ext3: sparse superblocks, large files, B-tree directories.
    pub const READ_ONLY_EXT3: u32 = 0x7;
    /// Read-only compatible feature: space is allocated in clusters of several blocks.
    pub const READ_ONLY_BIGALLOC: u32 = 0x200;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            blocks: LE::read_u32(&b[4..8]),
            first_data_block: LE::read_u32(&b[20..24]),
            log_block_size: LE::read_u32(&b[24..28]),
            blocks_per_group: LE::read_u32(&b[32..36]),
            magic: LE::read_u16(&b[56..58]),
            compatible: LE::read_u32(&b[92..96]),
            incompatible: LE::read_u32(&b[96..100]),
            read_only_compatible: LE::read_u32(&b[100..104]),
        }
    }

    /// Whether the numbers agree with each other, which distinguishes a superblock from other bytes: its magic has only two.
    pub fn is_plausible(&self) -> bool {
        let starts_at_0 =
            self.log_block_size > 0 || self.read_only_compatible & Self::READ_ONLY_BIGALLOC != 0;
        self.magic == Self::MAGIC
            && self.log_block_size <= Self::LOG_BLOCK_SIZE_MAX
            && self.first_data_block == u32::from(!starts_at_0)
            && self.blocks > 0
    }
}

/// The BIOS parameter block of a FAT volume. Source: Microsoft, "FAT32 File System Specification" 1.03.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FatBootRecord {
    /// First byte: 0xeb or 0xe9, a jump.
    pub jump: u8,
    /// Bytes of a sector.
    pub bytes_per_sector: u16,
    /// Sectors of a cluster: a power of two.
    pub sectors_per_cluster: u8,
    /// Sectors before the first FAT, this one included.
    pub reserved_sectors: u16,
    /// File allocation tables.
    pub fats: u8,
    /// Media descriptor: 0xf0, or 0xf8 and above.
    pub media: u8,
    /// FAT32: the string that names it.
    pub name_fat32: [u8; 8],
    /// FAT12 and FAT16: the string that names it.
    pub name_fat16: [u8; 8],
}

impl FatBootRecord {
    /// Bytes of the boot record.
    pub const SIZE: usize = 512;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut record = Self {
            jump: b[0],
            bytes_per_sector: LE::read_u16(&b[11..13]),
            sectors_per_cluster: b[13],
            reserved_sectors: LE::read_u16(&b[14..16]),
            fats: b[16],
            media: b[21],
            name_fat32: [0; 8],
            name_fat16: [0; 8],
        };
        record.name_fat32.copy_from_slice(&b[82..90]);
        record.name_fat16.copy_from_slice(&b[54..62]);
        record
    }
}

/// A magic that by itself is enough to know some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magic {
    /// What it is, as people call it.
    pub name: &'static str,
    /// Byte offset from the start of the disk.
    pub offset: usize,
    /// The bytes there.
    pub bytes: &'static [u8],
}

const fn magic(name: &'static str, offset: usize, bytes: &'static [u8]) -> Magic {
    Magic { name, offset, bytes }
}

/// Content known by a magic of at least four bytes. The offsets are those of each one's own documentation: XFS
/// Algorithms & Data Structures; kernel Documentation and uapi headers (btrfs, f2fs, erofs, squashfs, md, swap, gfs2, ocfs2, bcachefs); Apple's File System
/// Reference and Technical Note 1150 (APFS, HFS Plus); MS-FSCC
/// and the exFAT specification; LVM2 label and PV header; JFS and ReiserFS layouts; FreeBSD ufs/ffs/fs.h; the superblock of cryptsetup's veritysetup.
pub const CONTENT_MAGICS: &[Magic] = &[
    magic("ntfs", 3, b"NTFS    "),
    magic("exfat", 3, b"EXFAT   "),
    magic("refs", 3, b"ReFS\0\0\0\0"),
    magic("bitlocker", 3, b"-FVE-FS-"),
    magic("squashfs", 0, b"hsqs"),
    magic("apfs", 32, b"NXSB"),
    magic("hfsplus", 1024, b"H+\0\x04"),
    magic("hfsplus", 1024, b"HX\0\x05"),
    magic("ocfs2", 1024, b"OCFSV2"),
    magic("ocfs2", 2048, b"OCFSV2"),
    magic("ocfs2", 4096, b"OCFSV2"),
    magic("ocfs2", 8192, b"OCFSV2"),
    magic(
        "bcachefs",
        4120,
        &[0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81],
    ),
    magic("gfs2", 65536, &[0x01, 0x16, 0x19, 0x70, 0, 0, 0, 1]),
    magic("linux-raid", 0, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]),
    magic("linux-raid", 4096, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0]),
    magic("f2fs", 1024, &[0x10, 0x20, 0xf5, 0xf2]),
    magic("erofs", 1024, &[0xe2, 0xe1, 0xf5, 0xe0]),
    magic("swap", 4086, &crate::volume::swap::MAGIC),
    magic("swap", 65526, &crate::volume::swap::MAGIC),
    magic("jfs", 32768, b"JFS1"),
    magic("udf", 32769, b"BEA01"),
    magic("reiserfs", 65588, b"ReIsEr"),
    magic("btrfs", 65600, b"_BHRfS_M"),
    magic("ufs2", 66908, &[0x19, 0x01, 0x54, 0x19]),
    magic("ufs2", 66908, &[0x19, 0x54, 0x01, 0x19]),
    magic("ufs1", 9564, &[0x54, 0x19, 0x01, 0x00]),
    magic("ufs1", 9564, &[0x00, 0x01, 0x19, 0x54]),
    magic("verity", 0, b"verity\0\0"),
];

/// First bytes of an XFS superblock; big-endian block size follows.
pub const XFS_MAGIC: [u8; 4] = *b"XFSB";

/// The start of an XFS superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XfsSuperblock {
    /// [`XFS_MAGIC`].
    pub magic: [u8; 4],
    /// Bytes of a block: a power of two from 512 to 65536.
    pub block_size: u32,
}

impl XfsSuperblock {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 8;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: [b[0], b[1], b[2], b[3]], block_size: BE::read_u32(&b[4..8]) }
    }
}

/// First bytes of the label of an LVM2 physical volume, in one of the first four sectors.
pub const LVM_LABEL: [u8; 8] = *b"LABELONE";
/// Where the label's type is, from the label.
pub const LVM_TYPE_OFFSET: usize = 24;
/// The label's type.
pub const LVM_TYPE: [u8; 8] = *b"LVM2 001";
/// Sectors in which the label is looked for.
pub const LVM_LABEL_SECTORS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_table_is_read_in_order() {
        let mut b = [0; Mbr::SIZE];
        for n in 0..4 {
            b[446 + 16 * n + 4] = 0x80 + u8::try_from(n).unwrap();
            b[446 + 16 * n + 8] = 1;
        }
        b[510..].copy_from_slice(&BOOT_SIGNATURE);
        let mbr = Mbr::decode(&b);
        assert_eq!(mbr.partitions.map(|p| p.kind), [0x80, 0x81, 0x82, 0x83]);
        assert_eq!((mbr.partitions[3].first, mbr.signature), (1, BOOT_SIGNATURE));
    }

    #[test]
    fn a_content_magic_has_four_bytes_or_more() {
        assert!(CONTENT_MAGICS.iter().all(|m| m.bytes.len() >= 4));
    }
}
