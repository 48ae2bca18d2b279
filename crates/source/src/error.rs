//! "Could not look": what stops work before there is a result.

use std::io;
use std::path::{Path, PathBuf};

use crate::FileKind;

/// The result of everything here that touches a file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The work was asked to stop.
    Cancelled,
    /// The reader of a stream closed the pipe, so that no further output is wanted.
    ReaderGone,
    /// The output exists, and replacing it was not asked for.
    Exists,
    /// What the file holds is damaged.
    Damaged,
    /// Anything else; the causes have what the system said.
    Other,
}

/// Why a file could not be checked, or not be written. Each names the file, and the offset where there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be opened.
    #[error("{}: cannot open", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is nothing that holds an image.
    #[error("{}: is a {kind}, not a file or a block device", path.display())]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: FileKind,
    },
    /// An output would take the place of something that is no file.
    #[error("{}: is a {kind}; the output must be a file", path.display())]
    NotAFile {
        /// The output.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// The system could not tell the file's size, identity or extents.
    #[error("{}: cannot {what}", path.display())]
    Query {
        /// The file.
        path: PathBuf,
        /// What was asked, such as "find its extents".
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A read failed.
    #[error("{}: cannot read at offset {offset}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Where the read began that failed.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The file ended before it should have.
    #[error("{}: the file ends before offset {offset}; is something writing to it?", path.display())]
    UnexpectedEnd {
        /// The file.
        path: PathBuf,
        /// The first offset that was not there.
        offset: u64,
    },
    /// A mapped part of the file could not be read: the disk failed there, or the file shrank.
    #[error(
        "{}: bus error at offset {offset}: the file shrank while it was read, or the disk failed there",
        path.display()
    )]
    BusError {
        /// The file.
        path: PathBuf,
        /// The start of the page that could not be read.
        offset: u64,
    },
    /// The file is not the one that it was when the work began.
    #[error("{}: the file changed while it was read ({what}); the results are no longer valid", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different now.
        what: String,
    },
    /// More blocks than a block map holds.
    #[error("{}: {size} bytes in blocks of {block_size} are too many blocks", path.display())]
    TooManyBlocks {
        /// The file.
        path: PathBuf,
        /// The image's size in bytes.
        size: u64,
        /// The block size in bytes.
        block_size: u64,
    },
    /// An output exists and may not be replaced.
    #[error("{}: already exists", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// An output is one of the inputs, by this or by another name.
    #[error("{}: the output is the same file as the input {}", path.display(), input.display())]
    OutputIsInput {
        /// The output.
        path: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// An output could not be written. Nothing of it is left.
    #[error("{}: cannot {what}; nothing was written", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// What was being done, such as "create a temporary file beside it".
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A stream could not be written to. What came before is out and can't be taken back.
    #[error("{}: cannot write to it; the output is incomplete", path.display())]
    Stream {
        /// The stream's name.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A container does not hold what it should for a block of its disk.
    #[error("{}: block {block}, at offset {offset} of the file, is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file the damage lies.
        offset: u64,
        /// The number of the block on the disk.
        block: u64,
        /// What is wrong, in words.
        what: String,
    },
    /// What is compressed takes more than is given to expanding it.
    #[error("{}: is not decompressed: {what}", path.display())]
    NotExpanded {
        /// The file.
        path: PathBuf,
        /// What it takes, and what to do.
        what: String,
    },
    /// What is to be read is a terminal.
    #[error("{}: is a terminal; pass an image through a pipe, or redirect a file", path.display())]
    Terminal {
        /// What it is called.
        path: PathBuf,
    },
    /// The system starts no more threads.
    #[error("{}: cannot start a thread to hash it", path.display())]
    NoThread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stop was requested.
    #[error("interrupted")]
    Cancelled,
}

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Stream { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => {
                ErrorKind::ReaderGone
            }
            Self::Exists { .. } => ErrorKind::Exists,
            Self::Damaged { .. } => ErrorKind::Damaged,
            _ => ErrorKind::Other,
        }
    }

    pub(crate) fn read(path: &Path, offset: u64, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            Self::UnexpectedEnd { path: path.to_owned(), offset }
        } else {
            Self::Read { path: path.to_owned(), offset, source }
        }
    }

    pub(crate) fn query(path: &Path, what: &'static str, source: io::Error) -> Self {
        Self::Query { path: path.to_owned(), what, source }
    }
}
