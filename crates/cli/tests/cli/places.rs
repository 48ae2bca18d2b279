//! Outputs that lead somewhere else: to an input, to a folder, a device, a pipe. None is written, and the reason is said.

use std::process::Command;

use crate::folder::Folder;
use crate::writers::{Left, Stage, WRITERS, Writer};

/// Runs a command whose output's place is taken, without and with `--force`.
fn refused(stage: &mut Stage, writer: &Writer, what: &str, words: &str) {
    stage.remember();
    for force in [&[][..], &["--force"]] {
        let args = [writer.args, force].concat();
        let run = stage.folder.run(&args);
        let context = format!("{args:?}, {what}: {run:?}");
        assert_eq!(run.status, 2, "{context}");
        assert!(writer.outputs.iter().any(|name| run.err.contains(&format!("error: {name}: "))), "{context}");
        assert!(run.err.contains(words), "{context}");
        stage.assert_left(writer, Left::Nothing, &context);
    }
    stage.clear(writer);
}

#[test]
fn an_output_that_is_an_input_by_another_name_is_refused() {
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.replaces) {
        for (output, input) in writer.outputs.iter().flat_map(|o| writer.inputs.iter().map(move |i| (o, i))) {
            let (output, input) = (stage.folder.path(output), stage.folder.path(input));
            let words = "the output is the same file as the input";
            std::fs::hard_link(&input, &output).unwrap();
            refused(&mut stage, writer, "a hard link", words);
            std::os::unix::fs::symlink(&input, &output).unwrap();
            refused(&mut stage, writer, "a symbolic link", words);
        }
    }
}

#[test]
fn an_output_that_is_no_file_is_refused() {
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.replaces) {
        for output in writer.outputs {
            let output = stage.folder.path(output);
            // A folder is a place for the outputs of prepare.
            if writer.args.first() != Some(&"prepare") || !writer.args.contains(&"-o") {
                std::fs::create_dir(&output).unwrap();
                refused(&mut stage, writer, "a folder", "is a directory; the output must be a file");
            }
            std::os::unix::fs::symlink("/dev/null", &output).unwrap();
            refused(&mut stage, writer, "a device", "is a character device; the output must be a file");
            assert!(Command::new("mkfifo").arg(&output).status().unwrap().success());
            refused(&mut stage, writer, "a pipe", "is a named pipe (FIFO); the output must be a file");
        }
    }
}

#[test]
fn a_name_in_other_letters_is_another_file_where_the_system_says_so() {
    let mut stage = Stage::new();
    let run = stage.folder.run(&["bitmap", "create", "disk.raw", "-o", "DISK.RAW"]);
    // Whether it is the same is asked of the system, and not read from the names.
    assert_eq!(run.status, 0, "{run:?}");
    std::fs::remove_file(stage.folder.path("DISK.RAW")).unwrap();
    std::fs::hard_link(stage.folder.path("disk.raw"), stage.folder.path("DISK.RAW")).unwrap();
    stage.remember();
    let run = stage.folder.run(&["bitmap", "create", "disk.raw", "-o", "DISK.RAW", "--force"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("DISK.RAW: the output is the same file as the input disk.raw"), "{run:?}");
}

/// By its own name, and where nothing in it shows that it is an image.
#[test]
fn the_partner_of_an_input_is_never_the_output() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 9 << 20, &[0, 5 << 20]);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let before = ["disk.raw", "disk.mf"].map(|name| std::fs::read(folder.path(name)).unwrap());
    let request =
        ["request", "disk.raw", "--bucket", "my-images", "--name", "n", "--os-version", "CentOS 7.0 64bit"];
    for (args, output) in [
        (&request[..], "disk.mf"),
        (&["check", "disk.raw", "--manifest"], "disk.mf"),
        (&["bitmap", "convert", "disk.mf", "--to", "bmap", "disk.raw"], ""),
        (&["bitmap", "convert", "disk.mf", "--to", "bmap", "--image", "disk.raw", "disk.raw"], ""),
        (&["bitmap", "learn", "--image", "disk.raw", "--sample", "disk.mf", "-o"], "disk.mf"),
    ] {
        let output: &[&str] = match (output, args[0]) {
            ("", _) => &[],
            (_, "request") => &["-o", output],
            _ => &[output],
        };
        let run = folder.run(&[args, output, &["--force"]].concat());
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(run.err.contains("the output is the same file as the input"), "{args:?}: {run:?}");
        assert_eq!(before, ["disk.raw", "disk.mf"].map(|name| std::fs::read(folder.path(name)).unwrap()));
    }
}
