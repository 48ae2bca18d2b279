//! All findings of one look at one file, bounded in memory whatever the file holds.

use std::collections::BTreeMap;

use crate::finding::with_file;
use crate::{Finding, Overrides, Rule, Severity};

/// Something that a full check would cover and this one did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    /// What was not looked at.
    pub what: String,
    /// Why it was not.
    pub why: String,
}

/// How often one rule is broken at one severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The rule.
    pub rule: &'static Rule,
    /// The severity that was counted.
    pub severity: Severity,
    /// The severity that the findings would have without overrides, the highest one.
    pub by_itself: Severity,
    /// Findings in all, kept or not.
    pub total: u64,
    /// Findings kept in full in the report.
    pub kept: usize,
}

/// Findings and what was not checked.
///
/// A damaged file can break one rule a million times. Of each rule and severity the first [`Report::KEPT`] findings
/// are kept in full, in the order in which they came; the rest are counted. What comes in is judged by the report's
/// [`Overrides`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    overrides: Overrides,
    findings: Vec<Finding>,
    not_checked: Vec<NotChecked>,
    tallies: BTreeMap<(&'static str, Severity), Tally>,
}

impl Report {
    /// Findings of one rule and severity that are kept in full.
    pub const KEPT: usize = 100;

    /// An empty report.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty report whose findings count as the user wants it.
    pub fn under(overrides: Overrides) -> Self {
        Self { overrides, ..Self::default() }
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.push_counted(finding, 1);
    }

    /// Adds a finding that stands for `times` places, of which it shows one. `times` of 0 adds nothing.
    pub fn push_counted(&mut self, finding: Finding, times: u64) {
        if times == 0 {
            return;
        }
        let by_itself = finding.severity;
        let finding = self.overrides.apply(finding);
        let tally = self.tally(finding.rule, finding.severity, by_itself);
        tally.total = tally.total.saturating_add(times);
        if tally.kept < Self::KEPT {
            tally.kept += 1;
            self.findings.push(finding);
        }
    }

    /// Says that something was not looked at, and why.
    pub fn push_not_checked(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_checked.push(NotChecked { what: what.into(), why: why.into() });
    }

    /// Forgets what was not looked at, for a report that says that in its own words.
    pub fn clear_not_checked(&mut self) {
        self.not_checked.clear();
    }

    /// Adds all that another report holds.
    pub fn merge(&mut self, other: Self) {
        for theirs in other.tallies.values() {
            let severity = self.overrides.severity(theirs.rule, theirs.severity, theirs.rule.convertible);
            let ours = self.tally(theirs.rule, severity, theirs.by_itself);
            // The kept ones are counted when they are pushed below.
            ours.total = ours.total.saturating_add(theirs.total - theirs.kept as u64);
        }
        for finding in other.findings {
            self.push(finding);
        }
        self.not_checked.extend(other.not_checked);
    }

    /// Leaves out every finding of the rules for which `keep` is false.
    pub fn retain_rules(&mut self, keep: impl Fn(&Rule) -> bool) {
        self.findings.retain(|finding| keep(finding.rule));
        self.tallies.retain(|_, tally| keep(tally.rule));
    }

    /// The tally to count in, made if there is none yet.
    fn tally(&mut self, rule: &'static Rule, severity: Severity, by_itself: Severity) -> &mut Tally {
        let new = Tally { rule, severity, by_itself, total: 0, kept: 0 };
        let tally = self.tallies.entry((rule.code, severity)).or_insert(new);
        tally.by_itself = tally.by_itself.max(by_itself);
        tally
    }

    /// Gives each finding for which there is one a fix that is more exact.
    pub fn set_fixes(&mut self, fix: impl Fn(&Finding) -> Option<String>) {
        for finding in &mut self.findings {
            if let Some(fix) = fix(finding) {
                finding.fix = Some(fix);
            }
        }
    }

    /// Puts the file's name, as a shell takes it, into the commands of all advice that has `FILE` in its place.
    pub fn name_file(&mut self, file: &str) {
        for finding in self.findings.iter_mut().filter(|finding| finding.fix.is_none()) {
            finding.fix = with_file(finding.advice(), file);
        }
    }

    /// Puts the findings into the order of their places in the file, then of their codes: the same for any number of
    /// threads that made them.
    pub fn sort_by_place(&mut self) {
        self.findings.sort_by(|a, b| {
            let key = |f: &Finding| (f.offset, f.rule.code, f.block);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
    }

    /// The findings kept in full, in the order in which they were made.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was not looked at.
    pub fn not_checked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// How often each rule is broken, by code.
    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.values()
    }

    /// Findings of this severity, kept or not.
    pub fn count(&self, severity: Severity) -> u64 {
        self.tallies.values().filter(|t| t.severity == severity).map(|t| t.total).sum()
    }

    /// Findings of this rule, kept or not.
    pub fn count_of(&self, rule: &'static Rule) -> u64 {
        self.tallies.values().filter(|t| t.rule.code == rule.code).map(|t| t.total).sum()
    }

    /// The highest severity in the report.
    pub fn worst(&self) -> Option<Severity> {
        self.tallies.values().map(|t| t.severity).max()
    }

    /// The rules that would have errors here if the user did not allow them.
    pub fn allowed_errors(&self) -> impl Iterator<Item = &'static Rule> {
        let allowed = |t: &&Tally| t.severity == Severity::Allowed && t.by_itself == Severity::Error;
        self.tallies.values().filter(allowed).map(|t| t.rule)
    }

