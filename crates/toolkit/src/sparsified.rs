//! A disk without the bytes that no file holds.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use imsprep_source::{DiskReader, Extent, ReadAt, Result};

/// A disk of which certain ranges read as zeros. Nothing in them is read.
pub(crate) struct Sparsified<D> {
    disk: D,
    /// Ascending, none empty, none next to another.
    free: Arc<[Range<u64>]>,
    /// Whether the disk is read in pieces of any size at no cost: then not one byte of a free range is read.
    reads_pieces: bool,
}

impl<D> Sparsified<D> {
    /// The disk with zeros in the ranges `free`, which are ascending and not next to each other. A disk that is decompressed block by block
    /// is read from the first to the last byte that is wanted at once: each piece of a block would cost as much as all of it.
    pub(crate) fn new(disk: D, free: Arc<[Range<u64>]>, reads_pieces: bool) -> Self {
        Self { disk, free, reads_pieces }
    }

    /// The disk as it is.
    pub(crate) fn inner(&self) -> &D {
        &self.disk
    }

    /// The free ranges that share bytes with this one, or begin behind it.
    fn free_from(&self, offset: u64) -> &[Range<u64>] {
        let first = self.free.partition_point(|range| range.end <= offset);
        self.free.get(first..).unwrap_or_default()
    }

    /// The parts of a range that are not free, ascending.
    fn used(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        let mut at = range.start;
        let mut free = self.free_from(at).iter();
        std::iter::from_fn(move || {
            while at < range.end {
                let next = free.next();
                let used = at..next.map_or(range.end, |next| next.start.min(range.end));
                at = next.map_or(range.end, |next| next.end);
                if !used.is_empty() {
                    return Some(used);
                }
            }
            None
        })
    }
}

impl<D: DiskReader> ReadAt for Sparsified<D> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.saturating_add(buf.len() as u64);
        if end > self.disk.size() || self.free_from(offset).first().is_none_or(|free| free.start >= end) {
            return self.disk.read_at(buf, offset);
        }
        let mut used = self.used(offset..end);
        if !self.reads_pieces {
            let Some(first) = used.next() else {
                buf.fill(0);
                return Ok(());
            };
            let all = first.start..used.last().map_or(first.end, |last| last.end);
            if let Some(part) = part(buf, offset, &all) {
                self.disk.read_at(part, all.start)?;
            }
            let free = self.free_from(offset).iter().take_while(|free| free.start < end);
            for free in free.map(|free| free.start.max(offset)..free.end.min(end)) {
                if let Some(part) = part(buf, offset, &free) {
                    part.fill(0);
                }
            }
            return Ok(());
        }
        let mut at = offset;
        for used in used {
            if let Some(part) = part(buf, offset, &(at..used.start)) {
                part.fill(0);
            }
            if let Some(part) = part(buf, offset, &used) {
                self.disk.read_at(part, used.start)?;
            }
            at = used.end;
        }
        if let Some(part) = part(buf, offset, &(at..end)) {
            part.fill(0);
        }
        Ok(())
    }
}

/// The bytes of this range in a buffer that begins at `offset`.
fn part<'b>(buf: &'b mut [u8], offset: u64, range: &Range<u64>) -> Option<&'b mut [u8]> {
    let place = |at: u64| usize::try_from(at.checked_sub(offset)?).ok();
    buf.get_mut(place(range.start)?..place(range.end)?)
}

impl<D: DiskReader> DiskReader for Sparsified<D> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let mut at = offset;
        while let Some(Extent { start, end }) = self.disk.data_from(at)? {
            // The first of its bytes that is not free.
            if let Some(used) = self.used(start..end).next() {
                return Ok(Some(Extent { start: used.start, end: used.end }));
            }
            at = end;
        }
        Ok(None)
    }

    fn announce(&self, offset: u64, length: u64) {
        for used in self.used(offset..offset.saturating_add(length)) {
            self.disk.announce(used.start, used.end - used.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use imsprep_source::MemoryImage;
    use proptest::prelude::*;

    use super::*;

    /// A disk that notes what is read of it, and of which every second stretch is known to be zero.
    struct Watched {
        image: MemoryImage,
        stretch: u64,
        read: Mutex<Vec<bool>>,
    }

    impl ReadAt for Watched {
        fn path(&self) -> &Path {
            self.image.path()
        }
        fn size(&self) -> u64 {
            self.image.size()
        }
        fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
            self.image.read_at(buf, offset)?;
            let start = usize::try_from(offset).unwrap();
            self.read.lock().unwrap()[start..start + buf.len()].fill(true);
            Ok(())
        }
    }

    impl DiskReader for Watched {
        fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
            let number = offset / self.stretch;
            let start = if number.is_multiple_of(2) { offset } else { (number + 1) * self.stretch };
            let end = ((start / self.stretch + 1) * self.stretch).min(self.size());
            Ok((start < self.size()).then_some(Extent { start, end }))
        }
    }

    fn ranges(lengths: &[u64], size: u64) -> Arc<[Range<u64>]> {
        let (mut at, mut all) = (0, Vec::new());
        for pair in lengths.chunks_exact(2) {
            let start = at + pair[0];
            at = (start + pair[1]).min(size);
            if start < at {
                all.push(start..at);
            }
        }
        all.into()
    }

    proptest! {
        #[test]
        fn free_ranges_are_zeros_that_are_not_read(
            size in 1_u64..300, stretch in 1_u64..80, lengths in prop::collection::vec(1_u64..40, 0..14),
            reads in prop::collection::vec((0_u64..300, 0_u64..300), 1..8), reads_pieces in any::<bool>(),
        ) {
            let free = ranges(&lengths, size);
            let is_free = |at: u64| free.iter().any(|range| range.contains(&at));
            let is_hole = |at: u64| (at / stretch) % 2 == 1;
            let bytes = (0..size).map(|at| if is_hole(at) { 0 } else { 1 + u8::try_from(at % 250).unwrap() });
            let image = MemoryImage::new("disk", bytes.clone().collect());
            let read = Mutex::new(vec![false; usize::try_from(size).unwrap()]);
            let disk = Sparsified::new(Watched { image, stretch, read }, Arc::clone(&free), reads_pieces);
            let expected = (0..size).zip(bytes).map(|(at, byte)| if is_free(at) { 0 } else { byte }).collect::<Vec<_>>();
            for (start, length) in reads {
                let start = start % size;
                let length = usize::try_from(length.min(size - start)).unwrap();
                let mut buf = vec![77; length];
                disk.read_at(&mut buf, start).unwrap();
                let from = usize::try_from(start).unwrap();
                prop_assert_eq!(&buf, &expected[from..from + length]);
                prop_assert!(disk.read_at(&mut vec![0; length + 1], size - length as u64).is_err());
            }
            if reads_pieces {
                let read = disk.inner().read.lock().unwrap();
                prop_assert!((0..size).zip(&*read).all(|(at, read)| !(*read && is_free(at))));
            }
            // What is reported as data is all that is neither free nor a hole.
            let mut data = vec![false; usize::try_from(size).unwrap()];
            let mut at = 0;
            while let Some(Extent { start, end }) = disk.data_from(at).unwrap() {
                prop_assert!(start >= at && end > start && end <= size);
                (start..end).for_each(|at| data[usize::try_from(at).unwrap()] = true);
                at = end;
            }
            let naive = (0..size).map(|at| !is_free(at) && !is_hole(at)).collect::<Vec<_>>();
            prop_assert_eq!(data, naive);
        }
    }
}
