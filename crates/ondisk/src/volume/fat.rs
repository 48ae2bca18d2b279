//! FAT. Source: Microsoft, "FAT32 File System Specification" 1.03; for what FAT12 and FAT16 have, the same.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;
use crate::disk::FatBootRecord;

/// The boot record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRecord {
    /// The signature.
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

/// The three kinds of FAT. The number of clusters decides, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Entries of 12 bits.
    Fat12,
    /// Entries of 16 bits.
    Fat16,
    /// Entries of 32 bits, of which 28 count.
    Fat32,
}

/// Where things are in a volume, in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The kind.
    pub width: Width,
    /// Bytes of the volume.
    pub size: u64,
    /// Where the first table is.
    pub table_at: u64,
    /// Where the root directory is, except in FAT32, where it is a chain.
    pub root_at: u64,
    /// Where cluster 2 is, the first.
    pub clusters_at: u64,
    /// Clusters.
    pub clusters: u64,
    /// Bytes of a cluster.
    pub cluster_size: u64,
}

impl Geometry {
    /// Where a cluster is; `None` if there is none of that number.
    pub fn place(&self, cluster: u32) -> Option<u64> {
        let index = u64::from(cluster).checked_sub(2).filter(|index| *index < self.clusters)?;
        Some(self.clusters_at + index * self.cluster_size)
    }

    /// Where a cluster's entry in the first table is, and its bytes.
    pub fn entry_place(&self, cluster: u32) -> (u64, usize) {
        let number = u64::from(cluster);
        match self.width {
            Width::Fat12 => (self.table_at + number + number / 2, 2),
            Width::Fat16 => (self.table_at + number * 2, 2),
            Width::Fat32 => (self.table_at + number * 4, 4),
        }
    }

    /// What the bytes of a cluster's entry say: the cluster after it, or what is none.
    pub fn entry(&self, cluster: u32, bytes: [u8; 4]) -> u32 {
        let number = u32::from_le_bytes(bytes);
        match self.width {
            Width::Fat12 if cluster.is_multiple_of(2) => number & 0xfff,
            Width::Fat12 => number >> 4 & 0xfff,
            Width::Fat16 => number & 0xffff,
            Width::Fat32 => number & 0x0fff_ffff,
        }
    }
}

impl BootRecord {
    /// Where things are; `None` if it is no FAT volume: as the names in the boot record are only comments, all parameters have
    /// to fit. The boot signature is not looked at.
    pub fn geometry(&self) -> Option<Geometry> {
        let basic = &self.basic;
        let is_fat = matches!(basic.jump, 0xeb | 0xe9)
            && matches!(basic.bytes_per_sector, 512 | 1024 | 2048 | 4096)
            && basic.sectors_per_cluster.is_power_of_two()
            && basic.reserved_sectors > 0
            && matches!(basic.fats, 1 | 2)
            && (basic.media == 0xf0 || basic.media >= 0xf8);
        if !is_fat {
            return None;
        }
        let sector = u64::from(basic.bytes_per_sector);
        let sectors = or(self.sectors_16.into(), self.sectors_32.into());
        let table = or(self.table_16.into(), self.table_32.into());
        let root_size = u64::from(self.root_entries) * DirectoryEntry::SIZE as u64;
        let table_at = u64::from(basic.reserved_sectors);
        let root_at = table_at + u64::from(basic.fats) * table;
        let clusters_at = root_at + root_size.div_ceil(sector);
        let clusters = sectors.checked_sub(clusters_at)? / u64::from(basic.sectors_per_cluster);
        let width = match clusters {
            0 => return None,
            _ if self.table_16 == 0 => Width::Fat32,
            1..FAT16_CLUSTERS => Width::Fat12,
            FAT16_CLUSTERS..FAT32_CLUSTERS => Width::Fat16,
            _ => return None,
        };
        let has_root = (width == Width::Fat32) == (self.root_entries == 0);
        if !has_root || table == 0 || clusters > CLUSTERS_MAX {
            return None;
        }
        Some(Geometry {
            width,
            size: sectors * sector,
            table_at: table_at * sector,
            root_at: root_at * sector,
            clusters_at: clusters_at * sector,
            clusters,
            cluster_size: u64::from(basic.sectors_per_cluster) * sector,
        })
    }
}

/// The 16 bits of old, or where they are 0 the 32 bits that came later.
fn or(old: u64, new: u64) -> u64 {
    if old == 0 { new } else { old }
}

/// What FAT32 has in its boot record that the other kinds lack, and that is no part of where things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fat32Parameters {
    /// [`Fat32Parameters::NOT_MIRRORED`].
    pub flags: u16,
    /// 0.
    pub version: u16,
    /// Sector of the [`Information`]; 0 or 0xffff = there is none.
    pub information: u16,
    /// Sector of the copy of the boot record; 0 or 0xffff = there is none.
    pub copy: u16,
}

impl Fat32Parameters {
    /// Where the parameters are in the boot record that its copy has as well. The marks behind them may differ.
    pub const COPIED: std::ops::Range<usize> = 11..64;
    /// Flag: only one of the tables is kept up to date.
    pub const NOT_MIRRORED: u16 = 0x80;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; BootRecord::SIZE]) -> Self {
        Self {
            flags: LE::read_u16(&b[40..42]),
            version: LE::read_u16(&b[42..44]),
            information: LE::read_u16(&b[48..50]),
            copy: LE::read_u16(&b[50..52]),
        }
    }
}

/// The sector with the count of free clusters of a FAT32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Information {
    /// Free clusters; [`Information::UNKNOWN`].
    pub free: u32,
}

impl Information {
    /// Bytes of it.
    pub const SIZE: usize = 512;
    /// Value of `free`: they were not counted.
    pub const UNKNOWN: u32 = u32::MAX;

    /// The fields; `None` if it is no such sector.
    pub fn decode(b: &[u8; Self::SIZE]) -> Option<Self> {
        let is_one = b.starts_with(b"RRaA") && b[484..488] == *b"rrAa" && b.ends_with(&[0, 0, 0x55, 0xaa]);
        is_one.then(|| Self { free: LE::read_u32(&b[488..492]) })
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
    /// Values such as [`DirectoryEntry::DIRECTORY`].
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
    /// Name of the first entry of a directory, which names the directory itself.
    pub const SELF: [u8; 11] = *b".          ";
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
