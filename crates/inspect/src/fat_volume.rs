//! Reading a FAT volume: its parameters, tables and directories, as far as a label or a boot loader needs it.

use imsprep_ondisk::disk::BOOT_SIGNATURE;
use imsprep_ondisk::volume::fat::{
    BootRecord, CLUSTERS_MAX, DirectoryEntry, Extended, FAT16_CLUSTERS, FAT32_CLUSTERS,
};
use imsprep_source::Result;

use crate::fat_names::Names;
use crate::view::View;

/// Most bytes of a directory that are read.
const DIRECTORY_MAX: u64 = 64 << 10;
/// Most clusters of a chain that are followed: a directory of that many bytes in the smallest clusters.
const CHAIN_MAX: u64 = DIRECTORY_MAX / 512;

/// The three kinds of FAT. The number of clusters decides, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Fat12,
    Fat16,
    Fat32,
}

/// A FAT volume whose parameters make sense.
pub(crate) struct FatVolume<'a> {
    view: &'a View<'a>,
    pub(crate) record: BootRecord,
    pub(crate) width: Width,
    pub(crate) size: u64,
    table_at: u64,
    root_at: u64,
    clusters_at: u64,
    clusters: u64,
    cluster_size: u64,
}

/// What a directory entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_directory: bool,
    cluster: u32,
}

impl<'a> FatVolume<'a> {
    /// `None` if it is no FAT volume: as the names in the boot record are only comments, all parameters have to fit.
    pub(crate) fn open(view: &'a View<'a>) -> Option<Self> {
        let bytes = view.head_array::<{ BootRecord::SIZE }>(0)?;
        let record = BootRecord::decode(&bytes);
        let basic = &record.basic;
        let is_fat = bytes.ends_with(&BOOT_SIGNATURE)
            && matches!(basic.jump, 0xeb | 0xe9)
            && matches!(basic.bytes_per_sector, 512 | 1024 | 2048 | 4096)
            && basic.sectors_per_cluster.is_power_of_two()
            && basic.reserved_sectors > 0
            && matches!(basic.fats, 1 | 2)
            && (basic.media == 0xf0 || basic.media >= 0xf8);
        if !is_fat {
            return None;
        }
        let sector = u64::from(basic.bytes_per_sector);
        let sectors = or(record.sectors_16.into(), record.sectors_32.into());
        let table = or(record.table_16.into(), record.table_32.into());
        let root_size = u64::from(record.root_entries) * DirectoryEntry::SIZE as u64;
        let table_at = u64::from(basic.reserved_sectors);
        let root_at = table_at + u64::from(basic.fats) * table;
        let clusters_at = root_at + root_size.div_ceil(sector);
        let clusters = sectors.checked_sub(clusters_at)? / u64::from(basic.sectors_per_cluster);
        let width = match clusters {
            0 => return None,
            _ if record.table_16 == 0 => Width::Fat32,
            1..FAT16_CLUSTERS => Width::Fat12,
            FAT16_CLUSTERS..FAT32_CLUSTERS => Width::Fat16,
            _ => return None,
        };
        let has_root = (width == Width::Fat32) == (record.root_entries == 0);
        if !has_root || table == 0 || clusters > CLUSTERS_MAX {
            return None;
        }
        let cluster_size = u64::from(basic.sectors_per_cluster) * sector;
        Some(Self {
            view,
            width,
            size: sectors * sector,
            table_at: table_at * sector,
            root_at: root_at * sector,
            clusters_at: clusters_at * sector,
            clusters,
            cluster_size,
            record,
        })
    }

    /// The end of the last cluster. Sectors after it, too few for a cluster, hold nothing.
    pub(crate) fn content_end(&self) -> u64 {
        self.clusters_at + self.clusters * self.cluster_size
    }

    /// The end of the parameters: serial number, label and state.
    pub(crate) fn extended(&self) -> Extended {
        match self.width {
            Width::Fat32 => self.record.extended_32,
            _ => self.record.extended_16,
        }
    }

    /// The second entry of the first table, which holds marks; `None` if it isn't there.
    pub(crate) fn marks(&self) -> Result<Option<u32>> {
        Ok(match self.width {
            Width::Fat12 => None,
            Width::Fat16 => self.view.array(self.table_at + 2)?.map(|b| u16::from_le_bytes(b).into()),
            Width::Fat32 => self.view.array(self.table_at + 4)?.map(u32::from_le_bytes),
        })
    }

