//! One file against one profile.

use std::path::Path;

use imsprep_detect::{Detection, Format};
use imsprep_findings::{Finding, Report, Severity};

use crate::content::{check_content, purpose_of};
use crate::convertible::{DiskChecks, check_disk_convertible};
use crate::detection::check_file;
use crate::format_fix::{allowing, format_fix};
use crate::intent_rules::BARE_METAL_FORMAT;
use crate::key::{check_key, check_key_itself};
use crate::min_disk::check_min_disk;
use crate::rules::{
    COMMON_IMPORT_ENOUGH, DISK_BELOW_CONSOLE, DISK_SMALL, DISK_TOO_LARGE, EMPTY, FILE_TOO_LARGE, FORMAT,
    NO_DATA, NOTHING_KNOWN, SIZE_NOT_SECTORS,
};
use crate::truncated::check_truncated;
use crate::{
    DiskPart, Facts, Inside, Intent, Profile, Purpose, Size, is_known, no_disk, shell_quoted, shows_nothing,
};

/// Bytes of a sector.
const SECTOR: u64 = 512;

/// Compares what was found out about a file, and what it is meant for, with the profile.
pub fn check_image(facts: &Facts<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    let Facts { path, detection, inside: disk, .. } = *facts;
    let said = intent;
    let intent = &with_purpose_of(facts, intent);
    check_format(facts, profile, report);
    let may_be_a_disk = check_known(facts, intent, report);
    check_file(path, detection, &allowing_lost(disk.as_ref()), profile, report);
    // Of what is no disk it is of no use to know what else a disk should be, or what it would be called.
    if may_be_a_disk {
        check_file_size(detection, profile, report);
        check_size_of_disk(detection, profile, intent, report);
        check_common_import(detection, profile, report);
        check_key(path, detection.format, profile, intent, report);
    } else {
        check_key_itself(path, profile, intent, report);
    }
    check_min_disk(facts, profile, intent, report);
    if intent.bare_metal {
        check_bare_metal(path, detection, profile, report);
    }
    check_inside(facts, profile, said, report);
}

/// The same of a disk that is in no file yet: what depends on the file's format, name and length is left out.
pub fn check_disk(facts: &Facts<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    let said = intent;
    let intent = &with_purpose_of(facts, intent);
    if facts.detection.format == Format::Empty {
        report.push(Finding::new(&EMPTY, "the disk is empty"));
    } else if check_known(facts, intent, report) {
        check_size_of_disk(facts.detection, profile, intent, report);
    }
    check_min_disk(facts, profile, intent, report);
    check_inside(facts, profile, said, report);
}

/// The disk may show a purpose that the user did not give.
fn with_purpose_of(facts: &Facts<'_>, intent: &Intent) -> Intent {
    let mut intent = intent.clone();
    if let Some(inside) = facts.inside.filter(|disk| disk.part == DiskPart::Whole) {
        intent.purpose = purpose_of(&intent, inside.inspection);
    }
    intent
}

/// Compares what is on the disk with what the user says of it.
fn check_inside(facts: &Facts<'_>, profile: &Profile, said: &Intent, report: &mut Report) {
    match &facts.inside {
        Some(inside) if inside.part == DiskPart::Whole => check_content(inside, profile, said, report),
        Some(start) => check_truncated(start, report),
        None => {}
    }
}

/// The arguments with which a disk is converted of which a part is lost.
fn allowing_lost(disk: Option<&Inside<'_>>) -> String {
    let mut lost = Report::new();
    if let Some(disk) = disk {
        check_disk_convertible(disk, DiskChecks::Lost, &mut lost);
    }
    allowing(&lost)
}

/// Nothing known on the disk may be nothing wrong, on a data disk that was never used. Returns whether the file may be a disk.
fn check_known(facts: &Facts<'_>, intent: &Intent, report: &mut Report) -> bool {
    let detection = facts.detection;
    let by_detection = detection.format == Format::Raw && !detection.evidence.is_empty();
    // Of other formats their headers show that they are images.
    let is_importable = matches!(detection.format, Format::Raw | Format::Zvhd2);
    let is_known = match &facts.inside.filter(|_| is_importable) {
        Some(inside) => by_detection || is_known(inside.inspection),
        None => by_detection || detection.format != Format::Raw,
    };
    if is_known {
        return true;
    }
    let why_not =
        if shows_nothing(detection) { no_disk(facts.path, detection, facts.all_zeros) } else { None };
    if let Some(why_not) = why_not {
        report.push(why_not);
        return false;
    }
    report.push(if facts.all_zeros { no_data(intent) } else { nothing_known(intent) });
    true
}

fn nothing_known(intent: &Intent) -> Finding {
    for_a_data_disk(Finding::new(&NOTHING_KNOWN, "no partition table and no file system was found"), intent)
}

fn no_data(intent: &Intent) -> Finding {
    for_a_data_disk(Finding::new(&NO_DATA, "every byte of the disk is zero"), intent)
}

