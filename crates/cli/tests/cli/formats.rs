//! `imsprep convert` on VHD, qcow2 and VMDK, as a person runs it.

use std::process::Command;
use std::time::Duration;

use imsprep_testdata::{command, each, need_tools};

use crate::folder::{Folder, HANGS, codes, kill};
use crate::mounts::with_own_mounts;
use crate::stop::wait_until_signals_are_handled;

const MIB: u64 = 1 << 20;

/// `qemu-img`, in the folder.
fn qemu_img(folder: &Folder, args: &[&str]) {
    let output = command("qemu-img").args(args).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A disk with data at some places, in another format.
fn image(folder: &Folder, name: &str, format: &str, options: &[&str]) {
    folder.sparse("source.raw", 21 * MIB + 512, &[0, 7 * MIB, 8 * MIB + 5, 21 * MIB + 511]);
    qemu_img(folder, &[&["convert", "-f", "raw", "-O", format], options, &["source.raw", name]].concat());
}

#[test]
fn every_format_becomes_the_zvhd2_that_its_raw_would() {
    need_tools(["qemu-img"]);
    for (name, format, options) in [
        ("disk.qcow2", "qcow2", &[][..]),
        ("packed.qcow2", "qcow2", &["-c", "-o", "compression_type=zstd"]),
        ("disk.vhd", "vpc", &["-o", "subformat=dynamic,force_size=on"]),
        ("fixed.vhd", "vpc", &["-o", "subformat=fixed,force_size=on"]),
        ("disk.vmdk", "vmdk", &[]),
        ("stream.vmdk", "vmdk", &["-o", "subformat=streamOptimized"]),
    ] {
        let folder = Folder::new();
        image(&folder, name, format, options);
        let identity = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];
        let run = folder.run(&[&["convert", name, "disk.zvhd2", "--verify"], &identity[..]].concat());
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}");
        assert!(run.out.contains("blocks  4 of 11 hold data") && run.out.contains("verified"), "{}", run.out);
        folder.run(&[&["convert", "source.raw", "detour.zvhd2"], &identity[..]].concat());
        let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
        assert!(read("disk.zvhd2") == read("detour.zvhd2"), "{name}");
        assert_eq!(folder.run(&["compare", name, "disk.zvhd2"]).status, 0);

        let (status, json) = folder.json(&["convert", name, "out.raw"]);
        assert_eq!(
            (status, json["source_format"].as_str()),
            (0, Some(if format == "vpc" { "vhd" } else { format }))
        );
        assert_eq!(json["raw"]["bitmap"]["data_blocks"].as_u64(), Some(4), "{json}");
        assert!(read("out.raw") == read("source.raw"), "{name}");
        assert_eq!(folder.run(&["bitmap", "verify", "out.raw"]).status, 0);
        let run = folder.run(&["convert", name, "plain.raw", "--no-bitmap"]);
        assert!(run.status == 0 && !folder.path("plain.mf").exists(), "{run:?}");
    }
}

#[test]
fn what_is_not_kept_is_not_read() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    qemu_img(&folder, &["create", "-f", "qcow2", "disk.qcow2", "1T"]);
    let (status, json) = folder.json(&["convert", "disk.qcow2", "disk.zvhd2"]);
    assert_eq!((status, json["zvhd2"]["records"].as_u64()), (0, Some(0)), "{json}");
    assert_eq!(json["zvhd2"]["disk_size"].as_u64(), Some(1 << 40));
    assert!(json["zvhd2"]["scan"].is_null());
}

/// Why a conversion was refused, by codes, as text and as JSON.
fn refusal(folder: &Folder, args: &[&str]) -> (Vec<String>, String) {
    let before = folder.names();
    let run = folder.run(&[&["convert"], args].concat());
    assert_eq!((run.status, run.out.as_str()), (1, ""), "{args:?}: {}", run.err);
    let (status, json) = folder.json(&[&["convert"], args].concat());
    assert_eq!((status, json["refused"].as_bool()), (1, Some(true)));
    assert!(json["output"].is_null());
    assert_eq!(folder.names(), before);
    (codes(&json["report"]), run.err)
}

