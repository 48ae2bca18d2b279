//! Which reader a volume takes.

use std::rc::Rc;

use imsprep_ondisk::disk::{BOOT_SIGNATURE, CONTENT_MAGICS, ExtSuperblock, XFS_MAGIC};
use imsprep_ondisk::volume::fat::BootRecord;
use imsprep_source::ReadAt;

use crate::btrfs::BtrfsVolume;
use crate::cached::Cached;
use crate::ext::Ext;
use crate::fat::FatVolume;
use crate::ntfs::NtfsVolume;
use crate::xfs::XfsVolume;
use crate::{Access, Error, FileSystem, Result};

/// Opens the file system that a volume holds.
///
/// `volume` begins where the volume does: a partition, a logical volume, or a disk without partitions.
///
/// # Errors
///
/// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if it holds none that is supported, or uses what is not; and if it can't be
/// read.
pub fn open_volume<'a>(volume: &'a dyn ReadAt, access: &Access) -> Result<Rc<dyn FileSystem + 'a>> {
    let disk = Cached::new(volume, access);
    let has = |offset: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        let is_there = offset.saturating_add(magic.len() as u64) <= disk.size();
        Ok::<_, Error>(is_there && disk.read(offset, &mut bytes).map(|()| bytes == magic)?)
    };
    let has_content = |name: &str| {
        let mut magics = CONTENT_MAGICS.iter().filter(|magic| magic.name == name);
        magics.try_fold(false, |found, magic| Ok::<_, Error>(found || has(magic.offset as u64, magic.bytes)?))
    };
    if has(ExtSuperblock::OFFSET + ExtSuperblock::MAGIC_OFFSET, &ExtSuperblock::MAGIC.to_le_bytes())? {
        return Ok(Rc::new(Ext::open(disk.clone())?));
    }
    if has(0, &XFS_MAGIC)? {
        return Ok(Rc::new(XfsVolume::open(disk.clone())?));
    }
    if has_content("btrfs")? {
        return Ok(Rc::new(BtrfsVolume::open(disk.clone())?));
    }
    if has_content("ntfs")? {
        return Ok(Rc::new(NtfsVolume::open(disk.clone())?));
    }
    // Last, since all that distinguishes a FAT from other bytes is that its numbers fit each other.
    if disk.size() >= BootRecord::SIZE as u64 {
        let bytes = disk.array::<{ BootRecord::SIZE }>(0)?;
        let record = BootRecord::decode(&bytes);
        if let Some(geometry) = record.geometry().filter(|_| bytes.ends_with(&BOOT_SIGNATURE)) {
            return Ok(Rc::new(FatVolume::open(disk.clone(), record, geometry)));
        }
    }
    Err(Error::refused("holds no file system that is supported"))
}
