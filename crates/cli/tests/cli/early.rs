//! What speaks against an output is said before the work. The input is one that fails in the middle: who had begun would say that.

use std::os::unix::fs::symlink;

use imsprep_testdata::{command, need_tools};

use crate::folder::Folder;

/// A gzip whose end is missing, the first half of a ZVHD2, and a RAW with its bitmap.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.sparse("disk.raw", 64 << 20, &[0, 40 << 20]);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let packed = command("gzip").args(["-kc", "disk.raw"]).current_dir(folder.path(".")).output().unwrap();
    folder.write("cut.raw.gz", &packed.stdout[..packed.stdout.len() / 2]);
    folder.write("cut.zvhd2", &imsprep_testdata::golden("zstd_k_uniform.zvhd2")[..570_000]);
    std::fs::create_dir(folder.path("folder.raw")).unwrap();
    std::fs::create_dir(folder.path("folder.zvhd2")).unwrap();
    folder
}

/// Command lines that write `OUT`, with the extension that it needs.
const WRITERS: &[(&str, &[&str])] = &[
    ("zvhd2", &["convert", "cut.raw.gz", "OUT"]),
    ("raw", &["convert", "cut.raw.gz", "OUT"]),
    ("zvhd2", &["prepare", "cut.raw.gz", "-o", "OUT"]),
    ("raw", &["prepare", "cut.raw.gz", "-o", "OUT"]),
    ("zvhd2", &["zvhd2", "repair", "cut.zvhd2", "OUT"]),
    ("mf", &["bitmap", "create", "disk.raw", "-o", "OUT"]),
    ("bmap", &["bitmap", "convert", "disk.mf", "OUT", "--to", "bmap"]),
    ("toml", &["bitmap", "learn", "--image", "disk.raw", "--sample", "disk.mf", "-o", "OUT"]),
    ("html", &["check", "disk.raw", "--html", "OUT"]),
    ("json", &["check", "disk.raw", "--manifest", "OUT"]),
    (
        "json",
        &["request", "disk.raw", "--bucket", "my-images", "--name", "n", "--os-version", "v", "-o", "OUT"],
    ),
];

fn refused(folder: &Folder, args: &[&str], output: &str, extra: &[&str], why: &str) {
    let args = args.iter().map(|word| if *word == "OUT" { output } else { word });
    let args = args.chain(extra.iter().copied()).collect::<Vec<_>>();
    let before = folder.names();
    let run = folder.run(&args);
    assert!(run.status == 2 && run.err.contains(why), "{args:?}: {why}: {run:?}");
    assert_eq!(run.out, "", "{args:?}: nothing was done");
    assert_eq!(folder.names(), before, "{args:?}");
}

#[test]
fn a_place_where_no_output_can_be_is_refused_before_the_work() {
    need_tools(["gzip"]);
    let folder = folder();
    for (extension, args) in WRITERS {
        refused(&folder, args, &format!("none/x.{extension}"), &[], "its folder does not exist");
        refused(&folder, args, "/dev/null", &["--force"], "the output must be a file");
        let there = format!("there.{extension}");
        folder.write(&there, b"precious");
        refused(&folder, args, &there, &[], "already exists");
        symlink("nowhere", folder.path("link")).unwrap();
        refused(&folder, args, "link", &[], "already exists");
        std::fs::remove_file(folder.path("link")).unwrap();
        // The input by another name.
        let input = args.iter().find(|word| folder.path(word).is_file()).unwrap();
        let same = format!("same.{extension}");
        std::fs::hard_link(folder.path(input), folder.path(&same)).unwrap();
        refused(&folder, args, &same, &["--force"], "the same file as the input");
        std::fs::remove_file(folder.path(&same)).unwrap();
        std::fs::create_dir(folder.path("dir")).unwrap();
        // A folder is a place for the outputs of prepare.
        if args.first() != Some(&"prepare") {
            refused(&folder, args, "dir", &["--force"], "directory");
        }
        std::fs::remove_dir(folder.path("dir")).unwrap();
        std::fs::remove_file(folder.path(&there)).unwrap();
    }
    // The bitmap's place counts, too.
    folder.write("new.mf", b"precious");
    for args in [&["convert", "cut.raw.gz", "OUT"][..], &["prepare", "cut.raw.gz", "-o", "OUT"]] {
        refused(&folder, args, "new.raw", &[], "new.mf: already exists");
    }
}

#[test]
fn a_disk_that_no_import_takes_is_refused_before_the_work() {
    let folder = Folder::new();
    folder.sparse("large.raw", (1 << 40) + 1, &[0]);
    for args in [
        &["convert", "large.raw", "x.zvhd2"][..],
        &["convert", "large.raw", "-"],
        &["prepare", "large.raw", "-o", "x.zvhd2"],
        &["prepare", "large.raw"],
    ] {
        let run = folder.run(args);
        assert!(run.status == 1 && (run.out.clone() + &run.err).contains("IMS-003"), "{args:?}: {run:?}");
        assert_eq!(folder.names(), ["large.raw"], "{args:?}");
    }
}

#[test]
fn a_name_that_the_service_refuses_is_refused_before_the_work() {
    need_tools(["gzip"]);
    let folder = folder();
    std::fs::rename(folder.path("cut.raw.gz"), folder.path("my cut.raw.gz")).unwrap();
    let before = folder.names();
    for args in [
        &["prepare", "my cut.raw.gz"][..],
        &["prepare", "my cut.raw.gz", "-o", "b c.zvhd2"],
        &["prepare", "my cut.raw.gz", "-o", "b c.raw", "--profile", "otc"],
    ] {
        let run = folder.run(args);
        assert!(run.status == 1 && run.out.contains("error IMS-010"), "{args:?}: {run:?}");
        assert_eq!(folder.names(), before, "{args:?}");
    }
    let run = folder.run(&["prepare", "my cut.raw.gz", "-o", "b c.raw", "--profile", "otc"]);
    assert!(run.out.contains("`imsprep prepare 'my cut.raw.gz' --profile otc -o b_c.raw`"), "{run:?}");
}
