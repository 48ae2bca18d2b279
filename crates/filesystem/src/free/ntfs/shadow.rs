//! Shadow copies: earlier states of the volume, such as restore points.
//!
//! What such a state has and the volume has no more stays where it was, in clusters that the bitmap calls free, until something
//! is written there: only then Windows copies it into a file.

use imsprep_ondisk::volume::shadow::{
    CATALOG_BLOCK, CATALOG_ENTRY, CATALOG_NEXT, CATALOG_UNUSED, HEADER_AT, Header, IDENTIFIER,
};

use crate::cached::Cached;
use crate::{Error, Result};

/// Most blocks of a catalog; Windows makes four.
const BLOCKS_MAX: u64 = 64;

/// Refuses a volume with shadow copies.
pub(super) fn check(disk: &Cached<'_>) -> Result<()> {
    let header = Header::decode(&disk.array(HEADER_AT)?);
    if header.identifier != IDENTIFIER {
        return Ok(());
    }
    let is_here = header.storage == header.volume || header.storage == [0; 16];
    if !is_here {
        return Err(Error::refused("has shadow copies that are kept on another volume"));
    }
    let mut at = header.catalog;
    for _ in 0..BLOCKS_MAX {
        if at == 0 {
            return Ok(());
        }
        let block = disk.array::<CATALOG_BLOCK>(at)?;
        if !block.starts_with(&IDENTIFIER) {
            return Err(Error::corrupt("its list of shadow copies makes no sense"));
        }
        let entries = block.as_chunks::<CATALOG_ENTRY>().0.iter().skip(1);
        let kinds = entries.filter_map(|entry| entry.first_chunk()).map(|kind| u64::from_le_bytes(*kind));
        if kinds.into_iter().any(|kind| !CATALOG_UNUSED.contains(&kind)) {
            return Err(Error::refused(
                "has shadow copies (restore points), which need bytes that no file holds any more",
            ));
        }
        let next = block.get(CATALOG_NEXT..).and_then(|rest| rest.first_chunk());
        at = next.map_or(0, |next| u64::from_le_bytes(*next));
    }
    Err(Error::corrupt("its list of shadow copies has no end"))
}
