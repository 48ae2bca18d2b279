//! What is wrong with the disks in an archive.

use std::path::Path;

use imsprep_detect::{Content, Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_rules::{
    DiskChecks, DiskPart, ImageLocation, Inside, Medium, MediumKind, check_disk_convertible, check_readable,
};
use imsprep_source::{Cancel, Error as SourceError, ImageFile, Work};

use crate::archive::Member;
use crate::disk_choice::choose;
use crate::disk_seen::{DiskSeen, SystemFiles, SystemWanted, inspect_unless_damaged, look_at_disk};
use crate::unpack_member::unpack_member;
use crate::wrapped_disk::{damage, look_through_member};
use crate::{Depth, Disk, DiskSelector, Error, OpenedImage, Result};

/// What is not checked of a compressed disk of which only the start was read.
const PACKED: &str = "whether the compressed disk is complete";
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
    /// What was not looked at, and why.
    pub(crate) not_checked: Option<(&'static str, String)>,
}

/// How much of compressed disks is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) depth: Depth,
    /// Why not more.
    pub(crate) why_not: &'static str,
    /// Where those are unpacked that can't be read in one pass.
    pub(crate) folder: &'a Path,
}

/// Looks at each disk in the archive that can be read where it is. What keeps one of them from being converted is added to what
/// `detection` has on it, so that no advice goes by that disk.
pub(crate) fn look_into_archive(
    image: &OpenedImage,
    detection: &mut Detection,
    wanted: SystemWanted<'_>,
    selector: Option<&DiskSelector>,
    reading: Reading<'_>,
    work: Work<'_>,
) -> Result<ArchiveDisks> {
    let cancel = work.cancel;
    let folder = (reading.depth == Depth::Content).then_some(reading.folder);
    let chosen = match choose(image, selector, folder, work) {
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
    let mut not_checked = None;
    for (number, member) in members.iter_mut().filter(|(number, _)| is_asked(*number)) {
        let is_only = is_alone || chosen_number == Some(*number);
        let mut report = Report::new();
        check_readable(ImageLocation::Archive, &member.detection, &mut report);
        let is_readable =
            report.findings().iter().all(|one| one.convertible || one.severity != Severity::Error);
        let mut damage = None;
        let found = if !is_readable {
            DiskSeen::closed("the disk in it can't be read")
        } else if reading.depth == Depth::Quick && member.is_packed() {
            not_checked = Some((PACKED, reading.why_not.to_owned()));
            DiskSeen::closed("only the start of the compressed disk was read")
        } else if member.is_stream() {
            let found = look_through_member(image, member, work)?;
            (damage, not_checked) = (found.damage, found.not_checked.or(not_checked));
            let why = "the files on a compressed disk can't be read until it is decompressed";
            DiskSeen { inside: found.inside, system: SystemFiles::NotRead(why.into()), space: None }
        } else {
            let (found, what) = look_at_member_disk(image, member, wanted, is_only, reading, work)?;
            damage = what;
            found
        };
        detection.facts.extend(damage.map(|damage| of_member(member, damage)));
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
    Ok(ArchiveDisks { disk: only.unwrap_or_else(several), member: chosen, findings, not_checked })
}

/// What is on the disk in a member. The system is read only if there is no other disk.
fn look_at_member_disk(
    image: &OpenedImage,
    member: &mut Member,
    wanted: SystemWanted<'_>,
    is_only: bool,
    reading: Reading<'_>,
    work: Work<'_>,
) -> Result<(DiskSeen, Option<Fact>)> {
    let content = if reading.depth == Depth::Quick {
        Ok(None)
    } else if member.is_packed() || member.needs_a_file() {
        unpack_member(image, member, reading.folder, work).map(Some)
    } else {
        member.verify_stored(image.content(), work).map(|()| None)
    };
    match content {
        Ok(content) => {
            Ok((look_inside(image, member, content.as_ref(), wanted, is_only, work.cancel)?, None))
        }
        Err(Error::Source(SourceError::Damaged { offset, what, .. })) => {
            Ok((DiskSeen::closed(what.clone()), Some(damage(offset, &what))))
        }
        Err(
            error @ (Error::NoSpaceToUnpack { .. }
            | Error::Source(SourceError::Write { .. } | SourceError::NotExpanded { .. })),
        ) => Ok((DiskSeen::closed(error.to_string()), None)),
        Err(error) => Err(error),
    }
}

/// The same of one that can be read at any place.
fn look_inside(
    image: &OpenedImage,
    member: &Member,
    content: Option<&ImageFile>,
    wanted: SystemWanted<'_>,
    is_only: bool,
    cancel: &Cancel,
) -> Result<DiskSeen> {
    match Disk::of_member(image, member, content, cancel) {
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

/// What is wrong with the data of one member of several.
fn of_member(member: &Member, fact: Fact) -> Fact {
    match fact {
        Fact::Damaged(what) => Fact::Damaged(format!("{:?}: {what}", member.name)),
        Fact::OutsideFile(what) => Fact::OutsideFile(format!("{:?}: {what}", member.name)),
        other => other,
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
