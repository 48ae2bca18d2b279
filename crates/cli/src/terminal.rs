//! Writing to standard output and standard error.

use std::io::{self, Write};

use imsprep_rules::acts_on_terminal as acts;

use crate::visible::{for_log, visible_json};

pub(crate) use crate::visible::shown;

/// Writes a result to standard output. That the reader closed the pipe is no error.
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

/// Writes text that is no result to standard error. If that is gone the text has no reader.
pub(crate) fn print_error(text: &str) {
    let text = for_log(text);
    let _ = match anstream::AutoStream::choice(&io::stderr()) {
        // The stream would write what is between two styles by a call of its own: other programs, or a second signal, could come between.
        anstream::ColorChoice::Never => {
            io::stderr().write_all(anstream::adapter::strip_str(&text).to_string().as_bytes())
        }
        _ => anstream::stderr().lock().write_all(text.as_bytes()),
    };
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
        // Lines of an argument are distinguished from the parser's own lines by the given value.
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
