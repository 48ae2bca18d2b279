//! What reading a guest may cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imsprep_source::Cancel;

use crate::{Error, Result};

/// What all volumes of a guest may cost together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes read from the disk.
    pub disk_bytes: u64,
    /// Entries of directories, and structures of file systems, that are read.
    pub steps: u64,
    /// Time from when the [`Access`] is made.
    pub time: Duration,
}

impl Default for Limits {
    /// Enough for any system: a Debian takes a tenth of each.
    fn default() -> Self {
        Self { disk_bytes: 512 << 20, steps: 50_000_000, time: Duration::from_secs(60) }
    }
}

/// Leave to read: what has been spent of the [`Limits`], and the flag that stops the work. Clones share both, on all threads.
#[derive(Clone, Debug)]
pub struct Access(Arc<Spent>);

#[derive(Debug)]
struct Spent {
    limits: Limits,
    cancel: Cancel,
    since: Instant,
    disk_bytes: AtomicU64,
    steps: AtomicU64,
}

impl Access {
    /// Leave to read this much, until `cancel` is raised.
    pub fn new(limits: Limits, cancel: &Cancel) -> Self {
        let since = Instant::now();
        Self(Arc::new(Spent {
            limits,
            cancel: cancel.clone(),
            since,
            disk_bytes: AtomicU64::new(0),
            steps: AtomicU64::new(0),
        }))
    }

    /// Bytes that were read from the disk so far.
    pub fn disk_bytes(&self) -> u64 {
        self.0.disk_bytes.load(Ordering::Relaxed)
    }

    /// Entries and structures that were read so far.
    pub fn steps(&self) -> u64 {
        self.0.steps.load(Ordering::Relaxed)
    }

    /// Before a read from the disk.
    pub(crate) fn spend_bytes(&self, bytes: u64) -> Result<()> {
        let spent = &*self.0;
        spent.cancel.check()?;
        if spent.since.elapsed() > spent.limits.time {
            return Err(Error::limit(format!("takes longer than {} s", spent.limits.time.as_secs_f32())));
        }
        if add(&spent.disk_bytes, bytes).saturating_add(bytes) > spent.limits.disk_bytes {
            return Err(Error::limit(format!(
                "takes more than {} bytes read from the disk",
                spent.limits.disk_bytes
            )));
        }
        Ok(())
    }

    /// Before work that reads nothing from the disk: `count` steps of it.
    pub(crate) fn spend_steps(&self, count: u64) -> Result<()> {
        let spent = &*self.0;
        let before = add(&spent.steps, count);
        let steps = before.saturating_add(count);
        if steps > spent.limits.steps {
            return Err(Error::limit(format!("takes more than {} steps", spent.limits.steps)));
        }
        // Looking at the clock for each of them would take longer than most of them do.
        if steps / CLOCK_STEPS != before / CLOCK_STEPS {
            self.spend_bytes(0)?;
        }
        Ok(())
    }
}

/// Adds to a count, which stays at its maximum, and returns what it was.
fn add(count: &AtomicU64, more: u64) -> u64 {
    let before = count.fetch_add(more, Ordering::Relaxed);
    if before.checked_add(more).is_none() {
        count.store(u64::MAX, Ordering::Relaxed);
    }
    before
}

/// Steps after which the clock and the flag are read.
const CLOCK_STEPS: u64 = 1024;

impl Default for Access {
    /// The [default limits](Limits::default), with no flag to stop it.
    fn default() -> Self {
        Self::new(Limits::default(), &Cancel::new())
    }
}
