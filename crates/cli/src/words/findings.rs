//! A report as text: one paragraph for each rule that is broken.

use std::fmt::{self, Write as _};

use imsprep_findings::{Finding, Report, Severity, Tally};

use super::counted;
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;

/// Places of one rule that are printed without `-v`.
const PLACES: usize = 5;

/// Findings by severity, then by code; below, what was not checked.
pub(crate) struct Findings<'a> {
    report: &'a Report,
    detail: Detail,
    /// How many places of a note are printed without `-v`.
    places_of_notes: usize,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(report: &'a Report, detail: Detail) -> Self {
        Self { report, detail, places_of_notes: PLACES }
    }

    /// Prints the title of each note, not its places.
    pub(crate) fn with_titles_of_notes(self) -> Self {
        Self { places_of_notes: 0, ..self }
    }
}

impl fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tally in gravest_first(self.report) {
            self.write_rule(f, tally)?;
        }
        self.write_not_checked(f)
    }
}

impl Findings<'_> {
    fn write_rule(&self, f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
        let (rule, style) = (tally.rule, style::of(tally.severity));
        write!(f, "  {style}{} {}{style:#}: {}", tally.severity, rule.shown_code(), rule.title)?;
        writeln!(f, "{}", if tally.total > 1 { format!(", {} times", tally.total) } else { String::new() })?;
        let all = kept(self.report, tally);
        let limit = match (self.detail, tally.severity) {
            (Detail::Verbose, _) => all.len(),
            (Detail::Normal, Severity::Note) => self.places_of_notes,
            (Detail::Normal, _) => PLACES,
        };
        for finding in all.iter().take(limit) {
            writeln!(f, "      {}", place(finding))?;
        }
        let left = tally.total.saturating_sub(limit.min(all.len()) as u64);
        if left > 0 && limit > 0 {
            let how = if all.len() > limit { "; -v or --json shows more" } else { "" };
            writeln!(f, "      and {left} more{how}")?;
        }
        if self.detail == Detail::Verbose {
            writeln!(f, "      why: {} ({})", rule.why, rule.source)?;
        }
        if let Some(because) = all.first().and_then(|f| f.allowed.as_ref()?.because.as_deref()) {
            writeln!(f, "      allowed: {}", shown(because))?;
        }
        // Advice that is the same for every place is given once.
        if let Some(first) = all.first()
            && tally.severity > Severity::Note
        {
            writeln!(f, "      fix: {}", shown(first.advice()))?;
        }
        Ok(())
    }

    fn write_not_checked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.report.not_checked().is_empty() {
            return Ok(());
        }
        let items = self.report.not_checked();
        if self.detail == Detail::Verbose {
            writeln!(f, "  not checked:")?;
            for item in items {
                writeln!(f, "      {}: {}", shown(&item.what), shown(&item.why))?;
            }
        } else {
            let list = items.iter().map(|item| shown(&item.what).to_string()).collect::<Vec<_>>();
            writeln!(f, "  not checked: {}", list.join("; "))?;
        }
        Ok(())
    }
}

/// The rules that are broken, by severity, then by code.
pub(crate) fn gravest_first(report: &Report) -> Vec<&Tally> {
    let mut tallies = report.tallies().collect::<Vec<_>>();
    tallies.sort_by_key(|tally| (std::cmp::Reverse(tally.severity), tally.rule.code));
    tallies
}

/// The findings of one rule and severity that the report keeps.
pub(crate) fn kept<'a>(report: &'a Report, tally: &Tally) -> Vec<&'a Finding> {
    let same =
        |finding: &&Finding| finding.rule.code == tally.rule.code && finding.severity == tally.severity;
    report.findings().iter().filter(same).collect()
}

/// One rule's findings in full, without colour: for a build server.
pub(crate) fn plain(report: &Report, tally: &Tally) -> String {
    let findings = Findings::new(report, Detail::Verbose);
    let text = fmt::from_fn(|f| findings.write_rule(f, tally)).to_string();
    let text = anstream::adapter::strip_str(&text).to_string();
    // There it stands by itself, not below a file's name.
    text.lines().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect()
}

/// What is wrong at one place, on one line.
pub(crate) fn place(finding: &Finding) -> String {
    let mut text = shown(&finding.message).to_string();
    let mut add = |label: &str, value: &str| {
        // What the sentence says already is not said twice.
        let is_new = !text.to_lowercase().contains(&value.to_lowercase());
        if is_new {
            let _ = write!(text, "{label} {}", shown(value));
        }
        is_new
    };
    if let Some(place) = &finding.guest {
        add(", in", &place.to_string());
    }
    if let Some(block) = finding.block {
        add(", in block", &block.to_string());
    }
    if let Some(offset) = finding.offset {
        add(", at offset", &offset.to_string());
    }
    let mut before = ": ";
    for (label, value) in [("expected", &finding.expected), ("found", &finding.found)] {
        if let Some(value) = value
            && add(&format!("{before}{label}"), value)
        {
            before = ", ";
        }
    }
    text
}

/// "2 errors, 1 warning", without what there is none of.
pub(crate) fn counts(report: &Report) -> Vec<String> {
    [Severity::Error, Severity::Warning, Severity::Note, Severity::Allowed]
        .into_iter()
        .map(|severity| (severity, report.count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| match severity {
            Severity::Allowed => format!("{count} allowed"),
            _ => counted(count, severity.as_str()),
        })
        .collect()
}
