//! Bochs' growing image and redo logs.

use imsprep_ondisk::format::bochs::{Header, KIND, MAGIC, VERSION_1, VERSION_2};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Subtypes that hold the changes to another disk.
const OVERLAYS: [&str; 2] = ["undoable", "volatile"];

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(&MAGIC) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Bochs);
    let Some(bytes) = input.head_array(0) else {
        found.damaged("the file ends inside the header");
        return Ok(Some(found));
    };
    let header = Header::decode(&bytes);
    let subtype = text::utf8(&header.subtype).to_ascii_lowercase();
    found.variant = ["growing"].into_iter().chain(OVERLAYS).find(|known| **known == subtype);
    if found.variant.is_none() || text::utf8(&header.kind).as_bytes() != KIND {
        found.damaged("its kind is unknown");
    }
    if OVERLAYS.contains(&subtype.as_str()) {
        found.facts.push(Fact::Parent(None));
    }
    found.virtual_size = match header.version {
        VERSION_1 => Some(header.disk_size_v1),
        VERSION_2 => Some(header.disk_size_v2),
        _ => None,
    };
    if found.virtual_size.is_none() {
        found.damaged(format!("version {:#x} is unknown", header.version));
    }
    found.check_size();
    let catalog = u64::from(header.catalog_entries) * 4;
    found.check_within("the catalog", (header.header_size.into(), catalog), input.size());
    let mapped = u64::from(header.catalog_entries) * u64::from(header.extent_bytes);
    if found.virtual_size.is_some_and(|size| size > mapped) {
        found.damaged("its extents are fewer than the disk needs");
    }
    Ok(Some(found))
}
