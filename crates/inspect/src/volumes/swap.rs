//! Linux swap space, and the memory of a hibernated system in it.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::swap::{HIBERNATION_MAGICS, Header, MAGIC, MAGIC_SIZE, OFFSET, PAGES};
use imsprep_source::Result;

use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    for page in PAGES {
        let Some(magic) = view.head_array::<{ MAGIC.len() }>(page - MAGIC_SIZE) else { break };
        let is_hibernated = HIBERNATION_MAGICS.iter().any(|known| magic.starts_with(known));
        if magic == MAGIC || is_hibernated {
            return Ok(view
                .head_array(OFFSET)
                .map(|bytes| volume(&Header::decode(&bytes), page, is_hibernated)));
        }
    }
    Ok(None)
}

fn volume(header: &Header, page: u64, is_hibernated: bool) -> Volume {
    let (kind, state) = if is_hibernated {
        (VolumeKind::Hibernation, State::Dirty(UncleanReason::Hibernated))
    } else {
        (VolumeKind::Swap, State::NotRecorded)
    };
    Volume {
        label: text::label(&header.label),
        uuid: text::some_uuid(&header.uuid),
        state,
        size: Some((u64::from(header.last_page) + 1) * page),
        ..Volume::new(kind)
    }
}
