//! What a process must take away before it ends.

use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Something with a name (a temporary file or folder) or a life of its own (a child) that this process takes away when it is done
/// with it, and that stays if the process ends before. Held as long as there is such a thing.
#[derive(Debug)]
pub struct Leftover(());

impl Leftover {
    /// There is one more from now on, until the value is dropped.
    #[expect(clippy::new_without_default, reason = "it is held for what it does, not for what it is")]
    pub fn new() -> Self {
        COUNT.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How many such things there are: who is about to end the process from another thread waits while there are any.
pub fn leftovers() -> usize {
    COUNT.load(Ordering::SeqCst)
}
