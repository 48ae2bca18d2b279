//! The tree of chunks.

use std::rc::Rc;

use imsprep_ondisk::volume::btrfs_trees::{Chunk, Key, TreeRoot};

use super::chunks::{Chunks, nonsense};
use super::geometry::Geometry;
use super::tree::Trees;
use crate::{Error, Result};

/// The object of all chunks, and of all devices.
const CHUNKS_OBJECT: u64 = 256;
const DEVICES_OBJECT: u64 = 1;

/// Reads the tree of chunks, by those in the superblock.
pub(super) fn read(trees: &mut Trees<'_, '_>, geometry: &Geometry) -> Result<Chunks> {
    let mut first = Chunks::default();
    let mut rest = geometry.first_chunks.as_slice();
    while !rest.is_empty() {
        let (key, after) = rest.split_first_chunk().ok_or_else(nonsense)?;
        let key = Key::decode(key);
        let stripes = after.first_chunk().map(Chunk::decode).ok_or_else(nonsense)?.stripes;
        let length = Chunk::SIZE + Chunk::STRIPE * usize::from(stripes);
        let (chunk, after) = after.split_at_checked(length).ok_or_else(nonsense)?;
        first.add(key, chunk, geometry)?;
        rest = after;
    }
    first.sort()?;
    let first = Rc::new(first);
    trees.chunks = Rc::clone(&first);
    let [_, address] = geometry.superblock.roots;
    let [_, level] = geometry.superblock.levels;
    let root = TreeRoot { generation: geometry.superblock.chunk_generation, address, level };
    let mut chunks = Chunks::default();
    let mut devices = 0;
    trees.walk(&root, TreeRoot::CHUNKS, &mut |key, data| match (key.kind, key.object) {
        (Key::CHUNK, CHUNKS_OBJECT) => chunks.add(key, data, geometry),
        (Key::DEVICE, DEVICES_OBJECT) if key.offset == geometry.superblock.device => {
            devices += 1;
            Ok(())
        }
        _ => Err(Error::refused("its tree of chunks has something else than chunks and this device")),
    })?;
    chunks.sort()?;
    let held: u64 = chunks.stripes().iter().map(|stripe| stripe.end - stripe.start).sum();
    let [_, used] = geometry.superblock.device_bytes;
    if devices != 1 || held != used {
        return Err(Error::corrupt(format!("its device counts {used} bytes in chunks, which have {held}")));
    }
    if !first.list.iter().all(|chunk| chunks.list.contains(chunk)) {
        return Err(Error::corrupt("the chunks in its superblock are not those of its tree"));
    }
    Ok(chunks)
}
