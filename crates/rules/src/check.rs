//! One file against one profile.

use std::path::Path;

use imsprep_detect::{Detection, Format};
use imsprep_findings::{Finding, Report, Severity};

use crate::content::{check_content, purpose_of};
use crate::intent_rules::BARE_METAL_FORMAT;
use crate::key::check_key;
use crate::min_disk::check_min_disk;
use crate::rules::{
    COMMON_IMPORT_ENOUGH, DISK_BELOW_CONSOLE, DISK_SMALL, DISK_TOO_LARGE, EMPTY, FILE_TOO_LARGE, FORMAT,
    NOTHING_KNOWN,
};
use crate::way_out::way_out;
use crate::{Inside, Intent, Profile, Purpose, Size, check_detection, shell_quoted};

/// What was found out about a file.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is.
    pub detection: &'a Detection,
    /// What is on the disk in it; `None` if that was not looked at.
    pub inside: Option<Inside<'a>>,
}

/// Holds what was found out about a file, and what it is meant for, against the profile.
pub fn check_image(facts: &Facts<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    let Facts { path, detection, inside } = *facts;
    // What nobody has said of the purpose the disk may show.
    let mut intent = intent.clone();
    let said = intent.clone();
    if let Some(inside) = &inside {
        intent.purpose = purpose_of(&intent, inside.inspection);
    }
    check_format(facts, profile, report);
    check_known(facts, &intent, report);
    check_detection(path, detection, profile, report);
    check_sizes(detection, profile, &intent, report);
    check_key(path, detection.format, profile, &intent, report);
    check_min_disk(facts, profile, &intent, report);
    if intent.bare_metal {
        check_bare_metal(path, detection, profile, report);
    }
    if let Some(inside) = &inside {
        check_content(inside, profile, &said, report);
    }
}

/// Nothing known on the disk may be nothing wrong, on a data disk that was never used.
fn check_known(facts: &Facts<'_>, intent: &Intent, report: &mut Report) {
    let detection = facts.detection;
    let by_detection = detection.format == Format::Raw && !detection.evidence.is_empty();
    // Of other formats their headers show that they are images.
    let is_importable = matches!(detection.format, Format::Raw | Format::Zvhd2);
    let is_known = match &facts.inside.filter(|_| is_importable) {
        Some(inside) => by_detection || inside.is_known(),
        None => by_detection || detection.format != Format::Raw,
    };
    if !is_known {
        let finding = Finding::new(&NOTHING_KNOWN, "no partition table and no file system was found");
        let is_data = intent.purpose == Some(Purpose::Data);
        report.push(if is_data { finding.severity(Severity::Note) } else { finding });
    }
}

fn check_bare_metal(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    let format = detection.format;
    if matches!(format, Format::Zvhd2 | Format::Empty) {
        return;
    }
    let message = format!("the file is {format}, and bare-metal servers take ZVHD2");
    let finding = Finding::new(&BARE_METAL_FORMAT, message).expected("zvhd2").found(format.name());
    // What is no RAW has its way out with the rule on formats.
    let fix = match format {
        Format::Raw if is_too_large(detection, profile) => {
            "make the disk smaller, and convert it to ZVHD2".into()
        }
        Format::Raw => {
            let (raw, zvhd2) = (shell_quoted(path), shell_quoted(&path.with_extension("zvhd2")));
            format!("convert it to ZVHD2: `imsprep convert {raw} {zvhd2}`")
        }
        _ => "make a ZVHD2 of it, as the other fixes say".into(),
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
    report.push(
        Finding::new(&FORMAT, format!("the file is {format}{variant}, not RAW or ZVHD2"))
            .expected("raw or zvhd2")
            .found(format.name())
            .fix(way_out(facts, profile)),
    );
}

fn check_sizes(detection: &Detection, profile: &Profile, intent: &Intent, report: &mut Report) {
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
    } else if disk < profile.min_console_disk && disk > 0 && intent.purpose != Some(Purpose::Data) {
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
