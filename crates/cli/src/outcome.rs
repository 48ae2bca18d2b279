//! What came of one file, for whatever prints it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Error;
use imsprep_detect::Detection;
use imsprep_findings::{Report, Severity};
use imsprep_source::FileKind;
use imsprep_toolkit::{CheckedImage, Inspected, WouldStart};

use crate::exit::Status;

/// What was found out about a file, or why it could not be checked.
pub(crate) struct Outcome<T = CheckedImage> {
    pub(crate) path: PathBuf,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    pub(crate) result: Result<T, Error>,
}

/// A file whose format was detected.
pub(crate) struct DetectedFile {
    /// `None` of an export of a server.
    pub(crate) kind: Option<FileKind>,
    pub(crate) detection: Detection,
    /// The rules that this breaks, as notes: it is no verdict.
    pub(crate) report: Report,
}

/// A file into whose disk was looked.
pub(crate) struct InspectedFile {
    pub(crate) found: Inspected,
    /// The rules that this breaks, as notes: it is no verdict.
    pub(crate) report: Report,
}

/// What a report answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The answer of a report without errors.
    pub(crate) yes: &'static str,
    /// The answer of one with errors.
    pub(crate) no: &'static str,
}

pub(crate) const MAY_BE_IMPORTED: Question = Question { yes: "may be imported", no: "not importable" };
pub(crate) const MAY_BE_CONVERTED: Question = Question { yes: "may be converted", no: "not converted" };
pub(crate) const SOUND: Question = Question { yes: "is a sound ZVHD2", no: "not sound" };
pub(crate) const DETECTED: Question = Question { yes: "format was detected", no: "format was not detected" };
pub(crate) const INSPECTED: Question = Question { yes: "disk was inspected", no: "disk was not inspected" };
pub(crate) const BITMAP_FITS: Question =
    Question { yes: "has a matching bitmap file", no: "the bitmap does not match" };

/// A file and the report on it: what the formats for other programs are made of.
pub(crate) struct Judged<'a> {
    pub(crate) path: &'a Path,
    pub(crate) question: Question,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    /// Bytes of the file, where they are known.
    pub(crate) size: Option<u64>,
    /// Whether a server would start the system on its disk; `None` if there is none, or it was not judged.
    pub(crate) would_start: Option<WouldStart>,
    pub(crate) result: Result<&'a Report, &'a Error>,
}

impl<T> Outcome<T> {
    fn answer<'a>(
        &'a self,
        question: Question,
        found: impl Fn(&'a T) -> (&'a Report, Option<u64>),
    ) -> Judged<'a> {
        let (size, result) = match &self.result {
            Ok(value) => {
                let (report, size) = found(value);
                (size, Ok(report))
            }
            Err(error) => (None, Err(error)),
        };
        Judged {
            path: &self.path,
            question,
            status: self.status,
            elapsed: self.elapsed,
            size,
            would_start: None,
            result,
        }
    }
}

impl Outcome {
    pub(crate) fn judged(&self) -> Judged<'_> {
        let would_start = self.result.as_ref().ok().and_then(|checked| checked.would_start);
        let judged =
            self.answer(MAY_BE_IMPORTED, |checked| (&checked.report, Some(checked.detection.file_size)));
        Judged { would_start, ..judged }
    }
}

impl Outcome<DetectedFile> {
    pub(crate) fn judged(&self) -> Judged<'_> {
        self.answer(DETECTED, |file| (&file.report, Some(file.detection.file_size)))
    }
}

impl Outcome<InspectedFile> {
    pub(crate) fn judged(&self) -> Judged<'_> {
        self.answer(INSPECTED, |file| (&file.report, None))
    }
}

/// A conversion that was judged, without its files.
pub(crate) struct JudgedPlan {
    pub(crate) path: PathBuf,
    /// Bytes of the source.
    pub(crate) size: u64,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    pub(crate) report: Report,
}

impl JudgedPlan {
    pub(crate) fn judged(&self) -> Judged<'_> {
        Judged {
            path: &self.path,
            question: MAY_BE_CONVERTED,
            status: self.status,
            elapsed: self.elapsed,
            size: Some(self.size),
            would_start: None,
            result: Ok(&self.report),
        }
    }
}

/// The same findings as notes: of what is there, and not of what is wrong with it.
pub(crate) fn as_notes(report: &Report) -> Report {
    let mut notes = Report::new();
    for finding in report.findings() {
        notes.push(finding.clone().severity(Severity::Note));
    }
    notes
}

impl<'a> Judged<'a> {
    /// A file that was checked.
    pub(crate) fn of(checked: &'a CheckedImage, status: Status, elapsed: Duration) -> Self {
        Self {
            path: &checked.path,
            question: MAY_BE_IMPORTED,
            status,
            elapsed,
            size: Some(checked.detection.file_size),
            would_start: checked.would_start,
            result: Ok(&checked.report),
        }
    }
}
