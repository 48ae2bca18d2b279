//! VDI.

use imsprep_ondisk::format::vdi::{
    Header, MAP_ENTRY_SIZE, SIGNATURE, TYPE_DIFF, TYPE_DYNAMIC, TYPE_FIXED, TYPE_UNDO, VERSION_MAJOR,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(bytes) = input.head_array(0) else { return Ok(None) };
    let header = Header::decode(&bytes);
    if header.signature != SIGNATURE {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Vdi);
    if header.version >> 16 != VERSION_MAJOR {
        found.damaged(format!("version {}.{} is unknown", header.version >> 16, header.version & 0xffff));
        return Ok(Some(found));
    }
    found.virtual_size = Some(header.disk_size);
    found.check_size();
    found.variant = match header.image_type {
        TYPE_DYNAMIC => Some("dynamic"),
        TYPE_FIXED => Some("static"),
        TYPE_UNDO => Some("undo"),
        TYPE_DIFF => Some("differencing"),
        other => {
            found.damaged(format!("image type {other} is unknown"));
            None
        }
    };
    if matches!(header.image_type, TYPE_UNDO | TYPE_DIFF) || header.parent_uuid != [0; 16] {
        found.facts.push(Fact::Parent(None));
    }
    if u64::from(header.blocks) * u64::from(header.block_size) < header.disk_size {
        found.damaged("its blocks are fewer than the disk needs");
    }
    let map = u64::from(header.blocks) * MAP_ENTRY_SIZE;
    found.check_within("the map of blocks", (header.block_map_offset.into(), map), input.size());
    // Where the disk ends within its last block, the file may end there, too.
    let mapped = u64::from(header.blocks) * u64::from(header.block_size);
    let padding = mapped.saturating_sub(header.disk_size).min(u64::from(header.block_size));
    let data = (u64::from(header.blocks_allocated) * u64::from(header.block_size)).saturating_sub(padding);
    found.check_within("the last block", (header.data_offset.into(), data), input.size());
    Ok(Some(found))
}
