//! `imsprep verify --json`

use imsprep_toolkit::ListedFile;
use schemars::JsonSchema;
use serde::Serialize;

use super::manifest_input::Listed;
use super::{Document, WirePath};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Outcome;

/// Files that were compared with a manifest.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    files: Vec<File>,
}

/// One of them.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct File {
    #[serde(flatten)]
    path: WirePath,
    /// `ok`, `differs`, `missing`, or `could-not-tell` if it could not be read.
    result: &'static str,
    /// What the manifest has; null if it is a list of `sha256sum`.
    expected_size: Option<u64>,
    expected_sha256: String,
    /// What was found; null if the file was not opened.
    size: Option<u64>,
    /// Null if it was not computed: the file is missing or has another size.
    sha256: Option<String>,
    /// Why it could not be read.
    error: Option<String>,
}

/// A line on one file.
pub(crate) fn one(outcome: &Outcome<ListedFile>, listed: &Listed) -> Document<File> {
    Document::new("imsprep.verify.file", outcome.status, File::new(outcome, listed))
}

/// The document on all files.
pub(crate) fn all(outcomes: &[(Outcome<ListedFile>, Listed)], status: Status) -> Document<Body> {
    let files = outcomes.iter().map(|(outcome, listed)| File::new(outcome, listed)).collect();
    Document::new("imsprep.verify", status, Body { files })
}

impl File {
    fn new(outcome: &Outcome<ListedFile>, listed: &Listed) -> Self {
        let none = Self {
            path: outcome.path.as_path().into(),
            result: "could-not-tell",
            expected_size: listed.size,
            expected_sha256: hexadecimal(&listed.sha256),
            size: None,
            sha256: None,
            error: None,
        };
        match &outcome.result {
            Err(error) => Self { error: Some(failure_text(error)), ..none },
            Ok(ListedFile::Missing) => Self { result: "missing", ..none },
            Ok(ListedFile::OtherSize(size)) => Self { result: "differs", size: Some(*size), ..none },
            Ok(ListedFile::OtherContent(found)) => Self {
                result: "differs",
                size: Some(found.size),
                sha256: Some(hexadecimal(&found.sha256)),
                ..none
            },
            Ok(ListedFile::Same(found)) => Self {
                result: "ok",
                size: Some(found.size),
                sha256: Some(hexadecimal(&found.sha256)),
                ..none
            },
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