#[test]
fn what_is_not_one_whole_plain_disk_is_refused_with_the_way_out() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    image(&folder, "base.qcow2", "qcow2", &[]);
    let refused = |name: &str| refusal(&folder, &[name, "out.zvhd2"]);

    qemu_img(&folder, &["create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "overlay.qcow2"]);
    let (found, text) = refused("overlay.qcow2");
    assert_eq!(found, ["IMS-007"]);
    assert!(
        text.contains("overlay.qcow2: not converted") && text.contains(r#"an overlay of "base.qcow2""#),
        "{text}"
    );
    assert!(
        text.contains("qemu-img convert -p -f qcow2 -O qcow2 overlay.qcow2 overlay.whole.qcow2"),
        "{text}"
    );

    qemu_img(
        &folder,
        &["create", "-f", "qcow2", "-o", "data_file=data.raw,data_file_raw=on", "data.qcow2", "1M"],
    );
    let (found, text) = refused("data.qcow2");
    assert!(found == ["IMS-007"] && text.contains("data.raw"), "{found:?} {text}");

    let secret = ["--object", "secret,id=key,data=123456"];
    let luks = ["-o", "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"];
    qemu_img(&folder, &[&["create", "-f", "qcow2"], &secret[..], &luks[..], &["luks.qcow2", "1M"]].concat());
    assert_eq!(refused("luks.qcow2").0, ["IMS-009"]);

    qemu_img(&folder, &["create", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "1M"]);
    let (found, text) = refused("flat.vmdk");
    assert!(found == ["IMS-007"] && text.contains("flat-flat.vmdk"), "{found:?} {text}");
    qemu_img(&folder, &["create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "split.vmdk", "1M"]);
    assert_eq!(refused("split.vmdk").0, ["IMS-007"]);
    assert_eq!(refused("split-s001.vmdk").0, ["IMS-007"]);

    qemu_img(&folder, &["create", "-f", "qcow2", "large.qcow2", "1025G"]);
    assert_eq!(refused("large.qcow2").0, ["IMS-003"]);

    let bytes = std::fs::read(folder.path("base.qcow2")).unwrap();
    for (bits, code) in [(1_u64, "IMS-017"), (2, "IMS-021"), (1 << 40, "IMS-022")] {
        let mut altered = bytes.clone();
        altered[72..80].copy_from_slice(&bits.to_be_bytes());
        folder.write("bits.qcow2", &altered);
        assert_eq!(refused("bits.qcow2").0, [code], "{bits}");
    }
    // A second format behind the first one's header.
    let mut both = bytes;
    both[257..262].copy_from_slice(b"ustar");
    both[148..156].fill(b' ');
    let sum = both[..512].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    both[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    folder.write("both.qcow2", &both);
    assert!(refused("both.qcow2").0.contains(&"IMS-013".into()));
}

#[test]
fn snapshots_and_what_was_not_closed_can_be_allowed() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    image(&folder, "disk.qcow2", "qcow2", &[]);
    qemu_img(&folder, &["snapshot", "-c", "before", "disk.qcow2"]);
    let (found, text) = refusal(&folder, &["disk.qcow2", "out.zvhd2"]);
    assert!(found == ["IMS-008"] && text.contains("--allow IMS-008"), "{found:?} {text}");
    let run = folder.run(&["convert", "disk.qcow2", "out.zvhd2", "--allow", "ims-008"]);
    assert!(run.status == 0 && run.err.contains("allowed IMS-008"), "{run:?}");
    assert_eq!(folder.run(&["compare", "source.raw", "out.zvhd2"]).status, 0);

    let mut bytes = std::fs::read(folder.path("disk.qcow2")).unwrap();
    bytes[79] |= 1;
    folder.write("dirty.qcow2", &bytes);
    assert_eq!(refusal(&folder, &["dirty.qcow2", "x.zvhd2"]).0, ["IMS-008", "IMS-017"]);
    let run = folder.run(&["convert", "dirty.qcow2", "x.zvhd2", "--allow", "IMS-008,IMS-017"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(folder.run(&["compare", "source.raw", "x.zvhd2"]).status, 0);
}

#[test]
fn a_source_that_is_cut_off_or_damaged_leaves_nothing() {
    need_tools(["qemu-img"]);
    for (name, format, options) in [
        ("disk.qcow2", "qcow2", &[][..]),
        ("packed.qcow2", "qcow2", &["-c"]),
        ("disk.vhd", "vpc", &[]),
        ("disk.vmdk", "vmdk", &[]),
        ("stream.vmdk", "vmdk", &["-o", "subformat=streamOptimized"]),
    ] {
        let folder = Folder::new();
        image(&folder, name, format, options);
        let bytes = std::fs::read(folder.path(name)).unwrap();
        let mut failed = 0;
        for length in [bytes.len() / 3, bytes.len() / 2, bytes.len() * 2 / 3] {
            folder.write(name, &bytes[..length]);
            for output in ["out.zvhd2", "out.raw"] {
                let run = folder.run(&["convert", name, output]);
                if run.status == 0 {
                    // What was cut off held nothing.
                    assert_eq!(folder.run(&["compare", "source.raw", output]).status, 0, "{name} {length}");
                    for name in ["out.zvhd2", "out.raw", "out.mf"] {
                        let _ = std::fs::remove_file(folder.path(name));
                    }
                    continue;
                }
                failed += 1;
                assert!([1, 2].contains(&run.status) && run.err.contains(name), "{name} {length}: {run:?}");
                let mut left = vec![name, "source.raw"];
                left.sort_unstable();
                assert_eq!(folder.names(), left, "{name} {length}");
            }
        }
        assert!(failed >= 2, "{name}");
    }
}

#[test]
fn prepare_makes_a_qcow2_importable_and_tells_the_next_step() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    image(&folder, "disk.qcow2", "qcow2", &["-c"]);
    let run = folder.run(&["prepare", "disk.qcow2"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    for words in [
        "disk.zvhd2: written",
        "verified: every block was read back",
        "disk.zvhd2: IMPORTABLE",
        "next: upload it and request the import: imsprep request disk.zvhd2 --bucket",
    ] {
        assert!(run.out.contains(words), "{words}: {}", run.out);
    }
    assert_eq!(folder.run(&["compare", "disk.qcow2", "disk.zvhd2"]).status, 0);
    // What exists stays.
    let run = folder.run(&["prepare", "disk.qcow2"]);
    assert!(run.status == 2 && run.err.contains("disk.zvhd2: already exists"), "{run:?}");
    let (status, json) = folder.json(&["prepare", "disk.qcow2", "--force"]);
    assert_eq!((status, json["schema"].as_str()), (0, Some("imsprep.prepare")));
    assert_eq!(json["conversion"]["verified"].as_bool(), Some(true));
    assert_eq!(json["result"]["verdict"].as_str(), Some("importable"));
    assert!(json["next_step"].as_str().unwrap().starts_with("imsprep request disk.zvhd2 "), "{json}");

    // A ZVHD2 is only checked; a RAW gets its bitmap, or is converted where an output is named.
    let (status, json) = folder.json(&["prepare", "disk.zvhd2"]);
    assert!(status == 0 && json["conversion"].is_null(), "{json}");
    let (status, json) = folder.json(&["prepare", "source.raw"]);
    assert_eq!((status, json["result"]["bitmap"]["state"].as_str()), (0, Some("written")), "{json}");
    assert!(folder.path("source.mf").exists());
    let (status, json) = folder.json(&["prepare", "source.raw", "-o", "other.zvhd2"]);
    assert_eq!((status, json["conversion"]["output_format"].as_str()), (0, Some("zvhd2")), "{json}");
    let (status, json) = folder.json(&["prepare", "disk.qcow2", "-o", "pair.img"]);
    assert_eq!((status, json["result"]["bitmap"]["state"].as_str()), (0, Some("known")), "{json}");
    let run = folder.run(&["prepare", "disk.zvhd2", "-o", "x.zvhd2"]);
    assert!(run.status == 1 && run.err.contains("quick import takes it as it is"), "{run:?}");
    // A folder that is there needs no slash.
    std::fs::create_dir(folder.path("out")).unwrap();
    assert_eq!(folder.run(&["prepare", "disk.qcow2", "-o", "out"]).status, 0);
    assert!(folder.path("out/disk.zvhd2").exists());
}

#[test]
fn prepare_refuses_what_convert_refuses_and_says_so_on_standard_output() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    image(&folder, "base.qcow2", "qcow2", &[]);
    qemu_img(&folder, &["create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "overlay.qcow2"]);
    let before = folder.names();
    let run = folder.run(&["prepare", "overlay.qcow2"]);
    assert!(run.status == 1 && run.out.contains("not converted") && run.out.contains("IMS-007"), "{run:?}");
    let (status, json) = folder.json(&["prepare", "overlay.qcow2"]);
    assert_eq!((status, json["conversion"]["refused"].as_bool()), (1, Some(true)));
    assert!(json["result"].is_null() && json["next_step"].is_null());
    assert_eq!(folder.names(), before);
}

/// Children of this process by that name that still run.
fn servers_of(folder: &Folder) -> usize {
    let path = folder.path(".").canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains("qemu-nbd") && line.contains(path.to_str().unwrap())).count()
}

#[test]
fn what_only_qemu_reads_is_read_through_it_and_nothing_of_it_stays() {
    need_tools(["qemu-img", "qemu-nbd"]);
    let folder = Folder::new();
    image(&folder, "disk.vhdx", "vhdx", &[]);
    std::fs::create_dir(folder.path("tmp")).unwrap();
    let temporary = folder.path("tmp");
    let run = |args: &[&str]| {
        let output = folder.command(args).env("TMPDIR", &temporary).output().unwrap();
        assert_eq!((servers_of(&folder), std::fs::read_dir(&temporary).unwrap().count()), (0, 0), "{args:?}");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["convert", "disk.vhdx", "disk.zvhd2", "--verify"]), (Some(0), String::new()));
    assert_eq!(run(&["compare", "disk.vhdx", "source.raw"]), (Some(0), String::new()));
    assert_eq!(run(&["convert", "disk.vhdx", "again.raw"]), (Some(0), String::new()));
    assert!(
        std::fs::read(folder.path("again.raw")).unwrap() == std::fs::read(folder.path("source.raw")).unwrap()
    );

    // What is wrong with the file is told in qemu's words.
    let bytes = std::fs::read(folder.path("disk.vhdx")).unwrap();
    let length = bytes.len() - (8 << 20);
    folder.write("cut.vhdx", &bytes[..length]);
    let (status, err) = run(&["convert", "cut.vhdx", "cut.zvhd2"]);
    assert!(matches!(status, Some(1 | 2)) && err.contains("cut.vhdx"), "{status:?} {err}");
    assert!(!folder.path("cut.zvhd2").exists());

    // Without the program the message has the command.
    let output =
        folder.command(&["convert", "disk.vhdx", "x.zvhd2"]).env("PATH", "/nowhere").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.contains("qemu-utils") && err.contains("qemu-img convert -p -f vhdx -O raw disk.vhdx disk.raw"),
        "{err}"
    );
}

#[test]
fn interrupted_at_any_moment_it_leaves_no_file_and_no_server() {
    need_tools(["qemu-img", "qemu-nbd"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("tmp")).unwrap();
    let mut state = 5_u64;
    let noise = (0..24 << 17).flat_map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state ^ state >> 29).to_le_bytes()
    });
    folder.write("source.raw", &noise.collect::<Vec<_>>());
    for (name, format) in [("disk.qcow2", "qcow2"), ("disk.vhdx", "vhdx")] {
        qemu_img(&folder, &["convert", "-f", "raw", "-O", format, "source.raw", name]);
        for (signal, delay) in [("-INT", 10), ("-TERM", 40), ("-INT", 90), ("-INT", 300), ("-KILL", 300)] {
            let mut child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
                .args(["convert", name, "out.zvhd2", "--level", "19", "--threads", "1"])
                .current_dir(folder.path("."))
                .env("TMPDIR", folder.path("tmp"))
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            if signal == "-INT" {
                // Whoever runs the tests in the background may have it ignored, until the process handles it.
                wait_until_signals_are_handled(child.id());
            }
            std::thread::sleep(std::time::Duration::from_millis(delay));
            assert!(child.try_wait().unwrap().is_none(), "{name} {signal} {delay}: still at work");
            kill(signal, child.id());
            child.wait().unwrap();
            assert!(!folder.path("out.zvhd2").exists(), "{name} {signal} {delay}");
            if signal == "-KILL" {
                // Nobody is left to stop the server: the system does.
                let begun = std::time::Instant::now();
                while servers_of(&folder) > 0 {
                    assert!(begun.elapsed() < HANGS, "{name}: the server stays");
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
            } else {
                assert_eq!(servers_of(&folder), 0, "{name} {signal} {delay}");
                assert_eq!(
                    std::fs::read_dir(folder.path("tmp")).unwrap().count(),
                    0,
                    "{name} {signal} {delay}"
                );
            }
        }
    }
}

#[test]
fn a_source_that_changes_meanwhile_and_a_full_disk_leave_nothing() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    let mut state = 9_u64;
    let noise = (0..16 << 17).flat_map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state ^ state >> 29).to_le_bytes()
    });
    folder.write("source.raw", &noise.collect::<Vec<_>>());
    qemu_img(&folder, &["convert", "-f", "raw", "-O", "qcow2", "source.raw", "disk.qcow2"]);
    std::fs::create_dir(folder.path("full")).unwrap();
    for output in ["full/x.zvhd2", "full/x.raw"] {
        let script = format!(
            "mount -t tmpfs -o size=5m tmpfs full && {{ \"$0\" convert disk.qcow2 {output}; echo \"status $?\"; \
             ls -A full | wc -l; }}"
        );
        let output = with_own_mounts(&script).current_dir(folder.path(".")).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(err.contains("nothing was written: No space left"), "{err}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "status 2\n0\n", "{err}");
    }
    let child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["convert", "disk.qcow2", "out.zvhd2", "--level", "19", "--threads", "1"])
        .current_dir(folder.path("."))
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let file = std::fs::File::options().write(true).open(folder.path("disk.qcow2")).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"new", 12 << 20).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && err.contains("the file changed while it was read"), "{err}");
    assert!(!folder.path("out.zvhd2").exists());
}

