//! The first signal ends every command, soon, whatever it waits for: input that does not come, a file that does not open.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use imsprep_testdata::command;

use crate::folder::{Folder, kill};
use crate::strace::need_tracing;
use crate::writers::{Stage, WRITERS};

/// What is soon, on a machine that has much to do.
const SOON: Duration = Duration::from_secs(8);
/// When a command that was started waits for its input.
const STARTED: Duration = Duration::from_secs(2);

const STOPPED: &str = "error: interrupted; nothing half-written is left\n";

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

fn wait(child: &mut Child, context: &str) -> ExitStatus {
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