    /// Whether anything in it is an error.
    pub fn has_errors(&self) -> bool {
        self.worst() == Some(Severity::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static RULE: Rule = Rule {
        code: "EX-001",
        severity: Severity::Warning,
        convertible: true,
        service_code: None,
        title: "t",
        why: "w",
        source: "s",
        fix: "f",
    };

    #[test]
    fn a_million_findings_keep_a_hundred_and_count_all() {
        let mut report = Report::new();
        for offset in 0..1_000_000 {
            report.push(Finding::new(&RULE, "again").at(offset));
        }
        assert_eq!(report.findings().len(), Report::KEPT);
        assert_eq!(report.findings()[99].offset, Some(99));
        assert_eq!(report.count(Severity::Warning), 1_000_000);
        assert_eq!(report.count(Severity::Error), 0);
    }

    #[test]
    fn merging_adds_the_counts_once() {
        let mut one = Report::new();
        let mut two = Report::new();
        for offset in 0..150 {
            one.push(Finding::new(&RULE, "one").at(offset));
            two.push(Finding::new(&RULE, "two").at(offset));
        }
        two.push_not_checked("content", "a quick look");
        one.merge(two);
        assert_eq!(one.count_of(&RULE), 300);
        assert_eq!(one.findings().len(), Report::KEPT);
        assert_eq!(one.not_checked().len(), 1);

        let mut empty = Report::new();
        let mut few = Report::new();
        few.push(Finding::new(&RULE, "few"));
        empty.merge(few);
        assert_eq!((empty.count_of(&RULE), empty.findings().len()), (1, 1));
    }

    #[test]
    fn sorting_changes_the_order_and_nothing_else() {
        let mut report = Report::new();
        for offset in (0..150).rev() {
            report.push(Finding::new(&RULE, "x").at(offset));
        }
        report.push(Finding::new(&RULE, "of no place").severity(Severity::Note));
        report.sort_by_place();
        assert_eq!(report.findings().first().unwrap().offset, None);
        assert!(report.findings().is_sorted_by_key(|f| f.offset));
        assert_eq!((report.count(Severity::Warning), report.count(Severity::Note)), (150, 1));
    }

    #[test]
    fn a_rule_that_is_left_out_is_not_counted_either() {
        let mut report = Report::new();
        for offset in 0..150 {
            report.push(Finding::new(&RULE, "x").at(offset));
        }
        report.retain_rules(|rule| rule.code != RULE.code);
        assert_eq!((report.findings().len(), report.count_of(&RULE), report.worst()), (0, 0, None));
    }

    #[test]
    fn what_is_allowed_is_kept_and_does_not_count_and_what_is_denied_is_an_error() {
        let mut overrides = Overrides::new();
        overrides.allow(&RULE, Some("we know".into()));
        let mut report = Report::under(overrides.clone());
        report.push(Finding::new(&RULE, "as it is"));
        assert!(report.allowed_errors().next().is_none());
        let mut other = Report::new();
        for _ in 0..150 {
            other.push(Finding::new(&RULE, "graver").severity(Severity::Error));
        }
        report.merge(other.clone());
        assert_eq!((report.worst(), report.has_errors()), (Some(Severity::Allowed), false));
        assert_eq!((report.count(Severity::Allowed), report.count(Severity::Error)), (151, 0));
        assert_eq!(report.findings().len(), Report::KEPT);
        let allowed = report.findings()[1].allowed.clone().unwrap();
        assert_eq!((allowed.instead_of, allowed.because.as_deref()), (Severity::Error, Some("we know")));
        assert_eq!(report.allowed_errors().map(|rule| rule.code).collect::<Vec<_>>(), ["EX-001"]);

        // The last word holds.
        overrides.deny(&RULE);
        let mut report = Report::under(overrides);
        report.push(Finding::new(&RULE, "a note").severity(Severity::Note));
        report.merge(other);
        assert_eq!((report.count(Severity::Error), report.count_of(&RULE)), (151, 151));
        assert!(report.findings().iter().all(|finding| finding.allowed.is_none()));
    }

    #[test]
    fn severities_are_counted_apart() {
        let mut report = Report::new();
        report.push(Finding::new(&RULE, "as it is"));
        report.push(Finding::new(&RULE, "raised").severity(Severity::Error));
        assert_eq!(report.worst(), Some(Severity::Error));
        assert_eq!((report.count(Severity::Warning), report.count(Severity::Error)), (1, 1));
    }
}
