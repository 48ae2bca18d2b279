//! A disk that can't be read at one place: of every command, each of its reads fails once. And, for real, on a file system whose
//! server refuses the place.

use imsprep_testdata::need_tools;

use crate::faults::FuseFile;
use crate::strace::{calls_on, first_of_its_number, need_tracing, run_with, some};
use crate::writers::{Left, Stage, WRITERS, Writer};

/// Reads of each command that fail.
const POINTS: usize = 8;

/// Commands that only read, and the files that they read by `pread`.
const READERS: &[(&[&str], &[&str])] = &[
    (&["detect", "disk.raw"], &["disk.raw"]),
    (&["detect", "disk.qcow2"], &["disk.qcow2"]),
    (&["inspect", "disk.raw"], &["disk.raw"]),
    (&["inspect", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["check", "pair.raw", "--io", "read"], &["pair.raw", "pair.mf"]),
    (&["check", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["check", "disk.qcow2"], &["disk.qcow2"]),
    (&["bitmap", "verify", "pair.raw", "--io", "read"], &["pair.raw", "pair.mf"]),
    (&["bitmap", "show", "pair.mf"], &["pair.mf"]),
    (&["compare", "disk.raw", "whole.zvhd2"], &["disk.raw", "whole.zvhd2"]),
    (&["zvhd2", "check", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["zvhd2", "info", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["zvhd2", "map", "whole.zvhd2"], &["whole.zvhd2"]),
];

fn each_read(stage: &mut Stage, writer: &Writer, args: &[&str], names: &[&str]) {
    for name in names {
        let (all, _) = calls_on(&stage.folder, Some(name), &["pread64"], args);
        stage.clear(writer);
        let reads = first_of_its_number(&all);
        assert!(!reads.is_empty(), "{args:?}: {name} is not read");
        for call in some(&reads, POINTS) {
            let output = run_with(&stage.folder, &call, "error=EIO", args);
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            let context = format!("{args:?}, {call:?}: {err}");
            assert_eq!(output.status.code(), Some(2), "{context}");
            assert!(err.contains(&format!("error: {name}: cannot read at offset ")), "{context}");
            assert!(err.contains("Input/output error"), "{context}");
            stage.assert_left(writer, Left::Nothing, &context);
        }
    }
}

#[test]
fn each_read_that_fails_is_named_with_its_place() {
    need_tracing();
    let mut stage = Stage::new();
    let nothing = Writer { args: &[], outputs: &[], inputs: &[], replaces: false };
    for (args, names) in READERS {
        each_read(&mut stage, &nothing, args, names);
    }
    for writer in WRITERS {
        let names = writer.inputs.iter().copied().take(1).collect::<Vec<_>>();
        if !names.is_empty() {
            each_read(&mut stage, writer, writer.args, &names);
        }
    }
}

/// A page of a ZVHD2 that lies in a record, and one at the head of a RAW.
#[test]
fn a_bad_place_of_a_disk_for_real() {
    need_tools(["nbdfuse", "nbdkit", "fusermount3"]);
    let stage = Stage::new();
    // `disk.raw` is where the file is served.
    let folder = &stage.folder;
    std::fs::rename(folder.path("disk.raw"), folder.path("plain.img")).unwrap();
    folder.run(&["convert", "plain.img", "plain.zvhd2"]);
    for (name, bad, commands) in [
        (
            "plain.img",
            0,
            &[&["detect", "disk.raw"][..], &["inspect", "disk.raw"], &["check", "disk.raw"]][..],
        ),
        (
            "plain.img",
            4 << 20,
            &[
                &["check", "disk.raw", "--manifest", "out/sums.json"],
                &["check", "--write-bitmap", "disk.raw"],
                &["compare", "plain.zvhd2", "disk.raw"],
                &["convert", "disk.raw", "out/x.zvhd2"],
                &["prepare", "disk.raw", "-o", "out/x.zvhd2"],
            ],
        ),
        (
            "plain.zvhd2",
            4096,
            &[
                &["check", "disk.raw"],
                &["check", "disk.raw", "--manifest", "out/sums.json"],
                &["zvhd2", "check", "disk.raw"],
                &["compare", "plain.img", "disk.raw"],
                &["convert", "disk.raw", "out/x.img"],
                &["zvhd2", "repair", "disk.raw", "out/x.zvhd2"],
            ],
        ),
    ] {
        let file = FuseFile::failing_copy(folder, name, bad);
        let before = (folder.names(), crate::folder::names_in(&folder.path("out")));
        for args in commands {
            let run = folder.run(args);
            assert_eq!(run.status, 2, "{args:?}: {run:?}");
            assert!(run.err.contains("error: disk.raw: cannot read at offset "), "{args:?}: {run:?}");
            let after = (folder.names(), crate::folder::names_in(&folder.path("out")));
            assert_eq!(before, after, "{args:?}");
        }
        drop(file);
    }
}
