//! `imsprep summary --json`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use crate::codes::find_rule;
use crate::summary::{CodeCount, Name, NotCounted, Slow, Standing, Summary, ToDo};

/// Unexpected images that are named.
const UNEXPECTED: usize = 100;

/// One report on many images.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    images: Images,
    /// Importable ones with warnings.
    with_warnings: u64,
    reservations: BTreeMap<String, u64>,
    /// Bytes of all image files.
    bytes: u64,
    /// Time that all images took together, or null if no document has it.
    seconds: Option<f64>,
    documents: Documents,
    /// Null without a list of what is expected.
    unexpected: Option<Unexpected>,
    runs: Vec<WireRun>,
    findings: Vec<WireCode>,
    slowest: Vec<WireSlow>,
    to_do: Vec<WireToDo>,
}

/// Images by how they stand.
#[derive(Debug, JsonSchema, Serialize)]
struct Images {
    total: u64,
    importable: u64,
    held_back: u64,
    not_importable: u64,
    could_not_look: u64,
    missing: u64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Documents {
    counted: u64,
    /// How often an image was spoken of again; the last counts.
    again: u64,
    not_counted: u64,
    /// The first of those.
    listed: Vec<WireNotCounted>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNotCounted {
    /// Null for standard input.
    file: Option<WirePath>,
    line: u64,
    why: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Unexpected {
    total: usize,
    listed: Vec<WirePath>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRun {
    tool_version: String,
    rule_set: String,
    profile: String,
    images: u64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireCode {
    code: String,
    severity: &'static str,
    /// Null of a code that this version does not have.
    title: Option<&'static str>,
    images: u64,
    times: u64,
    examples: Vec<WirePath>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSlow {
    #[serde(flatten)]
    path: WirePath,
    seconds: f64,
    bytes: u64,
}

/// An image that does not pass.
#[derive(Debug, JsonSchema, Serialize)]
struct WireToDo {
    #[serde(flatten)]
    path: WirePath,
    standing: &'static str,
    exit_status: u8,
    error: Option<String>,
    errors: u64,
    /// The most severe finding.
    code: Option<String>,
    message: Option<String>,
    fix: Option<String>,
}

impl From<&Name> for WirePath {
    fn from(name: &Name) -> Self {
        let bytes = name.bytes();
        let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let path_bytes = std::str::from_utf8(bytes).is_err().then(hex);
        Self { path: String::from_utf8_lossy(bytes).into_owned(), path_bytes }
    }
}

impl From<&Summary> for Body {
    fn from(summary: &Summary) -> Self {
        let runs = summary.runs.iter().map(|(run, images)| WireRun {
            tool_version: run.tool_version.clone(),
            rule_set: run.rule_set.clone(),
            profile: run.profile.clone(),
            images: *images,
        });
        Self {
            images: Images {
                total: summary.images(),
                importable: summary.count(Standing::Importable),
                held_back: summary.count(Standing::HeldBack),
                not_importable: summary.count(Standing::NotImportable),
                could_not_look: summary.count(Standing::CouldNotLook),
                missing: summary.count(Standing::Missing),
            },
            with_warnings: summary.with_warnings,
            reservations: summary.reservations.clone(),
            bytes: summary.bytes,
            seconds: summary.seconds,
            documents: Documents {
                counted: summary.documents,
                again: summary.again,
                not_counted: summary.not_counted_total,
                listed: summary.not_counted.iter().map(WireNotCounted::from).collect(),
            },
            unexpected: summary.unexpected.as_ref().map(|names| Unexpected {
                total: names.len(),
                listed: names.iter().take(UNEXPECTED).map(WirePath::from).collect(),
            }),
            runs: runs.collect(),
            findings: summary.findings.iter().map(WireCode::from).collect(),
            slowest: summary.slowest.iter().map(WireSlow::from).collect(),
            to_do: summary.to_do.iter().map(WireToDo::from).collect(),
        }
    }
}

impl From<&NotCounted> for WireNotCounted {
    fn from(piece: &NotCounted) -> Self {
        let file = piece.file.as_deref().map(WirePath::from);
        Self { file, line: piece.line, why: piece.why.clone() }
    }
}

impl From<&CodeCount> for WireCode {
    fn from(count: &CodeCount) -> Self {
        Self {
            code: count.code.clone(),
            severity: count.severity.as_str(),
            title: find_rule(&count.code).ok().map(|rule| rule.title),
            images: count.images,
            times: count.times,
            examples: count.examples.iter().map(WirePath::from).collect(),
        }
    }
}

impl From<&Slow> for WireSlow {
    fn from(slow: &Slow) -> Self {
        Self { path: (&slow.name).into(), seconds: slow.seconds, bytes: slow.bytes }
    }
}

impl From<&ToDo> for WireToDo {
    fn from(item: &ToDo) -> Self {
        let finding = item.trouble.finding.as_ref();
        Self {
            path: (&item.name).into(),
            standing: item.standing.name(),
            exit_status: item.exit_status,
            error: item.trouble.error.clone(),
            errors: item.trouble.errors,
            code: finding.map(|finding| finding.code.clone()),
            message: finding.map(|finding| finding.message.clone()),
            fix: finding.map(|finding| finding.fix.clone()),
        }
    }
}
