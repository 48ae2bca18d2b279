//! The groups: their descriptors, and where the file system's own data lies in them.

use std::ops::Range;

use crc::{CRC_16_MODBUS, Crc};
use imsprep_ondisk::disk::ExtSuperblock as Basic;
use imsprep_ondisk::volume::ext_space::SpaceDescriptor;

use super::blocks::Blocks;
use super::geometry::{Checksums, Geometry};
use crate::cached::Cached;
use crate::crc32c::with_seed;
use crate::{Error, Result};

static CRC_16: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);

/// What a descriptor says, checked.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) block_bitmap: u64,
    /// Whether the bitmap was ever written.
    pub(super) has_bitmap: bool,
    pub(super) bitmap_checksum: u32,
    pub(super) free_clusters: u64,
}

impl Group {
    /// Holds the bitmap of this group against its checksum, if it has one.
    pub(super) fn check_bitmap(&self, geometry: &Geometry, number: u64, bitmap: &[u8]) -> Result<()> {
        let Checksums::All(seed) = geometry.checksums else { return Ok(()) };
        let length = usize::try_from(geometry.blocks_per_group / geometry.ratio / 8).unwrap_or(usize::MAX);
        let sum = bitmap.get(..length).map(|bitmap| with_seed(seed, bitmap));
        let mask = if geometry.descriptor_size < SpaceDescriptor::SIZE { 0xffff } else { u32::MAX };
        if sum.is_none_or(|sum| sum & mask != self.bitmap_checksum) {
            return Err(Error::corrupt(format!("the bitmap of group {number} has a wrong checksum")));
        }
        Ok(())
    }
}

/// All groups.
pub(super) struct Groups {
    pub(super) list: Vec<Group>,
    /// Blocks of superblocks, descriptors, bitmaps and tables of inodes, ascending. No two of these are in the same place.
    pub(super) metadata: Vec<Range<u64>>,
}

impl Groups {
    pub(super) fn read(disk: &Cached<'_>, geometry: &Geometry) -> Result<Self> {
        let places =
            (0..geometry.descriptor_blocks()).map(|number| descriptors_at(geometry, number)).collect();
        let mut blocks = Blocks::new(disk, geometry.block_size, places);
        let mut groups = Self { list: Vec::new(), metadata: Vec::new() };
        let mut number = 0;
        while number < geometry.groups {
            for bytes in blocks.next()?.chunks_exact(geometry.descriptor_size) {
                if number < geometry.groups {
                    groups.add(geometry, number, bytes)?;
                    number += 1;
                }
            }
        }
        groups.sort()?;
        Ok(groups)
    }

    fn add(&mut self, geometry: &Geometry, number: u64, bytes: &[u8]) -> Result<()> {
        check_descriptor(geometry, number, bytes)?;
        let mut whole = [0; SpaceDescriptor::SIZE];
        whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let descriptor = SpaceDescriptor::decode(&whole);
        let wide = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
        let narrow = |[low, high]: [u16; 2]| u32::from(high) << 16 | u32::from(low);
        let has_checksum = !matches!(geometry.checksums, Checksums::None);
        let group = Group {
            block_bitmap: wide(descriptor.block_bitmap),
            // Without checksums the flag has no meaning.
            has_bitmap: !has_checksum || descriptor.flags & SpaceDescriptor::NO_BLOCK_BITMAP == 0,
            bitmap_checksum: narrow(descriptor.block_bitmap_checksum),
            free_clusters: narrow(descriptor.free_clusters).into(),
        };
        for (start, length) in [
            (group.block_bitmap, 1),
            (wide(descriptor.inode_bitmap), 1),
            (wide(descriptor.inode_table), geometry.table_blocks),
        ] {
            self.keep(geometry, number, start..start.saturating_add(length))?;
        }
        let copies = copies_in(geometry, number);
        if !copies.is_empty() {
            self.keep(geometry, number, copies)?;
        }
        self.list.push(group);
        Ok(())
    }

    fn keep(&mut self, geometry: &Geometry, number: u64, blocks: Range<u64>) -> Result<()> {
        if blocks.start < geometry.first || blocks.end > geometry.blocks {
            return Err(Error::corrupt(format!(
                "group {number} has its own data in the blocks {} to {}, of {}",
                blocks.start, blocks.end, geometry.blocks
            )));
        }
        self.metadata.push(blocks);
        Ok(())
    }

    fn sort(&mut self) -> Result<()> {
        self.metadata.sort_unstable_by_key(|blocks| blocks.start);
        for pair in self.metadata.windows(2) {
            if let [one, other] = pair
                && one.end > other.start
            {
                return Err(Error::corrupt(format!("the block {} is used for two purposes", other.start)));
            }
        }
        Ok(())
    }
}

/// The block that holds a block of descriptors.
fn descriptors_at(geometry: &Geometry, number: u64) -> u64 {
    let basic = &geometry.superblock.basic;
    if !geometry.has_meta_groups() || number < u64::from(geometry.superblock.first_meta_group) {
        return Basic::OFFSET / geometry.block_size + 1 + number;
    }
    let group = number.saturating_mul(geometry.descriptors_per_block());
    // Blocks of 1 KiB leave the first one to boot code, whatever the number of the first that counts.
    let is_behind_boot = geometry.block_size == 1024 && number == 0 && basic.first_data_block == 0;
    geometry
        .first_of(group)
        .saturating_add(u64::from(geometry.superblock.has_copy(group)) + u64::from(is_behind_boot))
}

/// The blocks at the start of a group that hold a copy of the superblock and of descriptors, or are kept for more of them.
fn copies_in(geometry: &Geometry, group: u64) -> Range<u64> {
    let has_copy = geometry.superblock.has_copy(group);
    let start = geometry.first_of(group);
    // The block before the superblock holds boot code, where it is not the superblock's own.
    let boot = u64::from(group == 0 && geometry.block_size == 1024 && geometry.first == 0);
    let per_block = geometry.descriptors_per_block();
    let number = group / per_block;
    let first_meta = u64::from(geometry.superblock.first_meta_group);
    let blocks = if !geometry.has_meta_groups() || number < first_meta {
        let shared = if geometry.has_meta_groups() { first_meta } else { geometry.descriptor_blocks() };
        if has_copy { 1 + shared + geometry.reserved_descriptor_blocks } else { 0 }
    } else {
        let place = group % per_block;
        u64::from(has_copy) + u64::from(place <= 1 || place == per_block - 1)
    };
    start..start.saturating_add(if blocks > 0 { boot + blocks } else { 0 })
}

/// Holds a descriptor against its checksum, if it has one.
fn check_descriptor(geometry: &Geometry, number: u64, bytes: &[u8]) -> Result<()> {
    let group = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let at = SpaceDescriptor::CHECKSUM_OFFSET;
    let before = bytes.get(..at).unwrap_or_default();
    let sum = bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|sum| u16::from_le_bytes(*sum));
    let after = bytes.get(at + 2..).unwrap_or_default();
    let expected = match geometry.checksums {
        Checksums::None => return Ok(()),
        Checksums::Descriptors => {
            let mut digest = CRC_16.digest();
            for part in [geometry.superblock.uuid.as_slice(), &group, before, after] {
                digest.update(part);
            }
            digest.finalize()
        }
        Checksums::All(seed) => {
            let parts = [group.as_slice(), before, &[0; 2], after];
            let sum = parts.into_iter().fold(seed, with_seed);
            u16::try_from(sum & 0xffff).unwrap_or_default()
        }
    };
    if sum != Some(expected) {
        return Err(Error::corrupt(format!("the descriptor of group {number} has a wrong checksum")));
    }
    Ok(())
}
