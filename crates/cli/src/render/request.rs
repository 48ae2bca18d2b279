//! `imsprep request`: what is said about a body that was made or checked.

use std::fmt;
use std::path::Path;

use imsprep_findings::Severity;
use imsprep_rules::{BodyKind, Profile, RULE_SET_DATE};
use imsprep_toolkit::{PreparedRequest, ValidatedRequest};

use crate::exit::Status;
use crate::policy::Warnings;
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::findings::{Findings, counts};

/// What stands beside a body that was made, on standard error.
pub(crate) struct Made<'a> {
    pub(crate) prepared: &'a PreparedRequest,
    pub(crate) profile: &'a Profile,
    pub(crate) status: Status,
    /// The file that the body went to.
    pub(crate) written: Option<&'a Path>,
    pub(crate) warnings: Warnings,
    pub(crate) detail: Detail,
}

impl fmt::Display for Made<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PreparedRequest { request, facts, report, .. } = self.prepared;
        let bold = style::BOLD;
        let path = facts.path.display().to_string();
        writeln!(f, "{bold}{}{bold:#}: {}, {}", shown(&path), request.endpoint(), request.kind.title())?;
        if let Some(why) = &request.why {
            writeln!(f, "  {why}")?;
        }
        for filled in &request.filled {
            writeln!(f, "  filled in: {} {}: {}", filled.field, shown(&filled.value), shown(&filled.why))?;
        }
        count_line(f, report, self.warnings)?;
        write!(f, "{}", Findings::new(report, self.detail))?;
        rules_line(f, self.profile)?;
        let bad = style::BAD;
        match (self.status, self.written) {
            (Status::Fine, Some(output)) => {
                writeln!(f, "  written to {}", shown(&output.display().to_string()))
            }
            (Status::Fine, None) => Ok(()),
            _ => {
                let what = if report.has_errors() { "errors" } else { "warnings" };
                writeln!(f, "  {bad}no body{bad:#}: fix the {what} above first")
            }
        }
    }
}

/// What came of checking a body, on standard output.
pub(crate) struct Validated<'a> {
    pub(crate) body: &'a Path,
    pub(crate) validated: &'a ValidatedRequest,
    pub(crate) profile: &'a Profile,
    pub(crate) status: Status,
    pub(crate) warnings: Warnings,
    pub(crate) detail: Detail,
}

impl fmt::Display for Validated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ValidatedRequest { kind, report } = self.validated;
        let (style, verdict) = match (self.status, report.has_errors()) {
            (_, true) => (style::BAD, "NOT VALID"),
            (Status::Fine, _) => (style::GOOD, "VALID"),
            _ => (style::BAD, "VALID"),
        };
        let bold = style::BOLD;
        let body = if self.body == Path::new("-") {
            "standard input".into()
        } else {
            self.body.display().to_string()
        };
        write!(f, "{bold}{}{bold:#}: {style}{verdict}{style:#}", shown(&body))?;
        match kind {
            Some(kind) => writeln!(f, " for {}, {}", kind.endpoint(), BodyKind::title(*kind))?,
            None => writeln!(f)?,
        }
        count_line(f, report, self.warnings)?;
        write!(f, "{}", Findings::new(report, self.detail))?;
        rules_line(f, self.profile)
    }
}

fn count_line(
    f: &mut fmt::Formatter<'_>,
    report: &imsprep_findings::Report,
    warnings: Warnings,
) -> fmt::Result {
    let counts = counts(report);
    if counts.is_empty() {
        return Ok(());
    }
    let strict = warnings == Warnings::Count && report.worst() == Some(Severity::Warning);
    let note = if strict { "; --strict treats warnings as errors" } else { "" };
    writeln!(f, "  {}{note}", counts.join(", "))
}

fn rules_line(f: &mut fmt::Formatter<'_>, profile: &Profile) -> fmt::Result {
    let Profile { title, name, .. } = profile;
    writeln!(f, "  rules of {RULE_SET_DATE} for {title} (--profile {name})")
}
