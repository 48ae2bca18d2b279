//! cloop.

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::format::cloop::{HEADER_OFFSET, Header, MAGIC};
use imsprep_source::Result;

use crate::Format;
use crate::candidate::Candidate;
use crate::input::Input;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(MAGIC) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Cloop).variant("v2");
    let Some(bytes) = input.head_array(HEADER_OFFSET) else {
        found.damaged("the file ends inside the header");
        return Ok(Some(found));
    };
    let header = Header::decode(&bytes);
    found.virtual_size = Some(u64::from(header.block_size) * u64::from(header.blocks));
    if header.block_size == 0 || !u64::from(header.block_size).is_multiple_of(SECTOR) {
        found.damaged(format!("a block has {} bytes", header.block_size));
    }
    let offsets = (u64::from(header.blocks) + 1) * 8;
    found.check_within("the list of blocks", (HEADER_OFFSET + Header::SIZE as u64, offsets), input.size());
    Ok(Some(found))
}
