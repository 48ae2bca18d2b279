//! The page of `imsprep check`.

use imsprep_findings::Severity;
use imsprep_rules::{RULE_SET_DATE, Size};
use imsprep_toolkit::{CheckedImage, Reservation, Verdict};
use maud::{Markup, html};

use super::disk::{Disk, EXTRA, map};
use super::findings::{findings, not_checked};
use super::parts::{Kind, Line, facts, section, table};
use super::{Page, disk_tables, text};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::policy::Warnings;
use crate::setup::Detail;
use crate::words;
use crate::words::check::{codes_that_count, sum, verdict_text};
use crate::words::findings::counts;

/// The whole document; `made` is the time of the check's end in Unix seconds.
pub(crate) fn page(outcomes: &[Outcome], policy: &Policy, made: u64) -> String {
    let numbered = || outcomes.iter().enumerate();
    let body = html! {
        @if outcomes.len() != 1 {
            (section("verdicts", "Verdicts", &verdicts(outcomes)))
        }
        @for (index, outcome) in numbered() {
            (section(&file_id(index), &path(outcome), &file(index, outcome)))
        }
    };
    let title = match outcomes {
        [one] => {
            let name = one.path.file_name().unwrap_or(one.path.as_os_str());
            format!("imsprep check: {}", name.to_string_lossy())
        }
        _ => format!("imsprep check: {}", words::counted(outcomes.len() as u64, "file")),
    };
    let profile = policy.profile;
    let strict = if policy.warnings == Warnings::Count { "; --strict treats warnings as errors" } else { "" };
    let lead = format!(
        "Verdicts for quick import, by the rules of {RULE_SET_DATE} for {} (--profile {}){strict}.",
        profile.title, profile.name
    );
    Page { title: &title, lead: &lead, body, made, extra: Some(&EXTRA) }.into_html()
}

fn file_id(index: usize) -> String {
    format!("file-{}", index + 1)
}

fn path(outcome: &Outcome) -> String {
    outcome.path.display().to_string()
}

/// All files at a glance.
fn verdicts(outcomes: &[Outcome]) -> Markup {
    let head = [
        ("File", Kind::Text),
        ("Verdict", Kind::Text),
        ("Codes", Kind::Text),
        ("Format", Kind::Text),
        ("Disk", Kind::Number),
    ];
    let lines = outcomes.iter().enumerate().map(|(index, outcome)| {
        let headline = Headline::of(outcome);
        let checked = outcome.result.as_ref().ok();
        let disk = checked.and_then(|checked| checked.detection.virtual_size);
        let codes =
            checked.map(|checked| codes_that_count(&checked.report, outcome.status)).unwrap_or_default();
        let cells = [
            html! { a href={ "#" (file_id(index)) } { (text(&path(outcome))) } },
            html! { span class=(headline.class) { (headline.sign) " " (headline.words) } },
            html! { (codes) },
            html! { (checked.map_or("-", |checked| checked.detection.format.name())) },
            html! { (disk.map_or("-".into(), |size| Size(size).scaled())) },
        ];
        Line { cells, ours: false }
    });
    html! {
        p { (sum(outcomes)) "." }
        div class="verdicts" { (table("The verdict on each file", head, &lines.collect::<Vec<_>>())) }
    }
}

/// The verdict, by a sign, by words and by colour.
struct Headline {
    class: &'static str,
    sign: &'static str,
    words: String,
    /// What follows from it.
    so: &'static str,
}

impl Headline {
    fn of(outcome: &Outcome) -> Self {
        let Ok(checked) = &outcome.result else {
            return Self {
                class: "bad",
                sign: "?",
                words: "COULD NOT BE CHECKED".into(),
                so: "This file could not be checked.",
            };
        };
        let verdict = checked.verdict();
        let words = verdict_text(&verdict, true);
        let (class, sign, so) = match (&verdict, outcome.status) {
            (Verdict::NotImportable, _) => {
                ("bad", "✘", "Do not upload this file: the import would fail, or data would be lost.")
            }
            (Verdict::Importable(reservations), Status::Wrong)
                if reservations.contains(&Reservation::WouldNotStart) =>
            {
                (
                    "bad",
                    "✘",
                    "The service would import it, but a server made from it would not start, or could not be used.",
                )
            }
            (_, Status::Wrong) => {
                ("bad", "✘", "No error was found, but there are warnings, which --strict treats as errors.")
            }
            (Verdict::Importable(reservations), _) if !reservations.is_empty() => {
                ("doubt", "!", "No error was found. The reservations are shown beside the verdict.")
            }
            _ => ("good", "✔", "No error was found."),
        };
        Self { class, sign, words, so }
    }
}

fn file(index: usize, outcome: &Outcome) -> Markup {
    let Headline { class, sign, words, so } = Headline::of(outcome);
    html! {
        div class={ "verdict " (class) } {
            p class=(class) { span aria-hidden="true" { (sign) " " } (words) }
            p { (so) }
            @if let Ok(checked) = &outcome.result {
                @let counts = counts(&checked.report);
                @if !counts.is_empty() {
                    p class="soft" { (counts.join(", ")) }
                }
            }
        }
        @match &outcome.result {
            Err(error) => {
                h3 { "Why" }
                p { (failure_text(error)) }
            }
            Ok(checked) => { (checked_markup(index, checked)) }
        }
    }
}

fn checked_markup(index: usize, checked: &CheckedImage) -> Markup {
    let lines = words::check::facts(checked, Detail::Normal);
    let lines = lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>();
    let worse = checked.report.worst() >= Some(Severity::Warning);
    html! {
        h3 { @if worse { "What to do" } @else { "Findings" } }
        (findings(&checked.report))
        h3 { "The disk" }
        (disk(index, checked))
        h3 { "The file" }
        (facts(&lines))
        @if !checked.report.not_checked().is_empty() {
            h3 { "Not checked" }
            (not_checked(&checked.report))
        }
    }
}

fn disk(index: usize, checked: &CheckedImage) -> Markup {
    let Some(overview) = &checked.overview else {
        return html! { p { "The size of the disk in this file is unknown." } };
    };
    let (id, name) = (format!("disk-{}", index + 1), checked.path.display().to_string());
    let disk = Disk {
        id: &id,
        name: &name,
        overview,
        inspection: checked.inspection.as_ref(),
        report: &checked.report,
    };
    html! {
        p { (disk_tables::sizes(overview, checked.detection.virtual_size)) }
        (map(&disk))
        div class="compact" {
            @if let Some(partitions) = disk_tables::partitions(&disk) {
                h4 { "Partitions" }
                (partitions)
            }
            @if let Some(spans) = disk_tables::spans(&disk) {
                h4 { "Ranges of data and zeros" }
                (spans)
            }
            h4 { "By region" }
            (disk_tables::regions(&disk))
        }
    }
}
