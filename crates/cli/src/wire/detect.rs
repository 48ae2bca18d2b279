//! `imsprep detect --json`

use imsprep_detect::{Content, Detection, Evidence, Fact, Inside};
use imsprep_rules::rule_of;
use imsprep_source::FileKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, WirePath};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::{DetectedFile, Outcome};
use crate::words::detect::{codes, fact_text};

/// All files of a call.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Files {
    files: Vec<Row>,
}

/// One file: what it is, or why that is unknown.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    path: WirePath,
    /// `file`, `block-device` or `nbd-export`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    detection: Option<WireDetection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The document on all files.
pub(crate) fn all(outcomes: &[Outcome<DetectedFile>], status: Status) -> Document<Files> {
    Document::new("imsprep.detect", status, Files { files: outcomes.iter().map(Row::from).collect() })
}

/// The document on one file alone.
pub(crate) fn one(outcome: &Outcome<DetectedFile>) -> Document<Row> {
    Document::new("imsprep.detect.file", outcome.status, outcome.into())
}

impl From<&Outcome<DetectedFile>> for Row {
    fn from(outcome: &Outcome<DetectedFile>) -> Self {
        let path = outcome.path.as_path().into();
        match &outcome.result {
            Ok(DetectedFile { kind, detection, .. }) => {
                let kind = match kind {
                    Some(FileKind::BlockDevice) => "block-device",
                    Some(_) => "file",
                    None => "nbd-export",
                };
                Self { path, kind: Some(kind), detection: Some(detection.into()), error: None }
            }
            Err(error) => Self { path, kind: None, detection: None, error: Some(failure_text(error)) },
        }
    }
}

/// What a file is.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireDetection {
    format: &'static str,
    variant: Option<&'static str>,
    file_size: u64,
    virtual_size: Option<u64>,
    also: Vec<&'static str>,
    evidence: Vec<&'static str>,
    facts: Vec<WireFact>,
    codes: Vec<&'static str>,
}

/// Something that matters to an import.
#[derive(Debug, JsonSchema, Serialize)]
struct WireFact {
    fact: &'static str,
    /// The rule that it breaks, if it breaks one by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<WireInside>,
    text: String,
}

/// One thing in a wrapper.
#[derive(Debug, JsonSchema, Serialize)]
struct WireInside {
    name: Option<String>,
    size: Option<u64>,
    format: Option<&'static str>,
    variant: Option<&'static str>,
    virtual_size: Option<u64>,
    evidence: Vec<&'static str>,
    facts: Vec<WireFact>,
    not_looked_at: Option<String>,
}

impl From<&Detection> for WireDetection {
    fn from(found: &Detection) -> Self {
        Self {
            format: found.format.name(),
            variant: found.variant,
            file_size: found.file_size,
            virtual_size: found.virtual_size,
            also: found.also.iter().map(|format| format.name()).collect(),
            evidence: found.evidence.iter().map(Evidence::name).collect(),
            facts: found.facts.iter().map(WireFact::from).collect(),
            codes: codes(found),
        }
    }
}

impl From<&Fact> for WireFact {
    fn from(fact: &Fact) -> Self {
        let (name, values) = match fact {
            Fact::BackingFile(name) => ("backing-file", vec![name.clone()]),
            Fact::ExternalDataFile(name) => ("external-data-file", name.iter().cloned().collect()),
            Fact::Parent(name) => ("parent", name.iter().cloned().collect()),
            Fact::ExtentFiles(names) => ("extent-files", names.clone()),
            Fact::ExtentOf(name) => ("extent-of", name.iter().cloned().collect()),
            Fact::Snapshots(count) => ("snapshots", vec![count.to_string()]),
            Fact::Encrypted(method) => ("encrypted", vec![(*method).to_owned()]),
            Fact::Dirty => ("dirty", vec![]),
            Fact::Corrupt => ("corrupt", vec![]),
            Fact::UnknownIncompatibleFeatures(bits) => {
                ("unknown-incompatible-features", vec![format!("{bits:#x}")])
            }
            Fact::UnknownRequired(what) => ("unknown-required", vec![what.clone()]),
            Fact::OutsideFile(what) => ("outside-file", vec![what.clone()]),
            Fact::SizeDisputed(taken, other) => ("size-disputed", vec![taken.to_string(), other.to_string()]),
            Fact::Damaged(what) => ("damaged", vec![what.clone()]),
            Fact::Inside(_) => ("inside", vec![]),
            Fact::NotLookedAt(what) => ("not-looked-at", vec![what.clone()]),
            Fact::OnlyText => ("only-text", vec![]),
            _ => ("other", vec![]),
        };
        let inside = match fact {
            Fact::Inside(inside) => Some(inside.into()),
            _ => None,
        };
        let code = rule_of(fact).map(|rule| rule.code);
        Self { fact: name, code, values, inside, text: fact_text(fact) }
    }
}

impl From<&Inside> for WireInside {
    fn from(inside: &Inside) -> Self {
        let none = Self {
            name: inside.name.clone(),
            size: inside.size,
            format: None,
            variant: None,
            virtual_size: None,
            evidence: vec![],
            facts: vec![],
            not_looked_at: None,
        };
        match &inside.content {
            Content::Found { format, variant, virtual_size, evidence, facts } => Self {
                format: Some(format.name()),
                variant: *variant,
                virtual_size: *virtual_size,
                evidence: evidence.iter().map(Evidence::name).collect(),
                facts: facts.iter().map(WireFact::from).collect(),
                ..none
            },
            Content::Nothing => none,
            Content::NotLookedAt(why) => Self { not_looked_at: Some(why.clone()), ..none },
        }
    }
}
