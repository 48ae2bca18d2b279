//! The page of a command that has findings and no map: one part for each file.

use maud::{Markup, html};

use super::findings::{findings, not_checked};
use super::parts::section;
use super::{Page, text};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Judged;
use crate::words;
use crate::words::findings::counts;

/// The whole document; `made` is the present moment in Unix seconds.
pub(crate) fn page(files: &[Judged<'_>], made: u64) -> String {
    let body = html! {
        @for (number, file) in (1..).zip(files) {
            (section(&format!("file-{number}"), &file.path.display().to_string(), &part(file)))
        }
    };
    let title = match files {
        [one] => {
            let name = one.path.file_name().unwrap_or(one.path.as_os_str());
            format!("imsprep: {}", name.to_string_lossy())
        }
        _ => format!("imsprep: {}", words::counted(files.len() as u64, "file")),
    };
    let lead = "What was found in each file.";
    Page { title: &title, lead, body, made, extra: None }.into_html()
}

fn part(file: &Judged<'_>) -> Markup {
    let (class, sign, words) = match (&file.result, file.status) {
        (Err(_), _) | (_, Status::CouldNotLook) => ("bad", "?", "could not be checked"),
        (Ok(report), Status::Wrong) if report.has_errors() => ("bad", "✘", file.question.no),
        (_, Status::Wrong) => ("bad", "✘", "warnings count as errors"),
        _ => ("good", "✔", file.question.yes),
    };
    html! {
        div class={ "verdict " (class) } {
            p class=(class) { span aria-hidden="true" { (sign) " " } (words) }
            @if let Ok(report) = file.result {
                @let counts = counts(report);
                @if !counts.is_empty() {
                    p class="soft" { (counts.join(", ")) }
                }
            }
        }
        @match file.result {
            Err(error) => p { (text(&failure_text(error))) }
            Ok(report) => {
                h3 { "Findings" }
                (findings(report))
                @if !report.not_checked().is_empty() {
                    h3 { "Not checked" }
                    (not_checked(report))
                }
            }
        }
    }
}
