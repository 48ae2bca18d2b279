//! The first signal ends every command, soon, whatever it waits for: input that does not come, a file that does not open.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use imsprep_ondisk::format::zvhd2::IndexEntry;
use imsprep_testdata::command;

use crate::folder::{Folder, HANGS, kill};
use crate::limits::Hostile;
use crate::strace::{need_tracing, without_lines_of_strace};
use crate::writers::{Stage, WRITERS};

/// Time within which a signal ends a command, also on a machine that has much to do. Each of the commands would go on for longer.
const SOON: Duration = Duration::from_secs(60);
/// When a command that was started waits for its input.
const STARTED: Duration = Duration::from_secs(2);

const STOPPED: &str = "error: interrupted; no partial output was left behind\n";

/// Commands that wait for `FIFO` or, without it, for standard input.
const WAITING: &[&[&str]] = &[
    &["summary"],
    &["summary", "-"],
    &["summary", "FIFO"],
    &["summary", "--json", "FIFO"],
    &["summary", "--expect", "FIFO"],
    &["request", "--validate", "-"],
    &["request", "--validate", "FIFO"],
    &["request", "--validate", "body.json", "--os-versions", "FIFO"],
    &["request", "disk.raw", "--bucket", "b", "--name", "n", "--os-versions", "FIFO"],
];

