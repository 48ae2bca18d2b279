//! One place where a rule is broken.

use crate::{Allowance, Rule, Severity};

/// One broken rule at one place, with what was found and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The broken rule.
    pub rule: &'static Rule,
    /// The rule's severity, or what a profile or the user made of it.
    pub severity: Severity,
    /// That the user allows it, where the severity is [`Severity::Allowed`].
    pub allowed: Option<Allowance>,
    /// What is wrong here, one sentence without a full stop.
    pub message: String,
    /// Byte offset in the file, where there is one.
    pub offset: Option<u64>,
    /// Block number on the virtual disk, where there is one.
    pub block: Option<u64>,
    /// The field of a request body that it is about, by its path, such as `image_tags[2].key`.
    pub field: Option<String>,
    /// What the rule asks for here.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// How to mend it here, where that is more exact than the rule's own advice.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding with the rule's own severity and no place yet.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            allowed: None,
            message: message.into(),
            offset: None,
            block: None,
            field: None,
            expected: None,
            found: None,
            fix: None,
        }
    }

    /// At this byte offset in the file.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// In this block of the virtual disk.
    #[must_use]
    pub fn in_block(mut self, block: u64) -> Self {
        self.block = Some(block);
        self
    }

    /// In this field of a request body.
    #[must_use]
    pub fn in_field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    /// What the rule asks for.
    #[must_use]
    pub fn expected(mut self, expected: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// What is there instead.
    #[must_use]
    pub fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// How to mend this very finding.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With another severity than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The advice to show: this finding's own, else the rule's.
    pub fn advice(&self) -> &str {
        self.fix.as_deref().unwrap_or(self.rule.fix)
    }
}
