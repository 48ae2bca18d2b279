//! FAT12, FAT16 and FAT32.
//!
//! By our own code, which shares the structures and names with `inspect`; the crate fatfs (0.3.6) wants a second version of a
//! crate that is in the tree, and reads through a cursor that a reader at any place would have to be made into.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use imsprep_ondisk::volume::fat::{BootRecord, DirectoryEntry, Geometry, Width};
use imsprep_ondisk::volume::fat_names::{Names, short_name};

use crate::cached::Cached;
use crate::volume::check_name;
use crate::{Apart, DirEntry, Error, FileKind, FileSystem, Metadata, Node, Result};

/// Most bytes of a directory: no FAT has more than 65536 entries in one.
const DIRECTORY_MAX: u64 = 65536 * DirectoryEntry::SIZE as u64;
/// Number of the root directory, which has no entry; a boot record is where one of this place would be.
const ROOT: u64 = 0;

/// A FAT volume. The number of a node is where its directory entry is.
pub(crate) struct FatVolume<'a> {
    disk: Cached<'a>,
    record: BootRecord,
    geometry: Geometry,
    /// Where the clusters of the last file are, since a chain can only be followed from its start.
    last: RefCell<Option<(u32, Rc<Chain>)>>,
}

/// The clusters of a file, as runs of neighbours: the first one, how many, and how many are before it.
type Chain = [Run];

#[derive(Clone, Copy)]
struct Run {
    first: u32,
    count: u32,
    before: u64,
}

/// An entry of a directory.
struct Entry {
    at: u64,
    name: String,
    entry: DirectoryEntry,
}

impl<'a> FatVolume<'a> {
    /// Opens a volume with this boot record.
    pub(crate) fn open(disk: Cached<'a>, record: BootRecord, geometry: Geometry) -> Self {
        Self { disk, record, geometry, last: RefCell::default() }
    }

    fn chain(&self, first: u32) -> Result<Rc<Chain>> {
        if let Some((last, chain)) = &*self.last.borrow()
            && *last == first
        {
            return Ok(Rc::clone(chain));
        }
        let mut runs: Vec<Run> = Vec::new();
        let (mut cluster, mut count) = (first, 0);
        while self.geometry.place(cluster).is_some() {
            if count == self.geometry.clusters {
                return Err(Error::corrupt("a chain of clusters has no end"));
            }
            match runs.last_mut() {
                Some(run) if run.first.checked_add(run.count) == Some(cluster) => run.count += 1,
                _ => runs.push(Run { first: cluster, count: 1, before: count }),
            }
            count += 1;
            let (at, length) = self.geometry.entry_place(cluster);
            let mut bytes = [0; 4];
            self.disk.read(at, bytes.get_mut(..length).unwrap_or_default())?;
            cluster = self.geometry.entry(cluster, bytes);
        }
        let chain: Rc<Chain> = runs.into();
        *self.last.borrow_mut() = Some((first, Rc::clone(&chain)));
        Ok(chain)
    }

