//! `imsprep check`: a block for each file, a table for several.

use std::fmt;

use imsprep_bitmap::{Layout, Origin};
use imsprep_detect::Format;
use imsprep_findings::Severity;
use imsprep_inspect::{Architecture, DiskUse, Firmware, Inspection, OsFamily, VolumeKind};
use imsprep_rules::{Profile, RULE_SET_DATE, Size};
use imsprep_toolkit::{BitmapState, CheckedImage, Verdict};

use super::findings::{Findings, counts};
use super::{counted, detect, percent, scan_line, style};
use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Warnings;
use crate::setup::Detail;
use crate::terminal::shown;

/// All about one file.
pub(crate) struct Block<'a> {
    pub(crate) checked: &'a CheckedImage,
    pub(crate) warnings: Warnings,
    pub(crate) profile: &'a Profile,
    pub(crate) detail: Detail,
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checked, warnings, detail, .. } = self;
        let verdict = checked.verdict();
        let style = verdict_style(&verdict, warnings.status(&checked.report));
        let bold = style::BOLD;
        let path = checked.path.display().to_string();
        write!(f, "{bold}{}{bold:#}: {style}{}{style:#}", shown(&path), verdict_text(&verdict, true))?;
        let counts = counts(&checked.report);
        if !counts.is_empty() {
            let strict = *warnings == Warnings::Count && checked.report.worst() == Some(Severity::Warning);
            let note = if strict { "; --strict treats warnings as errors" } else { "" };
            write!(f, " ({}{note})", counts.join(", "))?;
        }
        writeln!(f)?;
        let findings = Findings::new(&checked.report, *detail);
        if *detail == Detail::Verbose {
            for (name, value) in facts(checked, *detail) {
                writeln!(f, "  {name:7} {value}")?;
            }
            write!(f, "{findings}")?;
        } else {
            for line in summary_lines(checked) {
                writeln!(f, "  {line}")?;
            }
            write!(f, "{}", findings.with_titles_of_notes())?;
        }
        let Profile { title, name, .. } = self.profile;
        writeln!(f, "  rules of {RULE_SET_DATE} for {title} (--profile {name})")
    }
}

/// What the file is, by name.
pub(crate) fn facts(checked: &CheckedImage, detail: Detail) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("format", detect::format_line(&checked.detection)),
        ("file", Size(checked.detection.file_size).to_string()),
    ];
    if let Some(disk) = checked.detection.virtual_size
        && disk != checked.detection.file_size
    {
        facts.push(("disk", Size(disk).to_string()));
    }
    if let Some(bitmap) = &checked.bitmap {
        facts.push(("bitmap", bitmap_line(bitmap)));
    }
    if let Some(scan) = &checked.scan {
        let (data, all) = (scan.map.data_count(), scan.map.block_count());
        let block = Size(scan.map.block_size().bytes()).scaled();
        facts.push(("blocks", format!("{data} of {all} hold data ({}), {block} each", percent(data, all))));
        facts.push(("scan", scan_line(scan, detail)));
    }
    if let Some(info) = &checked.zvhd2 {
        facts.push(("blocks", super::zvhd2::blocks_line(info)));
    }
    if let Some(inspection) = &checked.inspection {
        facts.push(("content", content_line(inspection)));
    }
    facts
}

/// The same facts on at most two lines: the disk and its bitmap; the content.
fn summary_lines(checked: &CheckedImage) -> Vec<String> {
    let detection = &checked.detection;
    // The variant of a RAW is what the second line shows in full.
    let mut line = match (detection.format, &checked.inspection) {
        (Format::Raw, Some(_)) => detection.format.name().into(),
        _ => detect::format_line(detection),
    };
    let file = Size(detection.file_size).scaled();
    line += &match detection.virtual_size {
        Some(disk) if disk != detection.file_size => {
            format!(", disk of {} in a file of {file}", Size(disk).scaled())
        }
        _ => format!(", {file}"),
    };
    let blocks = match (&checked.scan, &checked.zvhd2) {
        (Some(scan), _) => Some((scan.map.data_count(), scan.map.block_count())),
        (None, Some(info)) => info.data_blocks.map(|data| (data, info.block_count)),
        (None, None) => None,
    };
    if let Some((data, all)) = blocks {
        line += &format!(", {data} of {all} blocks hold data");
    }
    if let Some(bitmap) = &checked.bitmap {
        line += &format!("; bitmap {}", bitmap_line(bitmap));
    }
    let content = checked.inspection.as_ref().map(|found| format!("content: {}", content_line(found)));
    std::iter::once(line).chain(content).collect()
}

fn verdict_style(verdict: &Verdict, status: Status) -> anstyle::Style {
    match (verdict, status) {
        (Verdict::NotImportable, _) | (_, Status::Wrong) => style::BAD,
        (Verdict::Importable(reservations), _) if !reservations.is_empty() => style::DOUBTFUL,
        _ => style::GOOD,
    }
}

/// The verdict in words; loud for a headline.
pub(crate) fn verdict_text(verdict: &Verdict, loud: bool) -> String {
    match verdict {
        Verdict::NotImportable => if loud { "NOT IMPORTABLE" } else { "not importable" }.into(),
        Verdict::Importable(reservations) => {
            let mut words = vec![if loud { "IMPORTABLE" } else { "importable" }];
            words.extend(reservations.iter().map(|r| r.title()));
            words.join(", ")
        }
    }
}

