//! SIGINT and SIGTERM: the first asks the work to stop, the second ends the process at once. SIGHUP, which comes when a
//! terminal or a connection goes away, asks only. On Windows, Ctrl-C is the first and the others never come.
//!
//! Work that sees that it is asked ends by itself, with its own words. What does not see it, because it waits for a terminal, a
//! pipe or a disk, is ended by a thread that does nothing else: soon, or, while there is something that the process must take away
//! before it ends, after a longer time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, file_size_signal, hangup_signal, leftovers};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::failure::{self, STOPPED, STREAM_STOPPED};

/// The handlers, for the life of the process.
pub(crate) struct Signals {
    cancel: Cancel,
    received: Arc<AtomicUsize>,
    /// Whether standard output holds an image.
    to_stream: Arc<AtomicBool>,
}

/// How often the thread looks for a signal.
const LOOK: Duration = Duration::from_millis(50);
/// What work that was asked to stop has to end by itself.
const PATIENCE: Duration = Duration::from_millis(500);
/// The same where the process has something to take away.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

impl Signals {
    /// Installs the handlers. They store into flags, and nothing else happens inside of them.
    pub(crate) fn install() -> io::Result<Self> {
        let signals = Self { cancel: Cancel::new(), received: Arc::default(), to_stream: Arc::default() };
        for (signal, number) in [(SIGINT, SIGINT_EXIT), (SIGTERM, SIGTERM_EXIT)] {
            // What is registered first comes first: only a second signal finds the flag raised, and ends the process
            // at once. An output is still never half there: it has its own name only when complete.
            flag::register_conditional_shutdown(signal, number.into(), signals.cancel.flag())?;
            signals.ask_to_stop_at(signal, number)?;
        }
        // Both the system and the shell send this one when a connection goes away: of a second it says nothing.
        if let Some(signal) = hangup_signal() {
            signals.ask_to_stop_at(signal, SIGHUP_EXIT)?;
        }
        // That a file has become too large for the limit is shown by the write that fails, once the signal ends nothing.
        if let Some(signal) = file_size_signal() {
            flag::register(signal, Arc::new(AtomicBool::new(false)))?;
        }
        signals.watch();
        Ok(signals)
    }

    /// Starts the thread that ends what does not end by itself. Where no thread can be had, the second signal does that alone.
    fn watch(&self) {
        let (received, to_stream) = (Arc::clone(&self.received), Arc::clone(&self.to_stream));
        let watching = move || {
            let number = loop {
                sleep(LOOK);
                match received.load(Ordering::SeqCst) {
                    0 => {}
                    number => break number,
                }
            };
            let asked = Instant::now();
            while asked.elapsed() < if leftovers() > 0 { LONG_PATIENCE } else { PATIENCE } {
                sleep(LOOK);
            }
            let text = if to_stream.load(Ordering::SeqCst) { STREAM_STOPPED } else { STOPPED };
            // Standard error may be what the work waits for.
            if let Ok(saying) = thread::Builder::new().spawn(move || failure::error(text)) {
                let begun = Instant::now();
                while !saying.is_finished() && begun.elapsed() < PATIENCE {
                    sleep(LOOK / 10);
                }
            }
            low_level::exit(i32::try_from(number).unwrap_or(SIGINT_EXIT.into()))
        };
        let _ = thread::Builder::new().name("signals".into()).stack_size(STACK).spawn(watching);
    }

    /// That standard output holds an image from now on.
    pub(crate) fn goes_to_stream(&self) {
        self.to_stream.store(true, Ordering::SeqCst);
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

/// Bytes of stack of a thread that only looks.
const STACK: usize = 128 << 10;
/// 128 + SIGHUP.
const SIGHUP_EXIT: u8 = 129;
/// 128 + SIGINT.
const SIGINT_EXIT: u8 = 130;
/// 128 + SIGTERM.
const SIGTERM_EXIT: u8 = 143;
