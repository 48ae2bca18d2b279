//! What is wrong with the disks in an archive.

use imsprep_detect::{Content, Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_rules::{
    DiskChecks, DiskPart, ImageLocation, Inside, Medium, MediumKind, check_disk_convertible, check_readable,
};
use imsprep_source::Cancel;

use crate::archive::Member;
use crate::disk_choice::choose;
use crate::disk_seen::{DiskSeen, SystemFiles, SystemWanted, inspect_unless_damaged, look_at_disk};
use crate::{Disk, DiskSelector, Error, OpenedImage, Result};

/// Disks of an archive that are looked at.
const DISKS_MAX: u32 = 16;

/// What a look at the disks in an archive found.
pub(crate) struct ArchiveDisks {
    /// What was seen of the only disk, or why there is nothing to say.
    pub(crate) disk: DiskSeen,
    /// The disk that was selected.
    pub(crate) member: Option<Member>,
    /// What keeps disks from being converted, with their names.
    pub(crate) findings: Vec<Finding>,
}

/// Looks at each disk in the archive that can be read where it is. What keeps one of them from being converted is added to what
/// `detection` has on it, so that no advice goes by that disk.
pub(crate) fn look_into_archive(
    image: &OpenedImage,
    detection: &mut Detection,
    wanted: SystemWanted<'_>,
    selector: Option<&DiskSelector>,
    cancel: &Cancel,
) -> Result<ArchiveDisks> {
    let chosen = match choose(image, selector, cancel) {
        Ok(member) => Some(member),
        // A disk that was asked for is not there.
        Err(error) if selector.is_some() => return Err(error),
        Err(_) => None,
    };
    let mut members = Vec::new();
    let mut only = None;
    for number in 1..=DISKS_MAX {
        match image.find_member(Some(number), cancel) {
            Ok(member) => members.push((number, member)),
            Err(Error::WhichDisk { .. }) if number > 1 => break,
            Err(error) if error.is_about_the_disk() => {
                only = Some(DiskSeen::closed(error.to_string()));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let is_alone = members.len() == 1;
    let mut findings = Vec::new();
    // One that was asked for is judged alone.
    let chosen_number = chosen.as_ref().and_then(|member| member.number);
    let is_asked = |number: u32| selector.is_none() || chosen_number.is_none_or(|chosen| chosen == number);
    for (number, member) in members.iter().filter(|(number, _)| is_asked(*number)) {
        let is_only = is_alone || chosen_number == Some(*number);
        let mut report = Report::new();
        check_readable(ImageLocation::Archive, &member.detection, &mut report);
        let is_readable =
            report.findings().iter().all(|one| one.convertible || one.severity != Severity::Error);
        let found = if is_readable {
            look_at_member_disk(image, member, wanted, is_only, cancel)?
        } else {
            DiskSeen::closed("the disk in it can't be read")
        };
        if let (Ok(inspection), false) = (&found.inside, is_only) {
            let medium = Medium { path: image.path(), kind: MediumKind::Other, number: Some(*number) };
            let disk = Inside { inspection, medium, part: DiskPart::Whole };
            check_disk_convertible(&disk, DiskChecks::Lost, &mut report);
        }
        mark(detection, member, &report);
        findings.extend(report.findings().iter().map(|finding| Finding {
            message: format!("{:?}: {}", member.name, finding.message),
            ..finding.clone()
        }));
        if is_only {
            only = Some(found);
        }
    }
    let several = || DiskSeen::closed(format!("it holds {} disks", members.len()));
    Ok(ArchiveDisks { disk: only.unwrap_or_else(several), member: chosen, findings })
}

/// What is on the disk in a member. The system is read only if there is no other disk.
fn look_at_member_disk(
    image: &OpenedImage,
    member: &Member,
    wanted: SystemWanted<'_>,
    is_only: bool,
    cancel: &Cancel,
) -> Result<DiskSeen> {
    match Disk::of_member(image, member, cancel) {
        Ok(disk) if is_only => look_at_disk(&disk, disk.orig_size(), wanted, cancel),
        Ok(disk) => Ok(match inspect_unless_damaged(&disk, disk.orig_size(), cancel)? {
            Ok(inspection) => {
                DiskSeen { inside: Ok(inspection), system: SystemFiles::NotRead(String::new()), space: None }
            }
            Err(why) => DiskSeen::closed(why),
        }),
        Err(error) if error.is_about_the_disk() => Ok(DiskSeen::closed(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Takes the errors over into what is known of the member.
fn mark(detection: &mut Detection, member: &Member, report: &Report) {
    let mut errors = report.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let Some(first) = errors.next() else { return };
    for fact in &mut detection.facts {
        if let Fact::Inside(inside) = fact
            && inside.name.as_deref() == Some(&member.name)
            && let Content::Found { facts, format, .. } = &mut inside.content
            && facts.is_empty()
        {
            let is_container = *format != Format::Raw;
            facts.push(if is_container {
                member_fact(member, first)
            } else {
                Fact::OutsideFile(first.message.clone())
            });
        }
    }
}

/// The first thing that is wrong with a container.
fn member_fact(member: &Member, first: &Finding) -> Fact {
    member.detection.facts.first().cloned().unwrap_or_else(|| Fact::Damaged(first.message.clone()))
}
