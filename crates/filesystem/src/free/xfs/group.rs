//! One allocation group.

use std::ops::Range;

use imsprep_ondisk::volume::xfs_space::{FreeHeader, FreeList};

use super::geometry::{Geometry, has_checksum};
use super::tree::Tree;
use crate::cached::Cached;
use crate::free::FreeSpace;
use crate::{Error, Result};

/// Sectors at the start of a group: the superblock, the headers of free space and inodes, and the list.
const SECTORS: u64 = 4;
/// Bytes of an entry of the list.
const ENTRY: usize = 4;

/// Adds the free extents of a group, and gives how many blocks it counts as free: with those that its trees and its list have.
pub(super) fn read(disk: &Cached<'_>, geometry: &Geometry, number: u32, free: &mut FreeSpace) -> Result<u64> {
    let header = header(disk, geometry, number)?;
    let by_place = Tree::read(disk, geometry, number, &header, 0, |extent| {
        let at =
            |block: u64| geometry.first_of(number).saturating_add(block).saturating_mul(geometry.block_size);
        free.push(at(extent.start)..at(extent.end))
    })?;
    let by_length = Tree::read(disk, geometry, number, &header, 1, |_| Ok(()))?;
    let wrong = |what: &str| Err(Error::corrupt(format!("{what} of group {number}")));
    if by_place.totals != by_length.totals {
        return wrong("the two trees of free extents differ");
    }
    if by_place.totals.blocks != u64::from(header.free_blocks) {
        return wrong("the trees have another number of free blocks than the header");
    }
    if by_place.totals.longest != u64::from(header.longest) {
        return wrong("the trees have another longest extent than the header");
    }
    let owners = if geometry.has_owners { u64::from(header.owner_blocks).saturating_sub(1) } else { 0 };
    let trees = (by_place.nodes.len() + by_length.nodes.len()) as u64;
    if trees.saturating_add(owners) != u64::from(header.tree_blocks).saturating_add(2) {
        return wrong("the trees have another number of blocks than the header counts");
    }
    let listed = list(disk, geometry, number, &header)?;
    check_held(geometry, number, free, by_place.nodes.iter().chain(&by_length.nodes).chain(&listed))?;
    let counts = [header.free_blocks, header.list_count, header.tree_blocks];
    Ok(counts.into_iter().map(u64::from).sum())
}

fn header(disk: &Cached<'_>, geometry: &Geometry, number: u32) -> Result<FreeHeader> {
    let sector = sector(disk, geometry, number, 1, FreeHeader::CHECKSUM_OFFSET)?;
    let header = sector.first_chunk().map(FreeHeader::decode);
    let header = header.filter(|header| {
        header.magic == FreeHeader::MAGIC
            && header.version == 1
            && header.number == number
            && u64::from(header.length) == geometry.length_of(number)
            && geometry.uuid.is_none_or(|uuid| uuid == header.uuid)
    });
    header.ok_or_else(|| Error::corrupt(format!("the header of group {number} is wrong")))
}

/// The blocks in the list, which are kept for trees.
fn list(disk: &Cached<'_>, geometry: &Geometry, number: u32, header: &FreeHeader) -> Result<Vec<u32>> {
    let sector = sector(disk, geometry, number, 3, FreeList::CHECKSUM_OFFSET)?;
    let wrong = || Error::corrupt(format!("the list of group {number} is wrong"));
    let start = if geometry.uuid.is_some() { FreeList::SIZE } else { 0 };
    if geometry.uuid.is_some() && !sector.starts_with(&FreeList::MAGIC) {
        return Err(wrong());
    }
    let entries: Vec<u32> = sector
        .get(start..)
        .unwrap_or_default()
        .as_chunks::<ENTRY>()
        .0
        .iter()
        .map(|entry| u32::from_be_bytes(*entry))
        .collect();
    let count = usize::try_from(header.list_count).map_err(|_| wrong())?;
    let [first, last] = header.list.map(|place| usize::try_from(place).unwrap_or(usize::MAX));
    // It goes round, and what is between its ends may be empty.
    let is_ring = first < entries.len()
        && last < entries.len()
        && (last + entries.len() - first + 1) % entries.len() == count % entries.len();
    if count > entries.len() || !is_ring {
        return Err(wrong());
    }
    Ok(entries.iter().cycle().skip(first).take(count).copied().collect())
}

/// A sector at the start of a group, with a right checksum if it has one.
fn sector(
    disk: &Cached<'_>,
    geometry: &Geometry,
    number: u32,
    which: u64,
    checksum: usize,
) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(geometry.sector_size).unwrap_or_default()];
    let start = geometry.first_of(number).saturating_mul(geometry.block_size);
    disk.read_once(start.saturating_add(which.saturating_mul(geometry.sector_size)), &mut bytes)?;
    if geometry.uuid.is_some() && !has_checksum(&mut bytes, checksum) {
        return Err(Error::corrupt(format!("sector {which} of group {number} has a wrong checksum")));
    }
    Ok(bytes)
}

/// Whether none of these blocks, nor the headers, nor the log, is free.
fn check_held<'b>(
    geometry: &Geometry,
    number: u32,
    free: &FreeSpace,
    blocks: impl Iterator<Item = &'b u32>,
) -> Result<()> {
    let overlaps = |held: &Range<u64>| {
        let next = free.ranges().partition_point(|range| range.end <= held.start);
        free.ranges().get(next).is_some_and(|range| range.start < held.end)
    };
    let start = geometry.first_of(number).saturating_mul(geometry.block_size);
    let mut held =
        vec![start..start.saturating_add(geometry.sector_size.saturating_mul(SECTORS)), geometry.log.clone()];
    for block in blocks {
        let at = start.saturating_add(u64::from(*block).saturating_mul(geometry.block_size));
        held.push(at..at.saturating_add(geometry.block_size));
    }
    match held.into_iter().find(overlaps) {
        None => Ok(()),
        Some(held) => Err(Error::corrupt(format!(
            "its trees have bytes {} to {} free, which hold the file system's own data",
            held.start, held.end
        ))),
    }
}
