//! Saving the records of a damaged container into a new one.

use std::collections::BTreeSet;

use imsprep_findings::{Finding, Report};
use imsprep_ondisk::format::zvhd2::{self as disk, Footer, RecordHeader};
use imsprep_source::{Cancel, DiskReader, ReadAt, ReadAtExt, Sink, Stage, Work};
use rayon::prelude::*;

use crate::evidence::Evidence;
use crate::expand::{ExpandError, Expander};
use crate::footer::{self, Method, Placed};
use crate::guard::guard;
use crate::index::{BLOCK, RecordLocation};
use crate::select::{Found, select};
use crate::walk::{self, Proof, Trial, Walk, is_marked};
use crate::{Checksums, ContainerWriter, Error, Label, Written, record, rules};

/// Neighbouring blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSpan {
    /// The first of them.
    pub first: u32,
    /// How many, at least 1.
    pub count: u32,
}

/// Which data blocks are lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// None: a sound bitmap, or a count, says that every record was saved.
    Nothing,
    /// These, by a sound bitmap.
    Blocks(Vec<BlockSpan>),
    /// As many as this, by a count; which ones is not known.
    Count(u64),
    /// It is not known whether any are: neither index nor bitmap nor a count is left.
    Unknown {
        /// The last block that was saved: those after it may be missing, and any before it.
        after: Option<u32>,
    },
}

/// Where the size of the disk comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeFrom {
    /// The footer of this name, whose checksum is right.
    Footer(&'static str),
    /// The caller.
    Caller,
}

/// What can be saved of a damaged container.
#[derive(Debug)]
pub struct Salvage {
    /// What the new container will say of itself. Where no footer is left its timestamp and uuid are 0.
    pub label: Label,
    /// Where `label.orig_size` comes from.
    pub size_from: SizeFrom,
    /// What is lost.
    pub missing: Missing,
    /// Records that were found and not taken.
    pub dropped: u64,
    /// Whether records follow one another from HEAD to the last that was found: what is lost then lies after it.
    pub gapless: bool,
    /// Why each record was not taken, and where there should be records and are none.
    pub report: Report,
    records: Vec<RecordLocation>,
}

/// Records that one worker claims at a time.
const BATCH: usize = 32;

