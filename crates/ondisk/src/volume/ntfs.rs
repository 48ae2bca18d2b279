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
    /// First cluster of the copy of its first records.
    pub mirror: u64,
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
            mirror: LE::read_u64(&b[56..64]),
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
/// Number of the record of the copy of the table's first records.
pub const RECORD_MIRROR: u64 = 1;
/// Number of the record of the bitmap of the clusters.
pub const RECORD_BITMAP: u64 = 6;
/// Number of the record of the boot record, which is the first cluster.
pub const RECORD_BOOT: u64 = 7;
/// Number of the record of the table of upper-case characters, the last one that every version has.
pub const RECORD_UPCASE: u64 = 10;
/// Number of the record of the root directory.
pub const RECORD_ROOT: u64 = 5;
/// Number of the record of the log.
pub const RECORD_LOG: u64 = 2;
/// Number of the record that describes the volume.
pub const RECORD_VOLUME: u64 = 3;

/// The start of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Values such as [`Attribute::VOLUME_NAME`].
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
    /// [`Attribute::COMPRESSED`] and others.
    pub flags: u16,
}

impl Attribute {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 24;
    /// Where the attributes are that do not fit into the record.
    pub const LIST: u32 = 0x20;
    /// Where a file leads that is not to be read as one.
    pub const REPARSE_POINT: u32 = 0xc0;
    /// The bits of `flags` that say how the value is compressed.
    pub const COMPRESSED: u16 = 0xff;
    /// Bit of `flags`: the value is encrypted.
    pub const ENCRYPTED: u16 = 0x4000;
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
    /// Which parts of a value are in use: in the record of the master file table, which records.
    pub const BITMAP: u32 = 0xb0;
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
            flags: LE::read_u16(&b[12..14]),
            value_length: LE::read_u32(&b[16..20]),
            value_offset: LE::read_u16(&b[20..22]),
        }
    }
}

/// The value of [`Attribute::VOLUME_INFORMATION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeInformation {
    /// Version of the format: 3, and 1 before Windows 2000.
    pub major: u8,
    /// [`VolumeInformation::DIRTY`] and others.
    pub flags: u16,
}

impl VolumeInformation {
    /// Bytes of it.
    pub const SIZE: usize = 12;
    /// Flag: Windows will check the volume.
    pub const DIRTY: u16 = 1;
    /// Flags of work that the next mount has to do: a check, a new size of the log, a new version, the rest of a deletion of the
    /// change journal, object identifiers, and what a check changed. Linux mounts a volume with any of them read-only.
    pub const UNFINISHED: u16 = 0xc037;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { major: b[8], flags: LE::read_u16(&b[10..12]) }
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
    /// `client`: the log is not in use, so nothing in it is to be carried out.
    pub const NO_CLIENT: u16 = 0xffff;
    /// Flag: the volume was unmounted.
    pub const CLEAN: u16 = 2;

    /// Whether nothing in the log is left to be carried out.
    pub fn is_clean(&self) -> bool {
        self.client == Self::NO_CLIENT || self.flags & Self::CLEAN != 0
    }

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

/// Where the flags of a record of the master file table are.
pub const RECORD_FLAGS_OFFSET: usize = 22;
/// Flag of a record: it is in use.
pub const RECORD_IN_USE: u16 = 1;
/// Flag of a record: it is that of a directory.
pub const RECORD_DIRECTORY: u16 = 2;
/// Records below this are the file system's own.
pub const RECORDS_RESERVED: u64 = 16;
/// Flag of an [`IndexEntry`]: a block below it has its number at the end of the entry.
pub const INDEX_HAS_BLOCK: u16 = 1;
/// Where the kind of name is in an entry of a directory, before the name.
pub const INDEX_NAME_SPACE_OFFSET: usize = 81;
/// A kind of name: only the short one of a file that has another.
pub const NAME_SPACE_DOS: u8 = 2;

/// What the start of an attribute says of a value that is not in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonResident {
    /// Number of its first cluster within the value.
    pub first: u64,
    /// Number of its last cluster within the value.
    pub last: u64,
    /// Bytes of the value.
    pub size: u64,
    /// Bytes of it that were written; what follows reads as zeros.
    pub initialized: u64,
}

impl NonResident {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 64;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            first: LE::read_u64(&b[16..24]),
            last: LE::read_u64(&b[24..32]),
            size: LE::read_u64(&b[48..56]),
            initialized: LE::read_u64(&b[56..64]),
        }
    }
}

/// An entry of [`Attribute::LIST`]; its name follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// Kind of the attribute.
    pub kind: u32,
    /// Bytes to the next entry.
    pub length: u16,
    /// Characters of the attribute's name.
    pub name_length: u8,
    /// Where the name is, from the entry's start.
    pub name_offset: u8,
    /// Number of the first cluster of this part within the value.
    pub first: u64,
    /// Number of the record that it is in.
    pub record: u64,
}

impl ListEntry {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 26;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            kind: LE::read_u32(&b[..4]),
            length: LE::read_u16(&b[4..6]),
            name_length: b[6],
            name_offset: b[7],
            first: LE::read_u64(&b[8..16]),
            record: LE::read_u64(&b[16..24]) & 0xffff_ffff_ffff,
        }
    }
}

/// The value of [`Attribute::REPARSE_POINT`] of a link; the texts follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReparsePoint {
    /// [`ReparsePoint::LINK`] and others.
    pub tag: u32,
    /// Where the target is, from the start of the texts.
    pub target_offset: u16,
    /// Bytes of the target.
    pub target_length: u16,
    /// Link: 1 if the target is relative.
    pub flags: u32,
}

impl ReparsePoint {
    /// Bytes that are decoded here, after which the texts of a link begin.
    pub const SIZE: usize = 20;
    /// `tag`: a symbolic link.
    pub const LINK: u32 = 0xa000_000c;
    /// `tag`: a junction, which is a directory elsewhere, by an absolute path.
    pub const JUNCTION: u32 = 0xa000_0003;
    /// Flag: the target is relative.
    pub const RELATIVE: u32 = 1;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            tag: LE::read_u32(&b[..4]),
            target_offset: LE::read_u16(&b[8..10]),
            target_length: LE::read_u16(&b[10..12]),
            flags: LE::read_u32(&b[16..20]),
        }
    }
}

/// Where things are in a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of a cluster.
    pub cluster: u64,
    /// Where the master file table begins, in bytes.
    pub mft: u64,
    /// Bytes of a record of it.
    pub record_size: u64,
}

impl BootRecord {
    /// Sizes of a record of the master file table.
    const RECORD_SIZES: std::ops::RangeInclusive<u64> = 512..=64 << 10;

    /// Where things are; `None` if the parameters make no sense.
    pub fn geometry(&self) -> Option<Geometry> {
        let sector = u64::from(self.bytes_per_sector);
        let sectors = match self.sectors_per_cluster {
            few @ 0..=128 => u64::from(few),
            power => 1_u64.checked_shl(256 - u32::from(power))?,
        };
        let cluster =
            sector.checked_mul(sectors).filter(|size| size.is_power_of_two() && *size <= 2 << 20)?;
        let record_size = match u64::try_from(self.record_size) {
            Ok(clusters) => clusters * cluster,
            Err(_) => 1_u64.checked_shl(self.record_size.unsigned_abs().into())?,
        };
        let is_sane = record_size.is_power_of_two() && Self::RECORD_SIZES.contains(&record_size);
        is_sane.then_some(Geometry { cluster, mft: self.mft.checked_mul(cluster)?, record_size })
    }
}
