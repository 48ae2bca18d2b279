//! Bytes that are read once, from the first to the last.

use imsprep_source::{ReadAt, Result};

/// What the walk over an archive reads from: a file, or a stream that can't go back.
pub(crate) trait Forward {
    /// Where the next byte is.
    fn position(&self) -> u64;

    /// Fills as much of `buf` as there is, and returns how much: less than all only at the end.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize>;

    /// Goes on to `offset`, which is not before the position, or to the end if that comes first.
    fn skip_to(&mut self, offset: u64) -> Result<()>;
}

/// A source that can be read anywhere: what is skipped is not read.
pub(crate) struct Seeking<'a> {
    source: &'a dyn ReadAt,
    at: u64,
}

impl<'a> Seeking<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt) -> Self {
        Self { source, at: 0 }
    }
}

impl Forward for Seeking<'_> {
    fn position(&self) -> u64 {
        self.at
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.source.size().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        if let Some(part) = buf.get_mut(..length).filter(|part| !part.is_empty()) {
            self.source.read_at(part, self.at)?;
        }
        self.at += length as u64;
        Ok(length)
    }

    fn skip_to(&mut self, offset: u64) -> Result<()> {
        self.at = offset.min(self.source.size()).max(self.at);
        Ok(())
    }
}
