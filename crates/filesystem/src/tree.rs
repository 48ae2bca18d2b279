//! The files of a guest over all its volumes, by path.

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::names::Names;
use crate::{Apart, Error, ErrorKind, FileKind, FileSystem, Metadata, Node, Result};

/// Most links that a path is followed through, as in Linux.
const LINKS_MAX: usize = 40;
/// Most bytes of a path's component. NTFS has names of 255 UTF-16 units, which are at most 765 bytes.
const NAME_MAX: usize = 765;
/// Most bytes of a path.
const PATH_MAX: usize = 4096;
/// Most volumes that are mounted.
const MOUNTS_MAX: usize = 256;

/// The files of a guest: its volumes, mounted as it would mount them, and paths that are resolved inside of it, never on the
/// host. Links are followed across volumes; `..` at the root stays there.
///
/// Paths are bytes, separated by `/`, from the root whether they begin with one or not. Components are looked up by the rules of
/// the volume that they are on, so on NTFS and FAT in any case.
pub struct GuestTree<'a> {
    /// The first one is the root.
    mounts: Vec<Mount<'a>>,
    names: RefCell<Names>,
}

/// A directory of a volume, mounted at a path.
struct Mount<'a> {
    /// The components of the path.
    at: Vec<Vec<u8>>,
    files: Rc<dyn FileSystem + 'a>,
    root: Node,
}

/// Where a path leads.
#[derive(Clone, Copy)]
struct Place {
    mount: usize,
    node: Node,
    kind: FileKind,
}

/// A name in a directory of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name. From the image: hostile, not to be printed unescaped.
    pub name: Vec<u8>,
    /// What it names; links are not followed.
    pub kind: FileKind,
}

impl<'a> GuestTree<'a> {
    /// A guest with one volume, whose root is mounted at `/`.
    pub fn of(files: impl FileSystem + 'a) -> Self {
        let root = files.root();
        Self::new(Rc::new(files), root)
    }

    /// A guest with a directory of a volume at `/`. The directory is [`FileSystem::root`], or that of a subvolume.
    pub fn new(files: Rc<dyn FileSystem + 'a>, root: Node) -> Self {
        Self { mounts: vec![Mount { at: Vec::new(), files, root }], names: RefCell::default() }
    }

    /// Mounts a directory of a volume at `path`, over what is there. Links in the path are followed. The last part of
    /// the path need not be there; those before it have to be, or nothing is found under it.
    ///
    /// # Errors
    ///
    /// If the path can't be followed for another reason, is `/`, or too many volumes are mounted.
    pub fn mount(
        &mut self,
        path: impl AsRef<[u8]>,
        files: Rc<dyn FileSystem + 'a>,
        root: Node,
    ) -> Result<()> {
        let path = path.as_ref();
        let at = match self.walk(path, true) {
            Ok(steps) => steps.into_iter().map(|(name, _)| name).collect(),
            Err(error) if error.is_not_found() => components(path).map(<[u8]>::to_vec).collect::<Vec<_>>(),
            Err(error) => return Err(error),
        };
        if at.is_empty() || at.iter().any(|name| name == b"..") {
            return Err(Error::refused("no volume can be mounted there").at(path));
        }
        if self.mounts.len() >= MOUNTS_MAX {
            return Err(Error::limit(format!("more than {MOUNTS_MAX} volumes are mounted")).at(path));
        }
        self.mounts.push(Mount { at, files, root });
        Ok(())
    }

