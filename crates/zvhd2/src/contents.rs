//! What reading needs to know of a container, validated.

use imsprep_findings::{Finding, Report, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, RecordHeader};
use imsprep_source::{Cancel, ReadAt, ReadAtExt};

use crate::body::{Body, read_body};
use crate::footer::{self, Method, Placed};
use crate::index::{BLOCK, RecordLocation, place_of};
use crate::sequence::Sequence;
use crate::{Error, Version, bitmap};

/// A container whose every data block can be looked up.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) version: Version,
    pub(crate) method: Method,
    /// Bytes of the source image; at most `disk_size`.
    pub(crate) orig_size: u64,
    /// Bytes of the virtual disk.
    pub(crate) disk_size: u64,
    /// One for each data block, ascending by block and without repeats; each block begins on the disk.
    pub(crate) places: Vec<RecordLocation>,
    /// Where the records begin, ascending. Not of version 1, whose records follow one another.
    pub(crate) starts: Vec<u64>,
}

impl Contents {
    /// The records in the order in which a sequential reader wants them.
    pub(crate) fn sequence(&self) -> Sequence<'_> {
        Sequence { places: &self.places, method: self.method, disk_size: self.disk_size }
    }
}

/// By the same functions that check a file: what they call an error is refused here, and what they warn of is read.
pub(crate) fn read_indexed(
    source: &dyn ReadAt,
    head: &Placed,
    end: &Placed,
    cancel: &Cancel,
) -> Result<Contents, Error> {
    let mut report = Report::new();
    footer::check_end(source, end, &mut report);
    if end.offset == 0 {
        footer::check_written(end, &mut report);
    } else {
        footer::check_head(head, end, &mut report);
    }
    refuse_errors(source, &report)?;
    let f = &end.footer;
    // An unknown method is an error of the fields.
    let method = footer::method(f).unwrap_or(Method::Zstd);
    let mut contents = Contents {
        version: Version::Zvhd2,
        method,
        orig_size: f.orig_size,
        disk_size: footer::exposed_size(f),
        places: Vec::new(),
        starts: Vec::new(),
    };
    if end.offset == 0 {
        return Ok(contents);
    }

    let Some(body) = read_body(source, end, &mut report, cancel)? else {
        refuse_errors(source, &report)?;
        return Ok(contents);
    };
    refuse_errors(source, &report)?;
    let Body { bitmap, entries, .. } = body;
    if bitmap.total > bitmap.blocks.len() as u64 {
        let what = format!("it has {} records; the limit is {}", bitmap.total, bitmap::MAX_RECORDS);
        return Err(Error::Unreadable { path: source.path().to_owned(), offset: end.at("bitmap_lba"), what });
    }
    contents.starts = entries.iter().map(|entry| entry.raw.offset).collect();
    contents.places = entries.iter().map(place_of).collect();
    contents.places.sort_unstable_by_key(|place| place.block);
    contents.orig_size = source_size(&contents);
    refuse_gaps(source, &contents, cancel)?;
    Ok(contents)
}

/// Bytes of the source image: as the footer says, or more where blocks beyond that have data, which must not be left out.
pub(crate) fn source_size(contents: &Contents) -> u64 {
    let last = contents.places.last().map(|place| u64::from(place.block) * BLOCK);
    match last.filter(|start| *start >= contents.orig_size) {
        Some(start) => start.saturating_add(BLOCK).min(contents.disk_size),
        None => contents.orig_size,
    }
}

/// Looks at what lies between the records, by the lengths in the index: in files of the reference nothing does. Where a
/// header has another length than the index, that is checked when the record is read.
fn refuse_gaps(source: &dyn ReadAt, contents: &Contents, cancel: &Cancel) -> Result<(), Error> {
    let mut report = Report::new();
    let sequence = contents.sequence();
    for number in std::iter::once(None).chain((0..contents.places.len()).map(Some)) {
        cancel.check()?;
        let place = number.and_then(|number| contents.places.get(number));
        let next = contents.places.get(number.map_or(0, |number| number + 1));
        let end = place.map_or(disk::ALIGN, |place| place.offset.saturating_add(place.length.into()));
        if next.is_some_and(|next| next.offset <= end) {
            continue;
        }
        let from = match place {
            None => end,
            Some(place) => {
                let header = RecordHeader::decode(&source.read_array(place.offset)?);
                place.offset.saturating_add(header.record_length())
            }
        };
        if let Some(finding) = sequence.check_after(source, number, from)? {
            report.push(finding);
        }
    }
    refuse_errors(source, &report)
}

/// The first error among the findings, if there is one.
pub(crate) fn refuse_errors(source: &dyn ReadAt, report: &Report) -> Result<(), Error> {
    let Some(finding) = report.findings().iter().find(|f| f.severity == Severity::Error) else {
        return Ok(());
    };
    Err(Error::Unreadable {
        path: source.path().to_owned(),
        offset: finding.offset.unwrap_or(0),
        what: in_words(finding),
    })
}

/// What is wrong, what should be there, and by which rule.
fn in_words(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    for (label, value) in [("expected", &finding.expected), ("found", &finding.found)] {
        if let Some(value) = value {
            text += &format!(", {label} {value}");
        }
    }
    text + &format!(" ({})", finding.rule.code)
}
