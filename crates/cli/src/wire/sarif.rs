//! `--format sarif`: SARIF 2.1.0, the format of code scanning.
//!
//! A finding is a result, with its rule, its level and its place; one that the user allows is a suppressed result. What could
//! not be read, and what was not checked, are notifications of the run: neither is a result, and neither has passed.

use imsprep_findings::{Finding, GuestPlace, Report, Rule, Severity, Tally};
use imsprep_toolkit::all_rules;
use serde::Serialize;

use super::uri::file_uri;
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Judged;
use crate::terminal::shown;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The whole file.
#[derive(Debug, Serialize)]
pub(crate) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Vec<SarifResult>,
    column_kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

/// A rule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Message,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct RuleProperties {
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Debug, Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    locations: [Location; 1],
}

/// One file.
#[derive(Debug, Serialize)]
struct Artifact {
    location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    roles: [&'static str; 1],
}

#[derive(Clone, Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
    index: usize,
}

/// One finding; or those of a rule that were counted and not kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    occurrence_count: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    #[serde(skip_serializing_if = "ResultProperties::is_empty")]
    properties: ResultProperties,
}

/// That the user allows it.
#[derive(Debug, Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct ResultProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<String>,
}

impl ResultProperties {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

/// A place in the system on the disk: `partition 2: /etc/fstab:3`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    byte_offset: u64,
}

/// The log of a check.
pub(crate) fn log(files: &[Judged<'_>], worst: Status) -> Log {
    let rules = all_rules();
    let (mut artifacts, mut results, mut notifications) = (Vec::new(), Vec::new(), Vec::new());
    for (index, file) in files.iter().enumerate() {
        let place = AnalyzedFile { uri: file_uri(file.path), index };
        artifacts.push(place.artifact(file.size));
        match file.result {
            Ok(report) => {
                add_report(report, &place, &rules, &mut results);
                notifications.extend(not_checked(report, &place));
            }
            Err(error) => notifications.push(place.notification("error", failure_text(error))),
        }
    }
    let invocation = Invocation {
        execution_successful: worst < Status::CouldNotLook,
        exit_code: worst.number(),
        tool_execution_notifications: notifications,
    };
    let driver = Driver {
        name: "imsprep",
        semantic_version: env!("CARGO_PKG_VERSION"),
        information_uri: env!("CARGO_PKG_REPOSITORY"),
        rules: rules.iter().map(|rule| Descriptor::from(*rule)).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        invocations: [invocation],
        artifacts,
        results,
        column_kind: "utf16CodeUnits",
    };
    Log { schema: SCHEMA, version: "2.1.0", runs: [run] }
}

/// The file that something is about.
struct AnalyzedFile {
    uri: String,
    index: usize,
}

impl AnalyzedFile {
    fn location(&self, offset: Option<u64>) -> Location {
        let artifact_location = ArtifactLocation { uri: self.uri.clone(), index: self.index };
        let region = offset.map(|byte_offset| Region { byte_offset });
        let physical_location = PhysicalLocation { artifact_location, region };
        Location { physical_location, logical_locations: Vec::new() }
    }

    fn location_of(&self, finding: &Finding) -> Location {
        let logical = |place: &GuestPlace| LogicalLocation {
            fully_qualified_name: shown(&place.to_string()).to_string(),
        };
        let logical_locations = finding.guest.iter().map(logical).collect();
        Location { logical_locations, ..self.location(finding.offset) }
    }

    fn artifact(&self, length: Option<u64>) -> Artifact {
        Artifact {
            location: ArtifactLocation { uri: self.uri.clone(), index: self.index },
            length,
            roles: ["analysisTarget"],
        }
    }

    fn notification(&self, level: &'static str, text: String) -> Notification {
        Notification { level, message: Message { text }, locations: [self.location(None)] }
    }
}

fn not_checked(report: &Report, place: &AnalyzedFile) -> Vec<Notification> {
    let items = report.not_checked().iter();
    items
        .map(|item| {
            place.notification("note", format!("not checked: {}: {}", shown(&item.what), shown(&item.why)))
        })
        .collect()
}

fn add_report(report: &Report, place: &AnalyzedFile, rules: &[&Rule], results: &mut Vec<SarifResult>) {
    let index_of = |rule: &Rule| rules.iter().position(|known| known.code == rule.code);
    for finding in report.findings() {
        results.push(SarifResult {
            rule_id: finding.rule.code,
            rule_index: index_of(finding.rule),
            level: level(finding.allowed.as_ref().map_or(finding.severity, |allowed| allowed.instead_of)),
            message: Message { text: text_of(finding) },
            locations: [place.location_of(finding)],
            occurrence_count: None,
            suppressions: suppressions(finding.severity, finding),
            properties: ResultProperties {
                block: finding.block,
                expected: finding.expected.as_deref().map(|text| shown(text).to_string()),
                found: finding.found.as_deref().map(|text| shown(text).to_string()),
            },
        });
    }
    for tally in report.tallies().filter(|tally| tally.total > tally.kept as u64) {
        results.push(rest_of(tally, report, place, index_of(tally.rule)));
    }
}

/// One result for all the places of a rule that were counted and not kept.
fn rest_of(tally: &Tally, report: &Report, place: &AnalyzedFile, rule_index: Option<usize>) -> SarifResult {
    let left = tally.total.saturating_sub(tally.kept as u64);
    let same =
        |finding: &&Finding| finding.rule.code == tally.rule.code && finding.severity == tally.severity;
    SarifResult {
        rule_id: tally.rule.code,
        rule_index,
        level: level(tally.by_itself),
        message: Message { text: format!("{}: and {left} more places", tally.rule.title) },
        locations: [place.location(None)],
        occurrence_count: Some(left),
        suppressions: report
            .findings()
            .iter()
            .find(same)
            .map(|finding| suppressions(tally.severity, finding))
            .unwrap_or_default(),
        properties: ResultProperties::default(),
    }
}

fn suppressions(severity: Severity, finding: &Finding) -> Vec<Suppression> {
    let allowed = (severity == Severity::Allowed).then_some(finding.allowed.as_ref()).flatten();
    let suppression = |justification| Suppression { kind: "external", status: "accepted", justification };
    allowed.map(|allowed| suppression(allowed.because.clone())).into_iter().collect()
}

/// What is wrong, and how to fix it: viewers show little else.
fn text_of(finding: &Finding) -> String {
    format!("{}: {}. Fix: {}.", finding.rule.title, shown(&finding.message), shown(finding.advice()))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note | Severity::Allowed => "note",
    }
}

