//! Bochs' growing image.

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::format::bochs::{Header, MAGIC, VERSION_1};

use super::entries::each;
use super::header::header;
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "Bochs";
/// Entry of the catalog for what is not in the file.
const ABSENT: u32 = u32::MAX;
const CATALOG_AT: u64 = 72;

pub(super) struct Extents<'a> {
    file: Slice<'a>,
    header: Header,
    disk_size: u64,
}

impl<'a> Extents<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = Header::decode(&header(&file, FORMAT, 0)?);
        if header.extent_bytes == 0 || header.bitmap_bytes == 0 || !file.starts_with(&MAGIC)? {
            return Err(file.unreadable(FORMAT, 0, "there is no header with extents"));
        }
        let disk_size = if header.version == VERSION_1 { header.disk_size_v1 } else { header.disk_size_v2 };
        Ok(Self { file, header, disk_size })
    }
}

impl Claims for Extents<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let header = &self.header;
        let (start, extent) = (u64::from(header.header_size), u64::from(header.extent_bytes));
        see(Claim::new("the header", 0, start.max(1), 0), seen)?;
        let entries = u64::from(header.catalog_entries);
        see(Claim::new("the catalog", start, entries * 4, CATALOG_AT), seen)?;
        let bitmap = u64::from(header.bitmap_bytes).next_multiple_of(SECTOR);
        let stride = bitmap + extent.next_multiple_of(SECTOR);
        let first = start + entries * 4;
        let wanted = entries.min(self.disk_size.div_ceil(extent));
        each(&self.file, start, wanted, |number, named_at, entry| {
            let entry = u32::from_le_bytes(entry);
            if entry == ABSENT {
                return Ok(());
            }
            let at = number * extent;
            let left = self.disk_size.saturating_sub(at).min(extent);
            let claim =
                Claim::new("an extent of the disk", first + u64::from(entry) * stride, stride, named_at);
            see(claim.needing(bitmap + left).of_disk(at), seen)
        })
    }
}
