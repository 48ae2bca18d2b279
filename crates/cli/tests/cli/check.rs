//! `imsprep check` as a person runs it.

use crate::folder::{Folder, codes};
use serde_json::Value;

const GIB: u64 = 1 << 30;
#[cfg(target_os = "linux")]
const TIB: u64 = 1 << 40;

/// The findings' codes of the one file of a check.
fn checked(folder: &Folder, args: &[&str]) -> (i32, String, Vec<String>, Value) {
    let (status, json) = folder.json(&[&["check"], args].concat());
    let file = json["files"][0].clone();
    (status, file["verdict"].as_str().unwrap().to_owned(), codes(&file["report"]), file)
}

#[test]
fn a_raw_without_a_bitmap_is_refused_and_with_one_passes_with_the_layout_unproven() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * GIB, &[0, 5 * GIB]);
    let (status, verdict, found, _) = checked(&folder, &["disk.raw"]);
    assert_eq!((status, verdict.as_str()), (1, "not-importable"));
    assert_eq!(found, ["BM-003", "IMS-006", "IMS-014"]);
    assert_eq!(folder.names(), ["disk.raw"], "check writes nothing unless asked to");

    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let (status, verdict, found, file) = checked(&folder, &["disk.raw"]);
    assert_eq!((status, verdict.as_str()), (0, "importable"));
    assert_eq!(file["reservations"], serde_json::json!(["bitmap-layout-unproven"]));
    assert_eq!(found, ["BM-005", "IMS-006", "IMS-014"]);
    assert_eq!(file["bitmap"]["state"], "known");
    assert_eq!(file["scan"]["data_blocks"], 2);

    let run = folder.run(&["check", "disk.raw"]);
    assert!(run.out.starts_with("disk.raw: IMPORTABLE, bitmap layout unproven (2 warnings"), "{}", run.out);
    assert!(run.err.is_empty(), "{}", run.err);
    assert_eq!(folder.run(&["check", "--strict", "disk.raw"]).status, 1);
}

#[test]
fn write_bitmap_makes_the_missing_one_and_never_replaces_one() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[3 << 20]);
    let (status, _, _, file) = checked(&folder, &["--write-bitmap", "disk.raw"]);
    assert_eq!((status, file["bitmap"]["state"].as_str()), (0, Some("written")));
    let bytes = std::fs::read(folder.path("disk.mf")).unwrap();
    assert_eq!((bytes.len(), bytes[0]), (4096, 0b10));

    std::fs::write(folder.path("disk.mf"), "somebody's").unwrap();
    let (status, _, found, file) = checked(&folder, &["--write-bitmap", "disk.raw"]);
    assert_eq!(status, 0);
    assert!(found.contains(&"BM-006".to_owned()), "{found:?}");
    assert_eq!(file["bitmap"]["state"], "unrecognised");
    assert_eq!(file["reservations"], serde_json::json!(["bitmap-not-recognised"]));
    assert_eq!(std::fs::read(folder.path("disk.mf")).unwrap(), b"somebody's");
}

#[test]
fn no_bitmap_is_written_for_an_image_that_is_refused_anyway() {
    let folder = Folder::new();
    folder.sparse("my disk.raw", GIB, &[0]);
    let (status, _, found, _) = checked(&folder, &["--write-bitmap", "my disk.raw"]);
    assert_eq!(status, 1);
    assert!(found.contains(&"IMS-010".to_owned()) && found.contains(&"BM-003".to_owned()), "{found:?}");
    assert_eq!(folder.names(), ["my disk.raw"]);
}

#[test]
fn a_bitmap_that_would_lose_data_is_an_error_with_block_and_offset() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, 10 << 20]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let mut bits = std::fs::read(folder.path("disk.mf")).unwrap();
    assert_eq!(bits[0], 0b10_0001);
    bits[0] = 0b00_0011;
    std::fs::write(folder.path("disk.mf"), bits).unwrap();
    let (status, verdict, found, file) = checked(&folder, &["disk.raw"]);
    assert_eq!((status, verdict.as_str()), (1, "not-importable"));
    assert!(found.starts_with(&["BM-001".into(), "BM-002".into()]), "{found:?}");
    let lost = &file["report"]["findings"][0];
    assert_eq!((lost["block"].as_u64(), lost["offset"].as_u64()), (Some(5), Some(10 << 20)));

    // Unread, it is not shown as passed.
    let (status, verdict, found, file) = checked(&folder, &["--quick", "disk.raw"]);
    assert_eq!((status, verdict.as_str()), (0, "importable"));
    assert!(!found.contains(&"BM-001".to_owned()));
    let reservations = file["reservations"].as_array().unwrap();
    assert!(reservations.contains(&"content-not-checked".into()), "{reservations:?}");
    let listed = file["report"]["not_checked"].as_array().unwrap();
    assert!(listed.iter().any(|n| n["what"].as_str().unwrap().contains("bitmap")), "{listed:?}");
}

