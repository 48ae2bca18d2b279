//! Looks at the tables of an image without reading the disk: whether all that they name is in the file, and nothing twice.

mod bochs;
mod cloop;
mod entries;
mod parallels;
mod qcow;
mod qed;
mod vdi;
mod vhdx;

use imsprep_ondisk::format::Format;
use imsprep_source::Cancel;

use crate::claims::{Claims, check};
use crate::{Error, Flaw, Qcow2, Result, Slice, Vhd, Vmdk};

/// Compares the places that headers and tables name with each other and with the end of the file; of a format without tables
/// there is nothing to compare. Of a VHDX the log must be empty. The disk itself is not
/// read, apart from one compressed cluster at the end of the file.
///
/// # Errors
///
/// [`Error::Unreadable`] if the headers are not those of a disk of this format that stands alone; or if the file cannot be read,
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

/// The first bytes of a file, which a header takes.
fn header<const N: usize>(file: &Slice<'_>, format: &'static str, at: u64) -> Result<[u8; N]> {
    use imsprep_source::ReadAtExt;
    if !file.holds(at, N as u64) {
        return Err(file.unreadable(format, at, "the file ends inside the header"));
    }
    Ok(file.read_array(at)?)
}

/// A power of two in this range, as headers have them.
fn power_of_two(
    file: &Slice<'_>,
    format: &'static str,
    at: u64,
    what: &str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, Error> {
    if value.is_power_of_two() && range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(file.unreadable(format, at, format!("{what} is {value}, not a power of two from {least} to {most}")))
}
