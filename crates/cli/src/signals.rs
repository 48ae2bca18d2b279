//! SIGINT and SIGTERM: the first asks the work to stop, the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use imsprep_source::Cancel;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Incoming;

/// The handlers, for the life of the process.
pub(crate) struct Signals {
    cancel: Cancel,
    received: Arc<AtomicI32>,
}

impl Signals {
    /// Installs the handlers. A thread waits for the signals, so nothing happens inside a handler.
    pub(crate) fn install() -> io::Result<Self> {
        let signals = Self { cancel: Cancel::new(), received: Arc::new(AtomicI32::new(0)) };
        let (cancel, received) = (signals.cancel.clone(), Arc::clone(&signals.received));
        let mut incoming = Incoming::new([SIGINT, SIGTERM])?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in incoming.forever() {
                if received.swap(signal, Ordering::SeqCst) != 0 {
                    // Somebody has no patience left. An output is still never half there: it has its own name only
                    // when complete.
                    std::process::exit(128 + signal);
                }
                cancel.cancel();
            }
        })?;
        Ok(signals)
    }

    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// 128 + the signal that came, as shells have it.
    pub(crate) fn exit_number(&self) -> u8 {
        let signal = self.received.load(Ordering::SeqCst);
        u8::try_from(128 + signal).unwrap_or(130)
    }
}
