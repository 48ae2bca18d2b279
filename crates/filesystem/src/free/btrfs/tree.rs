//! Trees: their nodes, each of which is checked.

use std::rc::Rc;

use imsprep_ondisk::volume::btrfs_trees::{Key, NodeHeader, TreeRoot};

use super::chunks::Chunks;
use super::geometry::Geometry;
use crate::cached::Cached;
use crate::crc32c;
use crate::{Error, Result};

/// Most levels below a root.
const LEVEL_MAX: u8 = 7;
/// Bytes of an item without its data: a key, and where the data is.
const ITEM: usize = Key::SIZE + 8;
/// Bytes of a pointer: a key, an address, and the number of a transaction.
const POINTER: usize = Key::SIZE + 16;

/// The trees of a volume.
pub(super) struct Trees<'t, 'a> {
    disk: &'t Cached<'a>,
    geometry: &'t Geometry,
    pub(super) chunks: Rc<Chunks>,
    /// Addresses of all nodes that were read.
    pub(super) nodes: Vec<u64>,
}

/// What is handed each item.
type Each<'e> = &'e mut dyn FnMut(Key, &[u8]) -> Result<()>;

impl<'t, 'a> Trees<'t, 'a> {
    pub(super) fn new(disk: &'t Cached<'a>, geometry: &'t Geometry) -> Self {
        Self { disk, geometry, chunks: Rc::default(), nodes: Vec::new() }
    }

    /// Where the tree of this number is.
    pub(super) fn find(&mut self, number: u64) -> Result<TreeRoot> {
        let [address, _] = self.geometry.superblock.roots;
        let [level, _] = self.geometry.superblock.levels;
        let trees = TreeRoot { generation: self.geometry.superblock.generation, address, level };
        let mut found = None;
        self.walk(&trees, TreeRoot::TREES, &mut |key, data| {
            if key.object == number && key.kind == Key::ROOT {
                found = data.first_chunk().map(TreeRoot::decode);
            }
            Ok(())
        })?;
        found.ok_or_else(|| Error::corrupt(format!("it lacks the tree {number}")))
    }

    /// Hands over all items of a tree, in order.
    pub(super) fn walk(&mut self, root: &TreeRoot, owner: u64, each: Each<'_>) -> Result<()> {
        if root.level > LEVEL_MAX {
            return Err(Error::corrupt(format!("the tree {owner} has {} levels", root.level)));
        }
        let mut walk =
            Walk { disk: self.disk, geometry: self.geometry, chunks: &self.chunks, owner, last: None };
        walk.node(root, None, &mut self.nodes, each)
    }
}

struct Walk<'w, 'a> {
    disk: &'w Cached<'a>,
    geometry: &'w Geometry,
    chunks: &'w Chunks,
    owner: u64,
    /// The key of the last item.
    last: Option<Key>,
}

impl Walk<'_, '_> {
    /// Reads a node, which has this first key, if that is known.
    fn node(&mut self, at: &TreeRoot, key: Option<Key>, nodes: &mut Vec<u64>, each: Each<'_>) -> Result<()> {
        let size = self.geometry.node_size;
        let end = at.address.saturating_add(size.into());
        let places = self.chunks.places(at.address..end)?;
        let place = places.first().ok_or_else(|| self.wrong(at))?.start;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.disk.read_once(place, &mut bytes)?;
        if nodes.last() != Some(&at.address) {
            nodes.push(at.address);
        }
        let (header, rest) = bytes.split_first_chunk().ok_or_else(|| self.wrong(at))?;
        let header = NodeHeader::decode(header);
        if crc32c::sum(bytes.get(NodeHeader::CHECKSUM..).unwrap_or_default()) != header.checksum {
            return Err(Error::corrupt(format!("the node at {} has a wrong checksum", at.address)));
        }
        let is_own = header.address == at.address
            && header.generation == at.generation
            && header.level == at.level
            && header.owner == self.owner
            && header.uuid == self.geometry.uuid;
        if !is_own {
            return Err(self.wrong(at));
        }
        let entries = usize::try_from(header.entries).map_err(|_| self.wrong(at))?;
        let entry = if at.level == 0 { ITEM } else { POINTER };
        let list =
            entries.checked_mul(entry).and_then(|length| rest.get(..length)).ok_or_else(|| self.wrong(at))?;
        let first = list.first_chunk().map(Key::decode);
        if key.is_some_and(|key| first != Some(key)) || (entries == 0 && at.level > 0) {
            return Err(self.wrong(at));
        }
        let mut before = None;
        for entry in list.chunks_exact(entry) {
            let (key, rest_of) = entry.split_first_chunk().ok_or_else(|| self.wrong(at))?;
            let key = Key::decode(key);
            if before.is_some_and(|before| before >= key) {
                return Err(self.wrong(at));
            }
            before = Some(key);
            if at.level > 0 {
                let (address, generation) = rest_of.split_at(8);
                let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
                let (address, generation) = (word(address), word(generation));
                let below = TreeRoot { address, generation, level: at.level - 1 };
                self.node(&below, Some(key), nodes, each)?;
                continue;
            }
            if self.last.is_some_and(|last| last >= key) {
                return Err(self.wrong(at));
            }
            self.last = Some(key);
            self.disk.access().spend_steps(1)?;
            let half = |bytes: &[u8]| {
                bytes.first_chunk().and_then(|half| usize::try_from(u32::from_le_bytes(*half)).ok())
            };
            let (start, length) = rest_of.split_at(4);
            let data =
                half(start).zip(half(length)).and_then(|(start, length)| rest.get(start..)?.get(..length));
            each(key, data.ok_or_else(|| self.wrong(at))?)?;
        }
        Ok(())
    }

    fn wrong(&self, at: &TreeRoot) -> Error {
        Error::corrupt(format!(
            "what is at {} is not the node of the tree {} that should be there",
            at.address, self.owner
        ))
    }
}
