//! `imsprep detect`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_detect::{Detection, Evidence, Fact, Format};
use imsprep_rules::Size;

use super::style;
use crate::terminal::shown;

/// Everything about one file.
pub(crate) fn text(path: &Path, found: &Detection) -> String {
    let bold = style::BOLD;
    let path = path.display().to_string();
    let mut text = format!("{bold}{}{bold:#}: {}\n", shown(&path), format_line(found));
    let _ = writeln!(text, "  file    {}", Size(found.file_size));
    if let Some(disk) = found.virtual_size {
        let _ = writeln!(text, "  disk    {}", Size(disk));
    }
    for fact in &found.facts {
        let _ = writeln!(text, "  fact    {}", shown(&fact_text(fact)));
    }
    if !found.also.is_empty() {
        let others = found.also.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
        let bad = style::BAD;
        let _ = writeln!(text, "  {bad}also{bad:#}    {others}: the file is several formats at once");
    }
    text
}

/// "qcow2 (v3)", "raw (GPT, ext4)", "raw (nothing known in it)".
pub(crate) fn format_line(found: &Detection) -> String {
    let mut details = found.variant.map(str::to_owned).into_iter().collect::<Vec<_>>();
    details.extend(found.evidence.iter().map(evidence_text));
    if found.format == Format::Raw && found.evidence.is_empty() {
        details.push("nothing known in it".into());
    }
    if details.is_empty() {
        found.format.to_string()
    } else {
        format!("{} ({})", found.format, details.join(", "))
    }
}

pub(crate) fn evidence_text(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Gpt => "GPT".into(),
        Evidence::Mbr => "MBR".into(),
        Evidence::Content(name) => (*name).into(),
        other => format!("{other:?}"),
    }
}

pub(crate) fn fact_text(fact: &Fact) -> String {
    match fact {
        Fact::BackingFile(name) => format!("backing file {name:?}"),
        Fact::ExternalDataFile(Some(name)) => format!("external data file {name:?}"),
        Fact::ExternalDataFile(None) => "external data file, not named".into(),
        Fact::Parent(Some(name)) => format!("parent {name:?}"),
        Fact::Parent(None) => "has a parent, not named".into(),
        Fact::ExtentFiles(names) => format!("data in other files: {}", names.join(", ")),
        Fact::Snapshots(count) => format!("internal snapshots: {count}"),
        Fact::Encrypted(method) => format!("encrypted: {method}"),
        Fact::Dirty => "not closed cleanly".into(),
        Fact::Corrupt => "marked corrupt".into(),
        Fact::UnknownIncompatibleFeatures(bits) => format!("unknown incompatible features: {bits:#x}"),
        Fact::Damaged(what) => format!("damaged: {what}"),
        other => format!("{other:?}"),
    }
}
