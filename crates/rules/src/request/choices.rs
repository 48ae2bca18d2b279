//! Fields that name one of a few things, and identifiers.

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report, Rule};

use super::context::Context;
use super::rules::{
    ARCHITECTURE, ARM_BIOS, BMS_ENCRYPTED, BMS_FORMAT, FIRMWARE, FIRMWARE_NEWER, KEY_ID, LICENSE,
    NOT_IN_UEFI_TABLE, OS_TYPE, OS_TYPE_MISSING, OS_VERSION_MISSING, OS_VERSION_OF_GUIDE, OS_VERSION_UNKNOWN,
    PROJECT, TYPE, WINDOWS,
};
use super::words::quoted;
use super::{BodyKind, KnownSystem, NearSystem, OsVersions, Purpose, SystemValue, os_versions};

pub(super) fn check_choices(context: &Context<'_>, report: &mut Report) {
    check_os(context, report);
    check_type(context, report);
    check_processor(context, report);
    check_identifiers(context, report);
}

fn check_os(context: &Context<'_>, report: &mut Report) {
    let body = &context.draft.body;
    match context.kind.purpose() {
        Purpose::System => match body.os_version.as_deref() {
            Some("") => {
                report.push(Finding::new(&OS_VERSION_MISSING, "os_version is empty").in_field("os_version"))
            }
            Some(value) => check_os_version(value, context, report),
            // The common import can do without one.
            None if context.kind == BodyKind::QuickSystem && context.draft.lacks("os_version") => {
                report.push(os_version_missing(context).in_field("os_version"));
            }
            None => {}
        },
        Purpose::Data => {
            if context.draft.lacks("os_type") {
                let finding = Finding::new(&OS_TYPE_MISSING, "os_type is missing, which means Linux");
                report.push(finding.in_field("os_type"));
            }
        }
    }
    one_of("os_type", &["Linux", "Windows"], &OS_TYPE, context, report);
    if context.profile.windows_doubt.is_some() && context.kind.is_quick() && body.names_windows() {
        let field = if body.os_version.is_some() { "os_version" } else { "os_type" };
        let message = format!("{field} names a Windows");
        report.push(Finding::new(&WINDOWS, message).in_field(field));
    }
}

/// What the image shows of the system, and the values that come near it.
fn os_version_missing(context: &Context<'_>) -> Finding {
    let missing = "os_version is missing";
    let Some(facts) = context.facts else { return Finding::new(&OS_VERSION_MISSING, missing) };
    let Some(system) = &facts.system else {
        let why = facts
            .no_system
            .as_deref()
            .map_or_else(String::new, |why| format!(", and the image does not tell: {why}"));
        return Finding::new(&OS_VERSION_MISSING, format!("{missing}{why}"));
    };
    let list = context.os_versions;
    let (offered, why) = match (list.of_system(system), system.lacking) {
        // The body was written by the user.
        (SystemValue::Named(value) | SystemValue::Nearest(value), _) => (vec![value], String::new()),
        (SystemValue::Offered(values), Some(lacking)) => (values, format!("; {lacking} is in no file")),
        (SystemValue::Offered(values), None) => (values, format!("; {} has no value for it", list.source())),
    };
    let values = listed(&offered.iter().map(String::as_str).collect::<Vec<_>>());
    let several = if offered.len() > 1 { "one of these, the best first" } else { "this value" };
    Finding::new(&OS_VERSION_MISSING, format!("{missing}: {}{why}", system.by)).fix(format!(
        "give {several}, if it fits: {values}: \"os_version\" in the body, --os-version on the command line"
    ))
}

fn check_os_version(value: &str, context: &Context<'_>, report: &mut Report) {
    let list = context.os_versions;
    if !list.has(value) {
        let finding = match list.documented(value) {
            Some(known) => documented(value, known, list),
            None => unknown(value, list),
        };
        report.push(finding.in_field("os_version"));
    }
    let body = &context.draft.body;
    // An arm server always starts by UEFI; the table is of those that may start by either.
    let by_uefi =
        body.hw_firmware_type.as_deref() == Some("uefi") && body.architecture.as_deref() != Some("arm");
    if by_uefi && !os_versions::starts_by_uefi(value) {
        let message = format!(
            "hw_firmware_type is uefi, but the user guide's table of systems that boot by UEFI does not contain {}",
            quoted(value)
        );
        report.push(Finding::new(&NOT_IN_UEFI_TABLE, message).in_field("hw_firmware_type"));
    }
}

/// A value that a page outside the API reference names.
fn documented(value: &str, known: &KnownSystem, list: &OsVersions) -> Finding {
    let pages = known.pages.iter().map(|page| page.title()).collect::<Vec<_>>().join("; ");
    let spelled = if known.value == value { String::new() } else { format!(" as {:?}", known.value) };
    let message = format!(
        "os_version {} is not in the API's table of values; it is documented{spelled} in: {pages}",
        quoted(value)
    );
    let finding = Finding::new(&OS_VERSION_OF_GUIDE, message);
    match list.spellings(value).as_slice() {
        [] if spelled.is_empty() => {
            finding.fix(format!("send it; if the service refuses it, write {:?}", list.other(value)))
        }
        [] => finding.fix(format!("write {:?}, as the page spells it", known.value)),
        spellings => finding.fix(format!("write it as in the API's table: {}", listed(spellings))),
    }
}

