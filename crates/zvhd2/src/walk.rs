//! Looking for records without help of an index: from HEAD on, one after the other, and on again after damage, wherever the
//! next one begins.

use imsprep_ondisk::format::zvhd2::{self as disk, Footer, RecordHeader};
use imsprep_source::{DiskReader, ReadAt, ReadAtExt};

use crate::bitmap::MAX_RECORDS;
use crate::expand::Expander;
use crate::footer::{Method, Placed};
use crate::guard::{Guard, guard};
use crate::index::{BLOCK, RecordLocation};
use crate::record::{self, POSTFIX};
use crate::scanner::{PREFIX, Scanner};
use crate::{Error, expand};

/// What was found from HEAD on.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// By offset; they do not overlap. Each begins as a record does and has a size that a record may have; and it ends as
    /// one, or something else shows that it is whole.
    pub(crate) candidates: Vec<RecordLocation>,
    /// Records that would be taken, had they an end marker: nothing else shows that their data is whole.
    pub(crate) unmarked: Vec<RecordLocation>,
    /// The footer that says that the records are over.
    pub(crate) mid: Option<Placed>,
    /// Stretches between HEAD and the last record, or MID, in which there is none.
    pub(crate) gaps: Vec<(u64, u64)>,
    /// Where a record begins that the file ends in, and its block.
    pub(crate) cut: Option<(u64, u32)>,
    /// How payloads are compressed: as was said, or as the first record's looks.
    pub(crate) method: Option<Method>,
}

/// Whether it is a MID that was not altered except for its count, which the reference sets after it made the checksum.
pub(crate) fn is_mid(placed: &Placed) -> bool {
    let f = &placed.footer;
    let mut unset = f.clone();
    unset.non_zero_blk_num = 0;
    let checksum = disk::checksum(&unset.encode());
    let sealed = checksum == f.checksum || placed.checksum_ok();
    f.is_v2() && sealed && f.index_lba == 0 && f.bitmap_lba == 0
}

/// Walks over the file. `sound` is a footer of the container, if one is left. `advance` is called with the number of bytes passed
/// over, and stops the walk by its error.
pub(crate) fn walk(
    source: &dyn DiskReader,
    sound: Option<&Footer>,
    method: Option<Method>,
    mut advance: impl FnMut(u64) -> Result<(), Error>,
) -> Result<Walk, Error> {
    let mut walk = Walk { method, ..Walk::default() };
    let mut trial = Trial::new(source.size());
    let mut scanner = Scanner::new(source);
    let mut come = 0;
    let mut to = |at: u64| {
        let passed = at.saturating_sub(come);
        come = come.max(at);
        advance(passed)
    };
    let size = source.size();
    let (mut at, mut gap) = (disk::ALIGN, None);
    if !begins(source, at)? {
        gap = Some(0);
        // HEAD may have lost bytes, or all of it; it is no MID.
        at = if begins(source, 0)? && !Placed::read(source, "HEAD", 0)?.footer.is_v2() {
            0
        } else {
            scanner.next(1, &mut to)?.unwrap_or(size)
        };
    }
    let header_size = RecordHeader::SIZE as u64;
    while at.checked_add(header_size).is_some_and(|end| end <= size) {
        let bytes = source.read_array::<{ RecordHeader::SIZE }>(at)?;
        let header = RecordHeader::decode(&bytes);
        let possible = header.prefix.starts_with(PREFIX) && record::is_possible(header.size, BLOCK);
        if possible && walk.candidates.len() < MAX_RECORDS {
            if walk.method.is_none() {
                walk.method = Some(sniff(source, at + header_size)?);
            }
            if let Some((place, end)) = walk.look(source, at, &header, &mut trial)? {
                walk.gaps.extend(gap.take().map(|from| (from, at)));
                walk.candidates.push(place);
                to(end.min(size))?;
                at = end;
                continue;
            }
        } else if ends_here(source, at, &bytes, sound)? {
            walk.gaps.extend(gap.take().map(|from| (from, at)));
            walk.mid = Some(Placed::read(source, "MID", at)?);
            break;
        }
        gap.get_or_insert(at);
        let Some(next) = scanner.next(at + 1, &mut to)? else { break };
        at = next;
    }
    to(size)?;
    Ok(walk)
}

/// Whether a record or a footer may begin there.
fn begins(source: &dyn ReadAt, at: u64) -> Result<bool, Error> {
    if source.size().saturating_sub(at) < Footer::SIZE as u64 {
        return Ok(false);
    }
    let bytes = source.read_array::<12>(at)?;
    Ok(bytes.starts_with(PREFIX) || bytes.starts_with(&disk::COOKIE[..disk::COOKIE_COMPARED]))
}

