//! One file against one profile.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Finding, Report};

use crate::gpt::check_backup_gpt;
use crate::name::check_name;
use crate::rules::{
    COMMON_IMPORT_ENOUGH, DAMAGED, DISK_BELOW_CONSOLE, DISK_SMALL, DISK_TOO_LARGE, EMPTY, ENCRYPTED,
    FILE_TOO_LARGE, FORMAT, NOT_CLOSED, NOT_WHOLE, NOTHING_KNOWN, POLYGLOT, SNAPSHOTS,
};
use crate::way_out::way_out;
use crate::{Profile, Size};

/// Holds what detection found out about the file at `path` against the profile.
pub fn check_image(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    check_format(path, detection, profile, report);
    check_facts(detection, report);
    check_sizes(detection, profile, report);
    check_backup_gpt(detection, detection.file_size, report);
    check_name(path, detection.format, profile, report);
}

/// Whether file or disk exceed what any import takes, so that reading the content would change nothing.
pub fn is_too_large(detection: &Detection, profile: &Profile) -> bool {
    detection.file_size > profile.max_file
        || detection.virtual_size.is_some_and(|size| size > profile.max_disk)
}

fn check_format(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    let format = detection.format;
    if format == Format::Empty {
        report.push(Finding::new(&EMPTY, "the file has no bytes"));
    } else if !profile.quick_formats.contains(&format) {
        let message = match detection.variant {
            Some(variant) => format!("the file is {format} ({variant}), not RAW or ZVHD2"),
            None => format!("the file is {format}, not RAW or ZVHD2"),
        };
        report.push(
            Finding::new(&FORMAT, message)
                .expected("raw or zvhd2")
                .found(format.name())
                .fix(way_out(path, detection, profile)),
        );
    }
    check_polyglot(detection, report);
    if format == Format::Raw && detection.evidence.is_empty() {
        report.push(Finding::new(&NOTHING_KNOWN, "no partition table and no file system was found"));
    }
}

pub(crate) fn check_polyglot(detection: &Detection, report: &mut Report) {
    if !detection.also.is_empty() {
        let format = detection.format;
        let others = detection.also.iter().map(|f| f.name()).collect::<Vec<_>>().join(" and ");
        report.push(Finding::new(&POLYGLOT, format!("the file is {format} and also {others}")));
    }
}

pub(crate) fn check_facts(detection: &Detection, report: &mut Report) {
    for fact in &detection.facts {
        let finding = match fact {
            Fact::BackingFile(name) => Finding::new(&NOT_WHOLE, format!("it is an overlay of {name:?}")),
            Fact::ExternalDataFile(Some(name)) => {
                Finding::new(&NOT_WHOLE, format!("its data is in another file, {name:?}"))
            }
            Fact::ExternalDataFile(None) => Finding::new(&NOT_WHOLE, "its data is in another file"),
            Fact::Parent(Some(name)) => {
                Finding::new(&NOT_WHOLE, format!("it holds only the difference to its parent {name:?}"))
            }
            Fact::Parent(None) => Finding::new(&NOT_WHOLE, "it holds only the difference to a parent"),
            Fact::ExtentFiles(names) => {
                let shown = names.iter().take(3).map(|name| format!("{name:?}")).collect::<Vec<_>>();
                let rest = names.len().saturating_sub(shown.len());
                let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                Finding::new(
                    &NOT_WHOLE,
                    format!("it is a descriptor; the data is in {}{more}", shown.join(", ")),
                )
            }
            Fact::Snapshots(count) => Finding::new(&SNAPSHOTS, "it has internal snapshots").found(count),
            Fact::Encrypted(method) => Finding::new(&ENCRYPTED, format!("it is encrypted ({method})")),
            Fact::Dirty => Finding::new(&NOT_CLOSED, "it is marked dirty, or its log was not replayed"),
            Fact::Corrupt => Finding::new(&DAMAGED, "it is marked corrupt"),
            Fact::UnknownIncompatibleFeatures(bits) => Finding::new(
                &DAMAGED,
                format!("it has feature bits {bits:#x} that a reader must know and no specification names"),
            ),
            Fact::Damaged(what) => Finding::new(&DAMAGED, what.clone()),
            other => Finding::new(&DAMAGED, format!("{other:?}")),
        };
        report.push(finding);
    }
}

fn check_sizes(detection: &Detection, profile: &Profile, report: &mut Report) {
    if detection.file_size > profile.max_file {
        let over = detection.file_size - profile.max_file;
        report.push(
            Finding::new(&FILE_TOO_LARGE, format!("the file is {} over the limit", Size(over)))
                .expected(format!("at most {}", Size(profile.max_file)))
                .found(Size(detection.file_size)),
        );
    }
    let Some(disk) = detection.virtual_size else { return };
    let found = Size(disk);
    if disk == 0 && detection.format != Format::Empty {
        report.push(Finding::new(&EMPTY, "the disk in the file has no bytes"));
    } else if disk > profile.max_disk {
        let message = format!("the disk is {} over the limit", Size(disk - profile.max_disk));
        report.push(
            Finding::new(&DISK_TOO_LARGE, message)
                .expected(format!("at most {}", Size(profile.max_disk)))
                .found(found),
        );
    } else if disk < profile.min_disk && disk > 0 {
        report.push(
            Finding::new(&DISK_SMALL, "a disk of less than 1 GiB")
                .expected(format!("at least {}", Size(profile.min_disk)))
                .found(found),
        );
    } else if disk < profile.min_console_disk && disk > 0 {
        report.push(
            Finding::new(&DISK_BELOW_CONSOLE, "a disk of less than the console's minimum")
                .expected(format!("at least {}", Size(profile.min_console_disk)))
                .found(found),
        );
    }
    if detection.format == Format::Raw && detection.file_size <= profile.max_common_file {
        report.push(
            Finding::new(&COMMON_IMPORT_ENOUGH, "a RAW of this size needs no quick import").found(found),
        );
    }
}
