//! `imsprep check --json`

use std::path::Path;

use imsprep_inspect::Inspection;
use imsprep_rules::object_key;
use imsprep_toolkit::{CheckedImage, System, Verdict, WouldStart};
use schemars::JsonSchema;
use serde::Serialize;

use super::bitmap::{WireBitmap, WireScan};
use super::checksum::{WireChecksum, checksums};
use super::detect::WireDetection;
use super::report::WireReport;
use super::space::{WireSaving, WireVolumeSpace, volumes};
use super::zvhd2::WireInfo;
use super::{UnderPolicy, WirePath};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::words::disk_choice::choice_name;

/// A document on all files, or on one.
pub(crate) type Document<T> = super::Document<UnderPolicy<T>>;

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Files {
    files: Vec<File>,
}

/// One file in a document of its own, whose exit status is the file's.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OneFile {
    #[serde(flatten)]
    file: File,
}

/// One file: its verdict and what led to it, or why there is none.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct File {
    #[serde(flatten)]
    path: WirePath,
    /// Key of the object, where a prefix was given.
    key: Option<String>,
    /// `importable`, `not-importable` or `could-not-tell`.
    verdict: &'static str,
    /// What keeps `importable` from being a plain yes.
    reservations: Vec<&'static str>,
    /// Absent where the document is about this file alone, and says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_status: Option<u8>,
    /// How long this file took; null where the document has the duration of more than a check.
    seconds: Option<f64>,
    error: Option<String>,
    detection: Option<WireDetection>,
    bitmap: Option<WireBitmap>,
    scan: Option<WireScan>,
    zvhd2: Option<WireInfo>,
    inside: Option<WireInside>,
    /// The name of the disk's file in an archive, if one was selected; else null.
    member: Option<String>,
    /// Why that disk was selected: `requested`, `only`, or `only-system-disk`; else null.
    disk_choice: Option<&'static str>,
    /// The system on the disk; null if there is none, or its files were not read.
    system: Option<WireSystem>,
    /// The volumes on the disk, as in `inspect`; null if they were not read.
    space: Option<Vec<WireVolumeSpace>>,
    /// How much of the data no file holds; null if that is not known.
    saving: Option<WireSaving>,
    /// Checksums of the file that were asked for and found to be right.
    checksums: Vec<WireChecksum>,
    report: Option<WireReport>,
}

/// The system on the disk, in a few words.
#[derive(Debug, JsonSchema, Serialize)]
struct WireSystem {
    /// `linux` or `windows`.
    family: &'static str,
    product: Option<String>,
    /// The version, or the build of a Windows.
    version: Option<String>,
    architecture: Option<String>,
    /// The kernel that starts by default.
    kernel: Option<String>,
    /// Whether a server would start it: `yes` (nothing speaks against it), `no`, `not-known`.
    would_start: &'static str,
}

impl WireSystem {
    fn of(checked: &CheckedImage) -> Option<Self> {
        let would_start = match checked.would_start? {
            WouldStart::Yes => "yes",
            WouldStart::No => "no",
            WouldStart::NotKnown => "not-known",
        };
        match &checked.guest.as_ref()?.system {
            System::Linux(linux) => {
                let release = linux.release.as_ref().ok().map(|release| &release.value);
                let kernel = linux.kernel.as_ref().ok().and_then(|kernel| kernel.version.as_ref().ok());
                Some(Self {
                    family: "linux",
                    product: release.map(|release| release.product.clone()),
                    version: release.map(|release| release.version.clone()),
                    architecture: linux.machine.as_ref().ok().map(|machine| machine.value.to_string()),
                    kernel: kernel.map(|version| version.value.clone()),
                    would_start,
                })
            }
            System::Windows(windows) => {
                let release = windows.release.as_ref().ok().map(|release| &release.value);
                Some(Self {
                    family: "windows",
                    product: release.map(|release| release.product.clone()),
                    version: release.map(|release| release.build.clone()),
                    architecture: windows.machine.as_ref().ok().map(|machine| machine.value.to_string()),
                    kernel: None,
                    would_start,
                })
            }
            System::None | System::NotKnown(_) => None,
        }
    }
}

