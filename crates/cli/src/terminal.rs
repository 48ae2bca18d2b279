//! Writing to standard output and standard error.

use std::io::{self, Write};

use imsprep_rules::acts_on_terminal as acts;

use crate::exit::Status;
use crate::signals::STOPPED;
use crate::visible::{for_log, visible_json};

pub(crate) use crate::visible::shown;

/// Writes a result to standard output. That the reader went away is no error.
///
/// # Errors
///
/// If the output can't be written for another reason, such as a full disk.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    written(anstream::stdout().lock(), for_log(text).as_bytes())
}

fn written(mut out: impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}

/// Writes what is for a program (a script, a manual page) to standard output as it is, with whatever looks like colours.
///
/// # Errors
///
/// As [`print()`].
pub(crate) fn print_verbatim(bytes: &[u8]) -> anyhow::Result<()> {
    written(io::stdout().lock(), bytes)
}

/// Prints a result as JSON, and a line feed.
///
/// # Errors
///
/// As [`print()`].
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&json_text(value)?)
}

/// Prints a result as JSON on one line.
///
/// # Errors
///
/// As [`print()`].
pub(crate) fn print_json_line(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = visible_json(serde_json::to_string(value)?);
    text.push('\n');
    print(&text)
}

/// A value as JSON, with a line feed, fit for a terminal.
///
/// # Errors
///
/// If it can't be put into JSON.
pub(crate) fn json_text(value: &impl serde::Serialize) -> anyhow::Result<String> {
    let mut text = visible_json(serde_json::to_string_pretty(value)?);
    text.push('\n');
    Ok(text)
}

/// Writes text that is no result to standard error. If that is gone there is nobody left to tell.
pub(crate) fn print_error(text: &str) {
    let _ = anstream::stderr().lock().write_all(for_log(text).as_bytes());
}

/// Prints a result as JSON to standard error, for standard output holds something else.
///
/// # Errors
///
/// If it can't be put into JSON.
pub(crate) fn print_json_error(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print_error(&json_text(value)?);
    Ok(())
}

/// Prints an error with all its causes to standard error, and tells the status that follows from it.
pub(crate) fn report_failure(error: &anyhow::Error) -> Status {
    use imsprep_toolkit::Error;
    let (status, message) = match error.downcast_ref::<Error>() {
        _ if is_cancelled(error) => {
            print_error(STOPPED);
            return Status::Interrupted;
        }
        // Silently, as every program in a pipe.
        Some(closed) if closed.is_closed_pipe() => return Status::ReaderGone,
        Some(
            Error::NotRaw { .. }
            | Error::NotConvertible { .. }
            | Error::MemberNotRead { .. }
            | Error::NotAsWritten { .. }
            | Error::Zvhd2(imsprep_zvhd2::Error::NothingToSave { .. }),
        ) => (Status::Wrong, failure_text(error)),
        _ => (Status::CouldNotLook, failure_text(error)),
    };
    print_error(&format!("imsprep: {message}\n"));
    status
}

/// Whether somebody asked for the stop, whichever library says so.
fn is_cancelled(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(imsprep_toolkit::Error::is_cancelled)
        || error.downcast_ref().is_some_and(imsprep_bench::Error::is_cancelled)
}

/// An error and its causes on one line, fit for a terminal, and the way out where it is the same for all files.
pub(crate) fn failure_text(error: &anyhow::Error) -> String {
    let not_allowed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::PermissionDenied)
    };
    let way_out = if error.chain().any(not_allowed) {
        "; run it as a user who may (sudo), or change the permissions"
    } else {
        ""
    };
    shown(&format!("{error:#}{way_out}")).to_string()
}

/// A mistake in the command line, or a page of help, as the parser words it. It repeats arguments as they came, and those may
/// be names of files.
pub(crate) fn report_usage(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let styled = error.render();
    let mut plain = styled.to_string();
    if !plain.chars().any(|c| c != '\n' && acts(c)) && !std::env::args_os().any(|arg| has_line_feed(&arg)) {
        print_error(&styled.ansi().to_string());
    } else {
        // What an argument brings is told from the parser's own lines by what was given.
        for arg in std::env::args_os().skip(1).filter(|arg| has_line_feed(arg)) {
            for part in arg.to_string_lossy().split('=').filter(|part| part.contains('\n')) {
                plain = plain.replace(part, &shown(part).to_string());
            }
        }
        print_error(&plain.lines().map(|line| format!("{}\n", shown(line))).collect::<String>());
    }
    std::process::exit(error.exit_code())
}

fn has_line_feed(arg: &std::ffi::OsStr) -> bool {
    arg.as_encoded_bytes().contains(&b'\n')
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
