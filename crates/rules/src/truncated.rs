//! What of a disk is not in the image: partitions and file systems that were cut off.

use imsprep_findings::{Finding, Report, Severity};
use imsprep_inspect::{Header, Inspection, Lost, Partition, Table, TableProblem, Volume, VolumeKind};

use crate::content_rules::{BACKUP_GPT_LOST, FILE_SYSTEM_PAST_END, PARTITION_PAST_END};
use crate::{Inside, Size};

/// Compares the disk with what its partition table and its file systems say of their own length. What lies behind the end of
/// the image is lost, whichever way the image is imported.
pub(crate) fn check_truncated(inside: &Inside<'_>, report: &mut Report) {
    let inspection = inside.inspection;
    for (table, problem) in
        inspection.table.iter().flat_map(|table| table.problems.iter().map(move |problem| (table, problem)))
    {
        report_problem(table, problem, inspection, report);
    }
    for (partition, volume) in inspection.volumes() {
        if let Some(finding) = lost_of(inspection, partition, volume) {
            let start = partition.map_or(0, |partition| partition.start);
            report.push(inside.at(finding, start));
        }
    }
}

/// Whether bytes of the disk are lost, so that enlarging the image would only hide it.
pub fn is_cut(inspection: &Inspection) -> bool {
    let mut problems = inspection.table.iter().flat_map(|table| &table.problems);
    problems.any(|problem| is_loss(problem, inspection.source_size))
        || inspection.volumes().any(|(partition, volume)| lost_of(inspection, partition, volume).is_some())
}

/// Whether a problem of the table is that something lies behind the end.
pub(crate) fn is_loss(problem: &TableProblem, source_size: u64) -> bool {
    match problem {
        TableProblem::PastEnd { .. } | TableProblem::ExtendedPastEnd { .. } => true,
        TableProblem::HeaderMissing { which: Header::Backup, at } => *at >= source_size,
        TableProblem::EntriesPastEnd { which, .. } => *which == Header::Primary,
        _ => false,
    }
}

fn report_problem(table: &Table, problem: &TableProblem, inspection: &Inspection, report: &mut Report) {
    let source_size = inspection.source_size;
    if !is_loss(problem, source_size) {
        return;
    }
    let message = problem.to_string();
    report.push(match problem {
        TableProblem::PastEnd { end, limit, .. } => {
            Finding::new(&PARTITION_PAST_END, message).expected(format!("at most {limit}")).found(end)
        }
        TableProblem::HeaderMissing { at, .. } => Finding::new(&BACKUP_GPT_LOST, message)
            .expected(format!("at least {} bytes", at.saturating_add(table.sector)))
            .found(source_size),
        _ => Finding::new(&PARTITION_PAST_END, message),
    });
}

/// What a partition, or the disk without partitions, lacks of the volume in it.
fn lost_of(inspection: &Inspection, partition: Option<&Partition>, volume: &Volume) -> Option<Finding> {
    let is_left_over = match partition {
        // What is found on a whole disk beside a partition table is no longer used.
        None => inspection.table.is_some(),
        Some(partition) => partition.kind.has_no_file_system() || partition.kind.is_protective(),
    };
    // An ISO image is read as such, and its size often counts what follows it on a medium.
    if is_left_over || volume.kind == VolumeKind::Iso9660 {
        return None;
    }
    let room = inspection.space_of(partition);
    let lost = volume.lost_in(room)?;
    // That the partition is cut is reported already, and is why.
    if partition.is_some_and(|one| one.end() > inspection.source_size && volume.lost_in(one.length).is_none())
    {
        return None;
    }
    let kind = volume.kind.name();
    let place = partition.map_or_else(|| "the disk".to_owned(), |one| format!("partition {}", one.number));
    let (end, message, severity) = match lost {
        Lost::Content { end } => (
            end,
            format!("the {kind} on {place} is larger than the part of {place} that exists"),
            Severity::Error,
        ),
        Lost::Tail { end } => (
            end,
            format!("the last bytes of the {kind} on {place} are missing; they contain no files"),
            Severity::Warning,
        ),
    };
    Some(
        Finding::new(&FILE_SYSTEM_PAST_END, message).severity(severity).expected(Size(end)).found(Size(room)),
    )
}
