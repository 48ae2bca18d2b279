//! `--io auto`: each mode is chosen where it should be, and says why under -v; and what a scan takes of memory.

use std::process::Command;

use imsprep_source::ImageFile;
use imsprep_testdata::need_tools;

use crate::faults::FuseFile;
use crate::folder::Folder;
use crate::mounts::LoopDevice;

const MIB: u64 = 1 << 20;

/// The line on the scan that a person sees.
fn scan_line(folder: &Folder, image: &str, more: &[&str]) -> String {
    let run = folder.run(&[&["bitmap", "create", image, "-o", "disk.mf", "--force", "-v"], more].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    run.out.lines().find(|line| line.contains("scan")).unwrap().to_owned()
}

#[test]
fn a_warm_file_is_mapped_a_cold_one_read_and_a_mode_that_is_asked_for_taken() {
    let folder = Folder::on_disk();
    folder.write("disk.raw", &vec![0; 8 << 20]);
    let line = scan_line(&folder, "disk.raw", &[]);
    assert!(line.contains("--io map: 100 % of its data is in memory"), "{line}");
    // What tells the format looks at a few pages first, which are then in memory again.
    ImageFile::open(folder.path("disk.raw")).unwrap().forget_cached();
    let line = scan_line(&folder, "disk.raw", &[]);
    assert!(line.contains("--io read: only "), "{line}");
    for mode in ["map", "read"] {
        let line = scan_line(&folder, "disk.raw", &["--io", mode]);
        assert!(line.contains(&format!("--io {mode}: as requested")), "{line}");
    }
    let line = scan_line(&folder, "disk.raw", &["--io", "direct"]);
    let refused = line.contains("--io read: direct reads are not supported here");
    assert!(refused || line.contains("--io direct: as requested"), "{line}");
}

#[test]
fn a_file_system_of_another_program_is_read() {
    need_tools(["nbdfuse", "nbdkit", "fusermount3"]);
    let folder = Folder::new();
    let file = FuseFile::sound(&folder);
    let line = scan_line(&folder, "disk.raw", &[]);
    assert!(line.contains("--io read: on FUSE"), "{line}");
    drop(file);
}

#[test]
fn a_block_device_is_read_and_gives_the_bitmap_of_its_file() {
    let folder = Folder::on_disk();
    folder.sparse("disk.raw", 40 * MIB, &[0, 21 * MIB, 40 * MIB - 1]);
    let device = LoopDevice::over(&folder.path("disk.raw"), "");
    let (_, json) = folder.json(&["detect", &device.0]);
    let size = (40 * MIB).into();
    assert_eq!((&json["files"][0]["kind"], &json["files"][0]["file_size"]), (&"block-device".into(), &size));
    let line = scan_line(&folder, &device.0, &[]);
    assert!(line.contains("--io read: a block device"), "{line}");
    let of_device = std::fs::read(folder.path("disk.mf")).unwrap();
    scan_line(&folder, "disk.raw", &[]);
    assert_eq!(of_device, std::fs::read(folder.path("disk.mf")).unwrap());
    assert_eq!(of_device[..3], [0b0000_0001, 0b0000_0100, 0b0000_1000]);
}

#[test]
fn memory_does_not_grow_with_the_image() {
    let folder = Folder::on_disk();
    let places = (0..2000).map(|n| n * 500 * MIB + 12_345).collect::<Vec<_>>();
    folder.sparse("small.raw", 64 * MIB, &[12_345]);
    folder.sparse("large.raw", 1 << 40, &places);
    // RLIMIT_DATA: buffers, heap and stacks, but not what is mapped of files.
    let runs_in = |kibibytes: &str, image: &str, mode: &str| {
        let output = Command::new("sh")
            .args(["-c", "ulimit -d $1; shift; exec \"$@\"", "sh", kibibytes])
            .arg(assert_cmd::cargo::cargo_bin("imsprep"))
            .args(["bitmap", "create", image, "-o", "disk.mf", "--force", "--threads", "2", "--io", mode])
            .current_dir(folder.path("."))
            .output()
            .unwrap();
        output.status.success()
    };
    for mode in ["auto", "read", "map", "direct"] {
        assert!(runs_in("65536", "large.raw", mode), "{mode}");
    }
    assert!(
        runs_in("65536", "small.raw", "read") && !runs_in("8192", "small.raw", "read"),
        "a limit that counts"
    );
}
