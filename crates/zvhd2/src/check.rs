//! The check: footers, bitmap, index, records, payloads, in this order, each as far as the one before allows.

use std::collections::BTreeSet;

use imsprep_findings::{Finding, Report};
use imsprep_ondisk::format::zvhd2 as disk;
use imsprep_source::{ReadAt, Work};

use crate::bitmap::Bitmap;
use crate::body::{Body, read_body};
use crate::comparison::Comparison;
use crate::footer::{self, Footers, Placed};
use crate::index::{self, Entry};
use crate::payload::{self, Blocks};
use crate::record::{self, Records};
use crate::sequence::Sequence;
use crate::{Checksums, Error, Info, Occupancy, rules};

/// How far a check looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Footers, bitmap, index, record headers and postfixes.
    Structure,
    /// All of that, and every payload is expanded.
    Content,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct CheckedContainer {
    /// The findings, by file offset, and what was not checked.
    pub report: Report,
    /// What the file says about itself, with the counts that the check made.
    pub info: Info,
    /// Which blocks have records, if there is a bitmap that tells it.
    pub occupancy: Option<Occupancy>,
}

/// Checks a ZVHD2 file against every rule of [`RULES`](crate::RULES). Payloads are expanded by rayon's ambient pool.
///
/// # Errors
///
/// If the file cannot be read, is not ZVHD at all, or a stop was requested.
pub fn check(source: &dyn ReadAt, depth: Depth, work: Work<'_>) -> Result<CheckedContainer, Error> {
    check_with(source, depth, None, work)
}

/// The same with all content, of which every block is also compared with what it should hold: each payload is expanded once. Returns the
/// numbers of the blocks that hold something else as well, or of which it is not known.
///
/// # Errors
///
/// As [`check`].
pub fn check_against(
    source: &dyn ReadAt,
    expected: &Checksums,
    work: Work<'_>,
) -> Result<(CheckedContainer, BTreeSet<u64>), Error> {
    let comparison = Comparison::new(expected);
    let checked = check_with(source, Depth::Content, Some(&comparison), work)?;
    Ok((checked, comparison.differing()))
}

fn check_with(
    source: &dyn ReadAt,
    depth: Depth,
    comparison: Option<&Comparison<'_>>,
    work: Work<'_>,
) -> Result<CheckedContainer, Error> {
    let footers = Footers::find(source)?;
    let info = Info::new(source, &footers)?;
    let mut checker =
        Checker { source, depth, comparison, work, report: Report::new(), info, occupancy: None };
    match &footers {
        Footers::V1 { .. } => checker.check_version_1(),
        Footers::V2 { head, end: None } => checker.check_without_end(head),
        Footers::V2 { head, end: Some(end) } => checker.check_with_end(head, end)?,
    }
    checker.report.sort_by_place();
    Ok(CheckedContainer { report: checker.report, info: checker.info, occupancy: checker.occupancy })
}

struct Checker<'a> {
    source: &'a dyn ReadAt,
    depth: Depth,
    comparison: Option<&'a Comparison<'a>>,
    work: Work<'a>,
    report: Report,
    info: Info,
    occupancy: Option<Occupancy>,
}

