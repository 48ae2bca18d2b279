//! Holes of a file.

/// What is done with the ranges of a file that its file system reports as holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileHoles {
    /// They are zeros, and not read.
    #[default]
    AreZeros,
    /// They are read: some file systems report holes where there is data.
    AreRead,
}