impl Salvage {
    /// Looks through a container from its first to its last byte for records that can be saved. A record is one that
    /// begins as records do, wherever that is, or that a sound index describes; that ends as records do, or has a checksum
    /// or is compressed throughout; whose payload expands to one whole block; and that index and bitmap do not contradict
    /// as far as these are sound. What lies in holes of the file is not read.
    ///
    /// `size` is the disk's size in bytes, for files of which no sound footer is left. Payloads are expanded by rayon's
    /// ambient pool.
    ///
    /// # Errors
    ///
    /// [`Error::SizeUnknown`], [`Error::SizeContradicted`]; [`Error::NothingToSave`]; [`Error::NotZvhd2`] if there is
    /// neither a footer nor a record; [`Error::Unreadable`] for version 1, whose records can't be taken apart; or if the
    /// file can't be read.
    pub fn look(source: &dyn DiskReader, size: Option<u64>, work: Work<'_>) -> Result<Self, Error> {
        let ends = Ends::find(source)?;
        let stage = Stage::begin(work.progress, "looking for records", source.size());
        let sound = ends.sound().map(|placed| &placed.footer);
        let mut walk = walk::walk(source, sound, sound.and_then(footer::method), |bytes| {
            stage.advance(bytes);
            Ok(work.cancel.check()?)
        })?;
        drop(stage);
        let sound = ends.sound().or(walk.mid.as_ref());
        if sound.is_none() && walk.candidates.is_empty() && walk.cut.is_none() && !ends.has_cookie {
            return Err(Error::NotZvhd2 { path: source.path().to_owned() });
        }
        let (label, size_from) = label(source, sound, size, walk.method.unwrap_or(Method::Zstd))?;
        let blocks = u32::try_from(label.orig_size.div_ceil(BLOCK));
        let blocks = blocks
            .map_err(|_| Error::DiskTooLarge { path: source.path().to_owned(), size: label.orig_size })?;
        let evidence = Evidence::ask(source, ends.end.as_ref(), walk.mid.as_ref(), blocks, work.cancel)?;

        let gapless = walk.gaps.is_empty();
        let mut report = Report::new();
        for (from, to) in &walk.gaps {
            let message = format!("there is no record in the bytes from {from} to {to}");
            report.push(Finding::new(&rules::RECORD_GAP, message).at(*from));
        }
        if let Some((offset, block)) = walk.cut {
            let message = format!("the file ends within the record of block {block}");
            report.push(Finding::new(&rules::END_MISSING, message).at(offset).in_block(block.into()));
        }
        add_by_index(source, &evidence, label.method, &mut walk, work.cancel)?;
        for place in &walk.unmarked {
            let what = "it has no end marker, and there is no other evidence that its data is complete";
            let message = format!("the record of block {} is skipped: {what}", place.block);
            let finding = Finding::new(&rules::RECORD_POSTFIX, message);
            report.push(finding.at(place.offset).in_block(place.block.into()));
        }
        let found_in_all = walk.candidates.len() + walk.unmarked.len();
        let found = expand_all(source, &walk.candidates, label.method, work, &mut report)?;
        let records = select(&found, walk.mid.as_ref(), blocks, &evidence, &mut report);
        report.sort_by_place();
        let missing = missing(&records, blocks, &evidence);
        if records.is_empty() && missing != Missing::Nothing {
            return Err(Error::NothingToSave { path: source.path().to_owned() });
        }
        let dropped = (found_in_all - records.len()) as u64;
        Ok(Self { label, size_from, missing, dropped, gapless, report, records })
    }

    /// Records that are saved.
    pub fn saved(&self) -> u64 {
        self.records.len() as u64
    }

    /// The blocks that are saved, in spans.
    pub fn saved_blocks(&self) -> Vec<BlockSpan> {
        spans(self.records.iter().map(|place| place.block))
    }

    /// Writes the new container, canonical, with the payloads as they are.
    ///
    /// # Errors
    ///
    /// What reading and writing brings; [`imsprep_source::Error::Damaged`] if a record is not what it was when it was
    /// looked at.
    pub fn write(&self, source: &dyn ReadAt, out: &mut dyn Sink, work: Work<'_>) -> Result<Written, Error> {
        let total = self.records.iter().map(|place| u64::from(place.length)).sum();
        let stage = Stage::begin(work.progress, "writing records", total);
        let mut container = ContainerWriter::begin(out, &self.label)?;
        let mut buffer = Vec::new();
        for place in &self.records {
            work.cancel.check()?;
            container.append(place.block, record::read_payload(source, place, &mut buffer)?)?;
            stage.advance(place.length.into());
        }
        container.finish()
    }
}

/// The footers at both ends of the file, as far as their checksums are right.
struct Ends {
    head: Option<Placed>,
    end: Option<Placed>,
    /// Whether the file begins as a ZVHD2 does, right checksum or not.
    has_cookie: bool,
}

impl Ends {
    fn find(source: &dyn ReadAt) -> Result<Self, Error> {
        let size = source.size();
        let head = if size >= Footer::SIZE as u64 { Some(Placed::read(source, "HEAD", 0)?) } else { None };
        if head.as_ref().is_some_and(|head| head.footer.is_v1()) {
            let what = "it is ZVHD version 1, whose records cannot be separated (ZV-001)".into();
            return Err(Error::Unreadable { path: source.path().to_owned(), offset: 0, what });
        }
        let has_cookie = head.as_ref().is_some_and(|head| head.footer.is_v2());
        let end = match size.checked_sub(disk::ALIGN) {
            Some(offset) => Some(Placed::read(source, "END", offset)?),
            None => None,
        };
        // HEAD and MID, which may be the last to be there, tell of no bitmap.
        let is_end = |placed: &Placed| {
            placed.offset != 0
                && placed.footer.is_v2()
                && placed.checksum_ok()
                && placed.footer.bitmap_lba != 0
        };
        let end = match end.filter(is_end) {
            Some(end) => Some(end),
            None => footer::find_misplaced_end(source)?.filter(is_end),
        };
        let head = head.filter(|head| head.footer.is_v2() && head.checksum_ok());
        Ok(Self { head, end, has_cookie })
    }

