//! Looking for records without help of an index: from HEAD on, one after the other, and on again after damage.

use imsprep_ondisk::zvhd2::{self as disk, Footer, RecordHeader};
use imsprep_source::{ReadAt, ReadAtExt};

use crate::bitmap::MAX_RECORDS;
use crate::contents::{BLOCK, Place};
use crate::expand::Expander;
use crate::footer::{Method, Placed};
use crate::record::{self, POSTFIX};
use crate::{Error, expand};

/// The prefix without the zero that ends it, which some writer forgot.
const PREFIX: &[u8] = b"hwstream bg";

/// Something that begins as a record does and has a size that a record may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) place: Place,
    /// It has no postfix where it should end, so it was expanded at once, and holds one block.
    pub(crate) proven: bool,
}

/// What was found from HEAD on.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// By offset; they do not overlap.
    pub(crate) candidates: Vec<Candidate>,
    /// The footer that says that the records are over.
    pub(crate) mid: Option<Placed>,
    /// Stretches between HEAD and the last record, or MID, in which there is none.
    pub(crate) gaps: Vec<(u64, u64)>,
    /// Where a record begins that the file ends in, and its block.
    pub(crate) cut: Option<(u64, u32)>,
    /// How payloads are compressed: as was said, or as the first record's looks.
    pub(crate) method: Option<Method>,
}

/// Whether it is a MID that nobody altered but for its count, which the reference sets after it made the checksum.
pub(crate) fn is_mid(placed: &Placed) -> bool {
    let f = &placed.footer;
    let mut unset = f.clone();
    unset.non_zero_blk_num = 0;
    let checksum = disk::checksum(&unset.encode());
    let sealed = checksum == f.checksum || placed.checksum_ok();
    f.is_v2() && sealed && f.index_lba == 0 && f.bitmap_lba == 0
}

/// Walks over the file. `advance` is told of the bytes passed over, and stops the walk by its error.
pub(crate) fn walk(
    source: &dyn ReadAt,
    method: Option<Method>,
    mut advance: impl FnMut(u64) -> Result<(), Error>,
) -> Result<Walk, Error> {
    let mut walk = Walk { method, ..Walk::default() };
    // A file of nothing but false beginnings must not be read a thousand times over.
    let mut trial = Trial { buffer: Vec::new(), block: Vec::new(), budget: source.size() };
    let (mut at, mut gap) = (disk::ALIGN, None);
    let header_size = RecordHeader::SIZE as u64;
    while at.checked_add(header_size).is_some_and(|end| end <= source.size()) {
        let bytes = source.read_array::<{ RecordHeader::SIZE }>(at)?;
        let header = RecordHeader::decode(&bytes);
        let begins = header.prefix.starts_with(PREFIX) && record::is_possible(header.size, BLOCK);
        if begins && walk.candidates.len() < MAX_RECORDS {
            if walk.method.is_none() {
                walk.method = Some(sniff(source, at + header_size)?);
            }
            if let Some((candidate, end)) = walk.look(source, at, &header, &mut trial)? {
                walk.gaps.extend(gap.take().map(|from| (from, at)));
                walk.candidates.push(candidate);
                advance(end.min(source.size()) - at)?;
                at = end;
                continue;
            }
        } else if bytes.starts_with(&disk::COOKIE[..disk::COOKIE_COMPARED])
            && source.size() - at >= Footer::SIZE as u64
        {
            let placed = Placed::read(source, "MID", at)?;
            if is_mid(&placed) {
                walk.gaps.extend(gap.take().map(|from| (from, at)));
                walk.mid = Some(placed);
                break;
            }
        }
        gap.get_or_insert(at);
        advance(disk::ALIGN.min(source.size() - at))?;
        at += disk::ALIGN;
    }
    Ok(walk)
}

impl Walk {
    /// The record that begins at `at`, and where it ends; `None` if there is none after all.
    fn look(
        &mut self,
        source: &dyn ReadAt,
        at: u64,
        header: &RecordHeader,
        trial: &mut Trial,
    ) -> Result<Option<(Candidate, u64)>, Error> {
        let length = header.record_length();
        let end = at.saturating_add(length);
        let size = source.size();
        // What is there of it: a payload may be whole although the file ends before the postfix.
        let length = u32::try_from(end.min(size) - at).unwrap_or(u32::MAX);
        let place = Place { block: header.curr_blk, length, offset: at };
        if end <= size && source.read_array(end - POSTFIX as u64)? == disk::RECORD_POSTFIX {
            return Ok(Some((Candidate { place, proven: false }, end)));
        }
        let payload_end = at + RecordHeader::SIZE as u64 + u64::from(header.size);
        if payload_end <= size && trial.holds_a_block(source, &place, header.size, self.method)? {
            return Ok(Some((Candidate { place, proven: true }, end)));
        }
        if end > size {
            self.cut = Some((at, header.curr_blk));
        }
        Ok(None)
    }
}

/// Expanding on suspicion.
struct Trial {
    buffer: Vec<u8>,
    block: Vec<u8>,
    /// Bytes that may still be read in vain.
    budget: u64,
}

impl Trial {
    fn holds_a_block(
        &mut self,
        source: &dyn ReadAt,
        place: &Place,
        size: u32,
        method: Option<Method>,
    ) -> Result<bool, Error> {
        let (Some(method), Some(left)) = (method, self.budget.checked_sub(size.into())) else {
            return Ok(false);
        };
        let block_size = usize::try_from(BLOCK).unwrap_or(0);
        self.buffer.resize(usize::try_from(size).unwrap_or(0), 0);
        self.block.resize(block_size, 0);
        source.read_at(&mut self.buffer, place.offset + RecordHeader::SIZE as u64)?;
        let holds = Expander::new(method, block_size).expand(&self.buffer, &mut self.block).is_ok();
        if !holds {
            self.budget = left;
        }
        Ok(holds)
    }
}

/// By which method a payload seems to be compressed.
fn sniff(source: &dyn ReadAt, offset: u64) -> Result<Method, Error> {
    let mut first = [0; 1];
    if offset < source.size() {
        source.read_at(&mut first, offset)?;
    }
    // The first byte of a zlib stream with a window of 32 KiB (RFC 1950, 2.2); no zstd frame begins so.
    Ok(if first == [expand::ZLIB_LEVEL_1[0]] { Method::Zlib } else { Method::Zstd })
}
