//! What a stretch of a disk holds: one file for each kind. All recognisers run, so that left-overs and traps show.

mod btrfs;
mod exfat;
mod ext;
mod f2fs;
pub(crate) mod fat;
mod iso;
mod luks;
pub(crate) mod lvm;
mod lvm_text;
mod lvm_unmapped;
mod md;
mod ntfs;
mod ntfs_files;
mod ntfs_volume;
mod swap;
mod vmfs;
mod xfs;
mod xfs_log;
mod zfs;

use imsprep_source::Result;

use crate::view::View;
use crate::{Volume, VolumeKind};

/// Content of which only the name is reported, by the names of its magics.
const OTHERS: &[&str] = &[
    "squashfs", "erofs", "jfs", "reiserfs", "udf", "ufs1", "ufs2", "verity", "refs", "apfs", "hfsplus",
    "gfs2", "ocfs2", "bcachefs",
];

/// What the stretch holds. What wraps others comes first: a RAID member also shows what the array begins with.
pub(crate) fn recognise(view: &View<'_>) -> Result<Volume> {
    let all = [
        md::read,
        luks::read,
        lvm::read,
        luks::read_bitlocker,
        zfs::read,
        swap::read,
        ext::read,
        xfs::read,
        btrfs::read,
        f2fs::read,
        ntfs::read,
        exfat::read,
        fat::read,
        iso::read,
        vmfs::read,
    ];
    let mut found = Vec::new();
    for read in all {
        found.extend(read(view)?);
    }
    found.extend(
        OTHERS.iter().filter(|name| view.has_magic(name)).map(|name| Volume::new(VolumeKind::Other(name))),
    );
    let mut found = found.into_iter();
    let Some(mut volume) = found.next() else {
        let is_empty = view.head().iter().all(|byte| *byte == 0);
        return Ok(Volume::new(if is_empty { VolumeKind::Empty } else { VolumeKind::Unknown }));
    };
    // A UDF bridge is an ISO image by design.
    let is_bridge = volume.kind == VolumeKind::Iso9660;
    volume.also =
        found.map(|other| other.kind.name()).filter(|name| !(is_bridge && *name == "udf")).collect();
    Ok(volume)
}
