//! Names that were looked up before.

use std::collections::HashMap;

use crate::{FileKind, Node};

/// Most names that are kept.
const NAMES_MAX: usize = 8192;

/// What names in directories were found to be. Bounded: when it is full it is emptied.
#[derive(Default)]
pub(crate) struct Names(HashMap<(usize, Node), HashMap<Vec<u8>, Found>>, usize);

/// What a name is, or that there is nothing of it.
type Found = Option<(Node, FileKind)>;

impl Names {
    /// What is known of a name in a directory of a mount.
    pub(crate) fn get(&self, mount: usize, directory: Node, name: &[u8]) -> Option<Found> {
        self.0.get(&(mount, directory))?.get(name).copied()
    }

    pub(crate) fn put(&mut self, mount: usize, directory: Node, name: &[u8], found: Found) {
        if self.1 == NAMES_MAX {
            *self = Self::default();
        }
        self.1 += 1;
        self.0.entry((mount, directory)).or_default().insert(name.to_vec(), found);
    }
}
