//! What is encrypted: LUKS and `BitLocker`.

use imsprep_ondisk::format::container::LUKS_MAGIC;
use imsprep_ondisk::text;
use imsprep_ondisk::volume::luks::{BITLOCKER_TO_GO_GUID, BITLOCKER_TO_GO_OFFSET, Header};
use imsprep_source::Result;

use crate::view::View;
use crate::{Volume, VolumeKind};

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(0) else { return Ok(None) };
    let header = Header::decode(&bytes);
    let version = header.basic.version;
    if header.basic.magic != LUKS_MAGIC {
        return Ok(None);
    }
    Ok(Some(Volume {
        label: if version == 2 { text::label(&header.label) } else { None },
        uuid: text::label(&header.uuid),
        ..Volume::new(VolumeKind::Luks { version })
    }))
}

/// On removable disks it looks like a FAT volume, with its GUID behind the parameters.
pub(crate) fn read_bitlocker(view: &View<'_>) -> Result<Option<Volume>> {
    let is_to_go = view.has(BITLOCKER_TO_GO_OFFSET, &BITLOCKER_TO_GO_GUID.0);
    let is_bitlocker = view.has_magic("bitlocker") || is_to_go;
    Ok(is_bitlocker.then(|| Volume::new(VolumeKind::BitLocker)))
}
