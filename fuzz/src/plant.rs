//! Planted bugs: proof that each oracle sees what it is there for.
//!
//! Under the variable `IMSPREP_FUZZ_PLANT` a target alters what the code under test gave, as a bug in it would, between that
//! code and the oracle. Every target has to fail then, on one of its seeds; `run --planted` demands it.

use std::path::Path;
use std::sync::OnceLock;

use imsprep_source::{DiskReader, Extent, ReadAt, Result};

/// Whether bugs are planted in this process.
pub fn is_on() -> bool {
    static ON: OnceLock<bool> = OnceLock::new();
    *ON.get_or_init(|| std::env::var_os("IMSPREP_FUZZ_PLANT").is_some())
}

/// What the code under test gave, altered by `bug` where bugs are planted.
pub fn planted<T>(mut given: T, bug: impl FnOnce(&mut T)) -> T {
    if is_on() {
        bug(&mut given);
    }
    given
}

/// Bugs that readers of disks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskBug {
    /// What a read finds in a cache is one byte off.
    Cache,
    /// The first sector of a stretch of data is reported to be zeros.
    Allocation,
    /// A read that reaches beyond the end is cut short instead of being refused.
    End,
}

/// A reader, with a bug where bugs are planted.
pub struct Planted<'a> {
    disk: &'a dyn DiskReader,
    bug: Option<DiskBug>,
}

impl<'a> Planted<'a> {
    /// This disk with this bug.
    pub fn new(disk: &'a dyn DiskReader, bug: DiskBug) -> Self {
        Self { disk, bug: is_on().then_some(bug) }
    }
}

impl ReadAt for Planted<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let left = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        match self.bug {
            Some(DiskBug::Cache) if buf.len() < 1024 && !buf.is_empty() => {
                self.disk.read_at(buf, offset)?;
                buf.rotate_left(1);
                Ok(())
            }
            Some(DiskBug::End) if buf.len() > left => self.disk.read_at(&mut buf[..left], offset),
            _ => self.disk.read_at(buf, offset),
        }
    }
}

impl DiskReader for Planted<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let mut found = self.disk.data_from(offset)?;
        if let (Some(DiskBug::Allocation), Some(extent)) = (self.bug, &mut found) {
            extent.start = (extent.start + 512).min(extent.end - 1);
        }
        Ok(found)
    }
}
