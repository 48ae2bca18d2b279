//! What reading needs to know of a container, validated.

use imsprep_findings::{Finding, Report, Severity};
use imsprep_ondisk::zvhd2 as disk;
use imsprep_source::{Cancel, ReadAt};

use crate::footer::{self, Footers, Method, Placed};
use crate::{Error, Version, bitmap, index, info, layout, stream};

/// Bytes of a block. Containers of other sizes are refused when they are opened.
pub(crate) const BLOCK: u64 = disk::BLOCK_SIZE as u64;

/// Where the record of one data block is. Its header lies in the file; what it holds is looked at when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The block, below 2^32.
    pub(crate) block: u32,
    /// Bytes of the record, as the index has it.
    pub(crate) length: u32,
    /// Offset of the record in the file.
    pub(crate) offset: u64,
}

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
    pub(crate) places: Vec<Place>,
}

impl Contents {
    /// Reads footers, bitmap and index; of version 1 the header and postfix of every record.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] for whatever of these [`check`](crate::check()) calls an error.
    pub(crate) fn read(source: &dyn ReadAt, cancel: &Cancel) -> Result<Self, Error> {
        match &Footers::find(source)? {
            Footers::V1 { head, .. } => stream::read_contents(source, head, cancel),
            Footers::V2 { end: None, .. } => {
                let mut report = Report::new();
                footer::report_no_end(source, &mut report);
                refuse_errors(source, &report)?;
                Err(Error::NotZvhd2 { path: source.path().to_owned() })
            }
            Footers::V2 { end: Some(end), .. } => read_indexed(source, end, cancel),
        }
    }
}

/// By the same functions that check a file: what they call an error is refused here, and what they warn of is read.
fn read_indexed(source: &dyn ReadAt, end: &Placed, cancel: &Cancel) -> Result<Contents, Error> {
    let mut report = Report::new();
    footer::check_end(source, end, &mut report);
    if end.offset == 0 {
        footer::check_written(end, &mut report);
    }
    refuse_errors(source, &report)?;
    let f = &end.footer;
    // An unknown method is an error of the fields.
    let method = footer::method(f).unwrap_or(Method::Zstd);
    let mut contents = Contents {
        version: Version::Zvhd2,
        method,
        orig_size: f.orig_size,
        disk_size: f.curr_size,
        places: Vec::new(),
    };
    if end.offset == 0 {
        return Ok(contents);
    }

    let bitmap = bitmap::read_bitmap(source, end, &mut report, cancel)?;
    refuse_errors(source, &report)?;
    let Some(bitmap) = bitmap else { return Ok(contents) };
    let place = layout::check_index_place(end, &bitmap, &mut report);
    layout::check_regions(end, &bitmap, place, &mut report);
    layout::check_exposed(end, &bitmap, BLOCK, &mut report);
    layout::check_data_count(end, info::read_mid(source, end)?.as_ref(), &bitmap, &mut report);
    refuse_errors(source, &report)?;
    let Some(place) = place else { return Ok(contents) };
    if bitmap.total > bitmap.blocks.len() as u64 {
        let what = format!("it has {} records, and at most {} are read", bitmap.total, bitmap::MAX_RECORDS);
        return Err(Error::Unreadable { path: source.path().to_owned(), offset: end.at("bitmap_lba"), what });
    }
    let entries = index::read_index(source, place, &bitmap, cancel)?;
    index::check_blocks(&entries, &mut report);
    let entries = index::check_places(entries, place, &bitmap, end.offset, &mut report);
    refuse_errors(source, &report)?;
    contents.places = entries
        .into_iter()
        .map(|entry| Place { block: entry.block, length: entry.raw.length, offset: entry.raw.offset })
        .collect();
    contents.places.sort_unstable_by_key(|place| place.block);
    Ok(contents)
}

/// The first error among the findings, if there is one.
fn refuse_errors(source: &dyn ReadAt, report: &Report) -> Result<(), Error> {
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
