//! The disk of an NBD server, and what the rules say of it.

use imsprep_formats::NbdAddress;
use imsprep_rules::shows_nothing;
use imsprep_source::{BlockSize, ReadAt, Work};

use crate::disk_seen::{DiskSeen, SeenExport, SystemWanted, look_at_disk};
use crate::judge::{Judged, judge_export};
use crate::no_disk::shows_only_zeros;
use crate::remote::RemoteDisk;
use crate::{CheckOptions, CheckedImage, Disk, Overview, Result};

/// Checks the disk that an NBD server has: what is on it, the system on it, and the service's rules for disks. The options for files
/// (bitmap, hash, checksums, layout, archive, holes) are not used.
///
/// What depends on the file that is to be imported is listed as not checked, so that the verdict is at best
/// [`Importable`](crate::Verdict::Importable) with [`ContentNotChecked`](crate::Reservation::ContentNotChecked).
///
/// # Errors
///
/// [`Error::Remote`](crate::Error::Remote) if the server can't be read from; [`Error::RemoteImage`](crate::Error::RemoteImage) and
/// [`Error::Ambiguous`](crate::Error::Ambiguous) if the export is an image and not its disk; what reading brings.
pub fn check_export(address: &NbdAddress, options: &CheckOptions, work: Work<'_>) -> Result<CheckedImage> {
    let remote = RemoteDisk::open(address, None, work.cancel)?;
    let disk = Disk::remote(&remote);
    let wanted = SystemWanted { intent: &options.intent, known: None };
    let on_disk = look_at_disk(&disk, disk.size(), wanted, work.cancel)?;
    let detection = remote.detection().clone();
    let all_zeros = shows_nothing(&detection) && shows_only_zeros(&disk)?;
    let path = remote.path().to_owned();
    let seen = SeenExport { path: &path, detection: &detection, disk: &on_disk, all_zeros };
    let Judged { report, bitmap, content_checked, would_start } = judge_export(&seen, options);
    let DiskSeen { inside, system, space } = on_disk;
    let why = "the content of an NBD export is not read";
    let size = disk.size();
    let overview =
        options.overview.and_then(|most| Overview::unread(size, BlockSize::MIB_2.bytes(), why, most));
    let (inspection, closed) = match inside {
        Ok(inspection) => (Some(inspection), None),
        Err(why) => (None, Some(why)),
    };
    Ok(CheckedImage {
        path,
        detection,
        report,
        bitmap,
        scan: None,
        zvhd2: None,
        inspection,
        member: None,
        closed,
        guest: system.into_guest(),
        space,
        saving: None,
        would_start,
        overview,
        digest: None,
        bitmap_digest: None,
        checksums: Vec::new(),
        content_checked,
    })
}
