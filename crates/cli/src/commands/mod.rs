//! The commands. Each is thin: call the toolkit, render what it found.

pub(crate) mod bench;
pub(crate) mod bitmap;
pub(crate) mod bitmap_files;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod detect;
pub(crate) mod extra_file;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod learn;
pub(crate) mod manifest;
pub(crate) mod map;
pub(crate) mod os_versions;
pub(crate) mod prepare;
pub(crate) mod repair;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod summary;
pub(crate) mod zvhd2;

use imsprep_findings::{Report, Severity};

use crate::exit::Status;

/// What the warnings of a report do to the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warnings {
    /// They leave it alone.
    Pass,
    /// They count like errors: `--strict`.
    Count,
}

impl Warnings {
    pub(crate) fn from_flag(strict: bool) -> Self {
        if strict { Self::Count } else { Self::Pass }
    }

    /// The status that a report leads to.
    pub(crate) fn status(self, report: &Report) -> Status {
        match (report.worst(), self) {
            (Some(Severity::Error), _) | (Some(Severity::Warning), Self::Count) => Status::Wrong,
            _ => Status::Fine,
        }
    }
}
