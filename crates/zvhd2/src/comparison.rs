//! What blocks hold against what they should hold.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::Checksums;

/// Takes blocks in any order, from several threads.
pub(crate) struct Comparison<'a> {
    expected: &'a Checksums,
    /// Blocks that should hold data and were not seen to hold it yet.
    missing: Mutex<BTreeSet<u64>>,
    /// Blocks that hold data and should be zeros.
    unexpected: Mutex<BTreeSet<u64>>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(expected: &'a Checksums) -> Self {
        let missing = Mutex::new(expected.blocks().collect());
        Self { expected, missing, unexpected: Mutex::default() }
    }

    /// Takes a block that has a record.
    pub(crate) fn take(&self, number: u64, bytes: &[u8]) {
        match self.expected.get(number) {
            Some(checksum) if checksum == Checksums::of_block(bytes) => {
                self.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            }
            Some(_) => {}
            None => {
                self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
            }
        }
    }

    /// The blocks that do not hold what they should, when all were taken.
    pub(crate) fn differing(self) -> BTreeSet<u64> {
        let mut differing = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        differing.extend(self.unexpected.into_inner().unwrap_or_else(PoisonError::into_inner));
        differing
    }
}
