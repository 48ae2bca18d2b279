//! "Could not look", from every floor below.

use std::path::{Path, PathBuf};

use imsprep_detect::Format;

/// The result of a toolkit call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written, or changed meanwhile.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// A ZVHD2 could not be looked at.
    #[error(transparent)]
    Zvhd2(#[from] imsprep_zvhd2::Error),
    /// A bitmap is asked for and the image is not RAW.
    #[error("{}: is {format}, and only RAW images have bitmap files; {advice}", path.display())]
    NotRaw {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// What to do instead.
        advice: String,
    },
    /// The disk in the image can't be read by imsprep.
    #[error("{}: is {format}; imsprep reads the disk in RAW, ZVHD2 and ZVHD only{advice}", path.display())]
    NoDisk {
        /// The image.
        path: PathBuf,
        /// Its format.
        format: Format,
        /// What to do instead, if there is anything.
        advice: &'static str,
    },
    /// Where the bitmap of a device would go can't be guessed.
    #[error("{}: is a block device; say with -o where its bitmap file is to go", path.display())]
    DeviceNeedsOutput {
        /// The device.
        path: PathBuf,
    },
    /// A folder holds nothing to check.
    #[error("{}: no disk images in this folder (its subfolders were not searched)", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// A folder can't be listed.
    #[error("{}: cannot list this folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// The file or folder that it is about; empty for a stop.
    pub fn path(&self) -> &Path {
        match self {
            Self::NotRaw { path, .. }
            | Self::NoDisk { path, .. }
            | Self::DeviceNeedsOutput { path }
            | Self::NoImages { path }
            | Self::Folder { path, .. } => path,
            Self::Source(_) | Self::Zvhd2(_) => Path::new(""),
        }
    }

    /// Whether somebody asked for the stop.
    pub fn is_cancelled(&self) -> bool {
        use imsprep_source::Error::Cancelled;
        matches!(self, Self::Source(Cancelled) | Self::Zvhd2(imsprep_zvhd2::Error::Source(Cancelled)))
    }
}
