//! How a disk is enlarged, or why it can't be.

use std::path::Path;

use imsprep_inspect::{Fitting, Inspection, fit_table};
use imsprep_rules::is_cut;
use imsprep_source::ReadAt;

use crate::{Error, Result};

/// The unit in which the service makes disks.
const GIB: u64 = 1 << 30;

/// Returns what makes the disk in the image at `path` a multiple of 1 GiB with the backup of its GPT at its end; or why it can't be made.
///
/// # Errors
///
/// If the disk can't be read.
pub(crate) fn fit_disk(
    path: &Path,
    disk: &dyn ReadAt,
    inspection: &Inspection,
) -> Result<std::result::Result<Fitting, Error>> {
    let size = inspection.source_size.div_ceil(GIB).saturating_mul(GIB);
    Ok(match fit_table(disk, inspection, size)? {
        Err(why) => Err(Error::CannotFit { path: path.to_owned(), why }),
        // What is lost of a file system would read as zeros.
        Ok(_) if is_cut(inspection) => Err(Error::FitOfCutDisk { path: path.to_owned() }),
        Ok(fitting) => Ok(fitting),
    })
}