    /// The volume that a path is on, and what of it the path names. Links are followed.
    ///
    /// # Errors
    ///
    /// If the path leads nowhere, or can't be followed.
    pub fn locate(&self, path: impl AsRef<[u8]>) -> Result<(&(dyn FileSystem + 'a), Node)> {
        let place = self.place(path.as_ref(), true)?;
        Ok((self.files(place), place.node))
    }

    /// The path without links, `.` and `..`, from the root.
    ///
    /// # Errors
    ///
    /// As [`locate`](Self::locate).
    pub fn canonical(&self, path: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let mut canonical = Vec::new();
        for (name, _) in self.walk(path.as_ref(), true)? {
            canonical.push(b'/');
            canonical.extend(name);
        }
        if canonical.is_empty() {
            canonical.push(b'/');
        }
        Ok(canonical)
    }

    /// What a path leads to. Links are followed.
    ///
    /// # Errors
    ///
    /// As [`locate`](Self::locate); or if the metadata can't be read.
    pub fn metadata(&self, path: impl AsRef<[u8]>) -> Result<Metadata> {
        let path = path.as_ref();
        let place = self.place(path, true)?;
        self.files(place).metadata(place.node).map_err(|error| error.at(path))
    }

    /// What is at a path: if that is a link, the link itself.
    ///
    /// # Errors
    ///
    /// As [`metadata`](Self::metadata).
    pub fn link_metadata(&self, path: impl AsRef<[u8]>) -> Result<Metadata> {
        let path = path.as_ref();
        let place = self.place(path, false)?;
        self.files(place).metadata(place.node).map_err(|error| error.at(path))
    }

    /// What kind of thing a path leads to; `None` if there is nothing. Links are followed; one that leads nowhere is nothing.
    ///
    /// # Errors
    ///
    /// If that is unknown.
    pub fn kind(&self, path: impl AsRef<[u8]>) -> Result<Option<FileKind>> {
        match self.place(path.as_ref(), true) {
            Ok(place) => Ok(Some(place.kind)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the link at a path leads, as it stands there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if it is no link, and as [`locate`](Self::locate).
    pub fn read_link(&self, path: impl AsRef<[u8]>) -> Result<Vec<u8>> {
        let path = path.as_ref();
        let place = self.place(path, false)?;
        if place.kind != FileKind::Link {
            return Err(place.kind.is_not("a symbolic link").at(path));
        }
        self.files(place).link(place.node).map_err(|error| error.at(path))
    }

    /// Opens a file, to be read in pieces.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WrongType`] if it is no file, and as [`metadata`](Self::metadata).
    pub fn open(&self, path: impl AsRef<[u8]>) -> Result<GuestFile<'_>> {
        let path = path.as_ref();
        let place = self.place(path, true)?;
        if place.kind != FileKind::File {
            return Err(place.kind.is_not("a file").at(path));
        }
        let files = self.files(place);
        let size = files.metadata(place.node).map_err(|error| error.at(path))?.size;
        Ok(GuestFile { files: Holder::Tree(files), node: place.node, path: path.to_vec(), size, at: 0 })
    }

    /// A whole file of at most `max` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if it has more, and as [`open`](Self::open).
    pub fn read(&self, path: impl AsRef<[u8]>, max: usize) -> Result<Vec<u8>> {
        let path = path.as_ref();
        let file = self.open(path)?;
        if file.size > max as u64 {
            return Err(Error::limit(format!("has {} bytes; at most {max} are read", file.size)).at(path));
        }
        file.start(max)
    }

    /// The first bytes of a file: `max` of them, or all if there are fewer.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn read_start(&self, path: impl AsRef<[u8]>, max: usize) -> Result<Vec<u8>> {
        self.open(path)?.start(max)
    }

    /// What is in a directory, sorted by name, at most `max` entries. What is mounted in it appears only if its own volume has a
    /// directory there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if there are more, [`ErrorKind::WrongType`] if it is no directory, and as [`locate`](Self::locate).
    pub fn list(&self, path: impl AsRef<[u8]>, max: usize) -> Result<Vec<Entry>> {
        let path = path.as_ref();
        let mut entries = Vec::new();
        let mut has_more = false;
        self.visit(path, &mut |entry| {
            has_more = entries.len() == max;
            if has_more {
                return ControlFlow::Break(());
            }
            entries.push(entry);
            ControlFlow::Continue(())
        })?;
        if has_more {
            return Err(Error::limit(format!("has more than {max} entries")).at(path));
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Hands over what is in a directory, in no particular order, until `each` breaks: for directories of any size.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list), without a limit.
    pub fn visit(
        &self,
        path: impl AsRef<[u8]>,
        each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let path = path.as_ref();
        let place = self.place(path, true)?;
        if place.kind != FileKind::Directory {
            return Err(place.kind.is_not("a directory").at(path));
        }
        let files = self.files(place);
        let mut failed = None;
        let listed = files.entries(place.node, &mut |entry| {
            let kind = entry.kind.map_or_else(|| files.metadata(entry.node).map(|it| it.kind), Ok);
            match kind {
                Ok(kind) => each(Entry { name: entry.name, kind }),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        listed.and(failed.map_or(Ok(()), Err)).map_err(|error| error.at(path))
    }

    fn files(&self, place: Place) -> &(dyn FileSystem + 'a) {
        let mount = self.mounts.get(place.mount).or(self.mounts.first());
        // The root is always there, and a place is made from a mount that is.
        mount.map_or_else(|| unreachable!("a guest has a root"), |mount| &*mount.files)
    }

    fn place(&self, path: &[u8], follows_last: bool) -> Result<Place> {
        match self.walk(path, follows_last)?.pop() {
            Some((_, place)) => Ok(place),
            None => self.root(),
        }
    }

    fn root(&self) -> Result<Place> {
        let mount = self.mounts.first().ok_or_else(Error::not_found)?;
        Ok(Place { mount: 0, node: mount.root, kind: FileKind::Directory })
    }

    /// The names, free of links, that a path leads through, with what each of them is.
    fn walk(&self, path: &[u8], follows_last: bool) -> Result<Vec<(Vec<u8>, Place)>> {
        self.steps(path, follows_last).map_err(|error| error.at(path))
    }

    fn steps(&self, path: &[u8], follows_last: bool) -> Result<Vec<(Vec<u8>, Place)>> {
        if path.len() > PATH_MAX {
            return Err(Error::not_found());
        }
        let mut steps: Vec<(Vec<u8>, Place)> = Vec::new();
        // The components that are to come, the next one last.
        let mut rest: Vec<Vec<u8>> = components(path).rev().map(<[u8]>::to_vec).collect();
        let mut links = 0;
        while let Some(name) = rest.pop() {
            let directory = match steps.last() {
                Some((_, place)) => *place,
                None => self.root()?,
            };
            if directory.kind != FileKind::Directory {
                return Err(Error::new(ErrorKind::NotFound, "a part of the path is no directory"));
            }
            if name == b".." {
                steps.pop();
                continue;
            }
            let place = self.step(&steps, directory, &name)?;
            if place.kind == FileKind::Link && (follows_last || !rest.is_empty()) {
                links += 1;
                if links > LINKS_MAX {
                    return Err(Error::new(ErrorKind::TooManyLinks, "leads through too many links"));
                }
                let target = self.target(place)?;
                if target.is_empty() {
                    return Err(Error::not_found());
                }
                if target.starts_with(b"/") {
                    steps.clear();
                }
                rest.extend(components(&target).rev().map(<[u8]>::to_vec));
                continue;
            }
            steps.push((name, place));
        }
        Ok(steps)
    }

    /// Where a link leads, as it stands there.
    fn target(&self, link: Place) -> Result<Vec<u8>> {
        let known = self.names.borrow().target(link.mount, link.node);
        if let Some(target) = known {
            return Ok(target);
        }
        let target = self.files(link).link(link.node)?;
        self.names.borrow_mut().put_target(link.mount, link.node, &target);
        Ok(target)
    }

    /// What `name` is in a directory that `steps` lead to: what is mounted there, or what the directory has.
    fn step(&self, steps: &[(Vec<u8>, Place)], directory: Place, name: &[u8]) -> Result<Place> {
        if name.len() > NAME_MAX || name.contains(&0) {
            return Err(Error::not_found());
        }
        let is_here = |mount: &Mount<'_>| {
            mount.at.split_last().is_some_and(|(last, before)| {
                last == name && before.iter().eq(steps.iter().map(|(name, _)| name))
            })
        };
        // The last one mounted lies over the others.
        if let Some((mount, found)) = self.mounts.iter().enumerate().rev().find(|(_, mount)| is_here(mount)) {
            return Ok(Place { mount, node: found.root, kind: FileKind::Directory });
        }
        let known = self.names.borrow().get(directory.mount, directory.node, name);
        let found = match known {
            Some(found) => found,
            None => {
                let files = self.files(directory);
                let found = files.lookup(directory.node, name)?;
                let found = match found {
                    Some(node) => Some((node, files.kind(node)?)),
                    None => None,
                };
                self.names.borrow_mut().put(directory.mount, directory.node, name, found);
                found
            }
        };
        let (node, kind) = found.ok_or_else(Error::not_found)?;
        Ok(Place { mount: directory.mount, node, kind })
    }
}

/// The components of a path, without empty ones and `.`.
fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

/// An open file of a guest, read in pieces: from the start by [`io::Read`], or anywhere by [`read_at`](Self::read_at).
///
/// As `io::Read` it fails with [`io::ErrorKind::Other`] and the [`Error`] in it: [`Error::within`] takes that out again,
/// whatever decompressor stands between.
pub struct GuestFile<'t> {
    files: Holder<'t>,
    node: Node,
    path: Vec<u8>,
    size: u64,
    at: u64,
}

/// Who has the volume of an open file.
enum Holder<'t> {
    Tree(&'t dyn FileSystem),
    File(Rc<dyn FileSystem + 't>),
}

impl<'t> GuestFile<'t> {
    /// A file that alone has its volume.
    pub(crate) fn owned(files: Rc<dyn FileSystem + 't>, node: Node, path: Vec<u8>, size: u64) -> Self {
        Self { files: Holder::File(files), node, path, size, at: 0 }
    }

    fn files(&self) -> &(dyn FileSystem + 't) {
        match &self.files {
            Holder::Tree(files) => *files,
            Holder::File(files) => &**files,
        }
    }

    /// The same file for another thread; `None` if its file system does not support that, or it was handed over before.
    pub fn apart(&self) -> Option<FileApart<'t>> {
        let Holder::Tree(files) = self.files else { return None };
        let apart = files.apart(self.node)?;
        Some(FileApart { apart, node: self.node, path: self.path.clone(), size: self.size })
    }

    /// Its size in bytes, as the file system has it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads bytes from `offset` on, as many as `buf` takes; fewer only at the end.
    ///
    /// # Errors
    ///
    /// If they can't be read.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.files().read_at(self.node, offset, buf).map_err(|error| error.at(&self.path))
    }

    /// The first bytes: `max` of them, or all if there are fewer.
    fn start(&self, max: usize) -> Result<Vec<u8>> {
        let length = usize::try_from(self.size).unwrap_or(usize::MAX).min(max);
        let mut bytes = Vec::new();
        // Sizes come from the image: memory is taken for what was read.
        while bytes.len() < length {
            let before = bytes.len();
            bytes.resize((before + PIECE).min(length), 0);
            let read = self.read_at(before as u64, bytes.get_mut(before..).unwrap_or_default())?;
            bytes.truncate(before + read);
            if read == 0 {
                break;
            }
        }
        Ok(bytes)
    }
}

/// An open file that can be handed to another thread, by [`GuestFile::apart`].
pub struct FileApart<'a> {
    apart: Apart<'a>,
    node: Node,
    path: Vec<u8>,
    size: u64,
}

impl<'a> FileApart<'a> {
    /// Its size in bytes, as the file system has it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Opens the file's volume again, on this thread.
    ///
    /// # Errors
    ///
    /// If the volume can't be read.
    pub fn open(self) -> Result<GuestFile<'a>> {
        let files = self.apart.open().map_err(|error| error.at(&self.path))?;
        Ok(GuestFile::owned(files, self.node, self.path, self.size))
    }
}

/// Bytes that are read at once of a file that is read whole.
const PIECE: usize = 1 << 20;

impl io::Read for GuestFile<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.at, buf).map_err(io::Error::other)?;
        self.at += read as u64;
        Ok(read)
    }
}
