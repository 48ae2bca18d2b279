//! Limits and permissions that can't be lived with: an error that says which, exit 2, and nothing left behind.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use imsprep_testdata::need_root;

use crate::folder::{Folder, names_in};
use crate::mounts::LoopDevice;
use crate::way::Way;

const MIB: u64 = 1 << 20;

/// What is said to whoever may not: what can be done about it.
const WAY_OUT: &str = "run imsprep as another user (sudo), or change the permissions";

#[test]
fn a_limit_on_the_size_of_files() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 70 << 30, &[0, 40 << 30]);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2", "-q"]).status, 0);
    let here = folder.path(".");
    for args in [
        &["bitmap", "create", "disk.raw"][..],
        &["convert", "disk.raw", "new.zvhd2"],
        &["convert", "disk.zvhd2", "new.raw"],
        &["check", "--manifest", "sums.json", "disk.zvhd2"],
    ] {
        let run = Way::plain().limit("--fsize=100").run(&here, args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(
            run.err.contains("nothing was written") && run.err.contains("File too large"),
            "{args:?}: {}",
            run.err
        );
        assert_eq!(folder.names(), ["disk.raw", "disk.zvhd2"], "{args:?}");
    }
    // What went to a stream can't be taken back; that it is not whole is said.
    let whole = Way::plain().output(&here, &["convert", "disk.raw", "-"]);
    assert!(whole.status.success() && whole.stdout.len() > 2048);
    let output = Way::plain()
        .limit("--fsize=2048")
        .command(&here, &["convert", "disk.raw", "-"])
        .stdout(Stdio::from(File::create(folder.path("stream")).unwrap()))
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("the output is incomplete") && err.contains("File too large"), "{err}");
    assert!(folder.path("stream").metadata().unwrap().len() <= 2048);
}

#[test]
fn a_limit_on_processes() {
    // Only root can become a user without other processes.
    need_root();
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[0]);
    folder.write("disk.zvhd2", imsprep_testdata::golden("zstd_a_8m.zvhd2"));
    std::fs::create_dir(folder.path("out")).unwrap();
    std::fs::set_permissions(folder.path("out"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let here = folder.path(".");
    let of_two = || Way::unprivileged(&folder, 64_124).limit("--nproc=2");
    let run = of_two().threads(8).run(&here, &["bitmap", "create", "disk.raw", "-o", "out/disk.mf"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
    assert!(run.err.contains("cannot start the worker threads; try --threads 1"), "{}", run.err);
    assert_eq!(run.err.matches("os error").count(), 1, "{}", run.err);
    // A hash needs one more beside the worker.
    for image in ["disk.raw", "disk.zvhd2"] {
        let run = of_two().threads(1).run(&here, &["check", "--manifest", "out/sums.json", image]);
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.err.contains(&format!("{image}: cannot start a thread to hash it: ")), "{}", run.err);
    }
    assert!(names_in(&folder.path("out")).is_empty());
}

#[test]
fn a_device_that_is_not_for_this_user() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[0]);
    let device = LoopDevice::over(&folder.path("disk.raw"), "");
    let here = folder.path(".");
    let nobody = Way::unprivileged(&folder, 64_125);
    for args in [
        &["check", &device.0][..],
        &["inspect", &device.0],
        &["bitmap", "create", &device.0, "-o", "disk.mf"],
        &["convert", &device.0, "disk.zvhd2"],
        &["compare", &device.0, "disk.raw"],
    ] {
        let run = nobody.run(&here, args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        let expected = format!("{}: cannot open: Permission denied (os error 13)\nhint: {WAY_OUT}", device.0);
        assert!(run.err.contains(&expected), "{args:?}: {}", run.err);
        assert_eq!(folder.names(), ["disk.raw", "imsprep-copy"], "{args:?}");
    }
}

#[test]
fn a_file_and_a_folder_that_are_not_for_this_user() {
    let folder = Folder::new();
    let image = folder.sparse("disk.raw", MIB, &[0]);
    std::fs::create_dir(folder.path("closed")).unwrap();
    let here = folder.path(".");
    let nobody = Way::unprivileged(&folder, 64_125);
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&image, 0o000);
    let run = nobody.run(&here, &["check", "disk.raw"]);
    assert_eq!(run.status, 2, "{run:?}");
    let words = format!("disk.raw: cannot open: Permission denied (os error 13)\nhint: {WAY_OUT}\n");
    assert!(run.err.contains(&words), "{}", run.err);
    mode(&image, 0o444);
    mode(&folder.path("closed"), 0o555);
    let run = nobody.run(&here, &["bitmap", "create", "disk.raw", "-o", "closed/disk.mf"]);
    assert_eq!(run.status, 2, "{run:?}");
    let words =
        "closed/disk.mf: cannot create a temporary file beside it; nothing was written: Permission denied";
    assert!(run.err.contains(words) && run.err.contains(WAY_OUT), "{}", run.err);
    assert!(names_in(&folder.path("closed")).is_empty());
}
