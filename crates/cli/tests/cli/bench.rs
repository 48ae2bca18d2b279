//! `imsprep bench`: what is wrong with a call comes out at once, not after hours; and the harness on real programs, with
//! images so small that what is tested is the harness and not the machine.

use std::process::{Command, Stdio};
use std::time::Duration;

use imsprep_testdata::need_tools;
use serde_json::Value;

use crate::check_page::used_swap;
use crate::folder::{Folder, kill};

#[test]
fn a_size_that_can_not_be_made_is_refused_with_the_reason() {
    let folder = Folder::new();
    for (size, why) in [
        ("0", "images are made from 16M on"),
        ("1M", "images are made from 16M on"),
        ("17M", "must be a multiple of 2M"),
        ("2T", "images are made up to 1T"),
        ("8GB", "GB may mean 1000 or 1024"),
        ("8X", "is no unit"),
        ("big", "expected bytes or a number with a unit"),
    ] {
        let run = folder.run(&["bench", "--size", size]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{size}");
        assert!(run.err.contains(why) && run.err.contains("--size"), "{}", run.err);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn arguments_that_make_no_sense() {
    let folder = Folder::new();
    for args in [
        &["--case", "nothing"][..],
        &["--cache", "lukewarm"],
        &["--rounds", "0"],
        &["--rounds", "1001"],
        &["--force"],
    ] {
        let run = folder.run(&[&["bench"], args].concat());
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.err.contains("--help"), "{}", run.err);
    }
}

#[test]
fn the_place_of_the_page_is_looked_at_before_anything_is_measured() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 << 20, &[0]);
    std::fs::hard_link(folder.path("disk.raw"), folder.path("same.html")).unwrap();
    folder.write("old.html", b"precious");
    for (args, why) in [
        (&["--html", "old.html"][..], "old.html: already exists"),
        (&["--html", "nowhere/new.html"], "nowhere/new.html: cannot create it: its folder does not exist"),
        (&["disk.raw", "--html", "disk.raw", "--force"], "the output is the same file as the input"),
        (&["disk.raw", "--html", "same.html", "--force"], "the output is the same file as the input"),
        (&["none.raw", "--html", "new.html"], "none.raw: cannot open"),
    ] {
        let run = folder.run(&[&["bench"], args].concat());
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(why), "{}", run.err);
    }
    assert_eq!(std::fs::read(folder.path("old.html")).unwrap(), b"precious");
    assert_eq!(folder.names(), ["disk.raw", "old.html", "same.html"], "nothing is left behind");
}

/// The measurement of a program in the row of a case.
fn measured<'a>(report: &'a Value, case: &str, cache: &str, program: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["case"] == case && row["cache"] == cache).unwrap();
    let programs = row["programs"].as_array().unwrap();
    programs.iter().find(|measured| measured["program"] == program).unwrap()
}

