//! `imsprep request --json`

use std::path::Path;

use imsprep_rules::{BodyKind, Filled, Purpose, RequestBody};
use imsprep_toolkit::{PreparedRequest, ValidatedRequest};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::report::WireReport;
use crate::exit::Status;

/// A body that was made.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Made {
    image: WirePath,
    request: WireKind,
    /// Why it is not a quick import.
    why: Option<String>,
    /// Null if there are errors: a wrong body is worse than none.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    body: Option<RequestBody>,
    filled: Vec<WireFilled>,
    bitmap: Option<WirePath>,
    output: Option<WirePath>,
    next_steps: Option<String>,
    /// Values for the tool of `--format`, as a file of variables; null if there are errors, or for the body itself.
    tool_values: Option<String>,
    report: WireReport,
}

/// What else was made of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a> {
    pub(crate) next_steps: Option<&'a str>,
    pub(crate) tool_values: Option<&'a str>,
}

/// A body that was checked.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Validated {
    body: WirePath,
    image: Option<WirePath>,
    /// Null if the body could not be read.
    request: Option<WireKind>,
    report: WireReport,
}

/// Which request it is.
#[derive(Debug, JsonSchema, Serialize)]
struct WireKind {
    method: &'static str,
    path: &'static str,
    /// `quick` or `common`.
    import: &'static str,
    /// `system` or `data`.
    purpose: &'static str,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireFilled {
    field: &'static str,
    value: String,
    why: String,
}

impl Made {
    pub(crate) fn new(
        prepared: &PreparedRequest,
        status: Status,
        written: Option<&Path>,
        texts: Texts<'_>,
    ) -> Self {
        let PreparedRequest { request, facts, bitmap, report } = prepared;
        Self {
            image: facts.path.as_path().into(),
            request: request.kind.into(),
            why: request.why.clone(),
            body: (status == Status::Fine).then(|| request.body.clone()),
            filled: request.filled.iter().map(WireFilled::from).collect(),
            bitmap: bitmap.as_deref().map(WirePath::from),
            output: written.map(WirePath::from),
            next_steps: texts.next_steps.map(str::to_owned),
            tool_values: texts.tool_values.filter(|_| status == Status::Fine).map(str::to_owned),
            report: report.into(),
        }
    }
}

impl Validated {
    pub(crate) fn new(body: &Path, image: Option<&Path>, validated: &ValidatedRequest) -> Self {
        Self {
            body: body.into(),
            image: image.map(WirePath::from),
            request: validated.kind.map(WireKind::from),
            report: (&validated.report).into(),
        }
    }
}

impl From<BodyKind> for WireKind {
    fn from(kind: BodyKind) -> Self {
        Self {
            method: "POST",
            path: kind.endpoint().path(),
            import: if kind.is_quick() { "quick" } else { "common" },
            purpose: match kind.purpose() {
                Purpose::System => "system",
                Purpose::Data => "data",
            },
        }
    }
}

impl From<&Filled> for WireFilled {
    fn from(filled: &Filled) -> Self {
        Self { field: filled.field, value: filled.value.clone(), why: filled.why.clone() }
    }
}
