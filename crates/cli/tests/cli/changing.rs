//! An image that is cut, grows, is replaced or written to while it is read: no result of it may stand. The process is stopped at
//! one of its own reads, so that "while" is no matter of luck.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{HANGS, kill};
use crate::strace::{
    Call, READING, calls, calls_on, fault, first_of_its_number, need_tracing, traced, without_lines_of_strace,
};
use crate::writers::{Left, Stage, WRITERS, Writer};

/// Commands that only read, and the file that is disturbed.
const READERS: &[(&[&str], &str)] = &[
    (&["detect", "disk.raw"], "disk.raw"),
    (&["detect", "disk.qcow2"], "disk.qcow2"),
    (&["inspect", "disk.raw"], "disk.raw"),
    (&["inspect", "whole.zvhd2"], "whole.zvhd2"),
    (&["check", "pair.raw"], "pair.raw"),
    (&["check", "whole.zvhd2"], "whole.zvhd2"),
    (&["check", "disk.qcow2"], "disk.qcow2"),
    (&["bitmap", "verify", "pair.raw"], "pair.raw"),
    (&["compare", "disk.raw", "whole.zvhd2"], "disk.raw"),
    (&["compare", "disk.raw", "whole.zvhd2"], "whole.zvhd2"),
    (&["zvhd2", "check", "whole.zvhd2"], "whole.zvhd2"),
    (&["zvhd2", "info", "whole.zvhd2"], "whole.zvhd2"),
    (&["zvhd2", "map", "whole.zvhd2"], "whole.zvhd2"),
];

/// The same scan in its other modes.
const MODES: &[&[&str]] = &[
    &["bitmap", "create", "disk.raw", "-o", "out/disk.mf", "--io", "map"],
    &["bitmap", "create", "disk.raw", "-o", "out/disk.mf", "--io", "read"],
    &["bitmap", "create", "disk.raw", "-o", "out/disk.mf", "--io", "direct"],
    &["check", "--write-bitmap", "disk.raw", "--io", "map"],
];

type Change = fn(&Path);

/// What happens to the file.
const CHANGES: &[(&str, Change)] = &[
    ("cut", |path| File::options().write(true).open(path).unwrap().set_len(1000).unwrap()),
    ("longer", |path| {
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() + 4096).unwrap();
    }),
    ("replaced", |path| {
        let other = path.with_extension("other");
        copy(path, &other);
        std::fs::rename(&other, path).unwrap();
    }),
    ("written to", |path| {
        File::options().write(true).open(path).unwrap().write_all_at(b"new", 100).unwrap();
    }),
];

/// Holes stay holes.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("--sparse=always").arg(from).arg(to).status().unwrap().success());
}

/// A process that stands still after one of its calls.
pub(crate) struct Stopped {
    tracer: Child,
    process: String,
}

