//! Btrfs, by the crate lambutter.

mod listings;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use imsprep_ondisk::volume::btrfs::Superblock;
use lambutter::{Btrfs, Inode, Path};
use listings::{Listing, Listings};

use crate::below::Below;
use crate::cached::Cached;
use crate::crc32c;
use crate::volume::check_name;
use crate::{Apart, DirEntry, Error, FileKind, FileSystem, LINK_MAX, Metadata, Node, Result, Subvolume};

/// Most nodes that are kept: lambutter's handles and paths have no numbers of their own.
const KNOWN_MAX: usize = 1 << 18;
/// Nodes that listing directories keeps; what is looked up by name is kept after that, too.
const LISTED_MAX: usize = 1 << 16;
/// Most subvolumes that are opened.
const OPEN_MAX: usize = 64;
/// The number of the top.
const TOP: u64 = 5;

/// A Btrfs volume. lambutter takes paths for directories and links, from the subvolume that it was opened at.
pub(crate) struct BtrfsVolume<'a> {
    below: Below<'a>,
    /// One for each subvolume that was requested, with the default one first.
    open: RefCell<Vec<Btrfs<Below<'a>>>>,
    root: Node,
    known: RefCell<HashMap<Node, Known>>,
    listings: RefCell<Listings>,
}

/// How lambutter knows a node.
#[derive(Clone)]
struct Known {
    inode: Inode,
    /// Which one of the open ones the path is from.
    from: usize,
    path: Rc<[u8]>,
    /// What the directory says that it is.
    kind: Option<FileKind>,
    /// What it is, once that was asked: lambutter walks the tree and checks its blocks each time.
    metadata: Option<Metadata>,
}

impl<'a> BtrfsVolume<'a> {
    /// Opens a volume that has the magic, at its default subvolume.
    pub(crate) fn open(disk: Cached<'a>) -> Result<Self> {
        check(&disk)?;
        let below = Below::new(disk);
        let size = below.disk().size();
        let fs = below.call(0, || Btrfs::open(below.clone(), size), translate)?;
        let mut volume = Self {
            below,
            open: RefCell::default(),
            root: Node { tree: TOP, number: 0 },
            known: RefCell::default(),
            listings: RefCell::default(),
        };
        volume.root = volume.add(fs)?;
        Ok(volume)
    }

    /// Keeps a subvolume open, and gives its root.
    fn add(&self, mut fs: Btrfs<Below<'a>>) -> Result<Node> {
        let mut open = self.open.borrow_mut();
        if open.len() >= OPEN_MAX {
            return Err(Error::limit(format!("more than {OPEN_MAX} subvolumes are read")));
        }
        let inode = self.below.call(0, || fs.resolve(top()), translate)?;
        let node = node(&inode);
        let mut known = self.known.borrow_mut();
        let metadata = known.get(&node).and_then(|known| known.metadata);
        let path = Rc::from(b"".as_slice());
        known
            .insert(node, Known { inode, from: open.len(), path, kind: Some(FileKind::Directory), metadata });
        open.push(fs);
        Ok(node)
    }

    fn known(&self, node: Node) -> Result<Known> {
        let known = self.known.borrow().get(&node).cloned();
        known.ok_or_else(|| Error::limit("too many files were read"))
    }

    fn keep(&self, directory: &Known, name: &[u8], inode: Inode, kind: Option<FileKind>, max: usize) {
        let mut known = self.known.borrow_mut();
        if known.len() < max {
            known.entry(node(&inode)).or_insert_with(|| Known {
                inode,
                from: directory.from,
                path: [&directory.path, b"/".as_slice(), name].concat().into(),
                kind,
                metadata: None,
            });
        }
    }

    /// All that a directory has, if it is a small one. What can't be listed may still be found by its name.
    fn listing(&self, directory: Node) -> Result<Option<Rc<Listing>>> {
        if let Some(known) = self.listings.borrow().get(directory) {
            return Ok(known);
        }
        let metadata = self.metadata(directory)?;
        let is_listed = metadata.kind == FileKind::Directory && self.listings.borrow().takes(metadata.size);
        let mut entries = Vec::new();
        let listed = is_listed
            && self
                .list(directory, &mut |entry| {
                    entries.push(entry);
                    ControlFlow::Continue(())
                })
                .is_ok();
        let listing = listed.then(|| Rc::new(Listing::new(entries)));
        self.listings.borrow_mut().put(directory, listing.clone());
        Ok(listing)
    }

