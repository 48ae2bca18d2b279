//! F2FS.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::f2fs::{BLOCK, Checkpoint, Superblock};
use imsprep_source::Result;

use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

/// log2 of the block size.
const LOG_BLOCK: u32 = BLOCK.trailing_zeros();
/// Largest log2 of the blocks of a segment that is believed.
const LOG_SEGMENT_MAX: u32 = 16;

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(Superblock::OFFSET).filter(|_| view.has_magic("f2fs")) else {
        return Ok(None);
    };
    let superblock = Superblock::decode(&bytes);
    if superblock.log_block_size != LOG_BLOCK || superblock.log_segment > LOG_SEGMENT_MAX {
        return Ok(None);
    }
    Ok(Some(Volume {
        label: text::some(&text::utf16_le(&superblock.label)),
        uuid: text::some_uuid(&superblock.uuid),
        state: state(view, &superblock)?,
        // Of several devices only the size of all is reported.
        size: superblock.blocks.checked_mul(BLOCK).filter(|_| superblock.first_device[0] == 0),
        ..Volume::new(VolumeKind::F2fs)
    }))
}

/// What the newer of the two checkpoints says, of those that were written whole.
fn state(view: &View<'_>, superblock: &Superblock) -> Result<State> {
    let segment = 1 << superblock.log_segment;
    let first = u64::from(superblock.checkpoint);
    let mut newest: Option<Checkpoint> = None;
    for block in [first, first + segment] {
        if let Some(checkpoint) = checkpoint(view, block, segment)?
            && newest.is_none_or(|newest| newest.version < checkpoint.version)
        {
            newest = Some(checkpoint);
        }
    }
    Ok(match newest {
        None => State::Dirty(UncleanReason::Damaged),
        Some(newest) if newest.flags & (Checkpoint::ERROR | Checkpoint::CHECK) != 0 => {
            State::Dirty(UncleanReason::Errors)
        }
        Some(newest) if newest.flags & Checkpoint::UNMOUNTED != 0 => State::Clean,
        Some(_) => State::Dirty(UncleanReason::Mounted),
    })
}

/// The checkpoint that begins in this block, if its last block was written as well.
fn checkpoint(view: &View<'_>, block: u64, segment: u64) -> Result<Option<Checkpoint>> {
    let read = |block: u64| -> Result<Option<Checkpoint>> {
        Ok(view.array(block * BLOCK)?.map(|bytes| Checkpoint::decode(&bytes)))
    };
    let Some(first) = read(block)?.filter(|first| (2..=segment).contains(&first.blocks.into())) else {
        return Ok(None);
    };
    let last = read(block + u64::from(first.blocks) - 1)?;
    Ok(last.filter(|last| last.version == first.version).map(|_| first))
}
