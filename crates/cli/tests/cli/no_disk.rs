//! Files that are no disks, bitmap files that are none, and settings that are not the user's.

use serde_json::Value;

use crate::folder::{Folder, codes};
use imsprep_testdata::{command, need_root};

const GIB: u64 = 1 << 30;

fn check(folder: &Folder, args: &[&str]) -> (i32, Vec<String>) {
    let (status, json) = folder.json(&[&["check"], args].concat());
    (status, codes(&json["files"][0]["report"]))
}

fn has(codes: &[String], code: &str) -> bool {
    codes.iter().any(|found| found == code)
}

/// Every byte of one kind that is no text, in a file of this size.
fn unknown(folder: &Folder, name: &str, size: usize) {
    folder.write(name, &vec![0xa5; size]);
}

#[test]
fn what_is_no_disk_is_refused_and_no_bitmap_is_advised_or_written() {
    let folder = Folder::new();
    let page = b"<!DOCTYPE html>\r\n<html><body>Not found</body></html>\r\n";
    folder.write("page.qcow2", page);
    folder.write("pointer.vmdk", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    folder.write("notes.raw", &page.repeat(60_000));
    unknown(&folder, "small.raw", 600 << 10);
    unknown(&folder, "damaged.ova", 4 << 20);
    for (name, code) in [
        ("page.qcow2", "IMS-034"),
        ("pointer.vmdk", "IMS-034"),
        ("notes.raw", "IMS-035"),
        ("small.raw", "IMS-035"),
        ("damaged.ova", "IMS-034"),
    ] {
        assert_eq!(check(&folder, &[name]), (1, vec![code.to_owned()]), "{name}");
        let (status, found) = check(&folder, &["--write-bitmap", name]);
        assert_eq!((status, found), (1, vec![code.to_owned()]), "{name}");
        for args in [
            &["prepare", name][..],
            &["prepare", name, "-o", "out.zvhd2"],
            &["request", name, "--bucket", "b", "--name", "n", "--next-steps"],
        ] {
            let run = folder.run(args);
            assert_eq!(run.status, 1, "{args:?} {run:?}");
            let text = run.out + &run.err;
            assert!(text.contains(code) && !text.contains("IMS-012"), "{args:?} {text}");
        }
    }
    let names = folder.names();
    assert!(names.iter().all(|name| !name.ends_with(".mf") && !name.ends_with(".zvhd2")), "{names:?}");
    // A larger file of nothing known may be a disk, and so may a small one with a partition table.
    unknown(&folder, "large.raw", 2 << 20);
    let (_, found) = check(&folder, &["large.raw"]);
    assert!(has(&found, "IMS-014") && !has(&found, "IMS-035"), "{found:?}");
    std::fs::copy(imsprep_testdata::folder().join("small.raw"), folder.path("mbr.raw")).unwrap();
    let (_, found) = check(&folder, &["mbr.raw"]);
    assert!(!has(&found, "IMS-014") && !has(&found, "IMS-035"), "{found:?}");
    // The user may know better.
    assert_eq!(folder.run(&["bitmap", "create", "small.raw"]).status, 0);
    assert_eq!(check(&folder, &["--allow", "IMS-035", "small.raw"]).0, 0);
}

#[test]
fn what_makes_something_of_a_file_goes_on_with_a_warning() {
    let folder = Folder::new();
    folder.write("notes.raw", b"text\n");
    for args in [
        &["convert", "notes.raw", "notes.zvhd2"][..],
        &["compare", "notes.raw", "notes.raw"],
        &["bitmap", "create", "notes.raw"],
        &["bitmap", "verify", "notes.raw"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 0, "{args:?} {run:?}");
        assert!((run.out + &run.err).contains("warning IMS-035"), "{args:?}");
    }
    let (_, json) = folder.json(&["compare", "notes.raw", "notes.zvhd2"]);
    assert_eq!(codes(&json["a"]["report"]), ["IMS-035"]);
    assert_eq!(json["b"]["report"]["findings"], serde_json::json!([]));
}

#[test]
fn a_compressed_text_is_no_disk_either() {
    let folder = Folder::new();
    let page = folder.write("page.raw", &b"<html>page</html>\n".repeat(200_000));
    assert!(command("gzip").arg(page).status().unwrap().success());
    let run = folder.run(&["prepare", "page.raw.gz", "-o", "out.zvhd2"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!((run.out + &run.err).contains("IMS-035"));
    assert_eq!(folder.names(), ["page.raw.gz"]);
}

#[test]
fn an_empty_disk_is_said_to_be_one() {
    let folder = Folder::new();
    folder.sparse("holes.raw", GIB, &[]);
    folder.write("written.raw", &vec![0; 3 << 20]);
    folder.write("small.raw", &[0; 4096]);
    for name in ["holes.raw", "written.raw", "small.raw"] {
        assert_eq!(folder.run(&["bitmap", "create", name]).status, 0);
        let (status, found) = check(&folder, &[name]);
        assert_eq!(status, 0, "{found:?}");
        assert!(has(&found, "IMS-037") && !has(&found, "IMS-014"), "{name} {found:?}");
        let (_, json) = folder.json(&["check", "--purpose", "data", name]);
        let findings = json["files"][0]["report"]["findings"].as_array().unwrap().clone();
        let empty = findings.iter().find(|finding| finding["code"] == "IMS-037").unwrap();
        assert_eq!(empty["severity"], "note", "{name}");
    }
    assert_eq!(folder.run(&["convert", "holes.raw", "holes.zvhd2"]).status, 0);
    assert!(has(&check(&folder, &["holes.zvhd2"]).1, "IMS-037"));
}

#[test]
fn a_raw_that_ends_within_a_sector_is_warned_of() {
    let folder = Folder::new();
    for (size, expected) in [(GIB, false), (GIB + 1, true), (GIB - 511, true), (GIB + 512, false)] {
        folder.sparse("disk.raw", size, &[0]);
        assert_eq!(has(&check(&folder, &["disk.raw"]).1, "IMS-036"), expected, "{size}");
    }
}

#[test]
fn what_is_called_mf_and_is_no_bitmap_is_named_and_left_alone() {
    let sum = "0123456789abcdef".repeat(4);
    for (content, what) in [
        (format!("SHA256(web.ovf)= {sum}\nSHA256(web.vmdk)= {sum}\n"), "an OVF manifest"),
        (format!("{sum}  web.raw\n"), "a list of checksums"),
        ("<html>404</html>\n".into(), "an HTML page"),
    ] {
        let folder = Folder::new();
        folder.sparse("web.raw", 2 * GIB, &[0]);
        folder.write("web.mf", content.as_bytes());
        let run = folder.run(&["check", "web.raw"]);
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.out.contains("BM-012") && run.out.contains(what), "{run:?}");
        assert!(!run.out.contains("--force"), "{run:?}");
        let steps =
            ["request", "web.raw", "--bucket", "b", "--name", "n", "--purpose", "data", "--next-steps"];
        let run = folder.run(&steps);
        assert_eq!((run.status, run.out.as_str()), (1, ""), "{run:?}");
        for args in [
            &["bitmap", "create", "web.raw"][..],
            &["bitmap", "create", "--force", "web.raw"],
            &["bitmap", "verify", "web.raw"],
            &["bitmap", "show", "web.mf"],
            &["prepare", "web.raw"],
            &["check", "--write-bitmap", "web.raw"],
        ] {
            let run = folder.run(args);
            assert!(run.status != 0 && (run.out + &run.err).contains(what), "{args:?}");
        }
        assert_eq!(std::fs::read_to_string(folder.path("web.mf")).unwrap(), content);
    }
    // What may be the vendor's own stays as it was.
    let folder = Folder::new();
    folder.sparse("web.raw", 2 * GIB, &[0]);
    folder.write("web.mf", b"MF\x01 the vendor's");
    let (status, found) = check(&folder, &["web.raw"]);
    assert!(status == 0 && has(&found, "BM-006"), "{found:?}");
}

#[test]
fn a_bitmap_beside_its_image_is_no_second_image_and_alone_it_is_none() {
    let folder = Folder::new();
    folder.sparse("web.raw", 2 * GIB, &[0]);
    assert_eq!(folder.run(&["bitmap", "create", "web.raw"]).status, 0);
    for command in ["check", "detect", "inspect"] {
        for args in [[command, "web.raw", "web.mf"], [command, "web.mf", "./web.raw"]] {
            let (status, json) = folder.json(&args);
            assert_eq!(status, 0, "{args:?} {json}");
            let files = json["files"].as_array().unwrap();
            assert!(files.len() == 1 && files[0]["path"].as_str().unwrap().ends_with("web.raw"), "{json}");
        }
    }
    for args in [
        &["check", "web.mf"][..],
        &["detect", "web.mf"],
        &["inspect", "web.mf"],
        &["prepare", "web.mf"],
        &["request", "web.mf", "--bucket", "b", "--name", "n"],
        &["bitmap", "verify", "web.mf"],
        &["bitmap", "create", "web.mf"],
        &["convert", "web.mf", "web.zvhd2"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?} {run:?}");
        assert!(run.err.contains("pass its image") && run.err.contains("web.raw"), "{args:?} {run:?}");
        assert!(!(run.out + &run.err).contains("rename"), "{args:?}");
    }
    // An image by that name is one.
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("odd.mf")).unwrap();
    assert_eq!(folder.run(&["detect", "odd.mf"]).status, 0);
}

#[test]
fn settings_of_another_user_do_not_hold() {
    need_root();
    let config = |folder: &Folder, args: &[&str]| -> (Value, Value, String) {
        let run = folder.run(&[&["check", "--json", "disk.raw"], args].concat());
        let json = serde_json::from_str::<Value>(&run.out).unwrap();
        (json["config"].clone(), json["ignored_config"].clone(), run.err)
    };
    let folder = Folder::new();
    folder.sparse("disk.raw", GIB, &[0]);
    folder.write("imsprep.toml", b"profile = \"otc\"\n");
    let (read, ignored, err) = config(&folder, &[]);
    assert_eq!((read["path"].as_str(), ignored, err.as_str()), (Some("imsprep.toml"), Value::Null, ""));
    std::os::unix::fs::chown(folder.path("imsprep.toml"), Some(4321), None).unwrap();
    let (read, ignored, err) = config(&folder, &[]);
    assert_eq!((read, ignored["path"].as_str()), (Value::Null, Some("imsprep.toml")));
    assert!(err.contains("belongs to another user"), "{err}");
    let (read, _, err) = config(&folder, &["--config", "imsprep.toml"]);
    assert_eq!((read["path"].as_str(), err.as_str()), (Some("imsprep.toml"), ""));
    // Under sudo, who called it counts.
    let output = folder.command(&["check", "--json", "disk.raw"]).env("SUDO_UID", "4321").output().unwrap();
    let json = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    assert_eq!(json["config"]["path"], "imsprep.toml");
    // The folder counts as well, and so does a link to a file of one's own.
    std::os::unix::fs::chown(folder.path("imsprep.toml"), Some(0), None).unwrap();
    std::os::unix::fs::chown(folder.path(""), Some(4321), None).unwrap();
    assert_eq!(config(&folder, &[]).0, Value::Null);
}
