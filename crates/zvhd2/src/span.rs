//! Bytes of the file.

use imsprep_ondisk::format::zvhd2 as disk;

/// A span of bytes that lies in the file, after HEAD and before END.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Span {
    /// `length` bytes from `start` on, if they are after HEAD and before `limit`.
    pub(crate) fn within(start: u64, length: u64, limit: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        (start >= disk::ALIGN && end <= limit).then_some(Self { start, end })
    }

    pub(crate) fn length(self) -> u64 {
        self.end - self.start
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}