#[test]
fn a_raw_that_is_compressed_becomes_what_it_would_unpacked() {
    let cases = [
        ("disk.raw.gz", "gzip", &[][..]),
        ("disk.raw.xz", "xz", &[]),
        ("disk.raw.zst", "zstd", &[]),
        ("disk.raw.bz2", "bzip2", &[]),
        // Without it, lz4 writes to a standard output that is no terminal.
        ("disk.raw.lz4", "lz4", &["-m"]),
        ("disk.raw.lz4", "lz4", &["-m", "-BD", "-B4", "--content-size"]),
    ];
    each(cases, |(name, tool, more)| {
        need_tools([tool]);
        for size in [21 * MIB + 512, 4 * MIB, 1000, 0] {
            let folder = Folder::new();
            let places = [0, 7 * MIB, 8 * MIB + 5, 21 * MIB + 511];
            let places = places.into_iter().filter(|place| *place < size).collect::<Vec<_>>();
            folder.sparse("disk.raw", size, &places);
            let output = Command::new(tool)
                .args(more)
                .args(["-k", "-q", "disk.raw"])
                .current_dir(folder.path("."))
                .output();
            assert!(output.unwrap().status.success() && folder.path(name).exists(), "{name}");
            let identity = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];
            let run = folder.run(&[&["convert", name, "a.zvhd2", "--verify"], &identity[..]].concat());
            // A file that is too small for a disk is converted with a warning.
            let is_quiet = |err: &str| size == 1000 && err.contains("warning IMS-035") || err.is_empty();
            assert!(run.status == 0 && is_quiet(&run.err), "{name} {size} {run:?}");
            folder.run(&[&["convert", "disk.raw", "b.zvhd2"], &identity[..]].concat());
            let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
            assert!(read("a.zvhd2") == read("b.zvhd2"), "{name} {size}");
            let run = folder.run(&["convert", name, "out.raw", "--verify"]);
            assert!(run.status == 0 && is_quiet(&run.err), "{name} {size} {run:?}");
            assert!(read("out.raw") == read("disk.raw"), "{name} {size}");
            folder.run(&["bitmap", "create", "disk.raw"]);
            assert!(size == 0 || read("out.mf") == read("disk.mf"), "{name} {size}");

            let run = folder.run(&["convert", name, "-"]);
            assert!(run.status == 1 && run.err.contains("use a file for the output"), "{run:?}");
        }
        let folder = Folder::new();
        folder.sparse("disk.raw", 21 * MIB, &[0, 20 * MIB]);
        let _ = Command::new(tool)
            .args(more)
            .args(["-k", "-q", "disk.raw"])
            .current_dir(folder.path("."))
            .output();
        let bytes = std::fs::read(folder.path(name)).unwrap();
        folder.write(name, &bytes[..bytes.len() - 9]);
        let before = folder.names();
        for output in ["x.zvhd2", "x.raw"] {
            let run = folder.run(&["convert", name, output]);
            // The end of xz and zstd files is checked before the conversion.
            let status = if tool == "gzip" { 2 } else { 1 };
            assert!(run.status == status && run.err.contains(name), "{run:?}");
            assert_eq!(folder.names(), before);
        }
    });
}

