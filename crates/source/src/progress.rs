//! Telling how far long work has come.

use crate::Cancel;

/// What an engine tells about its progress, in bytes of the image.
///
/// Engines call [`advance`](Self::advance) once for each batch, from any thread; an implementation must not block
/// them. `()` ignores all progress.
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

/// Long work, as whoever asked for it sees it: what it reports to, and what may stop it.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Where it reports how far it is.
    pub progress: &'a dyn Progress,
    /// The flag that stops it.
    pub cancel: &'a Cancel,
}

impl<'a> Work<'a> {
    /// Work that reports to `progress` and stops by `cancel`.
    pub fn new(progress: &'a dyn Progress, cancel: &'a Cancel) -> Self {
        Self { progress, cancel }
    }
}

/// One stage of work that is being watched: begun when made, finished when dropped, also by an error on the way.
pub struct Stage<'a>(&'a dyn Progress);

impl<'a> Stage<'a> {
    /// Begins a stage that will cover `total` bytes.
    pub fn begin(progress: &'a dyn Progress, what: &str, total: u64) -> Self {
        progress.start(what, total);
        Self(progress)
    }

    /// `bytes` more are done.
    pub fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.0.finish();
    }
}
