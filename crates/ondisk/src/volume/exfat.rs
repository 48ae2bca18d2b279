//! exFAT. Source: Microsoft, "exFAT file system specification".

use byteorder::{ByteOrder, LittleEndian as LE};

/// The boot sector, without its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootRecord {
    /// Sectors.
    pub sectors: u64,
    /// First sector of the table.
    pub table: u32,
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
}

impl BootRecord {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 120;
    /// Flag: not unmounted.
    pub const DIRTY: u16 = 2;
    /// Flag: errors were met.
    pub const FAILED: u16 = 4;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            sectors: LE::read_u64(&b[72..80]),
            table: LE::read_u32(&b[80..84]),
            heap: LE::read_u32(&b[88..92]),
            clusters: LE::read_u32(&b[92..96]),
            root_cluster: LE::read_u32(&b[96..100]),
            serial: LE::read_u32(&b[100..104]),
            flags: LE::read_u16(&b[106..108]),
            sector_shift: b[108],
            cluster_shift: b[109],
        }
    }
}

/// Bytes of a directory entry.
pub const ENTRY: usize = 32;
/// First byte of the entry that holds the label; its second is the number of characters, UTF-16 follows.
pub const ENTRY_LABEL: u8 = 0x83;
/// First byte after the last entry.
pub const ENTRY_END: u8 = 0;
