//! What happens to a file in whose place an output goes.

/// What to do with an output that exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it and fail with [`Error::Exists`](crate::Error::Exists).
    Refuse,
    /// Put the new file in its place, in one step, once the new one is complete.
    Replace,
}
