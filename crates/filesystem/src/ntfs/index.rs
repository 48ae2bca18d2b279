//! Directories: trees of names.

use std::collections::HashSet;
use std::ops::ControlFlow;

use imsprep_ondisk::volume::ntfs::{
    Attribute, DIRECTORY_NAME, INDEX_BLOCK_HEADER, INDEX_BLOCK_SIZE_OFFSET, INDEX_HAS_BLOCK,
    INDEX_NAME_SPACE_OFFSET, INDEX_ROOT_HEADER, IndexEntry, IndexHeader, RecordHeader,
};
use imsprep_ondisk::volume::ntfs_record::restore;

use super::stream::Stream;
use super::{NtfsVolume, text};
use crate::{Error, FileKind, Result};

/// Most bytes of the part of an index that is in a record.
const ROOT_MAX: u64 = 64 << 10;
/// Sizes of a block of an index.
const BLOCK_SIZES: std::ops::RangeInclusive<u64> = 512..=64 << 10;

fn broken() -> Error {
    Error::corrupt("a directory makes no sense")
}

/// What is done with each name: by record, kind of name, and name.
type Each<'e> = dyn FnMut(u64, u8, &str) -> ControlFlow<()> + 'e;

impl NtfsVolume<'_> {
    /// Hands over the names in a directory, the short ones among them.
    pub(super) fn each_name(&self, directory: crate::Node, each: &mut Each<'_>) -> Result<()> {
        let record = self.record(directory.number)?;
        let kind = self.kind(&record)?;
        if kind != FileKind::Directory {
            return Err(kind.is_not("a directory"));
        }
        let root = self.stream(&record, Attribute::INDEX_ROOT, &DIRECTORY_NAME)?.ok_or_else(broken)?;
        if root.size > ROOT_MAX {
            return Err(broken());
        }
        let mut bytes = vec![0; usize::try_from(root.size).unwrap_or_default()];
        self.read_stream(&root, 0, &mut bytes)?;
        let size = bytes.get(INDEX_BLOCK_SIZE_OFFSET..).and_then(|rest| rest.first_chunk());
        let size = size.map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
        if !size.is_power_of_two() || !BLOCK_SIZES.contains(&size) {
            return Err(broken());
        }
        let mut pending = Vec::new();
        if self.each_in(&bytes, INDEX_ROOT_HEADER, &mut pending, each)?.is_break() || pending.is_empty() {
            return Ok(());
        }
        let blocks =
            self.stream(&record, Attribute::INDEX_ALLOCATION, &DIRECTORY_NAME)?.ok_or_else(broken)?;
        let mut seen = HashSet::new();
        while let Some(number) = pending.pop() {
            if !seen.insert(number) {
                return Err(Error::corrupt("the tree of a directory leads in a circle"));
            }
            let block = self.block(&blocks, number, size)?;
            if self.each_in(&block, INDEX_BLOCK_HEADER, &mut pending, each)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A block of an index. Blocks are counted in clusters, or in sectors where a cluster is larger than a block.
    fn block(&self, blocks: &Stream, number: u64, size: u64) -> Result<Vec<u8>> {
        /// Bytes of a sector as blocks are counted in.
        const SECTOR: u64 = 512;

        let unit = if self.geometry.cluster <= size { self.geometry.cluster } else { SECTOR };
        let at = number.checked_mul(unit).ok_or_else(broken)?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let read = self.read_stream(blocks, at, &mut bytes)?;
        let block = Some(bytes).filter(|bytes| read == bytes.len());
        block.and_then(|bytes| restore(bytes, RecordHeader::INDEX)).ok_or_else(broken)
    }

    /// Hands over the names of the list whose header is at `header_at`, and notes the blocks below.
    fn each_in(
        &self,
        index: &[u8],
        header_at: usize,
        pending: &mut Vec<u64>,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>> {
        let list = index.get(header_at..).unwrap_or_default();
        let header = list.first_chunk().map(IndexHeader::decode).ok_or_else(broken)?;
        let (start, end) = (usize::try_from(header.entries), usize::try_from(header.end));
        let (Ok(start), Ok(end)) = (start, end) else { return Err(broken()) };
        let mut rest = list.get(start..end).ok_or_else(broken)?;
        loop {
            self.disk.access().spend_steps(1)?;
            // The last entry has no name, and is shorter than what is decoded.
            let mut head = [0; IndexEntry::SIZE];
            head.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            let entry = IndexEntry::decode(&head);
            let length = usize::from(entry.length);
            let bytes =
                rest.get(..length).filter(|_| length >= IndexEntry::SIZE_WITHOUT_NAME).ok_or_else(broken)?;
            if entry.flags & INDEX_HAS_BLOCK != 0 {
                pending.push(u64::from_le_bytes(*bytes.last_chunk().ok_or_else(broken)?));
            }
            if entry.flags & IndexEntry::LAST != 0 {
                return Ok(ControlFlow::Continue(()));
            }
            let name =
                bytes.get(IndexEntry::SIZE..).and_then(|rest| rest.get(..2 * usize::from(entry.name_length)));
            let name = text(name.ok_or_else(broken)?);
            let space = bytes.get(INDEX_NAME_SPACE_OFFSET).copied().unwrap_or_default();
            if each(entry.record, space, &name).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}
