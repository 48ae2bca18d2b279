//! What of an image can't be carried over into another one.

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Rule, Severity};

use crate::content::check_disk;
use crate::content_rules::{FILE_SYSTEM_PAST_END, PARTITION_PAST_END};
use crate::facts::check_facts;
use crate::lost::check_lost;
use crate::rules::{DISK_TOO_LARGE, NOT_CLOSED, SNAPSHOTS};
use crate::whole::Place;
use crate::{Inside, Profile, Size};

/// What the caller may allow in a source: what is then carried over is the disk as it is now.
const ALLOWABLE: [&Rule; 4] = [&SNAPSHOTS, &NOT_CLOSED, &PARTITION_PAST_END, &FILE_SYSTEM_PAST_END];

/// Those of them that are about the disk, and not about the file that it lies in.
const OF_DISK: [&Rule; 2] = [&PARTITION_PAST_END, &FILE_SYSTEM_PAST_END];

/// The codes of those about the file that [`check_convertible`] lets pass as warnings in such an image where the caller allows them. A log
/// that must be replayed has part of the disk in it, so that there is no disk as it is now.
pub(crate) fn allowable_in(detection: &Detection) -> impl Iterator<Item = &'static str> {
    let has_log = detection.format == Format::Vhdx;
    let of_file = [&SNAPSHOTS, &NOT_CLOSED].map(|rule| rule.code);
    of_file.into_iter().filter(move |code| !has_log || *code != NOT_CLOSED.code)
}

/// The codes that [`check_convertible`] and [`check_disk_convertible`] let pass as warnings where the caller allows them.
pub fn allowable_codes() -> impl Iterator<Item = &'static str> {
    ALLOWABLE.iter().map(|rule| rule.code)
}

/// Holds the image at `place` against what a conversion of the disk in it needs: what [`check_readable`] says, and that the
/// disk is no larger than any import takes.
pub fn check_convertible(
    place: Place<'_>,
    detection: &Detection,
    profile: &Profile,
    allowed: &[String],
    report: &mut Report,
) {
    check_readable(place, detection, allowed, report);
    if let Some(size) = detection.virtual_size {
        check_disk_size(size, profile, report);
    }
}

/// Holds the size of a disk against the largest that any import takes.
pub fn check_disk_size(size: u64, profile: &Profile, report: &mut Report) {
    if size > profile.max_disk {
        let message = format!("the disk is {} over the limit", Size(size - profile.max_disk));
        let expected = format!("at most {}", Size(profile.max_disk));
        report.push(Finding::new(&DISK_TOO_LARGE, message).expected(expected).found(Size(size)));
    }
}

/// Holds what a compressed file says of its size, unpacked, against the largest disk that any import takes.
pub fn check_expanded_size(detection: &Detection, profile: &Profile, report: &mut Report) {
    if !detection.format.is_compressed() {
        return;
    }
    for fact in &detection.facts {
        let Fact::Inside(imsprep_detect::Inside { size: Some(size), .. }) = fact else { continue };
        if *size > profile.max_disk {
            let message = format!("unpacked it is {} over the limit", Size(size - profile.max_disk));
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

/// Holds the disk that is converted against what every import needs of it. That a part of it is lost is an error unless
/// `allowed` has the code, and then a warning.
pub fn check_disk_convertible(
    inside: &Inside<'_>,
    checks: DiskChecks,
    allowed: &[String],
    report: &mut Report,
) {
    let mut found = Report::new();
    match checks {
        DiskChecks::Lost => check_lost(inside, &mut found),
        DiskChecks::All => check_disk(inside, &mut found),
    }
    for finding in found.findings() {
        let (code, finding) = (finding.rule.code, finding.clone());
        let may_pass = OF_DISK.iter().any(|rule| rule.code == code) && finding.severity == Severity::Error;
        report.push(if !may_pass {
            finding
        } else if is_allowed(code, allowed) {
            finding.severity(Severity::Warning).fix("allowed: the disk is converted as it is now")
        } else {
            let fix = format!("{}; --allow {code} converts the disk as it is now", finding.advice());
            finding.fix(fix)
        });
    }
}

fn is_allowed(code: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(code))
}

/// Holds the image at `place` against what reading the disk in it needs. Each error is a reason not to: part of the disk is
/// elsewhere, it is encrypted, damaged, in use. Snapshots would be passed over, and a file that was not closed may not hold
/// the last writes: these are errors unless `allowed` has their code, and then warnings.
pub fn check_readable(place: Place<'_>, detection: &Detection, allowed: &[String], report: &mut Report) {
    let mut found = Report::new();
    check_facts(place, detection, &mut found);
    for finding in found.findings() {
        report.push(judged(finding.clone(), detection, allowed));
    }
}

fn judged(finding: Finding, detection: &Detection, allowed: &[String]) -> Finding {
    let code = finding.rule.code;
    if !ALLOWABLE.iter().any(|rule| rule.code == code) {
        return finding;
    }
    let may_pass = allowable_in(detection).any(|allowable| allowable == code);
    if may_pass && is_allowed(code, allowed) {
        return finding.severity(Severity::Warning).fix("allowed: the disk is converted as it is now");
    }
    let fix = match (code == SNAPSHOTS.code, may_pass) {
        (true, _) => format!("--allow {code} converts the current state and leaves the snapshots behind"),
        (false, true) => format!("{}; --allow {code} converts the disk as it is now", finding.advice()),
        (false, false) => finding.advice().to_owned(),
    };
    finding.severity(Severity::Error).fix(fix)
}
