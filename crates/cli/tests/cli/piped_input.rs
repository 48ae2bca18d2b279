//! Conversions of what comes through a pipe: the same as of the file, and of what needs a file a clear error.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use imsprep_testdata::{command, each, golden, need_tools};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use crate::folder::{Folder, Run, codes, kill};
use crate::schemas::assert_valid;
use crate::stop::wait;

const MIB: u64 = 1 << 20;
const IDENTITY: [&str; 4] = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];
const COMPRESSORS: [(&str, &str); 4] = [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst"), ("bzip2", "bz2")];

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).unwrap()
}

/// Runs with these bytes coming through a pipe.
fn piped(folder: &Folder, bytes: impl Into<Vec<u8>>, args: &[&str]) -> Run {
    run_of(folder.command(args).write_stdin(bytes).output().unwrap())
}

fn run_of(output: std::process::Output) -> Run {
    let run = Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert_valid(&run.out);
    run
}

/// What a program makes of a file of the folder.
fn compressed(folder: &Folder, tool: &str, name: &str) -> Vec<u8> {
    let output = command(tool).args(["-c", name]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// The first sector of a disk with one partition that ends at this byte.
fn mbr(end: u64) -> [u8; 512] {
    let mut sector = [0; 512];
    sector[446 + 4] = 0x83;
    sector[446 + 8..446 + 12].copy_from_slice(&2048_u32.to_le_bytes());
    sector[446 + 12..446 + 16].copy_from_slice(&(u32::try_from(end / 512).unwrap() - 2048).to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Disks with data and zeros: sizes that are a multiple of a block and not, sparse and dense.
fn disks() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    let sparse = |size: u64, places: &[u64]| {
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        places.iter().for_each(|place| bytes[usize::try_from(*place).unwrap()] = 0x5a);
        bytes
    };
    all.push(("sparse", sparse(21 * MIB + 1000, &[0, 7 * MIB, 8 * MIB + 5, 21 * MIB + 999])));
    all.push(("zeros at the end", sparse(9 * MIB + 512, &[MIB])));
    all.push(("whole blocks", sparse(8 * MIB, &[2 * MIB - 1, 2 * MIB])));
    all.push(("one block", sparse(2 * MIB, &[700])));
    all.push(("less than one", sparse(5000, &[4999])));
    all.push(("dense", imsprep_testdata::noise(3, (5 << 20) + 512)));
    for (_, bytes) in &mut all {
        let end = (bytes.len() / 512 * 512) as u64;
        if end > 2 * MIB {
            bytes[..512].copy_from_slice(&mbr(end));
        }
    }
    all
}

#[test]
fn a_raw_becomes_the_same_as_from_a_file() {
    for (what, bytes) in disks() {
        let folder = Folder::new();
        folder.write("disk.raw", &bytes);
        let convert = |source, output| [&["convert", source, output, "--verify"], &IDENTITY[..]].concat();
        assert_eq!(folder.run(&convert("disk.raw", "file.zvhd2")).status, 0, "{what}");
        assert_eq!(folder.run(&["bitmap", "create", "disk.raw", "-o", "file.mf"]).status, 0, "{what}");
        let run = piped(&folder, bytes.clone(), &convert("-", "pipe.zvhd2"));
        assert_eq!(run.status, 0, "{what}: {run:?}");
        assert!(read(&folder, "pipe.zvhd2") == read(&folder, "file.zvhd2"), "{what}");
        let run = piped(&folder, bytes.clone(), &["convert", "-", "pipe.raw", "--verify"]);
        assert_eq!(run.status, 0, "{what}: {run:?}");
        assert!(read(&folder, "pipe.raw") == bytes, "{what}");
        assert!(read(&folder, "pipe.mf") == read(&folder, "file.mf"), "{what}");
        let names = ["disk.raw", "file.mf", "file.zvhd2", "pipe.mf", "pipe.raw", "pipe.zvhd2"];
        assert_eq!(folder.names(), names, "{what}");
    }
}

#[test]
fn a_compressed_raw_becomes_the_same_as_from_a_file() {
    each(COMPRESSORS, |(tool, extension)| {
        need_tools([tool]);
        for (what, bytes) in disks() {
            let folder = Folder::new();
            folder.write("disk.raw", &bytes);
            let packed = compressed(&folder, tool, "disk.raw");
            let name = format!("disk.raw.{extension}");
            folder.write(&name, &packed);
            for output in ["zvhd2", "img"] {
                let (file, pipe) = (format!("file.{output}"), format!("pipe.{output}"));
                let identity = if output == "zvhd2" { &IDENTITY[..] } else { &[] };
                let run = folder.run(&[&["convert", &name, &file], identity].concat());
                assert_eq!(run.status, 0, "{tool}, {what}: {run:?}");
                let run = piped(&folder, packed.clone(), &[&["convert", "-", &pipe], identity].concat());
                assert_eq!(run.status, 0, "{tool}, {what}: {run:?}");
                assert!(read(&folder, &pipe) == read(&folder, &file), "{tool}, {what}");
            }
            assert!(read(&folder, "pipe.img") == bytes, "{tool}, {what}");
            assert!(read(&folder, "pipe.mf") == read(&folder, "file.mf"), "{tool}, {what}");
        }
    });
}

#[test]
fn holes_of_the_output_are_where_the_zeros_were() {
    use std::os::unix::fs::MetadataExt;

    let folder = Folder::on_disk();
    let mut bytes = vec![0; 64 << 20];
    bytes[..512].copy_from_slice(&mbr(64 * MIB));
    assert_eq!(piped(&folder, bytes, &["convert", "-", "out.raw"]).status, 0);
    assert!(folder.path("out.raw").metadata().unwrap().blocks() * 512 < 4 * MIB);
}

#[test]
fn what_shows_only_at_the_end_is_named_before_the_work() {
    need_tools(["gzip"]);
    let folder = Folder::new();
    let mut bytes = vec![0; 3 << 20];
    bytes[..512].copy_from_slice(&mbr(3 * MIB));
    folder.write("disk.raw", &bytes);
    let run = piped(&folder, bytes.clone(), &["convert", "-", "a.zvhd2"]);
    let start = "standard input: raw (MBR)\n  not checked yet: the size of the disk; the end of the disk with the backup GPT; \
                 whether it is a format that shows only at the end, such as a fixed VHD; checked at the end, before the output appears\n";
    assert!(run.status == 0 && run.err.contains(start), "{run:?}");
    assert!(run.out.contains("  from    standard input, raw (MBR)\n"), "{run:?}");
    let gzip = compressed(&folder, "gzip", "disk.raw");
    let run = piped(&folder, gzip, &["convert", "-", "b.zvhd2"]);
    assert!(run.err.contains("whether the compressed data is complete"), "{run:?}");
    let run = piped(&folder, bytes, &["convert", "--json", "-", "c.zvhd2"]);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((json["source"]["path"].as_str(), json["source_format"].as_str()), (Some("-"), Some("raw")));
    assert_eq!(json["zvhd2"]["disk_size"].as_u64(), Some(3 * MIB));
}

/// A truncated disk shows when its end has come.
#[test]
fn a_truncated_disk_leaves_nothing() {
    let folder = Folder::new();
    let mut bytes = vec![0; 5 << 20];
    bytes[..512].copy_from_slice(&mbr(64 * MIB));
    bytes[3 << 20] = 1;
    for output in ["out.zvhd2", "out.raw"] {
        let run = piped(&folder, bytes.clone(), &["convert", "--json", "-", output]);
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((run.status, json["refused"].as_bool()), (1, Some(true)), "{run:?}");
        assert_eq!(codes(&json["report"]), ["IMS-051"], "{run:?}");
        assert!(folder.names().is_empty(), "{:?}", folder.names());
        let run = piped(&folder, bytes.clone(), &["convert", "--allow", "IMS-051", "-", output]);
        assert_eq!(run.status, 0, "{run:?}");
        folder.names().iter().for_each(|name| std::fs::remove_file(folder.path(name)).unwrap());
    }
}

#[test]
fn what_needs_a_file_is_refused_with_the_way_out() {
    need_tools(["qemu-img", "gzip", "xz", "tar"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 5 * MIB, &[0, 3 * MIB]);
    let script = "qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2
        qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on disk.raw disk.vhd
        gzip -k disk.qcow2; tar -cf disk.tar disk.raw; tar -cJf disk.tar.xz disk.raw";
    let output = command("sh").args(["-ec", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    folder.write("disk.zvhd2", golden("zstd_a_8m.zvhd2"));
    folder.write("disk.7z", b"7z\xbc\xaf\x27\x1c\0\x04rest of it");
    let names = folder.names();
    for (name, why) in [
        (
            "disk.qcow2",
            "is qcow2, which can be read only from a file and not from a stream; save it to a file",
        ),
        ("disk.tar", "is tar, which can be read only from a file"),
        ("disk.zvhd2", "is zvhd2, which can be read only from a file"),
        // The footer comes last.
        ("disk.vhd", "is vhd, which can be read only from a file"),
        ("disk.qcow2.gz", "its content is qcow2, not RAW: decompress it first"),
        ("disk.tar.xz", "its content is tar, not RAW: decompress it first"),
        ("disk.7z", "from a file"),
    ] {
        for output in ["out.zvhd2", "out.raw"] {
            let run = piped(&folder, read(&folder, name), &["convert", "-", output]);
            assert!(run.status == 1 && run.err.contains(why), "{name}: {run:?}");
            assert!(run.err.contains("error: standard input: "), "{name}: {run:?}");
            assert_eq!(folder.names(), names, "{name}");
        }
    }
    let raw = read(&folder, "disk.raw");
    for (args, status, why) in [
        (&["-", "-"][..], 2, "the size of the disk is known only when the input ends"),
        (&["--sparsify", "-", "out.raw"], 1, "the free space of the disk in it cannot be left out"),
        (&["--fit", "-", "out.raw"], 1, "the disk in it cannot be enlarged"),
        (&["--temp-dir", ".", "-", "out.raw"], 2, "--temp-dir does not apply to standard input"),
        (&["--disk", "1", "-", "out.raw"], 2, "--disk does not apply to standard input"),
        (&["--io", "read", "-", "out.zvhd2"], 2, "--io does not apply to standard input"),
        (&["--size", "disk", "-", "out.raw"], 2, "--size does not apply to standard input"),
        (&["--read-holes", "-", "out.raw"], 2, "--read-holes does not apply to standard input"),
        (&["--level", "3", "-", "out.raw"], 2, "--level does not apply here"),
        (&["--no-bitmap", "-", "out.zvhd2"], 2, "--no-bitmap does not apply here"),
        (&["-", "out.qcow2"], 2, "the output would be zvhd2"),
        (&["-", "disk.qcow2"], 2, "already exists"),
        (&["-", "none/out.raw"], 2, "its folder does not exist"),
    ] {
        let run = piped(&folder, raw.clone(), &[&["convert"], args].concat());
        assert!(run.status == status && run.err.contains(why), "{args:?}: {run:?}");
        assert_eq!(folder.names(), names, "{args:?}");
    }
    let run = piped(&folder, b"".to_vec(), &["convert", "-", "out.zvhd2"]);
    assert!(
        run.status == 2 && run.err.contains("error: standard input: is empty; check the program"),
        "{run:?}"
    );
    // A folder can be opened and not read.
    let mut stdin = Command::new(env!("CARGO_BIN_EXE_imsprep"));
    stdin.args(["convert", "-", "out.zvhd2"]).current_dir(folder.path("."));
    let run = run_of(stdin.stdin(File::open(folder.path(".")).unwrap()).output().unwrap());
    assert!(run.status == 2 && run.err.contains("standard input: cannot read at offset 0"), "{run:?}");
    assert_eq!(folder.names(), names);
}

#[test]
fn a_terminal_is_no_image() {
    need_tools(["script"]);
    let folder = Folder::new();
    let line = format!("{} convert - out.raw", env!("CARGO_BIN_EXE_imsprep"));
    let output =
        command("script").args(["-qec", &line, "/dev/null"]).current_dir(folder.path(".")).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("standard input: is a terminal; pass an image through a pipe"), "{shown}");
    assert!(folder.names().is_empty());
}

#[test]
fn a_redirected_file_is_read_as_a_stream_and_never_replaced() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 5 * MIB, &[0, 3 * MIB]);
    let bytes = read(&folder, "disk.raw");
    let redirected = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imsprep"));
        command.args(args).current_dir(folder.path("."));
        run_of(command.stdin(File::open(folder.path("disk.raw")).unwrap()).output().unwrap())
    };
    let run = redirected(&["convert", "-", "out.raw"]);
    assert!(run.status == 0 && read(&folder, "out.raw") == bytes, "{run:?}");
    let run = redirected(&["convert", "--force", "-", "disk.raw"]);
    assert!(run.status == 2 && run.err.contains("the output is the same file as the input"), "{run:?}");
    assert!(read(&folder, "disk.raw") == bytes);
    // Whoever may not read the input may not read the output.
    std::fs::set_permissions(
        folder.path("disk.raw"),
        <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600),
    )
    .unwrap();
    assert_eq!(redirected(&["convert", "-", "private.zvhd2"]).status, 0);
    let mode = std::os::unix::fs::MetadataExt::mode(&folder.path("private.zvhd2").metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn checksums_are_of_the_bytes_that_come() {
    need_tools(["gzip"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 5 * MIB, &[0, 3 * MIB]);
    let packed = compressed(&folder, "gzip", "disk.raw");
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (sha256, sha512) = (hexadecimal(&Sha256::digest(&packed)), hexadecimal(&Sha512::digest(&packed)));
    folder.write("sums", format!("{sha256}  -\n").as_bytes());
    let right = ["convert", "--checksums", "sums", "--sha512", &sha512, "-", "out.raw"];
    let run = piped(&folder, packed.clone(), &right);
    assert!(run.status == 0 && run.out.contains("as published\n"), "{run:?}");
    assert!(run.err.contains("; the checksum; checked at the end"), "{run:?}");
    let names = folder.names();
    for output in ["wrong.raw", "wrong.zvhd2"] {
        let wrong = hexadecimal(&Sha256::digest(b"another"));
        let run = piped(&folder, packed.clone(), &["convert", "--sha256", &wrong, "-", output]);
        let why = format!("standard input: SHA-256 is {sha256}, expected {wrong}");
        assert!(run.status == 1 && run.err.contains(&why), "{run:?}");
        assert_eq!(folder.names(), names);
    }
}

#[test]
fn compressed_data_that_ends_too_early_leaves_nothing() {
    each(COMPRESSORS, |(tool, _)| {
        need_tools([tool]);
        let folder = Folder::new();
        folder.write("disk.raw", &imsprep_testdata::noise(7, 5 << 20));
        let packed = compressed(&folder, tool, "disk.raw");
        for output in ["out.zvhd2", "out.raw"] {
            let cut = packed[..packed.len() - 5].to_vec();
            let run = piped(&folder, cut, &["convert", "-", output]);
            assert!(run.status == 2 && run.err.contains("error: standard input: "), "{run:?}");
            assert!(run.err.contains("offset"), "{run:?}");
            assert_eq!(folder.names(), ["disk.raw"]);
        }
    });
}

fn spawn(folder: &Folder, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(args)
        .current_dir(folder.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_signal_ends_it_while_it_waits_for_the_pipe() {
    let folder = Folder::new();
    for output in ["out.zvhd2", "out.raw"] {
        for (signal, status) in [("-INT", 130), ("-TERM", 143)] {
            let mut child = spawn(&folder, &["convert", "-", output]);
            let mut pipe = child.stdin.take().unwrap();
            // More than the pipe holds: the command has begun to read when this returns.
            pipe.write_all(&vec![1; 9 << 20]).unwrap();
            kill(signal, child.id());
            wait(&mut child, signal);
            let out = child.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.code() == Some(status) && err.contains("no partial output"), "{out:?}");
            assert!(folder.names().is_empty(), "{:?}", folder.names());
            drop(pipe);
        }
    }
}

/// Nothing is read of a stream for which there is no place.
#[test]
fn a_place_that_is_taken_shows_before_the_first_byte() {
    let folder = Folder::new();
    folder.write("out.raw", b"precious");
    let mut child = spawn(&folder, &["convert", "-", "out.raw"]);
    // It stays open and empty.
    let pipe = child.stdin.take();
    wait(&mut child, "a taken place");
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    drop(pipe);
    assert_eq!(read(&folder, "out.raw"), b"precious");
}
