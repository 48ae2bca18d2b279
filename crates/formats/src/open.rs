//! The reader of each format.

use imsprep_ondisk::format::Format;
use imsprep_source::{Cancel, DiskReader};

use crate::{Qcow2, Result, Slice, Vhd, Vmdk};

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