/// Waits for a child that has to end soon.
pub(crate) fn wait(child: &mut Child, context: &str) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            panic!("{context}: still there after {SOON:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_first_signal_ends_what_waits_for_input() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 << 20, &[0]);
    folder.write("body.json", b"{}");
    assert!(Command::new("mkfifo").arg(folder.path("FIFO")).status().unwrap().success());
    // A writer that writes nothing, so that the readers do not even wait in open(2).
    let opened = |flag: bool| {
        flag.then(|| std::fs::File::options().read(true).write(true).open(folder.path("FIFO")).unwrap())
    };
    for (has_writer, name, code) in [(false, "-INT", 130), (true, "-TERM", 143)] {
        let _writer = opened(has_writer);
        let start = |args: &&[&str]| {
            Command::new(env!("CARGO_BIN_EXE_imsprep"))
                .args(*args)
                .current_dir(folder.path("."))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut children = WAITING.iter().map(start).collect::<Vec<_>>();
        std::thread::sleep(STARTED);
        for (child, args) in children.iter_mut().zip(WAITING) {
            wait_until_signals_are_handled(child.id());
            assert_eq!(child.try_wait().unwrap(), None, "{args:?} waits");
            kill(name, child.id());
        }
        for (mut child, args) in children.into_iter().zip(WAITING) {
            assert_eq!(wait(&mut child, &format!("{args:?}")).code(), Some(code), "{args:?}");
            let err = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
            assert_eq!(err, STOPPED, "{args:?}");
        }
    }
}

/// A process that has just begun would be ended by the signal itself.
pub(crate) fn wait_until_signals_are_handled(process: u32) {
    let begun = Instant::now();
    loop {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        // SIGINT and SIGTERM.
        if mask & (1 << 1 | 1 << 14) == 1 << 1 | 1 << 14 {
            return;
        }
        assert!(begun.elapsed() < HANGS, "no handler was installed");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Commands that have minutes of work, and the file of which each read but the first ones takes long, where the work would be short.
const WORKING: &[(Option<&str>, &[&str])] = &[
    (None, &["check", "zeros.raw.zst"]),
    (None, &["check", "--manifest", "new.json", "extents.raw"]),
    (None, &["convert", "zeros.raw.zst", "new.zvhd2"]),
    (None, &["convert", "zeros.raw.zst", "new.raw"]),
    (None, &["prepare", "zeros.raw.zst", "-o", "new.zvhd2"]),
    (Some("records.zvhd2"), &["zvhd2", "check", "records.zvhd2"]),
    (Some("records.zvhd2"), &["zvhd2", "repair", "records.zvhd2", "new.zvhd2"]),
    (Some("records.zvhd2"), &["compare", "records.zvhd2", "extents.raw"]),
    (Some("extents.raw"), &["check", "extents.raw"]),
    (Some("extents.raw"), &["prepare", "extents.raw"]),
    (Some("extents.raw"), &["convert", "extents.raw", "new.zvhd2"]),
    (Some("extents.raw"), &["compare", "extents.raw", "other.raw"]),
    (Some("extents.raw"), &["bitmap", "create", "extents.raw", "-o", "new.mf"]),
    (Some("extents.raw"), &["bitmap", "verify", "extents.raw"]),
    (Some("extents.raw"), &["bitmap", "learn", "--image", "extents.raw", "--sample", "extents.mf"]),
];

/// A Zstandard file of 1 TiB of zeros, each 128 KiB of them in four bytes.
pub(crate) fn zeros() -> Vec<u8> {
    let block = |last: u32| [&(131_072_u32 << 3 | 1 << 1 | last).to_le_bytes()[..3], &[0]].concat();
    let mut file = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    (1..1_u32 << 23).for_each(|_| file.extend(block(0)));
    file.extend(block(1));
    file
}

#[test]
fn a_signal_ends_long_work_and_leaves_nothing() {
    need_tracing();
    let folder = Folder::new();
    folder.write("zeros.raw.zst", &zeros());
    let places = (0..3000_u64).map(|block| block * (128 << 20)).collect::<Vec<_>>();
    for name in ["extents.raw", "other.raw"] {
        folder.sparse(name, 1 << 40, &places);
    }
    assert_eq!(folder.run(&["bitmap", "create", "extents.raw"]).status, 0);
    let entry = |block| IndexEntry { offset: 4096, block, length: 4096 };
    Hostile::new(1 << 21).write(&folder, "records.zvhd2", Some(entry));
    let before = folder.names();
    for (number, (slow, args)) in (0..).zip(WORKING) {
        let binary = env!("CARGO_BIN_EXE_imsprep");
        let mut start = match slow {
            None => Command::new(binary),
            Some(input) => {
                let mut strace = command("strace");
                strace.args(["-D", "-f", "-qq", "-o", "/dev/null", "-P", input]).args([
                    "-e",
                    "trace=pread64,lseek",
                    "-e",
                    "inject=pread64,lseek:delay_enter=200ms:when=40+",
                    binary,
                ]);
                strace
            }
        };
        let mut child = start
            .args(*args)
            .current_dir(folder.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until_signals_are_handled(child.id());
        // Into the work.
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(child.try_wait().unwrap(), None, "{args:?} has minutes of work");
        let (name, code) = if number % 2 == 0 { ("-INT", 130) } else { ("-TERM", 143) };
        kill(name, child.id());
        assert_eq!(wait(&mut child, &format!("{args:?}")).code(), Some(code), "{args:?}");
        let output = without_lines_of_strace(child.wait_with_output().unwrap());
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.ends_with(STOPPED), "{args:?}: {err}");
        assert_eq!(folder.names(), before, "{args:?} leaves nothing");
    }
}

/// Reading commands with the input that is slow to open.
const READING: &[(&str, &[&str])] = &[
    ("disk.raw", &["check", "disk.raw"]),
    ("disk.raw", &["check", "--json", "disk.raw"]),
    ("my.toml", &["check", "--config", "my.toml", "disk.raw"]),
    ("disk.raw", &["detect", "disk.raw"]),
    ("disk.raw", &["inspect", "disk.raw"]),
    ("pair.mf", &["bitmap", "show", "pair.mf", "--image-size", "4M"]),
    ("pair.mf", &["bitmap", "diff", "pair.mf", "pair.mf"]),
    ("pair.mf", &["bitmap", "verify", "pair.raw"]),
    ("disk.raw", &["compare", "disk.raw", "disk.raw"]),
    ("whole.zvhd2", &["zvhd2", "check", "whole.zvhd2"]),
    ("whole.zvhd2", &["zvhd2", "info", "whole.zvhd2"]),
    ("whole.zvhd2", &["zvhd2", "map", "whole.zvhd2"]),
    ("disk.raw", &["convert", "disk.raw", "-"]),
    ("disk.raw", &["request", "disk.raw", "--bucket", "b", "--name", "n", "--os-version", "v"]),
    ("lines.ndjson", &["summary", "lines.ndjson"]),
];

#[test]
fn the_first_signal_ends_what_waits_for_a_file_and_leaves_nothing() {
    need_tracing();
    let stage = Stage::new();
    stage.folder.write("my.toml", b"");
    stage.folder.write("lines.ndjson", b"{}\n");
    let said = Folder::new();
    let writing = WRITERS.iter().filter_map(|writer| Some((*writer.inputs.first()?, writer.args)));
    let all = READING.iter().copied().chain(writing).zip(0..).collect::<Vec<_>>();
    let before = stage.folder.names();
    // Each open of the input takes long, as of a file on a server that does not answer. The process is gone as soon as strace lets
    // it go, which is when the call would have been over: so what it says is looked at before.
    let start = |((input, args), number): &((&str, &[&str]), u32)| {
        command("strace")
            .args(["-D", "-f", "-qq", "-o", "/dev/null", "-P", input, "-e", "trace=openat"])
            .args(["-e", "inject=openat:delay_enter=20s", env!("CARGO_BIN_EXE_imsprep")])
            .args(*args)
            .current_dir(stage.folder.path("."))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(said.path(&number.to_string())).unwrap())
            .spawn()
            .unwrap()
    };
    let mut children = all.iter().map(start).collect::<Vec<_>>();
    std::thread::sleep(2 * STARTED);
    for (child, ((_, args), number)) in children.iter_mut().zip(&all) {
        let err = std::fs::read_to_string(said.path(&number.to_string())).unwrap();
        assert_eq!(child.try_wait().unwrap(), None, "{args:?} does not wait: {err}");
        kill("-TERM", child.id());
    }
    let begun = Instant::now();
    for ((_, args), number) in &all {
        loop {
            let err = std::fs::read_to_string(said.path(&number.to_string())).unwrap();
            if err.contains("error: interrupted; ") {
                break;
            }
            assert!(begun.elapsed() < SOON, "{args:?}: {err}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    for (mut child, ((_, args), _)) in children.into_iter().zip(&all) {
        assert_eq!(child.wait().unwrap().code(), Some(143), "{args:?}");
    }
    assert_eq!(stage.folder.names(), before);
    assert!(crate::folder::names_in(&stage.folder.path("out")).is_empty());
}
