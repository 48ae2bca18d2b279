//! What every reader of a file system offers.

use std::ops::ControlFlow;
use std::rc::Rc;

use crate::{Error, Result};

/// A file, directory or link of one file system, by the numbers that it has there. They mean nothing elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The tree that the number belongs to: the subvolume of a Btrfs; 0 elsewhere.
    pub tree: u64,
    /// The number of the inode, or what comes nearest to one.
    pub number: u64,
}

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket, or what the reader knows no other word for.
    Other,
}

/// What a file system says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Bytes of a file or of a link's target. For other kinds, what the file system says, which may be anything.
    pub size: u64,
    /// Permission bits, with set-user-ID, set-group-ID and sticky: 0 to 0o7777. Where a file system has none, 0o755 for
    /// directories and 0o644 for the rest.
    pub mode: u16,
    /// The owner; 0 where a file system has none.
    pub uid: u32,
    /// The group; 0 where a file system has none.
    pub gid: u32,
}

/// A name in a directory. `.` and `..` are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name: any bytes but `/` and NUL, as the guest has it; in UTF-8 where the file system knows about characters.
    pub name: Vec<u8>,
    /// What it names.
    pub node: Node,
    /// What that is, if the directory says so.
    pub kind: Option<FileKind>,
}

/// Whether a directory can have this name: no path can hold another.
pub(crate) fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.contains(&b'/') || name.contains(&0) {
        return Err(Error::corrupt("a directory has an entry with a name that no file can have"));
    }
    Ok(())
}

/// A subvolume or snapshot of a Btrfs, as the options of a mount name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subvolume<'a> {
    /// By number, as `subvolid=` does. 5 is the top.
    Id(u64),
    /// By its path from the top of the volume, as `subvol=` does, with or without a slash at the start.
    Path(&'a [u8]),
}

/// The files of one volume, read only.
///
/// Names are single components; paths, links and mounts are the affair of [`GuestTree`](crate::GuestTree). All work is bounded
/// by what the reader was opened with ([`Access`](crate::Access)).
pub trait FileSystem {
    /// The name of the kind of file system, as `blkid` has it: `ext4`, `xfs`, `btrfs`, `ntfs`, `vfat`.
    fn name(&self) -> &'static str;

    /// The root directory; of a Btrfs that of its default subvolume.
    fn root(&self) -> Node;

    /// The root directory of a subvolume; `None` if there is none of that name, as always where a file system has no such
    /// thing.
    ///
    /// # Errors
    ///
    /// If that is unknown.
    fn subvolume(&self, which: Subvolume<'_>) -> Result<Option<Node>> {
        let _ = which;
        Ok(None)
    }

    /// What a node is.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn metadata(&self, node: Node) -> Result<Metadata>;

    /// What kind of thing a node is, where a directory says so by what that says.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn kind(&self, node: Node) -> Result<FileKind> {
        Ok(self.metadata(node)?.kind)
    }

    /// What `name` is in a directory, by the file system's own rules for upper and lower case; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// If the directory can't be read, or is none.
    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let mut found = None;
        self.entries(directory, &mut |entry| {
            if entry.name == name {
                found = Some(entry.node);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Hands over the entries of a directory, in its own order, until `each` breaks.
    ///
    /// # Errors
    ///
    /// If the directory can't be read, or is none. Entries before that place were handed over.
    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()>;

    /// Reads bytes of a file from `offset` on, as many as `buf` takes; fewer only at its end. Holes, and what was allocated and
    /// never written, read as zeros.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is no file.
    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize>;

    /// How a file of this node is read on another thread; `None` if that is not supported.
    fn apart(&self, file: Node) -> Option<Apart<'_>> {
        let _ = file;
        None
    }

    /// Where a link leads, as it stands there: relative or absolute, at most [`LINK_MAX`] bytes.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is no link.
    fn link(&self, link: Node) -> Result<Vec<u8>>;
}

/// How a file system is opened again on another thread, with a cache of its own. What that costs counts with the rest.
pub struct Apart<'a>(Box<Open<'a>>);

type Open<'a> = dyn FnOnce() -> Result<Rc<dyn FileSystem + 'a>> + Send + 'a;

impl<'a> Apart<'a> {
    /// By what opens it, which is called on the other thread.
    pub(crate) fn new(open: impl FnOnce() -> Result<Rc<dyn FileSystem + 'a>> + Send + 'a) -> Self {
        Self(Box::new(open))
    }
}

impl<'a> Apart<'a> {
    /// Opens it, on this thread.
    pub(crate) fn open(self) -> Result<Rc<dyn FileSystem + 'a>> {
        (self.0)()
    }
}

/// Most bytes of a link's target; Linux follows none that is longer.
pub const LINK_MAX: usize = 4095;

impl FileKind {
    /// The error for one that was to be something else.
    pub(crate) fn is_not(self, wanted: &str) -> Error {
        let is = match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Other => "a device or the like",
        };
        Error::new(crate::ErrorKind::WrongType, format!("is {is}, not {wanted}"))
    }
}