/// Whether it is the MID of this container: its identity is that of the other footers, and no record follows it, as one
/// follows HEAD, of which there may be a second one.
fn ends_here(
    source: &dyn ReadAt,
    at: u64,
    bytes: &[u8; RecordHeader::SIZE],
    sound: Option<&Footer>,
) -> Result<bool, Error> {
    let room = source.size().saturating_sub(at) >= Footer::SIZE as u64;
    if !room || !bytes.starts_with(&disk::COOKIE[..disk::COOKIE_COMPARED]) {
        return Ok(false);
    }
    let placed = Placed::read(source, "MID", at)?;
    let ours = sound.is_none_or(|footer| footer.uuid == placed.footer.uuid);
    if !ours || !is_mid(&placed) {
        return Ok(false);
    }
    let after = at + disk::ALIGN;
    let record = source.size().saturating_sub(after) >= Footer::SIZE as u64
        && source.read_array::<12>(after)?.starts_with(PREFIX);
    Ok(!record)
}

impl Walk {
    /// The record that begins at `at`, and where it ends; `None` if there is none after all.
    fn look(
        &mut self,
        source: &dyn ReadAt,
        at: u64,
        header: &RecordHeader,
        trial: &mut Trial,
    ) -> Result<Option<(RecordLocation, u64)>, Error> {
        let length = header.record_length();
        let end = at.saturating_add(length);
        let size = source.size();
        // What is there of it: a payload may be whole although the file ends before the postfix.
        let length = u32::try_from(end.min(size) - at).unwrap_or(u32::MAX);
        let place = RecordLocation { block: header.curr_blk, length, offset: at };
        if is_marked(source, end)? {
            return Ok(Some((place, end)));
        }
        match trial.proves(source, &place, header, self.method)? {
            Proof::Whole => return Ok(Some((place, end))),
            Proof::Unmarked => self.unmarked.push(place),
            Proof::Nothing if end > size => self.cut = Some((at, header.curr_blk)),
            Proof::Nothing => {}
        }
        Ok(None)
    }
}

/// Whether a record that ends here has its marker.
pub(crate) fn is_marked(source: &dyn ReadAt, end: u64) -> Result<bool, Error> {
    Ok(end <= source.size() && source.read_array(end - POSTFIX as u64)? == disk::RECORD_POSTFIX)
}

/// What expanding a record without an end marker shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It is as it was written.
    Whole,
    /// It holds one block, which need not be the one that was written.
    Unmarked,
    /// It holds no block.
    Nothing,
}

/// Expanding on suspicion.
pub(crate) struct Trial {
    buffer: Vec<u8>,
    block: Vec<u8>,
    /// Bytes that may still be read in vain: a file of nothing but false beginnings must not be read a thousand times over.
    budget: u64,
}

impl Trial {
    pub(crate) fn new(budget: u64) -> Self {
        Self { buffer: Vec::new(), block: Vec::new(), budget }
    }

    /// Judges a record that has no end marker where its header puts it. Bytes that were put into a payload, or lost from
    /// it, may still leave one whole block, with other data: only a checksum rules that out; or that the payload is
    /// compressed throughout, and that the file goes on behind it with a record or MID in the right place, or ends before
    /// the marker.
    pub(crate) fn proves(
        &mut self,
        source: &dyn ReadAt,
        place: &RecordLocation,
        header: &RecordHeader,
        method: Option<Method>,
    ) -> Result<Proof, Error> {
        let start = place.offset.saturating_add(RecordHeader::SIZE as u64);
        let there = start.checked_add(header.size.into()).is_some_and(|end| end <= source.size());
        let (Some(method), Some(left), true) = (method, self.budget.checked_sub(header.size.into()), there)
        else {
            return Ok(Proof::Nothing);
        };
        let block_size = usize::try_from(BLOCK).unwrap_or(0);
        self.buffer.resize(usize::try_from(header.size).unwrap_or(0), 0);
        self.block.resize(block_size, 0);
        source.read_at(&mut self.buffer, start)?;
        let holds = Expander::new(method, block_size).expand(&self.buffer, &mut self.block).is_ok();
        let end = place.offset.saturating_add(header.record_length());
        let in_place = || Ok::<_, Error>(end > source.size() || begins(source, end)?);
        let proof = match guard(method, &self.buffer) {
            _ if !holds => Proof::Nothing,
            Guard::Checksum => Proof::Whole,
            Guard::Coded if in_place()? => Proof::Whole,
            Guard::Coded | Guard::Plain => Proof::Unmarked,
        };
        if proof != Proof::Whole {
            self.budget = left;
        }
        Ok(proof)
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
