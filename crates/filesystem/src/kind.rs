//! Which file system a volume holds.

use imsprep_ondisk::disk::{BOOT_SIGNATURE, CONTENT_MAGICS, ExtSuperblock, XFS_MAGIC};
use imsprep_ondisk::volume::fat::{BootRecord, Geometry};

use crate::cached::Cached;
use crate::{Error, Result};

/// A kind of content whose signature a volume has.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Ext,
    Xfs,
    Fat(Box<BootRecord>, Geometry),
    /// Another one, by its name in [`CONTENT_MAGICS`].
    Other(&'static str),
}

impl Kind {
    /// What to call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ext => "ext",
            Self::Xfs => "xfs",
            Self::Fat(..) => "fat",
            Self::Other(name) => name,
        }
    }
}

/// All kinds whose signatures are there: the first one is what the volume holds.
pub(crate) fn kinds(disk: &Cached<'_>) -> Result<Vec<Kind>> {
    let has = |offset: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        let is_there = offset.saturating_add(magic.len() as u64) <= disk.size();
        Ok::<_, Error>(is_there && disk.read(offset, &mut bytes).map(|()| bytes == magic)?)
    };
    let mut kinds = Vec::new();
    if has(ExtSuperblock::OFFSET + ExtSuperblock::MAGIC_OFFSET, &ExtSuperblock::MAGIC.to_le_bytes())? {
        kinds.push(Kind::Ext);
    }
    if has(0, &XFS_MAGIC)? {
        kinds.push(Kind::Xfs);
    }
    for magic in CONTENT_MAGICS {
        let is_new = kinds.iter().all(|kind| kind.name() != magic.name);
        if is_new && has(magic.offset as u64, magic.bytes)? {
            kinds.push(Kind::Other(magic.name));
        }
    }
    // Last, since all that distinguishes a FAT from other bytes is that its numbers fit each other.
    if disk.size() >= BootRecord::SIZE as u64 {
        let bytes = disk.array::<{ BootRecord::SIZE }>(0)?;
        let record = BootRecord::decode(&bytes);
        if let Some(geometry) = record.geometry().filter(|_| bytes.ends_with(&BOOT_SIGNATURE)) {
            kinds.push(Kind::Fat(Box::new(record), geometry));
        }
    }
    Ok(kinds)
}
