//! The request against the image.

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use super::context::{Context, is_wrapped, takes};
use super::facts::{Architecture, BootsBy, Firmware, ImageFacts};
use super::os_type::OsType;
use super::os_versions::{Fit, names_anything};
use super::rules::{
    ARCHITECTURE_CONTRADICTS, FILE_AT_LIMIT, FILE_TOO_LARGE, FIRMWARE_CONTRADICTS, FORMAT_NOT_TAKEN,
    OS_CONTRADICTS, OTHER_RELEASE, PURPOSE,
};
use super::words::quoted;
use super::{Purpose, SystemValue};
use crate::format_fix::format_fix;
use crate::{DiskPart, Facts, Inside, Medium, MediumKind, Size};

pub(super) fn check_image(context: &Context<'_>, report: &mut Report) {
    let Some(facts) = context.facts else { return };
    check_format(facts, context, report);
    check_size(facts, context, report);
    check_purpose(facts, context, report);
    if context.kind.purpose() == Purpose::System {
        check_architecture(facts, context, report);
        check_firmware(facts, context, report);
        check_os(facts, context, report);
    }
}

fn check_format(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let format = facts.detection.format;
    // A file without bytes has no format, and what is wrapped is none of a disk: the check of the image says so.
    if format != Format::Empty && !is_wrapped(facts) && !takes(context, format) {
        let message = format!("the image is {format}, which the {} does not accept", context.kind.title());
        report.push(
            Finding::new(&FORMAT_NOT_TAKEN, message)
                .found(format)
                .fix(format_fix(&seen(facts), context.profile)),
        );
    }
}

fn check_size(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let profile = context.profile;
    let file = facts.detection.file_size;
    let limit = if context.kind.is_quick() { profile.max_file } else { profile.max_common_file };
    if file > limit {
        let message =
            format!("the file is {} over the limit of the {}", Size(file - limit), context.kind.title());
        let finding = Finding::new(&FILE_TOO_LARGE, message)
            .expected(format!("at most {}", Size(limit)))
            .found(Size(file));
        let finding = if takes(context, facts.detection.format) && !context.kind.is_quick() {
            finding.fix(format_fix(&seen(facts), profile))
        } else {
            finding
        };
        report.push(finding);
    } else if file == limit && !context.kind.is_quick() {
        report.push(Finding::new(&FILE_AT_LIMIT, format!("the file has {}", Size(file))));
    }
}

fn check_purpose(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let Some(found) = &facts.purpose else { return };
    if found.value == context.kind.purpose() {
        return;
    }
    let message = match found.value {
        Purpose::System => {
            format!(
                "the request is for a data disk, but the image looks like a system disk: {}",
                found.evidence
            )
        }
        Purpose::Data => {
            format!(
                "the request is for a system disk, but the image looks like a data disk: {}",
                found.evidence
            )
        }
    };
    report.push(Finding::new(&PURPOSE, message));
}

fn check_architecture(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let Some(found) = &facts.architecture else { return };
    let given = context.draft.body.architecture.as_deref();
    let named = match given {
        Some("x86") => Architecture::X86,
        Some("arm") => Architecture::Arm,
        None if context.draft.lacks("architecture") => Architecture::X86,
        _ => return,
    };
    if named != found.value {
        let how = if given.is_some() { "is" } else { "is missing, which means" };
        let message = format!(
            "architecture {how} {}, but the image is for {}: {}",
            named.name(),
            found.value.name(),
            found.evidence
        );
        let finding = Finding::new(&ARCHITECTURE_CONTRADICTS, message);
        let fix = format!("write {}, or omit it: imsprep request fills it in", found.value.name());
        report
            .push(finding.expected(found.value.name()).found(named.name()).fix(fix).in_field("architecture"));
    }
}

fn check_firmware(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let Some(found) = &facts.boots_by else { return };
    let body = &context.draft.body;
    let given = body.hw_firmware_type.as_deref();
    let named = match given {
        Some("bios") => Firmware::Bios,
        Some("uefi") => Firmware::Uefi,
        // Arm implies UEFI.
        None if body.architecture.as_deref() == Some("arm") => Firmware::Uefi,
        None if context.draft.lacks("hw_firmware_type") => Firmware::Bios,
        _ => return,
    };
    let right = match (found.value, named) {
        (BootsBy::Bios, Firmware::Uefi) => Firmware::Bios,
        (BootsBy::Uefi, Firmware::Bios) => Firmware::Uefi,
        _ => return,
    };
    let how = if given.is_some() { "is" } else { "is missing, which means" };
    let message = format!(
        "hw_firmware_type {how} {}, but the image boots by {} only: {}",
        named.name(),
        right.name(),
        found.evidence
    );
    let finding = Finding::new(&FIRMWARE_CONTRADICTS, message);
    let fix = format!("write {}, or omit it: imsprep request fills it in", right.name());
    report.push(finding.expected(right.name()).found(named.name()).fix(fix).in_field("hw_firmware_type"));
}

fn check_os(facts: &ImageFacts, context: &Context<'_>, report: &mut Report) {
    let Some(os_version) = context.draft.body.os_version.as_deref().filter(|value| !names_anything(value))
    else {
        return;
    };
    let Some(found) = &facts.os else { return };
    // A value that is not known may be anything but a Windows by another name.
    let named = if context.draft.body.names_windows() { OsType::Windows } else { OsType::Linux };
    if named != found.value {
        let message = format!(
            "os_version is {}, but the image contains {}: {}",
            quoted(os_version),
            found.value.name(),
            found.evidence
        );
        let finding = Finding::new(&OS_CONTRADICTS, message);
        report.push(finding.expected(format!("a {}", found.value.name())).in_field("os_version"));
        return;
    }
    let Some(system) = &facts.system else { return };
    let rule = match context.os_versions.fit(os_version, system) {
        Fit::Fits => return,
        Fit::OtherRelease => &OTHER_RELEASE,
        Fit::Contradicts => &OS_CONTRADICTS,
    };
    let message = format!("os_version is {}, but {}", quoted(os_version), system.by);
    let finding = Finding::new(rule, message);
    let best = match context.os_versions.of_system(system) {
        SystemValue::Named(value) => Some(value),
        SystemValue::Nearest(value) => Some(value).filter(|value| value != os_version),
        SystemValue::Offered(_) => None,
    };
    report.push(
        match best {
            Some(value) => finding
                .fix(format!("write {value:?}, or omit it: imsprep request fills it in"))
                .expected(value),
            None => finding,
        }
        .in_field("os_version"),
    );
}

/// The image as the rules for images see it.
fn seen(facts: &ImageFacts) -> Facts<'_> {
    let medium = Medium { path: &facts.path, kind: MediumKind::of(facts.detection.format), number: None };
    let inside = |inspection| Inside { inspection, medium, part: DiskPart::Whole };
    let inside = facts.inspection.as_ref().map(inside);
    Facts { path: &facts.path, detection: &facts.detection, inside, all_zeros: false }
}
