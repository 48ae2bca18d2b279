//! `imsprep zvhd2 repair` as a person runs it.

use imsprep_testdata::golden;

use crate::folder::{Folder, codes};

const GOOD: &str = "zstd_k_uniform.zvhd2";
/// Where its records of blocks 2 and 3 begin, and its MID.
const RECORDS: [usize; 2] = [12_288, 16_384];
const MID: usize = 40_960;

/// A folder with a good file and one that was made of it.
fn folder_with(change: impl FnOnce(&mut Vec<u8>)) -> Folder {
    let folder = Folder::new();
    folder.write("good.zvhd2", golden(GOOD));
    let mut bytes = golden(GOOD).to_vec();
    change(&mut bytes);
    folder.write("in.zvhd2", &bytes);
    folder
}

#[test]
fn a_file_that_lost_its_tail_comes_out_whole() {
    let length = golden(GOOD).len();
    for (name, keep) in [("no END", length - 4096), ("no bitmap", length - 8192), ("no index", MID + 4096)] {
        let folder = folder_with(|bytes| bytes.truncate(keep));
        let before = std::fs::read(folder.path("in.zvhd2")).unwrap();
        assert_eq!(folder.run(&["zvhd2", "check", "in.zvhd2"]).status, 1);
        let run = folder.run(&["zvhd2", "repair", "in.zvhd2", "out.zvhd2"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}: {}", run.out);
        assert!(run.out.starts_with("out.zvhd2: rebuilt, no data is missing\n"), "{}", run.out);
        assert!(run.out.contains("saved   6 records: blocks 0-5"), "{}", run.out);
        assert_eq!(folder.run(&["zvhd2", "check", "--strict", "out.zvhd2"]).status, 0);
        assert_eq!(folder.run(&["compare", "good.zvhd2", "out.zvhd2"]).status, 0);
        assert_eq!(std::fs::read(folder.path("in.zvhd2")).unwrap(), before, "never touches IN");
        assert_eq!(folder.names(), ["good.zvhd2", "in.zvhd2", "out.zvhd2"]);
    }
}

#[test]
fn what_is_lost_stays_lost_and_makes_1() {
    let folder = folder_with(|bytes| bytes[RECORDS[0]..RECORDS[1]].fill(0));
    let (status, json) = folder.json(&["zvhd2", "repair", "in.zvhd2", "out.zvhd2"]);
    assert_eq!((status, json["schema"].as_str()), (1, Some("imsprep.zvhd2.repair")));
    assert_eq!((json["saved"].as_u64(), json["size_from"].as_str()), (Some(5), Some("END")));
    let missing = &json["missing"];
    assert_eq!((missing["state"].as_str(), missing["count"].as_u64()), (Some("blocks"), Some(1)));
    assert_eq!(
        (missing["blocks"][0]["first"].as_u64(), missing["blocks"][0]["count"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(codes(&json["report"]), ["ZV-052"]);
    let run = folder.run(&["zvhd2", "repair", "--force", "in.zvhd2", "out.zvhd2"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("DATA IS MISSING") && run.out.contains("missing 1 block: 2\n"), "{}", run.out);
    // The lost block reads as zeros; the others are there.
    let run = folder.run(&["compare", "good.zvhd2", "out.zvhd2"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("first at byte 4194305: 0x01 in the first, 0x00 in the second"), "{}", run.out);
    assert_eq!(folder.run(&["zvhd2", "check", "--strict", "out.zvhd2"]).status, 0);
}

#[test]
fn a_file_cut_off_before_mid_says_that_nobody_knows() {
    let folder = folder_with(|bytes| bytes.truncate(RECORDS[1] + 100));
    let run = folder.run(&["zvhd2", "repair", "in.zvhd2", "out.zvhd2"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("rebuilt, data MAY be missing"), "{}", run.out);
    assert!(
        run.out.contains("missing unknown: blocks after 2 may be missing; there is no intact index"),
        "{}",
        run.out
    );
    assert!(run.out.contains("the file ends within the record of block 3"), "{}", run.out);
    let (_, json) = folder.json(&["zvhd2", "repair", "--force", "in.zvhd2", "out.zvhd2"]);
    assert_eq!(
        (json["missing"]["state"].as_str(), json["missing"]["after"].as_u64()),
        (Some("unknown"), Some(2))
    );
    // All records, but no MID to say so.
    let folder = folder_with(|bytes| bytes.truncate(MID));
    let run = folder.run(&["zvhd2", "repair", "in.zvhd2", "out.zvhd2"]);
    assert_eq!(run.status, 1);
    let words = "missing unknown: blocks after 5 may be missing; there is no intact index, bitmap or count";
    assert!(run.out.contains(words), "{}", run.out);
}

#[test]
fn without_a_sound_footer_the_size_must_be_given() {
    let folder = folder_with(|bytes| {
        bytes.truncate(MID);
        bytes[8..4096].fill(0);
    });
    let run = folder.run(&["zvhd2", "repair", "in.zvhd2", "out.zvhd2"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(
        run.err.contains("in.zvhd2: HEAD, MID and END are missing") && run.err.contains("--size"),
        "{}",
        run.err
    );
    let (status, json) = folder.json(&["zvhd2", "repair", "--size", "12MiB", "in.zvhd2", "out.zvhd2"]);
    assert_eq!((status, json["saved"].as_u64(), json["size_from"].as_str()), (1, Some(6), Some("--size")));
    assert_eq!(folder.run(&["compare", "good.zvhd2", "out.zvhd2"]).status, 0);
    let run = folder.run(&["zvhd2", "repair", "--size", "1", "good.zvhd2", "other.zvhd2"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("END, which is intact, is 12582912"), "{}", run.err);
}

#[test]
fn nothing_is_written_where_nothing_may_be_or_nothing_was_saved() {
    let folder = folder_with(|bytes| bytes.truncate(4096));
    folder.write("there.zvhd2", b"precious");
    folder.write("text", b"not at all");
    folder.write("old.zvhd", golden("zvhd1_a_8m.zvhd"));
    for (args, status, words) in [
        (["in.zvhd2", "out.zvhd2"], 1, "no record can be recovered; nothing was written"),
        (["good.zvhd2", "there.zvhd2"], 2, "already exists"),
        (["good.zvhd2", "good.zvhd2"], 2, "the output is the same file as the input"),
        (["text", "out.zvhd2"], 2, "not a ZVHD2 file"),
        (["old.zvhd", "out.zvhd2"], 2, "ZVHD version 1"),
        (["none", "out.zvhd2"], 2, "cannot open"),
        (["good.zvhd2", "out.raw"], 2, "the output would be zvhd2: use the extension .zvhd2"),
    ] {
        let run = folder.run(&["zvhd2", "repair", args[0], args[1]]);
        assert_eq!((run.status, run.out.as_str()), (status, ""), "{args:?}");
        assert!(run.err.contains(words), "{}", run.err);
    }
    let run = folder.run(&["zvhd2", "repair", "--force", "good.zvhd2", "good.zvhd2"]);
    assert_eq!(run.status, 2);
    assert_eq!(std::fs::read(folder.path("there.zvhd2")).unwrap(), b"precious");
    assert_eq!(folder.names(), ["good.zvhd2", "in.zvhd2", "old.zvhd", "text", "there.zvhd2"]);
}

#[test]
fn a_container_that_lost_both_ends_is_no_raw() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(imsprep_testdata::folder().join("reference.zvhd2")).unwrap();
    bytes[..4096].fill(0);
    bytes.truncate(bytes.len() - 4096);
    folder.write("lost.zvhd2", &bytes);
    let (status, json) = folder.json(&["check", "lost.zvhd2"]);
    assert_ne!((status, &json["files"][0]["verdict"]), (0, &"importable".into()));
    let (_, json) = folder.json(&["detect", "lost.zvhd2"]);
    assert_eq!(json["files"][0]["format"], "zvhd2");
    // Not wrapped into another container without a word.
    assert_ne!(folder.run(&["convert", "lost.zvhd2", "again.zvhd2"]).status, 0);
    // Its records are all there, and MID tells how many they are.
    let run = folder.run(&["zvhd2", "repair", "lost.zvhd2", "new.zvhd2", "--size", "10487296"]);
    assert!(run.out.contains("saved   3 records"), "{run:?}");
}
