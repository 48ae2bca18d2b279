//! A file system in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::{DirEntry, Error, FileKind, FileSystem, Metadata, Node, Result, Subvolume};

/// A file system in memory: for tests, fuzzing, and programs that have the files already.
///
/// Paths have no links in them; directories before the last part are made.
///
/// ```
/// use imsprep_filesystem::{GuestTree, MemoryTree};
///
/// let mut files = MemoryTree::new();
/// files.file("/usr/lib/os-release", "ID=debian\n").link("/etc/os-release", "../usr/lib/os-release");
/// let guest = GuestTree::of(files);
/// assert_eq!(guest.read("/etc/os-release", 1024)?, b"ID=debian\n");
/// # Ok::<(), imsprep_filesystem::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryTree {
    name: &'static str,
    ignores_case: bool,
    nodes: Vec<Item>,
    subvolumes: Vec<(u64, String)>,
}

/// The number of the top of a Btrfs.
const TOP: u64 = 5;

#[derive(Clone, Debug)]
struct Item {
    metadata: Metadata,
    content: Content,
    /// Why it can't be read.
    refused: Option<String>,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Names(BTreeMap<Vec<u8>, usize>),
}

impl MemoryTree {
    /// An empty one, called `ext4`, that distinguishes upper from lower case.
    pub fn new() -> Self {
        let mut tree = Self { name: "ext4", ignores_case: false, nodes: Vec::new(), subvolumes: Vec::new() };
        tree.add(FileKind::Directory, 0o755, Content::Names(BTreeMap::new()));
        tree
    }

    /// An empty one of another name. `ntfs` and `vfat` ignore the case of ASCII letters.
    pub fn named(name: &'static str) -> Self {
        Self { name, ignores_case: matches!(name, "ntfs" | "vfat"), ..Self::new() }
    }

    /// Adds a file, or replaces what is there.
    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.put(path, FileKind::File, 0o644, Content::Bytes(bytes.into()))
    }

    /// Adds a link, or replaces what is there.
    pub fn link(&mut self, path: &str, target: impl Into<Vec<u8>>) -> &mut Self {
        self.put(path, FileKind::Link, 0o777, Content::Bytes(target.into()))
    }

    /// Adds a directory, if it is not there.
    pub fn directory(&mut self, path: &str) -> &mut Self {
        self.directories(parts(path));
        self
    }

    /// Adds a device or the like.
    pub fn other(&mut self, path: &str) -> &mut Self {
        self.put(path, FileKind::Other, 0o644, Content::Bytes(Vec::new()))
    }

    /// Sets the permission bits of what is there.
    pub fn mode(&mut self, path: &str, mode: u16) -> &mut Self {
        self.change(path, |item| item.metadata.mode = mode)
    }

    /// Sets owner and group of what is there.
    pub fn owner(&mut self, path: &str, uid: u32, gid: u32) -> &mut Self {
        self.change(path, |item| (item.metadata.uid, item.metadata.gid) = (uid, gid))
    }

    /// Lets reading what is there (not its metadata) fail as [`Refused`](crate::ErrorKind::Refused), for this reason.
    pub fn refuse(&mut self, path: &str, reason: &str) -> &mut Self {
        self.change(path, |item| item.refused = Some(reason.to_owned()))
    }

    /// Makes a directory the root of a subvolume of this number. The tree's own root is the top, 5, from then on.
    pub fn subvolume(&mut self, path: &str, id: u64) -> &mut Self {
        self.directory(path);
        self.subvolumes.push((id, path.trim_matches('/').to_owned()));
        self
    }

    fn add(&mut self, kind: FileKind, mode: u16, content: Content) -> usize {
        let size = match &content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Names(_) => 0,
        };
        let metadata = Metadata { kind, size, mode, uid: 0, gid: 0 };
        self.nodes.push(Item { metadata, content, refused: None });
        self.nodes.len() - 1
    }

    fn put(&mut self, path: &str, kind: FileKind, mode: u16, content: Content) -> &mut Self {
        let mut before = parts(path).collect::<Vec<_>>();
        if let Some(name) = before.pop() {
            let directory = self.directories(before.into_iter());
            let new = self.add(kind, mode, content);
            if let Some(Item { content: Content::Names(names), .. }) = self.nodes.get_mut(directory) {
                names.insert(name.as_bytes().to_vec(), new);
            }
        }
        self
    }

    /// The number of a directory, which is made, with those before it, where it isn't there.
    fn directories<'p>(&mut self, parts: impl Iterator<Item = &'p str>) -> usize {
        let mut at = 0;
        for part in parts {
            let there = self.nodes.get(at).and_then(|item| item.get(part.as_bytes()));
            at = there.filter(|there| self.is_directory(*there)).unwrap_or_else(|| {
                let new = self.add(FileKind::Directory, 0o755, Content::Names(BTreeMap::new()));
                if let Some(Item { content: Content::Names(names), .. }) = self.nodes.get_mut(at) {
                    names.insert(part.as_bytes().to_vec(), new);
                }
                new
            });
        }
        at
    }

    fn is_directory(&self, number: usize) -> bool {
        self.nodes.get(number).is_some_and(|item| item.metadata.kind == FileKind::Directory)
    }

    fn find(&self, path: &str) -> Option<usize> {
        parts(path).try_fold(0, |at, part| self.nodes.get(at)?.get(part.as_bytes()))
    }

    /// # Panics
    ///
    /// If there is nothing of that path: a test that names the wrong one should learn it.
    fn change(&mut self, path: &str, change: impl FnOnce(&mut Item)) -> &mut Self {
        let item = self.find(path).and_then(|number| self.nodes.get_mut(number));
        change(item.unwrap_or_else(|| panic!("{path}: nothing of that path was added")));
        self
    }

    fn item(&self, node: Node) -> Result<&Item> {
        let number = usize::try_from(node.number).map_err(|_| Error::not_found())?;
        self.nodes.get(number).ok_or_else(Error::not_found)
    }

    /// What is in it, if it is of that kind and can be read.
    fn content(&self, node: Node, kind: FileKind, wanted: &str) -> Result<&Content> {
        let item = self.item(node)?;
        if item.metadata.kind != kind {
            return Err(item.metadata.kind.is_not(wanted));
        }
        match &item.refused {
            Some(reason) => Err(Error::refused(reason.clone())),
            None => Ok(&item.content),
        }
    }

    fn bytes(&self, node: Node, kind: FileKind, wanted: &str) -> Result<&[u8]> {
        match self.content(node, kind, wanted)? {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Names(_) => Ok(&[]),
        }
    }
}

