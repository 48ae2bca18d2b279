//! What is inside the disk of an image file.

use std::path::Path;

use imsprep_detect::Format;
use imsprep_inspect::{Inspection, inspect_source};
use imsprep_source::{Cancel, ImageFile};

use crate::{Result, open_disk, refuse_bitmap_file};

/// An image into whose disk somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The format that the disk lies in.
    pub format: Format,
    /// What is on the disk.
    pub inspection: Inspection,
}

/// Looks into the disk of the image at `path`: partitions, file systems, boot loaders, and what follows from them.
///
/// # Errors
///
/// As [`open_disk`], and if the disk can't be read. Whatever stands on the disk is no error.
pub fn inspect_image(path: &Path, cancel: &Cancel) -> Result<Inspected> {
    refuse_bitmap_file(path)?;
    let image = ImageFile::open(path)?;
    let disk = open_disk(&image, cancel)?;
    let inspection = inspect_source(&disk, disk.orig_size(), cancel)?;
    image.verify_unchanged()?;
    Ok(Inspected { format: disk.format(), inspection })
}
