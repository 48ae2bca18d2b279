//! Whether a file that shows nothing known may be a disk.

use std::path::Path;

use imsprep_detect::Detection;
use imsprep_findings::{Finding, Severity};
use imsprep_inspect::{Inspection, inspect};
use imsprep_rules::{is_known, no_disk, shows_nothing};
use imsprep_source::{Cancel, DiskReader, is_zero};

use crate::Result;

/// Bytes of a disk that are read to tell whether it holds anything, where holes do not tell.
const READ_MAX: u64 = 1 << 20;
/// Bytes of them that are read at once.
const PIECE: usize = 64 << 10;

/// Whether the disk contains only zeros, as far as that shows without reading more than a MiB of it.
pub(crate) fn shows_only_zeros(disk: &dyn DiskReader) -> Result<bool> {
    let size = disk.size();
    if disk.data_from(0)?.is_none() {
        return Ok(size > 0);
    }
    if size > READ_MAX {
        return Ok(false);
    }
    // In pieces, as most disks hold something near their beginning.
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(PIECE).min(PIECE);
        let bytes = piece.get_mut(..length).unwrap_or_default();
        disk.read_at(bytes, at)?;
        if !is_zero(bytes) {
            return Ok(false);
        }
        at += length as u64;
    }
    Ok(size > 0)
}

/// Why the file is no disk; `None` if it may be one. `name` is the file's, or that of a member of an archive.
pub(crate) fn why_no_disk(
    name: &Path,
    disk: &dyn DiskReader,
    detection: &Detection,
    cancel: &Cancel,
) -> Result<Option<Finding>> {
    if !shows_nothing(detection) {
        return Ok(None);
    }
    why_not_on(name, disk, detection, &inspect(disk, cancel)?)
}

/// The same of a disk that was inspected.
pub(crate) fn why_not_on(
    name: &Path,
    disk: &dyn DiskReader,
    detection: &Detection,
    inspection: &Inspection,
) -> Result<Option<Finding>> {
    if !shows_nothing(detection) || is_known(inspection) {
        return Ok(None);
    }
    Ok(no_disk(name, detection, shows_only_zeros(disk)?))
}

/// The same as a warning, for what is done with a file whatever it is.
pub(crate) fn doubt(
    name: &Path,
    disk: &dyn DiskReader,
    detection: &Detection,
    cancel: &Cancel,
) -> Result<Option<Finding>> {
    let found = why_no_disk(name, disk, detection, cancel)?;
    Ok(found.map(|finding| finding.severity(Severity::Warning)))
}
