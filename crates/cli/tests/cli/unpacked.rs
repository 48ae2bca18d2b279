//! Disks in compressed files that can be read only when they are unpacked.

use imsprep_testdata::{command, each, need_tools};

use crate::folder::Folder;
use crate::mounts::with_own_mounts;

const MIB: u64 = 1 << 20;
const IDENTITY: [&str; 4] = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];
const COMPRESSORS: [(&str, &str); 5] =
    [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst"), ("bzip2", "bz2"), ("lz4", "lz4")];

fn sh(folder: &Folder, script: &str) {
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).unwrap()
}

/// A disk with an MBR, in each form.
fn forms(folder: &Folder) -> [&'static str; 8] {
    need_tools(["qemu-img", "tar"]);
    folder.sparse("disk.raw", 21 * MIB, &[0, 7 * MIB, 8 * MIB + 5, 21 * MIB - 1]);
    sh(
        folder,
        "for format in qcow2 vmdk vhdx vdi; do qemu-img convert -f raw -O $format disk.raw disk.$format; done
        qemu-img convert -f raw -O vpc -o force_size=on disk.raw disk.vhd
        qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw stream.vmdk
        tar -cf disk.tar disk.raw",
    );
    let run = folder.run(&[&["convert", "disk.raw", "disk.zvhd2"], &IDENTITY[..]].concat());
    assert_eq!(run.status, 0, "{run:?}");
    ["disk.qcow2", "disk.vmdk", "disk.vhdx", "disk.vdi", "disk.vhd", "stream.vmdk", "disk.tar", "disk.zvhd2"]
}

#[test]
fn each_becomes_what_it_would_unpacked() {
    let folder = Folder::new();
    need_tools(COMPRESSORS.map(|(tool, _)| tool));
    for form in forms(&folder) {
        for (tool, extension) in COMPRESSORS {
            // Without -m, lz4 writes to a standard output that is no terminal.
            let many = if tool == "lz4" { "-m " } else { "" };
            sh(&folder, &format!("{tool} -q -k {many}{form}"));
            let name = format!("{form}.{extension}");
            let before = folder.names();
            if form != "disk.zvhd2" {
                let run = folder.run(&[&["convert", "--verify", &name, "out.zvhd2"], &IDENTITY[..]].concat());
                assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}");
                assert!(
                    run.out.contains(&format!(
                        ", unpacked from {}\n",
                        if tool == "zstd" { "zstd" } else { tool }
                    ))
                );
                assert!(read(&folder, "out.zvhd2") == read(&folder, "disk.zvhd2"), "{name}");
                std::fs::remove_file(folder.path("out.zvhd2")).unwrap();
            }
            let (status, json) = folder.json(&["convert", "--no-bitmap", &name, "out.raw"]);
            assert_eq!((status, json["unpacked_from"].as_str()), (0, Some(tool)), "{json}");
            assert!(read(&folder, "out.raw") == read(&folder, "disk.raw"), "{name}");
            std::fs::remove_file(folder.path("out.raw")).unwrap();
            // The temporary file has no name.
            assert_eq!(folder.names(), before);

            let temp = folder.path(".");
            let temp = temp.to_str().unwrap();
            assert_eq!(folder.run(&["compare", "--temp-dir", temp, "disk.raw", &name]).status, 0, "{name}");
            let seen = |command: &str, name: &str| {
                let args = [command, "--temp-dir", temp, name];
                let (_, json) = folder.json(&args);
                let file = &json["files"][0];
                [&file["disk"], &file["partitions"], &file["guest"], &file["space"]].map(Clone::clone)
            };
            assert_eq!(seen("inspect", &name), seen("inspect", form), "{name}");
            let checked = folder.run(&["check", "--temp-dir", temp, "--purpose", "data", &name]);
            assert_eq!(checked.status, 1, "{checked:?}");
            let advice = format!("convert the disk in it to ZVHD2 in one step: `imsprep prepare {name}`");
            assert!(form == "disk.tar" || checked.out.contains(&advice), "{checked:?}");
            assert!(!checked.out.contains("not checked: partitions"), "{checked:?}");
            assert_eq!(folder.names(), before);
            std::fs::remove_file(folder.path(&name)).unwrap();
        }
    }
}

