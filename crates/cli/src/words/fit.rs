//! How a disk was enlarged, in words.

use imsprep_rules::Size;
use imsprep_toolkit::{BackupMove, Fitting};

/// `enlarged from 1258291200 bytes (1.17 GiB) to 2147483648 bytes (2 GiB); backup GPT moved from offset 1258290688 to 2147483136`.
pub(crate) fn fit_line(fitting: &Fitting) -> String {
    let Fitting { size_before, size_after, backup, .. } = fitting;
    if fitting.is_unchanged() {
        return "unchanged: the disk is a multiple of 1 GiB, and no backup GPT had to be moved".into();
    }
    let size = if size_before == size_after {
        "the size is unchanged".into()
    } else {
        format!("enlarged from {} to {}", Size(*size_before), Size(*size_after))
    };
    match backup {
        None => size,
        Some(BackupMove { from: Some(from), to }) => {
            format!("{size}; backup GPT moved from offset {from} to {to}")
        }
        Some(BackupMove { from: None, to }) => {
            format!("{size}; backup GPT made of the primary table, at offset {to}")
        }
    }
}