#[test]
fn a_bitmap_of_another_image_size_is_an_error_and_an_empty_one_too() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, GIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap().set_len(70 * GIB).unwrap();
    let (status, _, found, _) = checked(&folder, &["disk.raw"]);
    assert_eq!(status, 1);
    assert!(found.contains(&"BM-004".to_owned()), "{found:?}");
    folder.write("disk.mf", b"");
    let (status, _, found, _) = checked(&folder, &["disk.raw"]);
    assert_eq!(status, 1);
    assert!(found.contains(&"BM-008".to_owned()), "{found:?}");
}

// Where holes are not believed, a terabyte of them is read.
#[cfg(target_os = "linux")]
#[test]
fn a_tebibyte_passes_and_one_byte_more_fails() {
    let folder = Folder::new();
    folder.sparse("a.raw", TIB, &[0, TIB - 1]);
    folder.run(&["bitmap", "create", "a.raw"]);
    let (status, verdict, found, file) = checked(&folder, &["a.raw"]);
    assert_eq!((status, verdict.as_str()), (0, "importable"));
    assert_eq!(found, ["BM-005", "IMS-014"]);
    assert_eq!(file["scan"]["data_blocks"], 2);

    folder.sparse("b.raw", TIB + 1, &[0]);
    let (status, verdict, found, _) = checked(&folder, &["b.raw"]);
    assert_eq!((status, verdict.as_str()), (1, "not-importable"));
    assert!(found.contains(&"IMS-002".to_owned()), "{found:?}");
    let text = folder.run(&["check", "b.raw"]).out;
    assert!(text.contains("1099511627777 bytes"), "{text}");
}

#[test]
fn a_zvhd2_of_the_reference_passes_and_a_damaged_one_does_not() {
    let folder = Folder::new();
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_h2_gpt_esp_ext4.zvhd2"));
    let (status, verdict, found, file) = checked(&folder, &["good.zvhd2"]);
    assert_eq!((status, verdict.as_str()), (0, "importable"));
    assert_eq!(found, ["IMS-005", "IMS-018", "OS-009", "OS-011", "OS-015"]);
    assert_eq!(file["reservations"], serde_json::json!([]));
    assert!(folder.run(&["check", "good.zvhd2"]).out.starts_with("good.zvhd2: IMPORTABLE ("));

    // One byte of a record's payload: only expanding it shows that.
    let mut bytes = imsprep_testdata::golden("zstd_a_8m.zvhd2").to_vec();
    bytes[4096 + 48] ^= 0x55;
    folder.write("bad.zvhd2", &bytes);
    let (status, verdict, ..) = checked(&folder, &["bad.zvhd2"]);
    assert_eq!((status, verdict.as_str()), (1, "not-importable"));
    let (status, verdict, _, file) = checked(&folder, &["--quick", "bad.zvhd2"]);
    assert_eq!((status, verdict.as_str()), (0, "importable"));
    assert_eq!(file["reservations"], serde_json::json!(["content-not-checked"]));
}

#[test]
fn the_text_of_a_sound_image_fits_ten_lines() {
    let folder = Folder::new();
    // A disk of 50 GiB with one partition.
    let small = std::fs::read(imsprep_testdata::folder().join("small.raw")).unwrap();
    folder.sparse("disk.raw", 50 * GIB, &[]);
    let disk = std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&disk, &small, 0).unwrap();
    folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    for image in ["disk.raw", "disk.zvhd2"] {
        let [brief, verbose] = [&["check", image][..], &["check", "-v", image]].map(|args| folder.run(args));
        assert_eq!((brief.status, verbose.status), (0, 0), "{}", brief.out);
        assert!(brief.out.lines().count() <= 10, "{}", brief.out);
        // What the short text leaves out.
        for fact in ["  format  ", "  file    ", "  blocks  ", "the operating system: no volume"] {
            assert!(verbose.out.contains(fact) && !brief.out.contains(fact), "{fact}: {}", verbose.out);
        }
    }
}

