//! A stretch of a sparse file that holds data.

/// A stretch of a file in which the file system keeps data. Bytes outside of all extents read as zeros; bytes inside
/// may be zeros too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u64,
    /// First byte after it.
    pub end: u64,
}
