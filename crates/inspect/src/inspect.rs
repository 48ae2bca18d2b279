//! Looking into a disk.

use imsprep_source::{Cancel, ReadAt, Result};

use crate::problems::Problems;
use crate::view::View;
use crate::volumes::{self, lvm};
use crate::{
    Boot, Inspection, Partition, Table, TableProblem, Volume, VolumeKind, boot_code, conclude, esp, gpt, mbr,
};

/// Tells what is on a disk: the partition table, what is in each partition, what would start from it, and what follows.
///
/// `disk` shows the virtual disk, not a container that it lies in.
///
/// # Errors
///
/// If the disk can't be read, or somebody asked for the stop. Whatever stands on the disk is no error.
pub fn inspect(disk: &dyn ReadAt, cancel: &Cancel) -> Result<Inspection> {
    let view = View::new(disk, 0, disk.size())?;
    let whole = volumes::recognise(&view)?;
    let code = boot_code::recognise(&view, &whole.kind);
    let (table, mut partitions) = read_table(&view, &whole, cancel)?;
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
    let boot = Boot { code, efi: esp::look(disk, &partitions, whole.as_ref(), cancel)? };
    let summary = conclude::summary(disk.size(), &partitions, whole.as_ref(), &boot);
    Ok(Inspection { disk_size: disk.size(), table, partitions, whole, boot, summary })
}

/// The partition table, GPT or MBR, where the one does not count if the other does.
fn read_table(disk: &View<'_>, whole: &Volume, cancel: &Cancel) -> Result<(Option<Table>, Vec<Partition>)> {
    let mbr = mbr::decode(disk).filter(|mbr| mbr::fits(mbr, &whole.kind, disk.size()));
    let (is_protective, has_partitions) =
        mbr.as_ref().map_or((false, false), |mbr| (mbr::is_protective(mbr), mbr::has_partitions(mbr)));
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
        (None, Some(mbr)) => Some(mbr::read(disk, &mbr, cancel, &mut problems)?),
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

/// Beside a partition table the disk as a whole is told of only if there is something. A RAID superblock at the end is
/// that of the last partition, if there is any.
fn keep_whole(whole: Volume, table: Option<&Table>) -> Option<Volume> {
    let is_at_end = matches!(&whole.kind, VolumeKind::MdRaid(raid) if matches!(raid.version, "0.90" | "1.0"));
    let is_known = !matches!(whole.kind, VolumeKind::Unknown | VolumeKind::Empty);
    (table.is_none() || (is_known && !is_at_end)).then_some(whole)
}
