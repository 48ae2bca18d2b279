//! What a look at an image's tables finds: nothing in images that real tools make, and every cut and overlap that matters.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

#[macro_use]
extern crate imsprep_testdata;

use std::path::Path;

use imsprep_source::{Cancel, Overwrite, Work};
use imsprep_testdata::{command, need_tools};
use imsprep_toolkit::{CheckOptions, ConvertOptions, Depth, Target, check_image_file, plan_conversion};

fn shell(folder: &Path, script: &str) {
    let output = command("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Bytes without a zero, so that every one that is lost shows.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    imsprep_testdata::noise(seed, length).into_iter().map(|byte| byte.max(1)).collect()
}

/// The codes that a quick check of the image brings, of those that are about its tables.
fn codes(image: &Path) -> Vec<&'static str> {
    let options = CheckOptions { depth: Depth::Quick, ..CheckOptions::default() };
    let checked = check_image_file(&Target::new(image), &options, Work::new(&(), &Cancel::new())).unwrap();
    let codes = checked.report.findings().iter().map(|finding| finding.rule.code);
    codes.filter(|code| ["IMS-007", "IMS-016", "IMS-020"].contains(code)).collect()
}

/// Converts the image, replacing the output; `false` if it is refused.
fn to_raw(image: &Path, output: &Path) -> bool {
    let options = ConvertOptions {
        output: Some(output.to_owned()),
        overwrite: Overwrite::Replace,
        ..ConvertOptions::default()
    };
    let plan = plan_conversion(image, options, Work::new(&(), &Cancel::new())).unwrap();
    !plan.is_refused() && plan.convert(Work::new(&(), &Cancel::new())).is_ok()
}

#[test]
fn no_image_that_a_tool_makes_is_refused() {
    need_tools(["qemu-img", "qemu-io"]);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    // Data, a hole, and data that compresses.
    let source = [noise(1, 700_001), vec![0; 3 << 20], noise(2, 1 << 20), vec![7; 1_400_000]].concat();
    std::fs::write(folder.join("source.raw"), source).unwrap();
    let convert =
        |format: &str, options: &str| format!("qemu-img convert -f raw -O {format} {options} source.raw i");
    let io = |format: &str, commands: &[&str]| {
        let commands = commands.iter().map(|command| format!(" -c '{command}'")).collect::<String>();
        format!("qemu-io -f {format} -d unmap{commands} i >/dev/null")
    };
    let qcow2 = |options: &str| convert("qcow2", options);
    let scripts = [
        // The disk goes on behind snapshots, which share its clusters, and one of which has the state of a machine.
        [
            qcow2(""),
            "qemu-img snapshot -c one i; qemu-img snapshot -c two i".into(),
            io("qcow2", &["write -P 3 0 300k", "write -z -u 1M 512k", "discard 4M 128k"]),
            "qemu-img snapshot -c three i; qemu-img snapshot -d one i".into(),
        ]
        .join("; "),
        // The snapshot table is the last thing in the file.
        [
            qcow2("-o cluster_size=4k"),
            "qemu-img snapshot -c a i; qemu-img snapshot -c 'a longer name' i".into(),
        ]
        .join("; "),
        [
            qcow2(""),
            "qemu-img bitmap --add --enable i b; qemu-img bitmap --add i c".into(),
            io("qcow2", &["write -P 3 0 300k"]),
        ]
        .join("; "),
        [
            qcow2(""),
            "qemu-img resize -q i 3G; qemu-img resize -q --shrink i 2M".into(),
            io("qcow2", &["write 1M 64k"]),
        ]
        .join("; "),
        [qcow2("-c"), io("qcow2", &["write -P 3 70000 300000", "write -c -P 9 1M 64k"])].join("; "),
        [qcow2("-c -o compression_type=zstd,cluster_size=4k"), io("qcow2", &["write -P 3 70000 300000"])]
            .join("; "),
        qcow2("-c -W -m 16 -o cluster_size=16k"),
        [qcow2("-o extended_l2=on"), io("qcow2", &["write 1000k 2k", "write -z 4k 4k", "discard 0 64k"])]
            .join("; "),
        ["qemu-img create -q -f qcow2 -o extended_l2=on i 8M".to_owned(), io("qcow2", &["write 100k 2k"])]
            .join("; "),
        ["qemu-img create -q -f qcow2 -o lazy_refcounts=on i 8M".to_owned(), io("qcow2", &["write 100k 2k"])]
            .join("; "),
        "qemu-img create -q -f qcow2 -o preallocation=metadata i 64M".into(),
        "qemu-img create -q -f qcow2 -o preallocation=falloc i 8M".into(),
        [
            "qemu-img create -q -f qcow2 -o preallocation=metadata,extended_l2=on i 8M".to_owned(),
            io("qcow2", &["write -z 1M 1M"]),
        ]
        .join("; "),
        "qemu-img create -q -f qcow2 -o cluster_size=512,refcount_bits=64 i 64M".into(),
        "qemu-img create -q -f qcow2 i 900G".into(),
        [qcow2("-o compat=0.10"), "qemu-img amend -f qcow2 -o compat=1.1 i".into()].join("; "),
        [qcow2("-o refcount_bits=1,cluster_size=1k"), io("qcow2", &["write 0 900k"])].join("; "),
        convert("vmdk", "-o subformat=monolithicSparse"),
        [convert("vmdk", "-o zeroed_grain=on"), io("vmdk", &["write -z 0 1M", "write 1M 1k"])].join("; "),
        convert("vmdk", "-o subformat=streamOptimized"),
        "qemu-img create -q -f vmdk i 300G".into(),
        convert("vpc", "-o subformat=dynamic"),
        convert("vpc", "-o subformat=fixed,force_size=on"),
        convert("vhdx", "-o subformat=dynamic"),
        convert("vhdx", "-o subformat=fixed,block_size=1M"),
        "qemu-img create -q -f vhdx i 500G".into(),
        [convert("vdi", ""), io("vdi", &["write 2M 1k"])].join("; "),
        convert("vdi", "-o static=on"),
        [convert("qed", ""), io("qed", &["write 2M 1k", "write -z 0 128k"])].join("; "),
        convert("qed", "-o cluster_size=4k,table_size=2"),
        [convert("qcow", ""), io("qcow", &["write 2M 1k"])].join("; "),
        [convert("parallels", ""), io("parallels", &["write 2M 1k"])].join("; "),
    ];
    for script in scripts {
        let _ = std::fs::remove_file(folder.join("i"));
        shell(folder, &script);
        assert_eq!(codes(&folder.join("i")), Vec::<&str>::new(), "{script}");
    }
}

