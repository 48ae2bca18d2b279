//! `imsprep detect`: a block for each file, a table for several.

use std::fmt::Write as _;
use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Report, Rule};
use imsprep_rules::{HUAWEI, Size, check_detection, inside_text, rule_of, rule_of_wrapper};
use imsprep_source::FileKind;

use super::table::{Align, Cell, table};
use super::{counted, style};
use crate::commands::detect::Outcome;
use crate::terminal::shown;

/// Everything about one file.
pub(crate) fn text(path: &Path, kind: FileKind, found: &Detection) -> String {
    let bold = style::BOLD;
    let path = path.display().to_string();
    let wrapper = rule_of_wrapper(found.format).map(code).unwrap_or_default();
    let mut text = format!("{bold}{}{bold:#}: {}{wrapper}\n", shown(&path), format_line(found));
    let what = if kind == FileKind::BlockDevice { "device" } else { "file  " };
    let _ = writeln!(text, "  {what}  {}", Size(found.file_size));
    if let Some(disk) = found.virtual_size {
        let _ = writeln!(text, "  disk    {}", Size(disk));
    }
    for fact in &found.facts {
        let label = match fact {
            Fact::Inside(_) => "inside",
            Fact::NotLookedAt(_) => "unseen",
            _ => "fact  ",
        };
        let code = rule_of(fact).map(code).unwrap_or_default();
        let _ = writeln!(text, "  {label}  {}{code}", shown(&fact_text(fact)));
    }
    if !found.also.is_empty() {
        let others = found.also.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
        let bad = style::BAD;
        let _ = writeln!(
            text,
            "  {bad}also{bad:#}    {others}: the file is several formats at once [{bad}IMS-013{bad:#}]"
        );
    }
    text
}

/// " [IMS-007]", to stand behind what breaks the rule.
fn code(rule: &Rule) -> String {
    let style = style::of(rule.severity);
    format!(" [{style}{}{style:#}]", rule.code)
}

/// The codes of the rules that the content breaks, whatever the cloud.
pub(crate) fn codes(found: &Detection) -> Vec<&'static str> {
    let mut report = Report::new();
    // Path and profile are of use for advice alone.
    check_detection(Path::new(""), found, &HUAWEI, &mut report);
    report.tallies().map(|tally| tally.rule.code).collect()
}

/// The table below the blocks of several files.
pub(crate) fn overview(outcomes: &[Outcome]) -> String {
    let head = [
        ("FILE", Align::Left),
        ("FORMAT", Align::Left),
        ("SIZE", Align::Right),
        ("DISK", Align::Right),
        ("CODES", Align::Left),
    ];
    let rows = outcomes.iter().map(row).collect::<Vec<_>>();
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    let mut text = format!("\n{}{}", table(head, &rows), counted(outcomes.len() as u64, "file"));
    if failed > 0 {
        let _ = write!(text, ", of which {failed} could not be looked at");
    }
    text.push('\n');
    text
}

fn row(outcome: &Outcome) -> [Cell; 5] {
    let path = shown(&outcome.path.display().to_string()).to_string();
    match &outcome.result {
        Err(_) => [path.into(), Cell::new("could not tell", style::BAD), "".into(), "".into(), "".into()],
        Ok((_, found)) => [
            path.into(),
            format_line(found).into(),
            Size(found.file_size).scaled().into(),
            found.virtual_size.map(|size| Size(size).scaled()).unwrap_or_default().into(),
            codes(found).join(" ").into(),
        ],
    }
}

/// "qcow2 (v3)", "raw (GPT, ext4)", "raw (nothing known in it)".
pub(crate) fn format_line(found: &Detection) -> String {
    let mut details = found.variant.map(str::to_owned).into_iter().collect::<Vec<_>>();
    details.extend(found.evidence.iter().map(|evidence| evidence.name().to_owned()));
    if found.format == Format::Raw && found.evidence.is_empty() {
        details.push("nothing known in it".into());
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
        Fact::ExtentFiles(names) if names.is_empty() => "a descriptor that names no files".into(),
        Fact::ExtentFiles(names) => format!("data in other files: {}", names.join(", ")),
        Fact::ExtentOf(Some(name)) => format!("one extent-file of the split disk {name:?}"),
        Fact::ExtentOf(None) => "one extent-file of a split disk".into(),
        Fact::Snapshots(count) => format!("internal snapshots: {count}"),
        Fact::Encrypted(method) => format!("encrypted: {method}"),
        Fact::Dirty => "not closed cleanly".into(),
        Fact::Corrupt => "marked corrupt".into(),
        Fact::UnknownIncompatibleFeatures(bits) => format!("unknown incompatible features: {bits:#x}"),
        Fact::UnknownRequired(what) => format!("unknown, and required of readers: {what}"),
        Fact::OutsideFile(what) => format!("not all in the file: {what}"),
        Fact::SizeDisputed(taken, other) => {
            format!("two sizes of the disk: {taken} bytes by its geometry, {other} by its size field")
        }
        Fact::Damaged(what) => format!("damaged: {what}"),
        Fact::Inside(inside) => inside_text(inside),
        Fact::NotLookedAt(what) => what.clone(),
        Fact::OnlyText => "nothing but text".into(),
        other => format!("{other:?}"),
    }
}
