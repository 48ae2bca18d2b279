//! Archives and hives that other programs made.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is not as it should be ends the test"
)]

#[macro_use]
extern crate imsprep_testdata;

#[path = "../src/windows/test_hive.rs"]
mod test_hive;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use imsprep_guest::{Hive, read_initramfs};
use imsprep_testdata::{command, each, need_tools};
use test_hive::{Node, hive};

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}

/// What a program prints when it is given these bytes.
fn through(program: &str, arguments: &[&str], input: &[u8], folder: &Path) -> Vec<u8> {
    let mut child = command(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

/// A tree like that of an initramfs: modules with noise in them, which does not compress, and text, which does.
fn tree(folder: &Path) -> String {
    let modules = folder.join("usr/lib/modules/6.1.0/kernel");
    std::fs::create_dir_all(&modules).unwrap();
    std::fs::create_dir_all(folder.join("etc/udev/rules.d")).unwrap();
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    std::fs::write(modules.join("virtio_blk.ko"), noise.take(600_000).collect::<Vec<_>>()).unwrap();
    std::fs::write(modules.join("virtio-net.ko.xz"), "x".repeat(700_000)).unwrap();
    std::fs::write(folder.join("etc/udev/rules.d/70-persistent-net.rules"), "# none\n").unwrap();
    let names = [
        "usr",
        "usr/lib/modules/6.1.0/kernel/virtio_blk.ko",
        "usr/lib/modules/6.1.0/kernel/virtio-net.ko.xz",
        "etc/udev/rules.d/70-persistent-net.rules",
    ];
    names.join("\n") + "\n"
}

#[test]
fn archives_of_real_compressors() {
    need_tools(["cpio"]);
    let dir = tempfile::tempdir().unwrap();
    let names = tree(dir.path());
    let archive = through("cpio", &["-o", "-H", "newc", "--quiet"], names.as_bytes(), dir.path());
    // With the options of the programs that make initramfs archives.
    let cases: [(&str, &[&str], &str); 9] = [
        ("gzip", &["-n", "-9"], "gzip"),
        ("bzip2", &["-9"], "bzip2"),
        ("xz", &["--check=crc32", "-T1"], "xz"),
        ("xz", &["-9", "--check=crc32", "--x86", "--lzma2=dict=1MiB"], "xz"),
        ("xz", &["--format=lzma", "-9"], "lzma"),
        ("lzop", &["-9"], "lzo"),
        ("lz4", &["-l", "-9"], "lz4"),
        ("zstd", &["-q", "-19", "-T1"], "zstd"),
        ("zstd", &["-q", "-1"], "zstd"),
    ];
    each(cases, |(program, arguments, name)| {
        need_tools([program]);
        let packed = through(program, arguments, &archive, dir.path());
        let found = read_initramfs(&[archive.clone(), packed.clone(), vec![0; 3]].concat());
        assert_eq!(
            (found.incomplete.as_deref(), &found.compressors[..]),
            (None, &["none", name][..]),
            "{program}"
        );
        assert_eq!(
            (found.modules.len(), found.modules["6.1.0"].len(), found.net_rules.len()),
            (1, 2, 1),
            "{program}"
        );
        // One that was cut off does not pass for a whole one.
        let cut = read_initramfs(&packed[..packed.len() / 2].to_vec());
        assert!(cut.incomplete.is_some(), "{program}");
        // Altered bytes are found, or what they changed is read.
        for at in (0..packed.len()).step_by(packed.len() / 7) {
            let mut altered = packed.clone();
            altered[at] ^= 0x55;
            read_initramfs(&altered);
        }
    });
}

#[test]
fn hives_that_hivex_wrote() {
    need_tools(["hivexsh"]);
    let dir = tempfile::tempdir().unwrap();
    let mut root = Node::default();
    root.number("Select", "Default", 1).text("Other", "Name", "value");
    std::fs::write(dir.path().join("hive"), hive(&root, b"lf")).unwrap();
    let mut script = String::from("cd \\Select\nsetval 2\nDefault\ndword:7\nCurrent\nstring:text\n");
    for number in 0..40 {
        script += &format!("cd \\Other\nadd key{number}\ncd key{number}\nsetval 1\nStart\ndword:{number}\n");
    }
    script += "commit\n";
    through("hivexsh", &["-w", "hive"], script.as_bytes(), dir.path());
    let bytes = std::fs::read(dir.path().join("hive")).unwrap();
    let found = Hive::open(&bytes, &[]).unwrap();
    assert_eq!(found.value("Select", "Default").unwrap().unwrap().number(), Some(7));
    assert_eq!(found.value("select", "current").unwrap().unwrap().text().as_deref(), Some("text"));
    for number in 0..40 {
        let value = found.value(&format!(r"OTHER\Key{number}"), "start").unwrap().unwrap();
        assert_eq!(value.number(), Some(number));
    }
    assert_eq!(found.names(&found.key("Other").unwrap().unwrap()).unwrap().len(), 40);
    assert_eq!(found.value("Other", "Name").unwrap().unwrap().text().as_deref(), Some("value"));
}