    /// Lists a directory by lambutter.
    fn list(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        let known = self.known(directory)?;
        let at = [&known.path, b"/".as_slice()].concat();
        for entry in self.call(&known, 0, |fs| fs.read_dir(path(&at)))? {
            check_name(&entry.name)?;
            let (node, kind) = (node(&entry.inode), kind_of(entry.kind_byte));
            self.keep(&known, &entry.name, entry.inode, kind, LISTED_MAX);
            if each(DirEntry { name: entry.name, node, kind }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Lets lambutter work for a node, with `bytes` of content.
    fn call<T>(
        &self,
        known: &Known,
        bytes: u64,
        call: impl FnOnce(&mut Btrfs<Below<'a>>) -> lambutter::Result<T>,
    ) -> Result<T> {
        let mut open = self.open.borrow_mut();
        let fs = open.get_mut(known.from).ok_or_else(Error::not_found)?;
        self.below.call(bytes, || call(fs), translate)
    }
}

/// What lambutter does not look at, or decides otherwise than Linux: a log tree, several devices, and which superblock counts.
pub(crate) fn check(disk: &Cached<'_>) -> Result<()> {
    /// Where superblocks are after the first.
    const COPIES: [u64; 2] = [64 << 20, 256 << 30];
    /// Bytes of a superblock.
    const SIZE: usize = 4096;
    /// Where its magic is, its generation, and the kind of its checksum.
    const MAGIC: std::ops::Range<usize> = 0x40..0x48;
    const GENERATION: usize = 0x48;
    const CHECKSUM_KIND: usize = 0xc4;
    /// Bytes of the checksum, which are not part of what it is of.
    const CHECKSUM: usize = 32;

    let bytes = disk.array::<SIZE>(Superblock::OFFSET)?;
    let superblock = bytes.first_chunk().map(Superblock::decode).ok_or_else(Error::not_found)?;
    let generation = |bytes: &[u8; SIZE]| {
        bytes.get(GENERATION..).and_then(|rest| rest.first_chunk()).map_or(0, |it| u64::from_le_bytes(*it))
    };
    let kind =
        bytes.get(CHECKSUM_KIND..).and_then(|rest| rest.first_chunk()).map(|it| u16::from_le_bytes(*it));
    if kind != Some(0) {
        return Err(Error::refused(
            "its checksums are not CRC-32C, which is the only kind that is supported",
        ));
    }
    let sum = crc32c::sum(bytes.get(CHECKSUM..).unwrap_or_default());
    if !bytes.starts_with(&sum.to_le_bytes()) {
        return Err(Error::corrupt("its superblock has a wrong checksum"));
    }
    if superblock.log_root != 0 {
        return Err(Error::refused(
            "it was not unmounted, and has a log tree: the last changes of files stand in it, and it is not supported",
        ));
    }
    if superblock.devices != 1 {
        return Err(Error::refused(format!("it is spread over {} devices", superblock.devices)));
    }
    for copy in COPIES {
        if copy.saturating_add(SIZE as u64) > disk.size() {
            continue;
        }
        let other = disk.array::<SIZE>(copy)?;
        if other.get(MAGIC) == bytes.get(MAGIC) && generation(&other) > generation(&bytes) {
            return Err(Error::refused("a copy of its superblock is newer than the first one"));
        }
    }
    Ok(())
}

fn top() -> Path<'static> {
    Path::from("/")
}

fn path(bytes: &[u8]) -> Path<'_> {
    Path::new(bytes).unwrap_or(Path::from("/"))
}

fn node(inode: &Inode) -> Node {
    Node { tree: inode.subvolume(), number: inode.objectid() }
}

/// What the reader says, in our words.
fn translate(error: lambutter::Error) -> Error {
    use lambutter::{Error as Btrfs, SuperblockReason as Reason};

    match error {
        Btrfs::NotFound | Btrfs::NotASubvolume => Error::not_found(),
        Btrfs::UnsupportedFeature(_)
        | Btrfs::UnsupportedProfile(_)
        | Btrfs::UnsupportedChecksum(_)
        | Btrfs::BadSuperblock(Reason::UnsupportedCsumType | Reason::UnsupportedIncompat) => {
            Error::refused(format!("the reader of Btrfs does not support it: {error}"))
        }
        Btrfs::OutOfMemory { .. } => Error::limit(format!("the reader of Btrfs: {error}")),
        _ => Error::corrupt(format!("the reader of Btrfs could not follow it: {error}")),
    }
}

/// What a directory says that an entry is.
fn kind_of(byte: u8) -> Option<FileKind> {
    match byte {
        1 => Some(FileKind::File),
        2 => Some(FileKind::Directory),
        7 => Some(FileKind::Link),
        3..=6 => Some(FileKind::Other),
        _ => None,
    }
}

impl FileSystem for BtrfsVolume<'_> {
    fn name(&self) -> &'static str {
        "btrfs"
    }

