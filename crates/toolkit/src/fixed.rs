//! The disk in a fixed VHD.

use std::path::Path;

use imsprep_source::{DiskReader, Error, Extent, ImageFile, ReadAt, Result};

/// The bytes of a file before its footer.
pub(crate) struct FixedVhd<'a> {
    image: &'a ImageFile,
    size: u64,
}

impl<'a> FixedVhd<'a> {
    /// The first `size` bytes of `image`; `None` if that has fewer.
    pub(crate) fn new(image: &'a ImageFile, size: u64) -> Option<Self> {
        (size <= image.size()).then_some(Self { image, size })
    }
}

impl ReadAt for FixedVhd<'_> {
    fn path(&self) -> &Path {
        self.image.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size });
        }
        self.image.read_at(buf, offset)
    }
}

impl DiskReader for FixedVhd<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let extent = self.image.data_from(offset)?.filter(|extent| extent.start < self.size);
        Ok(extent.map(|extent| Extent { start: extent.start, end: extent.end.min(self.size) }))
    }

    fn announce(&self, offset: u64, length: u64) {
        self.image.announce(offset, length.min(self.size.saturating_sub(offset)));
    }
}
