//! FAT12, FAT16, FAT32.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::fat::{
    Extended, FAT16_CLEAN, FAT16_NO_ERRORS, FAT32_CLEAN, FAT32_NO_ERRORS, Width,
};
use imsprep_source::Result;

use crate::fat_volume::FatVolume;
use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(fat) = FatVolume::open(view) else { return Ok(None) };
    let kind = match fat.geometry.width {
        Width::Fat12 => VolumeKind::Fat12,
        Width::Fat16 => VolumeKind::Fat16,
        Width::Fat32 => VolumeKind::Fat32,
    };
    let extended = Some(fat.extended()).filter(|extended| extended.signature == Extended::SIGNATURE);
    Ok(Some(Volume {
        // The copy in the boot record stays when tools erase the label, and blkid does not take it for one either.
        label: fat.root_label()?.and_then(|label| text::label(&label)),
        uuid: extended.map(|extended| serial_text(extended.serial)),
        state: state(&fat)?,
        size: Some(fat.geometry.size),
        content_end: Some(fat.content_end()),
        ..Volume::new(kind)
    }))
}

/// Marks are in the second entry of the table, and in the boot record, where Windows NT has them. FAT12 has none in its
/// table, and its being clean is unknown.
fn state(fat: &FatVolume<'_>) -> Result<State> {
    let extended = fat.extended();
    let Some(marks) = fat.marks()? else {
        return Ok(if extended.state & Extended::DIRTY != 0 {
            State::Dirty(UncleanReason::Mounted)
        } else {
            State::NotRecorded
        });
    };
    let (clean, no_errors) = match fat.geometry.width {
        Width::Fat32 => (FAT32_CLEAN, FAT32_NO_ERRORS),
        _ => (FAT16_CLEAN.into(), FAT16_NO_ERRORS.into()),
    };
    Ok(if marks & no_errors == 0 || extended.state & Extended::ERRORS != 0 {
        State::Dirty(UncleanReason::Errors)
    } else if marks & clean == 0 || extended.state & Extended::DIRTY != 0 {
        State::Dirty(UncleanReason::Mounted)
    } else {
        State::Clean
    })
}

/// A serial number as people write it: `1A2B-3C4D`.
pub(crate) fn serial_text(serial: u32) -> String {
    format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff)
}