/// As grave as it is, but a note on a data disk.
fn for_a_data_disk(finding: Finding, intent: &Intent) -> Finding {
    if intent.purpose == Some(Purpose::Data) { finding.severity(Severity::Note) } else { finding }
}

/// Takes up that a look at all of a disk found only zeros: it is not unknown what is on it.
pub fn note_all_zeros(intent: &Intent, report: &mut Report) {
    if report.findings().iter().any(|finding| finding.rule.code == NOTHING_KNOWN.code) {
        report.retain_rules(|rule| rule.code != NOTHING_KNOWN.code);
        report.push(no_data(intent));
    }
}

fn check_bare_metal(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    let format = detection.format;
    if matches!(format, Format::Zvhd2 | Format::Empty) {
        return;
    }
    let message = format!("the file is {format}; bare-metal servers accept only ZVHD2");
    let finding = Finding::new(&BARE_METAL_FORMAT, message).expected("zvhd2").found(format.name());
    // What is no RAW has its fix with the rule on formats.
    let fix = match format {
        Format::Raw if is_too_large(detection, profile) => "shrink the disk, and convert it to ZVHD2".into(),
        Format::Raw => {
            let (raw, zvhd2) = (shell_quoted(path), shell_quoted(&path.with_extension("zvhd2")));
            format!("convert it to ZVHD2: `imsprep convert {raw} {zvhd2}`")
        }
        _ => "convert it to ZVHD2, as described in the other fixes".into(),
    };
    report.push(finding.fix(fix));
}

/// Whether file or disk exceed what any import takes, so that reading the content would change nothing.
pub fn is_too_large(detection: &Detection, profile: &Profile) -> bool {
    detection.file_size > profile.max_file
        || detection.virtual_size.is_some_and(|size| size > profile.max_disk)
}

fn check_format(facts: &Facts<'_>, profile: &Profile, report: &mut Report) {
    let detection = facts.detection;
    let format = detection.format;
    // An empty file and a wrapper break rules of their own, in any cloud.
    let has_own_rule = format == Format::Empty || format.is_compressed() || format.is_archive();
    if has_own_rule || profile.quick_formats.contains(&format) {
        return;
    }
    let variant = detection.variant.map(|variant| format!(" ({variant})")).unwrap_or_default();
    let message = match format {
        Format::Other(other) => format!("the file is {}, not RAW or ZVHD2", other.title),
        _ => format!("the file is {format}{variant}, not RAW or ZVHD2"),
    };
    report.push(
        Finding::new(&FORMAT, message)
            .expected("raw or zvhd2")
            .found(format.name())
            .fix(format_fix(facts, profile)),
    );
}

fn check_file_size(detection: &Detection, profile: &Profile, report: &mut Report) {
    if detection.file_size > profile.max_file {
        let over = detection.file_size - profile.max_file;
        report.push(
            Finding::new(&FILE_TOO_LARGE, format!("the file is {} over the limit", Size(over)))
                .expected(format!("at most {}", Size(profile.max_file)))
                .found(Size(detection.file_size)),
        );
    }
}

fn check_size_of_disk(detection: &Detection, profile: &Profile, intent: &Intent, report: &mut Report) {
    let rest = detection.file_size % SECTOR;
    if detection.format == Format::Raw && rest != 0 {
        let message = format!("the last sector has {rest} of {SECTOR} bytes");
        report.push(Finding::new(&SIZE_NOT_SECTORS, message).found(Size(detection.file_size)));
    }
    let Some(disk) = detection.virtual_size else { return };
    let found = Size(disk);
    if disk == 0 && detection.format != Format::Empty {
        report.push(Finding::new(&EMPTY, "the disk in the file is empty"));
    } else if disk > profile.max_disk {
        let message = format!("the disk is {} over the limit", Size(disk - profile.max_disk));
        report.push(
            Finding::new(&DISK_TOO_LARGE, message)
                .expected(format!("at most {}", Size(profile.max_disk)))
                .found(found),
        );
    } else if disk < profile.min_disk && disk > 0 {
        report.push(
            Finding::new(&DISK_SMALL, "the size is below the documented minimum")
                .expected(format!("at least {}", Size(profile.min_disk)))
                .found(found),
        );
    } else if disk < profile.min_console_disk && disk > 0 && intent.purpose != Some(Purpose::Data) {
        report.push(
            Finding::new(&DISK_BELOW_CONSOLE, "the size is below the minimum of the console")
                .expected(format!("at least {}", Size(profile.min_console_disk)))
                .found(found),
        );
    }
}

fn check_common_import(detection: &Detection, profile: &Profile, report: &mut Report) {
    if detection.format == Format::Raw && detection.file_size <= profile.max_common_file {
        let limit = Size(profile.max_common_file).scaled();
        report.push(
            Finding::new(
                &COMMON_IMPORT_ENOUGH,
                format!("RAW images up to {limit} can use the common import"),
            )
            .found(Size(detection.virtual_size.unwrap_or(detection.file_size))),
        );
    }
}
