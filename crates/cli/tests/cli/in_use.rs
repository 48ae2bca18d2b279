//! Images that a program has open for writing, as a running virtual machine has: a warning of each command that judges them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, codes};

/// qemu's shell with an image open, until it is dropped.
struct QemuIo(Child);

impl QemuIo {
    fn new(folder: &Folder, flags: &[&str], order: &str, image: &str) -> Self {
        let mut child = command("qemu-io")
            .args(flags)
            .arg(image)
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // What it prints shows that it has the image open.
        writeln!(child.stdin.as_mut().unwrap(), "{order}").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        Self(child)
    }
}

impl Drop for QemuIo {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Whether each command warns about the image.
fn warned(folder: &Folder, image: &str) -> Vec<bool> {
    let is_warned = |report: &serde_json::Value| codes(report).contains(&"IMS-038".to_owned());
    let (_, check) = folder.json(&["check", "--quick", image]);
    let (status, convert) = folder.json(&["convert", "--force", image, "out.zvhd2"]);
    assert_eq!(status, 0, "{convert}");
    let (_, prepare) =
        folder.json(&["prepare", "--force", "--purpose", "data", image, "-o", "prepared.zvhd2"]);
    let planned = &prepare["conversion"]["report"];
    vec![is_warned(&check["files"][0]["report"]), is_warned(&convert["report"]), is_warned(planned)]
}

#[test]
fn an_image_that_a_virtual_machine_writes_to_is_a_warning() {
    need_tools(["qemu-io", "qemu-img"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 9 << 20, &[0, 5 << 20]);
    let make = ["convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2"];
    assert!(command("qemu-img").args(make).current_dir(folder.path(".")).status().unwrap().success());
    for (image, format) in [("disk.raw", "raw"), ("disk.qcow2", "qcow2")] {
        {
            let _running = QemuIo::new(&folder, &["-f", format], "write -P 7 1M 64k", image);
            assert_eq!(warned(&folder, image), [true; 3], "{image}");
            let run = folder.run(&["convert", "--force", image, "out.zvhd2"]);
            let why = "a program, such as qemu with a running virtual machine, has it open for writing";
            assert!(run.status == 0 && run.err.contains(why), "{run:?}");
            let run = folder.run(&["convert", "--strict", "--force", image, "strict.zvhd2"]);
            assert!(run.status == 1 && !folder.path("strict.zvhd2").exists(), "{run:?}");
        }
        // One that only reads it changes nothing.
        let _reading = QemuIo::new(&folder, &["-r", "-f", format], "read 0 512", image);
        assert_eq!(warned(&folder, image), [false; 3], "{image}");
    }
}

/// What is free may be in use by the time at which it is read.
#[test]
fn nothing_is_left_out_of_such_an_image() {
    need_tools(["qemu-io", "mkfs.ext4"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 32 << 20, &[]);
    let made = command("mkfs.ext4").args(["-q", "disk.raw"]).current_dir(folder.path(".")).status();
    assert!(made.unwrap().success());
    let left_out = || {
        let (status, json) = folder.json(&["convert", "--force", "--sparsify", "disk.raw", "out.zvhd2"]);
        assert_eq!(status, 0, "{json}");
        json["left_out"]["bytes"].as_u64()
    };
    assert!(left_out() > Some(0));
    let _running = QemuIo::new(&folder, &["-f", "raw"], "read 0 512", "disk.raw");
    assert_eq!(left_out(), Some(0));
}
