//! "Could not look".

use std::path::PathBuf;

/// The result of everything here that opens a disk.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the disk in a file can't be read. What goes wrong later, while it is read, is an [`imsprep_source::Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read, or a place in it is damaged.
    #[error(transparent)]
    Source(#[from] imsprep_source::Error),
    /// The file's headers are not those of a disk that can be read without doubt.
    #[error("{}: cannot be read as a {format} disk: {what}, at offset {offset}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it was taken for.
        format: &'static str,
        /// Where in the file that is.
        offset: u64,
        /// What is wrong, in words.
        what: String,
    },
}
