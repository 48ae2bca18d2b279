//! The journal, replayed in memory.

use std::collections::HashMap;

use byteorder::{BigEndian as BE, ByteOrder};
use imsprep_ondisk::volume::jbd::{Header, Superblock, Tag};

use crate::cached::{Cached, Fresh};
use crate::crc32c::with_seed as checksum;
use crate::{Access, Error, Result};

/// Most blocks of a journal: 1 GiB in blocks of 4 KiB, which is what mkfs makes at most.
pub(super) const BLOCKS_MAX: u64 = 1 << 20;
/// Features that are read rightly.
const KNOWN: u32 =
    Superblock::REVOKES | Superblock::BITS_64 | Superblock::CHECKSUM_2 | Superblock::CHECKSUM_3;

/// A volume with the changes in its journal carried out, in memory.
pub(super) struct Replayed<'a> {
    disk: Cached<'a>,
    block_size: u64,
    /// Where the newest copy is of each block that has one.
    copies: HashMap<u64, Copy>,
    checksum: Option<Checksum>,
}

/// How copies are to be checked.
#[derive(Clone, Copy)]
struct Checksum {
    seed: u32,
    /// The bits of it that tags have.
    mask: u32,
}

/// A copy of a block in the journal.
#[derive(Clone, Copy)]
struct Copy {
    /// Its offset on the volume.
    at: u64,
    is_escaped: bool,
    sequence: u32,
    checksum: u32,
}

impl<'a> Replayed<'a> {
    /// A volume without changes to carry out.
    pub(super) fn clean(disk: Cached<'a>, block_size: u64) -> Self {
        Self { disk, block_size, copies: HashMap::new(), checksum: None }
    }

    pub(super) fn access(&self) -> &Access {
        self.disk.access()
    }

    /// The volume for another thread, without the changes.
    pub(super) fn fresh(&self) -> Fresh<'a> {
        self.disk.fresh()
    }

    pub(super) fn array<const N: usize>(&self, offset: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `buf` with the bytes of the volume from `offset` on, as they will be.
    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.disk.read(offset, buf)?;
        if self.copies.is_empty() {
            return Ok(());
        }
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let (number, skip) = (at / self.block_size, at % self.block_size);
            let there = usize::try_from(self.block_size - skip).unwrap_or(usize::MAX);
            let (part, after) = rest.split_at_mut(there.min(rest.len()));
            if let Some(copy) = self.copies.get(&number) {
                let block = self.block(copy)?;
                let skip = usize::try_from(skip).unwrap_or_default();
                let bytes = block.get(skip..).and_then(|rest| rest.get(..part.len()));
                part.copy_from_slice(bytes.ok_or_else(|| Error::corrupt("a block is cut off"))?);
            }
            at += part.len() as u64;
            rest = after;
        }
        Ok(())
    }

    /// The block that a copy is of.
    fn block(&self, copy: &Copy) -> Result<Vec<u8>> {
        let mut block = vec![0; usize::try_from(self.block_size).unwrap_or_default()];
        self.disk.read(copy.at, &mut block)?;
        if let Some(Checksum { seed, mask }) = self.checksum {
            let sum = checksum(checksum(seed, &copy.sequence.to_be_bytes()), &block);
            if sum & mask != copy.checksum & mask {
                return Err(Error::corrupt("a block in the journal has a wrong checksum"));
            }
        }
        if copy.is_escaped
            && let Some(start) = block.first_chunk_mut()
        {
            *start = Header::MAGIC.to_be_bytes();
        }
        Ok(block)
    }

    /// Finds what the journal, whose blocks are at these places, has to carry out.
    pub(super) fn replay(&mut self, places: &[u64]) -> Result<()> {
        let first = places.first().ok_or_else(|| Error::corrupt("the journal is empty"))?;
        let superblock = Superblock::decode(&self.disk.array(first * self.block_size)?);
        let is_journal = superblock.header.magic == Header::MAGIC
            && matches!(superblock.header.kind, Header::SUPERBLOCK_1 | Header::SUPERBLOCK_2)
            && u64::from(superblock.block_size) == self.block_size
            && u64::from(superblock.blocks) <= places.len() as u64
            && superblock.first > 0
            && superblock.first < superblock.blocks;
        if !is_journal {
            return Err(Error::corrupt("the journal has no superblock"));
        }
        if superblock.start == 0 {
            return Ok(());
        }
        if superblock.incompatible & Superblock::FAST_COMMIT != 0 {
            return Err(Error::refused("its journal, which is not empty, has fast commits"));
        }
        let unknown = superblock.incompatible & !KNOWN;
        if unknown != 0 {
            return Err(Error::refused(format!(
                "its journal, which is not empty, uses features that are not supported: {unknown:#x}"
            )));
        }
        if superblock.start < superblock.first || superblock.start >= superblock.blocks {
            return Err(Error::corrupt("the journal begins outside of itself"));
        }
        let mask = match superblock.incompatible {
            bits if bits & Superblock::CHECKSUM_3 != 0 => Some(u32::MAX),
            bits if bits & Superblock::CHECKSUM_2 != 0 => Some(0xffff),
            _ => None,
        };
        let checksum = mask.map(|mask| Checksum { seed: checksum(!0, &superblock.uuid), mask });
        let log = Log { disk: &self.disk, block_size: self.block_size, places, superblock, checksum };
        self.copies = log.committed()?;
        self.checksum = checksum;
        Ok(())
    }
}

/// A journal that is being read.
struct Log<'l> {
    disk: &'l Cached<'l>,
    block_size: u64,
    places: &'l [u64],
    superblock: Superblock,
    checksum: Option<Checksum>,
}

/// What a transaction holds that has not ended.
#[derive(Default)]
struct Transaction {
    copies: Vec<(u64, Copy)>,
    revoked: Vec<u64>,
}

