//! `--fit`: the disk is a multiple of 1 GiB, with the backup of its GPT at its end, in whatever it is written to.

use std::fs;

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, codes};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Runs a script in the folder.
fn script(folder: &Folder, script: &str) {
    let output = command("bash").args(["-ec", script]).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
}

/// `disk.raw` of 300 MiB with an ext4 in its last partition, and `theirs.raw`, which sgdisk enlarged.
fn disk(folder: &Folder) {
    need_tools(["sgdisk", "mkfs.ext4", "truncate", "cmp"]);
    script(
        folder,
        "truncate -s 300M disk.raw; sgdisk -n1:2048:+8M -n2:0:0 disk.raw >/dev/null
        truncate -s 200M part; mkfs.ext4 -q part; dd if=part of=disk.raw bs=1M seek=9 conv=notrunc,sparse status=none
        head -c 3000000 /dev/urandom | dd of=disk.raw bs=1M seek=2 conv=notrunc status=none
        cp disk.raw before.raw; cp disk.raw theirs.raw; truncate -s 1G theirs.raw; sgdisk -e theirs.raw >/dev/null",
    );
}

#[test]
fn every_output_holds_the_disk_that_sgdisk_makes() {
    let folder = Folder::new();
    disk(&folder);
    let is_theirs = |name: &str| script(&folder, &format!("cmp '{name}' theirs.raw"));

    // RAW to RAW, with its bitmap.
    let (status, json) = folder.json(&["convert", "--fit", "--verify", "disk.raw", "out.raw"]);
    assert_eq!(
        (status, json["output_format"].as_str(), json["length"].as_u64()),
        (0, Some("raw"), Some(GIB))
    );
    let backup = serde_json::json!({"moved_from": 300 * MIB - 512, "moved_to": GIB - 512});
    let fitted = serde_json::json!({"size_before": 300 * MIB, "size_after": GIB, "backup_gpt": backup});
    assert_eq!(json["fitted"], fitted);
    assert_eq!((codes(&json["report"]), json["verified"].as_bool()), (vec![], Some(true)));
    is_theirs("out.raw");
    assert_eq!(folder.run(&["bitmap", "verify", "out.raw"]).status, 0);
    let (_, json) = folder.json(&["check", "out.raw"]);
    let found = codes(&json["files"][0]["report"]);
    assert!(
        !found.iter().any(|code| ["IMS-018", "IMS-050", "IMS-052"].contains(&code.as_str())),
        "{found:?}"
    );
    let run = folder.run(&["convert", "--fit", "--no-bitmap", "disk.raw", "plain.img"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let line = "  fit     enlarged from 314572800 bytes (300 MiB) to 1073741824 bytes (1 GiB); backup GPT moved from offset \
                314572288 to 1073741312\n";
    assert!(run.out.contains(line), "{}", run.out);
    assert!(!folder.path("plain.mf").exists());

    // A ZVHD2, and a RAW of that.
    assert_eq!(folder.run(&["convert", "--fit", "--verify", "disk.raw", "out.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["compare", "out.zvhd2", "theirs.raw"]).status, 0);
    assert_eq!(folder.run(&["convert", "out.zvhd2", "back.raw"]).status, 0);
    is_theirs("back.raw");

    // Of a container whose disk goes on in zeros, and of a stream.
    assert_eq!(folder.run(&["convert", "disk.raw", "small.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["convert", "--fit", "small.zvhd2", "large.raw"]).status, 0);
    is_theirs("large.raw");
    assert_eq!(folder.run(&["convert", "--fit", "small.zvhd2", "large.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["compare", "large.zvhd2", "theirs.raw"]).status, 0);
    let stream = folder.command(&["convert", "--fit", "small.zvhd2", "-"]).output().unwrap();
    assert!(stream.status.success() && stream.stdout == fs::read(folder.path("theirs.raw")).unwrap());

    // With what --sparsify leaves out.
    let (status, json) = folder.json(&["convert", "--fit", "--sparsify", "--verify", "disk.raw", "both.raw"]);
    assert_eq!((status, json["fitted"]["size_after"].as_u64()), (0, Some(GIB)));
    assert!(json["left_out"]["bytes"].as_u64().unwrap() > 0);
    assert_eq!(folder.run(&["compare", "--sparsify", "theirs.raw", "both.raw"]).status, 0);

    // The source is as it was, and is never written to.
    for args in [
        &["convert", "--fit", "--force", "disk.raw", "disk.raw"][..],
        &["prepare", "--fit", "disk.raw", "-o", "disk.raw"],
    ] {
        let run = folder.run(args);
        assert!(run.status == 2, "{run:?}");
    }
    script(&folder, "cmp disk.raw before.raw");
}

#[test]
fn other_formats_are_fitted_on_their_way() {
    need_tools(["qemu-img", "tar", "gzip"]);
    let folder = Folder::new();
    disk(&folder);
    script(
        &folder,
        "qemu-img convert -O qcow2 disk.raw disk.qcow2; tar -cf disk.ova disk.raw; gzip -k1 disk.raw",
    );
    for name in ["disk.qcow2", "disk.ova", "disk.raw.gz"] {
        assert_eq!(folder.run(&["convert", "--fit", "--force", name, "out.raw"]).status, 0);
        script(&folder, "cmp out.raw theirs.raw");
    }
    let (status, json) = folder.json(&["prepare", "--fit", "disk.qcow2"]);
    assert_eq!(json["conversion"]["fitted"]["size_after"], GIB, "{status}");
    assert_eq!(folder.run(&["compare", "disk.zvhd2", "theirs.raw"]).status, 0);
    // A RAW is converted as well, as its disk changes.
    let run = folder.run(&["prepare", "--fit", "--force", "disk.raw"]);
    assert_eq!(json["exit_status"], run.status, "{run:?}");
    assert_eq!(folder.run(&["compare", "disk.zvhd2", "theirs.raw"]).status, 0);
}

#[test]
fn a_disk_that_fits_is_converted_unchanged() {
    let folder = Folder::new();
    disk(&folder);
    let (status, json) = folder.json(&["convert", "--fit", "theirs.raw", "out.raw"]);
    let fitted = serde_json::json!({"size_before": GIB, "size_after": GIB, "backup_gpt": null});
    assert_eq!((status, &json["fitted"]), (0, &fitted));
    script(&folder, "cmp out.raw theirs.raw");
    let run = folder.run(&["convert", "--fit", "--force", "theirs.raw", "out.raw"]);
    assert!(run.out.contains("  fit     unchanged: "), "{}", run.out);
    // A disk without a GPT gets zeros.
    folder.sparse("plain.raw", MIB + 512, &[5, MIB]);
    let (status, json) = folder.json(&["convert", "--fit", "plain.raw", "plain.zvhd2"]);
    let fitted = serde_json::json!({"size_before": MIB + 512, "size_after": GIB, "backup_gpt": null});
    assert_eq!((status, &json["fitted"]), (0, &fitted));
    let (_, json) = folder.json(&["compare", "plain.raw", "plain.zvhd2"]);
    assert_eq!((json["b"]["disk_size"].as_u64(), json["same"].as_bool()), (Some(GIB), Some(true)), "{json}");
}

#[test]
fn what_cannot_be_fitted_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    disk(&folder);
    script(
        &folder,
        "cp disk.raw cut.raw; truncate -s 250M cut.raw
        truncate -s 300M lost.raw; sgdisk -n1:2048:+8M lost.raw >/dev/null; truncate -s 200M lost.raw
        cp disk.raw bad.raw; printf x | dd of=bad.raw bs=1 seek=540 conv=notrunc status=none",
    );
    folder.sparse("large.raw", 1024 * GIB + 512, &[]);
    let before = folder.names();
    for (args, status, reason) in [
        (&["cut.raw"][..], 1, "IMS-051"),
        (
            &["--allow", "IMS-051", "cut.raw"],
            1,
            "the disk cannot be enlarged: the disk is truncated: the backup GPT header",
        ),
        (&["lost.raw"], 1, "the disk is truncated: the backup GPT header is missing at offset 314572288"),
        (
            &["bad.raw"],
            1,
            "the disk cannot be enlarged: its partition table is damaged: the CRC of the primary GPT header",
        ),
        (&["bad.raw"], 1, "with sgdisk, gdisk or sfdisk"),
        (&["large.raw"], 1, "IMS-003"),
        (&["--size", "disk", "disk.raw"], 2, "cannot be used with"),
    ] {
        let run = folder.run(&[&["convert", "--fit"][..], args, &["out.raw"]].concat());
        assert!(run.status == status && run.err.contains(reason), "{args:?}: {run:?}");
        assert_eq!(folder.names(), before, "{args:?}");
    }
    // The largest disk that any import takes.
    folder.sparse("large.raw", 1023 * GIB + 512, &[]);
    let (status, json) = folder.json(&["convert", "--fit", "large.raw", "large.zvhd2"]);
    assert_eq!((status, json["fitted"]["size_after"].as_u64()), (0, Some(1024 * GIB)));
}
