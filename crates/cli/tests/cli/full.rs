//! A disk that is full, or fails, at each of the calls by which an output is written.

use std::path::Path;

use imsprep_testdata::need_tools;

use crate::mounts::with_own_mounts;
use crate::strace::{
    Call, WRITING, alone, calls, need_tracing, run_with, some, traced, without_lines_of_strace,
};
use crate::writers::{Left, Stage, Writer, all_writers, standard_input};

/// Points at which each command meets each error.
const POINTS: usize = 8;

/// Runs with an error in the place of a call, which has to end the command.
fn fails(stage: &mut Stage, writer: &Writer, call: &Call, error: &str, words: &str) {
    let args = stage.prepare(writer, false);
    let output = run_with(&stage.folder, call, &format!("error={error}"), &args);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    let context = format!("{args:?}, {error} at {call:?}: {err}");
    assert_eq!(output.status.code(), Some(2), "{context}");
    assert!(writer.outputs.iter().any(|name| err.contains(&format!("error: {name}: "))), "{context}");
    assert!(err.contains("nothing was written") && err.contains(words), "{context}");
    stage.assert_left(writer, Left::Nothing, &context);
}

#[test]
fn a_full_disk_at_any_write_is_told_with_the_way_out_and_nothing_is_left() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in all_writers() {
        let args = stage.prepare(writer, false);
        let (all, _) = calls(&stage.folder, WRITING, &args);
        let writes = alone(&all).into_iter().filter(|call| {
            call.is_on_unnamed() && ["write", "pwrite64", "ftruncate", "fsync"].contains(&call.name.as_str())
        });
        let writes = writes.collect::<Vec<_>>();
        assert!(writes.len() >= 2, "{args:?}: {writes:?}");
        for call in some(&writes, POINTS) {
            let words = "hint: the disk is full: free space on it, or write to another";
            fails(&mut stage, writer, &call, "ENOSPC", words);
        }
        for call in some(&writes, 2) {
            fails(&mut stage, writer, &call, "EIO", "Input/output error");
            fails(&mut stage, writer, &call, "EDQUOT", "your quota is exhausted");
        }
        stage.clear(writer);
    }
}

#[test]
fn where_no_name_can_be_given_nothing_is_left() {
    need_tracing();
    let mut stage = Stage::new();
    for (writer, replaced) in all_writers().flat_map(|writer| [(writer, false), (writer, true)]) {
        if replaced && !writer.replaces {
            continue;
        }
        let args = stage.prepare(writer, replaced);
        // All the ways to name a file.
        let call = Call {
            name: "link,linkat,rename,renameat,renameat2".into(),
            nth: 1,
            text: String::new(),
            of: None,
        };
        let inject = run_with(&stage.folder, &call, "error=EIO:when=1+", &args);
        let err = String::from_utf8_lossy(&inject.stderr).into_owned();
        let context = format!("{args:?}: {err}");
        assert_eq!(inject.status.code(), Some(2), "{context}");
        assert!(
            err.contains("cannot rename the finished file into place; nothing was written: Input/output"),
            "{context}"
        );
        // Of a pair the old bitmap went before.
        stage.assert_left(writer, if replaced { Left::WholeOrNothing } else { Left::Nothing }, &context);
        stage.clear(writer);
    }
}

#[test]
fn an_image_whose_bitmap_can_get_no_name_is_whole_and_told() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in all_writers().filter(|writer| writer.outputs.len() == 2) {
        let args = stage.prepare(writer, false);
        let second = [
            "-e",
            "trace=link,linkat,rename,renameat,renameat2",
            "-e",
            "inject=linkat:error=EIO:when=2+",
            "-e",
            "inject=link,rename,renameat,renameat2:error=EIO",
        ];
        let output = without_lines_of_strace(
            traced(&stage.folder, Path::new("/dev/null"), &second, &args).output().unwrap(),
        );
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        let words = format!("error: {}: is complete, but its bitmap file is missing", writer.outputs[0]);
        assert!(err.contains(&words) && err.contains(writer.outputs[1]), "{args:?}: {err}");
        assert!(
            stage.folder.path(writer.outputs[0]).exists() && !stage.folder.path(writer.outputs[1]).exists()
        );
        stage.assert_left(writer, Left::WholeOrNothing, &err);
        stage.clear(writer);
    }
}

#[test]
fn an_error_when_a_file_is_closed_comes_after_the_flush_and_costs_nothing() {
    need_tracing();
    let mut stage = Stage::new();
    for writer in all_writers() {
        let args = stage.prepare(writer, false);
        let (all, _) = calls(&stage.folder, &["close"], &args);
        let closing = alone(&all).into_iter().filter(Call::is_on_unnamed).collect::<Vec<_>>();
        for call in some(&closing, 2) {
            stage.prepare(writer, false);
            let output = run_with(&stage.folder, &call, "error=EIO", &args);
            assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
            stage.assert_left(writer, Left::All, &format!("{args:?}"));
        }
        stage.clear(writer);
    }
}

/// For real: a file system in memory, filled to its last page.
#[test]
fn every_command_on_a_full_file_system() {
    need_tools(["cmp"]);
    let stage = Stage::new();
    std::fs::create_dir(stage.folder.path("full")).unwrap();
    for writer in all_writers() {
        // Inputs beside it, so that no command line has to be another.
        let script = "set -e; mount -t tmpfs -o size=24m,mode=755 tmpfs full\n\
             for f in *.* one; do cp -r --sparse=always -p \"$f\" full/; done; cd full; mkdir out\n\
             cat /dev/zero > filler 2>/dev/null || true\n\
             ls -A . out > ../before; status=0; \"$0\" \"$@\" >/dev/null || status=$?\n\
             ls -A . out > ../after; cmp ../before ../after; for f in *.*; do cmp -n 16777216 \"$f\" \"../$f\"; done\n\
             echo \"status $status\"";
        let output = with_own_mounts(script)
            .args(writer.args)
            .current_dir(stage.folder.path("."))
            .stdin(standard_input(&stage.folder, writer.args))
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(out, "status 2\n", "{:?}: {err}", writer.args);
        let named = writer.outputs.iter().any(|name| err.contains(&format!("{name}: ")));
        assert!(named && err.contains("the disk is full: free space"), "{:?}: {err}", writer.args);
    }
}
