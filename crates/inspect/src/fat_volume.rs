//! Reading a FAT volume: its parameters, tables and directories, as far as a label or a boot loader needs it.

use imsprep_ondisk::disk::BOOT_SIGNATURE;
use imsprep_ondisk::volume::fat::{BootRecord, DirectoryEntry, Extended, Geometry, Width};
use imsprep_ondisk::volume::fat_names::Names;
use imsprep_source::Result;

use crate::view::View;

/// Most bytes of a directory that are read.
const DIRECTORY_MAX: u64 = 64 << 10;
/// Most clusters of a chain that are followed: a directory of that many bytes in the smallest clusters.
const CHAIN_MAX: u64 = DIRECTORY_MAX / 512;

/// A FAT volume whose parameters make sense.
pub(crate) struct FatVolume<'a> {
    view: &'a View<'a>,
    pub(crate) record: BootRecord,
    pub(crate) geometry: Geometry,
}

/// What a directory entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) is_directory: bool,
    cluster: u32,
}

impl<'a> FatVolume<'a> {
    /// `None` if it is no FAT volume.
    pub(crate) fn open(view: &'a View<'a>) -> Option<Self> {
        let bytes = view.head_array::<{ BootRecord::SIZE }>(0)?;
        let record = BootRecord::decode(&bytes);
        let geometry = record.geometry().filter(|_| bytes.ends_with(&BOOT_SIGNATURE))?;
        Some(Self { view, record, geometry })
    }

    /// The end of the last cluster. Sectors after it, too few for a cluster, hold nothing.
    pub(crate) fn content_end(&self) -> u64 {
        self.geometry.clusters_at + self.geometry.clusters * self.geometry.cluster_size
    }

    /// The end of the parameters: serial number, label and state.
    pub(crate) fn extended(&self) -> Extended {
        match self.geometry.width {
            Width::Fat32 => self.record.extended_32,
            _ => self.record.extended_16,
        }
    }

    /// The second entry of the first table, which holds marks; `None` if it isn't there.
    pub(crate) fn marks(&self) -> Result<Option<u32>> {
        Ok(match self.geometry.width {
            Width::Fat12 => None,
            Width::Fat16 => {
                self.view.array(self.geometry.table_at + 2)?.map(|b| u16::from_le_bytes(b).into())
            }
            Width::Fat32 => self.view.array(self.geometry.table_at + 4)?.map(u32::from_le_bytes),
        })
    }

    /// The cluster after this one; `None` at the end of a chain, and wherever there can be no next one.
    fn next(&self, cluster: u32) -> Result<Option<u32>> {
        let (at, length) = self.geometry.entry_place(cluster);
        let Some(there) = self.view.bytes(at, length as u64)? else { return Ok(None) };
        let mut bytes = [0; 4];
        bytes.iter_mut().zip(there).for_each(|(to, from)| *to = from);
        let next = self.geometry.entry(cluster, bytes);
        Ok(self.geometry.place(next).map(|_| next))
    }

    /// The first bytes of a file or directory, at most `max`.
    fn start_of(&self, first: u32, max: u64) -> Result<Vec<u8>> {
        let (mut bytes, mut cluster) = (Vec::new(), Some(first));
        for _ in 0..CHAIN_MAX {
            let there = bytes.len() as u64;
            let Some(at) = cluster.and_then(|cluster| self.geometry.place(cluster)).filter(|_| there < max)
            else {
                break;
            };
            let Some(part) = self.view.bytes(at, self.geometry.cluster_size.min(max - there))? else { break };
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
        match self.geometry.width {
            Width::Fat32 => self.start_of(self.record.root_cluster, DIRECTORY_MAX),
            _ => {
                let size = u64::from(self.record.root_entries) * DirectoryEntry::SIZE as u64;
                Ok(self.view.bytes(self.geometry.root_at, size.min(DIRECTORY_MAX))?.unwrap_or_default())
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
