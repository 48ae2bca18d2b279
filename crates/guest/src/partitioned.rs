//! Whether a volume may be a disk with partitions of its own, whatever signature it has.

use imsprep_filesystem::Error as FileError;
use imsprep_inspect::inspect;
use imsprep_source::{Cancel, Error, ReadAt, ReadAtExt as _, Result};

use crate::text;

/// Why a volume may be a disk with partitions of its own, as those of virtual machines are, and its signature left over. `None` if it is
/// none.
///
/// # Errors
///
/// [`Error::Cancelled`] if the work was interrupted; that it can't be read is a reason.
pub(crate) fn is_partitioned(volume: &dyn ReadAt, cancel: &Cancel) -> Result<Option<String>> {
    let has_table = inspect(volume, cancel).and_then(|inspection| match inspection.table {
        Some(_) => Ok(true),
        None => has_other_label(volume),
    });
    match has_table {
        Ok(false) => Ok(None),
        Ok(true) => Ok(Some("there is also a partition table in it".to_owned())),
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(error) => Ok(Some(reason_of(&error.into()))),
    }
}

/// Whether there is a label of BSD or of Sun, which divide a disk or a partition as a table does.
///
/// Sources: `d_magic` in sys/disklabel.h of the BSDs, in the second sector or at byte 64 of the first; `dkl_magic` in sys/dklabel.h
/// of illumos.
fn has_other_label(volume: &dyn ReadAt) -> Result<bool> {
    const BSD: [u8; 4] = 0x8256_4557_u32.to_le_bytes();
    const SUN: [u8; 2] = 0xdabe_u16.to_be_bytes();
    if volume.size() < 1024 {
        return Ok(false);
    }
    let bytes = volume.read_array::<1024>(0)?;
    let has = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    Ok(has(64, &BSD) || has(512, &BSD) || has(508, &SUN))
}

/// An error in one line, with what the system said.
pub(crate) fn reason_of(error: &FileError) -> String {
    let mut reason = text::value(error.reason());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        reason = format!("{reason}: {}", text::value(&error.to_string()));
        source = error.source();
    }
    reason
}
