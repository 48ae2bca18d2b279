//! Which bytes of a disk no file holds.

use std::time::Duration;

use imsprep_filesystem::{Access, Limits};
use imsprep_guest::{DiskSpace, VolumeSources};
use imsprep_inspect::Inspection;
use imsprep_source::{Cancel, Error as SourceError, ReadAt};

use crate::{Error, Result};

/// What reading the free space of a disk may cost where it is asked for: the allocation data of 16 TiB, and more.
pub(crate) const SPACE_LIMITS: Limits =
    Limits { disk_bytes: 2 << 30, steps: 2_000_000_000, time: Duration::from_secs(600) };
/// The same where it is only reported.
const REPORT_LIMITS: Limits =
    Limits { disk_bytes: 64 << 20, steps: 100_000_000, time: Duration::from_secs(10) };

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
