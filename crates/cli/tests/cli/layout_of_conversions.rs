//! The layout in force, for the commands that write a bitmap file beside a RAW that they make.

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, codes};

const MIB: u64 = 1 << 20;

/// A described layout with blocks of this size.
fn layout(block_size: u64) -> String {
    format!(
        "name = \"mine\"\nblock-size = {block_size}\nbit-order = \"most-significant-first\"\nset-bit = \"data\"\n\
         [[header]]\nnumber = \"image-size\"\nbytes = 8\norder = \"big\"\n[learned]\nsamples = 2\n"
    )
}

/// The bitmap file beside `x.raw` is the one that a scan of it in this layout gives.
fn assert_is_in(folder: &Folder, layout: &str, what: &str) {
    let run = folder.run(&["bitmap", "create", "--force", "--layout", layout, "x.raw", "-o", "scanned.mf"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let read = |name| std::fs::read(folder.path(name)).unwrap();
    assert!(read("x.mf") == read("scanned.mf"), "{what}");
}

#[test]
fn a_conversion_writes_the_layout_in_force_whatever_its_blocks() {
    need_tools(["gzip"]);
    let folder = Folder::new();
    // With data in parts of blocks of every size, beyond the first MiB of a chunk, and in a partial last block.
    folder.sparse("a.raw", 21 * MIB + 1000, &[0, 5000, 7 * MIB + 70_000, 10 * MIB - 1, 21 * MIB + 999]);
    assert_eq!(folder.run(&["convert", "a.raw", "a.zvhd2"]).status, 0);
    let zipped = command("gzip").args(["-k", "a.raw"]).current_dir(folder.path("")).status().unwrap();
    assert!(zipped.success());
    for block_size in [512, 4096, MIB, 2 * MIB, 8 * MIB, 64 * MIB] {
        folder.write("mine.toml", layout(block_size).as_bytes());
        for source in ["a.zvhd2", "a.raw.gz"] {
            let (status, json) =
                folder.json(&["convert", "--verify", "--force", "--layout", "mine.toml", source, "x.raw"]);
            assert_eq!(status, 0, "{json:#}");
            let bitmap = &json["raw"]["bitmap"];
            assert_eq!((&bitmap["layout"], &bitmap["layout_proven"]), (&"mine".into(), &true.into()));
            assert_is_in(&folder, "mine.toml", &format!("{source} {block_size}"));
        }
    }
    let run = folder.run(&["check", "--layout", "mine.toml", "x.raw"]);
    assert!(run.status == 0 && !run.out.contains("BM-0"), "{}", run.out);
}

#[test]
fn the_flag_precedes_the_project_file_and_that_the_installed_layout() {
    let folder = Folder::new();
    folder.sparse("a.raw", 9 * MIB, &[5 * MIB]);
    folder.run(&["convert", "a.raw", "a.zvhd2"]);
    let convert = |more: &[&str]| folder.json(&[&["convert", "--force", "a.zvhd2", "x.raw"], more].concat());
    let layout_of = |more: &[&str]| {
        let (status, json) = convert(more);
        assert_eq!(status, 0, "{json:#}");
        json["raw"]["bitmap"]["layout"].as_str().unwrap().to_owned()
    };
    assert_eq!(layout_of(&[]), "zvhd2");
    std::fs::create_dir_all(folder.path("settings/imsprep")).unwrap();
    folder.write("settings/imsprep/layout.toml", layout(MIB).as_bytes());
    assert_eq!(layout_of(&[]), "mine");
    assert_is_in(&folder, "settings/imsprep/layout.toml", "installed");
    folder.write("imsprep.toml", b"layout = \"sealed\"\n");
    assert_eq!(layout_of(&[]), "sealed");
    assert_eq!(layout_of(&["--no-config"]), "mine");
    assert_eq!(layout_of(&["--layout", "zvhd2"]), "zvhd2");

    // prepare checks what it has written by the same layout.
    folder.run(&["convert", "--force", "a.raw", "a.zvhd2"]);
    std::fs::rename(folder.path("a.raw"), folder.path("b.raw")).unwrap();
    std::fs::remove_file(folder.path("imsprep.toml")).unwrap();
    let (status, json) = folder.json(&["prepare", "b.raw"]);
    assert_eq!((status, &json["result"]["bitmap"]["layout"]), (0, &"mine".into()), "{json:#}");
    assert!(!codes(&json["result"]["report"]).iter().any(|code| code.starts_with("BM-")), "{json:#}");

    // A layout that does not apply or cannot be used is an error, and nothing is written.
    for (args, error) in [
        (&["convert", "b.raw", "new.zvhd2", "--layout", "mine.toml"][..], "--layout does not apply here"),
        (&["convert", "a.zvhd2", "new.raw", "--layout", "nowhere.toml"], "nowhere.toml"),
        (&["convert", "a.zvhd2", "new.raw", "--layout", "zvhd2", "--no-bitmap"], "cannot be used with"),
    ] {
        let run = folder.run(args);
        assert!(run.status == 2 && run.err.contains(error), "{args:?}: {}", run.err);
    }
    folder.write("settings/imsprep/layout.toml", b"name = 3\n");
    let run = folder.run(&["convert", "a.zvhd2", "new.raw"]);
    assert!(run.status == 2 && run.err.contains("the installed layout can't be used"), "{}", run.err);
    assert_eq!(folder.run(&["convert", "a.zvhd2", "new.raw", "--no-bitmap"]).status, 0);
    assert!(!folder.path("new.mf").exists());
    // In blocks of 512 bytes the file of a disk of 1 TiB would have 256 MiB: that shows before the work.
    std::fs::remove_file(folder.path("settings/imsprep/layout.toml")).unwrap();
    folder.write("fine.toml", layout(512).as_bytes());
    folder.sparse("large.raw", 1 << 40, &[]);
    folder.run(&["convert", "large.raw", "large.zvhd2"]);
    let run = folder.run(&["convert", "large.zvhd2", "large2.raw", "--layout", "fine.toml"]);
    assert!(run.status == 2 && run.err.contains("67108864"), "{}", run.err);
    assert!(!folder.path("large2.raw").exists());
}
