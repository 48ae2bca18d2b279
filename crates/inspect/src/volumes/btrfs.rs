//! Btrfs.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::btrfs::Superblock;
use imsprep_source::Result;

use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(Superblock::OFFSET).filter(|_| view.has_magic("btrfs")) else {
        return Ok(None);
    };
    let superblock = Superblock::decode(&bytes);
    if superblock.own_offset != Superblock::OFFSET || superblock.devices == 0 {
        return Ok(None);
    }
    // It has no mark of having been unmounted; that synced changes are not committed is certain only of a dirty one.
    let state =
        if superblock.log_root == 0 { State::NotRecorded } else { State::Dirty(UncleanReason::Journal) };
    Ok(Some(Volume {
        label: text::label(&superblock.label),
        uuid: text::some_uuid(&superblock.uuid),
        state,
        // What others of its devices hold is not to be found here.
        size: Some(superblock.device_bytes),
        ..Volume::new(VolumeKind::Btrfs { devices: superblock.devices })
    }))
}
