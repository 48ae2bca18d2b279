//! Data and holes of a sparse file.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;

use crate::{Error, Result};

/// A stretch of a file in which the file system keeps data. Bytes outside of all extents read as zeros; bytes inside
/// may be zeros too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u64,
    /// First byte after it.
    pub end: u64,
}

/// Finds the data of a file, for one thread. Where the system can't tell, all of the file is one extent.
#[derive(Debug)]
pub struct ExtentCursor<'a> {
    path: &'a Path,
    file: &'a File,
    size: u64,
    /// The extent found last: a long one answers for many positions without asking again.
    last: Option<Extent>,
    /// All that lies from here on is a hole.
    hole_from: u64,
}

impl<'a> ExtentCursor<'a> {
    pub(crate) fn new(path: &'a Path, file: &'a File, size: u64) -> Self {
        Self { path, file, size, last: None, hole_from: size }
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
        if let Some(last) = self.last.filter(|e| (e.start..e.end).contains(&offset)) {
            return Ok(Some(Extent { start: offset, end: last.end }));
        }
        let extent = self.ask(offset)?;
        match extent {
            Some(found) => self.last = Some(found),
            None => self.hole_from = offset,
        }
        Ok(extent)
    }

    fn ask(&self, offset: u64) -> Result<Option<Extent>> {
        let rest = Extent { start: offset, end: self.size };
        let start = match seek(self.file, rustix::fs::SeekFrom::Data(offset)) {
            Ok(start) if start >= self.size => return Ok(None),
            // A file system that answers with an earlier place does not know what it says.
            Ok(start) if start < offset => return Ok(Some(rest)),
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(None),
            Err(e) if knows_no_holes(e) => return Ok(Some(rest)),
            Err(e) => return Err(Error::query(self.path, "find its extents", e)),
        };
        let end = match seek(self.file, rustix::fs::SeekFrom::Hole(start)) {
            // An empty extent would be asked for again and again.
            Ok(end) if end > start => end.min(self.size),
            Ok(_) => self.size,
            // The file shrank: the reads that follow will say so.
            Err(Errno::NXIO) => self.size,
            Err(e) => return Err(Error::query(self.path, "find its extents", e)),
        };
        Ok(Some(Extent { start, end }))
    }
}

fn seek(file: &File, to: rustix::fs::SeekFrom) -> std::result::Result<u64, Errno> {
    rustix::fs::seek(file, to)
}

/// Block devices and file systems without holes answer so.
fn knows_no_holes(e: Errno) -> bool {
    [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOTTY, Errno::SPIPE, Errno::NOSYS].contains(&e)
}

#[cfg(test)]
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
