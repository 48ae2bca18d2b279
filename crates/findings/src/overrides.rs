//! What a user makes of rules: some are allowed, some denied.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Allowance, Finding, Rule, Severity};

/// Rules whose findings the user judges otherwise: allowed ones are shown and don't count, denied ones are errors.
///
/// What was said last of a rule holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    allowed: BTreeMap<&'static str, Option<String>>,
    denied: BTreeSet<&'static str>,
    of_conversion: bool,
}

impl Overrides {
    /// None: every rule counts as it is.
    pub const fn new() -> Self {
        Self { allowed: BTreeMap::new(), denied: BTreeSet::new(), of_conversion: false }
    }

    /// Lets this rule be broken, for this reason if one is given.
    pub fn allow(&mut self, rule: &'static Rule, because: Option<String>) {
        self.denied.remove(rule.code);
        self.allowed.insert(rule.code, because);
    }

    /// Makes an error of everything that breaks this rule.
    pub fn deny(&mut self, rule: &'static Rule) {
        self.allowed.remove(rule.code);
        self.denied.insert(rule.code);
    }

    /// The same for a conversion, where an error is allowed only if the conversion works in spite of it.
    #[must_use]
    pub fn of_conversion(mut self) -> Self {
        self.of_conversion = true;
        self
    }

    /// The codes of the rules that are allowed, and of those that are denied.
    pub fn codes(&self) -> (impl Iterator<Item = &'static str>, impl Iterator<Item = &'static str>) {
        (self.allowed.keys().copied(), self.denied.iter().copied())
    }

    /// Whether this rule is allowed.
    pub fn allows(&self, rule: &Rule) -> bool {
        self.allowed.contains_key(rule.code)
    }

    /// Whether this rule is denied.
    pub fn denies(&self, rule: &Rule) -> bool {
        self.denied.contains(rule.code)
    }

    /// What a finding of this rule counts as that would have `severity`. `convertible` is whether a conversion works in spite
    /// of it.
    pub(crate) fn severity(&self, rule: &Rule, severity: Severity, convertible: bool) -> Severity {
        if self.denies(rule) {
            Severity::Error
        } else if self.allows(rule) && (convertible || severity < Severity::Error || !self.of_conversion) {
            Severity::Allowed
        } else {
            severity
        }
    }

    /// The finding as the user judges it.
    pub(crate) fn apply(&self, mut finding: Finding) -> Finding {
        let severity = self.severity(finding.rule, finding.severity, finding.convertible);
        if severity == Severity::Allowed && finding.severity != Severity::Allowed {
            let because = self.allowed.get(finding.rule.code).cloned().flatten();
            finding.allowed = Some(Allowance { instead_of: finding.severity, because });
        }
        finding.severity = severity;
        finding
    }
}
