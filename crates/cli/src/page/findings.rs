//! A report's findings on a page.

use imsprep_findings::{Report, Severity, Tally};
use maud::{Markup, html};

use super::text;
use crate::words::findings::{gravest_first, kept, place};

/// Places of one rule that are listed.
const PLACES: usize = 20;

/// One part for each rule that is broken, the most severe first.
pub(super) fn findings(report: &Report) -> Markup {
    let tallies = gravest_first(report);
    html! {
        @if tallies.is_empty() {
            p { "No findings." }
        }
        @for tally in tallies {
            (one_rule(report, tally))
        }
    }
}

fn one_rule(report: &Report, tally: &Tally) -> Markup {
    let rule = tally.rule;
    let all = kept(report, tally);
    let left = tally.total.saturating_sub(all.len().min(PLACES) as u64);
    let allowed = all.first().and_then(|finding| finding.allowed.as_ref()?.because.as_deref());
    html! {
        div class={ "finding " (tally.severity) } {
            h4 {
                span class="severity" { (tally.severity) } " "
                code { (rule.shown_code()) } " " (rule.title)
                @if tally.total > 1 { ", " (tally.total) " times" }
            }
            ul {
                @for finding in all.iter().take(PLACES) {
                    li { (text(&place(finding))) }
                }
                @if left > 0 {
                    li { "and " (left) " more: imsprep check -v or --json lists more" }
                }
            }
            @if let Some(because) = allowed {
                p { "Allowed: " (text(because)) }
            }
            @if let Some(first) = all.first().filter(|_| tally.severity > Severity::Note) {
                p { strong { "What to do: " } (advice(first.advice())) }
            }
            p class="soft" { "Reason for this rule: " (rule.why) " (" (rule.source) ")" }
        }
    }
}

/// A text whose commands, which stand between back quotes, are set as such.
fn advice(words: &str) -> Markup {
    html! {
        @for (number, part) in words.split('`').enumerate() {
            @if number % 2 == 1 { code { (text(part)) } } @else { (text(part)) }
        }
    }
}

/// What was not looked at, and why.
pub(super) fn not_checked(report: &Report) -> Markup {
    html! {
        ul {
            @for item in report.not_checked() {
                li { (text(&item.what)) ": " (text(&item.why)) }
            }
        }
    }
}