    fn root(&self) -> Node {
        self.root
    }

    fn subvolume(&self, which: Subvolume<'_>) -> Result<Option<Node>> {
        let below = &self.below;
        let size = below.disk().size();
        let opened = match which {
            Subvolume::Id(id) => below.call(0, || Btrfs::open_subvol_id(below.clone(), size, id), translate),
            Subvolume::Path(at) => {
                let at = [b"/", at].concat();
                below.call(0, || Btrfs::open_subvol_path(below.clone(), size, path(&at)), translate)
            }
        };
        match opened {
            Ok(fs) => {
                let root = Node { tree: fs.subvolume(), ..self.root };
                // Its root may be known by a path from another, which is longer for all that lies below.
                let known = self.known.borrow().get(&root).map(|known| known.path.len());
                let is_full = self.open.borrow().len() >= OPEN_MAX;
                match known {
                    Some(length) if length == 0 || is_full => Ok(Some(root)),
                    _ => self.add(fs).map(Some),
                }
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        let known = self.known(node)?;
        if let Some(metadata) = known.metadata {
            return Ok(metadata);
        }
        let metadata = self.call(&known, 0, |fs| fs.metadata(&known.inode))?;
        let kind = match (metadata.is_file(), metadata.is_dir(), metadata.is_symlink()) {
            (true, ..) => FileKind::File,
            (_, true, _) => FileKind::Directory,
            (.., true) => FileKind::Link,
            _ => FileKind::Other,
        };
        let mode = u16::try_from(metadata.mode & 0o7777).unwrap_or_default();
        let metadata = Metadata { kind, size: metadata.size, mode, uid: metadata.uid, gid: metadata.gid };
        if let Some(known) = self.known.borrow_mut().get_mut(&node) {
            known.metadata = Some(metadata);
        }
        Ok(metadata)
    }

    fn kind(&self, node: Node) -> Result<FileKind> {
        match self.known(node)?.kind {
            Some(kind) => Ok(kind),
            None => Ok(self.metadata(node)?.kind),
        }
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let known = self.known(directory)?;
        // lambutter leaves these out of paths.
        if name == b"." || name == b".." || name.contains(&b'/') {
            return Ok(None);
        }
        if let Some(listing) = self.listing(directory)? {
            let found = listing.get(name).map(|entry| entry.node);
            // A node that was not kept has no path: it is looked up again.
            if found.is_none_or(|node| self.known.borrow().contains_key(&node)) {
                return Ok(found);
            }
        }
        let at = [&known.path, b"/".as_slice(), name].concat();
        match self.call(&known, 0, |fs| fs.resolve(path(&at))) {
            Ok(inode) => {
                self.keep(&known, name, inode, None, KNOWN_MAX);
                Ok(Some(node(&inode)))
            }
            Err(error) if error.is_not_found() => {
                let kind = self.metadata(directory)?.kind;
                if kind == FileKind::Directory { Ok(None) } else { Err(kind.is_not("a directory")) }
            }
            Err(error) => Err(error),
        }
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        let kind = self.metadata(directory)?.kind;
        if kind != FileKind::Directory {
            return Err(kind.is_not("a directory"));
        }
        match self.listing(directory)? {
            Some(listing) => {
                let _ = listing.entries.iter().cloned().try_for_each(each);
                Ok(())
            }
            None => self.list(directory, each),
        }
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let known = self.known(file)?;
        let kind = self.metadata(file)?.kind;
        if kind != FileKind::File {
            return Err(kind.is_not("a file"));
        }
        let length = buf.len() as u64;
        self.call(&known, length, |fs| fs.read_file_at(&known.inode, offset, buf))
    }

    fn apart(&self, file: Node) -> Option<Apart<'_>> {
        let fresh = self.below.disk().fresh();
        let (inode, metadata) = self.known(file).ok().map(|known| (known.inode, known.metadata))?;
        Some(Apart::new(move || {
            let volume = BtrfsVolume::open(fresh.cached())?;
            // A file is read by its inode: its path is not needed, nor the subvolume that the path is from.
            let known = Known { inode, from: 0, path: Rc::from(b"".as_slice()), kind: None, metadata };
            volume.known.borrow_mut().insert(file, known);
            Ok(Rc::new(volume))
        }))
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        let known = self.known(link)?;
        let metadata = self.metadata(link)?;
        if metadata.kind != FileKind::Link {
            return Err(metadata.kind.is_not("a symbolic link"));
        }
        if metadata.size > LINK_MAX as u64 {
            return Err(Error::corrupt(format!("the link's target has {} bytes", metadata.size)));
        }
        self.call(&known, 0, |fs| fs.read_link(path(&known.path)))
    }
}
