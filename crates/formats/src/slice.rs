//! A part of a file.

use std::path::Path;
use std::sync::Arc;

use imsprep_source::{DiskReader, Error, Extent, ReadAt, ReadAtExt, Result, Sparse, SparseMap};

use crate::Error as OpenError;

/// Bytes of the disk that a block's number in an error counts: the block of ZVHD2 and of the bitmap.
const BLOCK: u64 = 2 << 20;

/// Neighbouring bytes of a file, with offsets of their own: all of it, the body of a fixed VHD, a member of an archive.
///
/// Errors name the file, and the offset in the file; of a member that is stored without its holes that in the member.
#[derive(Clone)]
pub struct Slice<'a> {
    source: Source<'a>,
    start: u64,
    size: u64,
}

/// Where the bytes come from.
#[derive(Clone)]
enum Source<'a> {
    File(&'a dyn DiskReader),
    Sparse(Arc<Sparse<'a, dyn DiskReader + 'a>>),
}

impl<'a> Source<'a> {
    fn get(&self) -> &(dyn DiskReader + 'a) {
        match self {
            Self::File(file) => *file,
            Self::Sparse(file) => &**file,
        }
    }
}

impl<'a> Slice<'a> {
    /// All of the file.
    pub fn whole(source: &'a dyn DiskReader) -> Self {
        Self { source: Source::File(source), start: 0, size: source.size() }
    }

    /// The file that lies in `source` by `map`: a member of an archive, stored with or without its holes. `None` if it
    /// isn't all there.
    pub fn mapped(source: &'a dyn DiskReader, map: Arc<SparseMap>) -> Option<Self> {
        if let Some(start) = map.as_plain() {
            return Self::whole(source).part(start, map.size());
        }
        (map.end_in_source() <= source.size()).then(|| {
            let size = map.size();
            Self { source: Source::Sparse(Arc::new(Sparse::new(source, map))), start: 0, size }
        })
    }

    /// `size` bytes from `start` on; `None` if they aren't all there.
    pub fn part(&self, start: u64, size: u64) -> Option<Self> {
        let end = start.checked_add(size)?;
        (end <= self.size).then_some(Self {
            start: self.start.checked_add(start)?,
            size,
            source: self.source.clone(),
        })
    }

    /// Whether these bytes are all there.
    pub(crate) fn holds(&self, offset: u64, length: u64) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.size)
    }

    /// Whether the file begins with these bytes.
    pub(crate) fn starts_with<const N: usize>(&self, magic: &[u8; N]) -> Result<bool> {
        Ok(self.holds(0, N as u64) && self.read_array::<N>(0)? == *magic)
    }

    /// The file does not hold what it should for the byte at `at` of the disk.
    pub(crate) fn damaged(&self, at: u64, offset: u64, what: impl Into<String>) -> Error {
        damaged(self.path(), at, self.start.saturating_add(offset), what)
    }

    /// Where it begins in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.start
    }

    /// The headers are not those of a disk that can be read.
    pub(crate) fn unreadable(&self, format: &'static str, offset: u64, what: impl Into<String>) -> OpenError {
        let offset = self.start.saturating_add(offset);
        OpenError::Unreadable { path: self.path().to_owned(), format, offset, what: what.into() }
    }
}

/// A file does not hold what it should, at this offset, for the byte at `at` of the disk.
pub(crate) fn damaged(path: &Path, at: u64, offset: u64, what: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_owned(), offset, block: at / BLOCK, what: what.into() }
}

impl ReadAt for Slice<'_> {
    fn path(&self) -> &Path {
        self.source.get().path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        if !self.holds(offset, buf.len() as u64) {
            let offset = self.start.saturating_add(self.size);
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset });
        }
        self.source.get().read_at(buf, self.start + offset)
    }
}

impl DiskReader for Slice<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        if offset >= self.size {
            return Ok(None);
        }
        let end = self.start + self.size;
        let found = self.source.get().data_from(self.start + offset)?.filter(|extent| extent.start < end);
        Ok(found.map(|extent| Extent {
            start: extent.start.saturating_sub(self.start).max(offset),
            end: extent.end.min(end) - self.start,
        }))
    }

    fn announce(&self, offset: u64, length: u64) {
        if offset < self.size {
            self.source.get().announce(self.start + offset, length.min(self.size - offset));
        }
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;

    use super::*;

    #[test]
    fn a_part_has_offsets_of_its_own_and_ends_where_it_ends() {
        let image = MemoryImage::new("disk", (0..100).collect());
        let whole = Slice::whole(&image);
        let part = whole.part(10, 50).unwrap().part(5, 20).unwrap();
        assert_eq!((part.size(), part.read_array::<2>(3).unwrap()), (20, [18, 19]));
        assert!(matches!(part.read_array::<2>(19), Err(Error::UnexpectedEnd { offset: 35, .. })));
        assert!(part.read_array::<2>(u64::MAX).is_err());
        assert_eq!(part.data_from(3).unwrap(), Some(Extent { start: 3, end: 20 }));
        assert_eq!(part.data_from(20).unwrap(), None);
        assert!(whole.part(60, 41).is_none() && whole.part(u64::MAX, 2).is_none());
        let Error::Damaged { offset: 22, block: 3, .. } = part.damaged(7 << 20, 7, "x") else { panic!() };
    }
}
