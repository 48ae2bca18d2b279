//! What of an image can't be carried over into another one.

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Severity};

use crate::content::check_disk;
use crate::detection::check_facts;
use crate::facts::ImageLocation;
use crate::rules::{DISK_TOO_LARGE, NOT_CLOSED, SNAPSHOTS};
use crate::truncated::check_truncated;
use crate::{Inside, Profile, Size};

/// Holds the image at `place` against what a conversion of the disk in it needs: what [`check_readable`] says, and that the
/// disk is no larger than any import takes.
pub fn check_convertible(
    place: ImageLocation<'_>,
    detection: &Detection,
    profile: &Profile,
    report: &mut Report,
) {
    check_readable(place, detection, report);
    if let Some(size) = detection.virtual_size {
        check_disk_size(size, profile, report);
    }
}

/// Compares the size of a disk with the largest that any import takes.
pub fn check_disk_size(size: u64, profile: &Profile, report: &mut Report) {
    if size > profile.max_disk {
        let message = format!("the disk is {} over the limit", Size(size - profile.max_disk));
        let expected = format!("at most {}", Size(profile.max_disk));
        report.push(Finding::new(&DISK_TOO_LARGE, message).expected(expected).found(Size(size)));
    }
}

/// Compares what a compressed file says of its size, unpacked, with the largest disk that any import takes.
pub fn check_expanded_size(detection: &Detection, profile: &Profile, report: &mut Report) {
    if !detection.format.is_compressed() {
        return;
    }
    for fact in &detection.facts {
        let Fact::Inside(imsprep_detect::Inside { size: Some(size), .. }) = fact else { continue };
        if *size > profile.max_disk {
            let message =
                format!("the decompressed image is {} over the limit", Size(size - profile.max_disk));
            let expected = format!("at most {}", Size(profile.max_disk));
            report.push(Finding::new(&DISK_TOO_LARGE, message).expected(expected).found(Size(*size)));
        }
    }
}

/// What about the disk itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskChecks {
    /// Only whether all of it is there.
    Lost,
    /// That, and whether its partition table will be where it is looked for.
    All,
}

/// Compares the disk that is converted with what every import needs of it. That a part of it is lost is an error, which
/// may be allowed.
pub fn check_disk_convertible(inside: &Inside<'_>, checks: DiskChecks, report: &mut Report) {
    let mut found = Report::new();
    match checks {
        DiskChecks::Lost => check_truncated(inside, &mut found),
        DiskChecks::All => check_disk(inside, &mut found),
    }
    for finding in found.findings() {
        report.push(with_way(finding.clone()));
    }
}

/// Holds the image at `place` against what reading the disk in it needs. Each error is a reason not to: part of the disk is
/// elsewhere, it is encrypted, damaged, in use. Snapshots would be passed over, and a file that was not closed may not hold
/// the last writes: these errors may be allowed. A log that must be replayed has part of the disk in it, so that there is no
/// disk as it is now, and that may not.
pub fn check_readable(place: ImageLocation<'_>, detection: &Detection, report: &mut Report) {
    let mut found = Report::new();
    check_facts(place, detection, &mut found);
    for finding in found.findings() {
        let mut finding = finding.clone();
        if finding.rule.code == NOT_CLOSED.code {
            finding.severity = Severity::Error;
            finding.convertible = detection.format != Format::Vhdx;
        }
        report.push(with_way(finding));
    }
}

/// The finding with the way to convert in spite of it, where there is one.
fn with_way(finding: Finding) -> Finding {
    if !finding.convertible || finding.severity != Severity::Error {
        return finding;
    }
    let code = finding.rule.code;
    let fix = if code == SNAPSHOTS.code {
        format!("--allow {code} converts the current state without the snapshots")
    } else {
        format!("{}; --allow {code} converts the disk as it is now", finding.advice())
    };
    finding.fix(fix)
}
