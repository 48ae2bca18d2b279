//! The request that imports an image, made from a look at it, or compared with one.

use std::path::{Path, PathBuf};

use imsprep_findings::{Overrides, Report};
use imsprep_guest::{Guest, Platform, System};
use imsprep_inspect::{Summary, inspect_source};
use imsprep_rules::{
    Architecture, BodyKind, BootsBy, Detected, Endpoint, GuestSystem, ImageFacts, Intent, OsType, OsVersions,
    Profile, Purpose, Request, RequestOptions, ValidateOptions, fill_request, is_covered_by_request,
    validate_body,
};
use imsprep_source::{Cancel, Work};

use crate::check::check_opened;
use crate::seen::Known;
use crate::targets::refuse_bitmap;
use crate::{
    BitmapState, CheckOptions, CheckedImage, Depth, ErrorKind, GUEST_LIMITS, OpenedImage, Result, read_guest,
};

/// What a request is judged by.
#[derive(Clone, Copy, Debug)]
pub struct RequestPolicy<'a> {
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// The values that `os_version` may have.
    pub os_versions: &'a OsVersions,
    /// What the import is going to be, for the look at the image.
    pub intent: &'a Intent,
    /// Rules that the user allows or denies.
    pub overrides: &'a Overrides,
}

/// A request for an image.
#[derive(Debug)]
pub struct PreparedRequest {
    /// The request. With errors in the report its body is not fit to be sent.
    pub request: Request,
    /// What the image showed.
    pub facts: ImageFacts,
    /// A RAW's bitmap file, which is uploaded with it.
    pub bitmap: Option<PathBuf>,
    /// What is wrong with the request, and with the image as far as it was read.
    pub report: Report,
}

/// A body that was checked by the rules.
#[derive(Debug)]
pub struct ValidatedRequest {
    /// The kind of its request, if it is known.
    pub kind: Option<BodyKind>,
    /// What is wrong with it, and with the image as far as it was read.
    pub report: Report,
}

/// Makes the request for the image at `path`.
///
/// # Errors
///
/// Only if the image could not be checked.
pub fn prepare_request(
    path: &Path,
    options: &RequestOptions,
    policy: RequestPolicy<'_>,
    work: Work<'_>,
) -> Result<PreparedRequest> {
    let Looked { checked, facts, closed } = look(path, policy, work)?;
    let RequestPolicy { profile, os_versions, overrides, .. } = policy;
    let mut report = Report::under(overrides.clone());
    let request = fill_request(options, &facts, profile, os_versions, &mut report);
    let bitmap = checked.bitmap.as_ref().and_then(BitmapState::file).map(Path::to_owned);
    add_image_findings(checked.report, request.kind, &mut report);
    content_not_checked(closed, &mut report);
    network_not_checked(&mut report);
    Ok(PreparedRequest { request, facts, bitmap, report })
}

/// Checks an existing body by the rules, and compares it with its image, if there is one.
///
/// # Errors
///
/// Only if the image could not be checked.
pub fn validate_request(
    body: &[u8],
    image: Option<&Path>,
    endpoint: Option<Endpoint>,
    policy: RequestPolicy<'_>,
    work: Work<'_>,
) -> Result<ValidatedRequest> {
    let looked = image.map(|path| look(path, policy, work)).transpose()?;
    let RequestPolicy { profile, os_versions, overrides, .. } = policy;
    let mut report = Report::under(overrides.clone());
    let facts = looked.as_ref().map(|looked| &looked.facts);
    let options = ValidateOptions { profile, os_versions, endpoint, facts };
    let kind = validate_body(body, &options, &mut report);
    if let Some(Looked { checked, closed, .. }) = looked {
        if let Some(kind) = kind {
            add_image_findings(checked.report, kind, &mut report);
        }
        content_not_checked(closed, &mut report);
    } else {
        report.push_not_checked("the image", "no image was given");
    }
    network_not_checked(&mut report);
    Ok(ValidatedRequest { kind, report })
}

/// What a look at an image that takes seconds found.
struct Looked {
    checked: CheckedImage,
    facts: ImageFacts,
    /// Why the disk in it was not inspected, if it was not.
    closed: Option<String>,
}

fn look(path: &Path, policy: RequestPolicy<'_>, work: Work<'_>) -> Result<Looked> {
    let image = OpenedImage::open(path, work.cancel)?;
    refuse_bitmap(path, image.detection())?;
    let guest = guest_of(&image, work.cancel)?;
    let RequestPolicy { profile, intent, .. } = policy;
    let options =
        CheckOptions { depth: Depth::Quick, profile, intent: intent.clone(), ..CheckOptions::default() };
    let checked =
        check_opened(&image, &[], &options, Known { guest: guest.as_ref(), container: None }, work)?;
    let mut facts = ImageFacts::of_detection(path, checked.detection.clone());
    if let Some(inspection) = &checked.inspection {
        add_facts(&inspection.summary, &mut facts);
        facts.inspection = Some(inspection.clone());
    }
    if let Some(guest) = &guest {
        add_system(guest, &mut facts);
    }
    let closed = checked.closed.clone();
    Ok(Looked { checked, facts, closed })
}

