//! Every kind of bad input: a clear error that names the file and the way out, exit 2, and nothing left behind.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::folder::{Folder, HANGS, codes, kill};
use crate::mounts::with_own_mounts;

const MIB: u64 = 1 << 20;

#[test]
fn a_missing_file() {
    let folder = Folder::new();
    for args in [
        &["check", "none.raw"][..],
        &["detect", "none.raw"],
        &["bitmap", "create", "none.raw"],
        &["bitmap", "verify", "none.raw"],
        &["zvhd2", "check", "none.raw"],
        &["zvhd2", "info", "none.raw"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.err.contains("none.raw: cannot open: No such file"), "{}", run.err);
        assert_eq!(run.out, "", "{args:?}");
    }
}

#[test]
fn a_missing_bitmap_is_named() {
    let folder = Folder::new();
    folder.sparse("disk.raw", MIB, &[0]);
    let run = folder.run(&["bitmap", "verify", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("disk.mf: cannot open"), "{}", run.err);
}

#[test]
fn what_is_no_name_of_a_file_says_what_to_do() {
    let folder = Folder::new();
    for (args, hint) in [
        (&["check", "https://example.com/disk.raw"][..], "imsprep convert - disk.zvhd2"),
        (&["convert", "http://example.com/a.raw", "a.zvhd2"], "imsprep convert - disk.zvhd2"),
        (&["detect", "obs://bucket/disk.raw"], "download the file first"),
        (&["check", "-"], "only imsprep convert reads standard input"),
        (&["inspect", "-"], "only imsprep convert reads standard input"),
        (&["bitmap", "show", "none.mf"], "imsprep bitmap create"),
        (&["zvhd2", "check", "disk.raw"], "imsprep detect"),
        (&["convert", "disk.raw", "copy.raw"], "imsprep bitmap create"),
        (&["convert", "disk.raw", "disk.raw"], "imsprep bitmap create"),
    ] {
        folder.sparse("disk.raw", MIB, &[0]);
        let run = folder.run(args);
        assert!(
            run.status > 0 && run.err.contains("error: ") && run.err.contains("hint: "),
            "{args:?}: {run:?}"
        );
        assert!(run.err.contains(hint), "{args:?}: {}", run.err);
    }
}

#[test]
fn a_folder_without_images() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("images")).unwrap();
    std::fs::write(folder.path("images/notes.txt"), "none here").unwrap();
    let run = folder.run(&["check", "images"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("images: no disk images in this folder"), "{}", run.err);
    let run = folder.run(&["bitmap", "create", "images"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("images: is a directory"), "{}", run.err);
}

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    folder.write("disk.raw", b"");
    let (status, json) = folder.json(&["check", "disk.raw"]);
    assert_eq!(status, 1);
    assert!(codes(&json["files"][0]["report"]).contains(&"IMS-015".to_owned()));
    let run = folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("disk.raw: is empty"), "{}", run.err);
}

#[test]
fn a_symbolic_link_is_followed_and_a_dangling_one_is_an_error() {
    let folder = Folder::new();
    folder.sparse("disk.raw", MIB, &[0]);
    std::os::unix::fs::symlink("disk.raw", folder.path("link.raw")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path("dangling.raw")).unwrap();
    assert_eq!(folder.run(&["bitmap", "create", "link.raw"]).status, 0);
    assert_eq!(folder.names(), ["dangling.raw", "disk.raw", "link.mf", "link.raw"]);
    let run = folder.run(&["check", "dangling.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("dangling.raw: cannot open"), "{}", run.err);
}

#[test]
fn a_fifo_and_a_device_are_refused_without_waiting() {
    let folder = Folder::new();
    let made = Command::new("mkfifo").arg(folder.path("pipe.raw")).status().unwrap();
    assert!(made.success());
    for args in [["check", "pipe.raw"], ["detect", "pipe.raw"]] {
        let mut command = folder.command(&args);
        let output = command.timeout(HANGS).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("pipe.raw: is a named pipe (FIFO)"), "{err}");
    }
    let run = folder.run(&["check", "/dev/null"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("/dev/null: is a character device"), "{}", run.err);
}

#[test]
fn arguments_that_contradict_each_other() {
    let folder = Folder::new();
    folder.sparse("disk.raw", MIB, &[0]);
    for args in [
        &["check", "--quick", "--write-bitmap", "disk.raw"][..],
        &["check", "--quiet", "--json", "disk.raw"],
        &["check", "--quiet", "--verbose", "disk.raw"],
        &["rules", "--markdown", "--json"],
        &["check"],
        &["check", "--threads", "0", "disk.raw"],
        &["check", "--profile", "elsewhere", "disk.raw"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?}");
        assert!(run.err.contains("Usage") || run.err.contains("--help"), "{}", run.err);
    }
    assert_eq!(folder.names(), ["disk.raw"]);
}

#[test]
fn an_output_folder_without_space() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 70 << 30, &[0]);
    std::fs::create_dir(folder.path("full")).unwrap();
    // One page of space; the bitmap takes two.
    let script = "mount -t tmpfs -o size=4k tmpfs full && { \"$0\" bitmap create disk.raw -o full/disk.mf; \
                  echo \"status $?\"; ls -A full | wc -l; }";
    let output = with_own_mounts(script).current_dir(folder.path(".")).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        err.contains("full/disk.mf: cannot write to it; nothing was written: No space left"),
        "{out}{err}"
    );
    assert_eq!(out, "status 2\n0\n", "{err}");
}

