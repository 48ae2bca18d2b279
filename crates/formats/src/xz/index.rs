//! Where the blocks of an xz stream are.
//!
//! Source: The .xz File Format 1.2.1, 2.1 and 4.

use imsprep_ondisk::format::container::{XZ_ENDS, XZ_FOOTER_MAGIC, XZ_MAGIC, XzFooter, take_xz_number};
use imsprep_source::{ReadAt, ReadAtExt, Result};

/// Bytes of an index that is read: of one of a disk of 1 TiB in blocks of 8 MiB.
const INDEX_MAX: u64 = 2 << 20;
/// Bytes at the end of a file in which a footer is looked for.
const TAIL: usize = 64 << 10;
/// Bytes of the header of a stream.
const HEADER: usize = XzFooter::SIZE;
/// Bytes of a block's header and data at least.
const UNPADDED_MIN: u64 = 5;
/// Blocks and the index consist of units of this many bytes.
const UNIT: u64 = 4;

/// A file that is one xz stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OneStream {
    /// Its header.
    pub(super) header: [u8; HEADER],
    /// Its blocks, one after the other behind the header.
    pub(super) blocks: Vec<Block>,
}

/// A block of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where in the file it begins.
    pub(super) start: u64,
    /// Its bytes without the padding.
    pub(super) unpadded: u64,
    /// Bytes of its content.
    pub(super) content: u64,
}

impl Block {
    /// Its bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.unpadded.next_multiple_of(UNIT)
    }

    /// What follows if it is the only block of a stream that has a header with these flags: index and footer.
    pub(super) fn tail(&self, flags: [u8; 2]) -> Vec<u8> {
        let mut index = vec![0, 1];
        put_number(&mut index, self.unpadded);
        put_number(&mut index, self.content);
        index.resize(index.len().next_multiple_of(4), 0);
        index.extend(crc32fast::hash(&index).to_le_bytes());
        let backward_size = u32::try_from(index.len() / 4 - 1).unwrap_or(u32::MAX);
        let sealed = [&backward_size.to_le_bytes()[..], &flags].concat();
        [&index[..], &crc32fast::hash(&sealed).to_le_bytes(), &sealed, &XZ_FOOTER_MAGIC].concat()
    }
}

/// The blocks of the file if it is one sound stream, as far as header, index and footer show, and nothing else; else `None`.
pub(super) fn read(file: &dyn ReadAt) -> Result<Option<OneStream>> {
    let Some(footer_at) = file.size().checked_sub(XZ_ENDS) else { return Ok(None) };
    let header = file.read_array::<HEADER>(0)?;
    let bytes = file.read_array::<{ XzFooter::SIZE }>(footer_at)?;
    let footer = XzFooter::decode(&bytes);
    let size = footer.index_size();
    let Some(index_at) = footer_at.checked_sub(size).filter(|at| *at >= XZ_ENDS && size <= INDEX_MAX) else {
        return Ok(None);
    };
    let is_sound = header.starts_with(&XZ_MAGIC) && header[6..8] == footer.flags && is_footer(&bytes);
    if !is_sound {
        return Ok(None);
    }
    let mut index = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_at(&mut index, index_at)?;
    let blocks = blocks(&index).filter(|blocks| {
        blocks.last().and_then(|last| last.start.checked_add(last.length())) == Some(index_at)
    });
    Ok(blocks.map(|blocks| OneStream { header, blocks }))
}

/// Whether the file ends in the footer of a stream, and in padding behind it.
pub(super) fn ends_in_footer(file: &dyn ReadAt) -> Result<bool> {
    let mut tail = vec![0; usize::try_from(file.size()).unwrap_or(TAIL).min(TAIL)];
    let start = file.size() - tail.len() as u64;
    file.read_at(&mut tail, start)?;
    while let Some(rest) = tail.strip_suffix(&[0; 4]) {
        tail.truncate(rest.len());
    }
    let footer = tail.last_chunk::<{ XzFooter::SIZE }>();
    Ok(footer.is_some_and(is_footer))
}

fn is_footer(bytes: &[u8; XzFooter::SIZE]) -> bool {
    let footer = XzFooter::decode(bytes);
    footer.magic == XZ_FOOTER_MAGIC && footer.checksum == crc32fast::hash(&bytes[4..10])
}

/// The blocks that an index lists.
fn blocks(index: &[u8]) -> Option<Vec<Block>> {
    let (listed, checksum) = index.split_last_chunk::<4>()?;
    if crc32fast::hash(listed) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut rest = listed.strip_prefix(&[0])?;
    let count = take_xz_number(&mut rest)?;
    // Each takes two bytes at least.
    let mut blocks =
        Vec::with_capacity(usize::try_from(count).ok().filter(|count| *count <= rest.len() / 2)?);
    let mut start = XZ_ENDS;
    for _ in 0..count {
        let (unpadded, content) = (take_xz_number(&mut rest)?, take_xz_number(&mut rest)?);
        let length = unpadded.checked_next_multiple_of(UNIT).filter(|_| unpadded >= UNPADDED_MIN)?;
        blocks.push(Block { start, unpadded, content });
        start = start.checked_add(length)?;
    }
    (rest.len() < 4 && rest.iter().all(|byte| *byte == 0)).then_some(blocks)
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}
