//! Which bytes of a disk no file holds.

use std::time::Duration;

use imsprep_filesystem::{Access, Limits};
use imsprep_guest::{DiskSpace, VolumeSources};
use imsprep_inspect::Inspection;
use imsprep_source::{Cancel, Error as SourceError, ImageFile, ReadAt};

use crate::{Error, Result};

/// What reading the free space of a disk may cost where it is asked for: the allocation data of 16 TiB, and more.
const SPACE_LIMITS: Limits =
    Limits { disk_bytes: 2 << 30, steps: 2_000_000_000, time: Duration::from_secs(600) };
/// The same where it is only reported. An NTFS takes a KiB for each file: this is enough for half a million of them. On a slow disk,
/// the time is the limit.
const REPORT_LIMITS: Limits =
    Limits { disk_bytes: 512 << 20, steps: 100_000_000, time: Duration::from_secs(10) };

/// Reads the free space of a disk that was inspected. Volumes that are in doubt, or take more than the limits allow, are kept, with the
/// reason.
///
/// # Errors
///
/// If the work was interrupted, or the volumes can't be found because the disk can't be read.
pub(crate) fn read_space(
    inspection: &Inspection,
    disk: &dyn ReadAt,
    limits: Limits,
    cancel: &Cancel,
) -> Result<DiskSpace> {
    let access = Access::new(limits, cancel);
    let sources = VolumeSources::find(inspection, disk, cancel)?;
    Ok(DiskSpace::read(inspection, &sources, &access, cancel)?)
}

/// The same for what is to be left out of the image. Where this machine writes to a volume, what is free may be in use by the time at
/// which it is read; then all volumes are kept.
///
/// # Errors
///
/// As [`read_space`].
pub(crate) fn space_to_leave_out(
    image: &ImageFile,
    inspection: &Inspection,
    disk: &dyn ReadAt,
    cancel: &Cancel,
) -> Result<DiskSpace> {
    let space = read_space(inspection, disk, SPACE_LIMITS, cancel)?;
    // Asked last: what was mounted while the free space was read is still mounted, or unmounting it has changed the file.
    Ok(match image.in_use()? {
        Some(by) => space.keeping_all(&format!("the disk is in use: {by}")),
        None => space,
    })
}

/// The same for a report. `None` if the image is damaged where the disk would tell it.
///
/// # Errors
///
/// As [`read_space`].
pub(crate) fn report_space(
    inspection: &Inspection,
    disk: &dyn ReadAt,
    cancel: &Cancel,
) -> Result<Option<DiskSpace>> {
    match read_space(inspection, disk, REPORT_LIMITS, cancel) {
        Err(Error::Source(SourceError::Damaged { .. } | SourceError::NotExpanded { .. })) => Ok(None),
        space => space.map(Some),
    }
}
