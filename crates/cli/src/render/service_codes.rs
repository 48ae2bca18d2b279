//! The codes of the service's errors, for people.

use std::fmt::Write as _;
use std::path::Path;

use imsprep_rules::{JobAnswer, JobState, ServiceCode};

use crate::codes::rules_that_foresee;
use crate::exit::Status;
use crate::style;
use crate::terminal::shown;

/// What a code means, which rules foresee it, what to do.
pub(crate) fn explained(code: &ServiceCode) -> String {
    let bold = style::BOLD;
    let mut text = format!("{bold}{}{bold:#}  HTTP {}  {}\n", code.code, code.status, code.meaning);
    let rules = rules_that_foresee(code);
    if rules.is_empty() {
        text += "          predicted by: no rule of imsprep\n";
    }
    for (at, rule) in rules.iter().enumerate() {
        let lead = if at == 0 { "predicted by:" } else { "             " };
        let _ = writeln!(text, "          {lead} {} {}: {}", rule.code, rule.severity, rule.title);
    }
    let _ = writeln!(text, "          what to do: {}", code.advice);
    text
}

/// The codes as a Markdown table.
pub(crate) fn markdown(codes: &[&ServiceCode]) -> String {
    let mut text = String::from(
        "| the service's code | HTTP status | meaning | rules that predict it | what to do |\n|---|---|---|---|---|\n",
    );
    for code in codes {
        let rules = rules_that_foresee(code).iter().map(|rule| rule.code).collect::<Vec<_>>().join(", ");
        let cells = [code.code, &code.status.to_string(), code.meaning, &rules, code.advice];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('<', "&lt;"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// How a job ended, with an explanation of each code in it.
pub(crate) fn job(path: &Path, job: &JobAnswer, status: Status) -> String {
    let bold = style::BOLD;
    let (style, state) = match &job.state {
        JobState::Success => (style::GOOD, "the job succeeded".to_owned()),
        JobState::Running => (style::GOOD, "the job has not ended; query it again".to_owned()),
        JobState::Failed => (style::BAD, "the job failed".to_owned()),
        JobState::Refused => (style::BAD, "the request was refused, and no job was started".to_owned()),
        JobState::Other(other) => {
            (style::BAD, format!("the job has an undocumented status: {}", shown(other)))
        }
    };
    let name = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
    let mut text = format!("{bold}{}{bold:#}: {style}{state}{style:#}\n", shown(&name));
    let lines = [("job", &job.job_id), ("image", &job.image_id), ("the service says", &job.reason)];
    for (what, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "  {what}: {}", shown(value));
        }
    }
    for code in &job.codes {
        match ServiceCode::find(code) {
            Ok(known) => text += &explained(known),
            Err(_) => {
                let _ =
                    writeln!(text, "{bold}{}{bold:#}  is not in the service's list of codes", shown(code));
            }
        }
    }
    if job.codes.is_empty() && status != Status::Fine {
        text += "  the answer has no error code; contact the provider's support with the job's ID\n";
    }
    text
}
