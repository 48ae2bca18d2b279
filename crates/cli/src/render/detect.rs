//! `imsprep detect`: a block for each file, a table for several.

use std::fmt::Write as _;

use imsprep_detect::Fact;
use imsprep_findings::Rule;
use imsprep_rules::{Size, rule_of, rule_of_wrapper};
use imsprep_source::FileKind;

use super::table::{Align, Cell, table};
use crate::outcome::{DetectedFile, Outcome};
use crate::style;
use crate::terminal::shown;
use crate::words::counted;
use crate::words::detect::{codes, fact_text, format_line};

/// Everything about one file.
pub(crate) fn text(outcome: &Outcome<DetectedFile>) -> String {
    let Ok(DetectedFile { kind, detection: found, .. }) = &outcome.result else { return String::new() };
    let bold = style::BOLD;
    let path = outcome.path.display().to_string();
    let wrapper = rule_of_wrapper(found.format).map(code).unwrap_or_default();
    let mut text = format!("{bold}{}{bold:#}: {}{wrapper}\n", shown(&path), format_line(found));
    let what = match kind {
        Some(FileKind::BlockDevice) => "device",
        Some(_) => "file  ",
        None => "export",
    };
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

/// The table below the blocks of several files.
pub(crate) fn overview(outcomes: &[Outcome<DetectedFile>]) -> String {
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
        let _ = write!(text, ", {failed} of them could not be read");
    }
    text.push('\n');
    text
}

fn row(outcome: &Outcome<DetectedFile>) -> [Cell; 5] {
    let path = shown(&outcome.path.display().to_string()).to_string();
    match &outcome.result {
        Err(_) => [path.into(), Cell::new("could not tell", style::BAD), "".into(), "".into(), "".into()],
        Ok(DetectedFile { detection: found, .. }) => [
            path.into(),
            format_line(found).into(),
            Size(found.file_size).scaled().into(),
            found.virtual_size.map(|size| Size(size).scaled()).unwrap_or_default().into(),
            codes(found).join(" ").into(),
        ],
    }
}
