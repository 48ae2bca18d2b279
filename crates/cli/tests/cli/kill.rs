//! What is left when a process is ended from outside: by a signal that it can't catch, and by those that it can, at each of the
//! calls by which it changes anything on disk.

use std::os::unix::process::ExitStatusExt;

use crate::strace::{READING, WRITING, calls, calls_on, need_tracing, run_with, run_with_signals, some};
use crate::writers::{Left, Stage, Writer, all_writers};

/// Points at which each command is ended.
const POINTS: usize = 16;

/// Name of what stands beside an output for the moment in which it takes the place of an old one.
fn is_beside(name: &str) -> bool {
    name.starts_with(".imsprep-") && name.ends_with(".tmp")
}

/// The names without which nobody can replace a file in one step: gone, once looked at.
fn take_away_beside(stage: &Stage, context: &str) -> usize {
    let mut count = 0;
    for folder in [stage.folder.path("."), stage.folder.path("out")] {
        for name in crate::folder::names_in(&folder).iter().filter(|name| is_beside(name)) {
            // It is whole: it was flushed to the disk before it got a name.
            assert!(folder.join(name).metadata().unwrap().len() > 0, "{context}");
            std::fs::remove_file(folder.join(name)).unwrap();
            count += 1;
        }
    }
    count
}

fn each_point(stage: &mut Stage, writer: &Writer, replaced: bool) -> usize {
    let args = stage.prepare(writer, replaced);
    let (all, output) = calls(&stage.folder, WRITING, &args);
    let whole = format!("{args:?}, undisturbed: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{whole}");
    stage.assert_left(writer, Left::All, &whole);
    let mut killed = 0;
    for call in some(&all, POINTS) {
        stage.prepare(writer, replaced);
        let output = run_with(&stage.folder, &call, "signal=KILL", &args);
        let context = format!("{args:?}, killed at {call:?}");
        let was_killed = output.status.signal() == Some(9) || output.status.code() == Some(137);
        assert!(was_killed || output.status.success(), "{context}: {output:?}");
        killed += usize::from(was_killed);
        let beside = take_away_beside(stage, &context);
        // One name, and only there, where an old file is to be replaced.
        assert!(beside <= usize::from(replaced && was_killed), "{context}");
        assert!(beside == 0 || call.name.starts_with("rename"), "{context}");
        stage.assert_left(writer, Left::WholeOrNothing, &context);
    }
    killed
}

#[test]
fn killed_at_any_call_that_writes_it_leaves_nothing_half_written() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in all_writers() {
        let killed = each_point(&mut stage, writer, false);
        assert!(killed >= 4, "{:?}: {killed}", writer.args);
        stage.clear(writer);
    }
}

#[test]
fn killed_at_any_call_it_leaves_the_old_file_or_the_new_one() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in all_writers().filter(|writer| writer.replaces) {
        let killed = each_point(&mut stage, writer, true);
        assert!(killed >= 4, "{:?}: {killed}", writer.args);
        stage.clear(writer);
    }
}

/// Numbers that are no pattern, from a seed that a failure prints.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn interrupted_at_random_calls_it_says_so_and_leaves_nothing_half_written() {
    need_tracing();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = u64::from(now.subsec_nanos());
    let mut random = Random(seed);
    let mut stage = Stage::new();
    let mut stopped = 0;
    for writer in all_writers() {
        let args = stage.prepare(writer, false);
        let (all, _) = calls(&stage.folder, &[WRITING, READING].concat(), &args);
        for (signal, number) in [("TERM", 15), ("INT", 2), ("TERM", 15), ("INT", 2)] {
            stage.prepare(writer, false);
            let call = &all[random.below(all.len())];
            let (output, came) = run_with_signals(&stage.folder, call, signal, &args);
            let err = String::from_utf8_lossy(&output.stderr);
            let context = format!("seed {seed}: {args:?}, {signal} at {call:?}: {err}");
            match (output.status.code(), output.status.signal()) {
                // Too late to stop anything.
                (Some(0), _) => stage.assert_left(writer, Left::All, &context),
                // Before the handlers were there.
                (_, Some(by)) if by == number => stage.assert_left(writer, Left::Nothing, &context),
                (Some(code), _) if code == 128 + number => {
                    // The second one ends the command at once.
                    assert!(
                        err.contains("error: interrupted; no partial output was left behind\n") || came > 1,
                        "{context}"
                    );
                    stage.assert_left(writer, Left::WholeOrNothing, &context);
                    stopped += 1;
                }
                _ => panic!("{context}: {output:?}"),
            }
        }
        stage.clear(writer);
    }
    // At the middle of each command's own reads there is somebody who listens.
    for writer in all_writers().filter(|writer| writer.args[0] == "convert") {
        let args = stage.prepare(writer, false);
        let all = if args.contains(&"-") {
            let (all, _) = calls(&stage.folder, &["read"], &args);
            all.into_iter().filter(|call| call.text.contains("<pipe:")).collect()
        } else {
            calls_on(&stage.folder, writer.inputs.first().copied(), &["pread64"], &args).0
        };
        let call = &all[all.len() / 4];
        stage.clear(writer);
        let output = run_with(&stage.folder, call, "signal=TERM", &args);
        assert_eq!(output.status.code(), Some(143), "{args:?}, {call:?}: {output:?}");
        stage.assert_left(writer, Left::Nothing, &format!("{args:?}"));
        stopped += 1;
    }
    assert!(stopped >= 3, "seed {seed}: {stopped}");
}