#[test]
fn the_legacy_format_of_lz4_is_refused() {
    need_tools(["lz4"]);
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[0, 3 * MIB]);
    let made =
        Command::new("lz4").args(["-q", "-l", "-m", "disk.raw"]).current_dir(folder.path(".")).output();
    assert!(made.unwrap().status.success());
    let before = folder.names();
    for command in [&["convert", "disk.raw.lz4", "out.zvhd2"][..], &["prepare", "disk.raw.lz4"]] {
        let run = folder.run(command);
        assert!(run.status == 1 && run.err.contains("unpack it first"), "{run:?}");
    }
    let run = folder.run(&["check", "disk.raw.lz4"]);
    assert!(run.status == 1 && run.out.contains("`lz4 -d disk.raw.lz4 disk.raw`"), "{run:?}");
    assert!(!run.out.contains("imsprep prepare"), "{run:?}");
    let run = folder.run(&["compare", "disk.raw", "disk.raw.lz4"]);
    assert!(run.status == 2, "{run:?}");
    assert_eq!(folder.names(), before);
}

#[test]
fn a_compressed_file_that_shows_only_at_its_end_that_it_holds_no_raw_is_refused() {
    need_tools(["qemu-img", "gzip"]);
    let folder = Folder::new();
    image(&folder, "fixed.vhd", "vpc", &["-o", "subformat=fixed,force_size=on"]);
    let output = command("gzip").arg("fixed.vhd").current_dir(folder.path(".")).output();
    assert!(output.unwrap().status.success());
    for output in ["x.zvhd2", "x.raw"] {
        let run = folder.run(&["convert", "fixed.vhd.gz", output]);
        assert!(run.status == 1 && run.err.contains("not RAW: decompress it first"), "{run:?}");
        assert!(!folder.path(output).exists());
    }
}