/// A value that no page names so.
fn unknown(value: &str, list: &OsVersions) -> Finding {
    const NEWER: &str =
        "the service's own list is newer: GET /v1/cloudimages/os_version, then --os-versions FILE";
    let spellings = list.spellings(value);
    if !spellings.is_empty() {
        let known = listed(&spellings);
        let message = format!(
            "os_version {} differs only in spelling from {known}, and values must match exactly",
            quoted(value)
        );
        return Finding::new(&OS_VERSION_UNKNOWN, message).fix(format!("write {known}"));
    }
    let elsewhere =
        if list.is_known_elsewhere(value) { "; it is in the documentation of another cloud" } else { "" };
    let message = format!("os_version {} is not in {}{elsewhere}", quoted(value), list.source());
    let other = list.other(value);
    match list.near(value) {
        NearSystem::Values { family, values } => {
            let unnamed = if list.no_page_names(value) { ", and not on any known page" } else { "" };
            let near = listed(&values.iter().map(String::as_str).collect::<Vec<_>>());
            Finding::new(&OS_VERSION_UNKNOWN, format!("{message}{unnamed}")).fix(format!(
                "nearest values of {family} in the list: {near}; if none of them fits, {other:?}; {NEWER}"
            ))
        }
        NearSystem::NoneOfFamily(family) => Finding::new(
            &OS_VERSION_UNKNOWN,
            format!("{message}, and no known page has a value for {family}"),
        )
        .fix(format!("write {other:?}, the value for systems that the service does not know; {NEWER}")),
        NearSystem::NoFamily => Finding::new(
            &OS_VERSION_UNKNOWN,
            format!("{message}; it is not similar to any known system"),
        )
        .fix(format!(
            "imsprep os-versions lists the values; {other:?} is the value for systems that the service does \
             not know; {NEWER}"
        )),
    }
}

fn listed(values: &[&str]) -> String {
    values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ")
}

/// Compares a text field with its values, if it is there.
fn one_of(
    field: &'static str,
    values: &[&str],
    rule: &'static Rule,
    context: &Context<'_>,
    report: &mut Report,
) -> bool {
    let Some(value) = context.draft.body.text(field) else { return true };
    if values.contains(&value) {
        return true;
    }
    let finding = Finding::new(rule, format!("{field} is {}", quoted(value))).expected(values.join(" or "));
    let same = values.iter().find(|known| known.eq_ignore_ascii_case(value.trim()));
    report.push(
        match same {
            Some(known) => finding.fix(format!("write {known}, with this spelling")),
            None => finding,
        }
        .in_field(field),
    );
    false
}

fn check_type(context: &Context<'_>, report: &mut Report) {
    let body = &context.draft.body;
    match context.kind {
        BodyKind::QuickSystem => {
            one_of("type", &["ECS", "BMS"], &TYPE, context, report);
        }
        BodyKind::QuickData if context.draft.lacks("type") => {
            let finding = Finding::new(&TYPE, "type is missing, which means ECS: a system disk");
            report.push(finding.expected("DataImage").fix("add \"type\": \"DataImage\"").in_field("type"));
        }
        BodyKind::QuickData => {
            one_of("type", &["DataImage"], &TYPE, context, report);
        }
        BodyKind::CommonSystem => {
            one_of("type", &["ECS", "BMS", "FusionCompute", "Ironic"], &TYPE, context, report);
        }
        BodyKind::CommonData => {}
    }
    if matches!(body.image_type.as_deref(), Some("BMS" | "Ironic")) {
        if body.cmk_id.is_some() {
            report.push(
                Finding::new(&BMS_ENCRYPTED, "type is BMS, but the body has a cmk_id").in_field("cmk_id"),
            );
        }
        if let Some(facts) = context.facts
            && facts.detection.format != Format::Zvhd2
        {
            let message = format!("type is BMS, but the image is {}", facts.detection.format);
            report.push(Finding::new(&BMS_FORMAT, message).expected("zvhd2").in_field("type"));
        }
    }
}

fn check_processor(context: &Context<'_>, report: &mut Report) {
    let body = &context.draft.body;
    one_of("architecture", &["x86", "arm"], &ARCHITECTURE, context, report);
    one_of("hw_firmware_type", &["bios", "uefi"], &FIRMWARE, context, report);
    if body.architecture.as_deref() == Some("arm") && body.hw_firmware_type.as_deref() == Some("bios") {
        let finding = Finding::new(&ARM_BIOS, "architecture is arm, but hw_firmware_type is bios");
        report.push(finding.expected("uefi").found("bios").in_field("hw_firmware_type"));
    }
    if context.profile.request.firmware_is_new && body.hw_firmware_type.is_some() && context.kind.is_quick() {
        let finding = Finding::new(&FIRMWARE_NEWER, "hw_firmware_type is given");
        report.push(finding.in_field("hw_firmware_type"));
    }
}

fn check_identifiers(context: &Context<'_>, report: &mut Report) {
    let body = &context.draft.body;
    if let Some(id) = body.enterprise_project_id.as_deref()
        && !id.is_empty()
        && id != "0"
        && !is_uuid(id)
    {
        let finding = Finding::new(&PROJECT, format!("enterprise_project_id is {}", quoted(id)));
        report.push(finding.expected("0 or a UUID").in_field("enterprise_project_id"));
    }
    if let Some(id) = body.cmk_id.as_deref()
        && !is_uuid(id)
    {
        let finding = Finding::new(&KEY_ID, format!("cmk_id is {}", quoted(id)));
        report.push(finding.expected("a UUID").in_field("cmk_id"));
    }
    if context.kind == BodyKind::QuickSystem && body.license_type.is_some() {
        if !context.profile.request.has_license_type {
            let message = format!("{} has no license_type", context.profile.title);
            report.push(Finding::new(&LICENSE, message).in_field("license_type"));
        } else if one_of("license_type", &["platform", "byol"], &LICENSE, context, report)
            && !body.names_windows()
        {
            let message = "license_type is set, but os_version is not Windows";
            report.push(Finding::new(&LICENSE, message).in_field("license_type"));
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').collect::<Vec<_>>();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
