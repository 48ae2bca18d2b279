//! What is inside the disk of an image file.

use std::path::Path;

use imsprep_detect::Format;
use imsprep_formats::NbdAddress;
use imsprep_guest::{DiskSpace, Guest};
use imsprep_inspect::{Inspection, inspect_source};
use imsprep_source::{Cancel, Work};

use crate::remote::RemoteDisk;
use crate::space::report_space;
use crate::targets::refuse_bitmap;
use crate::unpack::Unpack;
use crate::{Disk, DiskSelector, GUEST_LIMITS, Member, OpenedImage, Result, read_guest};

/// An image whose disk was inspected.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The format that the disk lies in.
    pub format: Format,
    /// The disk of an archive that was inspected.
    pub member: Option<Member>,
    /// What is on the disk.
    pub inspection: Inspection,
    /// The system on it, read from its files.
    pub guest: Guest,
    /// How much of its volumes is free.
    pub space: DiskSpace,
}

/// Inspects the disk of the image at `path`: partitions, file systems, boot loaders, and what follows from them. A compressed disk that
/// has to be read at random is unpacked to a temporary file in `temp_folder` for that. Of an archive, `disk` is inspected.
///
/// # Errors
///
/// As [`OpenedImage::disk`] and [`OpenedImage::unpacked`], and if the disk can't be read. Whatever stands on the disk is no error.
pub fn inspect_image(
    path: &Path,
    disk: Option<&DiskSelector>,
    temp_folder: &Path,
    work: Work<'_>,
) -> Result<Inspected> {
    let cancel = work.cancel;
    let image = OpenedImage::open(path, cancel)?;
    refuse_bitmap(path, image.detection())?;
    let mut image = image.unpacked(Unpack::Every, temp_folder, work)?;
    image.select_unpacked(disk, Unpack::Every, temp_folder, work)?;
    let member = image.member().cloned();
    let found = inspect_disk(&image.disk(cancel)?, member, cancel)?;
    image.file().verify_unchanged()?;
    Ok(found)
}

/// The same of a disk that an NBD server has.
///
/// # Errors
///
/// [`Error::Remote`](crate::Error::Remote) if the server can't be read from; [`Error::RemoteImage`](crate::Error::RemoteImage) and
/// [`Error::Ambiguous`](crate::Error::Ambiguous) if the export is an image and not its disk; what reading brings.
pub fn inspect_export(address: &NbdAddress, work: Work<'_>) -> Result<Inspected> {
    let remote = RemoteDisk::open(address, None, work.cancel)?;
    inspect_disk(&Disk::remote(&remote), None, work.cancel)
}

fn inspect_disk(disk: &Disk<'_>, member: Option<Member>, cancel: &Cancel) -> Result<Inspected> {
    let inspection = inspect_source(disk, disk.orig_size(), cancel)?;
    let guest = read_guest(&inspection, disk, GUEST_LIMITS, cancel)?;
    let space = report_space(&inspection, disk, cancel)?.unwrap_or_default();
    Ok(Inspected { format: disk.format(), member, inspection, guest, space })
}
