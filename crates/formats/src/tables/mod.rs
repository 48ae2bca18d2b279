//! Looks at the tables of an image without reading the disk: whether all that they name is in the file, and nothing twice.

mod bochs;
mod cloop;
mod entries;
mod parallels;
mod qcow;
mod qed;
mod vdi;
mod vhdx;

use imsprep_source::Cancel;

use crate::claims::{Claims, check};
use crate::{Error, Flaw, Qcow2, Result, Slice, Vhd, Vmdk};

/// A format whose tables [`check_tables`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// qcow2, versions 2 and 3.
    Qcow2,
    /// A VMDK that is one sparse file with a header of its own.
    Vmdk,
    /// A fixed or dynamic VHD.
    Vhd,
    /// VHDX, the log of which is empty.
    Vhdx,
    /// VDI.
    Vdi,
    /// QED.
    Qed,
    /// qcow, version 1.
    Qcow,
    /// Parallels' image.
    Parallels,
    /// Bochs' growing image.
    Bochs,
    /// A compressed loop image.
    Cloop,
}

/// Compares the places that headers and tables name with each other and with the end of the file. The disk itself is not
/// read, apart from one compressed cluster at the end of the file.
///
/// # Errors
///
/// [`Error::Unreadable`] if the headers are not those of a disk of this format that stands alone; or if the file can't be read,
/// or at a stop.
pub fn check_tables(file: Slice<'_>, format: Tables, cancel: &Cancel) -> Result<Vec<Flaw>> {
    let of = |claims: &dyn Claims| Ok(check(&file, claims, &|_| Ok(true), cancel)?);
    match format {
        Tables::Qcow2 => Ok(Qcow2::open_unchecked(file.clone())?.flaws(&file, cancel)?),
        Tables::Vmdk => Ok(Vmdk::open_unchecked(file.clone())?.flaws(&file, cancel)?),
        Tables::Vhd => Ok(Vhd::flaws(file, cancel)?),
        Tables::Vhdx => of(&vhdx::Blocks::read(file.clone())?),
        Tables::Vdi => of(&vdi::Blocks::read(file.clone())?),
        Tables::Qed => of(&qed::Clusters::read(file.clone())?),
        Tables::Qcow => of(&qcow::Clusters::read(file.clone())?),
        Tables::Parallels => of(&parallels::Clusters::read(file.clone())?),
        Tables::Bochs => of(&bochs::Extents::read(file.clone())?),
        Tables::Cloop => of(&cloop::Blocks::read(file.clone())?),
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
