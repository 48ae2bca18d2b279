//! Where an image is.

use std::path::{Path, PathBuf};

use imsprep_formats::NbdAddress;

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImagePlace {
    /// In a file, or on a block device.
    File(PathBuf),
    /// At an NBD server, which is connected to.
    Export(NbdAddress),
}

impl From<&PathBuf> for ImagePlace {
    /// A file, whatever its name.
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for ImagePlace {
    /// A file, whatever its name.
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}
