//! What one prober says.

use crate::{Fact, Format};

/// Where the sign was found, strongest first: readers look at the start before they look anywhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SignaturePosition {
    /// In the first bytes.
    Start,
    /// At a fixed offset further on.
    Inside,
    /// At the end.
    End,
}

/// What is in the file at the offsets of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// The disk itself: signs of a raw disk belong there.
    Disk,
    /// Something else: signs of a raw disk are a second format.
    Other,
}

/// A format whose signs are there.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) format: Format,
    pub(crate) variant: Option<&'static str>,
    pub(crate) virtual_size: Option<u64>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) place: SignaturePosition,
    pub(crate) body: Body,
}

impl Candidate {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            variant: None,
            virtual_size: None,
            facts: Vec::new(),
            place: SignaturePosition::Start,
            body: Body::Other,
        }
    }

    pub(crate) fn variant(mut self, variant: &'static str) -> Self {
        self.variant = Some(variant);
        self
    }

    pub(crate) fn virtual_size(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.virtual_size = bytes.into();
        self
    }

    pub(crate) fn damaged(&mut self, what: impl Into<String>) {
        self.facts.push(Fact::Damaged(what.into()));
    }

    pub(crate) fn outside(&mut self, what: impl Into<String>) {
        self.facts.push(Fact::OutsideFile(what.into()));
    }

    /// Says that something of `length` bytes at `offset` is not, or not all, in the file of `size` bytes.
    pub(crate) fn check_within(&mut self, what: &str, (offset, length): (u64, u64), size: u64) {
        let end = offset.checked_add(length);
        if length > 0 && end.is_none_or(|end| end > size) {
            let end = end.map_or("more than any offset".into(), |end| end.to_string());
            self.outside(format!("{what} ends at {end}, but the file ends at {size}"));
        }
    }

    /// Says that the disk's size can't be, if it is more than a signed 64-bit offset reaches.
    pub(crate) fn check_size(&mut self) {
        if let Some(size) = self.virtual_size.filter(|size| i64::try_from(*size).is_err()) {
            self.damaged(format!("a disk of {size} bytes is larger than any reader supports"));
        }
    }
}
