//! A source that counts what is read from it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{DiskReader, Error, Extent, MemoryImage, ReadAt};

/// Bytes in memory, with a count of the reads and of the bytes that they brought.
pub(super) struct Counting {
    image: MemoryImage,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl Counting {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let image = MemoryImage::new("counted.zvhd2", bytes);
        Self { image, reads: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Reads and bytes since the last call.
    pub(super) fn take(&self) -> (u64, u64) {
        (self.reads.swap(0, Ordering::Relaxed), self.bytes.swap(0, Ordering::Relaxed))
    }
}

impl ReadAt for Counting {
    fn path(&self) -> &Path {
        self.image.path()
    }

    fn size(&self) -> u64 {
        self.image.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        self.image.read_at(buf, offset)
    }
}

impl DiskReader for Counting {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>, Error> {
        self.image.data_from(offset)
    }
}
