//! `imsprep check --json`

use std::path::Path;

use imsprep_rules::{Profile, RULE_SET_DATE};
use imsprep_toolkit::{Checked, Verdict};
use serde::Serialize;

use super::WirePath;
use super::bitmap::{WireBitmap, WireScan};
use super::detect::WireDetection;
use super::report::WireReport;
use super::zvhd2::WireInfo;
use crate::commands::check::Outcome;
use crate::exit::Status;
use crate::terminal::failure_text;

/// The whole document.
pub(crate) type Document = super::Document<Body>;

#[derive(Debug, Serialize)]
pub(crate) struct Body {
    rule_set: &'static str,
    profile: &'static str,
    files: Vec<File>,
}

/// One file: its verdict and what led to it, or why there is none.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    #[serde(flatten)]
    path: WirePath,
    /// `importable`, `not-importable` or `could-not-tell`.
    verdict: &'static str,
    /// What keeps `importable` from being a plain yes.
    reservations: Vec<&'static str>,
    exit_status: u8,
    error: Option<String>,
    detection: Option<WireDetection>,
    bitmap: Option<WireBitmap>,
    scan: Option<WireScan>,
    zvhd2: Option<WireInfo>,
    report: Option<WireReport>,
}

impl Document {
    pub(crate) fn new_check(outcomes: &[Outcome], profile: &Profile, worst: Status) -> Self {
        let files = outcomes.iter().map(File::from).collect();
        let body = Body { rule_set: RULE_SET_DATE, profile: profile.name, files };
        super::Document::new("imsprep.check", worst, body)
    }
}

impl From<&Outcome> for File {
    fn from(outcome: &Outcome) -> Self {
        let none = Self::none(&outcome.path, outcome.status);
        match &outcome.result {
            Err(error) => Self { error: Some(failure_text(error)), ..none },
            Ok(checked) => Self::of(checked, none),
        }
    }
}

impl File {
    /// A file that was checked, with the status that it leads to.
    pub(crate) fn checked(checked: &Checked, status: Status) -> Self {
        Self::of(checked, Self::none(&checked.path, status))
    }

    fn none(path: &Path, status: Status) -> Self {
        Self {
            path: path.into(),
            verdict: "could-not-tell",
            reservations: vec![],
            exit_status: status.number(),
            error: None,
            detection: None,
            bitmap: None,
            scan: None,
            zvhd2: None,
            report: None,
        }
    }

    fn of(checked: &Checked, none: Self) -> Self {
        let (verdict, reservations) = match checked.verdict() {
            Verdict::NotImportable => ("not-importable", vec![]),
            Verdict::Importable(reservations) => {
                ("importable", reservations.iter().map(|reservation| reservation.name()).collect())
            }
        };
        Self {
            verdict,
            reservations,
            detection: Some((&checked.detection).into()),
            bitmap: checked.bitmap.as_ref().map(WireBitmap::from),
            scan: checked.scan.as_ref().map(WireScan::from),
            zvhd2: checked.zvhd2.as_ref().map(WireInfo::from),
            report: Some((&checked.report).into()),
            ..none
        }
    }
}
