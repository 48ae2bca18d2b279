//! `--format junit`: the XML that build servers read.
//!
//! A suite for each file. Its first case is the verdict, which is there in every run, so that a server has a history of it. If a
//! system on the disk was judged, the second case is whether a server would start it: the service imports such a file all the same. A
//! failed case for each rule that counts: GitLab and Jenkins list cases by name, and the name then says what is wrong. What
//! does not count is in the verdict's output, and what was not checked is skipped. There is no case for a rule that is not
//! broken: not every rule is checked for every file, and a passed case would say so.

use std::fmt::Write as _;

use imsprep_findings::{Report, Severity, Tally};
use imsprep_rules::is_about_the_start;
use imsprep_toolkit::WouldStart;

use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::Judged;
use crate::policy::Warnings;
use crate::terminal::shown;
use crate::words;

/// The whole document.
pub(crate) fn document(files: &[Judged<'_>], warnings: Warnings) -> String {
    let suites = files.iter().map(|file| Suite::of(file, warnings)).collect::<Vec<_>>();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"imsprep\"");
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    write_counts(&mut text, cases(), suites.iter().map(|suite| suite.seconds).sum());
    text += ">\n";
    for suite in &suites {
        suite.write(&mut text);
    }
    text += "</testsuites>\n";
    text
}

/// One file.
struct Suite {
    name: String,
    seconds: f64,
    cases: Vec<Case>,
}

/// One thing that is right or wrong with it.
struct Case {
    name: String,
    outcome: CaseOutcome,
    output: String,
}

enum CaseOutcome {
    Passed,
    /// Looked, and something is wrong: in a few words, and in full.
    Failed {
        message: String,
        text: String,
    },
    /// Could not look.
    Error {
        message: String,
    },
    /// Was not looked at.
    Skipped {
        message: String,
    },
}

impl Suite {
    fn of(file: &Judged<'_>, warnings: Warnings) -> Self {
        let cases = match file.result {
            Ok(report) => cases_of(report, file, warnings),
            Err(error) => {
                let outcome = CaseOutcome::Error { message: failure_text(error) };
                vec![Case { name: file.question.yes.into(), outcome, output: String::new() }]
            }
        };
        let name = shown(&file.path.display().to_string()).to_string();
        Self { name, seconds: file.elapsed.as_secs_f64(), cases }
    }

    fn write(&self, text: &mut String) {
        let name = escaped(&self.name);
        let _ = write!(text, "  <testsuite name=\"{name}\"");
        write_counts(text, self.cases.iter(), self.seconds);
        *text += ">\n";
        for (place, case) in self.cases.iter().enumerate() {
            // The verdict is what the time was spent on.
            let seconds = if place == 0 { self.seconds } else { 0.0 };
            let _ = write!(
                text,
                "    <testcase classname=\"{name}\" name=\"{}\" file=\"{name}\" time=\"{seconds:.3}\"",
                escaped(&case.name)
            );
            case.write_content(text);
        }
        *text += "  </testsuite>\n";
    }
}

/// The name of the case on the system.
const STARTS: &str = "the system would start";

/// The case on the system, with the findings on it that count.
fn start_outcome(would_start: WouldStart, broken: &[&Tally]) -> CaseOutcome {
    match (would_start, broken) {
        (_, [_, ..]) => CaseOutcome::failed(broken, "the system would not start"),
        (WouldStart::Yes, []) => CaseOutcome::Passed,
        // The user allows what is true all the same: no failure, and no pass.
        (WouldStart::No, []) => {
            CaseOutcome::Skipped { message: "it would not start, which is allowed".into() }
        }
        (WouldStart::NotKnown, []) => CaseOutcome::Skipped { message: "not known".into() },
    }
}

fn codes(tallies: &[&Tally]) -> String {
    tallies.iter().map(|tally| tally.rule.code).collect::<Vec<_>>().join(", ")
}

impl CaseOutcome {
    /// These findings count: `no` says what follows from an error among them.
    fn failed(broken: &[&Tally], no: &str) -> Self {
        let is_error = broken.iter().any(|tally| tally.severity == Severity::Error);
        let message = format!("{}: {}", if is_error { no } else { "warnings count" }, codes(broken));
        // Twice: GitLab shows the text alone, Jenkins the message first.
        Self::Failed { text: message.clone(), message }
    }
}

