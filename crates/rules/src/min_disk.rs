//! The `min_disk` that a user means to ask for.

use imsprep_findings::{Finding, Report};
use imsprep_inspect::OsFamily;

use crate::intent_rules::{MIN_DISK_BELOW_STRICT, MIN_DISK_NO_ROOM, MIN_DISK_RANGE, MIN_DISK_TOO_SMALL};
use crate::request::quick_min_disk;
use crate::{Facts, Intent, Profile, Purpose, Size};

const GIB: u64 = 1 << 30;

/// Holds `min_disk` against the disk in the file, against the file, and against the profile's range.
pub(crate) fn check_min_disk(facts: &Facts<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    let Some(min_disk) = intent.min_disk else { return };
    let range = &profile.min_disk_range;
    if !range.contains(&min_disk) {
        report.push(
            Finding::new(&MIN_DISK_RANGE, format!("min_disk is {min_disk}"))
                .expected(format!("{} to {}", range.start(), range.end()))
                .found(min_disk),
        );
    }
    check_margin(facts, min_disk, profile, intent, report);
    if intent.purpose != Some(Purpose::Data) && range.contains(&min_disk) {
        check_strict(facts, min_disk, profile, report);
    }
}

fn check_strict(facts: &Facts<'_>, min_disk: u32, profile: &Profile, report: &mut Report) {
    let (of, strict) = match (profile.strict_min_disk, facts.inside) {
        (None, _) => return,
        (Some(strict), Some(_)) if is_windows(facts) => ("a system disk of Windows", strict.windows),
        (Some(strict), _) => ("a system disk", strict.others),
    };
    if min_disk < strict {
        report.push(
            Finding::new(&MIN_DISK_BELOW_STRICT, format!("min_disk is {min_disk}"))
                .expected(format!("at least {strict} for {of}"))
                .found(min_disk)
                .fix(format!("use min_disk {strict}")),
        );
    }
}

fn is_windows(facts: &Facts<'_>) -> bool {
    facts.inside.is_some_and(|inside| inside.inspection.summary.system == OsFamily::Windows)
}

fn check_margin(facts: &Facts<'_>, min_disk: u32, profile: &Profile, intent: &Intent, report: &mut Report) {
    let detection = facts.detection;
    let Some(disk) = detection.virtual_size else { return };
    let needed = disk.div_ceil(GIB);
    let purpose = intent.purpose.unwrap_or(Purpose::System);
    let roomy = quick_min_disk(disk, purpose, is_windows(facts), profile);
    let bytes = u64::from(min_disk) * GIB;
    let fix = if roomy > u64::from(min_disk) {
        format!("use min_disk {roomy}")
    } else {
        format!(
            "the maximum of min_disk is {}: if the import is refused, shrink the disk",
            profile.min_disk_range.end()
        )
    };
    if u64::from(min_disk) < needed {
        report.push(
            Finding::new(&MIN_DISK_TOO_SMALL, format!("min_disk is {min_disk}; the disk is larger"))
                .expected(format!("at least {needed}, for {}", Size(disk)))
                .found(min_disk)
                .fix(fix),
        );
    } else if bytes <= disk || bytes <= detection.file_size {
        let (what, size) = if bytes <= detection.file_size && detection.file_size > disk {
            ("the file", detection.file_size)
        } else {
            ("the disk", disk)
        };
        let message = format!("min_disk is {min_disk}; {what} has {}", Size(size));
        report.push(
            Finding::new(&MIN_DISK_NO_ROOM, message)
                .expected(format!("more than {needed}"))
                .found(min_disk)
                .fix(fix),
        );
    }
}
