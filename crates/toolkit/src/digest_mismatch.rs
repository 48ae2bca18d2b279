//! A file that is not the one that a manifest lists.

use std::fmt;

/// A file that does not have the digest that a manifest lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestMismatch {
    /// The name of the file.
    pub file: String,
    /// The name of the manifest.
    pub manifest: String,
    /// How the digest is computed.
    pub algorithm: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for DigestMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, manifest, algorithm, expected, found } = self;
        write!(
            f,
            "the manifest {manifest:?} does not match {file:?}: its {algorithm} is {found}, expected {expected}"
        )
    }
}
