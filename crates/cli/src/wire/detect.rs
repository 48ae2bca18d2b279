//! `imsprep detect --json`

use std::path::Path;

use imsprep_detect::{Detection, Fact};
use serde::Serialize;

use super::WirePath;
use crate::render::detect::{evidence_text, fact_text};

/// All files of a call.
#[derive(Debug, Serialize)]
pub(crate) struct Files {
    pub(crate) files: Vec<Row>,
}

/// One file: what it is, or why that could not be told.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    path: WirePath,
    #[serde(flatten)]
    detection: Option<WireDetection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Row {
    pub(crate) fn found(path: &Path, detection: &Detection) -> Self {
        Self { path: path.into(), detection: Some(detection.into()), error: None }
    }

    pub(crate) fn failed(path: &Path, error: String) -> Self {
        Self { path: path.into(), detection: None, error: Some(error) }
    }
}

/// What a file is.
#[derive(Debug, Serialize)]
pub(crate) struct WireDetection {
    format: &'static str,
    variant: Option<&'static str>,
    file_size: u64,
    virtual_size: Option<u64>,
    also: Vec<&'static str>,
    evidence: Vec<String>,
    facts: Vec<WireFact>,
}

/// Something that matters to an import.
#[derive(Debug, Serialize)]
struct WireFact {
    fact: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    text: String,
}

impl From<&Detection> for WireDetection {
    fn from(found: &Detection) -> Self {
        Self {
            format: found.format.name(),
            variant: found.variant,
            file_size: found.file_size,
            virtual_size: found.virtual_size,
            also: found.also.iter().map(|format| format.name()).collect(),
            evidence: found.evidence.iter().map(evidence_text).collect(),
            facts: found.facts.iter().map(WireFact::from).collect(),
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
            Fact::Snapshots(count) => ("snapshots", vec![count.to_string()]),
            Fact::Encrypted(method) => ("encrypted", vec![(*method).to_owned()]),
            Fact::Dirty => ("dirty", vec![]),
            Fact::Corrupt => ("corrupt", vec![]),
            Fact::UnknownIncompatibleFeatures(bits) => {
                ("unknown-incompatible-features", vec![format!("{bits:#x}")])
            }
            Fact::Damaged(what) => ("damaged", vec![what.clone()]),
            _ => ("other", vec![]),
        };
        Self { fact: name, values, text: fact_text(fact) }
    }
}
