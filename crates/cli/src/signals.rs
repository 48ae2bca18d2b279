//! SIGINT and SIGTERM: the first asks the work to stop, the second ends the process at once. SIGHUP, which comes when a
//! terminal or a connection goes away, asks only. On Windows, Ctrl-C is the first and the others never come.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use imsprep_source::{Cancel, file_size_signal, hangup_signal};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The handlers, for the life of the process.
pub(crate) struct Signals {
    cancel: Cancel,
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Installs the handlers. They store into flags, and nothing else happens inside of them.
    pub(crate) fn install() -> io::Result<Self> {
        let signals = Self { cancel: Cancel::new(), received: Arc::new(AtomicUsize::new(0)) };
        for (signal, number) in [(SIGINT, SIGINT_EXIT), (SIGTERM, SIGTERM_EXIT)] {
            // What is registered first comes first: only a second signal finds the flag raised. Somebody has no patience
            // left. An output is still never half there: it has its own name only when complete.
            flag::register_conditional_shutdown(signal, number.into(), signals.cancel.flag())?;
            signals.ask_to_stop_at(signal, number)?;
        }
        // Both the system and the shell send this one when a connection goes away: of a second it says nothing.
        if let Some(signal) = hangup_signal() {
            signals.ask_to_stop_at(signal, SIGHUP_EXIT)?;
        }
        // That a file has become too large for the limit is told by the write that fails, once the signal ends nothing.
        if let Some(signal) = file_size_signal() {
            flag::register(signal, Arc::new(AtomicBool::new(false)))?;
        }
        Ok(signals)
    }

    fn ask_to_stop_at(&self, signal: i32, number: u8) -> io::Result<()> {
        flag::register_usize(signal, Arc::clone(&self.received), number.into())?;
        flag::register(signal, self.cancel.flag())?;
        Ok(())
    }

    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// 128 + the signal that came, as shells have it.
    pub(crate) fn exit_number(&self) -> u8 {
        match self.received.load(Ordering::SeqCst) {
            0 => SIGINT_EXIT,
            number => u8::try_from(number).unwrap_or(SIGINT_EXIT),
        }
    }
}

/// 128 + SIGHUP.
const SIGHUP_EXIT: u8 = 129;
/// 128 + SIGINT.
const SIGINT_EXIT: u8 = 130;
/// 128 + SIGTERM.
const SIGTERM_EXIT: u8 = 143;
