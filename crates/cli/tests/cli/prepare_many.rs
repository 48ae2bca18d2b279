//! `imsprep prepare` of several images.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::{Folder, HANGS, kill};
use crate::stop::{wait_until_signals_are_handled, zeros};

/// A folder with an image that becomes importable, under these names.
fn images(names: &[&str]) -> Folder {
    let folder = Folder::new();
    for name in names {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), path).unwrap();
    }
    folder
}

fn names(folder: &Folder, name: &str) -> Vec<String> {
    crate::folder::names_in(&folder.path(name))
}

#[test]
fn one_failure_does_not_stop_the_rest_and_the_worst_is_the_status() {
    let folder = images(&["in/a.qcow2", "in/c.qcow2"]);
    folder.write("in/b.qcow2", b"QFI\xfb\0\0\0\x03");
    folder.sparse("in/d.raw", 9 << 20, &[0, 5 << 20]);
    folder.write("in/readme.txt", b"no image");
    let run = folder.run(&["prepare", "--allow", "IMS-035", "in", "-o", "out/"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert_eq!(names(&folder, "out"), ["a.zvhd2", "c.zvhd2", "d.zvhd2"]);
    let table = run.out.split_once("  IMAGE").unwrap().1.lines().collect::<Vec<_>>();
    let rows = table[1..5].iter().map(|row| row.split_whitespace().next().unwrap()).collect::<Vec<_>>();
    assert_eq!(rows, ["in/a.qcow2", "in/b.qcow2", "in/c.qcow2", "in/d.raw"]);
    assert!(table[1].contains("importable") && table[1].contains("out/a.zvhd2"), "{run:?}");
    assert!(table[2].contains("not converted (IMS-0"), "{run:?}");
    assert_eq!(table[5], "4 images: 3 prepared, 1 not importable, 0 could not be prepared");
    // What is refused is known before the first conversion.
    let place = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("{text}: {run:?}"));
    assert!(place("in/b.qcow2: not converted") < place("out/a.zvhd2: written"), "{run:?}");
}

#[test]
fn documents_are_printed_as_images_end_and_are_those_of_single_images() {
    let folder = images(&["a.qcow2", "b.qcow2"]);
    let files = ["b.qcow2", "missing.qcow2", "a.qcow2"];
    let args = [&["prepare", "-o", "out/", "--format", "ndjson"][..], &files].concat();
    let run = folder.run(&args);
    assert_eq!(run.status, 2, "{run:?}");
    let lines = run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let of = |line: &Value| {
        let source = line["source"]["path"].as_str().unwrap().to_owned();
        (line["schema"].as_str().unwrap().to_owned(), source, line["exit_status"].as_i64().unwrap())
    };
    let line = |source: &str, status| ("imsprep.prepare".to_owned(), source.to_owned(), status);
    let found = lines.iter().map(of).collect::<Vec<_>>();
    assert_eq!(found, [line("missing.qcow2", 2), line("b.qcow2", 0), line("a.qcow2", 0)]);
    std::fs::write(folder.path("lines.json"), &run.out).unwrap();

    let (status, all) = folder.json(&[&["prepare", "--force", "-o", "out/"][..], &files].concat());
    assert_eq!((status, &all["schema"]), (2, &"imsprep.prepare.files".into()));
    let sources = all["files"].as_array().unwrap().iter().map(|file| &file["source"]["path"]);
    assert_eq!(sources.collect::<Vec<_>>(), files);
    let statuses = all["files"].as_array().unwrap().iter().map(|file| &file["exit_status"]);
    assert_eq!(statuses.collect::<Vec<_>>(), [0, 2, 0]);
    std::fs::write(folder.path("all.json"), all.to_string()).unwrap();
    for name in ["lines.json", "all.json"] {
        let (_, summary) = folder.json(&["summary", name]);
        assert_eq!(summary["images"]["total"], 3, "{name}: {summary}");
        assert_eq!(summary["images"]["importable"], 2, "{name}: {summary}");
    }
    // Build servers get the source and the result of each.
    let run = folder.run(&[&["prepare", "--force", "-o", "out/", "--format", "junit"][..], &files].concat());
    assert_eq!(run.out.matches("<testsuite ").count(), 5, "{run:?}");
}

#[test]
fn two_images_with_one_output_are_refused_before_anything_is_written() {
    let folder = images(&["a.qcow2", "x/b.qcow2", "y/b.qcow2", "c.qcow2"]);
    folder.sparse("c.raw", 9 << 20, &[0]);
    for (args, output) in [
        (&["-o", "out/", "a.qcow2", "x/b.qcow2", "y/b.qcow2"][..], "out/b.zvhd2"),
        (&["-o", "out/", "-r", "x", "y"], "out/b.zvhd2"),
        (&["-o", "out/", "c.raw", "c.qcow2"], "out/c.zvhd2"),
        (&["-o", "x", "x/b.qcow2", "y/b.qcow2"], "x/b.zvhd2"),
    ] {
        let run = folder.run(&[&["prepare"], args].concat());
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(run.err.contains("would both be written to") && run.err.contains(output), "{run:?}");
        assert_eq!(run.out, "");
        assert_eq!(folder.names(), ["a.qcow2", "c.qcow2", "c.raw", "x", "y"], "{args:?}");
        assert_eq!(names(&folder, "x"), ["b.qcow2"], "{args:?}");
    }
    // The same file by two names is one image.
    let run = folder.run(&["prepare", "-o", "out", "a.qcow2", "./a.qcow2", "x/../a.qcow2"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("--output out is one file"), "{run:?}");
    let run = folder.run(&["prepare", "-o", "out/", "a.qcow2", "./a.qcow2", "x/../a.qcow2"]);
    assert!(run.status == 0 && run.out.contains("1 image: 1 prepared"), "{run:?}");
}

#[test]
fn flags_for_one_image_are_refused_for_several() {
    let folder = images(&["a.qcow2", "b.qcow2"]);
    let sum = "0".repeat(64);
    for (args, text) in [
        (&["-o", "one.zvhd2"][..], "--output one.zvhd2/"),
        (&["--disk", "2"], "--disk is for one archive"),
        (&["--sha256", &sum], "--sha256 and --sha512 are for one file"),
        (&["-o", "no/such/folder/"], "its parent folder does not exist"),
    ] {
        for files in [&["a.qcow2", "b.qcow2"][..], &["."]] {
            let run = folder.run(&[&["prepare"], args, files].concat());
            assert!(run.status == 2 && run.err.contains(text), "{args:?}: {run:?}");
            assert_eq!(folder.names(), ["a.qcow2", "b.qcow2"], "{args:?}");
        }
    }
    let run = folder.run(&["prepare", "-r", "a.qcow2"]);
    assert!(run.status == 2 && run.err.contains("--recursive is for folders"), "{run:?}");
}

#[test]
fn what_is_there_stays_and_no_source_is_replaced() {
    let folder = images(&["a.qcow2", "b.qcow2"]);
    folder.write("a.zvhd2", b"precious");
    let run = folder.run(&["prepare", "a.qcow2", "b.qcow2"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("a.zvhd2") && run.err.contains("--force"), "{run:?}");
    assert_eq!(std::fs::read(folder.path("a.zvhd2")).unwrap(), b"precious");
    assert!(folder.path("b.zvhd2").exists());
    // A source of the same run is not replaced, even with --force.
    std::fs::copy(folder.path("b.zvhd2"), folder.path("a.zvhd2")).unwrap();
    let before = std::fs::read(folder.path("a.zvhd2")).unwrap();
    let run = folder.run(&["prepare", "--force", "a.qcow2", "a.zvhd2"]);
    assert!(
        run.status == 2 && run.err.contains("a.zvhd2: the output is the same file as the input"),
        "{run:?}"
    );
    assert!(run.out.contains("2 images: 1 prepared"), "{run:?}");
    assert_eq!(std::fs::read(folder.path("a.zvhd2")).unwrap(), before);
}

#[test]
fn one_image_goes_into_a_folder_as_well_and_is_reported_as_before() {
    let folder = images(&["a.qcow2"]);
    let (status, document) = folder.json(&["prepare", "a.qcow2", "-o", "out/"]);
    assert_eq!((status, &document["schema"]), (0, &"imsprep.prepare".into()));
    assert_eq!(names(&folder, "out"), ["a.zvhd2"]);
    let (status, document) = folder.json(&["prepare", "--force", ".", "-o", "out"]);
    assert_eq!((status, &document["schema"]), (0, &"imsprep.prepare.files".into()));
}

#[test]
fn folders_are_searched_at_any_depth_and_what_is_skipped_is_named() {
    let folder = images(&["in/a.qcow2", "in/deep/er/b.qcow2"]);
    std::os::unix::fs::symlink("..", folder.path("in/deep/loop")).unwrap();
    let run = folder.run(&["prepare", "-r", "in", "-o", "out/"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(run.err, "note: in/deep/loop: not searched: a link to a folder\n");
    assert_eq!(names(&folder, "out"), ["a.zvhd2", "b.zvhd2"]);
    for command in ["check", "detect"] {
        let (_, flat) = folder.json(&[command, "in"]);
        let (_, deep) = folder.json(&[command, "-r", "in"]);
        let paths = |value: &Value| {
            let files = value["files"].as_array().unwrap();
            files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths(&flat), ["in/a.qcow2"], "{command}");
        assert_eq!(paths(&deep), ["in/a.qcow2", "in/deep/er/b.qcow2"], "{command}");
    }
}

#[test]
fn a_manifest_and_a_page_are_about_all_results() {
    let folder = images(&["a.qcow2", "b.qcow2"]);
    let args = ["prepare", "-o", "out/", "--manifest", "all.json", "--html", "all.html", "a.qcow2"];
    let run = folder.run(&[&args[..], &["b.qcow2"]].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let manifest = serde_json::from_slice::<Value>(&std::fs::read(folder.path("all.json")).unwrap()).unwrap();
    let paths = manifest["images"].as_array().unwrap().iter().map(|image| &image["path"]);
    assert_eq!(paths.collect::<Vec<_>>(), ["out/a.zvhd2", "out/b.zvhd2"]);
    let page = std::fs::read_to_string(folder.path("all.html")).unwrap();
    assert!(page.contains("out/a.zvhd2") && page.contains("out/b.zvhd2"));
    // It would prove less than it seems to.
    let run = folder.run(&[&args[..], &["missing.qcow2", "--force"]].concat());
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("all.json: not written"), "{run:?}");
}

#[test]
fn a_stop_leaves_what_was_finished_and_lists_it() {
    let folder = images(&["a.qcow2"]);
    folder.write("zeros.raw.zst", &zeros());
    let mut child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["prepare", "zeros.raw.zst", "a.qcow2", "-o", "out/"])
        .args(["--purpose", "data"])
        .current_dir(folder.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until_signals_are_handled(child.id());
    kill("-TERM", child.id());
    child.wait().unwrap();
    // Nothing was finished: the folder that was made is gone.
    assert_eq!(folder.names(), ["a.qcow2", "zeros.raw.zst"]);

    let child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["prepare", "a.qcow2", "zeros.raw.zst", "-o", "out/"])
        .current_dir(folder.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !folder.path("out/a.zvhd2").exists() {
        assert!(begun.elapsed() < HANGS, "the first image is not finished");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill("-TERM", child.id());
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(143), "{out}{err}");
    assert_eq!(names(&folder, "out"), ["a.zvhd2"]);
    assert!(err.contains("interrupted"), "{err}");
    let row = |name: &str| out.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or(&out);
    assert!(row("zeros.raw.zst").contains("not prepared"), "{out}");
    assert!(out.contains("could not be prepared"), "{out}");
}
