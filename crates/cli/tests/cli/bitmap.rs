//! `imsprep bitmap` as a person runs it.

use crate::folder::{Folder, codes};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

#[test]
fn create_writes_the_bits_and_says_what_it_found() {
    let folder = Folder::new();
    // 21 blocks, the last one partial.
    folder.sparse("disk.v2.raw", 40 * MIB + 5, &[0, 7 * MIB, 40 * MIB + 4]);
    let run = folder.run(&["bitmap", "create", "disk.v2.raw"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    for line in ["  blocks  21, 2 MiB each", "  data    3 (14.3 %)", "  zero    18 (85.7 %)"] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    // Of three pages and holes there is no rate to tell.
    assert!(run.out.contains("had to be read") && !run.out.contains("GB/s"), "{}", run.out);
    assert!(run.out.contains("not published"), "{}", run.out);
    assert_eq!(run.out.matches("not published").count(), 1, "said once: {}", run.out);
    let mut expected = vec![0u8; 4096];
    (expected[0], expected[2]) = (0b1001, 0b1_0000);
    assert_eq!(std::fs::read(folder.path("disk.v2.mf")).unwrap(), expected);
    assert_eq!(folder.names(), ["disk.v2.mf", "disk.v2.raw"]);

    let (status, json) = folder.json(&["bitmap", "create", "disk.v2.raw", "-o", "other.mf"]);
    assert_eq!(status, 0);
    assert_eq!(json["schema"], "imsprep.bitmap.create");
    assert_eq!((json["layout"].as_str(), json["layout_proven"].as_bool()), (Some("zvhd2"), Some(false)));
    assert_eq!((json["scan"]["blocks"].as_u64(), json["scan"]["zero_blocks"].as_u64()), (Some(21), Some(18)));
}

#[test]
fn an_image_is_never_replaced_by_a_bitmap() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[0]);
    let precious = std::fs::read(imsprep_testdata::folder().join("reference.zvhd2")).unwrap();
    folder.write("disk.zvhd2", &precious);
    let run = folder.run(&["bitmap", "create", "disk.raw", "-o", "disk.zvhd2", "--force"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.contains("disk.zvhd2: is an image (zvhd2), not a bitmap file"), "{}", run.err);
    assert!(std::fs::read(folder.path("disk.zvhd2")).unwrap() == precious);
    assert_eq!(folder.names(), ["disk.raw", "disk.zvhd2"]);
}

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[0]);
    for old in [&b"genuine?"[..], &[0; 4096]] {
        folder.write("disk.mf", old);
        let run = folder.run(&["bitmap", "create", "disk.raw"]);
        assert_eq!(run.status, 2);
        assert!(run.err.contains("disk.mf") && run.err.contains("--force"), "{}", run.err);
        assert_eq!(std::fs::read(folder.path("disk.mf")).unwrap(), old);
    }
    assert_eq!(folder.run(&["bitmap", "create", "--force", "disk.raw"]).status, 0);
    assert_eq!(std::fs::read(folder.path("disk.mf")).unwrap()[0], 1);
}

#[test]
fn the_image_itself_is_never_the_output() {
    let folder = Folder::new();
    let image = folder.sparse("disk.raw", 4 * MIB, &[0]);
    std::fs::hard_link(&image, folder.path("hard.mf")).unwrap();
    std::os::unix::fs::symlink(&image, folder.path("soft.mf")).unwrap();
    let before = std::fs::read(&image).unwrap();
    for output in ["disk.raw", "hard.mf", "soft.mf"] {
        let run = folder.run(&["bitmap", "create", "--force", "disk.raw", "-o", output]);
        assert_eq!(run.status, 2, "{output}");
        assert!(run.err.contains("the output is the same file as the input"), "{}", run.err);
    }
    // An image that is named .mf would be its own bitmap.
    std::fs::rename(&image, folder.path("disk.mf")).unwrap();
    assert_eq!(folder.run(&["bitmap", "create", "--force", "disk.mf"]).status, 2);
    assert_eq!(std::fs::read(folder.path("disk.mf")).unwrap(), before);
}

#[test]
fn only_raw_images_get_a_bitmap() {
    let folder = Folder::new();
    folder.write("a.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("b.raw")).unwrap();
    let run = folder.run(&["bitmap", "create", "a.zvhd2"]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("a ZVHD2 has a bitmap inside, with the same bits"), "{}", run.err);
    let run = folder.run(&["bitmap", "create", "b.raw"]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("b.raw: is qcow2"), "{}", run.err);
    assert_eq!(folder.names(), ["a.zvhd2", "b.raw"]);
}

#[test]
fn verify_finds_every_wrong_bit() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, 64 * MIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let run = folder.run(&["bitmap", "verify", "disk.raw"]);
    assert_eq!(run.status, 0);
    assert!(run.out.starts_with("disk.mf: matches disk.raw\n"), "{}", run.out);

    let good = std::fs::read(folder.path("disk.mf")).unwrap();
    let mut bits = good.clone();
    bits[4] = 0b10;
    folder.write("other.mf", &bits);
    let args = ["bitmap", "verify", "disk.raw", "--bitmap", "other.mf"];
    let (status, json) = folder.json(&args);
    assert_eq!(status, 1);
    let findings = json["report"]["findings"].as_array().unwrap();
    let places =
        findings.iter().map(|f| (f["code"].as_str().unwrap(), f["block"].as_u64(), f["offset"].as_u64()));
    let places = places.collect::<Vec<_>>();
    assert!(places.contains(&("BM-001", Some(32), Some(64 * MIB))), "{places:?}");
    assert!(places.contains(&("BM-002", Some(33), Some(66 * MIB))), "{places:?}");
    let run = folder.run(&args);
    assert!(run.out.starts_with("other.mf: does not match disk.raw\n"), "{}", run.out);

    // A zero block marked data loses nothing.
    let mut bits = good;
    bits[9] = 1;
    folder.write("other.mf", &bits);
    assert_eq!(folder.run(&args).status, 0);
    assert_eq!(folder.run(&[&args[..], &["--strict"]].concat()).status, 1);
}

#[test]
fn of_an_unrecognised_file_nothing_is_claimed() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, 64 * MIB]);
    folder.write("disk.mf", b"MF\x01 some other program's layout");
    let run = folder.run(&["bitmap", "verify", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.out.contains("could not be checked") && !run.out.contains("malformed"), "{}", run.out);
    let (_, json) = folder.json(&["bitmap", "verify", "disk.raw"]);
    assert!(codes(&json["report"]).contains(&"BM-006".to_owned()));
    assert!(!json["report"]["not_checked"].as_array().unwrap().is_empty());
}

// Where holes are not believed, a terabyte of them is read.
#[cfg(target_os = "linux")]
#[test]
fn a_million_wrong_bits_are_counted_and_a_few_are_shown() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 40, &[]);
    folder.write("disk.mf", &[0xff; 65536]);
    let run = folder.run(&["bitmap", "verify", "disk.raw"]);
    assert_eq!(run.status, 0);
    assert!(run.out.contains("a zero block is marked data, 524288 times"), "{}", run.out);
    assert!(run.out.lines().count() < 30, "{}", run.out);
}
