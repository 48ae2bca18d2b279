//! Facts with the place that they were read from.

use std::fmt;

/// Where in the image something was read. Volume and path come from the image: not to be printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The volume, such as `partition 2` or `logical volume vg0/root`.
    pub volume: String,
    /// The file's path as the guest sees it.
    pub path: String,
    /// The line in the file, from 1; `None` where the whole file, its name or its presence is meant.
    pub line: Option<u32>,
}

impl Origin {
    /// The same file, at another line.
    pub fn at_line(&self, line: u32) -> Self {
        Self { line: Some(line), ..self.clone() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.volume, self.path)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// A value and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was read.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that was read there.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Why something is not known: a short phrase without a full stop. May quote the image: not to be printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// The reason.
    pub reason: String,
    /// Where the search ended, if that is one place.
    pub origin: Option<Origin>,
}

impl NotKnown {
    /// For this reason, at no place in particular.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), origin: None }
    }

    /// For this reason, at this place.
    pub fn at(origin: Origin, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), origin: Some(origin) }
    }
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// A fact, or the reason why it is not known. `Err` is never a judgement of the image: what is not known is "not checked".
pub type Answer<T> = std::result::Result<T, NotKnown>;
