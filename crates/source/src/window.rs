//! A part of a file, mapped into memory.

use std::fs::File;
use std::path::Path;

use crate::guard::GuardedRange;
use crate::{Error, Result};

/// Windows must begin at a multiple of this, which is a multiple of every page size in use.
pub const WINDOW_ALIGN: u64 = 64 << 10;

/// A mapped part of an image file.
///
/// Reading a mapped page fails with a bus error if the file has shrunk or its disk fails. The guard (see
/// [`install_bus_error_guard`](crate::install_bus_error_guard)) turns that into zeros and a mark; so what was
/// concluded from [`bytes`](Self::bytes) holds only after [`verify`](Self::verify) said yes.
#[derive(Debug)]
pub struct Window<'a> {
    // Declared before `map`, so dropped before it: a range must not outlive its mapping.
    guarded: GuardedRange,
    map: memmap2::Mmap,
    path: &'a Path,
    offset: u64,
}

impl<'a> Window<'a> {
    /// `None` where no guard is installed, no slot is free, or the system refuses to map.
    pub(crate) fn new(path: &'a Path, file: &File, offset: u64, len: usize) -> Option<Self> {
        if !offset.is_multiple_of(WINDOW_ALIGN) || len == 0 || !crate::guard::is_installed() {
            return None;
        }
        let map = map(file, offset, len)?;
        let guarded = GuardedRange::register(map.as_ptr() as usize, map.len())?;
        Some(Self { guarded, map, path, offset })
    }

    /// The mapped bytes. Another process that writes to the file changes them under the reader.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether all that was read from the window so far was really there.
    ///
    /// # Errors
    ///
    /// [`Error::BusError`] with the offset of the first page that could not be read.
    pub fn verify(&self) -> Result<()> {
        match self.guarded.fault() {
            None => Ok(()),
            Some(distance) => {
                Err(Error::BusError { path: self.path.to_owned(), offset: self.offset + distance as u64 })
            }
        }
    }
}

#[expect(unsafe_code, reason = "a memory map of a file that others may write to can't be safe")]
fn map(file: &File, offset: u64, len: usize) -> Option<memmap2::Mmap> {
    // SAFETY: the mapping is read-only and private to this window. The risk that remains is the one of every mapped
    // file: another process may write to it, so the bytes may change between two looks. The scanner reads each byte
    // once, keeps no reference, and the file's identity is compared after the scan. Truncation and I/O errors raise
    // SIGBUS, which the guard answers; without the guard no window is made.
    unsafe { memmap2::MmapOptions::new().offset(offset).len(len).map(file) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageFile;

    #[test]
    fn shows_the_files_bytes_and_a_shrunk_file_is_an_error_with_its_offset() {
        crate::install_bus_error_guard().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![7u8; 1 << 20]).unwrap();
        let image = ImageFile::open(&path).unwrap();
        let window = image.map(WINDOW_ALIGN, 512 << 10).unwrap();
        assert!(window.bytes().iter().all(|b| *b == 7));
        window.verify().unwrap();
        assert!(image.map(1, 4096).is_none(), "an offset that no page begins at");

        let window = image.map(0, 1 << 20).unwrap();
        assert_eq!(window.bytes()[0], 7);
        // The window is mapped; now the file loses its second half.
        File::options().write(true).open(&path).unwrap().set_len(512 << 10).unwrap();
        let sum: u64 = window.bytes().iter().map(|b| u64::from(*b)).sum();
        assert_eq!(sum, 7 * (512 << 10));
        let error = window.verify().unwrap_err();
        assert!(matches!(error, Error::BusError { offset: 524_288, .. }), "{error}");
    }
}