    /// The one to be believed.
    fn sound(&self) -> Option<&Placed> {
        self.end.as_ref().or(self.head.as_ref())
    }
}

/// What the new container says of itself: what a sound footer says, or else the caller.
fn label(
    source: &dyn ReadAt,
    sound: Option<&Placed>,
    size: Option<u64>,
    found: Method,
) -> Result<(Label, SizeFrom), Error> {
    let Some(placed) = sound else {
        let Some(orig_size) = size else { return Err(Error::SizeUnknown { path: source.path().to_owned() }) };
        return Ok((Label { orig_size, method: found, timestamp: 0, uuid: [0; 16] }, SizeFrom::Caller));
    };
    let f = &placed.footer;
    let rounded = |size: u64| size.checked_next_multiple_of(disk::SECTOR);
    if let Some(size) = size.filter(|size| rounded(*size) != rounded(f.orig_size)) {
        return Err(Error::SizeContradicted {
            path: source.path().to_owned(),
            given: size,
            footer: placed.name,
            size: f.orig_size,
        });
    }
    let label = Label {
        orig_size: f.orig_size,
        method: footer::method(f).unwrap_or(found),
        timestamp: f.timestamp,
        uuid: f.uuid,
    };
    Ok((label, SizeFrom::Footer(placed.name)))
}

/// Adds the records that a sound index describes and that do not begin as records do: where it has them, or as much further on
/// as MID is.
fn add_by_index(
    source: &dyn ReadAt,
    evidence: &Evidence,
    method: Method,
    walk: &mut Walk,
    cancel: &Cancel,
) -> Result<(), Error> {
    let mut shifts =
        walk.mid.as_ref().and_then(|mid| evidence.shift_of_mid(mid)).into_iter().collect::<Vec<_>>();
    if !shifts.contains(&0) {
        shifts.insert(0, 0);
    }
    let known =
        walk.candidates.iter().chain(&walk.unmarked).map(|place| place.offset).collect::<BTreeSet<_>>();
    let mut trial = Trial::new(source.size());
    for (told, offset) in evidence.not_at(&known, &shifts) {
        cancel.check()?;
        if source.size().saturating_sub(offset) < RecordHeader::SIZE as u64 {
            continue;
        }
        let header = RecordHeader::decode(&source.read_array(offset)?);
        if header.curr_blk != told.block || !record::is_possible(header.size, BLOCK) {
            continue;
        }
        // The file may end before the record does.
        let length = u64::from(told.length).min(source.size() - offset);
        let place = RecordLocation {
            block: told.block,
            length: u32::try_from(length).unwrap_or(told.length),
            offset,
        };
        let by_entry = offset.saturating_add(told.length.into());
        let by_header = offset.saturating_add(header.record_length());
        let marked = is_marked(source, by_header)? || is_marked(source, by_entry)?;
        if marked || trial.proves(source, &place, &header, Some(method))? == Proof::Whole {
            walk.candidates.push(place);
        } else {
            walk.unmarked.push(place);
        }
    }
    walk.candidates.sort_unstable_by_key(|place| place.offset);
    Ok(())
}

/// A worker's memory, used for one record after another.
struct Worker {
    expander: Expander,
    buffer: Vec<u8>,
    block: Vec<u8>,
}

