//! Parallels' expandable image.

use imsprep_ondisk::format::parallels::{
    BAT_ENTRY_SIZE, Header, IN_USE_CLOSED, IN_USE_OPEN, SECTOR, VERSION,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Entries of the block allocation table that are read: 16 GiB of disk with clusters of 1 MiB.
const ENTRIES_MAX: u64 = 16384;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let is_extended = input.starts_with(&Header::MAGIC_EXTENDED);
    if !is_extended && !input.starts_with(&Header::MAGIC) {
        return Ok(None);
    }
    let variant = if is_extended { "WithouFreSpacExt" } else { "WithoutFreeSpace" };
    let mut found = Candidate::new(Format::Parallels).variant(variant);
    let Some(bytes) = input.head_array(0) else {
        found.damaged("the file ends inside the header");
        return Ok(Some(found));
    };
    let header = Header::decode(&bytes);
    if header.version != VERSION {
        found.damaged(format!("version {} is unknown", header.version));
    }
    let sectors = if is_extended { header.sectors } else { header.sectors & u64::from(u32::MAX) };
    found.virtual_size = sectors.checked_mul(SECTOR);
    if found.virtual_size.is_none() {
        found.damaged("the size of the disk is out of range");
    }
    found.check_size();
    match header.in_use {
        IN_USE_OPEN => found.facts.push(Fact::Dirty),
        IN_USE_CLOSED | 0 => {}
        other => found.damaged(format!("its in-use mark is {other:#x}, which is undefined")),
    }
    if u64::from(header.bat_entries) * u64::from(header.cluster_sectors) < sectors {
        found.damaged("its clusters are fewer than the disk needs");
    }
    let table = u64::from(header.bat_entries) * BAT_ENTRY_SIZE;
    found.check_within("the block allocation table", (Header::SIZE as u64, table), input.size());
    let unit = if is_extended { u64::from(header.cluster_sectors) * SECTOR } else { SECTOR };
    let last = last_cluster(input, table)?;
    // Of the cluster only its start counts: the last one of a file need not be whole.
    found.check_within("a cluster of the disk", (u64::from(last).saturating_mul(unit), 1), input.size());
    Ok(Some(found))
}

/// The farthest cluster that the start of the table points to, in the table's own unit.
fn last_cluster(input: &Input<'_>, table: u64) -> Result<u32> {
    let bytes = input.read(Header::SIZE as u64, table.min(ENTRIES_MAX * BAT_ENTRY_SIZE))?;
    let entries = bytes.as_chunks().0.iter().map(|entry| u32::from_le_bytes(*entry));
    Ok(entries.max().unwrap_or(0))
}
