//! `imsprep check`: a block for each file, a table for several.

use std::fmt;

use imsprep_detect::Format;
use imsprep_findings::Severity;
use imsprep_rules::{Profile, RULE_SET_DATE, Size};
use imsprep_toolkit::{CheckedImage, Verdict};

use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Warnings;
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::check::{
    bitmap_line, codes_that_count, content_line, facts, sum, system_line, verdict_text,
};
use crate::words::checksum::checksum_line;
use crate::words::detect::format_line;
use crate::words::disk_choice::choice_note;
use crate::words::findings::{Findings, counts};
use crate::words::space::saving_line;

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
        let strict = *warnings == Warnings::Count && checked.report.worst() == Some(Severity::Warning);
        let refused = if strict { ", refused by --strict" } else { "" };
        let verdict = verdict_text(&verdict, true);
        write!(f, "{bold}{}{bold:#}: {style}{verdict}{refused}{style:#}", shown(&path))?;
        let counts = counts(&checked.report);
        if !counts.is_empty() {
            write!(f, " ({})", counts.join(", "))?;
        }
        writeln!(f)?;
        if let Some(line) = checksum_line(&checked.checksums) {
            writeln!(f, "  file: {line}")?;
        }
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

/// The same facts on at most five lines: the disk and its bitmap; which disk of an archive; the content; the system; what need not be uploaded.
fn summary_lines(checked: &CheckedImage) -> Vec<String> {
    let detection = &checked.detection;
    // The variant of a RAW is what the second line shows in full.
    let mut line = match (detection.format, &checked.inspection) {
        (Format::Raw, Some(_)) => detection.format.name().into(),
        _ => format_line(detection),
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
    let disk = checked.member.as_ref().filter(|member| member.number.is_some());
    let disk = disk.map(|member| format!("disk: {}{}", shown(&member.name), choice_note(member)));
    let content = checked.inspection.as_ref().map(|found| format!("content: {}", content_line(found)));
    let system = system_line(checked).map(|line| format!("system: {line}"));
    let free = saving_line(checked.saving).map(|line| format!("free: {line}"));
    std::iter::once(line).chain(disk).chain(content).chain(system).chain(free).collect()
}

fn verdict_style(verdict: &Verdict, status: Status) -> anstyle::Style {
    match (verdict, status) {
        (Verdict::NotImportable, _) | (_, Status::Wrong) => style::BAD,
        (Verdict::Importable(reservations), _) if !reservations.is_empty() => style::DOUBTFUL,
        _ => style::GOOD,
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

fn row(outcome: &Outcome) -> [String; 4] {
    let path = shown(&outcome.path.display().to_string()).to_string();
    match &outcome.result {
        Err(_) => [path, "-".into(), "-".into(), "could not be checked".into()],
        Ok(checked) => {
            let disk = checked.detection.virtual_size.map_or("-".into(), |size| Size(size).scaled());
            let mut verdict = verdict_text(&checked.verdict(), false);
            let codes = codes_that_count(&checked.report, outcome.status);
            if !codes.is_empty() {
                verdict += &format!(" ({codes})");
            }
            [path, checked.detection.format.name().into(), disk, verdict]
        }
    }
}
