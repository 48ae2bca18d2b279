//! A file without a name, for what is too large for memory.

use std::path::{Path, PathBuf};

use crate::temporary::Temporary;
use crate::{Error, ImageFile, Input, Result};

/// A temporary file in a folder. It never gets a name that stays: it is gone when the value is, and where the system has files without
/// names, also if the process is killed.
#[derive(Debug)]
pub struct ScratchFile {
    folder: PathBuf,
    temporary: Temporary,
}

impl ScratchFile {
    /// A new, empty file in the file system of `folder`, readable only by users who may read each of the inputs.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], which names the folder.
    pub fn create_in(folder: &Path, inputs: &[&ImageFile]) -> Result<Self> {
        let inputs = inputs.iter().map(|image| Input::from(*image)).collect::<Vec<_>>();
        let limits = inputs.iter().filter_map(Input::access).collect::<Vec<_>>();
        let temporary = Temporary::create_in(folder, &limits).map_err(|source| Error::Write {
            path: folder.to_owned(),
            what: "create a temporary file in it",
            source,
        })?;
        Ok(Self { folder: folder.to_owned(), temporary })
    }

    /// Writes `bytes` at `offset`. What is never written reads as zeros, and takes no space where the file system has holes.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], which names the folder.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        crate::sys::write_all_at(self.temporary.file(), bytes, offset).map_err(|source| self.error(source))
    }

    /// Makes the file `length` bytes long.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], which names the folder.
    pub fn set_len(&self, length: u64) -> Result<()> {
        self.temporary.file().set_len(length).map_err(|source| self.error(source))
    }

    /// The file, to be read. Errors call it `shown`.
    ///
    /// # Errors
    ///
    /// What opening it brings.
    pub fn into_image(self, shown: &Path) -> Result<ImageFile> {
        let opened = self.temporary.reopen();
        let file = opened.map_err(|source| Error::Open { path: shown.to_owned(), source })?;
        ImageFile::without_name(shown.to_owned(), file)
    }

    fn error(&self, source: std::io::Error) -> Error {
        Error::Write { path: self.folder.clone(), what: "write to a temporary file in it", source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadAt;

    #[test]
    fn what_was_written_is_read_and_nothing_is_in_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = ScratchFile::create_in(dir.path(), &[]).unwrap();
        scratch.write_at(b"data", 5000).unwrap();
        scratch.set_len(6000).unwrap();
        let image = scratch.into_image(Path::new("shown.xz")).unwrap();
        assert_eq!((image.size(), image.path()), (6000, Path::new("shown.xz")));
        let mut bytes = [7; 8];
        image.read_at(&mut bytes, 4998).unwrap();
        assert_eq!(&bytes, b"\0\0data\0\0");
        image.verify_unchanged().unwrap();
        image.reopen().unwrap().verify_unchanged().unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let error = ScratchFile::create_in(&dir.path().join("none"), &[]).unwrap_err();
        assert!(error.to_string().contains("none: cannot create a temporary file in it"), "{error}");
    }
}
