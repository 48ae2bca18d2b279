//! Bus errors of mapped files, turned into ordinary errors.
//!
//! A read from a mapped page that the file no longer has, or that the disk does not give, raises SIGBUS. The handler
//! finds the window that the address lies in, puts zero pages in place of the rest of that window, takes down where it
//! happened, and returns; the reader goes on reading zeros and learns from [`GuardedRange::fault`] that they count for
//! nothing. A SIGBUS from anywhere else is left to the system.
//!
//! Only a program installs the handler, never a library: the command line tool does so before it scans.

#![expect(unsafe_code, reason = "signal handlers and fixed mappings have no safe form")]

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Windows at one time; a worker has one or two, and workers are bounded by the number of threads.
const SLOTS: usize = 512;

/// A window that the handler knows. An empty range means free.
struct Slot {
    taken: AtomicBool,
    /// Odd while the range is being changed, so that the handler never takes the start of one window and the end of
    /// another for a range. The window that a thread faults in is not being changed: the thread is busy reading it.
    generation: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Address of the first page that faulted, or 0.
    fault: AtomicUsize,
}

static SLOTS_TABLE: [Slot; SLOTS] = [const {
    Slot {
        taken: AtomicBool::new(false),
        generation: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        fault: AtomicUsize::new(0),
    }
}; SLOTS];
impl Slot {
    fn set_range(&self, start: usize, end: usize) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.start.store(start, Ordering::SeqCst);
        self.end.store(end, Ordering::SeqCst);
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The range, if it was not changed meanwhile.
    fn range(&self) -> Option<std::ops::Range<usize>> {
        let before = self.generation.load(Ordering::SeqCst);
        let range = self.start.load(Ordering::SeqCst)..self.end.load(Ordering::SeqCst);
        let after = self.generation.load(Ordering::SeqCst);
        (before == after && before.is_multiple_of(2)).then_some(range)
    }
}

static INSTALLED: AtomicBool = AtomicBool::new(false);
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(4096);

pub(crate) fn install() -> io::Result<()> {
    PAGE_SIZE.store(rustix::param::page_size(), Ordering::SeqCst);
    // SAFETY: `sigaction` is plain data for which all zeros are valid; the handler is a function that touches only
    // atomics and makes one system call, both of which are allowed in a signal handler.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus_error as extern "C" fn(_, _, _) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut())
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    INSTALLED.store(true, Ordering::SeqCst);
    Ok(())
}

pub(super) fn is_installed() -> bool {
    INSTALLED.load(Ordering::SeqCst)
}

extern "C" fn on_bus_error(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo_t to a handler installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    if !zero_rest_of_window(address) {
        // Not ours: the default action ends the process when this returns. A faulting instruction would bring the signal
        // back by itself; one that another process sent would not.
        // SAFETY: resetting a signal's action and raising it again are allowed in a handler.
        unsafe {
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
            libc::raise(libc::SIGBUS);
        }
    }
}

/// Puts zero pages over the window from the faulting page on. False if the address lies in no window.
fn zero_rest_of_window(address: usize) -> bool {
    let page = address & !(PAGE_SIZE.load(Ordering::SeqCst) - 1);
    for slot in &SLOTS_TABLE {
        let Some(range) = slot.range().filter(|range| range.contains(&address)) else { continue };
        // The lowest page that faulted counts, whichever thread met it first.
        let _ = slot.fault.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |before| {
            (before == 0 || page < before).then_some(page)
        });
        // SAFETY: the range lies within a mapping that a live window owns (a window leaves the table before it is
        // unmapped), so nothing else can have been mapped there; mmap is one system call.
        let placed = unsafe {
            libc::mmap(
                page as *mut libc::c_void,
                range.end - page,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        return placed != libc::MAP_FAILED;
    }
    false
}

/// A mapped range in the handler's table, until dropped.
#[derive(Debug)]
pub(super) struct GuardedRange {
    slot: usize,
    start: usize,
}

impl GuardedRange {
    /// Enters a range into the table; `None` if the table is full.
    pub(super) fn register(start: usize, len: usize) -> Option<Self> {
        let (slot, entry) = SLOTS_TABLE.iter().enumerate().find(|(_, entry)| {
            entry.taken.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        })?;
        entry.fault.store(0, Ordering::SeqCst);
        entry.set_range(start, start + len);
        Some(Self { slot, start })
    }

    /// How far into the range the first page lies that could not be read.
    pub(super) fn fault(&self) -> Option<usize> {
        match SLOTS_TABLE.get(self.slot)?.fault.load(Ordering::SeqCst) {
            0 => None,
            page => Some(page.saturating_sub(self.start)),
        }
    }
}

impl Drop for GuardedRange {
    fn drop(&mut self) {
        if let Some(entry) = SLOTS_TABLE.get(self.slot) {
            entry.set_range(0, 0);
            entry.taken.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    #[test]
    fn a_bus_error_that_somebody_sends_ends_the_process() {
        // The test runs itself again, in a process that may end.
        const AGAIN: &str = "IMSPREP_TEST_GETS_A_BUS_ERROR";
        if std::env::var_os(AGAIN).is_some() {
            super::install().unwrap();
            let _ = Command::new("sh").args(["-c", "kill -BUS $PPID"]).status();
            return;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "sys::guard::tests::a_bus_error_that_somebody_sends_ends_the_process"]);
        let status = child.env(AGAIN, "1").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.signal(), Some(libc::SIGBUS), "{status}");
    }
}
