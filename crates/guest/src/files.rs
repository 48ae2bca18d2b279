//! Reading files of the guest, with the place of each for facts, and reasons instead of errors.

use std::cell::Cell;

use imsprep_filesystem::{Entry, ErrorKind, FileKind, Found, GuestFile, GuestTree};

use crate::initramfs::ArchiveFile;
use crate::{Answer, NotKnown, Origin, text};

/// Most entries of a directory that is looked through.
const ENTRIES_MAX: usize = 4096;

/// The files of a guest with the names of the volumes that they are on.
pub(crate) struct Files<'a> {
    tree: GuestTree<'a>,
    /// Where each volume is mounted, the root first.
    mounted: Vec<(Vec<u8>, String)>,
    cancelled: Cell<bool>,
}

impl<'a> Files<'a> {
    /// A tree whose root is on this volume.
    pub(crate) fn new(tree: GuestTree<'a>, root: &str) -> Self {
        Self { tree, mounted: vec![(b"/".to_vec(), root.to_owned())], cancelled: Cell::new(false) }
    }

    /// Notes what was mounted.
    pub(crate) fn tree_mut(&mut self) -> &mut GuestTree<'a> {
        &mut self.tree
    }

    pub(crate) fn mounted(&mut self, path: &str, volume: &str) {
        let at = self.tree.canonical(path).unwrap_or_else(|_| path.as_bytes().to_vec());
        self.mounted.push((at, volume.to_owned()));
    }

    /// Whether the work was cancelled: facts that are not known then mean nothing.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// The volume that a path is on, and the path on it.
    pub(crate) fn within_volume(&self, path: &str) -> (String, String) {
        let real = self.tree.canonical(path).unwrap_or_else(|_| path.as_bytes().to_vec());
        let within = |mount: &[u8]| {
            let mount = mount.strip_suffix(b"/").unwrap_or(mount);
            real.strip_prefix(mount)
                .filter(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
                .map(<[u8]>::to_vec)
        };
        let mounts =
            self.mounted.iter().rev().filter_map(|(at, volume)| Some((at.len(), volume, within(at)?)));
        match mounts.max_by_key(|(length, ..)| *length) {
            Some((_, volume, rest)) => (volume.clone(), String::from_utf8_lossy(&rest).into_owned()),
            None => (String::new(), path.to_owned()),
        }
    }

    /// The place of a file, as it is named.
    pub(crate) fn origin(&self, path: &str) -> Origin {
        let (volume, _) = self.within_volume(path);
        Origin { volume, path: text::value(path), line: None }
    }

    fn not_known(&self, path: &str, error: &imsprep_filesystem::Error) -> NotKnown {
        self.cancelled.set(self.cancelled.get() || error.kind() == ErrorKind::Cancelled);
        NotKnown::at(self.origin(path), text::value(error.reason()))
    }

    /// A whole file; `None` if there is none, be it that a link leads nowhere or that it is no file.
    pub(crate) fn read(&self, path: &str) -> Answer<Option<Vec<u8>>> {
        self.read_up_to(path, text::FILE_MAX)
    }

    pub(crate) fn read_up_to(&self, path: &str, max: usize) -> Answer<Option<Vec<u8>>> {
        match self.tree.read(path, max) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_nothing(error.kind()) => Ok(None),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// The first bytes of a file.
    pub(crate) fn head(&self, path: &str, max: usize) -> Answer<Option<Vec<u8>>> {
        match self.tree.read_start(path, max) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_nothing(error.kind()) => Ok(None),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// Bytes of a file from a position on; `None` if it has not as many.
    pub(crate) fn range(&self, path: &str, offset: u64, length: usize) -> Answer<Option<Vec<u8>>> {
        let file = match self.tree.open(path) {
            Ok(file) => file,
            Err(error) if is_nothing(error.kind()) => return Ok(None),
            Err(error) => return Err(self.not_known(path, &error)),
        };
        let mut bytes = vec![0; length];
        let count = file.read_at(offset, &mut bytes).map_err(|error| self.not_known(path, &error))?;
        Ok((count == length).then_some(bytes))
    }

    /// Opens a file, to be read in pieces.
    pub(crate) fn open(&self, path: &str) -> Answer<Option<GuestFile<'_>>> {
        match self.tree.open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_nothing(error.kind()) => Ok(None),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// What a path leads to.
    pub(crate) fn kind(&self, path: &str) -> Answer<Option<FileKind>> {
        match self.tree.kind(path) {
            Ok(kind) => Ok(kind),
            Err(error) if is_nothing(error.kind()) => Ok(None),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// Whether something is there.
    pub(crate) fn exists(&self, path: &str) -> Answer<bool> {
        Ok(self.kind(path)?.is_some())
    }

    /// The first of several paths at which something is.
    pub(crate) fn first_of(&self, paths: &[&str]) -> Answer<Option<Origin>> {
        for path in paths {
            if self.exists(path)? {
                return Ok(Some(self.origin(path)));
            }
        }
        Ok(None)
    }

    /// The size of a file; of a directory [`u64::MAX`].
    pub(crate) fn size(&self, path: &str) -> Answer<Option<u64>> {
        let metadata = self.tree.metadata(path).found().map_err(|error| self.not_known(path, &error));
        Ok(metadata?
            .map(|metadata| if metadata.kind == FileKind::Directory { u64::MAX } else { metadata.size }))
    }

    /// Where the link at a path leads; `None` if it is no link.
    pub(crate) fn link(&self, path: &str) -> Answer<Option<String>> {
        match self.tree.read_link(path) {
            Ok(target) => Ok(Some(String::from_utf8_lossy(&target).into_owned())),
            Err(error) if is_nothing(error.kind()) => Ok(None),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// Whether anything has this name, be it a link that leads nowhere.
    pub(crate) fn has_name(&self, path: &str) -> Answer<bool> {
        let metadata = self.tree.link_metadata(path).found().map_err(|error| self.not_known(path, &error));
        Ok(metadata?.is_some())
    }

    /// What is in a directory, sorted by name; nothing if there is none. Names that are no UTF-8 are left out: no program that is
    /// asked about here has such files.
    pub(crate) fn list(&self, path: &str) -> Answer<Vec<(String, FileKind)>> {
        match self.tree.list(path, ENTRIES_MAX) {
            Ok(entries) => {
                let named = |Entry { name, kind }| String::from_utf8(name).ok().map(|name| (name, kind));
                Ok(entries.into_iter().filter_map(named).collect())
            }
            Err(error) if is_nothing(error.kind()) => Ok(Vec::new()),
            Err(error) => Err(self.not_known(path, &error)),
        }
    }

    /// The files of a directory whose names fit, as full paths in the order of their names. Links count, directories don't.
    pub(crate) fn files_in(&self, folder: &str, fits: impl Fn(&str) -> bool) -> Answer<Vec<String>> {
        let listed = self.list(folder)?.into_iter();
        let files = listed.filter(|(name, kind)| *kind != FileKind::Directory && fits(name));
        Ok(files.map(|(name, _)| format!("{}/{name}", folder.trim_end_matches('/'))).collect())
    }
}

/// Errors that say that the guest has no such file: links in a circle, which it could not open either, among them.
fn is_nothing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::WrongType | ErrorKind::TooManyLinks)
}

/// A file of the guest as what an initramfs is read from.
pub(crate) struct Archive<'t> {
    pub(crate) file: GuestFile<'t>,
    cancelled: Cell<bool>,
}

impl<'t> Archive<'t> {
    pub(crate) fn new(file: GuestFile<'t>) -> Self {
        Self { file, cancelled: Cell::new(false) }
    }

    /// Whether a read failed because the work was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }
}

impl ArchiveFile for Archive<'_> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.file.read_at(offset, buf).map_err(|error| {
            self.cancelled.set(self.cancelled.get() || error.kind() == ErrorKind::Cancelled);
            std::io::Error::other(error)
        })
    }
}
