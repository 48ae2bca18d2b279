//! Errors, warnings and hints on standard error, and the exit status of an error. The libraries say what is wrong; the flags and
//! commands that help are known here alone.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io::ErrorKind::PermissionDenied;

use anstyle::{AnsiColor, Style};

use crate::exit::Status;
use crate::terminal::{print_error, shown};

/// What begins a line on standard error, in clap's words and colours.
const ERROR: (&str, Style) = ("error", AnsiColor::Red.on_default().bold());
const WARNING: (&str, Style) = ("warning", AnsiColor::Yellow.on_default().bold());
const NOTE: (&str, Style) = ("note", Style::new().bold());
const HINT: (&str, Style) = ("hint", AnsiColor::Cyan.on_default().bold());

/// What is said of a stop.
pub(crate) const STOPPED: &str = "interrupted; nothing half-written is left";
/// What is said of it where an image went to standard output.
pub(crate) const STREAM_STOPPED: &str = "interrupted; what went to standard output is not whole";

/// Prints an error that has no causes.
pub(crate) fn error(text: impl Display) {
    say(ERROR, text);
}

/// Prints what the user should know and what changes no status.
pub(crate) fn warning(text: impl Display) {
    say(WARNING, text);
}

/// Prints what the user may want to know.
pub(crate) fn note(text: impl Display) {
    say(NOTE, text);
}

/// Prints what helps against the error or warning before it.
pub(crate) fn hint(text: impl Display) {
    say(HINT, text);
}

fn say((word, style): (&str, Style), text: impl Display) {
    print_error(&format!("{style}{word}:{style:#} {text}\n"));
}

/// Prints an error with all its causes and what helps against it, and tells the status that follows from it.
pub(crate) fn report_failure(error: &anyhow::Error) -> Status {
    let status = status(error);
    match status {
        Status::Interrupted => self::error(STOPPED),
        // Silently, as every program in a pipe.
        Status::ReaderGone => {}
        _ => {
            self::error(shown(&format!("{error:#}")));
            if let Some(text) = hint_for(error) {
                hint(shown(&text));
            }
        }
    }
    status
}

/// An error, its causes and what helps against it on one line, fit for a terminal.
pub(crate) fn failure_text(error: &anyhow::Error) -> String {
    let hint = hint_for(error).map(|hint| format!("; {hint}")).unwrap_or_default();
    shown(&format!("{error:#}{hint}")).to_string()
}

fn status(error: &anyhow::Error) -> Status {
    use imsprep_toolkit::Error;
    match error.downcast_ref::<Error>() {
        _ if is_cancelled(error) => Status::Interrupted,
        Some(closed) if closed.is_closed_pipe() => Status::ReaderGone,
        Some(
            Error::NotRaw { .. }
            | Error::NotConvertible { .. }
            | Error::MemberNotRead { .. }
            | Error::NotAsWritten { .. }
            | Error::Zvhd2(imsprep_zvhd2::Error::NothingToSave { .. }),
        ) => Status::Wrong,
        _ => Status::CouldNotLook,
    }
}

/// Whether somebody asked for the stop, whichever library says so.
fn is_cancelled(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(imsprep_toolkit::Error::is_cancelled)
        || error.downcast_ref().is_some_and(imsprep_bench::Error::is_cancelled)
}

/// What helps against an error.
fn hint_for(error: &anyhow::Error) -> Option<String> {
    let is_denied = |cause: &(dyn StdError + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == PermissionDenied)
    };
    error.chain().any(is_denied).then(|| "run it as a user who may (sudo), or change the permissions".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_whichever_library_says_so() {
        use imsprep_source::Error::Cancelled;
        let toolkit = anyhow::Error::new(imsprep_toolkit::Error::from(Cancelled));
        let bench = anyhow::Error::new(imsprep_bench::Error::from(Cancelled));
        for error in [toolkit, bench] {
            assert_eq!(report_failure(&error.context("while measuring")), Status::Interrupted);
        }
        let failed = imsprep_bench::Error::Failed { program: "imsprep".into(), message: "no".into() };
        assert_eq!(report_failure(&anyhow::Error::new(failed)), Status::CouldNotLook);
    }
}
