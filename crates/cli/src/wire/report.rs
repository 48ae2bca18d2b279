//! Rules, findings, reports.

use imsprep_findings::{Finding, GuestPlace, Report, Rule, Severity};
use schemars::JsonSchema;
use serde::Serialize;

/// One rule.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireRule {
    code: &'static str,
    /// The code with which the service itself answers, where that is known.
    service_code: Option<&'static str>,
    severity: &'static str,
    /// Whether a conversion works in spite of it.
    convertible: bool,
    title: &'static str,
    why: &'static str,
    source: &'static str,
    fix: &'static str,
}

/// The rule table.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Rules {
    pub(crate) rule_set: &'static str,
    pub(crate) rules: Vec<WireRule>,
    /// Codes of the service's errors that were asked for.
    pub(crate) service_codes: Vec<super::service_codes::WireServiceCode>,
}

impl From<&Rule> for WireRule {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            service_code: rule.service_code,
            severity: rule.severity.as_str(),
            convertible: rule.convertible,
            title: rule.title,
            why: rule.why,
            source: rule.source,
            fix: rule.fix,
        }
    }
}

/// One finding.
#[derive(Debug, JsonSchema, Serialize)]
struct WireFinding {
    code: &'static str,
    /// The code with which the service itself answers, where that is known.
    service_code: Option<&'static str>,
    severity: &'static str,
    title: &'static str,
    message: String,
    offset: Option<u64>,
    block: Option<u64>,
    /// For a request body alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// For the system on the disk alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<WireGuestPlace>,
    expected: Option<String>,
    found: Option<String>,
    why: &'static str,
    source: &'static str,
    fix: String,
    /// The commands in the fix, as they are run; left out if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<String>,
    /// The commands in the fix that run in the system on the disk; left out if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    guest_commands: Vec<String>,
    /// For a finding that the user allows: what it would be, and why it is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<WireAllowance>,
}

/// A place in the system on the disk.
#[derive(Debug, JsonSchema, Serialize)]
struct WireGuestPlace {
    volume: String,
    path: Option<String>,
    line: Option<u32>,
}

impl From<&GuestPlace> for WireGuestPlace {
    fn from(place: &GuestPlace) -> Self {
        Self { volume: place.volume.clone(), path: place.path.clone(), line: place.line }
    }
}

/// That the user allows a finding.
#[derive(Debug, JsonSchema, Serialize)]
struct WireAllowance {
    instead_of: &'static str,
    because: Option<String>,
}

impl From<&Finding> for WireFinding {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.rule.code,
            service_code: finding.rule.service_code,
            severity: finding.severity.as_str(),
            title: finding.rule.title,
            message: finding.message.clone(),
            offset: finding.offset,
            block: finding.block,
            field: finding.field.clone(),
            guest: finding.guest.as_ref().map(WireGuestPlace::from),
            expected: finding.expected.clone(),
            found: finding.found.clone(),
            why: finding.rule.why,
            source: finding.rule.source,
            fix: finding.advice().to_owned(),
            commands: finding.commands().map(str::to_owned).collect(),
            guest_commands: finding.guest_commands().map(str::to_owned).collect(),
            allowed: finding.allowed.as_ref().map(|allowed| WireAllowance {
                instead_of: allowed.instead_of.as_str(),
                because: allowed.because.clone(),
            }),
        }
    }
}

/// How often a rule is broken.
#[derive(Debug, JsonSchema, Serialize)]
struct WireTally {
    code: &'static str,
    severity: &'static str,
    total: u64,
    listed: usize,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNotChecked {
    what: String,
    why: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Counts {
    error: u64,
    warning: u64,
    note: u64,
    allowed: u64,
}

/// A report. `findings` holds the first 100 of each rule; `totals` counts all.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireReport {
    counts: Counts,
    findings: Vec<WireFinding>,
    totals: Vec<WireTally>,
    not_checked: Vec<WireNotChecked>,
}

impl From<&Report> for WireReport {
    fn from(report: &Report) -> Self {
        let mut findings = report.findings().iter().collect::<Vec<_>>();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let not_checked = report.not_checked().iter();
        Self {
            counts: Counts {
                error: report.count(Severity::Error),
                warning: report.count(Severity::Warning),
                note: report.count(Severity::Note),
                allowed: report.count(Severity::Allowed),
            },
            findings: findings.into_iter().map(WireFinding::from).collect(),
            totals: report
                .tallies()
                .map(|tally| WireTally {
                    code: tally.rule.code,
                    severity: tally.severity.as_str(),
                    total: tally.total,
                    listed: tally.kept,
                })
                .collect(),
            not_checked: not_checked
                .map(|item| WireNotChecked { what: item.what.clone(), why: item.why.clone() })
                .collect(),
        }
    }
}
