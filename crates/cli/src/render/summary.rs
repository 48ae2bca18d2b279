//! `imsprep summary`: how many images stand how, what is wrong with them, and what to do.

use std::fmt::Write as _;
use std::time::Duration;

use imsprep_findings::Severity;
use imsprep_rules::Size;

use super::table::{Align, Cell, table};
use crate::codes::find_rule;
use crate::setup::Detail;
use crate::style;
use crate::summary::{CodeCount, Name, Standing, Summary, ToDo};
use crate::terminal::shown;
use crate::words::{counted, quantity};

/// Images of one kind that are listed without `-v`.
const LISTED: usize = 10;

/// The whole report: the most severe first.
pub(crate) fn text(summary: &Summary, detail: Detail) -> String {
    let mut text = headline(summary);
    write_numbers(&mut text, summary);
    write_not_counted(&mut text, summary, detail);
    if !summary.findings.is_empty() {
        text += "\n";
        text += &findings(summary, detail);
    }
    for standing in Standing::ALL {
        write_to_do(&mut text, summary, standing, detail);
    }
    text
}

/// "1000 images: 937 importable, 51 not importable, 12 could not be checked"
fn headline(summary: &Summary) -> String {
    let parts = [
        Standing::Importable,
        Standing::NotImportable,
        Standing::HeldBack,
        Standing::CouldNotLook,
        Standing::Missing,
    ]
    .into_iter()
    .map(|standing| (standing, summary.count(standing)))
    .filter(|(standing, count)| {
        *count > 0 || matches!(standing, Standing::Importable | Standing::NotImportable)
    })
    .map(|(standing, count)| {
        let style = if count == 0 { anstyle::Style::new() } else { style_of(standing) };
        format!("{style}{count} {}{style:#}", words(standing))
    });
    let parts = parts.collect::<Vec<_>>().join(", ");
    let bold = style::BOLD;
    format!("{bold}{}{bold:#}: {parts}\n", counted(summary.images(), "image"))
}

fn words(standing: Standing) -> &'static str {
    match standing {
        Standing::Missing => "missing",
        Standing::CouldNotLook => "could not be checked",
        Standing::NotImportable => "not importable",
        Standing::HeldBack => "not accepted because of warnings (--strict)",
        Standing::Importable => "importable",
    }
}

fn style_of(standing: Standing) -> anstyle::Style {
    match standing {
        Standing::Missing | Standing::CouldNotLook | Standing::NotImportable => style::BAD,
        Standing::HeldBack => style::DOUBTFUL,
        Standing::Importable => style::GOOD,
    }
}

fn write_numbers(text: &mut String, summary: &Summary) {
    let reserved = summary
        .reservations
        .iter()
        .map(|(word, count)| format!("{count} {}", shown(&word.replace('-', " "))));
    let mut doubts = reserved.collect::<Vec<_>>();
    if summary.with_warnings > 0 {
        doubts.insert(0, format!("{} with warnings", summary.with_warnings));
    }
    if !doubts.is_empty() {
        let _ = writeln!(text, "  doubts      {}", doubts.join(", "));
    }
    let again = match summary.again {
        0 => String::new(),
        again => {
            format!("; {} for an image with an earlier report: the last one counts", counted(again, "report"))
        }
    };
    let _ = writeln!(text, "  reports     {}{again}", summary.documents);
    let _ = writeln!(text, "  files       {}", Size(summary.bytes));
    if let Some(seconds) = summary.seconds {
        let slowest = summary.slowest.iter().map(|slow| format!("{} {}", slow.name, duration(slow.seconds)));
        let slowest = slowest.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "  time        {} in all; slowest: {slowest}", duration(seconds));
    }
    let several = summary.runs.len() > 1;
    for (run, images) in &summary.runs {
        let of = if several { format!(": {}", counted(*images, "image")) } else { String::new() };
        let (version, rules, profile) = (shown(&run.tool_version), shown(&run.rule_set), shown(&run.profile));
        let _ = writeln!(text, "  by          imsprep {version}, rules of {rules} for {profile}{of}");
    }
    if let Some(unexpected) = &summary.unexpected
        && !unexpected.is_empty()
    {
        let names = some(unexpected.iter(), unexpected.len());
        let _ = writeln!(
            text,
            "  not listed  {}, beyond --expect: {names}",
            counted(unexpected.len() as u64, "image")
        );
    }
}

/// A time as a person says it; of what is longer than any run, that.
fn duration(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| format!("{seconds:e} s"), quantity::time)
}