impl Default for MemoryTree {
    fn default() -> Self {
        Self::new()
    }
}

impl Item {
    fn get(&self, name: &[u8]) -> Option<usize> {
        match &self.content {
            Content::Names(names) => names.get(name).copied(),
            Content::Bytes(_) => None,
        }
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

fn node(number: usize) -> Node {
    Node { tree: 0, number: number as u64 }
}

impl FileSystem for MemoryTree {
    fn name(&self) -> &'static str {
        self.name
    }

    fn root(&self) -> Node {
        node(0)
    }

    fn subvolume(&self, which: Subvolume<'_>) -> Result<Option<Node>> {
        if self.subvolumes.is_empty() {
            return Ok(None);
        }
        let path = match which {
            Subvolume::Id(TOP) | Subvolume::Path(b"" | b"/") => return Ok(Some(node(0))),
            Subvolume::Id(id) => self.subvolumes.iter().find(|(there, _)| *there == id),
            Subvolume::Path(path) => {
                let path = path.strip_prefix(b"/").unwrap_or(path);
                self.subvolumes.iter().find(|(_, there)| there.as_bytes() == path)
            }
        };
        Ok(path.and_then(|(_, path)| self.find(path)).map(node))
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        self.item(node).map(|item| item.metadata)
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let Content::Names(names) = self.content(directory, FileKind::Directory, "a directory")? else {
            return Ok(None);
        };
        let found = if self.ignores_case {
            names.iter().find(|(there, _)| there.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
        } else {
            names.get(name).copied()
        };
        Ok(found.map(node))
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        if let Content::Names(names) = self.content(directory, FileKind::Directory, "a directory")? {
            for (name, number) in names {
                let kind = self.nodes.get(*number).map(|item| item.metadata.kind);
                if each(DirEntry { name: name.clone(), node: node(*number), kind }).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let bytes = self.bytes(file, FileKind::File, "a file")?;
        let there = usize::try_from(offset).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let length = there.len().min(buf.len());
        if let (Some(from), Some(to)) = (there.get(..length), buf.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        self.bytes(link, FileKind::Link, "a symbolic link").map(<[u8]>::to_vec)
    }
}
