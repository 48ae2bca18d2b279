//! A GPT whose backup is not, or will not be, at the end of the disk, and one that counts in other sectors than the disk.

use std::path::Path;

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};
use imsprep_inspect::{Header, Inspection, Table, TableKind, TableProblem, VolumeKind};

use crate::content_rules::SECTORS_OF_4096;
use crate::rules::BACKUP_GPT;
use crate::truncated::is_cut;
use crate::{Medium, MediumKind, Size, shell_quoted};

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
            .fix(fix_of_backup(table, medium)),
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

/// How to make of this disk one whose size is a multiple of 1 GiB, with the backup of the GPT at its end.
pub(crate) fn fix_of_backup(table: &Table, medium: &Medium<'_>) -> String {
    if table.problems.iter().any(contradicts) {
        return "repair the partition table first, with sgdisk or gdisk on the original disk or on a copy: what it should be \
                cannot be derived from it"
            .into();
    }
    format!("make another image, enlarged and with the backup GPT at its end: `{}`", fit_command(medium))
}

/// Whether the primary table is not sound, or the two copies are of different tables.
fn contradicts(problem: &TableProblem) -> bool {
    match problem {
        TableProblem::HeaderMissing { which, .. }
        | TableProblem::HeaderCrc { which, .. }
        | TableProblem::HeaderInvalid { which, .. }
        | TableProblem::EntriesCrc { which, .. }
        | TableProblem::EntriesPastEnd { which, .. } => *which == Header::Primary,
        TableProblem::HeadersDisagree { .. }
        | TableProblem::ProtectsNothing
        | TableProblem::OutsideUsable { .. }
        | TableProblem::Backwards { .. }
        | TableProblem::Overlap { .. } => true,
        _ => false,
    }
}

/// The command that enlarges the disk on its way into another image.
fn fit_command(medium: &Medium<'_>) -> String {
    let path = medium.path;
    let fit = |from: &Path, number: &str, to: &Path| {
        format!("imsprep convert --fit{number} {} {}", shell_quoted(from), shell_quoted(to))
    };
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    let is_stream =
        extension.and_then(|name| Format::of_extension(&name)).is_some_and(|format| format.is_compressed());
    if medium.kind == MediumKind::Export {
        return fit(path, "", Path::new("disk.zvhd2"));
    }
    if medium.kind == MediumKind::Other {
        let number = medium.number.map(|number| format!(" --disk {number}")).unwrap_or_default();
        let inner = if is_stream { path.with_extension("") } else { path.to_owned() };
        return fit(path, &number, &inner.with_extension("fit.zvhd2"));
    }
    // The copy of a device goes into the current folder.
    let is_device = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let base = if is_device { Path::new(path.file_name().unwrap_or("disk".as_ref())) } else { path };
    fit(path, "", &base.with_extension("fit.raw"))
}
