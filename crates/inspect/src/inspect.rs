//! Looking into a disk.

use std::path::Path;

use imsprep_ondisk::disk::Mbr;
use imsprep_source::{Cancel, ReadAt, Result};

use crate::problems::Problems;
use crate::view::View;
use crate::volumes::{self, lvm};
use crate::{
    Boot, Inspection, Partition, Table, TableProblem, Volume, VolumeKind, boot_code, conclude, esp, gpt, mbr,
};

/// Returns what is on a disk: the partition table, what is in each partition, what would start from it, and what follows.
///
/// `disk` shows the virtual disk, not a container that it lies in.
///
/// # Errors
///
/// If the disk can't be read, or a stop was requested. Whatever stands on the disk is no error.
pub fn inspect(disk: &dyn ReadAt, cancel: &Cancel) -> Result<Inspection> {
    inspect_source(disk, disk.size(), cancel)
}

/// The same for a disk that goes on after the image that it was made from, as that in a ZVHD2 does: what the first
/// `source_size` bytes hold is reported as if the disk ended there.
///
/// # Errors
///
/// As [`inspect`].
pub fn inspect_source(disk: &dyn ReadAt, source_size: u64, cancel: &Cancel) -> Result<Inspection> {
    let disk_size = disk.size();
    let source_size = source_size.min(disk_size);
    let disk = &Part { disk, size: source_size };
    let view = View::new(disk, 0, source_size)?;
    let whole = volumes::recognise(&view)?;
    let code = boot_code::recognise(&view, &whole.kind);
    let mbr = mbr::decode(&view).filter(|mbr| mbr::fits(mbr, &whole.kind, view.size()));
    let (table, mut partitions) = read_table(&view, &whole, mbr.as_ref(), cancel)?;
    for partition in &mut partitions {
        cancel.check()?;
        partition.content = if partition.kind.is_extended() {
            Volume::new(VolumeKind::Extended)
        } else {
            volumes::recognise(&View::new(disk, partition.start, partition.length)?)?
        };
    }
    let mut whole = keep_whole(whole, table.as_ref());
    lvm::find_missing(whole.iter_mut().chain(partitions.iter_mut().map(|partition| &mut partition.content)));
    let efi = esp::look(disk, &partitions, whole.as_ref(), cancel)?;
    let boot = Boot { code, mbr_active: mbr.as_ref().is_some_and(mbr::has_active), efi };
    let summary = conclude::summary(&partitions, whole.as_ref(), &boot);
    Ok(Inspection { disk_size, source_size, table, partitions, whole, boot, summary })
}

/// What a volume holds that is no partition, such as a logical one. `volume` begins where the volume does.
///
/// # Errors
///
/// If it can't be read.
pub fn inspect_volume(volume: &dyn ReadAt) -> Result<Volume> {
    volumes::recognise(&View::new(volume, 0, volume.size())?)
}

/// The beginning of a disk.
struct Part<'a> {
    disk: &'a dyn ReadAt,
    size: u64,
}

impl ReadAt for Part<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.disk.read_at(buf, offset)
    }
}

/// The partition table, GPT or MBR, where the one does not count if the other does.
fn read_table(
    disk: &View<'_>,
    whole: &Volume,
    mbr: Option<&Mbr>,
    cancel: &Cancel,
) -> Result<(Option<Table>, Vec<Partition>)> {
    let (is_protective, has_partitions) =
        mbr.map_or((false, false), |mbr| (mbr::is_protective(mbr), mbr::has_partitions(mbr)));
    let mut problems = Problems::default();
    let found = if has_partitions && !is_protective {
        if gpt::has_primary(disk)? {
            problems.push(TableProblem::UnprotectedGpt);
        }
        None
    } else {
        gpt::read(disk, is_protective, &mut problems)?
    };
    let found = match (found, mbr) {
        (Some(found), _) => {
            if !is_protective {
                problems.push(TableProblem::NotProtective);
            } else if has_partitions {
                problems.push(TableProblem::Hybrid);
            }
            Some(found)
        }
        // What protected a GPT may be left over where a file system has the disk now.
        (None, Some(_)) if !has_partitions && is_protective && !may_be_partitioned(&whole.kind) => None,
        (None, Some(mbr)) => Some(mbr::read(disk, mbr, cancel, &mut problems)?),
        (None, None) => None,
    };
    let Some(gpt::Found { mut table, partitions }) = found else { return Ok((None, Vec::new())) };
    table.problems = problems.into_vec();
    if whole.kind == VolumeKind::Iso9660 {
        // The partitions of an ISO image that boots from disks, too, hold the image, and so each other.
        table.problems.retain(|p| {
            !matches!(
                p,
                TableProblem::Overlap { .. } | TableProblem::Misaligned { .. } | TableProblem::Hybrid
            )
        });
    }
    Ok((Some(table), partitions))
}

/// Whether nothing is known on the disk as a whole but what partitions lie in, or beside.
fn may_be_partitioned(whole: &VolumeKind) -> bool {
    matches!(whole, VolumeKind::Unknown | VolumeKind::Empty | VolumeKind::Iso9660)
}

/// Beside a partition table the disk as a whole is reported only if there is something. A RAID superblock at the end is
/// that of the last partition, if there is any.
fn keep_whole(whole: Volume, table: Option<&Table>) -> Option<Volume> {
    let is_at_end = matches!(&whole.kind, VolumeKind::MdRaid(raid) if matches!(raid.version, "0.90" | "1.0"));
    let is_known = !matches!(whole.kind, VolumeKind::Unknown | VolumeKind::Empty);
    (table.is_none() || (is_known && !is_at_end)).then_some(whole)
}
