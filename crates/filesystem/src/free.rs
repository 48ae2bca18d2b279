//! Which bytes of a volume no file and no metadata holds, by its own allocation data.
//!
//! A range that is called free although something holds it is lost data. So everything is checked as it is read (checksums, counts
//! against bitmaps, ranges against the volume), and any doubt refuses the volume as a whole: it is then kept as it is.

mod btrfs;
mod clusters;
mod exfat;
mod ext;
mod fat;
mod ntfs;
mod swap;
mod xfs;

use std::ops::Range;

use imsprep_source::ReadAt;

use crate::cached::Cached;
use crate::kind::{Kind, kinds};
use crate::{Access, Error, Result};

/// The free space of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeSpace {
    size: u64,
    ranges: Vec<Range<u64>>,
}

impl FreeSpace {
    /// Most ranges that are kept: 32 MiB of memory. A volume with more of them is refused.
    pub const RANGES_MAX: usize = 2 << 20;

    /// None yet, in a file system of `size` bytes.
    pub fn new(size: u64) -> Self {
        Self { size, ranges: Vec::new() }
    }

    /// Adds a range, in bytes from the start of the volume. Ranges are added in ascending order; one that begins where the last one
    /// ends becomes a part of it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if it is empty or reversed, overlaps the one before, or ends beyond the file
    /// system; [`ErrorKind::Limit`](crate::ErrorKind::Limit) beyond [`RANGES_MAX`](Self::RANGES_MAX).
    pub fn push(&mut self, range: Range<u64>) -> Result<()> {
        let after = self.ranges.last().map_or(0, |last| last.end);
        if range.is_empty() || range.start < after || range.end > self.size {
            return Err(Error::corrupt(format!(
                "bytes {} to {} of a file system of {} bytes can't be free after those up to {after}",
                range.start, range.end, self.size
            )));
        }
        let count = self.ranges.len();
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ if count == Self::RANGES_MAX => {
                return Err(Error::limit(format!("free space is in more than {} ranges", Self::RANGES_MAX)));
            }
            _ => self.ranges.push(range),
        }
        Ok(())
    }

    /// Bytes of the file system: the volume's, or fewer. What lies behind them is not free.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The free ranges, in bytes from the start of the volume: ascending, none empty, none next to another.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The free ranges alone.
    pub fn into_ranges(self) -> Vec<Range<u64>> {
        self.ranges
    }

    /// How many bytes are free.
    pub fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }
}

/// Reads which bytes of a volume are free.
///
/// `volume` begins where the volume does: a partition, a logical volume, or a disk without partitions.
///
/// # Errors
///
/// Whatever makes the answer doubtful, with the reason: the volume must then be kept as it is.
pub fn free_space(volume: &dyn ReadAt, access: &Access) -> Result<FreeSpace> {
    let disk = Cached::new(volume, access);
    let kinds = kinds(&disk)?;
    let names: Vec<_> = kinds.iter().map(Kind::name).collect();
    match names.as_slice() {
        ["ext"] => ext::free_space(&disk),
        ["xfs"] => xfs::free_space(&disk),
        ["btrfs"] => btrfs::free_space(&disk),
        ["ntfs"] => ntfs::free_space(&disk),
        ["exfat"] => exfat::free_space(&disk),
        ["fat"] => fat::free_space(&disk),
        // Its signature depends on the size of a page.
        [] | ["swap"] if swap::page_size(&disk)?.is_some() => swap::free_space(&disk),
        // One is left over from an earlier use, and only the one who made it knows which.
        [_, _, ..] => Err(Error::refused(format!(
            "has the signatures of several kinds of content: {}",
            names.join(", ")
        ))),
        _ => Err(Error::refused("holds no file system whose free space is known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_and_those_that_can_not_be_are_refused() {
        let mut free = FreeSpace::new(100);
        free.push(10..20).unwrap();
        free.push(20..30).unwrap();
        free.push(40..100).unwrap();
        assert_eq!((free.ranges(), free.bytes()), (&[10..30, 40..100][..], 80));
        for wrong in [99..100, 100..101, 5..5, 0..5] {
            assert!(free.push(wrong.clone()).is_err(), "{wrong:?}");
        }
    }
}
