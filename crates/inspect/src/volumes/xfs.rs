//! XFS.

use imsprep_ondisk::disk::XFS_MAGIC;
use imsprep_ondisk::text;
use imsprep_ondisk::volume::xfs::Superblock;
use imsprep_source::Result;

use super::xfs_log;
use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(0) else { return Ok(None) };
    let superblock = Superblock::decode(&bytes);
    let block_size = superblock.basic.block_size;
    let is_xfs = superblock.basic.magic == XFS_MAGIC
        && block_size.is_power_of_two()
        && (512..=65536).contains(&block_size);
    if !is_xfs {
        return Ok(None);
    }
    Ok(Some(Volume {
        label: text::label(&superblock.label),
        uuid: text::some_uuid(&superblock.uuid),
        state: state(view, &superblock)?,
        size: superblock.blocks.checked_mul(block_size.into()),
        ..Volume::new(VolumeKind::Xfs)
    }))
}

fn state(view: &View<'_>, superblock: &Superblock) -> Result<State> {
    let is_version_5 = superblock.version & 0xf == 5;
    if superblock.in_progress != 0 {
        return Ok(State::Dirty(UncleanReason::Damaged));
    }
    if is_version_5 && superblock.incompatible & Superblock::INCOMPATIBLE_NEEDS_REPAIR != 0 {
        return Ok(State::Dirty(UncleanReason::Errors));
    }
    let Some((at, length)) = log(superblock) else { return Ok(State::Unknown) };
    xfs_log::state(view, at, length)
}

/// Where the log is, in bytes; `None` if it is on another device or makes no sense.
fn log(superblock: &Superblock) -> Option<(u64, u64)> {
    if superblock.log_start == 0 || superblock.group_log >= 64 {
        return None;
    }
    let group = superblock.log_start >> superblock.group_log;
    let block = superblock.log_start & ((1 << superblock.group_log) - 1);
    let block_size = u64::from(superblock.basic.block_size);
    let at =
        group.checked_mul(superblock.group_blocks.into())?.checked_add(block)?.checked_mul(block_size)?;
    Some((at, u64::from(superblock.log_blocks) * block_size))
}