/// "a.raw, b.raw, ..."
fn some<'a>(names: impl Iterator<Item = &'a Name>, all: usize) -> String {
    let shown = names.take(3).map(ToString::to_string).collect::<Vec<_>>();
    let more = if all > shown.len() { ", ..." } else { "" };
    shown.join(", ") + more
}

fn write_not_counted(text: &mut String, summary: &Summary, detail: Detail) {
    if summary.not_counted_total == 0 {
        return;
    }
    let bad = style::BAD;
    let what = counted(summary.not_counted_total, "piece");
    let _ = writeln!(text, "\n{bad}{what} of the input {bad:#}ignored:");
    let limit = if detail == Detail::Verbose { usize::MAX } else { LISTED };
    for piece in summary.not_counted.iter().take(limit) {
        let file = match &piece.file {
            Some(path) => format!("{}, ", shown(&path.display().to_string())),
            None => String::new(),
        };
        let _ = writeln!(text, "  {file}line {}: {}", piece.line, shown(&piece.why));
    }
    write_more(
        text,
        summary.not_counted_total,
        summary.not_counted.len().min(limit),
        summary.not_counted.len(),
    );
}

/// Says what is not listed, and whether more could be.
fn write_more(text: &mut String, all: u64, listed: usize, could: usize) {
    let left = all.saturating_sub(listed as u64);
    if left > 0 {
        let how = if could > listed { "; -v or --json shows more" } else { "" };
        let _ = writeln!(text, "  and {left} more{how}");
    }
}

fn findings(summary: &Summary, detail: Detail) -> String {
    let row = |count: &CodeCount| -> [Cell; 6] {
        let title = find_rule(&count.code).map_or("(not known to this version)", |rule| rule.title);
        [
            shown(&count.code).to_string().into(),
            Cell::new(count.severity.as_str(), style::of(count.severity)),
            count.images.to_string().into(),
            count.times.to_string().into(),
            title.into(),
            some(count.examples.iter(), usize::try_from(count.images).unwrap_or(usize::MAX)).into(),
        ]
    };
    // Notes change nothing, and nearly every image has some.
    let least = if detail == Detail::Verbose { Severity::Allowed } else { Severity::Warning };
    let rows = summary.findings.iter().filter(|count| count.severity >= least).map(row).collect::<Vec<_>>();
    let head = [
        ("CODE", Align::Left),
        ("SEVERITY", Align::Left),
        ("IMAGES", Align::Right),
        ("TIMES", Align::Right),
        ("WHAT IS WRONG", Align::Left),
        ("IN", Align::Left),
    ];
    let left = summary.findings.len() - rows.len();
    let mut text = if rows.is_empty() { String::new() } else { table(head, &rows) };
    if left > 0 {
        let _ = writeln!(
            text,
            "  {} with only notes or allowed findings; -v or --json shows them",
            counted(left as u64, "code")
        );
    }
    text
}

fn write_to_do(text: &mut String, summary: &Summary, standing: Standing, detail: Detail) {
    let items = summary.to_do.iter().filter(|item| item.standing == standing).collect::<Vec<_>>();
    if items.is_empty() {
        return;
    }
    let style = style_of(standing);
    let about = match standing {
        Standing::Missing => ": in --expect, but without a report",
        _ => "",
    };
    let _ = writeln!(text, "\n{style}{} {}{style:#}{about}", items.len(), words(standing));
    let limit = if detail == Detail::Verbose { usize::MAX } else { LISTED };
    for item in items.iter().take(limit) {
        write_item(text, item);
    }
    write_more(text, items.len() as u64, items.len().min(limit), items.len());
}

fn write_item(text: &mut String, item: &ToDo) {
    let bold = style::BOLD;
    let _ = writeln!(text, "  {bold}{}{bold:#}", item.name);
    let trouble = &item.trouble;
    if let Some(error) = &trouble.error {
        let _ = writeln!(text, "      {}", shown(error));
    }
    if let Some(finding) = &trouble.finding {
        let style = style::of(finding.severity);
        let others = match trouble.other_rules {
            0 => String::new(),
            others => format!(", and {} broken", counted(others as u64, "other rule")),
        };
        let _ = writeln!(
            text,
            "      {style}{}{style:#}: {}{others}",
            shown(&finding.code),
            shown(&finding.message)
        );
        let _ = writeln!(text, "      fix: {}", shown(&finding.fix));
    }
}
