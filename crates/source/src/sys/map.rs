//! A mapped part of a file, with the guard over it.

use std::fs::File;

use super::guard::{self, GuardedRange};

#[derive(Debug)]
pub(crate) struct GuardedMap {
    // Declared before `map`, so dropped before it: a range must not outlive its mapping.
    guarded: GuardedRange,
    map: memmap2::Mmap,
}

impl GuardedMap {
    /// `None` where no guard is installed, no slot is free, or the system refuses to map.
    pub(crate) fn new(file: &File, offset: u64, len: usize) -> Option<Self> {
        if !guard::is_installed() {
            return None;
        }
        let map = map(file, offset, len)?;
        let guarded = GuardedRange::register(map.as_ptr() as usize, map.len())?;
        Some(Self { guarded, map })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(crate) fn fault(&self) -> Option<usize> {
        self.guarded.fault()
    }
}

#[expect(unsafe_code, reason = "a memory map of a file that others may write to can't be safe")]
fn map(file: &File, offset: u64, len: usize) -> Option<memmap2::Mmap> {
    // SAFETY: the mapping is read-only and private to this window. The risk that remains is the one of every mapped
    // file: another process may write to it, so the bytes may change between two looks. The scanner reads each byte
    // once, keeps no reference, and the file's identity is compared after the scan. Truncation and I/O errors raise
    // SIGBUS, which the guard answers; without the guard no window is made.
    unsafe { memmap2::MmapOptions::new().offset(offset).len(len).map(file) }.ok()
}