impl From<&Rule> for Descriptor {
    fn from(rule: &Rule) -> Self {
        let sentence = |text: &str| Message { text: format!("{text}.") };
        Self {
            id: rule.code,
            short_description: sentence(rule.title),
            full_description: sentence(rule.why),
            help: sentence(rule.fix),
            default_configuration: Configuration { level: level(rule.severity) },
            properties: RuleProperties { source: rule.source },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    static RULE: Rule = Rule {
        code: "BM-002",
        severity: Severity::Warning,
        convertible: true,
        service_code: None,
        title: "t",
        why: "w",
        source: "s",
        fix: "f",
    };

    #[test]
    fn places_that_were_not_kept_are_counted_in_one_result() {
        let mut report = Report::new();
        for offset in 0..250 {
            report.push(Finding::new(&RULE, "at\u{1b} a place").at(offset));
        }
        let place = AnalyzedFile { uri: file_uri(Path::new("a.raw")), index: 0 };
        let mut results = Vec::new();
        add_report(&report, &place, &all_rules(), &mut results);
        assert_eq!(results.len(), Report::KEPT + 1);
        let json = serde_json::to_value(&results).unwrap();
        assert_eq!(json[7]["locations"][0]["physicalLocation"]["region"]["byteOffset"], 7);
        assert_eq!(json[7]["message"]["text"], "t: at\\u{1b} a place. Fix: f.");
        assert_eq!(json[Report::KEPT]["occurrenceCount"], 150);
        assert_eq!(json[Report::KEPT]["level"], "warning");
    }
}
