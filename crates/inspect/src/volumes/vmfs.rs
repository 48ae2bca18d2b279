//! VMFS, in which ESXi keeps the disks of machines as files.

use imsprep_ondisk::format::other::vmfs::{
    FILE_SYSTEM_MAGIC, FILE_SYSTEM_OFFSET, MEMBER_MAGIC, MEMBER_OFFSET, is_start,
};
use imsprep_source::Result;

use crate::view::View;
use crate::{Volume, VolumeKind};

/// The description of a member is 1 MiB into the partition, that of the file system 2 MiB, and before them lie zeros.
pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let has = |offset, magic| {
        let bytes = view.array(offset)?;
        Ok::<_, imsprep_source::Error>(bytes.is_some_and(|bytes| is_start(bytes, magic)))
    };
    let name = if has(MEMBER_OFFSET, MEMBER_MAGIC)? {
        "VMFS_volume_member"
    } else if has(FILE_SYSTEM_OFFSET, FILE_SYSTEM_MAGIC)? {
        "VMFS"
    } else {
        return Ok(None);
    };
    Ok(Some(Volume::new(VolumeKind::Other(name))))
}
