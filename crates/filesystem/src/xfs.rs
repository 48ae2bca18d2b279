//! XFS, by the crate lamxfs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use lamxfs::{EntryKind, Inode, Path, Xfs};

use crate::below::Below;
use crate::cached::Cached;
use crate::volume::check_name;
use crate::{Apart, DirEntry, Error, FileKind, FileSystem, LINK_MAX, Metadata, Node, Result};

/// Most entries of directories that are kept.
const KEPT_MAX: usize = 1 << 16;
/// Most directories and links whose paths are kept: those of a large system.
const PATHS_MAX: usize = 1 << 18;

/// An XFS volume. lamxfs takes paths for directories and links, and reads all directories on the way at each lookup: so paths are
/// kept of what was found, and directories of what was listed.
pub(crate) struct XfsVolume<'a> {
    below: Below<'a>,
    xfs: RefCell<Xfs<Below<'a>>>,
    root: Node,
    /// Paths of directories and links, by inode.
    paths: RefCell<HashMap<u64, Rc<[u8]>>>,
    listings: RefCell<Listings>,
}

#[derive(Default)]
struct Listings {
    /// By the directory's inode; sorted by name.
    kept: HashMap<u64, Rc<[lamxfs::DirEntry]>>,
    /// Entries in all of them.
    entries: usize,
}

impl<'a> XfsVolume<'a> {
    /// Opens a volume that has the magic.
    pub(crate) fn open(disk: Cached<'a>) -> Result<Self> {
        let below = Below::new(disk);
        // A log is read whole where it is not empty.
        let size = below.disk().size();
        let mut xfs = below.call(size, || Xfs::open(below.clone(), size), translate)?;
        let top = b"/".as_slice();
        let root = below.call(0, || xfs.resolve(Path::new(top)), translate)?.ino;
        let paths = HashMap::from([(root, Rc::from(b"".as_slice()))]);
        Ok(Self {
            below,
            xfs: RefCell::new(xfs),
            root: Node { tree: 0, number: root },
            paths: RefCell::new(paths),
            listings: RefCell::default(),
        })
    }

    fn path(&self, node: Node) -> Result<Rc<[u8]>> {
        let path = self.paths.borrow().get(&node.number).cloned();
        path.ok_or_else(|| Error::limit("too many directories were read"))
    }

    fn keep_path(&self, directory: &[u8], entry: &lamxfs::DirEntry) {
        let mut paths = self.paths.borrow_mut();
        let is_wanted = matches!(entry.kind, EntryKind::Directory | EntryKind::Symlink | EntryKind::Other);
        if is_wanted && paths.len() < PATHS_MAX {
            paths.entry(entry.inode_number).or_insert_with(|| [directory, b"/", &entry.name].concat().into());
        }
    }

    /// What is in a directory, sorted by name.
    fn listing(&self, directory: Node) -> Result<Rc<[lamxfs::DirEntry]>> {
        if let Some(listing) = self.listings.borrow().kept.get(&directory.number) {
            return Ok(Rc::clone(listing));
        }
        let kind = self.metadata(directory)?.kind;
        if kind != FileKind::Directory {
            return Err(kind.is_not("a directory"));
        }
        let path = self.path(directory)?;
        let mut xfs = self.xfs.borrow_mut();
        let mut entries = self.below.call(0, || xfs.read_dir(Path::new(&path)), translate)?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let listing: Rc<[_]> = entries.into();
        let mut listings = self.listings.borrow_mut();
        if listings.entries + listing.len() > KEPT_MAX {
            *listings = Listings::default();
        }
        if listing.len() <= KEPT_MAX {
            listings.entries += listing.len();
            listings.kept.insert(directory.number, Rc::clone(&listing));
        }
        Ok(listing)
    }
}

/// What the reader says, in our words. It names its reasons, and no more can be reported.
fn translate(error: lamxfs::Error) -> Error {
    use lamxfs::{Error as Xfs, SuperblockReason as Reason};

    let token = error.token();
    match error {
        Xfs::NotFound { .. } => Error::not_found(),
        Xfs::UnsupportedFeature(_)
        | Xfs::BadSuperblock(
            Reason::UnsupportedVersion | Reason::ExternalLog | Reason::RealtimeDevice | Reason::DirtyLog,
        ) => Error::refused(format!("the reader of XFS does not support it: {token}")),
        Xfs::FileTooLarge { .. } | Xfs::OutOfMemory { .. } => {
            Error::limit(format!("the reader of XFS: {token}"))
        }
        _ => Error::corrupt(format!("the reader of XFS could not follow it: {token}")),
    }
}

fn kind_of(kind: EntryKind) -> FileKind {
    match kind {
        EntryKind::Regular => FileKind::File,
        EntryKind::Directory => FileKind::Directory,
        EntryKind::Symlink => FileKind::Link,
        EntryKind::Other => FileKind::Other,
    }
}

impl FileSystem for XfsVolume<'_> {
    fn name(&self) -> &'static str {
        "xfs"
    }

    fn root(&self) -> Node {
        self.root
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        let mut xfs = self.xfs.borrow_mut();
        let metadata = self.below.call(0, || xfs.metadata(&Inode { ino: node.number }), translate)?;
        let kind = match (metadata.is_file(), metadata.is_dir(), metadata.is_symlink()) {
            (true, ..) => FileKind::File,
            (_, true, _) => FileKind::Directory,
            (.., true) => FileKind::Link,
            _ => FileKind::Other,
        };
        let mode = u16::try_from(metadata.mode() & 0o7777).unwrap_or_default();
        Ok(Metadata { kind, size: metadata.size(), mode, uid: 0, gid: 0 })
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let listing = self.listing(directory)?;
        let found = listing.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok();
        let Some(entry) = found.and_then(|at| listing.get(at)) else { return Ok(None) };
        self.keep_path(&self.path(directory)?, entry);
        Ok(Some(Node { tree: 0, number: entry.inode_number }))
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        let path = self.path(directory)?;
        for entry in &*self.listing(directory)? {
            check_name(&entry.name)?;
            self.keep_path(&path, entry);
            // Without types in directories it reports "other" for inodes that it could not read.
            let kind = Some(kind_of(entry.kind)).filter(|kind| *kind != FileKind::Other);
            let node = Node { tree: 0, number: entry.inode_number };
            if each(DirEntry { name: entry.name.clone(), node, kind }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut xfs = self.xfs.borrow_mut();
        let length = buf.len() as u64;
        let inode = Inode { ino: file.number };
        let result =
            self.below.call(length, || Ok(xfs.read_file_at(&inode, offset, buf)), |never: Error| never)?;
        drop(xfs);
        match result {
            Err(lamxfs::Error::NotARegularFile) => Err(self.metadata(file)?.kind.is_not("a file")),
            result => result.map_err(translate),
        }
    }

    fn apart(&self, _: Node) -> Option<Apart<'_>> {
        let fresh = self.below.disk().fresh();
        Some(Apart::new(move || Ok(Rc::new(XfsVolume::open(fresh.cached())?))))
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        let metadata = self.metadata(link)?;
        if metadata.kind != FileKind::Link {
            return Err(metadata.kind.is_not("a symbolic link"));
        }
        // The kernel has none longer than 1024 bytes.
        if metadata.size > LINK_MAX as u64 {
            return Err(Error::corrupt(format!("the link's target has {} bytes", metadata.size)));
        }
        let path = self.path(link)?;
        let mut xfs = self.xfs.borrow_mut();
        self.below.call(0, || xfs.read_link(Path::new(&path)), translate)
    }
}