/// Where a file may be cut: at its end by a few bytes, sectors and clusters, and anywhere.
fn lengths(full: usize, seed: u64) -> Vec<usize> {
    let near =
        [1, 2, 8, 100, 511, 512, 513, 1000, 1024, 1536, 3583, 3584, 3585, 4096, 65536, 65537, 1 << 20].iter();
    let mut lengths = near.filter_map(|cut| full.checked_sub(*cut)).collect::<Vec<_>>();
    lengths.extend(noise(seed, 6).iter().map(|part| full / 256 * usize::from(*part)));
    lengths
}

/// The one rule of a cut: an image of which all of the disk can still be read is complete, and no other is.
#[test]
fn a_cut_shows_exactly_where_some_of_the_disk_is_lost() {
    need_tools(["qemu-img", "qemu-io"]);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    // The disk ends within a cluster, block or grain of each format.
    let source = noise(3, (2 << 20) + 12_288 + 512);
    std::fs::write(folder.join("source.raw"), &source).unwrap();
    for (format, options, metadata_at_end) in [
        ("qcow2", "", 0),
        ("qcow2", "-o compat=0.10,cluster_size=512", 0),
        ("qcow2", "-o extended_l2=on,cluster_size=2M", 0),
        ("vmdk", "", 0),
        ("vmdk", "-o subformat=streamOptimized", 1024),
        // The footer at the end is read only where the copy at the start is gone.
        ("vpc", "-o subformat=dynamic,force_size=on", 1 << 20),
        ("vpc", "-o subformat=fixed,force_size=on", 512),
        ("vhdx", "", 0),
        ("vhdx", "-o subformat=fixed,block_size=1M", 0),
        ("vdi", "", 0),
        ("vdi", "-o static=on", 0),
        ("qed", "", 0),
        ("qcow", "", 0),
        ("parallels", "", 0),
    ] {
        shell(folder, &format!("qemu-img convert -f raw -O {format} {options} source.raw i"));
        let image = std::fs::read(folder.join("i")).unwrap();
        for length in lengths(image.len(), 9).into_iter().chain([image.len()]) {
            std::fs::write(folder.join("cut"), &image[..length]).unwrap();
            let mut convert = command("qemu-img");
            let output = convert
                .args(["convert", "-f", format, "-O", "raw", "cut", "out.raw"])
                .current_dir(folder)
                .output();
            let read = output.unwrap().status.success()
                && std::fs::read(folder.join("out.raw")).unwrap().starts_with(&source);
            let found = codes(&folder.join("cut"));
            let lost = image.len() - length;
            let what = format!("{format} {options}: {lost} of {} bytes cut off, {found:?}", image.len());
            // A fixed VHD without its footer is no VHD.
            if !found.is_empty() || (format == "vpc" && options.contains("fixed") && lost > 1) {
                assert!(
                    !read || (lost > 0 && lost < metadata_at_end) || options.contains("fixed"),
                    "{what}: is complete"
                );
            } else {
                assert!(read, "{what}: part of the disk is lost");
                if format != "vpc" && matches!(format, "qcow2" | "vmdk") {
                    assert!(to_raw(&folder.join("cut"), &folder.join("ours.raw")), "{what}: ours");
                    assert!(
                        std::fs::read(folder.join("ours.raw")).unwrap().starts_with(&source),
                        "{what}: ours"
                    );
                }
            }
        }
    }
}

