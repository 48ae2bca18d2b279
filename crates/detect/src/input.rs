//! Bounded reading: what probers see of a file.

use imsprep_source::{ReadAt, ReadAtExt, Result};

/// Bytes read from the start: up to the farthest magic, those of btrfs, ReiserFS and UFS2 beyond 64 KiB.
pub(crate) const HEAD: u64 = 72 << 10;

/// Whether probers may read what they find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A file: what is in a wrapper or an archive is read.
    File,
    /// A compressed file in an archive: what is in it is read, and no further wrapper.
    Compressed,
    /// What is in one: a wrapper in a wrapper stays closed, so that no file decides how deep the look goes.
    Inside,
}

/// A file and its first bytes.
pub(crate) struct Input<'a> {
    /// `None`: there is no more than the head, although what it is the head of goes on.
    source: Option<&'a dyn ReadAt>,
    head: Vec<u8>,
    level: Level,
}

impl<'a> Input<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt, level: Level) -> Result<Self> {
        let mut input = Self { source: Some(source), head: Vec::new(), level };
        input.head = input.read(0, HEAD)?;
        Ok(input)
    }

    /// The first bytes of something whose rest and size are unknown.
    pub(crate) fn of_head(head: Vec<u8>) -> Input<'static> {
        Input { source: None, head, level: Level::Inside }
    }

    /// The same to be looked at differently.
    pub(crate) fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Bytes of the whole, where that is known.
    pub(crate) fn known_size(&self) -> Option<u64> {
        self.source.map(ReadAt::size)
    }

    /// Bytes that there may be: where the size is unknown, no end is in sight.
    pub(crate) fn size(&self) -> u64 {
        self.known_size().unwrap_or(u64::MAX)
    }

    /// The file itself, of which a part may be read like a file of its own.
    pub(crate) fn source(&self) -> Option<&'a dyn ReadAt> {
        self.source
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
        match (self.source, offset.checked_add(N as u64)) {
            (Some(source), Some(end)) if end <= source.size() => source.read_array(offset).map(Some),
            _ => Ok(None),
        }
    }

    /// `N` bytes that begin `from_end` bytes before the end of the file.
    pub(crate) fn tail_array<const N: usize>(&self, from_end: u64) -> Result<Option<[u8; N]>> {
        let offset = self.known_size().and_then(|size| size.checked_sub(from_end));
        offset.map_or(Ok(None), |offset| self.array(offset))
    }

    /// As many bytes as there are from `offset` on, at most `max`. The caller bounds `max`: it is what is allocated.
    pub(crate) fn read(&self, offset: u64, max: u64) -> Result<Vec<u8>> {
        let Some(source) = self.source else {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = self.head.get(start..).unwrap_or_default();
            return Ok(rest.get(..usize::try_from(max).unwrap_or(usize::MAX)).unwrap_or(rest).to_vec());
        };
        let there = source.size().saturating_sub(offset).min(max);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
        if !bytes.is_empty() {
            source.read_at(&mut bytes, offset)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_alone_has_no_end_and_no_bytes_beyond() {
        let input = Input::of_head(b"0123456789".to_vec());
        assert_eq!((input.known_size(), input.size()), (None, u64::MAX));
        assert_eq!(input.read(8, 100).unwrap(), b"89");
        assert_eq!(input.read(3, 2).unwrap(), b"34");
        assert_eq!(input.read(u64::MAX, 2).unwrap(), b"");
        assert_eq!(input.array::<2>(8).unwrap(), Some(*b"89"));
        assert_eq!(input.array::<3>(8).unwrap(), None);
        assert_eq!(input.tail_array::<1>(1).unwrap(), None);
    }
}
