//! A file that an output is made from.

use std::path::{Path, PathBuf};

use crate::{Error, FileIdentity, ImageFile, ReadAt, Result, sys};

/// What an output must know of a file that it is made from: never to take its place, and not to be readable for more people. It
/// holds no descriptor, so that there can be any number.
#[derive(Clone, Debug)]
pub struct Input {
    path: PathBuf,
    identity: FileIdentity,
    access: Option<sys::Access>,
}

impl Input {
    /// The file that `path` leads to, which is not opened.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the system reports nothing about it.
    pub fn at(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        match sys::status_at(&path) {
            Ok(status) => Ok(Self::of_status(path, &status)),
            Err(source) => Err(Error::Open { path, source }),
        }
    }

    /// The file of which the system reports this.
    pub(crate) fn of_status(path: PathBuf, status: &sys::Status) -> Self {
        Self { path, identity: FileIdentity::new(status, status.size), access: status.access }
    }

    /// Those that there are of these files.
    pub fn existing(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Vec<Self> {
        paths.into_iter().filter_map(|path| Self::at(path.as_ref()).ok()).collect()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    pub(crate) fn access(&self) -> Option<sys::Access> {
        self.access
    }
}

impl From<&ImageFile> for Input {
    fn from(image: &ImageFile) -> Self {
        Self { path: image.path().to_owned(), identity: image.identity().clone(), access: image.access() }
    }
}
