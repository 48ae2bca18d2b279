//! Directories that were listed before.

use std::collections::HashMap;
use std::rc::Rc;

use crate::{DirEntry, Node};

/// Most bytes of a directory that is kept, as its metadata has them: Btrfs counts each byte of its names twice.
const SIZE_MAX: u64 = 64 << 10;
/// Most directories that are kept, or known as ones that are not.
const DIRECTORIES_MAX: usize = 1 << 12;
/// Most names that are kept.
const NAMES_MAX: usize = 1 << 16;

/// What small directories have. lambutter walks from the top of the subvolume to each name that it is asked for, and checks every
/// block on the way again; a list costs as much as one name.
#[derive(Default)]
pub(super) struct Listings {
    directories: HashMap<Node, Option<Rc<Listing>>>,
    names: usize,
}

/// All that a directory has.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<DirEntry>,
    by_name: HashMap<Vec<u8>, usize>,
}

impl Listing {
    pub(super) fn new(entries: Vec<DirEntry>) -> Self {
        let mut by_name = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            by_name.entry(entry.name.clone()).or_insert(number);
        }
        Self { entries, by_name }
    }

    /// The entry of this name.
    pub(super) fn get(&self, name: &[u8]) -> Option<&DirEntry> {
        self.by_name.get(name).and_then(|number| self.entries.get(*number))
    }
}

impl Listings {
    /// The list of a directory; `Some(None)` if it is known that none is kept.
    pub(super) fn get(&self, directory: Node) -> Option<Option<Rc<Listing>>> {
        self.directories.get(&directory).cloned()
    }

    /// Whether the list of a directory of so many bytes may be kept.
    pub(super) fn takes(&self, size: u64) -> bool {
        size <= SIZE_MAX && self.names < NAMES_MAX && self.directories.len() < DIRECTORIES_MAX
    }

    /// Keeps the list of a directory, or that there is none.
    pub(super) fn put(&mut self, directory: Node, listing: Option<Rc<Listing>>) {
        if self.directories.len() < DIRECTORIES_MAX {
            self.names += listing.as_ref().map_or(0, |listing| listing.entries.len());
            self.directories.insert(directory, listing);
        }
    }
}