/// An image of allocated zeros that takes a while to scan.
fn long_image(folder: &Folder) {
    let chunk = vec![0; 16 << 20];
    let mut file = std::fs::File::create(folder.path("disk.raw")).unwrap();
    for _ in 0..48 {
        std::io::Write::write_all(&mut file, &chunk).unwrap();
    }
}

/// Starts `bitmap create` on the long image and does something to it in the middle, again and again until it ended in a
/// way that `is_meant` takes: a run may be too quick, or not there yet. Returns status and errors.
fn disturb(
    folder: &Folder,
    io: &str,
    disturb: impl Fn(&std::process::Child),
    is_meant: impl Fn(i32, &str) -> bool,
) -> (i32, String) {
    let mut others = Vec::new();
    for delay in [30, 15, 60, 8, 120, 30, 15, 60, 22, 45, 90, 30, 15, 60, 22, 45] {
        long_image(folder);
        let child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
            .args(["bitmap", "create", "disk.raw", "--force", "--threads", "1", "--io", io])
            .current_dir(folder.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        disturb(&child);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        // No status: ended by the signal's default action, which came before the handler was there.
        let status = output.status.code().unwrap_or(0);
        if is_meant(status, &err) {
            return (status, err);
        }
        if status != 0 {
            assert_eq!(folder.names(), ["disk.raw"], "no bitmap, no temporary file");
        }
        others.push((status, err));
        let _ = std::fs::remove_file(folder.path("disk.mf"));
    }
    panic!("no run was disturbed as it was meant to be: {others:?}");
}

#[test]
fn a_file_that_shrinks_while_it_is_read() {
    for io in ["map", "read"] {
        let folder = Folder::new();
        let cut = |_: &std::process::Child| {
            let image = std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap();
            image.set_len(5 * MIB + 100).unwrap();
        };
        // With maps, the cut is to hit a window that is mapped: only then is there a bus error.
        let words = if io == "map" { "disk.raw: bus error at offset" } else { "disk.raw: the file " };
        let (status, err) = disturb(&folder, io, cut, |_, err| err.contains(words));
        assert_eq!(status, 2, "{err}");
        assert_eq!(folder.names(), ["disk.raw"], "no bitmap, no temporary file");
    }
}

#[test]
fn interrupt_and_terminate_leave_no_file() {
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let folder = Folder::new();
        let send = |child: &std::process::Child| {
            kill(signal, child.id());
        };
        let (status, err) = disturb(&folder, "auto", send, |status, _| status != 0);
        assert_eq!(status, expected, "{err}");
        assert!(err.contains("interrupted"), "{err}");
        assert_eq!(folder.names(), ["disk.raw"], "no bitmap, no temporary file");
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let folder = Folder::new();
    let send_both = |child: &std::process::Child| {
        // While it stands still, so that both wait for it when it goes on.
        for signal in ["-STOP", "-INT", "-TERM", "-CONT"] {
            kill(signal, child.id());
        }
    };
    // The one that was asked to stop would say so.
    let (status, _) = disturb(&folder, "auto", send_both, |status, err| status != 0 && err.is_empty());
    assert!([130, 143].contains(&status), "{status}");
    // It may have come after the bitmap had got its name: then it is whole.
    if folder.path("disk.mf").exists() {
        assert_eq!(folder.run(&["bitmap", "verify", "disk.raw"]).status, 0);
    }
    assert!(
        folder.names().iter().all(|name| ["disk.raw", "disk.mf"].contains(&name.as_str())),
        "{:?}",
        folder.names()
    );
}

#[test]
fn names_with_control_characters_are_never_printed_raw() {
    let folder = Folder::new();
    let name = "evil\u{1b}[2J\nname.raw";
    folder.sparse(name, MIB, &[0]);
    for args in
        [&["check", name][..], &["detect", name], &["bitmap", "create", name], &["bitmap", "verify", name]]
    {
        let run = folder.run(args);
        assert!(!run.out.contains('\u{1b}') && !run.err.contains('\u{1b}'), "{run:?}");
        assert!(run.out.contains(r"evil\u{1b}[2J\nname"), "{run:?}");
    }
    let run = folder.run(&["check", "none\u{1b}[2J.raw"]);
    assert!(run.err.contains(r"none\u{1b}[2J.raw: cannot open"), "{}", run.err);
}
