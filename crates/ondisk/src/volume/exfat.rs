//! exFAT. Source: Microsoft, "exFAT file system specification".

use byteorder::{ByteOrder, LittleEndian as LE};

/// The boot sector, without its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRecord {
    /// Sectors.
    pub sectors: u64,
    /// First sector of the table.
    pub table: u32,
    /// Sectors of the table.
    pub table_length: u32,
    /// First sector of the clusters.
    pub heap: u32,
    /// Clusters.
    pub clusters: u32,
    /// First cluster of the root directory; they are counted from 2.
    pub root_cluster: u32,
    /// Serial number.
    pub serial: u32,
    /// [`BootRecord::DIRTY`], [`BootRecord::FAILED`].
    pub flags: u16,
    /// log2 of the bytes of a sector: 9 to 12.
    pub sector_shift: u8,
    /// log2 of the sectors of a cluster.
    pub cluster_shift: u8,
    /// Tables, each with its bitmap; the second one is for transactions.
    pub tables: u8,
}

impl BootRecord {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 120;
    /// Sectors before the one that repeats the checksum of them all.
    pub const CHECKED_SECTORS: u64 = 11;
    /// Where the fields are that the checksum leaves out: `flags`, and the share of clusters in use.
    pub const UNCHECKED: [usize; 3] = [106, 107, 112];
    /// Flag: the second table and bitmap are in use.
    pub const SECOND: u16 = 1;
    /// Flag: not unmounted.
    pub const DIRTY: u16 = 2;
    /// Flag: errors were met.
    pub const FAILED: u16 = 4;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            sectors: LE::read_u64(&b[72..80]),
            table: LE::read_u32(&b[80..84]),
            table_length: LE::read_u32(&b[84..88]),
            heap: LE::read_u32(&b[88..92]),
            clusters: LE::read_u32(&b[92..96]),
            root_cluster: LE::read_u32(&b[96..100]),
            serial: LE::read_u32(&b[100..104]),
            flags: LE::read_u16(&b[106..108]),
            sector_shift: b[108],
            cluster_shift: b[109],
            tables: b[110],
        }
    }
}

/// Bytes of a directory entry.
pub const ENTRY: usize = 32;
/// First byte of the entry that holds the label; its second is the number of characters, UTF-16 follows.
pub const ENTRY_LABEL: u8 = 0x83;
/// First byte after the last entry.
pub const ENTRY_END: u8 = 0;
/// Bit of an entry's first byte: it is in use.
pub const ENTRY_IN_USE: u8 = 0x80;
/// Bit of an entry's first byte: it belongs to the entry before it.
pub const ENTRY_SECONDARY: u8 = 0x40;
/// First byte of the entry of the bitmap of clusters.
pub const ENTRY_BITMAP: u8 = 0x81;
/// First byte of the entry of the table of upper-case characters.
pub const ENTRY_UPCASE: u8 = 0x82;
/// First byte of the entry of a file or directory.
pub const ENTRY_FILE: u8 = 0x85;
/// First byte of the entry of a volume's identifier, which has no clusters.
pub const ENTRY_GUID: u8 = 0xa0;
/// First byte of the entry, after that of a file, that says where its content is.
pub const ENTRY_STREAM: u8 = 0xc0;
/// First byte of an entry with characters of a file's name.
pub const ENTRY_NAME: u8 = 0xc1;
/// Number of the first cluster.
pub const FIRST_CLUSTER: u32 = 2;
/// What the table has for a cluster that can't be used.
pub const TABLE_BAD: u32 = 0xffff_fff7;
/// What the table has for the last cluster of a chain.
pub const TABLE_END: u32 = 0xffff_ffff;

/// An entry of a directory that names clusters, as most kinds do at the same places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// [`ENTRY_FILE`] and others.
    pub kind: u8,
    /// File: entries that follow and belong to it. Bitmap: flags, of which bit 0 is set for the second one. Stream:
    /// [`Entry::HAS_CLUSTERS`], [`Entry::WITHOUT_CHAIN`].
    pub second: u8,
    /// File: sum of it and the entries that belong to it.
    pub checksum: u16,
    /// File: [`Entry::DIRECTORY`].
    pub attributes: u16,
    /// First cluster; 0 = none.
    pub cluster: u32,
    /// Bytes.
    pub length: u64,
}

impl Entry {
    /// Bit of `second`: the entry can name clusters.
    pub const HAS_CLUSTERS: u8 = 1;
    /// Bit of `second`: the clusters follow each other, and the table says nothing of them.
    pub const WITHOUT_CHAIN: u8 = 2;
    /// Attribute: a directory.
    pub const DIRECTORY: u16 = 0x10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; ENTRY]) -> Self {
        Self {
            kind: b[0],
            second: b[1],
            checksum: LE::read_u16(&b[2..4]),
            attributes: LE::read_u16(&b[4..6]),
            cluster: LE::read_u32(&b[20..24]),
            length: LE::read_u64(&b[24..32]),
        }
    }

    /// The sum of a file's entries, in which the field with the sum is left out.
    pub fn sum_of(entries: &[[u8; ENTRY]]) -> u16 {
        let bytes = entries.iter().flatten().enumerate().filter(|(at, _)| !matches!(at, 2 | 3));
        bytes.fold(0_u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
    }
}

/// Adds bytes to the checksum of the boot sectors, and of the table of upper-case characters.
pub fn add_to_checksum(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| sum.rotate_right(1).wrapping_add(u32::from(*byte)))
}
