//! The virtual disk in an image, whatever holds it.

use crate::{Extent, ImageFile, MemoryImage, ReadAt, Result};

/// A virtual disk: the bytes that a machine would see, whatever container they lie in.
///
/// As a [`ReadAt`], [`size`](ReadAt::size) is the disk's size, [`read_at`](ReadAt::read_at) takes an offset on the disk,
/// and [`path`](ReadAt::path) is the file that the disk lies in; so everything that reads a RAW image reads
/// any disk. A RAW image is its own disk.
///
/// Where the container can't give what it should, reading fails with [`Error::Damaged`](crate::Error::Damaged), which
/// names the place in the file, and never returns other bytes in its stead.
pub trait DiskReader: ReadAt {
    /// The first stretch at or after `offset` that may hold data, cut to begin there; `None` if only zeros follow.
    /// Bytes outside of such stretches read as zeros, and that is known without reading any; bytes inside may be zeros
    /// too.
    ///
    /// Each call may ask the system, so a caller keeps the answer while it is within the stretch.
    ///
    /// # Errors
    ///
    /// If the system fails; that it knows no holes is no failure.
    fn data_from(&self, offset: u64) -> Result<Option<Extent>>;

    /// Tells that these bytes of the disk are wanted soon. Advice only: doing nothing is right as well.
    fn announce(&self, offset: u64, length: u64) {
        let _ = (offset, length);
    }
}

impl DiskReader for ImageFile {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        self.extents().data_from(offset)
    }

    fn announce(&self, offset: u64, length: u64) {
        // Not the holes: the system would make their pages.
        let (mut at, end) = (offset, offset.saturating_add(length));
        while let Ok(Some(data)) = self.data_in(at, end) {
            // Not this method again: the file's own comes first.
            self.announce(data.start, data.end - data.start);
            at = data.end;
        }
    }
}

impl DiskReader for MemoryImage {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let end = self.size();
        Ok((offset < end).then_some(Extent { start: offset, end }))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// Reads the ranges that a disk reports, over zeros.
    fn by_stretches(disk: &dyn DiskReader) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(disk.size()).unwrap()];
        let mut at = 0;
        while let Some(Extent { start, end }) = disk.data_from(at).unwrap() {
            assert!(start >= at && end > start && end <= disk.size());
            let stretch = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
            disk.read_at(&mut bytes[stretch], start).unwrap();
            at = end;
        }
        bytes
    }

    #[test]
    fn what_lies_outside_of_stretches_is_zero() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len((4 << 20) + 3).unwrap();
        for place in [0, (1 << 20) + 5, (4 << 20) + 2] {
            std::os::unix::fs::FileExt::write_at(&file, &[7], place).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        let disks: [&dyn DiskReader; 2] =
            [&ImageFile::open(&path).unwrap(), &MemoryImage::new("disk", bytes.clone())];
        for disk in disks {
            assert!(by_stretches(disk) == bytes, "{}", disk.path().display());
        }
        assert!(by_stretches(&MemoryImage::new("nothing", vec![])).is_empty());
    }
}