    /// The cluster after this one; `None` at the end of a chain, and wherever there can be no next one.
    fn next(&self, cluster: u32) -> Result<Option<u32>> {
        let number = u64::from(cluster);
        let next = match self.width {
            Width::Fat12 => self.view.array(self.table_at + number + number / 2)?.map(|bytes| {
                let pair = u32::from(u16::from_le_bytes(bytes));
                if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 }
            }),
            Width::Fat16 => {
                self.view.array(self.table_at + number * 2)?.map(|b| u16::from_le_bytes(b).into())
            }
            Width::Fat32 => {
                self.view.array(self.table_at + number * 4)?.map(|b| u32::from_le_bytes(b) & 0x0fff_ffff)
            }
        };
        Ok(next.filter(|next| self.place(*next).is_some()))
    }

    /// Where a cluster is; `None` if there is none of that number.
    fn place(&self, cluster: u32) -> Option<u64> {
        let index = u64::from(cluster).checked_sub(2).filter(|index| *index < self.clusters)?;
        Some(self.clusters_at + index * self.cluster_size)
    }

    /// The first bytes of a file or directory, at most `max`.
    fn start_of(&self, first: u32, max: u64) -> Result<Vec<u8>> {
        let (mut bytes, mut cluster) = (Vec::new(), Some(first));
        for _ in 0..CHAIN_MAX {
            let there = bytes.len() as u64;
            let Some(at) = cluster.and_then(|cluster| self.place(cluster)).filter(|_| there < max) else {
                break;
            };
            let Some(part) = self.view.bytes(at, self.cluster_size.min(max - there))? else { break };
            bytes.extend(part);
            cluster = cluster.map_or(Ok(None), |cluster| self.next(cluster))?;
        }
        Ok(bytes)
    }

    /// The first bytes of a file.
    pub(crate) fn start_of_file(&self, file: &Entry, max: u64) -> Result<Vec<u8>> {
        self.start_of(file.cluster, max)
    }

    fn root(&self) -> Result<Vec<u8>> {
        match self.width {
            Width::Fat32 => self.start_of(self.record.root_cluster, DIRECTORY_MAX),
            _ => {
                let size = u64::from(self.record.root_entries) * DirectoryEntry::SIZE as u64;
                Ok(self.view.bytes(self.root_at, size.min(DIRECTORY_MAX))?.unwrap_or_default())
            }
        }
    }

    /// The label in the root directory, padded with spaces.
    pub(crate) fn root_label(&self) -> Result<Option<[u8; 11]>> {
        let label = |entry: &&DirectoryEntry| {
            let kinds = DirectoryEntry::LABEL | DirectoryEntry::DIRECTORY;
            entry.attributes & DirectoryEntry::LONG_NAME_MASK != DirectoryEntry::LONG_NAME
                && entry.attributes & kinds == DirectoryEntry::LABEL
                && entry.name[0] != DirectoryEntry::FREE
        };
        let root = self.root()?;
        let entries = raw_entries(&root).map(DirectoryEntry::decode).collect::<Vec<_>>();
        Ok(entries.iter().find(label).map(|entry| entry.name))
    }

    /// What a directory holds; of the root directory for `None`.
    pub(crate) fn directory(&self, directory: Option<&Entry>) -> Result<Vec<Entry>> {
        let bytes = match directory {
            Some(directory) => self.start_of(directory.cluster, DIRECTORY_MAX)?,
            None => self.root()?,
        };
        let (mut names, mut entries) = (Names::default(), Vec::new());
        for raw in raw_entries(&bytes) {
            let Some(name) = names.take(raw) else { continue };
            let entry = DirectoryEntry::decode(raw);
            let is_directory = entry.attributes & DirectoryEntry::DIRECTORY != 0;
            let is_label = entry.attributes & DirectoryEntry::LABEL != 0;
            if !is_label && entry.name[0] != b'.' {
                entries.push(Entry { name, is_directory, cluster: entry.cluster });
            }
        }
        Ok(entries)
    }
}

/// The entries of a directory up to the last one.
fn raw_entries(bytes: &[u8]) -> impl Iterator<Item = &[u8; DirectoryEntry::SIZE]> {
    bytes
        .as_chunks()
        .0
        .iter()
        .take_while(|entry: &&[u8; DirectoryEntry::SIZE]| entry[0] != DirectoryEntry::END)
}

/// The 16 bits of old, or where they are 0 the 32 bits that came later.
fn or(old: u64, new: u64) -> u64 {
    if old == 0 { new } else { old }
}
