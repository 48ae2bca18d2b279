//! Which reader a volume takes.

use std::rc::Rc;

use imsprep_source::ReadAt;

use crate::btrfs::BtrfsVolume;
use crate::cached::Cached;
use crate::ext::Ext;
use crate::fat::FatVolume;
use crate::kind::{Kind, kinds};
use crate::ntfs::NtfsVolume;
use crate::xfs::XfsVolume;
use crate::{Access, Error, FileSystem, Result};

/// Opens the file system that a volume holds.
///
/// `volume` begins where the volume does: a partition, a logical volume, or a disk without partitions.
///
/// # Errors
///
/// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if it holds none that is supported, or uses what is not; and if it can't be
/// read.
pub fn open_volume<'a>(volume: &'a dyn ReadAt, access: &Access) -> Result<Rc<dyn FileSystem + 'a>> {
    let disk = Cached::new(volume, access);
    let kinds = kinds(&disk)?;
    let has = |name: &str| kinds.iter().any(|kind| kind.name() == name);
    if has("ext") {
        return Ok(Rc::new(Ext::open(disk)?));
    }
    if has("xfs") {
        return Ok(Rc::new(XfsVolume::open(disk)?));
    }
    if has("btrfs") {
        return Ok(Rc::new(BtrfsVolume::open(disk)?));
    }
    if has("ntfs") {
        return Ok(Rc::new(NtfsVolume::open(disk)?));
    }
    for kind in kinds {
        if let Kind::Fat(record, geometry) = kind {
            return Ok(Rc::new(FatVolume::open(disk, *record, geometry)));
        }
    }
    Err(Error::refused("holds no file system that is supported"))
}
