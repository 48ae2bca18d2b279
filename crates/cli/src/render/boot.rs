//! `imsprep boot`

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;

use imsprep_rules::shell_quoted;
use imsprep_toolkit::{Accelerator, BootEnd, BootPlan, BootWatch, Booted};

use crate::style;
use crate::terminal::shown;
use crate::words::boot::{Machine, firmware};
use crate::words::seconds;

/// The commands as a script, with remarks.
pub(crate) fn script(machine: &Machine<'_>) -> String {
    let plan = machine.plan;
    let mut text = String::new();
    let _ = writeln!(text, "# {}: {}", firmware(plan.firmware), shown(&plan.reasons.join("; ")));
    if !plan.starts {
        text += "# Nothing on the disk was found that this firmware starts.\n";
    }
    if machine.lacks_firmware {
        text += "# OVMF was not found on this machine; Debian's package is ovmf.\n";
    }
    if let Some(serve) = &machine.serve {
        let words = serve.iter().map(word).collect::<Vec<_>>();
        let _ = writeln!(text, "{} &", words.join(" "));
    }
    let mut line = String::new();
    for (at, argument) in machine.command.iter().enumerate() {
        if at > 0 {
            line += if is_option(argument) { " \\\n  " } else { " " };
        }
        line += &word(argument);
    }
    text + &line + "\n"
}

fn is_option(word: &OsString) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// As a shell takes it. Options stay what they are; a path that begins like one would be written with a folder before it.
fn word(word: &OsString) -> String {
    match word.to_str() {
        Some(option) if option.strip_prefix('-').is_some_and(is_plain) => option.to_owned(),
        _ => shell_quoted(Path::new(word)),
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-=".contains(&byte))
}

/// How a boot ended.
pub(crate) fn result(plan: &BootPlan, watch: &BootWatch, booted: &Booted) -> String {
    let (bold, path, until) = (style::BOLD, plan.path.display().to_string(), shown(&watch.until));
    let by = match booted.accelerator {
        Accelerator::Kvm => "KVM",
        Accelerator::Tcg => "emulation",
    };
    let machine = format!("{}, {by}", firmware(plan.firmware));
    let (style, answer) = match booted.end {
        BootEnd::Found => (
            style::GOOD,
            format!("booted: \"{until}\" appeared after {} ({machine})", seconds(booted.elapsed)),
        ),
        BootEnd::TimedOut => {
            let time = watch.timeout.as_secs();
            (style::BAD, format!("not booted: \"{until}\" did not appear within {time} seconds ({machine})"))
        }
        BootEnd::Ended(status) => {
            (style::BAD, format!("not booted: qemu ended ({status}) before \"{until}\" appeared ({machine})"))
        }
    };
    let mut text = format!("{bold}{}{bold:#}: {style}{answer}{style:#}\n", shown(&path));
    if booted.end != BootEnd::Found {
        let lines = &booted.last_lines;
        text += if lines.is_empty() {
            "  The console showed nothing: does the guest use it (console=ttyS0)?\n"
        } else {
            "  The last lines of the console:\n"
        };
        for line in lines {
            let _ = writeln!(text, "  | {}", shown(line));
        }
    }
    text
}