impl Checker<'_> {
    fn check_version_1(&mut self) {
        self.report.push(Finding::new(&rules::VERSION_1, "the file is ZVHD version 1, not ZVHD2").at(0));
        self.report.push_not_checked("the records", "the rules are those of ZVHD2");
    }

    fn check_without_end(&mut self, head: &Placed) {
        footer::report_no_end(self.source, &mut self.report);
        if self.source.size() < disk::ALIGN {
            self.report.push_not_checked("everything after the cookie", "it is not in the file");
            return;
        }
        footer::check_fields(head, &mut self.report);
        footer::check_head_frame(head, &mut self.report);
        self.report.push_not_checked("index, bitmap and records", "without END their offsets are unknown");
    }

    fn check_with_end(&mut self, head: &Placed, end: &Placed) -> Result<(), Error> {
        footer::check_end(self.source, end, &mut self.report);
        if end.offset == 0 {
            return self.check_head_alone(end);
        }
        footer::check_head(head, end, &mut self.report);
        self.check_body(end)
    }

    /// A file of 4096 bytes: a disk of size 0, or one that nothing was written to.
    fn check_head_alone(&mut self, head: &Placed) -> Result<(), Error> {
        footer::check_end_fields_absent(head, &rules::HEAD_INDEX, &["non_zero_blk_num"], &mut self.report);
        footer::check_written(head, &mut self.report);
        Ok(())
    }

    fn check_body(&mut self, end: &Placed) -> Result<(), Error> {
        let block_size = footer::block_size(&end.footer);
        let body = read_body(self.source, end, &mut self.report, self.work.cancel)?;
        let Some(Body { bitmap, entries, missing }) = body else {
            self.report.push_not_checked(
                "index and records",
                "without the bitmap it is unknown which blocks have a record",
            );
            return Ok(());
        };
        self.info.data_blocks = Some(bitmap.total);
        let (report, cancel) = (&mut self.report, self.work.cancel);
        let records = record::check_records(self.source, &entries, block_size, end.offset, report, cancel)?;
        if missing == 0 && !self.report.has_errors() {
            self.check_sequence(end, &entries, &records)?;
        }
        self.info.payload_bytes = Some(records.payload_bytes);
        if missing == 0 {
            self.check_mid(end, &bitmap, records.end)?;
        } else {
            let why = "their index entries are not in the file, or there are too many for one check";
            self.report.push_not_checked(format!("{missing} records, and MID after them"), why);
        }
        self.check_content(end, &records, block_size)?;
        self.occupancy = Some(Occupancy::new(bitmap, records));
        Ok(())
    }

    /// Between the records, and behind them, there is nothing that gives a sequential reader another disk.
    fn check_sequence(&mut self, end: &Placed, entries: &[Entry], records: &Records) -> Result<(), Error> {
        let Some(method) = footer::method(&end.footer) else { return Ok(()) };
        let mut ends = entries.iter().map(index::place_of).zip(&records.header_ends).collect::<Vec<_>>();
        ends.sort_unstable_by_key(|(place, _)| place.block);
        let places = ends.iter().map(|(place, _)| *place).collect::<Vec<_>>();
        let sequence = Sequence { places: &places, method, disk_size: footer::exposed_size(&end.footer) };
        let first = std::iter::once((None, disk::ALIGN));
        for (number, from) in
            first.chain(ends.iter().map(|(_, end)| **end).enumerate().map(|(n, e)| (Some(n), e)))
        {
            self.work.cancel.check()?;
            if let Some(finding) = sequence.check_after(self.source, number, from)? {
                self.report.push(finding);
            }
        }
        Ok(())
    }

    /// MID stands after the last record, or at least before the index.
    fn check_mid(&mut self, end: &Placed, bitmap: &Bitmap, records_end: u64) -> Result<(), Error> {
        // Index first in files of the reference; where it is not, that has a finding of its own.
        let index_lba = end.footer.index_lba.min(end.footer.bitmap_lba);
        let mut found = None;
        for offset in [Some(records_end), index_lba.checked_sub(disk::ALIGN)].into_iter().flatten() {
            let possible =
                offset >= records_end && offset.checked_add(disk::ALIGN).is_some_and(|e| e <= end.offset);
            if found.is_none() && possible {
                found = Some(Placed::read(self.source, "MID", offset)?).filter(|mid| mid.footer.is_v2());
            }
        }
        let Some(mid) = found else {
            self.info.mid = None;
            let finding = Finding::new(&rules::MID_MISSING, "there is no MID footer after the last record");
            // A record that lies about its length may seem to end beyond the file.
            self.report.push(finding.at(records_end.min(end.offset)).expected("z2strm"));
            return Ok(());
        };
        if mid.offset > records_end {
            record::report_gap(records_end, mid.offset, &mut self.report);
        }
        let mid_end = mid.offset + disk::ALIGN;
        if index_lba != mid_end {
            let finding = Finding::new(&rules::REGION_GAP, "the index does not follow MID").at(mid_end);
            self.report.push(finding.expected(format!("index_lba {mid_end}")).found(index_lba));
        }
        footer::check_frame(&mid, &mut self.report);
        footer::check_agrees(&mid, end, &rules::MID_DIFFERS, &mut self.report);
        footer::check_end_fields_absent(&mid, &rules::MID_DIFFERS, &[], &mut self.report);
        let count = u64::from(mid.footer.non_zero_blk_num);
        if count != bitmap.total {
            let finding =
                Finding::new(&rules::MID_COUNT, "non_zero_blk_num in MID is not the count of the bitmap");
            self.report.push(finding.at(mid.at("non_zero_blk_num")).expected(bitmap.total).found(count));
        }
        self.info.mid = Some(mid.footer);
        Ok(())
    }

    fn check_content(&mut self, end: &Placed, records: &Records, block_size: u64) -> Result<(), Error> {
        if self.depth == Depth::Structure {
            self.report.push_not_checked("the content of the records", "payloads were not decompressed");
            return Ok(());
        }
        let Some(method) = footer::method(&end.footer) else {
            self.report.push_not_checked("the content of the records", "the compression method is unknown");
            return Ok(());
        };
        let blocks = Blocks { method, block_size, orig_size: end.footer.orig_size };
        payload::check_payloads(self.source, records, blocks, self.comparison, self.work, &mut self.report)
    }
}
