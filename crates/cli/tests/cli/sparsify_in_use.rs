//! `--sparsify` of a disk that this machine writes to: nothing is left out, since what is free may be in use by the time it is read.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use imsprep_testdata::{command, missing, need_root, need_tools};
use serde_json::Value;

use crate::folder::Folder;
use crate::mounts::{LoopDevice, script};

/// A Btrfs, which does not show that it is mounted, in `disk.raw` at this offset.
fn btrfs(folder: &Folder, offset: u64) -> Vec<u8> {
    need_root();
    need_tools(["mkfs.btrfs", "mount", "umount", "losetup"]);
    let make = format!(
        "truncate -s 128M part; mkfs.btrfs -q part; truncate -s 130M disk.raw
        dd if=part of=disk.raw bs=64K seek={} conv=notrunc,sparse status=none; rm part; mkdir -p at",
        offset >> 16
    );
    script(&folder.path(""), &make).unwrap();
    std::fs::read(folder.path("disk.raw")).unwrap()
}

/// What is mounted at `at`, until it is dropped.
struct Mounted<'f>(&'f Folder);

impl<'f> Mounted<'f> {
    fn new(folder: &'f Folder, options: &str, what: &str) -> Self {
        if let Err(error) = script(&folder.path(""), &format!("mount -o {options} {what} at")) {
            missing(format!("it can't be mounted: {error}"));
        }
        Self(folder)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = script(&self.0.path(""), "umount at");
    }
}

/// The only volume of an image, as a conversion with `--sparsify` lists it.
fn volume(folder: &Folder, image: &str) -> Value {
    let (status, mut json) = folder.json(&["convert", "--force", "--sparsify", image, "out.zvhd2"]);
    assert_eq!(status, 0, "{json}");
    assert_eq!(json["left_out"]["volumes"].as_array().unwrap().len(), 1, "{json}");
    let volume = json["left_out"]["volumes"][0].take();
    assert_eq!(json["left_out"]["bytes"].as_u64(), Some(volume["free"].as_u64().unwrap_or(0)), "{json}");
    volume
}

fn assert_kept(volume: &Value, reason: &str) {
    let kept = volume["kept"].as_str().unwrap_or_default();
    assert!(kept.starts_with("the disk is in use: ") && kept.contains(reason), "{volume}");
}

#[test]
fn a_file_that_is_mounted_through_a_loop_device_keeps_all() {
    let folder = Folder::on_disk();
    let before = btrfs(&folder, 0);
    let is_free = |image: &str| volume(&folder, image)["free"].as_u64() > Some(64 << 20);
    assert!(is_free("disk.raw"));
    let at = format!("mounted at {}", folder.path("at").display());
    {
        let _mounted = Mounted::new(&folder, "loop", "disk.raw");
        script(&folder.path(""), "head -c 5M /dev/urandom > at/file; sync -f at").unwrap();
        assert_kept(&volume(&folder, "disk.raw"), &at);
        // Whatever the name; and the device itself.
        script(&folder.path(""), "ln -s disk.raw link.raw").unwrap();
        assert_kept(&volume(&folder, "link.raw"), &at);
        let device = script(&folder.path(""), "losetup -n -O NAME -j disk.raw").unwrap();
        assert_kept(&volume(&folder, &device), &at);
        let run = folder.run(&["convert", "--force", "--sparsify", "disk.raw", "out.zvhd2"]);
        assert!(run.out.contains("kept as it is: the disk is in use: "), "{}", run.out);
        let run = folder.run(&["compare", "--sparsify", "disk.raw", "out.zvhd2"]);
        assert!(run.out.contains("the disk is in use: "), "{} {}", run.out, run.err);
    }
    assert!(is_free("disk.raw"), "it is not mounted any more");
    {
        // Nothing is written to it.
        let _mounted = Mounted::new(&folder, "loop,ro", "disk.raw");
        assert!(is_free("disk.raw"));
    }
    assert!(std::fs::read(folder.path("disk.raw")).unwrap() != before);
}

#[test]
fn a_part_of_a_file_that_is_mounted_keeps_all() {
    let folder = Folder::on_disk();
    let _disk = btrfs(&folder, 1 << 20);
    let mut table = command("sfdisk");
    need_tools(["sfdisk"]);
    let mut table =
        table.args(["-q", "disk.raw"]).current_dir(folder.path("")).stdin(Stdio::piped()).spawn().unwrap();
    table.stdin.take().unwrap().write_all(b"label: gpt\nstart=2048,size=262144,type=L\n").unwrap();
    assert!(table.wait().unwrap().success());
    assert!(volume(&folder, "disk.raw")["free"].is_u64());
    let _mounted = Mounted::new(&folder, "loop,offset=1048576,sizelimit=134217728", "disk.raw");
    assert_kept(&volume(&folder, "disk.raw"), "mounted at ");
}

/// In a container, say: the mount is not visible here, and the kernel does not give the device away.
#[test]
fn a_device_that_is_mounted_elsewhere_keeps_all() {
    need_tools(["unshare"]);
    let folder = Folder::on_disk();
    let _disk = btrfs(&folder, 0);
    let device = LoopDevice::over(&folder.path("disk.raw"), "");
    assert!(volume(&folder, &device.0)["free"].is_u64());
    let mut elsewhere = command("unshare")
        .args(["--mount", "sh", "-e", "-c", "mount \"$0\" at; echo mounted; read -r end"])
        .arg(&device.0)
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(elsewhere.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line != "mounted\n" {
        missing("it can't be mounted in a namespace");
    }
    assert_kept(&volume(&folder, &device.0), "holds the device");
    drop(elsewhere.stdin.take());
    elsewhere.wait().unwrap();
    assert!(volume(&folder, &device.0)["free"].is_u64());
}
