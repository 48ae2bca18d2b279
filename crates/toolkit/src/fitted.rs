//! A disk that was enlarged, with its partition table fitted to its size.

use std::path::Path;
use std::sync::Arc;

use imsprep_inspect::{Fitting, Patch};
use imsprep_source::{DiskReader, Error as SourceError, Extent, ReadAt, Result};

/// A disk that is larger than another one and has other bytes in some places. It goes on in zeros, or in what the other disk has there.
pub(crate) struct Fitted<D> {
    disk: D,
    size: u64,
    /// Ascending, none empty, none over another, all within the size.
    patches: Arc<[Patch]>,
}

impl<D> Fitted<D> {
    pub(crate) fn new(disk: D, fitting: &Fitting) -> Self {
        Self { disk, size: fitting.size_after, patches: fitting.patches.clone().into() }
    }

    /// The disk as it is.
    pub(crate) fn inner(&self) -> &D {
        &self.disk
    }

    /// Bytes that the disk was fitted to; a container may go on after them.
    pub(crate) fn fitted_size(&self) -> u64 {
        self.size
    }

    /// The patches that end after `offset`.
    fn patches_from(&self, offset: u64) -> &[Patch] {
        let first = self.patches.partition_point(|patch| end_of(patch) <= offset);
        self.patches.get(first..).unwrap_or_default()
    }
}

fn end_of(patch: &Patch) -> u64 {
    patch.offset.saturating_add(patch.bytes.len() as u64)
}

impl<D: DiskReader> ReadAt for Fitted<D> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size.max(self.disk.size())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size());
        let Some(end) = end else {
            return Err(SourceError::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() });
        };
        let there = usize::try_from(self.disk.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let (old, added) = buf.split_at_mut(there.min(buf.len()));
        if !old.is_empty() {
            self.disk.read_at(old, offset)?;
        }
        added.fill(0);
        for patch in self.patches_from(offset).iter().take_while(|patch| patch.offset < end) {
            let (from, until) = (patch.offset.max(offset), end_of(patch).min(end));
            let place = |at: u64, start: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
            let new = patch.bytes.get(place(from, patch.offset)..place(until, patch.offset));
            if let Some((old, new)) = buf.get_mut(place(from, offset)..place(until, offset)).zip(new) {
                old.copy_from_slice(new);
            }
        }
        Ok(())
    }
}

impl<D: DiskReader> DiskReader for Fitted<D> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let found = if offset < self.disk.size() { self.disk.data_from(offset)? } else { None };
        let patch = self.patches_from(offset).first();
        let patch = patch.map(|patch| Extent { start: patch.offset.max(offset), end: end_of(patch) });
        Ok(match (found, patch) {
            (Some(found), Some(patch)) if patch.start < found.start => Some(patch),
            (found, patch) => found.or(patch),
        })
    }

    fn announce(&self, offset: u64, length: u64) {
        let end = offset.saturating_add(length).min(self.disk.size());
        if offset < end {
            self.disk.announce(offset, end - offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_reads_as_a_copy_that_was_changed(
            bytes in prop::collection::vec(0_u8..3, 0..120), more in 0_u64..120,
            lengths in prop::collection::vec((0_u64..40, 1_usize..30), 0..5),
            reads in prop::collection::vec((0_u64..250, 0_usize..250), 1..8), cut in any::<bool>(),
        ) {
            let before = bytes.len() as u64;
            // A container may go on after the end of the disk that it was made from.
            let after = if cut { before / 2 } else { before + more };
            let (mut at, mut patches) = (0, Vec::new());
            for (gap, length) in lengths {
                let start = at + gap;
                at = start + length as u64;
                if at <= after {
                    patches.push(Patch { offset: start, bytes: vec![9; length] });
                }
            }
            let mut expected = bytes.clone();
            expected.resize(usize::try_from(before.max(after)).unwrap(), 0);
            for patch in &patches {
                let start = usize::try_from(patch.offset).unwrap();
                expected[start..start + patch.bytes.len()].copy_from_slice(&patch.bytes);
            }
            let fitting = Fitting { size_before: before, size_after: after, backup: None, patches };
            let disk = Fitted::new(MemoryImage::new("disk", bytes), &fitting);
            prop_assert_eq!(disk.size(), expected.len() as u64);
            for (start, length) in reads {
                let mut buf = vec![77; length];
                let from = usize::try_from(start).unwrap();
                let wanted = expected.get(from..).and_then(|rest| rest.get(..length));
                prop_assert_eq!(disk.read_at(&mut buf, start).is_ok(), wanted.is_some());
                if let Some(wanted) = wanted {
                    prop_assert_eq!(&buf, wanted);
                }
            }
            let (mut at, mut by_extents) = (0, vec![0; expected.len()]);
            while let Some(Extent { start, end }) = disk.data_from(at).unwrap() {
                prop_assert!(start >= at && end > start && end <= disk.size());
                let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
                disk.read_at(&mut by_extents[range], start).unwrap();
                at = end;
            }
            prop_assert_eq!(by_extents, expected);
        }
    }
}