impl Stopped {
    /// `None` if it ended before it came to the call.
    pub(crate) fn at(stage: &Stage, call: &Call, args: &[&str]) -> Option<Self> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let flags = fault(&stage.folder, call, "signal=STOP");
        let flags = flags.iter().map(String::as_str).collect::<Vec<_>>();
        let mut tracer = traced(&stage.folder, log.path(), &flags, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        loop {
            let text = String::from_utf8_lossy(&std::fs::read(log.path()).unwrap()).into_owned();
            let stopped = text.lines().find(|line| line.contains("--- stopped by SIGSTOP"));
            if let Some((process, _)) = stopped.and_then(|line| line.split_once(' ')) {
                return Some(Self { tracer, process: process.to_owned() });
            }
            if tracer.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(begun.elapsed() < HANGS, "neither stopped nor ended: {args:?} {call:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Lets it go on to its end, and each thread that comes to its own call of that number.
    pub(crate) fn go_on(mut self) -> Output {
        while self.tracer.try_wait().unwrap().is_none() {
            kill("-CONT", &self.process);
            std::thread::sleep(Duration::from_millis(10));
        }
        without_lines_of_strace(self.tracer.wait_with_output().unwrap())
    }
}

/// Reads of a file after it was opened for the last time: what came before, such as telling the format, may be about a file
/// that is another by now, and then the whole work is on that one. Where workers open it once more, their reads are not told
/// from those before: then it is some read, and `false`.
fn late_reads(all: &[Call]) -> (Vec<Call>, bool) {
    let opened = all.iter().rposition(|call| call.name == "openat").unwrap();
    let before = first_of_its_number(&all[..opened]);
    let same = |call: &Call, other: &Call| (&call.name, call.nth) == (&other.name, other.nth);
    let late = first_of_its_number(&all[opened + 1..]);
    let late = late.into_iter().filter(|call| !before.iter().any(|other| same(call, other)));
    let late = late.collect::<Vec<_>>();
    if !late.is_empty() {
        return (late, true);
    }
    let last = before.into_iter().rfind(|call| call.name != "openat");
    (last.into_iter().collect(), false)
}

fn disturb(stage: &mut Stage, writer: &Writer, args: &[&str], name: &str) {
    let path = stage.folder.path(name);
    let good = stage.folder.path("kept");
    std::fs::rename(&path, &good).unwrap();
    copy(&good, &path);
    let (all, _) = calls_on(&stage.folder, Some(name), READING, args);
    stage.clear(writer);
    let (written, _) = calls(&stage.folder, &["write", "pwrite64", "ftruncate"], args);
    stage.clear(writer);
    let (reads, late) = late_reads(&all);
    assert!(!reads.is_empty(), "{args:?}: {all:#?}");
    let mut places = vec![(reads[reads.len() / 2].clone(), late), (reads[reads.len() - 1].clone(), late)];
    places.dedup_by_key(|(call, _)| (call.name.clone(), call.nth));
    // An image's own file is begun while the image is read; a report on it is written after that.
    let of_image =
        !writer.outputs.iter().any(|name| ["json", "toml", "sha256"].iter().any(|end| name.ends_with(end)));
    if let Some(first) = first_of_its_number(&written).into_iter().find(Call::is_on_unnamed)
        && of_image
    {
        places.push((first, true));
    }
    assert!(
        !of_image || writer.outputs.is_empty() || places.iter().any(|(_, late)| *late),
        "{args:?}: {places:#?}"
    );
    for (what, change) in CHANGES {
        for (call, late) in &places {
            let context = format!("{args:?}: {name} {what} after {call:?}");
            let mut run = || {
                std::fs::remove_file(&path).unwrap();
                copy(&good, &path);
                let stopped = Stopped::at(stage, call, args).expect(&context);
                change(&path);
                stage.remember();
                let output = stopped.go_on();
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                (output, err)
            };
            let (mut output, mut err) = run();
            // strace that is sent many signals may lose the status of the command, and end with 1 itself.
            for _ in 0..3 {
                if output.status.code() != Some(1) || !err.contains(&format!("error: {name}: ")) {
                    break;
                }
                (output, err) = run();
            }
            let context = format!("{context}: {err}");
            if !late && output.status.success() {
                // All of it was made of the file as it is now.
                stage.assert_left(writer, Left::All, &context);
                stage.clear(writer);
                continue;
            }
            assert_eq!(output.status.code(), Some(2), "{context}");
            assert!(err.contains(&format!("error: {name}: ")), "{context}");
            stage.assert_left(writer, Left::Nothing, &context);
        }
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&good, &path).unwrap();
    stage.remember();
}

#[test]
fn what_is_read_of_a_file_that_changes_meanwhile_is_no_result() {
    need_tracing();
    let mut stage = Stage::new();
    let nothing = Writer { args: &[], outputs: &[], inputs: &[], replaces: false };
    for (args, name) in READERS {
        disturb(&mut stage, &nothing, args, name);
    }
}

#[test]
fn what_is_written_from_a_file_that_changes_meanwhile_is_not_kept() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in WRITERS {
        if let Some(name) = writer.inputs.first() {
            disturb(&mut stage, writer, writer.args, name);
        }
    }
    for args in MODES {
        let writer =
            Writer { args, outputs: &["out/disk.mf", "disk.mf"], inputs: &["disk.raw"], replaces: false };
        disturb(&mut stage, &writer, args, "disk.raw");
    }
}

/// Stops a command before its output gets its name.
fn before_its_name(stage: &mut Stage, writer: &Writer, replaced: bool) -> (Stopped, Vec<&'static str>) {
    let args = stage.prepare(writer, replaced);
    let (all, _) = calls(&stage.folder, &["fsync"], &args);
    stage.prepare(writer, replaced);
    let stopped = Stopped::at(stage, &all[0], &args).expect("a name is given");
    (stopped, args)
}

#[test]
fn an_output_folder_that_is_removed_meanwhile_is_named() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.replaces) {
        let (stopped, args) = before_its_name(&mut stage, writer, false);
        std::fs::remove_dir(stage.folder.path("out")).unwrap();
        stage.remember();
        let output = stopped.go_on();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(&format!("error: {}: cannot", writer.outputs[0])), "{args:?}: {err}");
        assert!(err.contains("nothing was written: No such file or directory"), "{args:?}: {err}");
        stage.assert_left(writer, Left::Nothing, &err);
        std::fs::create_dir(stage.folder.path("out")).unwrap();
    }
}

#[test]
fn of_two_runs_at_once_on_one_output_the_first_to_finish_wins_and_by_force_the_last() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.replaces) {
        for replaced in [false, true] {
            let (stopped, args) = before_its_name(&mut stage, writer, replaced);
            let other = stage.folder.run(&args);
            assert_eq!(other.status, 0, "{args:?}: {other:?}");
            stage.assert_left(writer, Left::All, "the other run");
            if !replaced {
                stage.remember();
            }
            let output = stopped.go_on();
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(if replaced { 0 } else { 2 }), "{args:?}: {err}");
            assert!(
                replaced || err.contains(": already exists\nhint: --force replaces it"),
                "{args:?}: {err}"
            );
            stage.assert_left(writer, if replaced { Left::All } else { Left::Nothing }, &err);
        }
        stage.clear(writer);
    }
}
