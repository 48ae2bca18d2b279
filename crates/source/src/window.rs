//! A part of a file, mapped into memory.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::{Error, Result, sys};

/// Windows must begin at a multiple of this, which is a multiple of every page size in use.
pub const WINDOW_ALIGN: u64 = 64 << 10;

/// Installs the handler for SIGBUS, for the whole process and for good. Without it no file is mapped. Calling it again
/// does no harm. Where the system has no such signal, this does nothing and no file is mapped.
///
/// # Errors
///
/// What the system says, if it refuses.
pub fn install_bus_error_guard() -> io::Result<()> {
    sys::install_guard()
}

/// A mapped part of an image file.
///
/// Reading a mapped page fails with a bus error if the file has shrunk or its disk fails. The guard (see
/// [`install_bus_error_guard`]) turns that into zeros and a mark; so what was
/// concluded from [`bytes`](Self::bytes) holds only after [`verify`](Self::verify) said yes.
#[derive(Debug)]
pub struct Window<'a> {
    map: sys::GuardedMap,
    path: &'a Path,
    offset: u64,
}

impl<'a> Window<'a> {
    /// `None` where no guard is installed, no slot is free, or the system refuses to map.
    pub(crate) fn new(path: &'a Path, file: &File, offset: u64, len: usize) -> Option<Self> {
        if !offset.is_multiple_of(WINDOW_ALIGN) || len == 0 {
            return None;
        }
        let map = sys::GuardedMap::new(file, offset, len)?;
        Some(Self { map, path, offset })
    }

    /// The mapped bytes. Another process that writes to the file changes them under the reader.
    pub fn bytes(&self) -> &[u8] {
        self.map.bytes()
    }

    /// Whether all that was read from the window so far was really there.
    ///
    /// # Errors
    ///
    /// [`Error::BusError`] with the offset of the first page that could not be read.
    pub fn verify(&self) -> Result<()> {
        match self.map.fault() {
            None => Ok(()),
            Some(distance) => {
                Err(Error::BusError { path: self.path.to_owned(), offset: self.offset + distance as u64 })
            }
        }
    }
}

#[cfg(all(test, unix))]
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
