//! `imsprep compare` as a person runs it.

use imsprep_testdata::{command, golden, need_tools};

use crate::folder::Folder;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

#[test]
fn one_disk_in_three_formats_is_the_same() {
    let folder = Folder::new();
    for name in ["zstd_a_8m.zvhd2", "zlib_a_8m.zvhd2", "zvhd1_a_8m.zvhd"] {
        folder.write(name, golden(name));
    }
    let run = folder.run(&["compare", "zstd_a_8m.zvhd2", "zvhd1_a_8m.zvhd"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("zstd_a_8m.zvhd2 and zvhd1_a_8m.zvhd: the same content\n"), "{}", run.out);
    assert!(!run.out.contains("longer"), "{}", run.out);
    assert_eq!(folder.run(&["compare", "zstd_a_8m.zvhd2", "zlib_a_8m.zvhd2"]).status, 0);
}

#[test]
fn a_longer_disk_that_goes_on_in_zeros_is_the_same_and_said_to_be_longer() {
    let folder = Folder::new();
    folder.write("disk.zvhd2", golden("zstd_d_zero_64m.zvhd2"));
    folder.sparse("disk.raw", 64 * MIB, &[]);
    let run = folder.run(&["compare", "disk.raw", "disk.zvhd2"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("disk.zvhd2 is longer by 1006632960 bytes (960 MiB), all zero"), "{}", run.out);
    let (status, json) = folder.json(&["compare", "disk.raw", "disk.zvhd2"]);
    assert_eq!((status, json["schema"].as_str()), (0, Some("imsprep.compare")));
    assert_eq!((json["same"].as_bool(), json["longer"].as_str()), (Some(true), Some("b")));
    assert_eq!((json["longer_by"].as_u64(), json["bytes_read"].as_u64()), (Some(960 * MIB), Some(0)));
    assert!(json["difference"].is_null());
}

#[test]
fn the_first_byte_that_differs_is_named() {
    let folder = Folder::new();
    let at = 3 * GIB + 77;
    folder.sparse("a.raw", 4 * GIB, &[5, at, 4 * GIB - 1]);
    folder.sparse("b.raw", 4 * GIB, &[5]);
    let run = folder.run(&["compare", "a.raw", "b.raw"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    let words =
        "a.raw and b.raw: different, first at byte 3221225549: 0x5a in the first, 0x00 in the second\n";
    assert!(run.out.starts_with(words), "{}", run.out);
    let (status, json) = folder.json(&["compare", "b.raw", "a.raw"]);
    assert_eq!(status, 1);
    let difference = &json["difference"];
    assert_eq!(
        (difference["offset"].as_u64(), difference["a"].as_u64(), difference["b"].as_u64()),
        (Some(at), Some(0), Some(0x5a))
    );
    // Beyond the end of the shorter one.
    folder.sparse("c.raw", GIB, &[5]);
    let run = folder.run(&["compare", "c.raw", "a.raw"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("3221225549: the end in the first, 0x5a in the second"), "{}", run.out);
    let run = folder.run(&["compare", "-q", "c.raw", "a.raw"]);
    assert_eq!((run.status, run.out.as_str()), (1, ""));
}

#[test]
fn what_can_not_be_read_is_2() {
    let folder = Folder::new();
    folder.sparse("a.raw", 8 * MIB, &[]);
    let mut bytes = golden("zstd_a_8m.zvhd2").to_vec();
    bytes[4096 + 60] ^= 0xff;
    folder.write("bad.zvhd2", &bytes);
    folder.write("cut.zvhd2", &bytes[..100_000]);
    folder.write("a.zip", b"PK\x03\x04 and what follows");
    for (name, words) in [
        ("none.raw", "none.raw: cannot open"),
        ("bad.zvhd2", "bad.zvhd2: block 0, at offset 4144 of the file, is damaged"),
        ("cut.zvhd2", "cut.zvhd2: cannot be read as a disk: the last 4096 bytes are not an END footer"),
        ("a.zip", "a.zip: is zip; its disk cannot be read: IMS-020: the directory"),
    ] {
        let run = folder.run(&["compare", "a.raw", name]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{name}");
        assert!(run.err.contains(words), "{}", run.err);
    }
    assert_eq!(folder.run(&["compare", "a.raw"]).status, 2);
}

#[test]
fn a_tebibyte_of_holes_takes_no_time() {
    let folder = Folder::new();
    folder.sparse("a.raw", 1 << 40, &[7, (1 << 40) - 1]);
    folder.sparse("b.raw", 1 << 40, &[7, (1 << 40) - 1]);
    assert_eq!(folder.run_within(20, &["compare", "a.raw", "b.raw"]).status, 0);
}

/// qemu-img names the sector and gives 0 for the same, 1 for different.
#[test]
fn pairs_of_raws_are_judged_as_qemu_img_judges_them() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    let images: [(&str, u64, &[u64]); 8] = [
        ("0.raw", 0, &[]),
        ("1.raw", 5 * MIB, &[]),
        ("2.raw", 5 * MIB, &[1]),
        ("3.raw", 9 * MIB, &[1]),
        ("4.raw", 9 * MIB, &[1, 9 * MIB - 1]),
        ("5.raw", 9 * MIB, &[1, 3 * MIB + 5, 9 * MIB - 1]),
        ("6.raw", 9 * MIB, &[2 * MIB]),
        ("7.raw", 64 * MIB, &[1, 3 * MIB + 5, 40 * MIB]),
    ];
    for (name, size, places) in images {
        folder.sparse(name, size, places);
    }
    let mut different = 0;
    for (a, ..) in images {
        for (b, ..) in images {
            let output = command("qemu-img")
                .args(["compare", "-f", "raw", "-F", "raw"])
                .args([folder.path(a), folder.path(b)])
                .output()
                .unwrap();
            let (status, json) = folder.json(&["compare", a, b]);
            assert_eq!(Some(status), output.status.code(), "{a} {b}");
            let text = String::from_utf8(output.stdout).unwrap();
            let sector = text.split("mismatch at offset ").nth(1).and_then(|rest| rest.split('!').next());
            let sector = sector.map(|digits| digits.parse::<u64>().unwrap());
            let found = json["difference"]["offset"].as_u64();
            assert_eq!(found.map(|offset| offset / 512 * 512), sector, "{a} {b}: {text}");
            different += usize::from(found.is_some());
        }
    }
    assert!(different > 20 && different < 60, "{different}");
}
