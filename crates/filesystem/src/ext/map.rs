//! Where the blocks of a file are.

use byteorder::{ByteOrder, LittleEndian as LE};
use imsprep_ondisk::volume::ext::{Extent, ExtentHeader, ExtentIndex, Inode};

use super::Ext;
use crate::{Error, Result};

/// Blocks whose places are in the inode itself.
const DIRECT: u64 = 12;
/// Bytes of these.
const DIRECT_BYTES: usize = 48;

/// Neighbouring blocks of a file that lie one after the other on the volume, or are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first one on the volume; `None` if they read as zeros.
    pub(super) start: Option<u64>,
    /// How many, at least one.
    pub(super) blocks: u64,
}

impl Run {
    fn hole(blocks: u64) -> Self {
        Self { start: None, blocks: blocks.max(1) }
    }
}

impl Ext<'_> {
    /// The run that a block of a file begins.
    pub(super) fn run(&self, inode: &Inode, block: u64) -> Result<Run> {
        if inode.flags & Inode::EXTENTS != 0 { self.extent(inode, block) } else { self.pointer(inode, block) }
    }

    fn extent(&self, inode: &Inode, block: u64) -> Result<Run> {
        let mut node = inode.blocks.to_vec();
        // What follows the block and is known of: up to there is a hole, if the block is in one.
        let mut end = u64::from(u32::MAX) + 1;
        let mut depth = None;
        loop {
            let (header, entries) = split(&node)?;
            if header.depth > ExtentHeader::DEPTH_MAX || depth.is_some_and(|depth: u16| header.depth != depth)
            {
                return Err(Error::corrupt("its tree of extents has a wrong depth"));
            }
            if header.depth == 0 {
                return Ok(run_of(entries, block, end));
            }
            let indexes = entries.iter().map(ExtentIndex::decode);
            let mut below = None;
            for index in indexes {
                if u64::from(index.first) > block {
                    end = end.min(index.first.into());
                    break;
                }
                below = Some(index.node);
            }
            let Some(below) = below else { return Ok(Run::hole(end.saturating_sub(block))) };
            node.resize(usize::try_from(self.geometry.block_size).unwrap_or_default(), 0);
            self.disk.read(self.place_of(below)?, &mut node)?;
            depth = Some(header.depth - 1);
        }
    }

    /// As ext2 and ext3 have it: 12 places in the inode, and one each of a block of places, of places of those, and of places
    /// of these.
    fn pointer(&self, inode: &Inode, block: u64) -> Result<Run> {
        if block < DIRECT {
            let direct = inode.blocks.get(..DIRECT_BYTES).unwrap_or_default();
            return Ok(run_of_pointers(direct, block));
        }
        let per_block = self.geometry.block_size / 4;
        let mut index = block - DIRECT;
        let mut covered = per_block;
        for level in 0..3 {
            if index < covered {
                let at = DIRECT_BYTES + level * 4;
                let root = inode
                    .blocks
                    .get(at..)
                    .and_then(|rest| rest.first_chunk())
                    .copied()
                    .map(u32::from_le_bytes);
                return self.below(root.unwrap_or_default(), index, covered, per_block);
            }
            index -= covered;
            covered = covered.saturating_mul(per_block);
        }
        Ok(Run::hole(u64::MAX))
    }

    /// By a block of places that covers `covered` blocks.
    fn below(&self, mut pointer: u32, mut index: u64, mut covered: u64, per_block: u64) -> Result<Run> {
        let mut node = vec![0; usize::try_from(self.geometry.block_size).unwrap_or_default()];
        loop {
            if pointer == 0 {
                return Ok(Run::hole(covered - index));
            }
            self.disk.read(self.place_of(pointer.into())?, &mut node)?;
            covered /= per_block;
            if covered <= 1 {
                return Ok(run_of_pointers(&node, index));
            }
            pointer = place(&node, index / covered);
            index %= covered;
        }
    }
}

/// The header of a node, and its entries.
fn split(node: &[u8]) -> Result<(ExtentHeader, &[[u8; Extent::SIZE]])> {
    let no_tree = || Error::corrupt("its tree of extents has a node that is none");
    let (header, rest) = node.split_first_chunk().ok_or_else(no_tree)?;
    let header = ExtentHeader::decode(header);
    let entries = rest.as_chunks().0.get(..header.entries.into());
    let entries = entries.filter(|_| header.magic == ExtentHeader::MAGIC).ok_or_else(no_tree)?;
    Ok((header, entries))
}

/// What the entries of a leaf say of a block, which is before `end`.
fn run_of(entries: &[[u8; Extent::SIZE]], block: u64, mut end: u64) -> Run {
    for extent in entries.iter().map(Extent::decode) {
        let first = u64::from(extent.first);
        if first > block {
            end = end.min(first);
            break;
        }
        let skip = block - first;
        let blocks = u64::from(extent.blocks).saturating_sub(skip);
        if blocks > 0 {
            let start = (!extent.is_unwritten).then(|| extent.start + skip);
            return Run { start, blocks };
        }
    }
    Run::hole(end.saturating_sub(block))
}

fn place(places: &[u8], index: u64) -> u32 {
    let at = usize::try_from(index).ok().and_then(|index| index.checked_mul(4));
    at.and_then(|at| places.get(at..)).filter(|rest| rest.len() >= 4).map_or(0, LE::read_u32)
}

/// The run that begins with one of these places.
fn run_of_pointers(places: &[u8], index: u64) -> Run {
    let first = place(places, index);
    let count = places.len() as u64 / 4;
    let mut blocks = 1;
    while index + blocks < count {
        let next = place(places, index + blocks);
        let follows = if first == 0 { next == 0 } else { u64::from(next) == u64::from(first) + blocks };
        if !follows {
            break;
        }
        blocks += 1;
    }
    Run { start: (first != 0).then_some(first.into()), blocks }
}
