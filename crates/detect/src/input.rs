//! Bounded reading: what probers see of a file.

use imsprep_source::{ReadAt, ReadAtExt, Result};

/// Bytes read from the start: up to the farthest magic, those of btrfs, ReiserFS and UFS2 beyond 64 KiB.
pub(crate) const HEAD: u64 = 72 << 10;

/// A file and its first bytes.
pub(crate) struct Input<'a> {
    source: &'a dyn ReadAt,
    head: Vec<u8>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt) -> Result<Self> {
        let mut input = Self { source, head: Vec::new() };
        input.head = input.read(0, HEAD)?;
        Ok(input)
    }

    pub(crate) fn size(&self) -> u64 {
        self.source.size()
    }

    /// The first bytes: fewer than asked of a file only if it has no more.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(crate) fn starts_with(&self, magic: &[u8]) -> bool {
        self.head.starts_with(magic)
    }

    /// Whether these bytes are at that offset of the head.
    pub(crate) fn has(&self, offset: usize, magic: &[u8]) -> bool {
        self.head.get(offset..).is_some_and(|rest| rest.starts_with(magic))
    }

    /// `N` bytes of the head, or `None` if they aren't all there.
    pub(crate) fn head_array<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        self.head.get(usize::try_from(offset).ok()?..)?.first_chunk().copied()
    }

    /// `N` bytes from anywhere, or `None` if they aren't all there.
    pub(crate) fn array<const N: usize>(&self, offset: u64) -> Result<Option<[u8; N]>> {
        if let Some(bytes) = self.head_array(offset) {
            return Ok(Some(bytes));
        }
        match offset.checked_add(N as u64) {
            Some(end) if end <= self.size() => self.source.read_array(offset).map(Some),
            _ => Ok(None),
        }
    }

    /// `N` bytes that begin `from_end` bytes before the end of the file.
    pub(crate) fn tail_array<const N: usize>(&self, from_end: u64) -> Result<Option<[u8; N]>> {
        self.size().checked_sub(from_end).map_or(Ok(None), |offset| self.array(offset))
    }

    /// As many bytes as there are from `offset` on, at most `max`. The caller bounds `max`: it is what is allocated.
    pub(crate) fn read(&self, offset: u64, max: u64) -> Result<Vec<u8>> {
        let there = self.size().saturating_sub(offset).min(max);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
        if !bytes.is_empty() {
            self.source.read_at(&mut bytes, offset)?;
        }
        Ok(bytes)
    }
}