/// What is on the disk, in a few words; `imsprep inspect` has the rest.
#[derive(Debug, JsonSchema, Serialize)]
struct WireInside {
    table: Option<&'static str>,
    partitions: usize,
    purpose: &'static str,
    system: &'static str,
    firmware: &'static str,
    architecture: &'static str,
}

impl From<&Inspection> for WireInside {
    fn from(inspection: &Inspection) -> Self {
        let summary = &inspection.summary;
        Self {
            table: inspection.table.as_ref().map(|table| table.kind.name()),
            partitions: inspection.partitions.len(),
            purpose: summary.purpose.name(),
            system: summary.system.name(),
            firmware: summary.firmware.name(),
            architecture: summary.architecture.name(),
        }
    }
}

impl Document<Files> {
    pub(crate) fn new_check(outcomes: &[Outcome], policy: &Policy, worst: Status) -> Self {
        let files = outcomes.iter().map(|outcome| File::new(outcome, policy)).collect();
        super::Document::new("imsprep.check", worst, UnderPolicy::new(policy, Files { files }))
    }
}

impl Document<OneFile> {
    /// A document on one file alone, for one line of many.
    pub(crate) fn of_file(outcome: &Outcome, policy: &Policy) -> Self {
        let file = OneFile { file: File { exit_status: None, ..File::new(outcome, policy) } };
        super::Document::new("imsprep.check.file", outcome.status, UnderPolicy::new(policy, file))
    }
}

/// The word for a verdict.
pub(crate) fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NotImportable => "not-importable",
        Verdict::Importable(_) => "importable",
    }
}

impl File {
    fn new(outcome: &Outcome, policy: &Policy) -> Self {
        let prefix = policy.intent.prefix.as_ref();
        let key = prefix.and_then(|_| object_key(&outcome.path, &policy.intent));
        let seconds = Some(outcome.elapsed.as_secs_f64());
        let none = Self { key, seconds, ..Self::none(&outcome.path, outcome.status) };
        match &outcome.result {
            Err(error) => Self { error: Some(failure_text(error)), ..none },
            Ok(checked) => Self::of(checked, none),
        }
    }

    /// A file that was checked, with the status that it leads to.
    pub(crate) fn checked(checked: &CheckedImage, status: Status) -> Self {
        Self::of(checked, Self::none(&checked.path, status))
    }

    fn none(path: &Path, status: Status) -> Self {
        Self {
            path: path.into(),
            key: None,
            verdict: "could-not-tell",
            reservations: vec![],
            exit_status: Some(status.number()),
            seconds: None,
            error: None,
            detection: None,
            bitmap: None,
            scan: None,
            zvhd2: None,
            inside: None,
            member: None,
            disk_choice: None,
            system: None,
            space: None,
            saving: None,
            checksums: Vec::new(),
            report: None,
        }
    }

    fn of(checked: &CheckedImage, none: Self) -> Self {
        let verdict = checked.verdict();
        let reservations = match &verdict {
            Verdict::NotImportable => vec![],
            Verdict::Importable(reservations) => {
                reservations.iter().map(|reservation| reservation.name()).collect()
            }
        };
        Self {
            verdict: verdict_name(&verdict),
            reservations,
            detection: Some((&checked.detection).into()),
            bitmap: checked.bitmap.as_ref().map(WireBitmap::from),
            scan: checked.scan.as_ref().map(WireScan::from),
            zvhd2: checked.zvhd2.as_ref().map(WireInfo::from),
            inside: checked.inspection.as_ref().map(WireInside::from),
            member: checked.member.as_ref().map(|member| member.name.clone()),
            disk_choice: checked.member.as_ref().map(|member| choice_name(member.choice)),
            system: WireSystem::of(checked),
            space: checked.space.as_ref().map(volumes),
            saving: checked.saving.map(WireSaving::from),
            checksums: checksums(&checked.checksums),
            report: Some((&checked.report).into()),
            ..none
        }
    }
}
