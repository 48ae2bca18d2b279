//! Where the files of a run go; all of it is gone when the run is over.

use std::path::{Path, PathBuf};

use imsprep_source::Leftover;
use tempfile::TempDir;

use crate::{Error, Result};

/// The folders of a run.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Images and their copies.
    images: TempDir,
    /// Bitmaps and the like: in memory where there is a file system in memory, so that what is measured is the scan, and
    /// not how long a disk takes to flush a small file.
    small: TempDir,
    in_memory: bool,
    /// Gone after the folders.
    _leftover: Leftover,
}

impl Scratch {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let leftover = Leftover::new();
        let images = temporary_in(folder)?;
        let (small, in_memory) = match temporary_in(Path::new("/dev/shm")) {
            Ok(small) => (small, true),
            Err(_) => (temporary_in(folder)?, false),
        };
        Ok(Self { images, small, in_memory, _leftover: leftover })
    }

    /// Where images are made.
    pub(crate) fn images(&self) -> &Path {
        self.images.path()
    }

    /// Where the copy of an image goes: on the disk that the images are on.
    pub(crate) fn copy(&self) -> PathBuf {
        self.images.path().join("copy")
    }

    /// Whether there is a file system in memory for [`small`](Self::small).
    pub(crate) fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Where a program's bitmap goes, or what else it is to write into memory.
    pub(crate) fn small(&self) -> PathBuf {
        self.small.path().join("output")
    }

    /// What a program prints.
    pub(crate) fn printed(&self) -> PathBuf {
        self.small.path().join("printed")
    }

    /// What it says on standard error.
    pub(crate) fn errors(&self) -> PathBuf {
        self.small.path().join("errors")
    }

    /// Compiled programs.
    pub(crate) fn programs(&self) -> &Path {
        self.small.path()
    }
}

fn temporary_in(folder: &Path) -> Result<TempDir> {
    tempfile::Builder::new().prefix(".imsprep-bench-").tempdir_in(folder).map_err(|source| Error::File {
        path: folder.to_owned(),
        what: "make a temporary folder in it",
        source,
    })
}
