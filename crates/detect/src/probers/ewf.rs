//! EWF, EnCase's evidence file.

use imsprep_ondisk::format::ewf::{
    FIRST_SECTION, MAGIC, MAGIC_V2, SECTION_DISK, SECTION_NEXT, SECTION_VOLUME, SEGMENT_OFFSET, Section,
    Volume,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Sections that are read: the volume comes after two or three headers.
const SECTIONS_MAX: usize = 8;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if input.starts_with(&MAGIC_V2) {
        return Ok(Some(Candidate::new(Format::Ewf).variant("v2")));
    }
    if !input.starts_with(&MAGIC) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Ewf).variant("v1");
    found.virtual_size = disk_size(input)?;
    found.check_size();
    let segment = input.head_array(SEGMENT_OFFSET).map(u16::from_le_bytes);
    let last = input.tail_array(Section::SIZE as u64)?.map(|bytes| Section::decode(&bytes));
    let goes_on = last.is_some_and(|last| last.kind == SECTION_NEXT);
    if goes_on || segment.is_some_and(|segment| segment > 1) {
        found.facts.push(Fact::ExternalDataFile(None));
    }
    Ok(Some(found))
}

fn disk_size(input: &Input<'_>) -> Result<Option<u64>> {
    let mut at = FIRST_SECTION;
    for _ in 0..SECTIONS_MAX {
        let Some(section) = input.array(at)?.map(|bytes| Section::decode(&bytes)) else { break };
        if [SECTION_VOLUME, SECTION_DISK].contains(&section.kind) {
            let volume = input.array(at + Section::SIZE as u64)?.map(|bytes| Volume::decode(&bytes));
            return Ok(volume.and_then(|volume| volume.sectors.checked_mul(volume.bytes_per_sector.into())));
        }
        if section.next <= at {
            break;
        }
        at = section.next;
    }
    Ok(None)
}