/// A Bochs disk of version 2, 3 MiB, whose three extents are data, absent, and data; each extent follows its bitmap.
fn bochs(first: &[u8], third: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| drop(image.splice(at..at + bytes.len(), bytes.iter().copied()));
    put(0, b"Bochs Virtual HD Image");
    put(32, b"Redolog");
    put(48, b"Growing");
    for (at, number) in [(64, 0x0002_0000_u32), (68, 512), (72, 128), (76, 256), (80, 1 << 20)] {
        put(at, &number.to_le_bytes());
    }
    put(88, &(3_u64 << 20).to_le_bytes());
    let catalog = (0..128).map(|entry| match entry {
        0 => 0,
        2 => 1,
        _ => u32::MAX,
    });
    image.extend(catalog.flat_map(u32::to_le_bytes));
    for extent in [first, third] {
        image.extend([&[0xff; 256][..], &[0; 256], extent].concat());
    }
    image
}

/// A zlib stream that stores the bytes as they are.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    let stored = [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes];
    [stored.concat(), (b << 16 | a).to_be_bytes().to_vec()].concat()
}

/// A cloop image of these blocks of 32 KiB.
fn cloop(disk: &[u8]) -> Vec<u8> {
    let blocks = disk.chunks(32768).map(zlib).collect::<Vec<_>>();
    let mut image =
        b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 /dev/cloop $1\n".to_vec();
    image.resize(128, 0);
    image.extend(32768_u32.to_be_bytes());
    image.extend(u32::try_from(blocks.len()).unwrap().to_be_bytes());
    let mut offset = 136 + 8 * (blocks.len() as u64 + 1);
    image.extend(offset.to_be_bytes());
    for block in &blocks {
        offset += block.len() as u64;
        image.extend(offset.to_be_bytes());
    }
    image.extend(blocks.concat());
    image
}

/// No tool at hand writes these two formats; qemu-img reads them.
#[test]
fn a_cut_of_a_bochs_and_of_a_cloop_image_shows() {
    need_tools(["qemu-img"]);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let (first, third) = (noise(5, 1 << 20), noise(6, 1 << 20));
    let disk = [&first[..], &vec![0; 1 << 20], &third].concat();
    for (format, image, disk) in [("bochs", bochs(&first, &third), disk), ("cloop", cloop(&first), first)] {
        std::fs::write(folder.join("i"), &image).unwrap();
        shell(folder, &format!("qemu-img convert -f {format} -O raw i out.raw"));
        assert!(
            std::fs::read(folder.join("out.raw")).unwrap() == disk,
            "{format}: not built as qemu reads it"
        );
        assert_eq!(codes(&folder.join("i")), Vec::<&str>::new(), "{format}");
        // The last byte of each file is one of the disk.
        for length in lengths(image.len(), 11) {
            std::fs::write(folder.join("cut"), &image[..length]).unwrap();
            let found = codes(&folder.join("cut"));
            assert!(
                found.contains(&"IMS-020"),
                "{format} cut to {length} of {} bytes: {found:?}",
                image.len()
            );
        }
    }
}