    /// Reads bytes of a chain; fewer only where it ends.
    fn read_chain(&self, first: u32, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let size = self.geometry.cluster_size;
        let chain = self.chain(first)?;
        let (mut at, mut read) = (offset, 0);
        while let Some(rest) = buf.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let number = at / size;
            let index = chain.partition_point(|run| run.before <= number).checked_sub(1);
            let Some(run) = index.and_then(|index| chain.get(index)) else { break };
            let skip = at - run.before * size;
            let there = u64::from(run.count) * size;
            if skip >= there {
                break;
            }
            let length = rest.len().min(usize::try_from(there - skip).unwrap_or(usize::MAX));
            let start = self.geometry.place(run.first).ok_or_else(Error::not_found)?;
            self.disk.read(start + skip, rest.get_mut(..length).unwrap_or_default())?;
            at += length as u64;
            read += length;
        }
        Ok(read)
    }

    /// The bytes of a directory.
    fn directory(&self, node: Node) -> Result<Vec<u8>> {
        let first = if node.number == ROOT {
            if self.geometry.width != Width::Fat32 {
                let size = usize::from(self.record.root_entries) * DirectoryEntry::SIZE;
                let mut bytes = vec![0; size];
                self.disk.read(self.geometry.root_at, &mut bytes)?;
                return Ok(bytes);
            }
            self.record.root_cluster
        } else {
            let entry = self.entry(node)?;
            if entry.attributes & DirectoryEntry::DIRECTORY == 0 {
                return Err(FileKind::File.is_not("a directory"));
            }
            entry.cluster
        };
        let mut size = 0_u64;
        for run in &*self.chain(first)? {
            size += u64::from(run.count) * self.geometry.cluster_size;
        }
        let size = usize::try_from(size.min(DIRECTORY_MAX)).unwrap_or_default();
        let mut bytes = vec![0; size];
        let read = self.read_chain(first, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn entry(&self, node: Node) -> Result<DirectoryEntry> {
        Ok(DirectoryEntry::decode(&self.disk.array(node.number)?))
    }

    /// What a directory holds.
    fn list(&self, node: Node) -> Result<Vec<Entry>> {
        let bytes = self.directory(node)?;
        let (mut names, mut entries) = (Names::default(), Vec::new());
        let chain = match node.number {
            ROOT if self.geometry.width != Width::Fat32 => None,
            ROOT => Some(self.chain(self.record.root_cluster)?),
            _ => Some(self.chain(self.entry(node)?.cluster)?),
        };
        for (number, raw) in bytes.as_chunks::<{ DirectoryEntry::SIZE }>().0.iter().enumerate() {
            if raw.starts_with(&[DirectoryEntry::END]) {
                break;
            }
            self.disk.access().spend_steps(1)?;
            let Some(name) = names.take(raw) else { continue };
            let entry = DirectoryEntry::decode(raw);
            if entry.attributes & DirectoryEntry::LABEL != 0 || entry.name.starts_with(b".") {
                continue;
            }
            let offset = number as u64 * DirectoryEntry::SIZE as u64;
            let at = match &chain {
                None => self.geometry.root_at + offset,
                Some(chain) => self.place_of(chain, offset).ok_or_else(Error::not_found)?,
            };
            entries.push(Entry { at, name, entry });
        }
        Ok(entries)
    }

    /// Where a byte of a chain is.
    fn place_of(&self, chain: &Chain, offset: u64) -> Option<u64> {
        let size = self.geometry.cluster_size;
        let index = chain.partition_point(|run| run.before <= offset / size).checked_sub(1)?;
        let run = chain.get(index)?;
        Some(self.geometry.place(run.first)? + offset - run.before * size)
    }
}

impl Entry {
    fn kind(&self) -> FileKind {
        kind_of(&self.entry)
    }

    fn node(&self) -> Node {
        Node { tree: 0, number: self.at }
    }
}

fn kind_of(entry: &DirectoryEntry) -> FileKind {
    if entry.attributes & DirectoryEntry::DIRECTORY == 0 { FileKind::File } else { FileKind::Directory }
}

/// Whether two names are the same to a file system that does not tell upper from lower case.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii())
            && one.chars().flat_map(char::to_uppercase).eq(other.chars().flat_map(char::to_uppercase)))
}

impl FileSystem for FatVolume<'_> {
    fn name(&self) -> &'static str {
        "vfat"
    }

    fn root(&self) -> Node {
        Node { tree: 0, number: ROOT }
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        let directory = Metadata { kind: FileKind::Directory, size: 0, mode: 0o755, uid: 0, gid: 0 };
        if node.number == ROOT {
            return Ok(directory);
        }
        let entry = self.entry(node)?;
        Ok(match kind_of(&entry) {
            FileKind::Directory => directory,
            kind => Metadata { kind, size: entry.size.into(), mode: 0o644, ..directory },
        })
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let Ok(name) = str::from_utf8(name) else { return Ok(None) };
        let entries = self.list(directory)?;
        // A file with a long name has a short one as well, by which it is found, too.
        let found = entries.iter().find(|entry| is_same_name(&entry.name, name));
        let found =
            found.or_else(|| entries.iter().find(|entry| is_same_name(&short_name(&entry.entry), name)));
        Ok(found.map(Entry::node))
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        for entry in self.list(directory)? {
            check_name(entry.name.as_bytes())?;
            let (node, kind) = (entry.node(), Some(entry.kind()));
            if each(DirEntry { name: entry.name.into_bytes(), node, kind }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        if file.number == ROOT {
            return Err(FileKind::Directory.is_not("a file"));
        }
        let entry = self.entry(file)?;
        if kind_of(&entry) != FileKind::File {
            return Err(FileKind::Directory.is_not("a file"));
        }
        let there = usize::try_from(u64::from(entry.size).saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = there.min(buf.len());
        let read = self.read_chain(entry.cluster, offset, buf.get_mut(..length).unwrap_or_default())?;
        if read < length {
            return Err(Error::corrupt("its chain of clusters ends before the file does"));
        }
        Ok(length)
    }

    fn apart(&self, _: Node) -> Option<Apart<'_>> {
        let fresh = self.disk.fresh();
        let (record, geometry) = (self.record.clone(), self.geometry);
        Some(Apart::new(move || Ok(Rc::new(FatVolume::open(fresh.cached(), record, geometry)))))
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        Err(self.metadata(link)?.kind.is_not("a symbolic link"))
    }
}
