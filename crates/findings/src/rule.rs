//! What can be broken.

use std::fmt;

/// How much a broken rule matters. Ordered: `Allowed < Note < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The user allows it: shown, and never counted.
    Allowed,
    /// Worth knowing, changes no verdict.
    Note,
    /// The import may still work; `--strict` makes it count.
    Warning,
    /// The import fails, or the data would be read wrongly.
    Error,
}

impl Severity {
    /// The word used in text and in JSON: `error`, `warning`, `note` or `allowed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Allowed => "allowed",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One rule that can be broken. Codes are stable: a code is never given to another rule.
///
/// Rules are statics, in tables that [`rules!`](crate::rules) makes, so that the command can print them all.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Stable code, such as `ZV-014`.
    pub code: &'static str,
    /// Severity unless a profile or the user says otherwise.
    pub severity: Severity,
    /// Whether a conversion works in spite of it: all of the disk can be read, and written as it is. A conversion takes an
    /// [allowance](crate::Overrides::allow) of an error for no other rule.
    pub convertible: bool,
    /// The code of the error with which the service itself answers, if its documentation has it, such as `IMG.0175`.
    pub service_code: Option<&'static str>,
    /// What is wrong when the rule is broken, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
    /// How to fix it.
    pub fix: &'static str,
}

impl Rule {
    /// What [`rules!`](crate::rules) makes a rule of that says nothing else.
    #[doc(hidden)]
    pub const fn without_texts(convertible: bool) -> Self {
        Self {
            code: "",
            severity: Severity::Error,
            convertible,
            service_code: None,
            title: "",
            why: "",
            source: "",
            fix: "",
        }
    }

    /// The code as it is shown: with the service's own beside it, where there is one: `IMS-010 (IMG.0175)`.
    pub fn shown_code(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| match self.service_code {
            Some(service) => write!(f, "{} ({service})", self.code),
            None => f.write_str(self.code),
        })
    }
}
