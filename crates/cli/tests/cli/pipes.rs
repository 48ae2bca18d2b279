//! Readers that go away: of every command, before its first line and after it. That is no error of the command, and what it
//! writes to disk is whole all the same.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::folder::Folder;
use crate::writers::{Left, Stage, WRITERS};

#[test]
fn without_a_reader_the_status_and_the_files_are_the_same() {
    let mut stage = Stage::new();
    for writer in WRITERS {
        let args = stage.prepare(writer, false);
        let (reader, pipe) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_imsprep"))
            .args(&args)
            .current_dir(stage.folder.path("."))
            .stdout(pipe)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let context = format!("{args:?}: {output:?}");
        assert_eq!(output.status.code(), Some(0), "{context}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("imsprep:"), "{context}");
        stage.assert_left(writer, Left::All, &context);
        stage.clear(writer);
    }
}

/// Of each command with more to say than a pipe holds, one line is read.
#[test]
fn after_one_line_the_rest_is_not_missed() {
    let folder = Folder::new();
    // A thousand stretches of data, and as many of zeros.
    let places = (0..2000_u64).step_by(2).map(|block| block << 21).collect::<Vec<_>>();
    folder.sparse("disk.raw", 2000 << 21, &places);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2", "--level", "1"]).status, 0);
    for args in [
        &["zvhd2", "map", "disk.zvhd2"][..],
        &["zvhd2", "map", "--json", "disk.zvhd2"],
        &["bitmap", "show", "-v", "disk.mf"],
    ] {
        assert!(folder.run(args).out.len() > 66_000, "{args:?} says too little for this test");
        let mut child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
            .args(args)
            .current_dir(folder.path("."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{args:?}");
        assert!(!line.is_empty(), "{args:?}");
    }
}

#[test]
fn a_full_disk_under_the_report_is_an_error_and_the_files_are_whole() {
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.args[0] != "request") {
        let args = stage.prepare(writer, false);
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_imsprep"))
            .args(&args)
            .current_dir(stage.folder.path("."))
            .stdout(full)
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains("cannot write to standard output: No space left on device"), "{args:?}: {err}");
        // The report of a check comes before its manifest.
        let left = if args.contains(&"--manifest") { Left::Nothing } else { Left::All };
        stage.assert_left(writer, left, &format!("{args:?}"));
        stage.clear(writer);
    }
}
