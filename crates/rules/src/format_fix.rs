//! Where to go with an image that quick import does not take.

use imsprep_detect::Format;
use imsprep_findings::{Report, Severity};

use crate::commands::prepare_command;
use crate::convertible::{DiskChecks, check_convertible, check_disk_convertible};
use crate::facts::ImageLocation;
use crate::other_formats::other_advice;
use crate::{Facts, Profile, Size, shell_quoted};

/// The fix for an image in the wrong format, fitting its kind, its size, and what else is wrong with it.
pub(crate) fn format_fix(facts: &Facts<'_>, profile: &Profile) -> String {
    let Facts { path, detection, .. } = *facts;
    let format = detection.format;
    if !is_converted(format) {
        return match format {
            Format::Iso9660 => {
                "use the import of ISO files; or install from it and import the disk".into()
            }
            Format::AndroidSparse => {
                let (from, to) = (shell_quoted(path), shell_quoted(&path.with_extension("unpacked.raw")));
                format!("convert it to RAW with a tool of Android: `simg2img {from} {to}`; then check the RAW")
            }
            Format::Wim => {
                "a WIM contains the files of an installation, not a disk: install from it, and import the disk"
                    .into()
            }
            Format::Ewf | Format::Aff => {
                format!("convert the {format} file to RAW with the tools of that format")
            }
            Format::Other(other) => other_advice(other).into(),
            Format::Luks => "decrypt it to an unencrypted RAW image first".into(),
            _ => "convert the disk in it to RAW with the program that made it, and check the RAW".into(),
        };
    }
    let mut against = Report::new();
    check_convertible(ImageLocation::File(path), detection, profile, &mut against);
    if let Some(inside) = &facts.inside {
        check_disk_convertible(inside, DiskChecks::Lost, &mut against);
    }
    let mut errors = against.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let first = errors.find(|finding| !finding.convertible).map(|finding| finding.rule.code);
    if let Some(first) = first.or((detection.virtual_size == Some(0)).then_some("IMS-015")) {
        return format!("apply the fix of {first} first; then prepare the result");
    }
    let allow = allowing(&against);
    let state = if allow.is_empty() { "" } else { ", as it is now" };
    let convert =
        format!("convert it to ZVHD2 in one step{state}: {}", prepare_command(path, profile, &allow));
    let common = allow.is_empty() && format.is_common() && detection.file_size <= profile.max_common_file;
    if common {
        let limit = Size(profile.max_common_file).scaled();
        // Pages disagree: "smaller than" and "not larger than".
        let doubt = if detection.file_size == profile.max_common_file {
            " (one page says less than that; this file has exactly that size)"
        } else {
            ""
        };
        format!("use the common import, which takes {format} files of up to {limit}{doubt}; or {convert}")
    } else {
        convert
    }
}

/// The arguments that allow the errors in a report: ` --allow IMS-008`.
pub(crate) fn allowing(against: &Report) -> String {
    let errors = against.findings().iter().filter(|finding| finding.severity == Severity::Error);
    let mut codes = Vec::new();
    for finding in errors {
        if !codes.contains(&finding.rule.code) {
            codes.push(finding.rule.code);
        }
    }
    codes.iter().map(|code| format!(" --allow {code}")).collect()
}

/// Whether the disk in a file of this format is converted, be it by qemu.
fn is_converted(format: Format) -> bool {
    format == Format::Zvhd || format.qemu_name().is_some()
}
