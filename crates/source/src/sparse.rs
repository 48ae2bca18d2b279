//! A file that is stored without its holes.

use std::path::Path;
use std::sync::Arc;

use crate::{DiskReader, Error, Extent, ReadAt, Result};

/// Neighbouring bytes of a sparse file that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where they belong in the file.
    pub start: u64,
    /// Where they are in the source.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}

impl Stored {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// Where the bytes of a file are in a source; all others are zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseMap {
    /// Ascending, none empty, none over another, all within the size.
    pieces: Vec<Stored>,
    size: u64,
}

impl SparseMap {
    /// A file of `size` bytes. `None` if the pieces do not ascend, lie on each other, or end beyond the file or beyond what
    /// an offset can be.
    pub fn new(size: u64, pieces: impl IntoIterator<Item = Stored>) -> Option<Self> {
        let (mut kept, mut end) = (Vec::<Stored>::new(), 0);
        for piece in pieces {
            if piece.start < end {
                return None;
            }
            end = piece.start.checked_add(piece.length).filter(|end| *end <= size)?;
            let until = piece.offset.checked_add(piece.length)?;
            match kept.last_mut() {
                _ if piece.length == 0 => {}
                Some(last) if last.end() == piece.start && last.offset + last.length == piece.offset => {
                    last.length = until - last.offset;
                }
                _ => kept.push(piece),
            }
        }
        Some(Self { pieces: kept, size })
    }

    /// A file that is stored as it is, from `offset` on.
    pub fn plain(offset: u64, size: u64) -> Option<Self> {
        Self::new(size, [Stored { start: 0, offset, length: size }])
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What is stored, in the order of the file.
    pub fn pieces(&self) -> &[Stored] {
        &self.pieces
    }

    /// Where in the source the file is, if it lies there in one piece without a hole.
    pub fn as_plain(&self) -> Option<u64> {
        match self.pieces[..] {
            [Stored { start: 0, offset, length }] if length == self.size => Some(offset),
            _ => None,
        }
    }

    /// The first offset of the source behind all pieces.
    pub fn end_in_source(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.offset + piece.length).max().unwrap_or(0)
    }

    /// The pieces that end after `at`.
    fn after(&self, at: u64) -> &[Stored] {
        let first = self.pieces.partition_point(|piece| piece.end() <= at);
        self.pieces.get(first..).unwrap_or_default()
    }
}

/// A file that is stored without its holes, with them. Errors name the source, and its offsets.
#[derive(Debug)]
pub struct Sparse<'a, S: ?Sized> {
    source: &'a S,
    map: Arc<SparseMap>,
}

impl<'a, S: ReadAt + ?Sized> Sparse<'a, S> {
    /// Reads from `source` by `map`.
    pub fn new(source: &'a S, map: Arc<SparseMap>) -> Self {
        Self { source, map }
    }
}

impl<S: ReadAt + ?Sized> ReadAt for Sparse<'_, S> {
    fn path(&self) -> &Path {
        self.source.path()
    }

    fn size(&self) -> u64 {
        self.map.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.map.size);
        let end = end.ok_or_else(|| Error::UnexpectedEnd {
            path: self.path().to_owned(),
            offset: self.map.end_in_source(),
        })?;
        let (mut rest, mut at) = (buf, offset);
        for piece in self.map.after(offset).iter().take_while(|piece| piece.start < end) {
            let (from, until) = (piece.start.max(at), piece.end().min(end));
            let hole = usize::try_from(from - at).unwrap_or(usize::MAX);
            let length = usize::try_from(until - from).unwrap_or(usize::MAX);
            let (zeros, after) = rest.split_at_mut(hole.min(rest.len()));
            let (data, after) = after.split_at_mut(length.min(after.len()));
            zeros.fill(0);
            self.source.read_at(data, piece.offset + (from - piece.start))?;
            (rest, at) = (after, until);
        }
        rest.fill(0);
        Ok(())
    }
}