#[test]
fn prepare_makes_an_importable_file_of_it_in_one_step() {
    need_tools(["xz"]);
    let folder = Folder::new();
    forms(&folder);
    sh(&folder, "xz disk.qcow2; rm disk.zvhd2");
    let run = folder.run(&["prepare", "--purpose", "data", "disk.qcow2.xz", "-o", "out.zvhd2"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(folder.run(&["compare", "disk.raw", "out.zvhd2"]).status, 0);
}

#[test]
fn in_xz_of_several_blocks_it_is_converted_where_it_is() {
    need_tools(["xz"]);
    let folder = Folder::new();
    let forms = forms(&folder)
        .into_iter()
        .filter(|form| !["disk.vhdx", "disk.vdi", "disk.tar", "disk.zvhd2"].contains(form));
    for form in forms {
        sh(&folder, &format!("xz -k --block-size=100KiB {form}; xz -k -c {form} > one.xz"));
        let name = format!("{form}.xz");
        // The folder does not exist: what is unpacked fails there.
        let convert = |name: &str| {
            let args = ["convert", "--verify", "--temp-dir", "none", name, "out.zvhd2"];
            folder.run(&[&args[..], &IDENTITY[..]].concat())
        };
        let run = convert(&name);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}");
        assert!(run.out.contains(", unpacked from xz\n"), "{run:?}");
        assert!(read(&folder, "out.zvhd2") == read(&folder, "disk.zvhd2"), "{name}");
        std::fs::remove_file(folder.path("out.zvhd2")).unwrap();
        assert!(convert("one.xz").err.contains("none: cannot create a temporary file in it"));

        // A damaged block is refused as the file in one block would be, and nothing is left.
        let mut bytes = read(&folder, &name);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        folder.write("damaged.xz", &bytes);
        let run = folder.run(&["convert", "damaged.xz", "out.zvhd2"]);
        assert!(
            [1, 2].contains(&run.status) && run.err.contains("damaged.xz: ") && run.err.contains("offset"),
            "{run:?}"
        );
        assert!(!folder.path("out.zvhd2").exists());
    }
}

#[test]
fn what_no_file_holds_is_left_out_of_a_compressed_raw_too() {
    need_tools(["mkfs.ext4", "gzip"]);
    let folder = Folder::new();
    sh(
        &folder,
        "truncate -s 32M disk.raw; mkfs.ext4 -q disk.raw; head -c 1M /dev/urandom | dd of=disk.raw bs=1M seek=24 conv=notrunc status=none",
    );
    sh(&folder, "gzip -k disk.raw");
    for (source, output) in [("disk.raw", "a.zvhd2"), ("disk.raw.gz", "b.zvhd2")] {
        let run = folder.run(&[&["convert", "--sparsify", source, output], &IDENTITY[..]].concat());
        assert_eq!(run.status, 0, "{run:?}");
        assert!(run.out.contains("that no file holds: read as zeros"), "{run:?}");
    }
    assert!(read(&folder, "a.zvhd2") == read(&folder, "b.zvhd2"));
}

#[test]
fn a_file_that_is_cut_or_altered_leaves_nothing() {
    each(COMPRESSORS, |(tool, extension)| {
        need_tools([tool]);
        let folder = Folder::new();
        forms(&folder);
        // With data, so that there is a middle to be altered.
        sh(
            &folder,
            "head -c 300000 /dev/urandom | dd of=disk.raw bs=1M seek=10 conv=notrunc status=none; qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2",
        );
        let many = if tool == "lz4" { "-m " } else { "" };
        sh(&folder, &format!("{tool} -q {many}disk.qcow2"));
        let name = format!("disk.qcow2.{extension}");
        let sound = read(&folder, &name);
        let mut altered = sound.clone();
        altered[sound.len() / 2..][..64].fill(0x55);
        let before = folder.names();
        for (kind, bytes) in [("cut", &sound[..sound.len() / 2]), ("altered", &altered)] {
            folder.write(&name, bytes);
            for args in [&["convert", name.as_str(), "out.raw"][..], &["prepare", &name, "-o", "out.zvhd2"]] {
                let run = folder.run(args);
                assert!(
                    run.status != 0 && (run.err.clone() + &run.out).contains(&name),
                    "{kind} {args:?} {run:?}"
                );
                assert_eq!(folder.names(), before, "{kind} {args:?}");
            }
            let run = folder.run(&["check", "--temp-dir", folder.path(".").to_str().unwrap(), &name]);
            let expected = if kind == "cut" { "IMS-020" } else { "IMS-016" };
            assert!(run.status == 1 && run.out.contains(expected), "{kind} {run:?}");
        }
    });
}

#[test]
fn what_speaks_against_the_output_shows_before_the_work() {
    need_tools(["gzip"]);
    let folder = Folder::new();
    forms(&folder);
    sh(&folder, "gzip disk.qcow2");
    folder.write("there.raw", b"mine");
    // The folder does not exist: the work would fail there.
    for (output, words) in [
        ("there.raw", "already exists"),
        ("out.vmdk", "use the extension"),
        ("out.raw", "none: cannot create a temporary file in it"),
    ] {
        for command in ["convert", "prepare"] {
            let args = [command, "--temp-dir", "none", "disk.qcow2.gz"];
            let output = if command == "convert" { vec![output] } else { vec!["-o", output] };
            let run = folder.run(&[&args[..], &output].concat());
            assert!(run.status == 2 && run.err.contains(words), "{command} {run:?}");
        }
    }
    assert_eq!(read(&folder, "there.raw"), b"mine");
}

#[test]
fn without_space_to_unpack_it_is_refused_or_not_looked_into() {
    need_tools(["xz", "gzip"]);
    let folder = Folder::new();
    forms(&folder);
    sh(
        &folder,
        "head -c 6M /dev/urandom | dd of=disk.raw bs=1M seek=10 conv=notrunc status=none; qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2",
    );
    sh(&folder, "xz -0 -k disk.qcow2; gzip -1 -k disk.qcow2; mkdir small");
    // The size of the content is in an xz file, and not in a gzip file.
    for (name, words) in [
        ("disk.qcow2.xz", "the disk in it can be read only when it is unpacked, which takes "),
        (
            "disk.qcow2.gz",
            "small: cannot write to a temporary file in it; nothing was written: No space left on device",
        ),
    ] {
        let script = format!(
            "mount -t tmpfs -o size=2m none small; $0 convert --temp-dir small {name} out.raw 2>&1; echo \"status $?\"
            $0 check --temp-dir small --purpose data {name}; echo \"status $?\"; ls small"
        );
        let output = with_own_mounts(&script).current_dir(folder.path(".")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(words) && text.contains("hint: ") && text.contains("status 2\n"), "{text}");
        assert!(text.contains("not checked: partitions") && text.ends_with("status 1\n"), "{text}");
        assert!(!folder.path("out.raw").exists());
    }
}
