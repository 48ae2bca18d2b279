//! The formats whose tables are read here, and the disks in those that have a reader of imsprep's own. A format is entered in this
//! file alone.

mod bochs;
mod cloop;
mod entries;
mod header;
mod parallels;
mod qcow;
mod qcow2;
mod qed;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

use imsprep_ondisk::format::Format;
use imsprep_source::{Cancel, DiskReader};

use crate::claims::{Claims, Flaw, check};
use crate::{Result, Slice};

pub use self::qcow2::Qcow2;
pub use self::vhd::Vhd;
pub use self::vmdk::Vmdk;

/// Opens the disk in a file of this format; `None` if it has no reader here.
///
/// # Errors
///
/// [`Error::Unreadable`](crate::Error::Unreadable) if it can't be read without doubt; or if the file cannot be read, or at a stop.
pub fn open_disk<'a>(
    file: Slice<'a>,
    format: Format,
    cancel: &Cancel,
) -> Result<Option<Box<dyn DiskReader + 'a>>> {
    Ok(Some(match format {
        Format::Vhd => Box::new(Vhd::open(file)?),
        Format::Qcow2 => Box::new(Qcow2::open(file, cancel)?),
        Format::Vmdk => Box::new(Vmdk::open(file, cancel)?),
        _ => return Ok(None),
    }))
}

/// Compares the places that headers and tables name with each other and with the end of the file; of a format without tables
/// there is nothing to compare. The log of a VHDX must be empty. The disk itself is not
/// read, apart from one compressed cluster at the end of the file.
///
/// # Errors
///
/// [`Error::Unreadable`](crate::Error::Unreadable) if the headers are not those of a disk of this format that stands alone; or if the file cannot be read,
/// or at a stop.
pub fn check_tables(file: Slice<'_>, format: Format, cancel: &Cancel) -> Result<Vec<Flaw>> {
    let of = |claims: &dyn Claims| Ok(check(&file, claims, &|_| Ok(true), cancel)?);
    match format {
        Format::Qcow2 => Ok(Qcow2::open_unchecked(file.clone())?.flaws(&file, cancel)?),
        Format::Vmdk => Ok(Vmdk::open_unchecked(file.clone())?.flaws(&file, cancel)?),
        Format::Vhd => Ok(Vhd::flaws(file, cancel)?),
        Format::Vhdx => of(&vhdx::Blocks::read(file.clone())?),
        Format::Vdi => of(&vdi::Blocks::read(file.clone())?),
        Format::Qed => of(&qed::Clusters::read(file.clone())?),
        Format::Qcow => of(&qcow::Clusters::read(file.clone())?),
        Format::Parallels => of(&parallels::Clusters::read(file.clone())?),
        Format::Bochs => of(&bochs::Extents::read(file.clone())?),
        Format::Cloop => of(&cloop::Blocks::read(file.clone())?),
        _ => Ok(Vec::new()),
    }
}
