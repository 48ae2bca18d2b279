//! Data and holes of a sparse file.

use std::fs::File;
use std::path::Path;

use crate::{Error, Extent, Result, sys};

/// Finds the data of a file, for one thread. Where the system can't tell, all of the file is one extent.
#[derive(Debug)]
pub struct ExtentCursor<'a> {
    path: &'a Path,
    file: &'a File,
    size: u64,
    /// The extent found last, and the offset that it is the first one after: a long extent, or a long hole before it,
    /// answers for many positions without asking again.
    last: Option<(u64, Extent)>,
    /// All that lies from here on is a hole.
    hole_from: u64,
}

impl<'a> ExtentCursor<'a> {
    /// A cursor with a flag whether the system's report of holes is reliable; if not, all of the file is one extent.
    pub(crate) fn new(path: &'a Path, file: &'a File, size: u64, trusted: bool) -> Self {
        let all = Extent { start: 0, end: size };
        Self { path, file, size, last: (!trusted).then_some((0, all)), hole_from: size }
    }

    /// Takes over what another cursor of the same file has found: the first data at or after `offset`, uncut.
    pub fn remember(&mut self, offset: u64, found: Extent) {
        self.last = Some((offset.min(found.start), found));
    }

    /// The first data at or after `offset`, cut to begin there; `None` if only holes follow.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if the system fails; that it knows no holes is no failure.
    pub fn data_from(&mut self, offset: u64) -> Result<Option<Extent>> {
        if offset >= self.hole_from {
            return Ok(None);
        }
        if let Some((_, last)) = self.last.filter(|(asked, e)| (*asked..e.end).contains(&offset)) {
            return Ok(Some(Extent { start: last.start.max(offset), end: last.end }));
        }
        let extent = sys::next_data(self.file, offset, self.size)
            .map_err(|e| Error::query(self.path, "find its extents", e))?;
        match extent {
            Some(found) => self.last = Some((offset, found)),
            None => self.hole_from = offset,
        }
        Ok(extent)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::FileExt;

    use crate::ImageFile;

    #[test]
    fn every_byte_that_is_not_zero_lies_in_an_extent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse.raw");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        let places = [0u64, 5 << 20, (9 << 20) + 17, (64 << 20) - 1];
        for place in places {
            file.write_at(&[1], place).unwrap();
        }
        let image = ImageFile::open(&path).unwrap();
        let mut cursor = image.extents();
        let (mut at, mut found) = (0, Vec::new());
        while let Some(extent) = cursor.data_from(at).unwrap() {
            assert!(extent.start >= at && extent.end > extent.start && extent.end <= 64 << 20);
            at = extent.end;
            found.push(extent);
        }
        for place in places {
            assert!(found.iter().any(|e| (e.start..e.end).contains(&place)), "{place} in {found:?}");
        }
    }

    // Elsewhere holes may not be believed.
    #[cfg(target_os = "linux")]
    #[test]
    fn answers_from_memory_are_those_of_a_cursor_that_knows_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse.raw");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        for place in [9 << 20, (9 << 20) + 300_000, 40 << 20] {
            file.write_at(&[1; 100_000], place).unwrap();
        }
        let image = ImageFile::open(&path).unwrap();
        let mut cursor = image.extents();
        for step in 0..2000u64 {
            // Forwards for the most part, and back now and then.
            let offset = (step * 50_021 + (step % 7) * 3_000_017) % (64 << 20);
            assert_eq!(
                cursor.data_from(offset).unwrap(),
                image.extents().data_from(offset).unwrap(),
                "{offset}"
            );
        }
    }

    #[test]
    fn where_holes_are_not_trusted_all_is_one_extent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse.raw");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(10 << 20).unwrap();
        let mut cursor = super::ExtentCursor::new(&path, &file, 10 << 20, false);
        for start in [0, 5, 9 << 20, (10 << 20) - 1] {
            assert_eq!(cursor.data_from(start).unwrap(), Some(super::Extent { start, end: 10 << 20 }));
        }
        assert_eq!(cursor.data_from(10 << 20).unwrap(), None);
        assert_eq!(super::ExtentCursor::new(&path, &file, 0, false).data_from(0).unwrap(), None);
    }

    #[test]
    fn a_file_of_holes_and_an_empty_file_have_no_extent() {
        let dir = tempfile::tempdir().unwrap();
        for size in [0, 1 << 30] {
            let path = dir.path().join(format!("{size}.raw"));
            std::fs::File::create(&path).unwrap().set_len(size).unwrap();
            let image = ImageFile::open(&path).unwrap();
            assert_eq!(image.extents().data_from(0).unwrap(), None);
        }
    }
}
