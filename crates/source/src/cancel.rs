//! Stopping long work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// The number of the signal that is sent when the terminal closes, for programs that install handlers: the work should stop then,
/// because its output is no longer visible. `None` if the system has no such signal, or if the process was started with the
/// signal ignored, as by nohup: then the work should continue.
pub fn hangup_signal() -> Option<i32> {
    crate::sys::hangup_signal()
}

/// The number of the signal that comes when a file would grow beyond the limit for files (`RLIMIT_FSIZE`), for who installs
/// handlers: it ends the process, and with any handler the write fails instead, by an error that says so. `None` where there
/// is no such signal.
pub fn file_size_signal() -> Option<i32> {
    crate::sys::file_size_signal()
}

/// A flag that asks long work to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    of_all: Option<Arc<Cancel>>,
}

impl Cancel {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag for a part of the work: that part stops with all of it, and can be stopped alone.
    pub fn of_part(&self) -> Self {
        Self { flag: Arc::default(), of_all: Some(Arc::new(self.clone())) }
    }

    /// Asks for the stop. May be called from a signal handler: it is one atomic store.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// The flag itself, for a signal handler to raise.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Whether a stop was requested.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.of_all.as_ref().is_some_and(|all| all.is_cancelled())
    }

    /// # Errors
    ///
    /// [`Error::Cancelled`] if the work was cancelled. Engines call this once for each batch.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stops_with_all_of_the_work_and_alone() {
        let all = Cancel::new();
        let (one, other) = (all.of_part(), all.of_part());
        one.cancel();
        assert!(one.is_cancelled() && one.of_part().is_cancelled());
        assert!(!all.is_cancelled() && !other.is_cancelled());
        all.cancel();
        assert!(other.is_cancelled() && other.of_part().is_cancelled());
    }
}
