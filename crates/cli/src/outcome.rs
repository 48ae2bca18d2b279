//! What came of one file, for whatever prints it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Error;
use imsprep_findings::Report;
use imsprep_toolkit::CheckedImage;

use crate::exit::Status;

/// A file that was checked, or why it could not be looked at.
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    pub(crate) result: Result<CheckedImage, Error>,
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
pub(crate) const BITMAP_FITS: Question =
    Question { yes: "has a bitmap file that fits", no: "the bitmap does not fit" };

/// A file and the report on it: what the formats for other programs are made of.
pub(crate) struct Judged<'a> {
    pub(crate) path: &'a Path,
    pub(crate) question: Question,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    /// Bytes of the file, where they are known.
    pub(crate) size: Option<u64>,
    pub(crate) result: Result<&'a Report, &'a Error>,
}

impl Outcome {
    pub(crate) fn judged(&self) -> Judged<'_> {
        let Self { path, status, elapsed, result } = self;
        let (question, status, elapsed) = (MAY_BE_IMPORTED, *status, *elapsed);
        match result {
            Ok(checked) => Judged::of(checked, status, elapsed),
            Err(error) => Judged { path, question, status, elapsed, size: None, result: Err(error) },
        }
    }
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
            result: Ok(&checked.report),
        }
    }
}
