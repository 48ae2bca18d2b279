//! "Could not measure".

use std::path::PathBuf;

/// The result of a run.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written, or the work was asked to stop.
    Source(imsprep_source::ErrorKind),
    /// The images need more space than is free.
    NoRoom,
    /// Anything else.
    Other,
}

/// Why a run ended without a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image could not be read or written.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// A container could not be made.
    #[error(transparent)]
    Zvhd2(#[from] imsprep_zvhd2::Error),
    /// The disk has too little free space for the images.
    #[error("{}: {needed} bytes are needed for the images and only {free} are free", folder.display())]
    NoRoom {
        /// Where the images were to go.
        folder: PathBuf,
        /// Bytes that the largest of them needs, with a copy of it.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A program could not be run at all.
    #[error("{program}: cannot run the program")]
    Run {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Our own program failed; that of a rival does not end a run.
    #[error("{program} failed: {message}")]
    Failed {
        /// The program with its mode.
        program: String,
        /// What it said.
        message: String,
    },
    /// A file of the harness itself could not be read or written.
    #[error("{}: cannot {what}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Source(error) | Self::Zvhd2(imsprep_zvhd2::Error::Source(error)) => {
                ErrorKind::Source(error.kind())
            }
            Self::NoRoom { .. } => ErrorKind::NoRoom,
            _ => ErrorKind::Other,
        }
    }
}