fn cases_of(report: &Report, file: &Judged<'_>, warnings: Warnings) -> Vec<Case> {
    let counts = |tally: &&Tally| match tally.severity {
        Severity::Error => true,
        Severity::Warning => warnings == Warnings::Count,
        Severity::Note | Severity::Allowed => false,
    };
    let broken = report.tallies().filter(counts).collect::<Vec<_>>();
    let is_of_start = |tally: &&Tally| file.would_start.is_some() && is_about_the_start(tally);
    let (of_start, of_verdict) = broken.iter().copied().partition::<Vec<_>, _>(is_of_start);
    let verdict = match file.status {
        Status::Fine => CaseOutcome::Passed,
        Status::CouldNotLook => CaseOutcome::Error { message: format!("not judged: {}", codes(&of_verdict)) },
        _ if of_verdict.is_empty() && !of_start.is_empty() => CaseOutcome::Passed,
        _ => CaseOutcome::failed(&of_verdict, file.question.no),
    };
    let others = report.tallies().filter(|tally| !counts(tally));
    let (of_start_only, others) = others.partition::<Vec<_>, _>(is_of_start);
    let output =
        |tallies: &[&Tally]| tallies.iter().map(|tally| words::findings::plain(report, tally)).collect();
    let mut cases = vec![Case { name: file.question.yes.into(), outcome: verdict, output: output(&others) }];
    cases.extend(file.would_start.map(|would_start| Case {
        name: STARTS.into(),
        outcome: start_outcome(would_start, &of_start),
        output: output(&of_start_only),
    }));
    cases.extend(broken.into_iter().map(|tally| Case {
        name: format!("{}: {}", tally.rule.code, tally.rule.title),
        outcome: CaseOutcome::Failed {
            message: tally.rule.title.into(),
            text: words::findings::plain(report, tally),
        },
        output: String::new(),
    }));
    cases.extend(report.not_checked().iter().map(|item| Case {
        name: format!("not checked: {}", shown(&item.what)),
        outcome: CaseOutcome::Skipped { message: shown(&item.why).to_string() },
        output: String::new(),
    }));
    cases
}

impl Case {
    fn write_content(&self, text: &mut String) {
        let mut content = String::new();
        match &self.outcome {
            CaseOutcome::Passed => {}
            CaseOutcome::Failed { message, text } => {
                let (message, text) = (escaped(message), escaped(text));
                let _ = writeln!(
                    content,
                    "      <failure message=\"{message}\" type=\"finding\">{text}</failure>"
                );
            }
            CaseOutcome::Error { message } => {
                let message = escaped(message);
                let _ = writeln!(
                    content,
                    "      <error message=\"{message}\" type=\"could not look\">{message}</error>"
                );
            }
            CaseOutcome::Skipped { message } => {
                let _ = writeln!(content, "      <skipped message=\"{}\"/>", escaped(message));
            }
        }
        if !self.output.is_empty() {
            let _ = writeln!(content, "      <system-out>{}</system-out>", escaped(&self.output));
        }
        if content.is_empty() {
            *text += "/>\n";
        } else {
            let _ = write!(text, ">\n{content}    </testcase>\n");
        }
    }
}

fn write_counts<'a>(text: &mut String, cases: impl Iterator<Item = &'a Case>, seconds: f64) {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            CaseOutcome::Passed => {}
            CaseOutcome::Failed { .. } => failures += 1,
            CaseOutcome::Error { .. } => errors += 1,
            CaseOutcome::Skipped { .. } => skipped += 1,
        }
    }
    let _ = write!(
        text,
        " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds:.3}\""
    );
}

/// Text as it may stand in an element or an attribute. XML 1.0 has no way to write most control characters: they come as
/// in a Rust string.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml += "&amp;",
            '<' => xml += "&lt;",
            '>' => xml += "&gt;",
            '"' => xml += "&quot;",
            '\n' | '\t' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => xml.extend(c.escape_unicode()),
            c if c.is_control() => xml.extend(c.escape_default()),
            c => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_xml_can_not_hold_comes_out() {
        for code in (0..0x300).chain(0xfff0..=0xffff).chain([0x1_f600]) {
            let Some(c) = char::from_u32(code) else { continue };
            let xml = format!("<a b=\"{0}\">{0}</a>", escaped(&format!("x{c}y")));
            let read = roxmltree::Document::parse(&xml).unwrap_or_else(|e| panic!("{code:#x}: {e}"));
            assert!(read.root_element().text().unwrap().starts_with('x'), "{code:#x}");
        }
        assert_eq!(escaped("a\u{1b}<\u{0}"), "a\\u{1b}&lt;\\u{0}");
    }
}
