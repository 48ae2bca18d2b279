//! What a file is, in words.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::Report;
use imsprep_rules::{HUAWEI, check_detection, inside_text};

/// The codes of the rules that the content breaks, whatever the cloud.
pub(crate) fn codes(found: &Detection) -> Vec<&'static str> {
    let mut report = Report::new();
    // Path and profile are of use for advice alone.
    check_detection(Path::new(""), found, &HUAWEI, &mut report);
    report.tallies().map(|tally| tally.rule.code).collect()
}

/// "qcow2 (v3)", "raw (GPT, ext4)", "raw (content not recognised)".
pub(crate) fn format_line(found: &Detection) -> String {
    let mut details = found.variant.map(str::to_owned).into_iter().collect::<Vec<_>>();
    details.extend(found.evidence.iter().map(|evidence| evidence.name().to_owned()));
    if found.format == Format::Raw && found.evidence.is_empty() {
        details.push("content not recognised".into());
    }
    if let Format::Other(other) = found.format
        && !other.title.contains(other.name)
    {
        details.push(other.title.into());
    }
    if details.is_empty() {
        found.format.to_string()
    } else {
        format!("{} ({})", found.format, details.join(", "))
    }
}

pub(crate) fn fact_text(fact: &Fact) -> String {
    match fact {
        Fact::BackingFile(name) => format!("backing file {name:?}"),
        Fact::ExternalDataFile(Some(name)) => format!("external data file {name:?}"),
        Fact::ExternalDataFile(None) => "data in another file, not named".into(),
        Fact::Parent(Some(name)) => format!("parent {name:?}"),
        Fact::Parent(None) => "has a parent, not named".into(),
        Fact::ExtentFiles(names) if names.is_empty() => "a descriptor without file names".into(),
        Fact::ExtentFiles(names) => format!("data in other files: {}", names.join(", ")),
        Fact::ExtentOf(Some(name)) => format!("one extent-file of the split disk {name:?}"),
        Fact::ExtentOf(None) => "one extent-file of a split disk".into(),
        Fact::Snapshots(count) => format!("internal snapshots: {count}"),
        Fact::Encrypted(method) => format!("encrypted: {method}"),
        Fact::Dirty => "not closed cleanly".into(),
        Fact::Corrupt => "marked corrupt".into(),
        Fact::UnknownIncompatibleFeatures(bits) => format!("unknown incompatible features: {bits:#x}"),
        Fact::UnknownRequired(what) => format!("unknown required feature: {what}"),
        Fact::OutsideFile(what) => format!("partly outside of the file: {what}"),
        Fact::SizeDisputed(taken, other) => {
            format!("two sizes of the disk: {taken} bytes by its geometry, {other} by its size field")
        }
        Fact::Damaged(what) => format!("damaged: {what}"),
        Fact::Inside(inside) => inside_text(inside),
        Fact::NotLookedAt(what) => what.clone(),
        Fact::OnlyText => "only text".into(),
        other => format!("{other:?}"),
    }
}