/// The system in an image; `None` if its disk can't be read as it is, which the check says.
fn guest_of(image: &OpenedImage, cancel: &Cancel) -> Result<Option<Guest>> {
    let read = || -> Result<Guest> {
        let disk = image.disk(cancel)?;
        let inspection = inspect_source(&disk, disk.orig_size(), cancel)?;
        read_guest(&inspection, &disk, GUEST_LIMITS, cancel)
    };
    match read() {
        // A file that can't be read is no answer about the system in it.
        Err(error) => match error.kind() {
            ErrorKind::Source(kind) if kind != imsprep_source::ErrorKind::Damaged => Err(error),
            _ => Ok(None),
        },
        Ok(guest) => Ok(Some(guest)),
    }
}

/// Takes over what the files of the system tell. Where the disk alone tells more than one thing or nothing, they decide.
fn add_system(guest: &Guest, facts: &mut ImageFacts) {
    facts.system = GuestSystem::of(guest);
    let by_release = facts.system.as_ref().map(|system| system.by.clone());
    let (os, by, machine) = match &guest.system {
        System::Linux(linux) => {
            let by = by_release.unwrap_or_else(|| format!("{} holds a Linux", linux.root.volume));
            facts.no_system = linux.release.as_ref().err().map(ToString::to_string);
            (OsType::Linux, by, linux.machine.as_ref())
        }
        System::Windows(windows) => {
            let by = by_release.unwrap_or_else(|| format!("{} holds a Windows", windows.volume));
            facts.no_system = windows.release.as_ref().err().map(ToString::to_string);
            (OsType::Windows, by, windows.machine.as_ref())
        }
        System::NotKnown(reasons) => {
            facts.no_system = reasons.first().map(ToString::to_string);
            return;
        }
        System::None => return,
    };
    facts.os = Some(Detected::new(os, by.clone()));
    if facts.purpose.is_none() {
        facts.purpose = Some(Detected::new(Purpose::System, by));
    }
    if let (None, Ok(machine)) = (&facts.architecture, machine) {
        let architecture = match machine.value {
            value if value.is_x86() => Some(Architecture::X86),
            value if value.is_arm() && value.bits() == 64 => Some(Architecture::Arm),
            _ => None,
        };
        let by = format!("{} is a program for {}", machine.origin, machine.value);
        facts.architecture = architecture.map(|value| Detected::new(value, by));
    }
    if let (None, System::Linux(linux)) = (&facts.boots_by, &guest.system) {
        let all = |platform| linux.loaders.iter().all(|loader| loader.platform == platform);
        let firmware = match linux.loaders.first() {
            Some(_) if all(Platform::Bios) => Some(BootsBy::Bios),
            Some(_) if all(Platform::Uefi) => Some(BootsBy::Uefi),
            _ => None,
        };
        let config = linux.loaders.first().map_or_else(String::new, |loader| loader.config.to_string());
        facts.boots_by =
            firmware.map(|value| Detected::new(value, format!("{config} configures the boot loader")));
    }
}

/// Takes over what inspection is sure of.
fn add_facts(found: &Summary, facts: &mut ImageFacts) {
    let by = |reasons: &[String]| reasons.join("; ");
    facts.purpose = match found.purpose {
        imsprep_inspect::DiskUse::System => Some(Purpose::System),
        imsprep_inspect::DiskUse::Data => Some(Purpose::Data),
        imsprep_inspect::DiskUse::Unknown => None,
    }
    .map(|purpose| Detected::new(purpose, by(&found.reasons.purpose)));
    facts.boots_by = match found.firmware {
        imsprep_inspect::Firmware::Bios => Some(BootsBy::Bios),
        imsprep_inspect::Firmware::Uefi => Some(BootsBy::Uefi),
        imsprep_inspect::Firmware::Both => Some(BootsBy::Both),
        imsprep_inspect::Firmware::UncertainBios { .. } | imsprep_inspect::Firmware::Unknown => None,
    }
    .map(|firmware| Detected::new(firmware, by(&found.reasons.firmware)));
    facts.architecture = match found.architecture {
        imsprep_inspect::Architecture::X86 => Some(Architecture::X86),
        imsprep_inspect::Architecture::Arm => Some(Architecture::Arm),
        // A disk for either contradicts no request.
        imsprep_inspect::Architecture::Both | imsprep_inspect::Architecture::Unknown => None,
    }
    .map(|architecture| Detected::new(architecture, by(&found.reasons.architecture)));
    facts.os = match found.system {
        imsprep_inspect::OsFamily::Linux => Some(OsType::Linux),
        imsprep_inspect::OsFamily::Windows => Some(OsType::Windows),
        imsprep_inspect::OsFamily::Unknown => None,
    }
    .map(|os| Detected::new(os, by(&found.reasons.system)));
}

/// Takes over what is wrong with the image itself, and what the request's own rules do not say already.
fn add_image_findings(mut image: Report, kind: BodyKind, report: &mut Report) {
    // Quick import alone needs a bitmap.
    let of_bitmaps = |code| imsprep_bitmap::RULES.iter().any(|rule| rule.code == code);
    image.retain_rules(|rule| !is_covered_by_request(rule) && (kind.is_quick() || !of_bitmaps(rule.code)));
    image.clear_not_checked();
    report.merge(image);
}

fn content_not_checked(closed: Option<String>, report: &mut Report) {
    if let Some(why) = closed {
        report.push_not_checked("firmware, architecture, purpose and operating system in the image", why);
    }
    report.push_not_checked("the image's content", "it was not read");
}

fn network_not_checked(report: &mut Report) {
    report.push_not_checked(
        "bucket, object, project and keys",
        "imsprep uses no network: whether they exist, and whether the storage class of bucket and object is \
         Standard, is not known",
    );
}
