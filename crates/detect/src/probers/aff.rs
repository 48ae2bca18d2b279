//! AFF.

use imsprep_ondisk::format::aff::{MAGIC, SEGMENT_SIZE, Segment, TAIL_SIZE};
use imsprep_source::Result;

use crate::Format;
use crate::candidate::Candidate;
use crate::input::Input;

/// Segments that are read. affconvert writes the size after the pages of 16 MiB: that is a disk of 4 GiB.
const SEGMENTS_MAX: usize = 256;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(&MAGIC) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Aff);
    found.virtual_size = disk_size(input)?;
    found.check_size();
    Ok(Some(found))
}

fn disk_size(input: &Input<'_>) -> Result<Option<u64>> {
    let mut at = MAGIC.len() as u64;
    for _ in 0..SEGMENTS_MAX {
        let segment = input.array(at)?.map(|bytes| Segment::decode(&bytes));
        let Some(segment) = segment.filter(|segment| segment.magic == Segment::MAGIC) else { break };
        let name = at + Segment::SIZE as u64;
        let data = name + u64::from(segment.name_length);
        let wanted = SEGMENT_SIZE.len() as u64;
        if u64::from(segment.name_length) == wanted && input.read(name, wanted)? == SEGMENT_SIZE {
            let halves = input.array::<8>(data)?;
            // The lower half comes first, each half big-endian.
            return Ok(halves.map(|halves| u64::from_be_bytes(halves).rotate_left(32)));
        }
        at = data + u64::from(segment.data_length) + TAIL_SIZE;
    }
    Ok(None)
}
