//! A disk that fails at one place, for real: a file of nbdfuse whose server refuses one offset.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, HANGS};

/// A page within block 10.
const BAD: u64 = (20 << 20) + 4096;

/// `disk.raw` in the folder, 64 MiB of zeros on a FUSE file system, gone when dropped.
pub(crate) struct FuseFile<'a> {
    folder: &'a Folder,
    server: Child,
}

impl<'a> FuseFile<'a> {
    /// All of it can be read.
    pub(crate) fn sound(folder: &'a Folder) -> Self {
        Self::serve(folder, 64 << 20, "pread=dd if=/dev/zero count=$3 iflag=count_bytes status=none")
    }

    /// One page can't be read.
    fn failing(folder: &'a Folder) -> Self {
        let pread = format!(
            "pread=if [ $4 -le {BAD} ] && [ $(($4+$3)) -gt {BAD} ]; then echo EIO >&2; exit 1; fi; \
             dd if=/dev/zero count=$3 iflag=count_bytes status=none"
        );
        Self::serve(folder, 64 << 20, &pread)
    }

    /// What is in another file of the folder, of which the byte at `bad` can't be read.
    pub(crate) fn failing_copy(folder: &'a Folder, name: &str, bad: u64) -> Self {
        let path = folder.path(name);
        let size = path.metadata().unwrap().len();
        let pread = format!(
            "pread=if [ $4 -le {bad} ] && [ $(($4+$3)) -gt {bad} ]; then echo EIO >&2; exit 1; fi; \
             dd if={} skip=$4 count=$3 bs=64K iflag=skip_bytes,count_bytes status=none",
            path.display()
        );
        Self::serve(folder, size, &pread)
    }

    fn serve(folder: &'a Folder, size: u64, pread: &str) -> Self {
        let path = folder.write("disk.raw", b"");
        let server = command("nbdfuse")
            .arg(&path)
            .args(["--command", "nbdkit", "-s", "eval", &format!("get_size=echo {size}"), pread])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while std::fs::metadata(&path).unwrap().len() != size {
            assert!(begun.elapsed() < HANGS, "nbdfuse did not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { folder, server }
    }
}

impl Drop for FuseFile<'_> {
    fn drop(&mut self) {
        let _ = command("fusermount3").arg("-u").arg(self.folder.path("disk.raw")).status();
        let _ = self.server.wait();
    }
}

#[test]
fn an_unreadable_place_is_named_in_every_mode_and_no_output_is_left() {
    need_tools(["nbdfuse", "nbdkit", "fusermount3"]);
    let folder = Folder::new();
    let file = FuseFile::failing(&folder);
    for mode in ["auto", "read", "map", "direct"] {
        let run = folder.run(&["bitmap", "create", "disk.raw", "--io", mode]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{mode}: {}", run.err);
        // Direct reads fail as a whole, at the start of the block.
        let offset = if mode == "direct" { 20 << 20 } else { BAD };
        let what = if mode == "map" { "bus error" } else { "cannot read" };
        assert!(run.err.contains(&format!("disk.raw: {what} at offset {offset}")), "{mode}: {}", run.err);
        assert_eq!(folder.names(), ["disk.raw"], "{mode}");
    }
    let run = folder.run(&["convert", "disk.raw", "disk.zvhd2"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""), "{}", run.err);
    assert!(run.err.contains(&format!("disk.raw: cannot read at offset {BAD}")), "{}", run.err);
    assert_eq!(folder.names(), ["disk.raw"]);
    drop(file);
}

#[test]
fn an_unreadable_place_in_another_format_is_named_and_no_output_is_left() {
    need_tools(["nbdfuse", "nbdkit", "fusermount3", "qemu-img"]);
    let folder = Folder::new();
    let content =
        (0..8_u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>();
    folder.write("source.raw", &content);
    for (format, options) in
        [("qcow2", &[][..]), ("vpc", &["-o", "subformat=dynamic,force_size=on"]), ("vmdk", &[])]
    {
        let args = [&["convert", "-f", "raw", "-O", format], options, &["source.raw", "image"]].concat();
        assert!(command("qemu-img").args(args).current_dir(folder.path(".")).status().unwrap().success());
        // Among the data, which ends where the file does.
        let bad = folder.path("image").metadata().unwrap().len() * 2 / 3 / 4096 * 4096;
        let file = FuseFile::failing_copy(&folder, "image", bad);
        for output in ["out.zvhd2", "out.img"] {
            let run = folder.run(&["convert", "disk.raw", output]);
            assert_eq!((run.status, run.out.as_str()), (2, ""), "{format}: {}", run.err);
            let place = run.err.split("disk.raw: cannot read at offset ").nth(1);
            let place = place.and_then(|rest| rest.split(':').next()?.parse::<u64>().ok()).unwrap_or(0);
            assert!((bad & !0xf_ffff..=bad).contains(&place), "{format}: bad is {bad}: {}", run.err);
            assert_eq!(folder.names(), ["disk.raw", "image", "source.raw"], "{format}");
        }
        drop(file);
    }
}

/// A process that is killed has no chance to clean up: what it was writing must not have a name yet.
#[test]
fn a_killed_process_leaves_nothing_half_written() {
    let folder = Folder::new();
    // Random data, which takes a second or two.
    let mut state = 1_u64;
    let noise = (0..6 << 20).flat_map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32).to_le_bytes()
    });
    folder.write("disk.raw", &noise.collect::<Vec<_>>());
    assert_eq!(folder.run(&["convert", "disk.raw", "whole.zvhd2", "-q"]).status, 0);
    let inputs = ["disk.raw", "whole.zvhd2"];
    let commands: [&[&str]; 4] = [
        &["bitmap", "create", "disk.raw"],
        &["convert", "--level", "9", "disk.raw", "out.zvhd2"],
        &["convert", "whole.zvhd2", "out.raw"],
        &["zvhd2", "repair", "whole.zvhd2", "out.zvhd2"],
    ];
    let mut killed = 0;
    for args in commands {
        for delay in [1, 3, 10, 30, 100, 300] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_imsprep"));
            command.args(args).current_dir(folder.path(".")).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            std::thread::sleep(Duration::from_millis(delay));
            child.kill().unwrap();
            let finished = child.wait().unwrap().success();
            killed += usize::from(!finished);
            for name in folder.names().iter().filter(|name| !inputs.contains(&name.as_str())) {
                // It had its name already, so it is whole, finished or not.
                let sound = match name.as_str() {
                    "disk.mf" | "out.mf" => folder.run(&["bitmap", "verify", "disk.raw", "--bitmap", name]),
                    name => folder.run(&["compare", "disk.raw", name]),
                };
                assert_eq!(sound.status, 0, "{args:?} after {delay} ms: {name}: {sound:?}");
                std::fs::remove_file(folder.path(name)).unwrap();
            }
        }
    }
    assert!(killed > 4, "{killed}: the processes were too fast for this test");
}