#[test]
fn the_disk_of_an_archive_is_the_only_one_or_the_one_that_is_named() {
    need_tools(["qemu-img", "tar"]);
    let folder = Folder::new();
    image(&folder, "disk1.vmdk", "vmdk", &["-o", "subformat=streamOptimized"]);
    folder.write("machine.ovf", b"<Envelope/>");
    folder.sparse("disk2.img", 3 * MIB, &[5, 2 * MIB]);
    let tar = |name: &str, members: &[&str]| {
        let args = [&["--format=ustar", "-cf", name], members].concat();
        assert!(command("tar").args(args).current_dir(folder.path(".")).status().unwrap().success());
    };
    tar("one.ova", &["machine.ovf", "disk1.vmdk"]);
    let run = folder.run(&["convert", "one.ova", "one.zvhd2", "--verify"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    assert!(run.out.contains("member  disk1.vmdk, vmdk (streamOptimized)"), "{}", run.out);
    assert_eq!(folder.run(&["compare", "source.raw", "one.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["compare", "source.raw", "one.ova"]).status, 0);

    tar("two.ova", &["machine.ovf", "disk1.vmdk", "disk2.img"]);
    let run = folder.run(&["convert", "two.ova", "two.zvhd2"]);
    assert!(
        run.status == 2
            && run.err.contains(r#"an archive with 2 disks: 1 = "disk1.vmdk": vmdk, "#)
            && run.err.contains(r#"; 2 = "disk2.img": raw, 3 MiB, "#),
        "{run:?}"
    );
    assert_eq!(folder.run(&["convert", "two.ova", "two.zvhd2", "--disk", "3"]).status, 2);
    let (status, json) = folder.json(&["prepare", "two.ova", "--disk", "2"]);
    assert_eq!((status, json["conversion"]["member"].as_str()), (0, Some("disk2.img")), "{json}");
    assert_eq!(folder.run(&["compare", "disk2.img", "two.zvhd2"]).status, 0);
    let run = folder.run(&["convert", "two.ova", "two.raw", "--disk", "1"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(
        std::fs::read(folder.path("two.raw")).unwrap() == std::fs::read(folder.path("source.raw")).unwrap()
    );

    tar("none.tar", &["machine.ovf"]);
    let run = folder.run(&["convert", "none.tar", "none.zvhd2"]);
    assert!(run.status == 2 && run.err.contains("without a disk"), "{run:?}");
    let run = folder.run(&["convert", "disk1.vmdk", "x.zvhd2", "--disk", "1"]);
    assert!(run.status == 2 && run.err.contains("--disk does not apply here"), "{run:?}");
}

/// A piece of a split VMDK is no image by itself: every command says so, and names the descriptor; the command that it
/// advises works.
#[test]
fn an_extent_file_of_a_split_disk_is_told_with_its_descriptor() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    qemu_img(&folder, &["create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "split.vmdk", "8M"]);
    qemu_img(&folder, &["create", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentFlat", "flat.vmdk", "3G"]);
    qemu_img(&folder, &["create", "-f", "vmdk", "-o", "subformat=monolithicFlat", "whole.vmdk", "8M"]);
    let request = ["--bucket", "my-images", "--name", "web-01", "--os-version", "CentOS 7.0 64bit"];
    for (piece, descriptor) in [("split-s001.vmdk", "split.vmdk"), ("flat-f002.vmdk", "flat.vmdk")] {
        let (status, json) = folder.json(&["check", piece]);
        let found = codes(&json["files"][0]["report"]);
        assert!(status == 1 && found.iter().any(|code| code == "IMS-007"), "{piece}: {json}");
        assert!(json.to_string().contains(descriptor), "{piece}: {json}");
        let run = folder.run(&[&["request", piece], &request[..]].concat());
        assert!(run.status == 1 && run.out.is_empty() && run.err.contains("IMS-007"), "{piece}: {run:?}");
    }
    // The advice holds the command, which is right.
    let run = folder.run(&["check", "split-s001.vmdk"]);
    let advised = run.out.lines().find_map(|line| line.split_once("`qemu-img convert")).map(|(_, rest)| rest);
    let advised = format!("qemu-img convert{}", advised.unwrap().split('`').next().unwrap());
    assert!(advised.contains(" split.vmdk ") && !run.out.contains("common import"), "{}", run.out);
    let done = command("sh").args(["-c", &advised]).current_dir(folder.path(".")).output().unwrap();
    assert!(done.status.success(), "{advised}: {}", String::from_utf8_lossy(&done.stderr));
    let run = folder.run(&["prepare", "split-s001.vmdk"]);
    assert!(run.status == 1 && run.out.contains("-O qcow2 split.vmdk"), "{run:?}");
    // Without the descriptor it is still a piece.
    std::fs::remove_file(folder.path("split.vmdk")).unwrap();
    let run = folder.run(&["check", "split-s001.vmdk"]);
    assert!(
        run.status == 1 && run.out.contains("IMS-007") && !run.out.contains("qemu-img convert"),
        "{run:?}"
    );
    // A flat file that is all of the disk is a RAW.
    let (_, json) = folder.json(&["check", "whole-flat.vmdk"]);
    assert!(!codes(&json["files"][0]["report"]).iter().any(|code| code == "IMS-007"), "{json}");
}

/// qemu-nbd listens before it opens the image, so that it may be gone before, while or after it was connected to.
#[test]
fn the_reason_of_qemu_nbd_is_told_each_time() {
    need_tools(["qemu-img", "qemu-nbd"]);
    let folder = Folder::new();
    qemu_img(&folder, &["create", "-f", "vdi", "disk.vdi", "8M"]);
    let mut bytes = std::fs::read(folder.path("disk.vdi")).unwrap();
    // Blocks of 2 MiB, which the format allows and qemu does not.
    bytes[376..380].copy_from_slice(&(2_u32 << 20).to_le_bytes());
    folder.write("bad.vdi", &bytes);
    for _ in 0..8 {
        let run = folder.run(&["convert", "bad.vdi", "out.zvhd2"]);
        assert!(run.status == 2 && run.err.contains("block size 2097152 is not"), "{run:?}");
    }
}

/// A server that hangs does not keep the command from being stopped.
#[test]
fn a_stop_is_seen_while_qemu_nbd_is_waited_for() {
    use std::os::unix::fs::PermissionsExt;
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    image(&folder, "disk.vhdx", "vhdx", &[]);
    std::fs::create_dir(folder.path("bin")).unwrap();
    folder.write("bin/qemu-nbd", b"#!/bin/sh\nexec sleep 1000\n");
    std::fs::set_permissions(folder.path("bin/qemu-nbd"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_imsprep"))
        .args(["convert", "disk.vhdx", "out.zvhd2"])
        .current_dir(folder.path("."))
        .env("PATH", path)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let begun = std::time::Instant::now();
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < HANGS && !folder.path("out.zvhd2").exists());
}
