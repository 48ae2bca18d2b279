//! Reading a sparse file in large blocks, of which holes are a part.
//!
//! The system makes pages of zeros for a hole that is read. That takes longer than to compress them, and drives out of memory
//! what others need there. So the buffer is filled here where the file has a hole.

use std::sync::{Mutex, PoisonError};

use crate::{Extent, ExtentCursor, Result};

/// Reads of fewer bytes are passed on as they are: the system fills a short hole faster than it says where it is.
pub(crate) const ASKED_FROM: usize = 256 << 10;
/// Holes of fewer bytes between data are read, for the same reason.
const READ_BELOW: u64 = 64 << 10;

/// The extent that was found last, and the offset that it is the first one after. Shared by all threads: a long extent, of which a
/// file may have only one, is asked for once.
#[derive(Debug, Default)]
pub(crate) struct LastExtent(Box<Mutex<Option<(u64, Extent)>>>);

impl LastExtent {
    /// Fills `buf` with the bytes from `offset` on, which are all in the file: with what `read` gives where there is data, and with
    /// zeros elsewhere. `extents` begins to ask about the file.
    pub(crate) fn read_around_holes<'f>(
        &self,
        extents: impl Fn() -> ExtentCursor<'f>,
        read: impl Fn(&mut [u8], u64) -> Result<()>,
        buf: &mut [u8],
        offset: u64,
    ) -> Result<()> {
        let end = offset.saturating_add(buf.len() as u64);
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let Some(mut data) = self.data_in(extents(), at, end)? else {
                rest.fill(0);
                break;
            };
            while data.end < end
                && let Some(next) = self.data_in(extents(), data.end, end)?
                && next.start - data.end < READ_BELOW
            {
                data.end = next.end;
            }
            let [hole, length] = [data.start - at, data.end - data.start]
                .map(|length| usize::try_from(length).unwrap_or(usize::MAX).min(rest.len()));
            let (zeros, after) = rest.split_at_mut(hole);
            zeros.fill(0);
            let (bytes, after) = after.split_at_mut(length.min(after.len()));
            read(bytes, data.start)?;
            (rest, at) = (after, data.end);
        }
        Ok(())
    }

    /// The first data from an offset on and before another one.
    pub(crate) fn data_in(
        &self,
        mut extents: ExtentCursor<'_>,
        from: u64,
        end: u64,
    ) -> Result<Option<Extent>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, extent)) = *last {
            extents.remember(asked, extent);
        }
        let found = extents.data_from(from)?;
        if let Some(found) = found
            && last.is_none_or(|(asked, last)| !(asked..last.end).contains(&from))
        {
            *last = Some((from, found));
        }
        let found = found.filter(|extent| extent.start < end);
        Ok(found.map(|extent| Extent { start: extent.start, end: extent.end.min(end) }))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use proptest::prelude::*;

    use crate::{DiskReader, Error, ImageFile, ReadAt};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        /// Against the file as it is, for reads of any length, at the ends of holes and data, of short holes and long ones.
        #[test]
        fn gives_the_bytes_of_the_file(
            pieces in prop::collection::vec((0u64..600, 1usize..40), 0..12),
            tail in 0u64..600_000,
            reads in prop::collection::vec((0u64..4 << 20, 0usize..3 << 20), 1..12),
        ) {
            let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
            let path = dir.path().join("disk.raw");
            let file = File::create(&path).unwrap();
            let mut at = 0;
            for (gap, length) in pieces {
                at += gap * 4096;
                file.write_all_at(&vec![0x5a; length * 4000], at).unwrap();
                at += length as u64 * 4000;
            }
            file.set_len(at + tail).unwrap();
            let image = ImageFile::open(&path).unwrap();
            let all = std::fs::read(&path).unwrap();
            prop_assert_eq!((image.size(), image.path()), (all.len() as u64, path.as_path()));
            for (start, length) in reads.into_iter().chain([(0, all.len()), (0, all.len() + 1)]) {
                // What was in the buffer must not stay there.
                let mut buf = vec![0xff; length];
                let wanted = usize::try_from(start).unwrap()..usize::try_from(start).unwrap() + length;
                match all.get(wanted) {
                    Some(wanted) => {
                        image.read_at(&mut buf, start).unwrap();
                        prop_assert!(buf == wanted, "{} {}", start, length);
                    }
                    None => {
                        let error = image.read_at(&mut buf, start).unwrap_err();
                        let end = start.max(all.len() as u64);
                        let is_expected = matches!(error, Error::UnexpectedEnd { offset, .. } if offset == end);
                        prop_assert!(is_expected, "{}", error);
                    }
                }
            }
        }
    }

    /// That is what it is for: the pages of a hole do not come into memory.
    #[cfg(target_os = "linux")]
    #[test]
    fn holes_are_not_kept_in_memory() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("disk.raw");
        let file = File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        file.write_all_at(&[1; 4096], 33 << 20).unwrap();
        let image = ImageFile::open(&path).unwrap();
        DiskReader::announce(&image, 0, 64 << 20);
        image.read_at(&mut vec![0; 64 << 20], 0).unwrap();
        let residency = crate::sys::Residency::new(&File::open(&path).unwrap(), 64 << 20).unwrap();
        let kept = residency.pages(0, 64 << 20).unwrap().iter().filter(|page| **page & 1 != 0).count();
        assert!(kept <= 64, "{kept} pages");
    }
}