fn bitmap_line(state: &BitmapState) -> String {
    let name = |path: &std::path::Path| shown(&path.display().to_string()).to_string();
    match state {
        BitmapState::Missing { path } => format!("{} is missing", name(path)),
        BitmapState::Written { path, layout } => {
            format!("{} written, layout {}", name(path), layout_name(layout))
        }
        BitmapState::Known { path, layout, compared: true } => {
            format!("{}, layout {}, compared with the content", name(path), layout_name(layout))
        }
        BitmapState::Known { path, layout, compared: false } => {
            format!("{}, layout {}, not compared with the content", name(path), layout_name(layout))
        }
        BitmapState::Unfit { path, layout } => {
            format!("{}, layout {}, not for this image or damaged", name(path), layout_name(layout))
        }
        BitmapState::Unrecognised { path } => format!("{}, in no layout that imsprep knows", name(path)),
    }
}

/// What is on the disk, as far as it is known: `GPT, 3 partitions; system disk, Linux, UEFI, x86`.
fn content_line(inspection: &Inspection) -> String {
    let holds = match (&inspection.table, &inspection.whole) {
        (Some(table), _) => {
            let partitions = counted(inspection.partitions.len() as u64, "partition");
            format!("{}, {partitions}", table.kind.name())
        }
        (None, Some(whole)) if !matches!(whole.kind, VolumeKind::Unknown | VolumeKind::Empty) => {
            format!("no partition table, {}", whole.kind.name())
        }
        (None, _) => "no partition table or file system recognised".into(),
    };
    let summary = &inspection.summary;
    let purpose = match summary.purpose {
        DiskUse::System => Some("system disk"),
        DiskUse::Data => Some("data disk"),
        DiskUse::Unknown => None,
    };
    let system = match summary.system {
        OsFamily::Linux => Some("Linux"),
        OsFamily::Windows => Some("Windows"),
        OsFamily::Unknown => None,
    };
    let firmware = match summary.firmware {
        Firmware::Bios => Some("BIOS"),
        Firmware::Uefi => Some("UEFI"),
        Firmware::Both => Some("BIOS and UEFI"),
        Firmware::UncertainBios { uefi: true } => Some("UEFI, perhaps BIOS"),
        Firmware::UncertainBios { uefi: false } | Firmware::Unknown => None,
    };
    let architecture = match summary.architecture {
        Architecture::X86 => Some("x86"),
        Architecture::Arm => Some("ARM"),
        Architecture::Both => Some("x86 and ARM"),
        Architecture::Unknown => None,
    };
    let known = [purpose, system, firmware, architecture].into_iter().flatten().collect::<Vec<_>>();
    if known.is_empty() { holds } else { format!("{holds}; {}", known.join(", ")) }
}

/// The layout's name, and that it was learned if it was.
fn layout_name(layout: &Layout) -> String {
    let name = shown(&layout.name).to_string();
    match layout.origin {
        Origin::Learned { samples } => {
            format!("{name} (learned from {})", counted(u64::from(samples), "genuine file"))
        }
        Origin::BuiltIn | Origin::Described => name,
    }
}

/// The table below the blocks of several files.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut rows = vec![["FILE".to_owned(), "FORMAT".into(), "DISK".into(), "VERDICT".into()]];
    rows.extend(outcomes.iter().map(row));
    let mut text = String::from("\n");
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (files, formats, disks) = (width(0), width(1), width(2));
    for [file, format, disk, verdict] in &rows {
        text += &format!("{file:files$}  {format:formats$}  {disk:>disks$}  {verdict}\n");
    }
    text += &sum(outcomes);
    text.push('\n');
    text
}

/// `3 files: 1 passed, 1 failed, 1 could not be checked`
pub(crate) fn sum(outcomes: &[Outcome]) -> String {
    let good = outcomes.iter().filter(|o| o.status == Status::Fine).count();
    let bad = outcomes.iter().filter(|o| o.status == Status::Wrong).count();
    let unknown = outcomes.len() - good - bad;
    let all = counted(outcomes.len() as u64, "file");
    format!("{all}: {good} passed, {bad} failed, {unknown} could not be checked")
}

fn row(outcome: &Outcome) -> [String; 4] {
    let path = shown(&outcome.path.display().to_string()).to_string();
    match &outcome.result {
        Err(_) => [path, "-".into(), "-".into(), "could not be checked".into()],
        Ok(checked) => {
            let disk = checked.detection.virtual_size.map_or("-".into(), |size| Size(size).scaled());
            let mut verdict = verdict_text(&checked.verdict(), false);
            let codes = codes_that_count(checked, outcome.status);
            if !codes.is_empty() {
                verdict += &format!(" ({codes})");
            }
            [path, checked.detection.format.name().into(), disk, verdict]
        }
    }
}

/// The codes of what made the exit status: errors, and under `--strict` warnings.
pub(crate) fn codes_that_count(checked: &CheckedImage, status: Status) -> String {
    if status != Status::Wrong {
        return String::new();
    }
    let least = if checked.report.has_errors() { Severity::Error } else { Severity::Warning };
    let codes = checked.report.tallies().filter(|tally| tally.severity >= least).map(|tally| tally.rule.code);
    let codes = codes.collect::<Vec<_>>();
    let shown = codes.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    if codes.len() > 4 { format!("{shown}, ...") } else { shown }
}
