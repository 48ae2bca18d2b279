//! What is on a disk in a compressed file that has to be unpacked for a look at it.

use std::path::Path;

use imsprep_detect::Fact;
use imsprep_source::{Error as SourceError, Work};

use crate::disk_seen::{DiskSeen, SystemWanted, look_into};
use crate::unpack::Unpack;
use crate::wrapped_disk::damage;
use crate::{DiskSelector, Error, OpenedImage, Result};

/// Looks at the disk in a compressed file, which is unpacked to a temporary file in `folder`; and what is wrong with the compressed data.
/// If there is no space for that the disk is not looked into.
pub(crate) fn look_unpacked(
    packed: &OpenedImage,
    folder: &Path,
    wanted: SystemWanted<'_>,
    selector: Option<&DiskSelector>,
    work: Work<'_>,
) -> Result<(DiskSeen, Option<Fact>)> {
    let image = OpenedImage::new(packed.file().reopen()?, work.cancel)?;
    match image.unpacked(Unpack::Formats, folder, work) {
        Ok(mut image) => match image.select_unpacked(selector, Unpack::Every, folder, work) {
            Ok(()) => Ok((look_into(&image, wanted, work.cancel)?, None)),
            Err(error) if selector.is_none() && error.is_about_the_disk() => {
                Ok((DiskSeen::closed(error.to_string()), None))
            }
            Err(error) => Err(error),
        },
        Err(Error::Source(SourceError::Damaged { offset, what, .. })) => {
            let damage = damage(offset, &what);
            Ok((DiskSeen::closed(what), Some(damage)))
        }
        Err(
            error @ (Error::NoSpaceToUnpack { .. }
            | Error::Source(SourceError::Write { .. } | SourceError::NotExpanded { .. })),
        ) => Ok((DiskSeen::closed(error.to_string()), None)),
        Err(error) => Err(error),
    }
}
