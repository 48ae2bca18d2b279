//! `--dry-run` of `convert` and `prepare`.

use serde_json::Value;

use crate::folder::Folder;

fn disk(folder: &Folder) {
    folder.sparse("disk.raw", (9 << 20) + 512, &[0, 777, 5 << 20]);
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
}

#[test]
fn the_size_is_that_of_the_conversion_and_nothing_is_written() {
    let folder = Folder::new();
    disk(&folder);
    for (args, output) in [
        (&["disk.raw", "a.zvhd2"][..], "a.zvhd2"),
        (&["disk.raw", "b.zvhd2", "--level", "12"], "b.zvhd2"),
        (&["disk.qcow2", "c.zvhd2"], "c.zvhd2"),
        (&["disk.qcow2", "d.raw"], "d.raw"),
        (&["--sparsify", "disk.raw", "e.raw"], "e.raw"),
        (&["--fit", "disk.raw", "f.zvhd2"], "f.zvhd2"),
    ] {
        let names = folder.names();
        let (status, document) = folder.json(&[&["convert", "--dry-run"], args].concat());
        assert_eq!((status, &document["schema"]), (0, &"imsprep.plan".into()), "{args:?}: {document}");
        let text = folder.run(&[&["convert", "--dry-run"], args].concat());
        assert!(
            text.status == 0 && text.out.contains(&format!("would be converted to {output}")),
            "{text:?}"
        );
        assert_eq!(folder.names(), names, "{args:?}");
        let planned = &document["files"][0];
        assert_eq!((&planned["action"], &planned["output"]["path"]), (&"convert".into(), &output.into()));
        let (status, done) = folder.json(&[&["convert"], args].concat());
        assert_eq!(status, 0);
        let size = std::fs::metadata(folder.path(output)).unwrap().len();
        assert_eq!(planned["estimate"]["output_size"], size, "{args:?}");
        assert_eq!(planned["estimate"]["exact"], true);
        assert_eq!(planned["output_format"], done["output_format"]);
        assert_eq!(planned["bitmap"]["path"], done["raw"]["bitmap"]["path"], "{args:?}");
        if output.ends_with("raw") {
            assert_eq!(planned["estimate"]["data_bytes"], done["raw"]["data_bytes"], "{args:?}");
        }
        // What is there is in the way, as it would be.
        let run = folder.run(&[&["convert", "--dry-run"], args].concat());
        assert!(run.status == 2 && run.err.contains("--force"), "{args:?}: {run:?}");
    }
    let (status, stream) = folder.json(&["convert", "--dry-run", "disk.raw", "-"]);
    assert_eq!((status, &stream["files"][0]["output"]), (0, &Value::Null));
}

#[test]
fn many_images_are_planned_and_none_is_written() {
    let folder = Folder::new();
    disk(&folder);
    folder.write("bad.qcow2", b"QFI\xfb\0\0\0\x03");
    folder.write("zeros.raw.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let names = folder.names();
    let all = ["disk.qcow2", "disk.raw", "bad.qcow2", "missing.raw"];
    let (status, document) = folder.json(&[&["prepare", "--dry-run"], &all[..]].concat());
    assert_eq!(status, 2, "{document}");
    let found = |key: &str| {
        document["files"].as_array().unwrap().iter().map(|file| file[key].clone()).collect::<Vec<_>>()
    };
    let actions: Vec<Value> = vec!["convert".into(), "check".into(), "refuse".into(), Value::Null];
    assert_eq!(found("action"), actions);
    assert_eq!(found("exit_status"), [0, 0, 1, 2]);
    assert_eq!(document["files"][1]["bitmap"]["path"], "disk.mf");
    let run =
        folder.run(&[&["prepare", "--dry-run", "--format", "ndjson", "-o", "out/"], &all[..1]].concat());
    assert!(run.status == 0 && run.out.lines().count() == 1, "{run:?}");
    for (args, text) in [
        (&["--format", "junit"][..], "--dry-run prints text"),
        (&["--manifest", "m.json"], "--manifest and --html do not apply"),
        (&["-o", "no/such/"], "its parent folder does not exist"),
        (&["-o", "out/", "disk.raw"], "would both be written to out/disk.zvhd2"),
    ] {
        let run = folder.run(&[&["prepare", "--dry-run", "disk.qcow2"], args].concat());
        assert!(run.status == 2 && run.err.contains(text), "{args:?}: {run:?}");
    }
    assert_eq!(folder.names(), names);
}

#[test]
fn an_image_that_is_not_converted_is_judged_as_it_would_be() {
    let folder = Folder::new();
    folder.sparse("good.raw", 1 << 30, &[0]);
    folder.sparse("large.raw", (1 << 40) + 512, &[0]);
    folder.write("notes.txt", b"these are only notes\n");
    folder.write("empty.raw", b"");
    let names = folder.names();
    for (name, status, bitmap, code) in [
        ("good.raw", 0, Some("good.mf"), "BM-005"),
        ("large.raw", 1, None, "IMS-003"),
        ("notes.txt", 1, None, "IMS-035"),
        ("empty.raw", 1, None, "IMS-015"),
    ] {
        let (found, document) = folder.json(&["prepare", "--dry-run", name]);
        let planned = &document["files"][0];
        assert_eq!((found, planned["bitmap"]["path"].as_str()), (status, bitmap), "{document}");
        let has = |report: &Value, code: &str| {
            report["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == code)
        };
        assert!(has(&planned["report"], code), "{name}: {document}");
        // The bitmap that would be written is not missing.
        assert!(!has(&planned["report"], "BM-003"), "{name}: {document}");
        assert_eq!(folder.names(), names, "{name}");
        assert_eq!(folder.run(&["prepare", "--dry-run", "--strict", name]).status, 1, "{name}");
    }
    for name in ["good.raw", "large.raw", "notes.txt", "empty.raw"] {
        let planned = folder.run(&["prepare", "--dry-run", name]).status;
        assert_eq!(folder.run(&["prepare", name]).status, planned, "{name}");
    }
}
