//! SIGINT and SIGTERM: the first asks the work to stop, the second ends the process at once. On Windows, Ctrl-C is the
//! first and the other never comes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imsprep_source::Cancel;
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
            let raised = signals.cancel.flag();
            // What is registered first comes first: only a second signal finds the flag raised. Somebody has no patience
            // left. An output is still never half there: it has its own name only when complete.
            flag::register_conditional_shutdown(signal, number.into(), Arc::clone(&raised))?;
            flag::register_usize(signal, Arc::clone(&signals.received), number.into())?;
            flag::register(signal, raised)?;
        }
        Ok(signals)
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

/// 128 + SIGINT.
const SIGINT_EXIT: u8 = 130;
/// 128 + SIGTERM.
const SIGTERM_EXIT: u8 = 143;
