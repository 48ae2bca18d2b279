//! "Could not look".

use std::path::PathBuf;

/// Why a file could not be checked. A broken container is not an error but a report with findings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read, or a stop was requested.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// Neither the first nor the last 4096 bytes are a footer.
    #[error("{}: not a ZVHD2 file: no footer at offset 0 and none in the last 4096 bytes", path.display())]
    NotZvhd2 {
        /// The file.
        path: PathBuf,
    },
    /// The disk is larger than the fields of a footer can tell of.
    #[error("{}: a disk of {size} bytes is too large for ZVHD2", path.display())]
    DiskTooLarge {
        /// The output.
        path: PathBuf,
        /// The disk's size in bytes.
        size: u64,
    },
    /// The compressor failed, which it does for want of memory alone.
    #[error("cannot compress a block: {detail}")]
    Compress {
        /// What it said.
        detail: &'static str,
    },
    /// The container is not sound enough for its disk to be read without doubt.
    #[error("{}: cannot be read as a disk: {what}, at offset {offset}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where in the file that is.
        offset: u64,
        /// What is wrong, in words, with the code of the rule.
        what: String,
    },
    /// No footer is left that says how large the disk is, and the caller did not say.
    #[error(
        "{}: HEAD, MID and END are missing or damaged, so the size of the disk is unknown",
        path.display()
    )]
    SizeUnknown {
        /// The file.
        path: PathBuf,
    },
    /// The caller gave another size than a sound footer.
    #[error(
        "{}: the given size is {given} bytes, but the size in {footer}, which is intact, is {size}",
        path.display()
    )]
    SizeContradicted {
        /// The file.
        path: PathBuf,
        /// The caller's size in bytes.
        given: u64,
        /// The footer.
        footer: &'static str,
        /// The footer's size in bytes.
        size: u64,
    },
    /// Data is lost, and there is no record that could be saved.
    #[error("{}: no record can be recovered; nothing was written", path.display())]
    NothingToSave {
        /// The file.
        path: PathBuf,
    },
}
