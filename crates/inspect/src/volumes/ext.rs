//! ext2, ext3, ext4.

use imsprep_ondisk::disk::ExtSuperblock as Basic;
use imsprep_ondisk::text;
use imsprep_ondisk::volume::ext::Superblock;
use imsprep_source::Result;

use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(Basic::OFFSET) else { return Ok(None) };
    let superblock = Superblock::decode(&bytes);
    if !is_sane(&superblock.basic) {
        return Ok(None);
    }
    Ok(Some(Volume {
        label: text::label(&superblock.label),
        uuid: text::some_uuid(&superblock.uuid),
        state: state(&superblock),
        size: Some(size(&superblock)),
        ..Volume::new(kind(&superblock.basic))
    }))
}

fn is_sane(basic: &Basic) -> bool {
    // A journal alone has no groups.
    let is_journal = basic.incompatible & Superblock::INCOMPATIBLE_JOURNAL_DEVICE != 0;
    basic.is_plausible() && (basic.blocks_per_group > 0 || is_journal)
}

fn kind(basic: &Basic) -> VolumeKind {
    let is_ext4 = basic.incompatible & !Basic::INCOMPATIBLE_EXT3 != 0
        || basic.read_only_compatible & !Basic::READ_ONLY_EXT3 != 0;
    let has_journal = basic.compatible & Basic::COMPATIBLE_JOURNAL != 0;
    if basic.incompatible & Superblock::INCOMPATIBLE_JOURNAL_DEVICE != 0 {
        VolumeKind::ExtJournal
    } else if is_ext4 {
        VolumeKind::Ext4
    } else if has_journal {
        VolumeKind::Ext3
    } else {
        VolumeKind::Ext2
    }
}

/// Errors weigh more than a journal that is merely not empty.
fn state(superblock: &Superblock) -> State {
    let basic = &superblock.basic;
    if basic.incompatible & Superblock::INCOMPATIBLE_JOURNAL_DEVICE != 0 {
        State::NotRecorded
    } else if superblock.state & Superblock::STATE_ERRORS != 0 {
        State::Dirty(UncleanReason::Errors)
    } else if basic.incompatible & Superblock::INCOMPATIBLE_RECOVER != 0 {
        State::Dirty(UncleanReason::Journal)
    } else if superblock.state & Superblock::STATE_CLEAN == 0
        || superblock.state & Superblock::STATE_ORPHANS != 0
        || basic.read_only_compatible & Superblock::READ_ONLY_ORPHANS != 0
    {
        State::Dirty(UncleanReason::Mounted)
    } else {
        State::Clean
    }
}

fn size(superblock: &Superblock) -> u64 {
    let has_high = superblock.basic.incompatible & Superblock::INCOMPATIBLE_64BIT != 0;
    let high = if has_high { u64::from(superblock.blocks_high) << 32 } else { 0 };
    (high | u64::from(superblock.basic.blocks)).saturating_mul(1024 << superblock.basic.log_block_size)
}
