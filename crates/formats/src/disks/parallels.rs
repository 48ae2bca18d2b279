//! Parallels' expandable image.

use imsprep_ondisk::format::parallels::{BAT_ENTRY_SIZE, Header, SECTOR};

use super::entries::each;
use super::header::header;
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "Parallels";

pub(super) struct Clusters<'a> {
    file: Slice<'a>,
    disk_size: u64,
    cluster_size: u64,
    /// Bytes that an entry of the table counts.
    unit: u64,
    entries: u64,
}

impl<'a> Clusters<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = Header::decode(&header(&file, FORMAT, 0)?);
        let extended = header.magic == Header::MAGIC_EXTENDED;
        if (!extended && header.magic != Header::MAGIC) || header.cluster_sectors == 0 {
            return Err(file.unreadable(FORMAT, 0, "there is no header with clusters"));
        }
        let sectors = if extended { header.sectors } else { header.sectors & u64::from(u32::MAX) };
        let cluster_size = u64::from(header.cluster_sectors) * SECTOR;
        Ok(Self {
            file,
            disk_size: sectors.saturating_mul(SECTOR),
            cluster_size,
            unit: if extended { cluster_size } else { SECTOR },
            entries: header.bat_entries.into(),
        })
    }
}

impl Claims for Clusters<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let start = Header::SIZE as u64;
        see(Claim::new("the header", 0, start, 0), seen)?;
        let wanted = self.entries.min(self.disk_size.div_ceil(self.cluster_size));
        let table = Claim::new("the block allocation table", start, self.entries * BAT_ENTRY_SIZE, 32);
        see(table.needing(wanted * BAT_ENTRY_SIZE), seen)?;
        each(&self.file, start, wanted, |number, named_at, entry| {
            let (entry, at) = (u64::from(u32::from_le_bytes(entry)), number * self.cluster_size);
            if entry == 0 {
                return Ok(());
            }
            let left = self.disk_size.saturating_sub(at).min(self.cluster_size);
            let offset = entry.saturating_mul(self.unit);
            let claim = Claim::new("a cluster of the disk", offset, self.cluster_size, named_at);
            see(claim.needing(left).of_disk(at), seen)
        })
    }
}