impl<S: DiskReader + ?Sized> DiskReader for Sparse<'_, S> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        for piece in self.map.after(offset) {
            let skipped = offset.saturating_sub(piece.start);
            let (from, end) = (piece.offset + skipped, piece.offset + piece.length);
            // What is stored may have holes of its own in the source.
            if let Some(found) = self.source.data_from(from)?.filter(|extent| extent.start < end) {
                let in_file = |at: u64| piece.start + (at - piece.offset);
                return Ok(Some(Extent {
                    start: in_file(found.start.max(from)),
                    end: in_file(found.end.min(end)),
                }));
            }
        }
        Ok(None)
    }

    fn announce(&self, offset: u64, length: u64) {
        let end = offset.saturating_add(length);
        for piece in self.map.after(offset).iter().take_while(|piece| piece.start < end) {
            let (from, until) = (piece.start.max(offset), piece.end().min(end));
            self.source.announce(piece.offset + (from - piece.start), until - from);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::MemoryImage;

    fn stored((start, offset, length): (u64, u64, u64)) -> Stored {
        Stored { start, offset, length }
    }

    #[test]
    fn pieces_ascend_and_stay_within_the_file() {
        let map = |size, pieces: &[(u64, u64, u64)]| SparseMap::new(size, pieces.iter().copied().map(stored));
        assert_eq!(map(10, &[(2, 7, 3), (5, 10, 1), (10, 0, 0)]).unwrap().pieces(), [stored((2, 7, 4))]);
        assert_eq!(SparseMap::plain(7, 10).unwrap().as_plain(), Some(7));
        assert_eq!(map(10, &[(0, 7, 9)]).unwrap().as_plain(), None);
        for bad in [
            &[(2, 0, 3), (4, 9, 1)][..],
            &[(4, 0, 1), (0, 9, 1)],
            &[(9, 0, 2)],
            &[(11, 0, 0)],
            &[(u64::MAX, 0, 1)],
            &[(0, u64::MAX, 2)],
        ] {
            assert_eq!(map(10, bad), None, "{bad:?}");
        }
    }

    fn index(at: u64) -> usize {
        usize::try_from(at).unwrap()
    }

    proptest! {
        #[test]
        fn the_file_reads_as_a_copy_with_its_holes(
            lengths in prop::collection::vec((0u64..40, 0u64..40), 0..8),
            hole in 0u64..40, offset in 0u64..400, length in 0usize..400
        ) {
            let source = MemoryImage::new("source", (1..=255).cycle().take(1000).collect());
            let (mut pieces, mut at, mut from, mut expected) = (Vec::new(), 0, 3, Vec::new());
            for (skipped, length) in lengths {
                at += skipped;
                pieces.push(stored((at, from, length)));
                expected.resize(index(at), 0);
                let mut data = vec![0; index(length)];
                source.read_at(&mut data, from).unwrap();
                expected.extend(data);
                (at, from) = (at + length, from + length);
            }
            expected.resize(index(at + hole), 0);
            let map = Arc::new(SparseMap::new(at + hole, pieces).unwrap());
            let file = Sparse::new(&source, map);
            let mut buf = vec![9; length];
            let wanted = expected.get(index(offset)..).and_then(|rest| rest.get(..length));
            prop_assert_eq!(file.read_at(&mut buf, offset).is_ok(), wanted.is_some());
            if let Some(wanted) = wanted {
                prop_assert_eq!(&buf, wanted);
            }
            // Its data is everything that is not zero.
            let (mut at, mut by_extents) = (0, vec![0; expected.len()]);
            while let Some(Extent { start, end }) = file.data_from(at).unwrap() {
                prop_assert!(start >= at && end > start && end <= file.size());
                file.read_at(&mut by_extents[index(start)..index(end)], start).unwrap();
                at = end;
            }
            prop_assert_eq!(by_extents, expected);
        }
    }
}