#[test]
fn real_programs_are_measured_and_their_maps_held_against_the_truth() {
    need_tools(["qemu-img", "bmaptool", "javac", "java", "cmp", "dd"]);
    let folder = Folder::on_disk();
    let cases = "zeros,half,worst,sparse";
    let (status, report) =
        folder.json(&["bench", "--size", "32M", "--rounds", "1", "--case", cases, "--strict"]);
    assert_eq!((status, &report["not_measured"]), (0, &Value::Array(vec![])));
    assert!(report["complete"] == true && report["our_map_is_wrong"] == false);
    // Seven images, warm and cold.
    assert_eq!(report["rows"].as_array().unwrap().len(), 14);
    for row in report["rows"].as_array().unwrap() {
        for ours in row["programs"].as_array().unwrap().iter().filter(|measured| measured["ours"] == true) {
            assert_eq!(ours["map"]["state"], "right", "{ours}");
        }
    }
    for (case, program, state) in [
        ("zeros", "cp --sparse=always", "right"),
        ("zeros", "Java FileInputStream", "right"),
        ("half", "Java FileChannel", "right"),
        ("half", "dd conv=sparse", "right"),
        ("worst", "qemu-img map", "right"),
        ("sparse-2m", "bmaptool", "right"),
        ("sparse-4k", "bmaptool, no checksum", "right"),
        ("zeros", "cmp", "none"),
        ("half", "qemu-img convert", "none"),
        // They know extents alone, and call zeros that the file system keeps data.
        ("half", "qemu-img map", "wrong"),
        ("half", "bmaptool", "wrong"),
    ] {
        assert_eq!(measured(&report, case, "warm", program)["map"]["state"], state, "{case} {program}");
    }
    let faults = &measured(&report, "half", "warm", "qemu-img map")["map"];
    assert_eq!((&faults["zeros_called_data"], &faults["first_wrong_block"]), (&8.into(), &1.into()));
    // A warm file costs the disk nothing, but for pages of the program itself that a busy system has evicted; a cold one all that is not
    // settled by a page.
    let read =
        |cache| measured(&report, "zeros", cache, "imsprep --io auto")["device_read"].as_u64().unwrap();
    assert!(read("warm") < 1 << 20, "{}", read("warm"));
    assert!(read("cold") >= 32 << 20, "{}", read("cold"));
    assert!(folder.names().is_empty(), "nothing is left behind: {:?}", folder.names());
}

#[test]
fn an_image_of_ones_own_is_measured_and_stays_as_it_was() {
    let folder = Folder::on_disk();
    folder.sparse("-odd name.raw", 8 << 20, &[5 << 20]);
    let (status, report) =
        folder.json(&["bench", "--rounds", "2", "--cache", "warm", "--no-rivals", "./-odd name.raw"]);
    assert_eq!(status, 0);
    let row = &report["rows"][0];
    assert_eq!((&row["case"], &row["data_blocks"]), (&"-odd name.raw".into(), &1.into()));
    assert_eq!(report["rivals"], Value::Array(vec![]));
    // Two rounds, of several samples each, since it is done at once.
    let samples = measured(&report, "-odd name.raw", "warm", "imsprep --io read")["samples"].as_u64();
    assert!(samples >= Some(2), "{samples:?}");
    assert_eq!(folder.names(), ["-odd name.raw"]);
}

