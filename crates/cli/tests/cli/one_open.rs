//! Each command opens its image by name once: what is judged is what is read, whatever the name leads to by then.

use imsprep_testdata::{command, need_tools};

use crate::changing::Stopped;
use crate::folder::Folder;
use crate::strace::{calls, calls_on, first_of_its_number, need_tracing};
use crate::writers::{Left, Stage, Writer};

/// Command lines, and the images that they read.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&["detect", "disk.raw"], &["disk.raw"]),
    (&["inspect", "disk.raw"], &["disk.raw"]),
    (&["inspect", "disk.qcow2"], &["disk.qcow2"]),
    (&["check", "pair.raw"], &["pair.raw"]),
    (&["check", "pair.raw", "--quick"], &["pair.raw"]),
    (&["check", "pair.raw", "--manifest", "sums.json"], &["pair.raw"]),
    (&["check", "disk.raw", "--write-bitmap", "--io", "direct"], &["disk.raw"]),
    (&["check", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["check", "disk.qcow2"], &["disk.qcow2"]),
    (&["compare", "disk.raw", "whole.zvhd2"], &["disk.raw", "whole.zvhd2"]),
    (&["bitmap", "create", "disk.raw", "-o", "out/a.mf", "--io", "map"], &["disk.raw"]),
    (&["bitmap", "create", "disk.raw", "-o", "out/b.mf", "--io", "read"], &["disk.raw"]),
    (&["bitmap", "verify", "pair.raw"], &["pair.raw"]),
    (&["convert", "disk.raw", "out/disk.zvhd2", "--verify"], &["disk.raw"]),
    (&["convert", "whole.zvhd2", "out/whole.raw"], &["whole.zvhd2"]),
    (&["convert", "disk.raw.gz", "out/unpacked.img"], &["disk.raw.gz"]),
    (&["convert", "disk.raw.zip", "out/unzipped.img"], &["disk.raw.zip"]),
    (&["convert", "disk.qcow2", "out/disk.img"], &["disk.qcow2"]),
    (&["prepare", "disk.qcow2", "-o", "out/prepared.zvhd2"], &["disk.qcow2"]),
    (&["prepare", "pair.raw"], &["pair.raw"]),
    (&["prepare", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["request", "pair.raw", "--bucket", "b-1", "--name", "n", "--purpose", "data"], &["pair.raw"]),
    (&["zvhd2", "check", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["zvhd2", "info", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["zvhd2", "map", "whole.zvhd2"], &["whole.zvhd2"]),
    (&["zvhd2", "repair", "whole.zvhd2", "out/saved.zvhd2"], &["whole.zvhd2"]),
];

/// How often the command, or a child of it, opens the file by its name.
fn opens(folder: &Folder, args: &[&str], name: &str) -> usize {
    let (all, output) = calls(folder, &["openat"], args);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {output:?}");
    let names = [format!("\"{name}\""), format!("/{name}\"")];
    all.iter().filter(|call| names.iter().any(|name| call.text.contains(name))).count()
}

#[test]
fn each_command_opens_its_image_once() {
    need_tracing();
    let stage = Stage::new();
    for (args, images) in COMMANDS {
        for image in *images {
            assert_eq!(opens(&stage.folder, args, image), 1, "{args:?}: {image}");
        }
        // What it wrote would be in the way of the same command.
        for name in ["disk.mf", "out/disk.zvhd2", "out/whole.raw"] {
            let _ = std::fs::remove_file(stage.folder.path(name));
        }
    }
}

/// The child gets the open file.
#[test]
fn an_image_that_qemu_reads_is_opened_once_as_well() {
    need_tracing();
    need_tools(["qemu-img", "qemu-nbd"]);
    let folder = Folder::new();
    folder.sparse("source.raw", 21 << 20, &[0, 7 << 20]);
    let args = ["convert", "-f", "raw", "-O", "vhdx", "source.raw", "disk.vhdx"];
    assert!(command("qemu-img").args(args).current_dir(folder.path(".")).status().unwrap().success());
    for args in [&["convert", "disk.vhdx", "disk.zvhd2"][..], &["prepare", "disk.vhdx", "-o", "b.zvhd2"]] {
        assert_eq!(opens(&folder, args, "disk.vhdx"), 1, "{args:?}");
    }
    assert_eq!(folder.run(&["compare", "source.raw", "disk.zvhd2"]).status, 0);
}

/// The file that is put there names another one, which a conversion would be refused for.
#[test]
fn a_source_that_is_swapped_after_the_first_look_is_not_converted() {
    need_tracing();
    let mut stage = Stage::new();
    let mut overlay = std::fs::read(stage.folder.path("disk.qcow2")).unwrap();
    overlay[8..16].copy_from_slice(&512_u64.to_be_bytes());
    overlay[16..20].copy_from_slice(&11_u32.to_be_bytes());
    overlay[512..523].copy_from_slice(b"/etc/passwd");
    let good = std::fs::read(stage.folder.path("disk.qcow2")).unwrap();
    for args in [
        &["convert", "disk.qcow2", "out/disk.zvhd2"][..],
        &["convert", "disk.qcow2", "out/disk.raw"],
        &["prepare", "disk.qcow2", "-o", "out/disk.zvhd2"],
    ] {
        let outputs: &[&str] =
            if args[2].ends_with("raw") { &["out/disk.raw", "out/disk.mf"] } else { &["out/disk.zvhd2"] };
        let writer = Writer { args: &[], outputs, inputs: &["disk.qcow2"], replaces: false };
        let (reads, _) = calls_on(&stage.folder, Some("disk.qcow2"), &["pread64"], args);
        stage.clear(&writer);
        let thread_calls = first_of_its_number(&reads);
        for read in [thread_calls.first().unwrap(), &thread_calls[thread_calls.len() / 2]] {
            for in_place in [false, true] {
                let stopped = Stopped::at(&stage, read, args).unwrap();
                let path = stage.folder.path("disk.qcow2");
                if in_place {
                    std::fs::write(&path, &overlay).unwrap();
                } else {
                    stage.folder.write("other", &overlay);
                    std::fs::rename(stage.folder.path("other"), &path).unwrap();
                }
                stage.remember();
                let output = stopped.go_on();
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                let context = format!("{args:?} in place: {in_place}, {read:?}: {err}");
                // Refused for what it is by now, or for having changed.
                assert!(matches!(output.status.code(), Some(1 | 2)), "{context}");
                assert!(in_place || err.contains("another file has its name now"), "{context}");
                stage.assert_left(&writer, Left::Nothing, &context);
                std::fs::write(&path, &good).unwrap();
                stage.remember();
            }
        }
    }
}
