//! What is inside the disk, compared with a profile.

use imsprep_findings::{Finding, Report};
use imsprep_inspect::{
    Firmware, Inspection, OsFamily, Partition, State, Table, TableProblem, Volume, VolumeKind,
};

use crate::content_rules::{
    BACKUP_GPT_ELSEWHERE, BIOS_UNCERTAIN, DATA_DISK_STARTS, LVM_SYSTEM_DISK, NOT_UNMOUNTED, NOTHING_STARTS,
    ONE_OF_SEVERAL, TABLE_DAMAGED, UEFI_ONLY, WINDOWS,
};
use crate::gpt::{check_backup_gpt, check_sectors, fix_of_backup};
use crate::rules::ENCRYPTED;
use crate::truncated::{check_truncated, is_loss};
use crate::{Inside, Intent, Profile, Purpose, is_known};

/// What the disk is for: what the user says, else what it looks like.
pub fn purpose_of(intent: &Intent, inspection: &Inspection) -> Option<Purpose> {
    intent.purpose.or(match inspection.summary.purpose {
        imsprep_inspect::DiskUse::System => Some(Purpose::System),
        imsprep_inspect::DiskUse::Data => Some(Purpose::Data),
        imsprep_inspect::DiskUse::Unknown => None,
    })
}

/// Compares what is inside the disk with the profile.
pub fn check_content(inside: &Inside<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    let inspection = inside.inspection;
    let purpose = purpose_of(intent, inspection);
    check_disk(inside, report);
    if let Some(table) = &inspection.table {
        check_table(table, inside, report);
    }
    for (partition, volume) in inspection.volumes() {
        let place = ImageLocation { partition, volume };
        check_volume(inside, &place, purpose, report);
    }
    check_system(inside, profile, intent, purpose, report);
}

/// Compares the disk with what every import of it needs, and every conversion: that all of it is there, and that its partition
/// table will be where it is looked for.
pub(crate) fn check_disk(inside: &Inside<'_>, report: &mut Report) {
    check_truncated(inside, report);
    check_sectors(inside.inspection, report);
    check_backup_gpt(inside.inspection, &inside.medium, report);
}

fn check_table(table: &Table, inside: &Inside<'_>, report: &mut Report) {
    let source_size = inside.inspection.source_size;
    for problem in table.problems.iter().filter(|problem| !is_loss(problem, source_size)) {
        let finding = |rule| Finding::new(rule, problem.to_string());
        report.push(match problem {
            TableProblem::BackupNotAtEnd { at, end } => {
                let finding = finding(&BACKUP_GPT_ELSEWHERE)
                    .expected(format!("offset {end}"))
                    .found(format!("offset {at}"))
                    .fix(fix_of_backup(table, &inside.medium));
                inside.at(finding, *at)
            }
            TableProblem::HeaderMissing { at, .. }
            | TableProblem::HeaderCrc { at, .. }
            | TableProblem::HeaderInvalid { at, .. }
            | TableProblem::EntriesCrc { at, .. }
            | TableProblem::EntriesPastEnd { at, .. }
            | TableProblem::Overlap { at, .. }
            | TableProblem::ExtendedLoop { at }
            | TableProblem::ExtendedBroken { at } => inside.at(finding(&TABLE_DAMAGED), *at),
            TableProblem::OutsideUsable { start, .. } => inside.at(finding(&TABLE_DAMAGED), *start),
            TableProblem::HeadersDisagree { .. }
            | TableProblem::NotProtective
            | TableProblem::ProtectsNothing
            | TableProblem::UnprotectedGpt
            | TableProblem::Backwards { .. } => finding(&TABLE_DAMAGED),
            // They cost time, or are unusual, and keep nothing from starting.
            _ => continue,
        });
    }
}

/// A volume and where it is.
struct ImageLocation<'a> {
    partition: Option<&'a Partition>,
    volume: &'a Volume,
}

impl ImageLocation<'_> {
    fn name(&self) -> String {
        match self.partition {
            Some(partition) => format!("partition {} ({})", partition.number, self.volume.kind.name()),
            None => format!("the disk ({})", self.volume.kind.name()),
        }
    }

    fn offset(&self) -> u64 {
        self.partition.map_or(0, |partition| partition.start)
    }
}

fn check_volume(
    inside: &Inside<'_>,
    place: &ImageLocation<'_>,
    purpose: Option<Purpose>,
    report: &mut Report,
) {
    let volume = place.volume;
    let mut push = |rule, message| report.push(inside.at(Finding::new(rule, message), place.offset()));
    if volume.kind.is_encrypted() {
        push(&ENCRYPTED, format!("{} is encrypted", place.name()));
    }
    if volume.kind == VolumeKind::Hibernation {
        push(&NOT_UNMOUNTED, format!("{} holds the memory of a hibernated system", place.name()));
    } else if let State::Dirty(dirt) = volume.state {
        push(&NOT_UNMOUNTED, format!("{}: {dirt}", place.name()));
    }
    if let Some(why) = needs_others(&volume.kind) {
        push(&ONE_OF_SEVERAL, format!("{}: {why}", place.name()));
    }
    if matches!(volume.kind, VolumeKind::Lvm(_)) && purpose == Some(Purpose::System) {
        push(&LVM_SYSTEM_DISK, format!("{} is a physical volume of LVM", place.name()));
    }
}

/// Why a volume is incomplete on one disk, if it is not.
fn needs_others(kind: &VolumeKind) -> Option<String> {
    match kind {
        VolumeKind::Lvm(lvm) => {
            let group = lvm.group.as_ref().filter(|group| !group.missing.is_empty())?;
            let (missing, all) = (group.missing.len(), group.physical.len());
            Some(format!(
                "{missing} of {all} physical volumes of group {:?} are not on this disk",
                group.name
            ))
        }
        VolumeKind::Btrfs { devices } if *devices > 1 => Some(format!("it is spread over {devices} devices")),
        VolumeKind::MdRaid(raid) if raid.devices > 1 => {
            Some(format!("it is part of a RAID of {} devices", raid.devices))
        }
        VolumeKind::ExtJournal => Some("it is the journal of a file system elsewhere".into()),
        _ => None,
    }
}

fn check_system(
    inside: &Inside<'_>,
    profile: &Profile,
    intent: &Intent,
    purpose: Option<Purpose>,
    report: &mut Report,
) {
    let summary = &inside.inspection.summary;
    let reasons = |reasons: &[String]| reasons.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    if purpose != Some(Purpose::Data) {
        if summary.firmware == (Firmware::UncertainBios { uefi: true }) {
            report.push(Finding::new(&BIOS_UNCERTAIN, reasons(&summary.reasons.firmware)));
        }
        if summary.firmware == Firmware::Uefi {
            let message = format!("it needs UEFI: {}", reasons(&summary.reasons.firmware));
            report.push(Finding::new(&UEFI_ONLY, message));
        }
        if summary.system == OsFamily::Windows && profile.windows_doubt.is_some() {
            let message = format!("it is Windows: {}", reasons(&summary.reasons.system));
            report.push(Finding::new(&WINDOWS, message));
        }
    }
    // Only against what the user says: without that, such a disk is taken for what it looks like.
    match (intent.purpose, summary.firmware) {
        (Some(Purpose::System), Firmware::Unknown) if is_known(inside.inspection) => {
            report.push(Finding::new(&NOTHING_STARTS, reasons(&summary.reasons.firmware)));
        }
        (Some(Purpose::Data), firmware) if firmware.starts() => {
            report.push(Finding::new(&DATA_DISK_STARTS, reasons(&summary.reasons.firmware)));
        }
        _ => {}
    }
}
