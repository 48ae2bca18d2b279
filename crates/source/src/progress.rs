//! Telling how far long work has come.

/// What an engine tells about its progress, in bytes of the image.
///
/// Engines call [`advance`](Self::advance) once for each batch, from any thread; an implementation must not block
/// them. `()` is the progress that nobody watches.
pub trait Progress: Sync {
    /// Work begins that will cover `total` bytes. May be called again when the next stage begins.
    fn start(&self, what: &str, total: u64);

    /// `bytes` more are done.
    fn advance(&self, bytes: u64);

    /// The stage is over.
    fn finish(&self);
}

impl Progress for () {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn finish(&self) {}
}
