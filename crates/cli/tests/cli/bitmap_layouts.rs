//! `imsprep bitmap show`, `diff`, `convert`, `verify --sample`, and layouts other than the default.

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, codes};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Whether every byte of the first file is that of the second, where both are as long.
fn same_content(folder: &Folder, a: &str, b: &str) -> bool {
    std::fs::read(folder.path(a)).unwrap() == std::fs::read(folder.path(b)).unwrap()
}

#[test]
fn show_tells_layout_counts_ranges_and_draws_the_disk() {
    let folder = Folder::new();
    folder.sparse("disk.raw", GIB, &[0, 2 * MIB, 700 * MIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let run = folder.run(&["bitmap", "show", "disk.mf"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    for line in [
        "disk.mf: layout zvhd2, 4096 bytes",
        "image   1073741824 bytes (1 GiB), the size of disk.raw",
        "blocks  512, 2 MiB each",
        "data    3 (0.6 %)",
        "2 ranges of data:",
        "           0           1                 0           4194304\n",
        "         350         350         734003200           2097152\n",
        "a cell is 1 block",
    ] {
        assert!(run.out.contains(line), "{line}: {}", run.out);
    }
    // 512 blocks in rows of 76.
    let picture = run.out.lines().filter(|line| line.contains('·')).map(str::trim).collect::<Vec<_>>();
    assert!(picture[0].starts_with("██·") && picture[0].chars().count() == 76, "{picture:?}");
    assert_eq!(picture[..7].concat().matches('█').count(), 3, "{picture:?}");

    let (_, json) = folder.json(&["bitmap", "show", "disk.mf", "--image-size", "1G"]);
    assert_eq!(json["schema"], "imsprep.bitmap.show");
    assert_eq!((&json["size_from"], &json["data_blocks"]), (&"caller".into(), &3.into()));
    assert_eq!(json["ranges"], serde_json::json!([{"first": 0, "last": 1}, {"first": 350, "last": 350}]));

    std::fs::rename(folder.path("disk.raw"), folder.path("elsewhere.raw")).unwrap();
    let run = folder.run(&["bitmap", "show", "disk.mf"]);
    assert_eq!(run.status, 2);
    assert!(
        run.err.contains("disk.mf: does not contain the size of its image")
            && run.err.contains("--image-size")
    );
    assert_eq!(folder.run(&["bitmap", "show", "disk.mf", "--image", "elsewhere.raw"]).status, 0);
    let run = folder.run(&["bitmap", "show", "disk.mf", "--image-size", "100G"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("the layout is unknown"), "{}", run.err);
}

#[test]
fn convert_goes_from_any_layout_to_any_and_diff_finds_what_differs() {
    let folder = Folder::new();
    folder.sparse("disk.raw", GIB + 512, &[5 * MIB, 6 * MIB, GIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    for to in ["sealed", "bmap", "ranges"] {
        let name = format!("{to}.mf");
        let run = folder.run(&["bitmap", "convert", "disk.mf", &name, "--to", to]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{to}");
        // These tell their image's size themselves.
        let (_, json) = folder.json(&["bitmap", "show", &name]);
        assert_eq!((&json["layout"]["name"], &json["size_from"]), (&to.into(), &"file".into()));
        let run = folder.run(&["bitmap", "diff", "disk.mf", &name]);
        assert_eq!(run.status, 0, "{}", run.out);
        let run = folder.run(&["bitmap", "convert", &name, "back.mf", "--to", "zvhd2", "--force"]);
        assert_eq!(run.status, 0, "{}", run.err);
        assert!(same_content(&folder, "disk.mf", "back.mf"), "{to}");
        assert_eq!(folder.run(&["bitmap", "verify", "disk.raw", "--bitmap", &name]).status, 0);
    }
    let run = folder.run(&["bitmap", "convert", "disk.mf", "bmap.mf", "--to", "bmap"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("bmap.mf: already exists"), "{}", run.err);
    let run = folder.run(&["bitmap", "convert", "disk.mf", "disk.mf", "--to", "bmap", "--force"]);
    assert!(run.err.contains("the output is the same file as the input"), "{}", run.err);

    // Finer blocks, put together, are the same.
    folder.run(&["bitmap", "create", "--layout", "bmap", "disk.raw", "-o", "fine.bmap"]);
    let (_, json) = folder.json(&["bitmap", "show", "fine.bmap"]);
    assert_eq!((&json["block_size"], &json["data_blocks"]), (&4096.into(), &3.into()));
    assert_eq!(folder.run(&["bitmap", "diff", "fine.bmap", "disk.mf"]).status, 0);

    let mut bits = std::fs::read(folder.path("disk.mf")).unwrap();
    bits[0] = 0b1000;
    folder.write("other.mf", &bits);
    let (status, json) = folder.json(&["bitmap", "diff", "other.mf", "sealed.mf"]);
    assert_eq!((status, &json["same"]), (1, &false.into()));
    assert_eq!(json["only_b"], serde_json::json!([{"first": 2, "last": 2}]));
    assert_eq!((&json["data_in_a_alone"], &json["data_in_b_alone"]), (&0.into(), &1.into()));
    let run = folder.run(&["bitmap", "diff", "other.mf", "sealed.mf"]);
    assert!(run.out.contains("they differ") && run.out.contains("data only in the second"), "{}", run.out);
}

#[test]
fn bmaptool_takes_our_block_maps_and_we_take_its() {
    need_tools(["bmaptool"]);
    let folder = Folder::on_disk();
    folder.sparse("disk.raw", 64 * MIB + 512, &[0, 9 * MIB + 4096, 40 * MIB, 64 * MIB]);
    let tool = |args: &[&str]| {
        let output = command("bmaptool").args(args).current_dir(folder.path(".")).output().unwrap();
        let text = format!("{args:?}: {output:?}");
        assert!(output.status.success(), "{text}");
        text
    };
    for (layout, extra) in [("zvhd2", "converted"), ("bmap", "made")] {
        folder.run(&["bitmap", "create", "--layout", layout, "disk.raw", "-o", "first.mf", "--force"]);
        let run = folder.run(&[
            "bitmap",
            "convert",
            "first.mf",
            "ours.bmap",
            "--to",
            "bmap",
            "--image",
            "disk.raw",
            "--force",
        ]);
        assert_eq!(run.status, 0, "{extra}: {}", run.err);
        let copied = tool(&["copy", "--bmap", "ours.bmap", "disk.raw", "copy.raw"]);
        let blocks = if layout == "zvhd2" { "mapped 7 blocks (7.0 MiB" } else { "mapped 4 blocks (16.0 KiB" };
        assert!(copied.contains(blocks), "{copied}");
        assert!(same_content(&folder, "disk.raw", "copy.raw"), "{extra}");
        std::fs::remove_file(folder.path("copy.raw")).unwrap();
    }
    // Its checksum is held against the file: one digit altered, and neither program takes it.
    let text = std::fs::read_to_string(folder.path("ours.bmap")).unwrap();
    folder.write("broken.bmap", text.replace("<Range> 0 </Range>", "<Range> 1 </Range>").as_bytes());
    let output = command("bmaptool")
        .args(["copy", "--bmap", "broken.bmap", "disk.raw", "copy.raw"])
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let run = folder.run(&["bitmap", "show", "broken.bmap"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("the checksum of the file is wrong"), "{}", run.err);

    tool(&["create", "disk.raw", "-o", "theirs.bmap"]);
    let (status, json) = folder.json(&["bitmap", "show", "theirs.bmap"]);
    assert_eq!((status, &json["layout"]["name"], &json["block_size"]), (0, &"bmap".into(), &4096.into()));
    assert_eq!(json["image_size"], 64 * MIB + 512);
    // Theirs lists what the file system keeps, which is no less than what holds data.
    let run = folder.run(&["bitmap", "verify", "disk.raw", "--bitmap", "theirs.bmap"]);
    assert_eq!(run.status, 0, "{}", run.out);
}

#[test]
fn verify_of_a_sample_says_what_it_is_worth() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, 64 * MIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let run = folder.run(&["bitmap", "verify", "disk.raw", "--sample", "256"]);
    assert_eq!(run.status, 0, "{}", run.err);
    for words in [
        "matches disk.raw in the blocks that were read",
        "256 of 1024 blocks were read (25.0 %)",
        "a single wrong block would be missed with a probability of 75.00 %",
        "more than 10 wrong blocks would be missed with a probability of less than 5 %",
        "not checked: 768 of 1024 blocks",
    ] {
        assert!(run.out.contains(words), "{words}: {}", run.out);
    }
    let mut bits = std::fs::read(folder.path("disk.mf")).unwrap();
    bits[0] = 0;
    folder.write("disk.mf", &bits);
    // All of them: then it is no sample any more, and nothing is missed.
    let (status, json) = folder.json(&["bitmap", "verify", "disk.raw", "--sample", "5000"]);
    assert_eq!(status, 1);
    assert_eq!(codes(&json["report"])[0], "BM-001");
    assert_eq!((&json["sample"]["read"], &json["sample"]["wrong_at_most"]), (&1024.into(), &().into()));
}

#[test]
fn check_knows_other_layouts_and_says_which_is_meant() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2 * GIB, &[0, 64 * MIB]);
    for layout in ["sealed", "bmap", "ranges"] {
        folder.run(&["bitmap", "create", "--force", "--layout", layout, "disk.raw"]);
        let (status, json) = folder.json(&["check", "disk.raw"]);
        let file = &json["files"][0];
        assert_eq!((status, &file["bitmap"]["layout"]), (0, &layout.into()), "{file}");
        assert_eq!(file["bitmap"]["compared"], true);
        let found = codes(&file["report"]);
        assert!(found.contains(&"BM-010".into()) && !found.contains(&"BM-006".into()), "{found:?}");
        let run = folder.run(&["check", "disk.raw"]);
        let fix = "write it in layout zvhd2: `imsprep bitmap create --force disk.raw`";
        assert!(run.out.contains(fix), "{}", run.out);
    }
    // The image has grown since.
    folder.sparse("disk.raw", 3 * GIB, &[0, 64 * MIB]);
    let (status, json) = folder.json(&["check", "disk.raw"]);
    assert_eq!(status, 1);
    let found = &json["files"][0]["report"]["findings"][0];
    assert_eq!((&found["code"], &found["found"]), (&"BM-004".into(), &"an image of 2147483648 bytes".into()));
    assert_eq!(found["fix"], "create the bitmap again: `imsprep bitmap create --force disk.raw`");
    // One of its checksums does not hold.
    folder.run(&["bitmap", "create", "--force", "--layout", "sealed", "disk.raw"]);
    let mut bytes = std::fs::read(folder.path("disk.mf")).unwrap();
    bytes[4] ^= 1;
    folder.write("disk.mf", &bytes);
    let (status, json) = folder.json(&["check", "disk.raw"]);
    assert_eq!(status, 1);
    assert!(codes(&json["files"][0]["report"]).contains(&"BM-011".into()), "{json}");
    assert_eq!(json["files"][0]["bitmap"]["state"], "unfit");
}

#[test]
fn a_layout_that_cannot_be_used_is_named_with_its_line() {
    let folder = Folder::new();
    folder.sparse("disk.raw", GIB, &[0]);
    folder.write("my.toml", b"name = \"my\"\nblock-size = 3\n");
    let run = folder.run(&["bitmap", "create", "--layout", "my.toml", "disk.raw"]);
    assert_eq!((run.status, folder.names()), (2, vec!["disk.raw".into(), "my.toml".into()]));
    assert!(run.err.contains("my.toml: line 2, column 14: a block size is a power of two"), "{}", run.err);
    let run = folder.run(&["check", "--layout", "none", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none: is neither a bitmap layout nor a file"), "{}", run.err);
}