/// Expands every candidate, and returns those that hold one whole block.
fn expand_all(
    source: &dyn ReadAt,
    candidates: &[RecordLocation],
    method: Method,
    work: Work<'_>,
    report: &mut Report,
) -> Result<Vec<Found>, Error> {
    let total = candidates.iter().map(|place| u64::from(place.length)).sum();
    let stage = Stage::begin(work.progress, "checking records", total);
    let block_size = usize::try_from(BLOCK).unwrap_or(0);
    let worker = || Worker {
        expander: Expander::new(method, block_size),
        buffer: Vec::new(),
        block: vec![0; block_size],
    };
    let batches = candidates.par_chunks(BATCH).map_init(worker, |worker, batch| {
        work.cancel.check()?;
        let tried = batch.iter().map(|place| expand_one(source, place, method, worker));
        let tried = tried.collect::<Result<Vec<_>, Error>>()?;
        stage.advance(batch.iter().map(|place| u64::from(place.length)).sum());
        Ok::<_, Error>(tried)
    });
    let mut found = Vec::with_capacity(candidates.len());
    for tried in batches.collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        match tried {
            Ok(record) => found.push(record),
            Err(failure) => report.push(failure),
        }
    }
    Ok(found)
}

/// What a record was found to be, or why it can't be taken.
fn expand_one(
    source: &dyn ReadAt,
    place: &RecordLocation,
    method: Method,
    worker: &mut Worker,
) -> Result<Result<Found, Finding>, Error> {
    let Worker { expander, buffer, block } = worker;
    let (rule, offset, what) = match record::read_record(source, place, buffer) {
        Err(imsprep_source::Error::Damaged { offset, what, .. }) => (&rules::RECORD_LENGTH, offset, what),
        Err(error) => return Err(error.into()),
        Ok((header, payload)) => match expander.expand(payload, block) {
            Ok(_) => {
                return Ok(Ok(Found {
                    place: *place,
                    end: place.offset.saturating_add(header.record_length()),
                    guard: guard(method, payload),
                    checksum: Checksums::of_block(block),
                }));
            }
            Err(error) => {
                let rule = match &error {
                    ExpandError::Corrupt { .. } => &rules::PAYLOAD_CORRUPT,
                    ExpandError::Short { .. } | ExpandError::Long { .. } => &rules::PAYLOAD_LENGTH,
                    ExpandError::Finished => &rules::ZLIB_FINISHED,
                };
                (rule, place.offset + RecordHeader::SIZE as u64, error.to_string())
            }
        },
    };
    let message = format!("the record of block {} is skipped: {what}", place.block);
    Ok(Err(Finding::new(rule, message).at(offset).in_block(place.block.into())))
}

/// What is lost, by the best that is known.
fn missing(records: &[RecordLocation], blocks: u32, evidence: &Evidence) -> Missing {
    let saved = records.len() as u64;
    if let Some(marked) = &evidence.blocks {
        let is_saved = |block: &u32| records.binary_search_by_key(block, |place| place.block).is_ok();
        let lost = spans(marked.iter().copied().filter(|block| !is_saved(block)));
        return if lost.is_empty() { Missing::Nothing } else { Missing::Blocks(lost) };
    }
    match evidence.counts.iter().max() {
        _ if blocks == 0 || evidence.counts.contains(&saved) => Missing::Nothing,
        Some(count) if *count > saved => Missing::Count(count - saved),
        _ => Missing::Unknown { after: records.last().map(|place| place.block) },
    }
}

/// Ascending blocks as spans.
fn spans(blocks: impl Iterator<Item = u32>) -> Vec<BlockSpan> {
    let mut spans: Vec<BlockSpan> = Vec::new();
    for block in blocks {
        match spans.last_mut() {
            Some(last) if last.first + last.count == block => last.count += 1,
            _ => spans.push(BlockSpan { first: block, count: 1 }),
        }
    }
    spans
}
