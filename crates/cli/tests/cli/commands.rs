//! `imsprep detect`, `zvhd2` and `rules` as a person runs them.

use imsprep_bitmap::layout::LAYOUTS;
use imsprep_detect::{Access, FORMATS, Format};
use imsprep_testdata::golden;

use crate::folder::{Folder, codes};

#[test]
fn detect_names_format_sizes_and_facts() {
    let folder = Folder::new();
    folder.write("disk.zvhd2", golden("zstd_k_uniform.zvhd2"));
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.raw")).unwrap();
    std::fs::copy(imsprep_testdata::folder().join("small.raw"), folder.path("small.raw")).unwrap();
    let run = folder.run(&["detect", "disk.zvhd2", "disk.raw", "small.raw"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("disk.raw: qcow2"), "the content counts, not the name: {}", run.out);
    assert!(run.out.contains("10737418240 bytes (10 GiB)"), "{}", run.out);
    let (_, json) = folder.json(&["detect", "small.raw", "disk.zvhd2"]);
    assert_eq!((json["schema"].as_str(), json["version"].as_i64()), (Some("imsprep.detect"), Some(1)));
    assert_eq!(
        (json["files"][0]["format"].as_str(), &json["files"][0]["evidence"]),
        (Some("raw"), &["MBR"].into())
    );
    assert_eq!(json["files"][1]["format"], "zvhd2");
    let run = folder.run(&["detect", "none", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.out.contains("qcow2"), "one bad name does not hide the others: {}", run.out);
}

#[test]
fn zvhd2_check_and_info() {
    let folder = Folder::new();
    folder.write("good.zvhd2", golden("zlib_k_uniform.zvhd2"));
    folder.write("bad.zvhd2", golden("variant_33_trailing_4096_zero.zvhd2"));
    folder.write("old.zvhd", golden("zvhd1_a_8m.zvhd"));
    folder.write("text.txt", b"not at all");
    let run = folder.run(&["zvhd2", "check", "good.zvhd2"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("good.zvhd2: sound\n"), "{}", run.out);
    let run = folder.run(&["zvhd2", "check", "--quick", "good.zvhd2"]);
    assert!(run.out.contains("not checked"), "{}", run.out);
    assert_eq!(folder.run(&["zvhd2", "check", "bad.zvhd2"]).status, 1);
    let run = folder.run(&["zvhd2", "check", "old.zvhd"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("ZVHD"), "{}", run.out);
    let run = folder.run(&["zvhd2", "check", "text.txt"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("text.txt"), "{}", run.err);

    let run = folder.run(&["zvhd2", "info", "good.zvhd2"]);
    assert_eq!(run.status, 0);
    for word in ["zlib", "curr_size", "1073741824", "z2strm"] {
        assert!(run.out.contains(word), "{word}: {}", run.out);
    }
    let (status, json) = folder.json(&["zvhd2", "info", "good.zvhd2"]);
    assert_eq!((status, json["schema"].as_str()), (0, Some("imsprep.zvhd2.info")));
    let (status, json) = folder.json(&["zvhd2", "check", "bad.zvhd2"]);
    assert_eq!(status, 1);
    assert!(!codes(&json["report"]).is_empty());
}

#[test]
fn rules_lists_every_code_and_explains_one() {
    let folder = Folder::new();
    let all = folder.run(&["rules"]).out;
    for code in ["BM-001", "IMS-001", "ZV-001"] {
        assert!(all.contains(code), "{all}");
    }
    let one = folder.run(&["rules", "-v", "bm-001"]).out;
    assert!(one.starts_with("BM-001") && one.contains("why:") && !one.contains("BM-002"), "{one}");
    let (_, json) = folder.json(&["rules"]);
    assert_eq!(json["rules"].as_array().unwrap().len(), all.lines().count());
    let run = folder.run(&["rules", "XX-999"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("no rule XX-999"), "{}", run.err);
}

#[test]
fn the_page_of_rules_is_current() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md")).unwrap();
    let now = Folder::new().run(&["rules", "--markdown"]).out;
    assert!(page == now, "docs/rules.md is old; make it anew: cargo run -- rules --markdown > docs/rules.md");
}

#[test]
fn help_names_every_format_and_layout_that_is_read() {
    let folder = Folder::new();
    let help = |args: &[&str]| {
        let text =
            folder.run(&[args, &["--help"]].concat()).out.replace(['\n', ',', ';', '.', ':', '('], " ");
        text.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let convert = help(&["convert"]);
    for row in FORMATS {
        let is_read = match row.access {
            Access::Container | Access::Own(_) | Access::Qemu(_) | Access::Stream | Access::Archive => true,
            Access::Plain => row.format == Format::Raw,
            Access::UnreadStream | Access::UnreadArchive | Access::Unread => false,
        };
        assert_eq!(convert.contains(row.title), is_read, "{}", row.title);
    }
    for command in ["create", "convert"] {
        let help = help(&["bitmap", command]);
        for layout in LAYOUTS {
            assert!(help.contains(&*layout.name), "bitmap {command}: {}", layout.name);
        }
    }
}

#[test]
fn every_command_has_help_and_those_with_files_have_examples() {
    let folder = Folder::new();
    for args in [
        &["--help"][..],
        &["check", "--help"],
        &["detect", "--help"],
        &["inspect", "--help"],
        &["bitmap", "--help"],
        &["bitmap", "create", "--help"],
        &["bitmap", "verify", "--help"],
        &["bitmap", "show", "--help"],
        &["bitmap", "diff", "--help"],
        &["bitmap", "convert", "--help"],
        &["bitmap", "learn", "--help"],
        &["bitmap", "layouts", "--help"],
        &["bitmap", "make-sample", "--help"],
        &["convert", "--help"],
        &["zvhd2", "check", "--help"],
        &["zvhd2", "info", "--help"],
        &["zvhd2", "map", "--help"],
        &["zvhd2", "repair", "--help"],
        &["boot", "--help"],
        &["serve", "--help"],
        &["compare", "--help"],
        &["request", "--help"],
        &["rules", "--help"],
        &["bench", "--help"],
        &["generate", "--help"],
    ] {
        let run = folder.run(args);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{args:?}");
    }
    for args in [
        &["check"][..],
        &["detect"],
        &["inspect"],
        &["bitmap", "create"],
        &["bitmap", "verify"],
        &["bitmap", "show"],
        &["bitmap", "diff"],
        &["bitmap", "convert"],
        &["bitmap", "learn"],
        &["bitmap", "make-sample"],
        &["zvhd2", "check"],
        &["zvhd2", "info"],
        &["generate"],
        &["bench"],
        &["convert"],
        &["compare"],
        &["request"],
        &["zvhd2", "map"],
        &["zvhd2", "repair"],
        &["boot"],
        &["serve"],
    ] {
        assert!(folder.run(&[args, &["--help"]].concat()).out.contains("Examples:"), "{args:?}");
    }
    assert!(folder.run(&["--version"]).out.starts_with("imsprep 0."));
}

#[test]
fn the_golden_table_through_the_command() {
    let folder = Folder::new();
    let rows = imsprep_testdata::verdicts();
    assert_eq!(rows.len(), imsprep_testdata::golden_files().len());
    for row in rows {
        folder.write(&row.file, golden(&row.file));
        let run = folder.run(&["zvhd2", "check", &row.file]);
        let expected = if row.index_reader == Some(true) { 0 } else { 1 };
        assert_eq!(run.status, expected, "{}: {}", row.file, run.out);
        std::fs::remove_file(folder.path(&row.file)).unwrap();
    }
}
