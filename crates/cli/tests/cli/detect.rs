//! `imsprep detect` on folders, wrappers and what forbids an import.

use std::os::unix::fs::FileExt;

use crate::folder::Folder;
use imsprep_testdata::{command, need_tools};

/// Runs a script in the folder, which needs these tools.
fn make(folder: &Folder, tools: &[&str], script: &str) {
    need_tools(tools);
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_folder_stands_for_its_images_and_a_table_ends_it() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("images")).unwrap();
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("images/a.qcow2")).unwrap();
    std::fs::copy(imsprep_testdata::folder().join("small.raw"), folder.path("images/b.raw")).unwrap();
    folder.write("images/notes.txt", b"a text");
    let run = folder.run(&["detect", "images", "none"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none") && !run.out.contains("notes.txt"), "{run:?}");
    let table = run.out.split("\n\n").last().unwrap();
    assert!(table.starts_with("  FILE            FORMAT"), "{table}");
    assert!(table.ends_with("3 files, 1 of them could not be read\n"), "{table}");
    let (status, json) = folder.json(&["detect", "images"]);
    assert_eq!(status, 0);
    let formats =
        json["files"].as_array().unwrap().iter().map(|file| file["format"].clone()).collect::<Vec<_>>();
    assert_eq!(formats, ["qcow2", "raw"]);
    assert_eq!(json["files"][0]["kind"], "file");
    std::fs::create_dir(folder.path("empty")).unwrap();
    assert_eq!(folder.run(&["detect", "empty"]).status, 2);
}

#[test]
fn a_parallels_bundle_is_a_folder_of_a_descriptor_and_images() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("win.hdd")).unwrap();
    let xml = "<?xml version='1.0'?><Parallels_disk_image><Disk_size>2048</Disk_size><File>win.hds</File>\
               </Parallels_disk_image>";
    folder.write("win.hdd/DiskDescriptor.xml", xml.as_bytes());
    folder.write("win.hdd/win.hds", b"WithouFreSpacExt\x02");
    let (_, json) = folder.json(&["detect", "win.hdd"]);
    assert_eq!(json["files"][0]["variant"], "bundle descriptor");
    assert_eq!(json["files"][0]["facts"][0]["values"][0], "win.hds");
    assert_eq!(
        (&json["files"][0]["codes"], &json["files"][1]["format"]),
        (&["IMS-007"].into(), &"parallels".into())
    );
}

#[test]
fn facts_carry_the_code_of_the_rule_that_they_break() {
    let folder = Folder::new();
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("bad.qcow2")).unwrap();
    let file = std::fs::File::options().write(true).open(folder.path("bad.qcow2")).unwrap();
    // Marked corrupt, with a backing file outside of the folder, and cut off.
    file.write_all_at(&[2], 79).unwrap();
    file.write_all_at(&[0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 11], 8).unwrap();
    file.write_all_at(b"/etc/shadow", 1024).unwrap();
    file.set_len(150_000).unwrap();
    let run = folder.run(&["detect", "bad.qcow2"]);
    assert_eq!(run.status, 0, "{run:?}");
    for line in [
        "  fact    backing file \"/etc/shadow\" [IMS-007]",
        "  fact    marked corrupt [IMS-021]",
        "  fact    partly outside of the file: the L1 table ends at 196768, but the file ends at 150000 [IMS-020]",
    ] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    let (_, json) = folder.json(&["detect", "bad.qcow2"]);
    assert_eq!(json["files"][0]["codes"], serde_json::json!(["IMS-007", "IMS-020", "IMS-021", "IMS-026"]));
    let (status, json) = folder.json(&["check", "bad.qcow2"]);
    let codes = crate::folder::codes(&json["files"][0]["report"]);
    assert_eq!(status, 1);
    for code in ["IMS-001", "IMS-007", "IMS-020", "IMS-021", "IMS-026"] {
        assert!(codes.iter().any(|found| found == code), "{codes:?}");
    }
}

#[test]
fn a_wrapper_says_what_is_inside_and_how_to_unpack_it() {
    let folder = Folder::new();
    std::fs::copy(imsprep_testdata::folder().join("small.raw"), folder.path("disk.raw")).unwrap();
    make(&folder, &["gzip"], "gzip -9 disk.raw");
    let run = folder.run(&["detect", "disk.raw.gz"]);
    assert!(run.out.contains("  inside  \"disk.raw\", raw (MBR)\n"), "{}", run.out);
    let (_, json) = folder.json(&["detect", "disk.raw.gz"]);
    assert_eq!(json["files"][0]["codes"], serde_json::json!(["IMS-023"]));
    let fact = &json["files"][0]["facts"][0];
    assert_eq!((&fact["fact"], &fact["inside"]["format"]), (&"inside".into(), &"raw".into()));
    assert_eq!((&fact["inside"]["evidence"], fact.get("code")), (&["MBR"].into(), None));
    let run = folder.run(&["check", "disk.raw.gz"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("error IMS-023: the file is a compressed image"), "{}", run.out);
    let fix = run.out.lines().find(|line| line.contains("fix:")).unwrap();
    let command = fix.split('`').find(|command| command.starts_with("gzip -dk ")).unwrap();
    make(&folder, &["gzip"], command);
    let original = std::fs::read(imsprep_testdata::folder().join("small.raw")).unwrap();
    assert!(std::fs::read(folder.path("disk.raw")).unwrap() == original, "the advice does what it says");
}

#[test]
fn the_disks_of_an_ova() {
    let folder = Folder::new();
    let script = "truncate -s 8M a; qemu-img convert -O vmdk -o subformat=streamOptimized a one.vmdk; cp one.vmdk two.vmdk; \
                  echo '<Envelope/>' > m.ovf; tar -cf m.ova m.ovf one.vmdk two.vmdk";
    make(&folder, &["qemu-img", "tar"], script);
    let run = folder.run(&["detect", "m.ova"]);
    assert!(run.out.starts_with("m.ova: tar (ova) [IMS-024]\n"), "{}", run.out);
    for name in ["one", "two"] {
        assert!(run.out.contains(&format!("  inside  \"{name}.vmdk\"")), "{}", run.out);
    }
    assert!(run.out.contains("vmdk (streamOptimized, a disk of 8 MiB)"), "{}", run.out);
    let (status, json) = folder.json(&["check", "m.ova"]);
    assert_eq!((status, crate::folder::codes(&json["files"][0]["report"])[0].as_str()), (1, "IMS-024"));
}
