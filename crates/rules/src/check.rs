//! One file against one profile.

use std::path::Path;

use imsprep_detect::{Detection, Format};
use imsprep_findings::{Finding, Report};

use crate::gpt::check_backup_gpt;
use crate::name::check_name;
use crate::rules::{
    COMMON_IMPORT_ENOUGH, DISK_BELOW_CONSOLE, DISK_SMALL, DISK_TOO_LARGE, EMPTY, FILE_TOO_LARGE, FORMAT,
    NOTHING_KNOWN,
};
use crate::way_out::way_out;
use crate::{Profile, Size, check_detection};

/// Holds what detection found out about the file at `path` against the profile.
pub fn check_image(path: &Path, detection: &Detection, profile: &Profile, report: &mut Report) {
    check_format(path, detection, profile, report);
    check_detection(path, detection, report);
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
    if format == Format::Raw && detection.evidence.is_empty() {
        report.push(Finding::new(&NOTHING_KNOWN, "no partition table and no file system was found"));
    }
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
            .fix(way_out(path, detection, profile)),
    );
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
