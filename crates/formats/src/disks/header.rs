//! Fields of headers.

use imsprep_source::ReadAtExt;

use crate::{Error, Result, Slice};

/// The first bytes of a file, which a header takes.
pub(super) fn header<const N: usize>(file: &Slice<'_>, format: &'static str, at: u64) -> Result<[u8; N]> {
    if !file.holds(at, N as u64) {
        return Err(file.unreadable(format, at, "the file ends inside the header"));
    }
    Ok(file.read_array(at)?)
}

/// A power of two in this range, as headers have them.
pub(super) fn power_of_two(
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
