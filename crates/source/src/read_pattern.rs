//! How a file is going to be read.

/// What the kernel is advised about the reads to come through one [`ImageFile`](crate::ImageFile).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadPattern {
    /// Small reads here and there: no read-ahead.
    Random,
    /// Long runs.
    Sequential,
}
