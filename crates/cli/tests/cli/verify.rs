//! `imsprep verify`, and manifests that `sha256sum` reads.

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::Folder;

/// Names that a list has to escape, and some that it has not.
const NAMES: [&str; 5] = ["a.raw", " b *.raw", "c\nd.raw", "e\\f.raw", "g\rh.raw"];

fn images(folder: &Folder) {
    for (name, place) in NAMES.iter().zip([0, 5 << 20, 3 << 20, 7, 1 << 20]) {
        folder.sparse(name, 9 << 20, &[place]);
        assert_eq!(folder.run(&["bitmap", "create", name]).status, 0);
    }
}

#[test]
fn sha256sum_reads_what_the_manifest_says() {
    need_tools(["sha256sum"]);
    let folder = Folder::new();
    images(&folder);
    for list in ["all.sha256", "SHA256SUMS", "all.SHA256SUM"] {
        let run = folder.run(&[&["check", "--manifest", list], &NAMES[..]].concat());
        assert!(run.status <= 1, "{run:?}");
        let check = || {
            let output =
                command("sha256sum").args(["-c", "--strict", list]).current_dir(folder.path(".")).output();
            let output = output.unwrap();
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (status, out) = check();
        assert_eq!((status, out.matches(": OK\n").count()), (Some(0), 2 * NAMES.len()), "{out}");
        let run = folder.run(&["verify", list]);
        assert!(run.status == 0 && run.out.contains("10 files: 10 ok"), "{run:?}");
        // The same lines as the real one.
        let files = NAMES.iter().flat_map(|name| [(*name).to_owned(), name.replace(".raw", ".mf")]);
        let made = command("sha256sum").args(files).current_dir(folder.path(".")).output().unwrap().stdout;
        assert_eq!(std::fs::read(folder.path(list)).unwrap(), made);
        folder.write("real.txt", &made);
        assert_eq!(folder.run(&["verify", "real.txt"]).status, 0);
    }
}

#[test]
fn files_are_ok_differ_or_are_missing() {
    let folder = Folder::new();
    images(&folder);
    let manifest = |name: &str| {
        let run = folder.run(&[&["check", "--force", "--manifest", name], &NAMES[..]].concat());
        assert!(run.status <= 1, "{run:?}");
    };
    manifest("sums.json");
    manifest("sums.sha256");
    for name in ["sums.json", "sums.sha256"] {
        let (status, document) = folder.json(&["verify", name]);
        assert_eq!((status, &document["schema"]), (0, &"imsprep.verify".into()));
    }
    let run = folder.run(&["verify", "sums.json", "--folder", "elsewhere"]);
    assert!(run.status == 1 && run.out.contains("10 files: 0 ok, 0 differ, 10 missing"), "{run:?}");
    std::fs::remove_file(folder.path("a.mf")).unwrap();
    folder.sparse("a.raw", 9 << 20, &[0, 4 << 20]);
    folder.sparse(NAMES[1], 10 << 20, &[5 << 20]);
    let (status, document) = folder.json(&["verify", "sums.json"]);
    let results = |document: &Value| {
        let files = document["files"].as_array().unwrap().iter();
        files.map(|file| file["result"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(status, 1);
    assert_eq!(results(&document)[..4], ["differs", "missing", "differs", "ok"]);
    let [changed, _, longer, _] = &document["files"].as_array().unwrap()[..4] else { panic!() };
    assert_ne!(changed["sha256"], changed["expected_sha256"]);
    assert_eq!((&longer["sha256"], longer["size"].as_u64()), (&Value::Null, Some(10 << 20)));
    // Without sizes all bytes are read.
    let (_, document) = folder.json(&["verify", "sums.sha256"]);
    assert_eq!(results(&document)[..4], ["differs", "missing", "differs", "ok"]);
    assert!(document["files"][2]["sha256"].is_string());
    // What can't be read is neither.
    std::fs::remove_file(folder.path("a.raw")).unwrap();
    std::fs::create_dir(folder.path("a.raw")).unwrap();
    let run = folder.run(&["verify", "--format", "ndjson", "sums.json"]);
    assert_eq!((run.status, run.out.lines().count()), (2, 10), "{run:?}");
    let first = serde_json::from_str::<Value>(run.out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["schema"], &first["result"]),
        (&"imsprep.verify.file".into(), &"could-not-tell".into())
    );
}

#[test]
fn what_is_no_manifest_is_an_error() {
    let folder = Folder::new();
    folder.write("text", b"not a manifest\n");
    folder.write("empty", b"");
    folder.write("other.json", br#"{"schema":"imsprep.check","version":1,"images":[]}"#);
    for (name, text) in [
        ("text", "line 1 is neither"),
        ("empty", "lists no file"),
        ("other.json", "not a manifest"),
        ("missing", "cannot read"),
    ] {
        let run = folder.run(&["verify", name]);
        assert!(run.status == 2 && run.err.contains(text), "{name}: {run:?}");
    }
}

/// An image or a bitmap file belongs to another command, which the hint names.
#[test]
fn what_is_for_another_command_is_hinted() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 9 << 20, &[0]);
    folder.sparse("large.raw", 300 << 20, &[0]);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
    for (args, hint) in [
        (&["verify", "disk.raw"][..], "hint: imsprep bitmap verify compares a RAW with its bitmap file"),
        (&["verify", "large.raw"], "hint: imsprep bitmap verify compares a RAW with its bitmap file"),
        (&["verify", "disk.mf"], "hint: imsprep bitmap verify IMAGE"),
        (&["verify", "disk.zvhd2"], "hint: imsprep zvhd2 check"),
        (&["verify", "disk.qcow2"], "hint: imsprep check checks an image"),
        (&["zvhd2", "check", "disk.raw"], "hint: imsprep detect shows the format"),
        (&["zvhd2", "info", "disk.qcow2"], "hint: imsprep detect shows the format"),
        (&["bitmap", "verify", "disk.zvhd2"], "hint: imsprep zvhd2 check checks the bitmap inside"),
        (&["bitmap", "create", "disk.zvhd2"], "hint: imsprep zvhd2 check checks the bitmap inside"),
        (&["check", "disk.mf"], "hint: imsprep bitmap show"),
    ] {
        let run = folder.run(args);
        assert!(run.status != 0 && run.err.contains(hint), "{args:?}: {run:?}");
    }
}