/// Compressed clusters end somewhere in their last sector, which only expanding them shows.
#[test]
fn a_cut_within_the_last_compressed_cluster_shows() {
    need_tools(["qemu-img", "qemu-io"]);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let text = noise(4, 300_000).iter().map(|byte| b'a' + byte % 16).collect::<Vec<_>>();
    std::fs::write(folder.join("source.raw"), &text).unwrap();
    for options in ["", "-o compression_type=zstd", "-o cluster_size=4k"] {
        shell(folder, &format!("qemu-img convert -c -f raw -O qcow2 {options} source.raw i"));
        let image = std::fs::read(folder.join("i")).unwrap();
        let mut seen = [false, false];
        for length in (image.len() - 520..=image.len()).step_by(3) {
            std::fs::write(folder.join("cut"), &image[..length]).unwrap();
            let whole = codes(&folder.join("cut")).is_empty();
            let ours = to_raw(&folder.join("cut"), &folder.join("ours.raw"));
            assert_eq!(whole, ours, "{length} of {}", image.len());
            if whole {
                assert!(std::fs::read(folder.join("ours.raw")).unwrap().starts_with(&text));
            }
            seen[usize::from(whole)] = true;
        }
        assert_eq!(seen, [true, true], "{options}");
    }
}

/// `qemu-img check` walks the same tables: what it finds nothing wrong with is refused by nobody.
#[test]
fn what_qemu_img_check_calls_sound_is_not_refused_and_what_overlaps_is() {
    need_tools(["qemu-img", "qemu-io"]);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("source.raw"), [noise(5, 900_000), vec![9; 600_000]].concat()).unwrap();
    for options in ["-o cluster_size=4k", "-c -o cluster_size=4k", "-o cluster_size=16k,extended_l2=on"] {
        shell(
            folder,
            &format!("qemu-img convert -f raw -O qcow2 {options} source.raw i; qemu-img snapshot -c s i"),
        );
        let image = std::fs::read(folder.join("i")).unwrap();
        let number = |at: usize| u64::from_be_bytes(*image[at..].first_chunk().unwrap());
        let place = |at: usize| usize::try_from(number(at) & 0x00ff_ffff_ffff_fe00).unwrap();
        let (l1, refcounts) = (place(40), place(48));
        let width = if options.contains("extended") { 16 } else { 8 };
        let l2 = place(l1);
        let mut refused = 0;
        let random = noise(6, 1200);
        for (round, draw) in random.chunks(10).enumerate() {
            let table = [l1, l2, l2, l2, refcounts][usize::from(draw[0]) % 5];
            let index =
                if table == l2 { usize::from(draw[1] % 64) * width } else { usize::from(draw[1] % 2) * 8 };
            let at = table + index;
            let value = match draw[2] % 5 {
                // One bit, or the value of another entry.
                0 | 1 => number(at) ^ 1 << (draw[3] % 64),
                2 | 3 => number(l2 + usize::from(draw[4] % 64) * width),
                _ => [l1, l2, refcounts, 0][usize::from(draw[5] % 4)] as u64 | 1 << 63,
            };
            let mut altered = image.clone();
            altered[at..][..8].copy_from_slice(&value.to_be_bytes());
            std::fs::write(folder.join("altered"), altered).unwrap();
            let output =
                command("qemu-img").args(["check", "-f", "qcow2", "altered"]).current_dir(folder).output();
            let sound = output.unwrap().status.success();
            let found = codes(&folder.join("altered"));
            // With subclusters the lowest bit of an entry is reserved, and qemu does not look at it.
            let is_reserved = width == 16 && table == l2 && value & 1 != 0;
            assert!(
                !sound || found.is_empty() || is_reserved,
                "{options}, round {round}: {at} = {value:#x}: {found:?}"
            );
            refused += u32::from(!found.is_empty());
        }
        assert!(refused > 30, "{options}: {refused}");
    }
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
