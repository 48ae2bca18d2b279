//! Names that were looked up, and links that were read before.

use std::collections::HashMap;

use crate::{FileKind, Node};

/// Most names and links that are kept.
const NAMES_MAX: usize = 8192;
/// Most bytes of a link's target that is kept.
const TARGET_MAX: usize = 256;

/// What names in directories were found to be. Bounded: when it is full it is emptied.
#[derive(Default)]
pub(crate) struct Names {
    found: HashMap<(usize, Node), HashMap<Vec<u8>, Found>>,
    targets: HashMap<(usize, Node), Vec<u8>>,
    kept: usize,
}

/// What a name is, or that there is nothing of it.
type Found = Option<(Node, FileKind)>;

impl Names {
    /// What is known of a name in a directory of a mount.
    pub(crate) fn get(&self, mount: usize, directory: Node, name: &[u8]) -> Option<Found> {
        self.found.get(&(mount, directory))?.get(name).copied()
    }

    pub(crate) fn put(&mut self, mount: usize, directory: Node, name: &[u8], found: Found) {
        self.count();
        self.found.entry((mount, directory)).or_default().insert(name.to_vec(), found);
    }

    /// The target of a link of a mount.
    pub(crate) fn target(&self, mount: usize, link: Node) -> Option<Vec<u8>> {
        self.targets.get(&(mount, link)).cloned()
    }

    pub(crate) fn put_target(&mut self, mount: usize, link: Node, target: &[u8]) {
        if target.len() <= TARGET_MAX {
            self.count();
            self.targets.insert((mount, link), target.to_vec());
        }
    }

    fn count(&mut self) {
        if self.kept == NAMES_MAX {
            *self = Self::default();
        }
        self.kept += 1;
    }
}
