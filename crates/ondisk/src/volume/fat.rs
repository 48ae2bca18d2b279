//! FAT. Source: Microsoft, "FAT32 File System Specification" 1.03; for what FAT12 and FAT16 have, the same.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;
use crate::disk::FatBootRecord;

/// The boot record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRecord {
    /// The part that tells it from other bytes.
    pub basic: FatBootRecord,
    /// FAT12 and FAT16: entries of the root directory; FAT32: 0.
    pub root_entries: u16,
    /// Sectors, if fewer than 65536, else 0.
    pub sectors_16: u16,
    /// Sectors of a table; FAT32: 0.
    pub table_16: u16,
    /// Sectors, if `sectors_16` is 0.
    pub sectors_32: u32,
    /// FAT32: sectors of a table.
    pub table_32: u32,
    /// FAT32: first cluster of the root directory.
    pub root_cluster: u32,
    /// What FAT12 and FAT16 have at offset 36.
    pub extended_16: Extended,
    /// The same of FAT32, which has it at offset 64.
    pub extended_32: Extended,
}

/// The end of the parameters of a boot record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    /// [`Extended::DIRTY`], [`Extended::ERRORS`].
    pub state: u8,
    /// [`Extended::SIGNATURE`] if the fields that follow are there.
    pub signature: u8,
    /// Serial number.
    pub serial: u32,
    /// Label, padded with spaces. The one in the root directory is the one that counts.
    pub label: [u8; 11],
}

impl Extended {
    /// Bytes of it.
    pub const SIZE: usize = 18;
    /// Value of `signature`.
    pub const SIGNATURE: u8 = 0x29;
    /// Bit of `state`: not unmounted.
    pub const DIRTY: u8 = 1;
    /// Bit of `state`: the surface is to be checked.
    pub const ERRORS: u8 = 2;

    fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { state: b[1], signature: b[2], serial: LE::read_u32(&b[3..7]), label: first(&b[7..]) }
    }
}

impl BootRecord {
    /// Bytes of the boot record.
    pub const SIZE: usize = FatBootRecord::SIZE;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: FatBootRecord::decode(b),
            root_entries: LE::read_u16(&b[17..19]),
            sectors_16: LE::read_u16(&b[19..21]),
            table_16: LE::read_u16(&b[22..24]),
            sectors_32: LE::read_u32(&b[32..36]),
            table_32: LE::read_u32(&b[36..40]),
            root_cluster: LE::read_u32(&b[44..48]),
            extended_16: Extended::decode(&first(&b[36..])),
            extended_32: Extended::decode(&first(&b[64..])),
        }
    }
}

/// Label that stands for none.
pub const NO_LABEL: [u8; 11] = *b"NO NAME    ";
/// A volume with fewer clusters is FAT12.
pub const FAT16_CLUSTERS: u64 = 4085;
/// A volume with fewer clusters, and no fewer than [`FAT16_CLUSTERS`], is FAT16.
pub const FAT32_CLUSTERS: u64 = 65525;
/// More clusters no FAT32 has.
pub const CLUSTERS_MAX: u64 = 0x0fff_fff5;
/// The second entry of a FAT16: set if it was unmounted.
pub const FAT16_CLEAN: u16 = 1 << 15;
/// The second entry of a FAT16: set if no error was met.
pub const FAT16_NO_ERRORS: u16 = 1 << 14;
/// The second entry of a FAT32: set if it was unmounted.
pub const FAT32_CLEAN: u32 = 1 << 27;
/// The second entry of a FAT32: set if no error was met.
pub const FAT32_NO_ERRORS: u32 = 1 << 26;

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Name and extension, padded with spaces; its first byte is 0 after the last entry and 0xe5 in a free one.
    pub name: [u8; 11],
    /// [`DirectoryEntry::DIRECTORY`] and the like.
    pub attributes: u8,
    /// Which parts of the name are in lower case: [`DirectoryEntry::LOWER_NAME`], [`DirectoryEntry::LOWER_EXTENSION`].
    pub case: u8,
    /// First cluster.
    pub cluster: u32,
    /// Bytes of the file.
    pub size: u32,
}

impl DirectoryEntry {
    /// Bytes of an entry.
    pub const SIZE: usize = 32;
    /// First byte of the name: no entry follows.
    pub const END: u8 = 0;
    /// First byte of the name: the entry is free.
    pub const FREE: u8 = 0xe5;
    /// Attribute: the volume's label.
    pub const LABEL: u8 = 0x08;
    /// Attribute: a directory.
    pub const DIRECTORY: u8 = 0x10;
    /// All attributes of a part of a long name, and the bits that are compared with it.
    pub const LONG_NAME: u8 = 0x0f;
    /// The bits of the attributes that are compared with [`DirectoryEntry::LONG_NAME`].
    pub const LONG_NAME_MASK: u8 = 0x3f;
    /// Bit of `case`.
    pub const LOWER_NAME: u8 = 0x08;
    /// Bit of `case`.
    pub const LOWER_EXTENSION: u8 = 0x10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            name: first(b),
            attributes: b[11],
            case: b[12],
            cluster: u32::from(LE::read_u16(&b[20..22])) << 16 | u32::from(LE::read_u16(&b[26..28])),
            size: LE::read_u32(&b[28..32]),
        }
    }
}

/// A part of a long name, in the place of a directory entry. The last part comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongName {
    /// Number of the part from 1 on, with [`LongName::LAST`].
    pub order: u8,
    /// Checksum of the short name that it belongs to.
    pub checksum: u8,
    /// The characters, UTF-16.
    pub units: [u16; 13],
}

impl LongName {
    /// Bit of `order`: the last part.
    pub const LAST: u8 = 0x40;
    /// Most parts of a name.
    pub const PARTS_MAX: u8 = 20;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; DirectoryEntry::SIZE]) -> Self {
        let mut units = [0; 13];
        LE::read_u16_into(&b[1..11], &mut units[..5]);
        LE::read_u16_into(&b[14..26], &mut units[5..11]);
        LE::read_u16_into(&b[28..32], &mut units[11..]);
        Self { order: b[0], checksum: b[13], units }
    }

    /// The checksum of a short name.
    pub fn checksum_of(name: &[u8; 11]) -> u8 {
        name.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
    }
}