#[test]
fn a_conversion_without_what_no_file_holds_is_measured_beside_other_ways() {
    need_tools(["mkfs.ext4", "debugfs", "zerofree", "cp"]);
    let folder = Folder::on_disk();
    // In the place of virt-sparsify a copy, and in that of another build this one.
    let virt = folder.write(
        "virt-sparsify",
        b"#!/bin/sh\n[ \"$1\" = --version ] && echo fake 1 && exit\n\
        [ \"$*\" = \"--quiet --format raw --convert raw $6 $7\" ] && cp \"$6\" \"$7\"\n",
    );
    std::fs::set_permissions(&virt, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let args = ["bench", "--json", "--size", "32M", "--rounds", "1", "--case", "sparsify", "--strict"];
    let run = folder
        .command(&args)
        .env("IMSPREP_VIRT_SPARSIFY", &virt)
        .env("IMSPREP_OTHER_BUILD", assert_cmd::cargo::cargo_bin("imsprep"))
        .output()
        .unwrap();
    let report = serde_json::from_slice::<Value>(&run.stdout).unwrap();
    assert_eq!(report["not_measured"], Value::Array(vec![]), "{report:#}");
    // In whole steps of a tenth of a MiB.
    let made = |cache: &str, program: &str| {
        let detail = measured(&report, "sparsify", cache, program)["detail"].as_str().unwrap().to_owned();
        let size = detail.strip_prefix("made ").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();
        (size, detail)
    };
    for cache in ["warm", "cold"] {
        let (ours, detail) = made(cache, "imsprep convert --sparsify");
        assert!(detail.contains(" MiB in use, ") && detail.ends_with(" MiB left out"), "{detail}");
        let [whole, fresh, zeroed, copied, other] = [
            "imsprep convert",
            "imsprep convert, the same files in a new file system",
            "cp, zerofree, imsprep convert",
            "virt-sparsify, imsprep convert",
            "imsprep convert, another build",
        ]
        .map(|program| made(cache, program).0);
        assert!(whole > 1.8 * ours && fresh <= ours && ours < fresh * 1.3, "{whole} {fresh} {ours}");
        assert!((ours - zeroed).abs() < 0.15 && (whole - copied).abs() < 0.15, "{zeroed} {copied}");
        assert!((whole - other).abs() < 0.15, "{other}");
    }
    assert_eq!(folder.names(), ["virt-sparsify"], "nothing else is left behind");
}

#[test]
fn a_disk_that_is_given_is_converted_without_what_no_file_holds_and_what_can_not_be_is_noted() {
    need_tools(["zerofree", "cp"]);
    let folder = Folder::on_disk();
    used_swap(&folder, "swap.raw");
    let args = ["bench", "--rounds", "1", "--cache", "warm", "--case", "sparsify", "swap.raw"];
    let (status, report) = folder.json(&args);
    assert_eq!(status, 0, "{report:#}");
    assert_eq!(report["rows"].as_array().unwrap().len(), 1, "no image is made: {report:#}");
    let detail = &measured(&report, "swap.raw", "warm", "imsprep convert --sparsify")["detail"];
    assert!(detail.as_str().unwrap().ends_with(", 0.0 MiB in use, 63.9 MiB left out"), "{detail}");
    // It is no ext.
    let noted = &report["not_measured"][0];
    assert_eq!(noted["what"], "cp, zerofree, imsprep convert on swap.raw, warm");
    assert!(noted["why"].as_str().unwrap().contains("exit status"), "{noted}");
    assert_eq!(folder.names(), ["swap.raw"]);
}

#[test]
fn learning_a_layout_is_measured_with_its_disk() {
    let folder = Folder::on_disk();
    let (status, report) =
        folder.json(&["bench", "--rounds", "1", "--case", "learn", "--cache", "warm,cold", "--no-rivals"]);
    assert_eq!(status, 0, "{report:#}");
    // There is no cold row.
    assert_eq!(report["rows"].as_array().unwrap().len(), 1, "{report:#}");
    let learned = measured(&report, "learn", "warm", "imsprep bitmap learn --program");
    let detail = learned["detail"].as_str().unwrap();
    let words = detail.split(' ').collect::<Vec<_>>();
    let &["proven", "by", images, "images,", _, "runs,", mib, "MiB", "of", "disk", "at", "most"] = &words[..]
    else {
        panic!("{detail}")
    };
    assert!(images.parse::<u64>().unwrap() > 40, "{detail}");
    // Its images are sparse: the largest have more than 1 TiB, and all of them less than 2 GiB on the disk.
    assert!((0.0..2048.0).contains(&mib.parse::<f64>().unwrap()), "{detail}");
    assert_eq!(learned["map"]["state"], "none");
    assert!(folder.names().is_empty(), "nothing is left behind: {:?}", folder.names());
}

#[test]
fn absent_rivals_are_named_and_count_under_strict() {
    let folder = Folder::on_disk();
    for (strict, status) in [(&["--strict"][..], 1), (&[], 0)] {
        let small = &["bench", "--size", "16M", "--rounds", "1", "--case", "data", "--cache", "warm"][..];
        let run = folder.command(&[small, strict].concat()).env("PATH", "/nowhere").output().unwrap();
        assert_eq!(run.status.code(), Some(status), "{}", String::from_utf8_lossy(&run.stderr));
        let text = String::from_utf8(run.stdout).unwrap();
        assert!(text.contains("qemu-img is not installed (Debian's package qemu-utils)"), "{text}");
    }
}

#[test]
fn a_signal_ends_the_run_and_removes_what_was_made() {
    let folder = Folder::on_disk();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("imsprep"))
        .args(["bench", "--size", "64M", "--rounds", "1000", "--case", "zeros", "--no-rivals"])
        .current_dir(folder.path("."))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while folder.names().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    kill("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(folder.names().is_empty(), "nothing is left behind: {:?}", folder.names());
}
