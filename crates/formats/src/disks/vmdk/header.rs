//! What header and footer say, compared with what reading needs.

use imsprep_ondisk::format::vmdk::{
    COMPRESSION_DEFLATE, FLAG_COMPRESSED, FLAG_MARKERS, FLAG_REDUNDANT, FLAG_ZERO_GRAINS, FOOTER_FROM_END,
    GD_AT_END, GRAIN_TABLE_ENTRIES, SECTOR, SparseHeader,
};
use imsprep_source::{ReadAt, ReadAtExt};

use super::FORMAT;
use crate::{Error, Slice};

/// Sectors of a grain: 512 bytes to 2 MiB. Those of VMware and qemu have 64 KiB.
const GRAIN_SECTORS: std::ops::RangeInclusive<u64> = 1..=4096;
/// Bytes of a grain directory at most: 1 TiB of disk in grains of 512 bytes take as many.
const DIRECTORY_SIZE_MAX: u64 = 16 << 20;

/// The header of a disk that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) disk_size: u64,
    /// Bytes of a grain, a power of two.
    pub(crate) grain_size: u64,
    /// Grains are compressed.
    pub(crate) compressed: bool,
    /// Before each compressed grain stands where it belongs and how long it is.
    pub(crate) markers: bool,
    /// An entry of 1 is a grain of zeros.
    pub(crate) zero_grains: bool,
    /// Where the grain directory is.
    pub(crate) directory_offset: u64,
    /// Entries of the grain directory that the disk takes.
    pub(crate) directory_entries: u64,
    /// Where in the file that is written.
    pub(crate) directory_named_at: u64,
    /// Where the header is that counts: at the start, or before the end.
    pub(crate) header_offset: u64,
    /// Where the redundant grain directory is, if there is one.
    pub(crate) redundant_offset: Option<u64>,
    /// Where the embedded descriptor is, and its bytes.
    pub(crate) descriptor: (u64, u64),
    /// Where the grains begin at the earliest, if the header has it.
    pub(crate) grains_offset: u64,
}

impl Header {
    pub(crate) fn read(file: &Slice<'_>) -> Result<Self, Error> {
        let wrong = |offset: u64, what: String| Err(file.unreadable(FORMAT, offset, what));
        let (mut raw, mut at) = (header_at(file, 0)?, 0);
        if raw.gd_offset == GD_AT_END {
            at = file.size().saturating_sub(FOOTER_FROM_END);
            raw = header_at(file, at)?;
            if raw.gd_offset == GD_AT_END {
                return wrong(at, "the footer has no offset of the grain directory, either".into());
            }
        }
        if !GRAIN_SECTORS.contains(&raw.grain_size) || !raw.grain_size.is_power_of_two() {
            return wrong(
                at + 20,
                format!("a grain has {} sectors, not a power of two up to 4096", raw.grain_size),
            );
        }
        if raw.table_entries != GRAIN_TABLE_ENTRIES {
            return wrong(at + 44, format!("a grain table has {} entries, not 512", raw.table_entries));
        }
        let has = |flag| raw.flags & flag != 0;
        if has(FLAG_COMPRESSED) && raw.compress_algorithm != COMPRESSION_DEFLATE {
            return wrong(at + 77, format!("compression {} is unknown", raw.compress_algorithm));
        }
        let Some(disk_size) = raw.capacity.checked_mul(SECTOR).filter(|size| i64::try_from(*size).is_ok())
        else {
            return wrong(
                at + 12,
                format!("a disk of {} sectors is larger than any reader supports", raw.capacity),
            );
        };
        let grain_size = raw.grain_size * SECTOR;
        let directory_entries = disk_size.div_ceil(grain_size * u64::from(GRAIN_TABLE_ENTRIES));
        let size = directory_entries * 4;
        let place = raw.gd_offset.checked_mul(SECTOR).filter(|place| file.holds(*place, size));
        let Some(directory_offset) = place else {
            let what = format!(
                "the grain directory at sector {} with {size} bytes extends beyond the end of the file",
                raw.gd_offset
            );
            return wrong(at + 56, what);
        };
        if size > DIRECTORY_SIZE_MAX {
            return wrong(at + 12, format!("a grain directory of {directory_entries} entries is too large"));
        }
        Ok(Self {
            disk_size,
            grain_size,
            compressed: has(FLAG_COMPRESSED),
            markers: has(FLAG_MARKERS),
            zero_grains: has(FLAG_ZERO_GRAINS),
            directory_offset,
            directory_entries,
            directory_named_at: at + 56,
            header_offset: at,
            redundant_offset: raw.rgd_offset.checked_mul(SECTOR).filter(|_| has(FLAG_REDUNDANT)),
            descriptor: (
                raw.descriptor_offset.saturating_mul(SECTOR),
                raw.descriptor_size.saturating_mul(SECTOR),
            ),
            grains_offset: raw.overhead.saturating_mul(SECTOR),
        })
    }
}

fn header_at(file: &Slice<'_>, at: u64) -> Result<SparseHeader, Error> {
    if !file.holds(at, SparseHeader::SIZE as u64) {
        return Err(file.unreadable(FORMAT, at, "the file ends inside the header"));
    }
    let header = SparseHeader::decode(&file.read_array(at)?);
    if header.magic != SparseHeader::MAGIC || !(1..=3).contains(&header.version) {
        return Err(file.unreadable(FORMAT, at, "there is no header of a sparse disk of version 1 to 3"));
    }
    Ok(header)
}
