//! VDI.

use imsprep_ondisk::format::vdi::{Header, MAP_ENTRY_SIZE, SIGNATURE};

use super::entries::each;
use super::header::header;
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "VDI";
/// Entries of the map from this one on are blocks that are not in the file: never written, or discarded.
const ABSENT: u32 = 0xffff_fffe;
const MAP_AT: u64 = 340;

pub(super) struct Blocks<'a> {
    file: Slice<'a>,
    header: Header,
}

impl<'a> Blocks<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = Header::decode(&header(&file, FORMAT, 0)?);
        if header.signature != SIGNATURE || header.block_size == 0 {
            return Err(file.unreadable(FORMAT, 64, "there is no header with blocks"));
        }
        Ok(Self { file, header })
    }
}

impl Claims for Blocks<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let header = &self.header;
        let size = u64::from(header.block_size);
        see(Claim::new("the header", 0, Header::SIZE as u64, 0), seen)?;
        let blocks = u64::from(header.blocks).min(header.disk_size.div_ceil(size));
        let map = header.block_map_offset.into();
        let own = u64::from(header.blocks) * MAP_ENTRY_SIZE;
        see(Claim::new("the map of blocks", map, own, MAP_AT).needing(blocks * MAP_ENTRY_SIZE), seen)?;
        each(&self.file, map, blocks, |block, named_at, entry| {
            let entry = u32::from_le_bytes(entry);
            if entry >= ABSENT {
                return Ok(());
            }
            let at = block * size;
            let offset = u64::from(header.data_offset) + u64::from(entry) * size;
            let left = header.disk_size.saturating_sub(at).min(size);
            see(Claim::new("a block of the disk", offset, size, named_at).needing(left).of_disk(at), seen)
        })
    }
}
