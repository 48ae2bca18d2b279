//! Colour, progress, closed pipes: how the command behaves where people and scripts run it.

use std::process::{Command, Stdio};

use crate::folder::Folder;
use imsprep_testdata::{command, need_tools};

const ESCAPE: char = '\u{1b}';

fn folder_with_image() -> Folder {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 30, &[0]);
    folder
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let folder = folder_with_image();
    assert!(!folder.run(&["check", "disk.raw"]).out.contains(ESCAPE));
    assert!(folder.run(&["check", "disk.raw", "--color", "always"]).out.contains(ESCAPE));
    assert!(!folder.run(&["check", "disk.raw", "--color", "never"]).out.contains(ESCAPE));
    let (_, json) = folder.json(&["check", "disk.raw", "--color", "always"]);
    assert!(json.is_object());
}

/// Runs a command line on a terminal of its own and returns all that appeared on it.
fn on_a_terminal(folder: &Folder, line: &str, environment: &[(&str, &str)]) -> String {
    let line = line.replace("imsprep", env!("CARGO_BIN_EXE_imsprep"));
    let output = command("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder.path("."))
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_terminal_gets_colour_and_no_color_is_respected() {
    need_tools(["script"]);
    let folder = folder_with_image();
    assert!(on_a_terminal(&folder, "imsprep check disk.raw", &[]).contains("\u{1b}[1m"));
    let plain = on_a_terminal(&folder, "imsprep check --no-progress disk.raw", &[("NO_COLOR", "1")]);
    assert!(plain.contains("NOT IMPORTABLE") && !plain.contains("\u{1b}["), "{plain:?}");
}

#[test]
fn a_terminal_gets_a_progress_bar_and_a_pipe_none() {
    need_tools(["script"]);
    let folder = Folder::new();
    let mut file = std::fs::File::create(folder.path("disk.raw")).unwrap();
    for _ in 0..32 {
        std::io::Write::write_all(&mut file, &vec![0; 16 << 20]).unwrap();
    }
    let shown = on_a_terminal(&folder, "imsprep bitmap create disk.raw -o a.mf", &[]);
    assert!(shown.contains("scanning") && shown.contains("ETA") && shown.contains("GiB/s"), "{shown:?}");
    let quiet = on_a_terminal(&folder, "imsprep bitmap create disk.raw -o b.mf --no-progress", &[]);
    assert!(!quiet.contains("ETA"), "{quiet:?}");
    let run = folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(run.err, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder_with_image();
    let mut child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["rules", "-v"])
        .current_dir(folder.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let folder = folder_with_image();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["check", "disk.raw"])
        .current_dir(folder.path("."))
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("cannot write to standard output"), "{err}");
}
