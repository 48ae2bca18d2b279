//! A tree of the free extents of a group.

use std::ops::Range;

use byteorder::{BigEndian as BE, ByteOrder};
use imsprep_ondisk::volume::xfs_space::{FreeHeader, TreeBlock};

use super::geometry::{Geometry, has_checksum};
use crate::cached::Cached;
use crate::{Error, Result};

/// Most levels of a tree.
const LEVELS_MAX: u32 = 9;
/// Bytes of an extent, and of the key of a block below, which is the first extent there.
const EXTENT: usize = 8;
/// Bytes of the place of a block below.
const PLACE: usize = 4;

/// What a tree has, once it was read.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Its own blocks, as numbers in the group.
    pub(super) nodes: Vec<u32>,
    pub(super) totals: Totals,
}

/// What two trees of the same extents have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) extents: u64,
    pub(super) blocks: u64,
    pub(super) longest: u64,
    /// Sum of a hash of each extent, whatever their order.
    pub(super) hash: u64,
}

struct Walk<'w, 'a, F> {
    disk: &'w Cached<'a>,
    geometry: &'w Geometry,
    group: u32,
    magic: [u8; 4],
    /// Most blocks that the tree may have.
    nodes_max: usize,
    tree: Tree,
    each: F,
}

impl Tree {
    /// Reads the tree by place (0) or by length (1), and hands over its extents, as blocks of the group.
    pub(super) fn read(
        disk: &Cached<'_>,
        geometry: &Geometry,
        group: u32,
        header: &FreeHeader,
        which: usize,
        each: impl FnMut(Range<u64>) -> Result<()>,
    ) -> Result<Self> {
        let root = header.roots.get(which).copied().unwrap_or_default();
        let levels = header.levels.get(which).copied().unwrap_or_default();
        if !(1..=LEVELS_MAX).contains(&levels) {
            return Err(Error::corrupt(format!("a tree of group {group} has {levels} levels")));
        }
        let nodes_max = usize::try_from(header.tree_blocks).unwrap_or(usize::MAX).saturating_add(1);
        let [version_4, version_5] = if which == 0 { TreeBlock::BY_PLACE } else { TreeBlock::BY_LENGTH };
        let magic = if geometry.uuid.is_some() { version_5 } else { version_4 };
        let mut walk = Walk { disk, geometry, group, magic, nodes_max, tree: Self::default(), each };
        walk.node(root, levels - 1, None)?;
        Ok(walk.tree)
    }
}

impl<F: FnMut(Range<u64>) -> Result<()>> Walk<'_, '_, F> {
    /// Reads a node, which has this many levels below and this first extent, if that is known.
    fn node(&mut self, number: u32, level: u32, key: Option<&[u8]>) -> Result<()> {
        let group = self.group;
        let wrong = || Error::corrupt(format!("the block {number} of group {group} is no node of its tree"));
        if u64::from(number) >= self.geometry.length_of(group) || self.tree.nodes.len() >= self.nodes_max {
            return Err(wrong());
        }
        self.tree.nodes.push(number);
        let mut bytes = vec![0; usize::try_from(self.geometry.block_size).unwrap_or_default()];
        let block = self.geometry.first_of(group).saturating_add(number.into());
        let at = block.saturating_mul(self.geometry.block_size);
        self.disk.read_once(at, &mut bytes)?;
        let header = bytes.first_chunk().map(TreeBlock::decode).ok_or_else(wrong)?;
        let is_own = self
            .geometry
            .uuid
            .is_none_or(|uuid| header.sector == at / 512 && header.uuid == uuid && header.group == group);
        if header.magic != self.magic || u32::from(header.level) != level || !is_own {
            return Err(wrong());
        }
        if self.geometry.uuid.is_some() && !has_checksum(&mut bytes, TreeBlock::CHECKSUM_OFFSET) {
            return Err(Error::corrupt(format!("the block {number} of group {group} has a wrong checksum")));
        }
        let size = if self.geometry.uuid.is_some() { TreeBlock::SIZE } else { TreeBlock::SIZE_4 };
        let rest = bytes.get(size..).ok_or_else(wrong)?;
        let entries = usize::from(header.entries);
        let extents = rest.get(..entries * EXTENT).ok_or_else(wrong)?;
        if key.is_some_and(|key| !extents.starts_with(key)) {
            return Err(wrong());
        }
        if level == 0 {
            return extents.chunks_exact(EXTENT).try_for_each(|extent| self.extent(extent));
        }
        let most = rest.len() / (EXTENT + PLACE);
        let places =
            rest.get(most * EXTENT..).and_then(|rest| rest.get(..entries * PLACE)).ok_or_else(wrong)?;
        if entries == 0 || entries > most {
            return Err(wrong());
        }
        for (key, place) in extents.chunks_exact(EXTENT).zip(places.chunks_exact(PLACE)) {
            self.node(BE::read_u32(place), level - 1, Some(key))?;
        }
        Ok(())
    }

    fn extent(&mut self, bytes: &[u8]) -> Result<()> {
        self.disk.access().spend_steps(1)?;
        let (start, length) = bytes.split_at(EXTENT / 2);
        let (start, length) = (u64::from(BE::read_u32(start)), u64::from(BE::read_u32(length)));
        let end = start.saturating_add(length);
        if length == 0 || end > self.geometry.length_of(self.group) {
            return Err(Error::corrupt(format!(
                "group {} has the blocks {start} to {end} free, of {}",
                self.group,
                self.geometry.length_of(self.group)
            )));
        }
        let totals = &mut self.tree.totals;
        totals.extents += 1;
        totals.blocks = totals.blocks.saturating_add(length);
        totals.longest = totals.longest.max(length);
        let mixed = (start << 32 | length).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        totals.hash = totals.hash.wrapping_add(mixed ^ mixed >> 29);
        (self.each)(start..end)
    }
}