impl Log<'_> {
    /// The newest copies of all transactions that ended.
    fn committed(&self) -> Result<HashMap<u64, Copy>> {
        let mut copies: Vec<(u64, Copy)> = Vec::new();
        let mut revoked: HashMap<u64, u32> = HashMap::new();
        let mut current = Transaction::default();
        let mut sequence = self.superblock.sequence;
        let mut number = self.superblock.start;
        // Each block is read once; a log that goes round in a circle ends here.
        let mut left = self.superblock.blocks;
        let mut block = vec![0; usize::try_from(self.block_size).unwrap_or_default()];
        while left > 0 {
            self.disk.read(self.at(number)?, &mut block)?;
            let Some(header) = block.first_chunk().map(Header::decode) else { break };
            if header.magic != Header::MAGIC || header.sequence != sequence {
                break;
            }
            (number, left) = (self.after(number, 1), left - 1);
            match header.kind {
                Header::DESCRIPTOR => {
                    if !self.has_tail(&block) {
                        break;
                    }
                    for tag in self.tags(&block)? {
                        let copy = Copy {
                            at: self.at(number)?,
                            is_escaped: tag.flags & Tag::ESCAPED != 0,
                            sequence,
                            checksum: tag.checksum,
                        };
                        current.copies.push((tag.block, copy));
                        (number, left) = (self.after(number, 1), left.saturating_sub(1));
                    }
                }
                Header::REVOKE => {
                    if !self.has_tail(&block) {
                        break;
                    }
                    current.revoked.extend(self.revoked(&block)?);
                }
                Header::COMMIT => {
                    if !self.is_committed(&mut block) {
                        break;
                    }
                    let ended = std::mem::take(&mut current);
                    copies.extend(ended.copies);
                    revoked.extend(ended.revoked.into_iter().map(|block| (block, sequence)));
                    sequence = sequence.wrapping_add(1);
                }
                _ => break,
            }
        }
        // Numbers go round: how far one is from the first shows which is later.
        let age = |sequence: u32| sequence.wrapping_sub(self.superblock.sequence);
        let is_revoked = |block: &u64, copy: &Copy| {
            revoked.get(block).is_some_and(|until| age(copy.sequence) <= age(*until))
        };
        Ok(copies.into_iter().filter(|(block, copy)| !is_revoked(block, copy)).collect())
    }

    /// Where a block of the journal is on the volume.
    fn at(&self, number: u32) -> Result<u64> {
        let place = usize::try_from(number).ok().and_then(|number| self.places.get(number));
        place.map(|place| place * self.block_size).ok_or_else(|| Error::corrupt("the journal leaves itself"))
    }

    /// The block `count` after this one, where the last is followed by the first.
    fn after(&self, number: u32, count: u32) -> u32 {
        let next = number.saturating_add(count);
        if next >= self.superblock.blocks { self.superblock.first } else { next }
    }

    fn tags(&self, block: &[u8]) -> Result<Vec<Tag>> {
        let size = Tag::size(self.superblock.incompatible);
        let mut tags = Vec::new();
        let mut rest = block.get(Header::SIZE..block.len() - self.tail()).unwrap_or_default();
        loop {
            let Some((tag, after)) = rest.split_at_checked(size) else {
                // Without a last one the block is full of them.
                return Ok(tags);
            };
            let mut bytes = [0; Tag::SIZE_MAX];
            bytes.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
            let tag = Tag::decode(&bytes, self.superblock.incompatible);
            tags.push(tag);
            if tag.flags & Tag::LAST != 0 {
                return Ok(tags);
            }
            let uuid = if tag.flags & Tag::SAME_UUID == 0 { Tag::UUID } else { 0 };
            rest =
                after.get(uuid..).ok_or_else(|| Error::corrupt("the journal has a tag that is cut off"))?;
        }
    }

    fn revoked(&self, block: &[u8]) -> Result<Vec<u64>> {
        let broken = || Error::corrupt("the journal has a list that leaves its block");
        let count = block.get(Header::REVOKE_COUNT..).and_then(|rest| rest.first_chunk());
        let end = count.map(|count| u32::from_be_bytes(*count)).and_then(|end| usize::try_from(end).ok());
        let list = block.get(Header::REVOKE_LIST..end.ok_or_else(broken)?).ok_or_else(broken)?;
        if self.superblock.incompatible & Superblock::BITS_64 != 0 {
            return Ok(list
                .as_chunks()
                .0
                .iter()
                .map(|number: &[u8; 8]| u64::from_be_bytes(*number))
                .collect());
        }
        Ok(list.as_chunks().0.iter().map(|number: &[u8; 4]| u32::from_be_bytes(*number).into()).collect())
    }

    /// Bytes of the checksum at the end of a block.
    fn tail(&self) -> usize {
        if self.checksum.is_some() { 4 } else { 0 }
    }

    /// Whether the checksum at the end of a block is right, if there is one.
    fn has_tail(&self, block: &[u8]) -> bool {
        let Some(Checksum { seed, .. }) = self.checksum else { return true };
        let Some((bytes, sum)) = block.split_last_chunk::<4>() else { return false };
        checksum(checksum(seed, bytes), &[0; 4]) == u32::from_be_bytes(*sum)
    }

    /// Whether the block that ends a transaction has the right checksum, if any.
    fn is_committed(&self, block: &mut [u8]) -> bool {
        let Some(Checksum { seed, .. }) = self.checksum else { return true };
        let Some(place) = block.get_mut(Header::COMMIT_CHECKSUM..Header::COMMIT_CHECKSUM + 4) else {
            return false;
        };
        let sum = BE::read_u32(place);
        place.fill(0);
        checksum(seed, block) == sum
    }
}
