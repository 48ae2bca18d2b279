//! A folder that is made for outputs.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Leftover, Result};

/// A folder for outputs. One that was made goes with this value if nothing was put into it.
#[derive(Debug)]
pub struct OutputFolder {
    path: PathBuf,
    /// Whether it was made.
    made: Option<Leftover>,
}

impl OutputFolder {
    /// Uses the folder at `path`, and makes it if it is not there and its parent is.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if it can't be made: its parent is not there, or a file has its name.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self { path: path.to_owned(), made: None });
        }
        let leftover = Leftover::new();
        std::fs::create_dir(path).map_err(|source| {
            let what = match source.kind() {
                io::ErrorKind::NotFound => {
                    "create the folder: its parent folder does not exist; create that with mkdir -p"
                }
                io::ErrorKind::AlreadyExists => "create the folder: a file has its name; use another folder",
                _ => "create the folder",
            };
            Error::Write { path: path.to_owned(), what, source }
        })?;
        Ok(Self { path: path.to_owned(), made: Some(leftover) })
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if self.made.is_some() {
            // Fails if it holds something, which is what is wanted then.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_made_for_nothing_goes_and_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        drop(OutputFolder::open(&path).unwrap());
        assert!(!path.exists());
        let folder = OutputFolder::open(&path).unwrap();
        std::fs::write(path.join("disk.zvhd2"), "").unwrap();
        drop(folder);
        assert!(path.join("disk.zvhd2").exists());
        let there = dir.path().join("there");
        std::fs::create_dir(&there).unwrap();
        drop(OutputFolder::open(&there).unwrap());
        assert!(there.exists());
    }

    #[test]
    fn a_folder_is_made_only_in_one_that_is_there_and_in_the_place_of_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let error = OutputFolder::open(&dir.path().join("a/b")).unwrap_err().to_string();
        assert!(error.contains("its parent folder does not exist"), "{error}");
        let file = dir.path().join("file");
        std::fs::write(&file, "precious").unwrap();
        let error = OutputFolder::open(&file).unwrap_err().to_string();
        assert!(error.contains("a file has its name"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    }
}
