//! NTFS. Sources: Microsoft's documentation of `NTFS_VOLUME_DATA_BUFFER` and "NTFS Technical Reference"; for what that leaves
//! out, the documentation of the Linux-NTFS project.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// The boot record, without its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRecord {
    /// Bytes of a sector.
    pub bytes_per_sector: u16,
    /// Sectors of a cluster; above 128, two to the power of 256 less that number.
    pub sectors_per_cluster: u8,
    /// Sectors, without the copy of the boot record at the end.
    pub sectors: u64,
    /// First cluster of the master file table.
    pub mft: u64,
    /// Clusters of a record of that table; if negative, two to the power of the number without its sign, in bytes.
    pub record_size: i8,
    /// Serial number.
    pub serial: u64,
}

impl BootRecord {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 80;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            bytes_per_sector: LE::read_u16(&b[11..13]),
            sectors_per_cluster: b[13],
            sectors: LE::read_u64(&b[40..48]),
            mft: LE::read_u64(&b[48..56]),
            record_size: i8::from_le_bytes([b[64]]),
            serial: LE::read_u64(&b[72..80]),
        }
    }
}

/// The start of a record that is protected by an update sequence: of the master file table, or a page of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// [`RecordHeader::FILE`], [`RecordHeader::RESTART`], [`RecordHeader::INDEX`].
    pub magic: [u8; 4],
    /// Where the update sequence is: the number that ends every 512 bytes, then what belongs there.
    pub sequence_offset: u16,
    /// Numbers in it: one more than there are 512 bytes.
    pub sequence_count: u16,
    /// File record: where the attributes begin.
    pub attributes: u16,
    /// Page of the log: where the restart area begins.
    pub restart: u16,
}

impl RecordHeader {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 26;
    /// `magic` of a record of the master file table.
    pub const FILE: [u8; 4] = *b"FILE";
    /// `magic` of a block of an index.
    pub const INDEX: [u8; 4] = *b"INDX";
    /// `magic` of a restart page of the log.
    pub const RESTART: [u8; 4] = *b"RSTR";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: first(b),
            sequence_offset: LE::read_u16(&b[4..6]),
            sequence_count: LE::read_u16(&b[6..8]),
            attributes: LE::read_u16(&b[20..22]),
            restart: LE::read_u16(&b[24..26]),
        }
    }
}

/// Number of the record of the master file table itself.
pub const RECORD_TABLE: u64 = 0;
/// Number of the record of the root directory.
pub const RECORD_ROOT: u64 = 5;
/// Number of the record of the log.
pub const RECORD_LOG: u64 = 2;
/// Number of the record that describes the volume.
pub const RECORD_VOLUME: u64 = 3;

/// The start of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// [`Attribute::VOLUME_NAME`] and the like.
    pub kind: u32,
    /// Bytes of the attribute, this start included.
    pub length: u32,
    /// 0 = its value is in the record.
    pub non_resident: u8,
    /// Resident: bytes of its value.
    pub value_length: u32,
    /// Resident: where its value is, from the attribute's start.
    pub value_offset: u16,
    /// Characters of its name.
    pub name_length: u8,
    /// Where its name is, from the attribute's start.
    pub name_offset: u16,
}

impl Attribute {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 24;
    /// The volume's label.
    pub const VOLUME_NAME: u32 = 0x60;
    /// The volume's version and flags.
    pub const VOLUME_INFORMATION: u32 = 0x70;
    /// A file's content.
    pub const DATA: u32 = 0x80;
    /// The start of an index, with entries or places of blocks of them.
    pub const INDEX_ROOT: u32 = 0x90;
    /// The blocks of an index.
    pub const INDEX_ALLOCATION: u32 = 0xa0;
    /// After the last attribute.
    pub const END: u32 = u32::MAX;
    /// Not resident: where the offset of the list of runs is.
    pub const RUNS_OFFSET: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            kind: LE::read_u32(&b[..4]),
            length: LE::read_u32(&b[4..8]),
            non_resident: b[8],
            name_length: b[9],
            name_offset: LE::read_u16(&b[10..12]),
            value_length: LE::read_u32(&b[16..20]),
            value_offset: LE::read_u16(&b[20..22]),
        }
    }
}

/// The value of [`Attribute::VOLUME_INFORMATION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeInformation {
    /// [`VolumeInformation::DIRTY`] and others.
    pub flags: u16,
}

impl VolumeInformation {
    /// Bytes of it.
    pub const SIZE: usize = 12;
    /// Flag: Windows will check the volume.
    pub const DIRTY: u16 = 1;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { flags: LE::read_u16(&b[10..12]) }
    }
}

/// The restart area of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartArea {
    /// Grows with each write; the greater of two is the newer.
    pub sequence: u64,
    /// First client that uses the log; [`RestartArea::NO_CLIENT`].
    pub client: u16,
    /// [`RestartArea::CLEAN`].
    pub flags: u16,
}

impl RestartArea {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 16;
    /// `client`: nobody uses the log, so nothing in it is to be carried out.
    pub const NO_CLIENT: u16 = 0xffff;
    /// Flag: the volume was unmounted.
    pub const CLEAN: u16 = 2;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            sequence: LE::read_u64(&b[..8]),
            client: LE::read_u16(&b[12..14]),
            flags: LE::read_u16(&b[14..16]),
        }
    }
}

/// Name of the attributes that are a directory, UTF-16.
pub const DIRECTORY_NAME: [u8; 8] = *b"$\0I\x003\x000\0";
/// Where the bytes of an index block are in the value of [`Attribute::INDEX_ROOT`], a number of 32 bits.
pub const INDEX_BLOCK_SIZE_OFFSET: usize = 8;
/// Where the [`IndexHeader`] is in the value of [`Attribute::INDEX_ROOT`].
pub const INDEX_ROOT_HEADER: usize = 16;
/// Where the [`IndexHeader`] is in a block of an index.
pub const INDEX_BLOCK_HEADER: usize = 24;

/// The header of a list of index entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexHeader {
    /// Where the entries begin, from this header.
    pub entries: u32,
    /// Where they end, from this header.
    pub end: u32,
}

impl IndexHeader {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 8;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { entries: LE::read_u32(&b[..4]), end: LE::read_u32(&b[4..8]) }
    }
}

/// The start of an entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Number of the file's record; the upper 16 bits of the field are left out.
    pub record: u64,
    /// Bytes of the entry.
    pub length: u16,
    /// [`IndexEntry::LAST`].
    pub flags: u16,
    /// Characters of the file's name.
    pub name_length: u8,
}

impl IndexEntry {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 82;
    /// Bytes of an entry that holds no file: the last one.
    pub const SIZE_WITHOUT_NAME: usize = 16;
    /// Bit of `flags`: the last one.
    pub const LAST: u16 = 2;

    /// The fields, whatever they hold. The name, UTF-16, follows.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            record: LE::read_u64(&b[..8]) & 0xffff_ffff_ffff,
            length: LE::read_u16(&b[8..10]),
            flags: LE::read_u16(&b[12..14]),
            name_length: b[80],
        }
    }
}

/// The file in which Windows keeps the memory while it is hibernated, and the kernel's after a fast shutdown.
pub const HIBERNATION_FILE: &str = "hiberfil.sys";
/// First bytes of that file while something is in it, in either case.
pub const HIBERNATION_MAGIC: [u8; 4] = *b"HIBR";
