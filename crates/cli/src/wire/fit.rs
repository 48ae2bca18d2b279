//! How a disk was enlarged.

use imsprep_toolkit::{BackupMove, Fitting};
use schemars::JsonSchema;
use serde::Serialize;

/// A disk that was enlarged to a multiple of 1 GiB.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireFitting {
    /// Bytes of the disk in the source.
    size_before: u64,
    /// Bytes of the disk in the output.
    size_after: u64,
    /// Where the backup of the GPT went; null if it did not have to be moved, or there is no GPT.
    backup_gpt: Option<WireBackupMove>,
}

/// Offsets of the backup header of a GPT.
#[derive(Debug, JsonSchema, Serialize)]
struct WireBackupMove {
    /// Null if it was missing or damaged, and was made of the primary table.
    moved_from: Option<u64>,
    moved_to: u64,
}

impl From<&Fitting> for WireFitting {
    fn from(fitting: &Fitting) -> Self {
        let Fitting { size_before, size_after, backup, .. } = fitting;
        let backup_gpt =
            backup.map(|BackupMove { from, to }| WireBackupMove { moved_from: from, moved_to: to });
        Self { size_before: *size_before, size_after: *size_after, backup_gpt }
    }
}
