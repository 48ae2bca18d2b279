//! A GPT whose backup is not, or will not be, at the end of the disk, and one that counts in other sectors than the disk.

use std::path::Path;

use imsprep_findings::{Finding, Report};
use imsprep_inspect::{GptLayout, Inspection, Table, TableKind, TableProblem, VolumeKind};

use crate::content_rules::SECTORS_OF_4096;
use crate::rules::BACKUP_GPT;
use crate::truncated::is_cut;
use crate::{Medium, Size, shell_quoted};

const GIB: u64 = 1 << 30;
/// Bytes of a sector of the service's disks: nothing says so, and nothing else was ever seen.
const SECTOR: u64 = 512;

/// Warns of a GPT on a disk whose source image is not a whole number of GiB, be it imported as RAW or as ZVHD2; not of one that
/// was cut off, which nothing but another copy helps.
pub(crate) fn check_backup_gpt(inspection: &Inspection, medium: &Medium<'_>, report: &mut Report) {
    let Some(table) = gpt_of(inspection) else { return };
    let size = inspection.source_size;
    let is_iso = inspection.whole.as_ref().is_some_and(|whole| whole.kind == VolumeKind::Iso9660);
    if size.is_multiple_of(GIB) || is_iso || is_cut(inspection) {
        return;
    }
    let next = size.div_ceil(GIB).saturating_mul(GIB);
    report.push(
        Finding::new(&BACKUP_GPT, "the disk has a GPT, and its size is not a multiple of 1 GiB")
            .expected(format!("a multiple of 1 GiB, such as {}", Size(next)))
            .found(Size(size))
            .fix(fix_of_backup(table, size, medium)),
    );
}

/// Warns of a GPT that counts in sectors of 4096 bytes.
pub(crate) fn check_sectors(inspection: &Inspection, report: &mut Report) {
    let Some(table) = gpt_of(inspection).filter(|table| table.sector != SECTOR) else { return };
    report.push(
        Finding::new(&SECTORS_OF_4096, format!("the GPT is for sectors of {} bytes", table.sector))
            .expected(SECTOR)
            .found(table.sector),
    );
}

fn gpt_of(inspection: &Inspection) -> Option<&Table> {
    inspection.table.as_ref().filter(|table| matches!(table.kind, TableKind::Gpt { .. }))
}

/// How to move the backup of this GPT to the end of a disk of `size` bytes, rounded up to whole GiB.
///
/// sgdisk takes sectors of 512 bytes and entries of 128 for granted: of any other table it makes an empty one, without an
/// error. A command is given only for a table that sgdisk reads as we do.
pub(crate) fn fix_of_backup(table: &Table, size: u64, medium: &Medium<'_>) -> String {
    let is_usual = table.gpt.is_some_and(|layout| {
        layout.entry_size == GptLayout::USUAL.entry_size && layout.entries <= MOST_ENTRIES
    });
    let is_sound = table.problems.iter().all(|problem| {
        matches!(problem, TableProblem::BackupNotAtEnd { .. } | TableProblem::Misaligned { .. })
    });
    if table.sector != SECTOR || !is_usual || !is_sound {
        return "partition the disk again on the original machine: sgdisk and gdisk read only undamaged tables with \
         sectors of 512 bytes and entries of 128 bytes correctly, and may replace this one by an empty table"
            .into();
    }
    // A device can't be enlarged, and must not be changed by a command that was meant for a copy.
    if medium.is_raw && medium.path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return "copy the device into a RAW file, check that file, and follow the fix that is given for it"
            .into();
    }
    let raw = if medium.is_raw { medium.path.to_owned() } else { raw_of(medium.path) };
    let name = shell_quoted(&raw);
    let mut steps = Vec::new();
    if !medium.is_raw {
        let number = medium.number.map(|number| format!(" --disk {number}")).unwrap_or_default();
        steps.push(format!("imsprep convert --no-bitmap{number} {} {name}", shell_quoted(medium.path)));
    }
    if !size.is_multiple_of(GIB) {
        steps.push(format!("truncate -s {}G {name}", size.div_ceil(GIB)));
    }
    steps.push(format!("sgdisk -e {name}"));
    // The bitmap of the RAW as it was, if there is one, no longer fits.
    steps.push(format!("imsprep bitmap create --force {name}"));
    let what = if medium.is_raw {
        "move the backup header to the end of the disk, and write the bitmap file again"
    } else {
        "convert the image to RAW, move the backup header to the end of the disk, and write the bitmap file"
    };
    format!("{what}: `{}`", steps.join(" && "))
}

/// Most entries of a table for which the command was tried.
const MOST_ENTRIES: u32 = 1024;

/// A name for the RAW that is not the image's own.
fn raw_of(path: &Path) -> std::path::PathBuf {
    let raw = path.with_extension("raw");
    if raw == path { path.with_extension("disk.raw") } else { raw }
}