#[test]
fn other_formats_are_refused_with_the_way_out_that_fits_their_size() {
    let folder = Folder::new();
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
    let run = folder.run(&["check", "disk.qcow2"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("NOT IMPORTABLE") && run.out.contains("common import"), "{}", run.out);
    std::fs::File::options()
        .write(true)
        .open(folder.path("disk.qcow2"))
        .unwrap()
        .set_len((128 << 30) + 1)
        .unwrap();
    let run = folder.run(&["check", "disk.qcow2"]);
    assert_eq!(run.status, 1);
    assert!(
        run.out.contains("imsprep prepare disk.qcow2") && !run.out.contains("use the common import"),
        "{}",
        run.out
    );

    folder.write("old.zvhd", imsprep_testdata::golden("zvhd1_a_8m.zvhd"));
    let run = folder.run(&["check", "old.zvhd"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("the file is zvhd"), "{}", run.out);
}

#[test]
fn a_folder_stands_for_its_images_and_a_table_ends_the_report() {
    let folder = Folder::new();
    folder.sparse("a.raw", 50 * GIB, &[0]);
    folder.run(&["bitmap", "create", "a.raw"]);
    folder.write("b.zvhd2", imsprep_testdata::golden("zstd_d_zero_64m.zvhd2"));
    folder.write("notes.txt", b"no image");
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("c.qcow2")).unwrap();
    let run = folder.run(&["check", "."]);
    assert_eq!(run.status, 1);
    let table = run.out.split("\n\n").last().unwrap();
    let lines = table.lines().collect::<Vec<_>>();
    assert_eq!(lines.len(), 5, "{table}");
    assert!(lines[1].starts_with("./a.raw    raw     50 GiB  importable"), "{table}");
    assert!(lines[3].ends_with("not importable (IMS-001)"), "{table}");
    assert_eq!(lines[4], "3 files: 2 passed, 1 failed, 0 could not be checked");
}

#[test]
fn of_several_files_could_not_look_beats_not_importable_beats_fine() {
    let folder = Folder::new();
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    folder.write("bad.zvhd2", imsprep_testdata::golden("variant_04_no_end_footer.zvhd2"));
    assert_eq!(folder.run(&["check", "good.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["check", "good.zvhd2", "bad.zvhd2"]).status, 1);
    let run = folder.run(&["check", "none.raw", "bad.zvhd2", "good.zvhd2"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none.raw"), "{}", run.err);
    assert!(run.out.contains("3 files: 1 passed, 1 failed, 1 could not be checked"), "{}", run.out);
    let (status, json) = folder.json(&["check", "none.raw", "good.zvhd2"]);
    assert_eq!((status, json["exit_status"].as_i64()), (2, Some(2)));
    assert_eq!(json["files"][0]["verdict"], "could-not-tell");
    assert!(json["files"][0]["error"].as_str().unwrap().contains("none.raw"));
}

#[test]
fn two_raw_images_that_would_share_a_bitmap_are_refused_and_none_is_written() {
    let folder = Folder::new();
    folder.sparse("a.raw", GIB, &[0]);
    folder.sparse("a.img", GIB, &[4 << 20]);
    let (status, json) = folder.json(&["check", "--write-bitmap", "a.raw", "a.img"]);
    assert_eq!(status, 1);
    for file in json["files"].as_array().unwrap() {
        assert!(codes(&file["report"]).contains(&"BM-009".to_owned()), "{file}");
    }
    assert_eq!(folder.names(), ["a.img", "a.raw"]);
}

#[test]
fn every_report_names_the_rule_set_and_what_was_not_checked() {
    let folder = Folder::new();
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    let (_, json) = folder.json(&["check", "good.zvhd2"]);
    assert_eq!(json["schema"], "imsprep.check");
    assert_eq!((json["version"].as_i64(), json["profile"].as_str()), (Some(1), Some("huawei")));
    assert_eq!(json["rule_set"], imsprep_rules::RULE_SET_DATE);
    let text = folder.run(&["check", "good.zvhd2"]).out;
    assert!(text.contains("not checked:") && text.contains(imsprep_rules::RULE_SET_DATE), "{text}");
    assert!(text.contains("whether the system is Windows"), "{text}");
    let text = folder.run(&["check", "--profile", "otc", "good.zvhd2"]).out;
    assert!(!text.contains("Windows"), "{text}");
}

#[test]
fn quiet_says_nothing_and_the_status_says_all() {
    let folder = Folder::new();
    folder.write("bad.zvhd2", imsprep_testdata::golden("variant_04_no_end_footer.zvhd2"));
    let run = folder.run(&["check", "-q", "bad.zvhd2"]);
    assert_eq!((run.status, run.out.as_str(), run.err.as_str()), (1, "", ""));
}

#[test]
fn a_bitmap_older_than_its_image_is_a_note_where_content_was_compared_and_else_a_warning() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * GIB, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let age = |seconds| {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
        std::fs::File::options()
            .write(true)
            .open(folder.path("disk.mf"))
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    let severity = |args: &[&str]| {
        let (status, _, _, file) = checked(&folder, args);
        assert_eq!(status, 0);
        let findings = file["report"]["findings"].as_array().unwrap().clone();
        let older = findings.iter().find(|f| f["code"] == "BM-007");
        older.map(|f| f["severity"].as_str().unwrap().to_owned())
    };
    age(3600);
    assert_eq!(severity(&["disk.raw"]).as_deref(), Some("note"));
    assert_eq!(severity(&["--quick", "disk.raw"]).as_deref(), Some("warning"));
    age(0);
    assert_eq!(severity(&["disk.raw"]), None);
}
