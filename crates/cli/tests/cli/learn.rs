//! `imsprep bitmap learn` and `make-sample` as a person runs them, on genuine files that a stand-in for the vendor's program
//! writes.

use crate::folder::{Folder, codes};

const GIB: u64 = 1 << 30;
const BLOCK: u64 = 2 << 20;

/// What the vendor's program might write: magic, size and count big-endian, bits from the most significant on, zeros up to a
/// multiple of 512.
fn genuine(image: &[u8]) -> Vec<u8> {
    let block = usize::try_from(BLOCK).unwrap();
    let mut bits = vec![0u8; image.len().div_ceil(block).div_ceil(8)];
    for (number, data) in image.chunks(block).enumerate() {
        if data.iter().any(|byte| *byte != 0) {
            bits[number / 8] |= 0x80 >> (number % 8);
        }
    }
    let count = u32::try_from(image.len().div_ceil(block)).unwrap();
    bits.resize(bits.len().next_multiple_of(512), 0);
    [b"CMF1", &(image.len() as u64).to_be_bytes()[..], &count.to_be_bytes(), &bits].concat()
}

/// An image in which some blocks hold data, in no regular order.
fn image(folder: &Folder, name: &str, blocks: u64) -> Vec<u8> {
    let places = (0..blocks).filter(|i| i * i % 7 == 2 || i % 13 == 5).map(|i| i * BLOCK + i % 4096);
    folder.sparse(name, blocks * BLOCK - 1024, &places.collect::<Vec<_>>());
    std::fs::read(folder.path(name)).unwrap()
}

#[test]
fn from_samples_to_a_layout_that_check_believes() {
    let folder = Folder::new();
    folder.write("a.mf", &genuine(&image(&folder, "a.raw", 300)));
    let run = folder.run(&["bitmap", "learn", "--image", "a.raw", "--sample", "a.mf", "-o", "my.toml"]);
    // One sample can't tell the count of blocks from a constant, nor some units of padding from others.
    assert_eq!((run.status, run.err.as_str()), (1, ""), "{}", run.out);
    assert!(run.out.contains("inconclusive") && run.out.contains("number of blocks"), "{}", run.out);
    assert!(!folder.path("my.toml").exists());

    // The sample that the tool asks for.
    let advice = run.out.lines().find(|line| line.contains("make-sample")).unwrap().trim();
    let advice = advice.strip_prefix("next    imsprep ").unwrap().split(' ').collect::<Vec<_>>();
    assert!(run.out.contains("which distinguishes all"), "{}", run.out);
    assert_eq!(folder.run(&advice).status, 0, "{advice:?}");
    folder.write("small.mf", &genuine(&std::fs::read(folder.path("small.raw")).unwrap()));
    let both = ["--image", "a.raw", "--sample", "a.mf", "--image", "small.raw", "--sample", "small.mf"];
    let learn = [&["bitmap", "learn"], &both[..], &["-o", "my.toml"]].concat();
    let (status, json) = folder.json(&learn);
    assert_eq!((status, &json["result"]), (0, &"one".into()), "{json:#}");
    assert_eq!(json["written"]["path"], "my.toml");
    let toml = std::fs::read_to_string(folder.path("my.toml")).unwrap();
    for words in [
        "block-size = 2097152",
        "most-significant-first",
        "unit = 512",
        "number = \"image-size\"",
        "samples = 2",
    ] {
        assert!(toml.contains(words), "{words}: {toml}");
    }
    let run = folder.run(&learn);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("my.toml: already exists"), "{}", run.err);

    // It writes what the vendor's program would have written, of an image that nobody has shown to it.
    let other = image(&folder, "b.raw", 77);
    let run = folder.run(&["bitmap", "create", "--layout", "my.toml", "b.raw"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.out.contains("It was learned from 2 genuine files"), "{}", run.out);
    assert!(std::fs::read(folder.path("b.mf")).unwrap() == genuine(&other));
    let (status, json) = folder.json(&["check", "--layout", "my.toml", "b.raw"]);
    let found = codes(&json["files"][0]["report"]);
    assert_eq!(status, 0);
    assert!(!found.iter().any(|code| code.starts_with("BM-")), "no word of an unproven layout: {found:?}");
    assert_eq!(json["files"][0]["reservations"], serde_json::json!([]));
    // Without it the file is somebody's, and unknown.
    let (_, json) = folder.json(&["check", "b.raw"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"BM-006".into()));
    // A description that nobody learned proves nothing.
    let described = toml.split("\n# It reproduces").next().unwrap();
    folder.write("mine.toml", described.as_bytes());
    let (_, json) = folder.json(&["check", "--layout", "mine.toml", "b.raw"]);
    assert!(codes(&json["files"][0]["report"]).contains(&"BM-005".into()));
    let run = folder.run(&["bitmap", "show", "b.mf", "--layout", "my.toml"]);
    assert!(run.status == 0 && run.out.contains("from the file"), "{} {}", run.out, run.err);
}

#[test]
fn a_wrong_image_is_refused_and_the_nearest_is_named() {
    let folder = Folder::new();
    let bytes = genuine(&image(&folder, "a.raw", 300));
    let mut altered = bytes.clone();
    altered[16 + 20] ^= 0x10;
    folder.write("altered.mf", &altered);
    let run = folder.run(&["bitmap", "learn", "--image", "a.raw", "--sample", "altered.mf"]);
    assert_eq!(run.status, 1);
    assert!(
        run.out.contains("blocks of 2 MiB, most significant bit first, set is data, after a header of 16"),
        "{}",
        run.out
    );
    assert!(run.out.contains("fails at byte 36 of altered.mf: 1 of 300 bits"), "{}", run.out);
    folder.write("gzip.mf", b"\x1f\x8b\x08 and so on");
    let (status, json) = folder.json(&["bitmap", "learn", "--image", "a.raw", "--sample", "gzip.mf"]);
    assert_eq!((status, &json["result"]), (1, &"none".into()));
    assert!(json["looks_like"].as_str().unwrap().contains("gzip"), "{json}");
    let run = folder.run(&["bitmap", "learn", "--image", "a.raw", "--sample", "gzip.mf", "--image", "a.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("each sample needs the image"), "{}", run.err);
    let run = folder
        .run(&["bitmap", "learn", "--image", "a.raw", "--sample", "gzip.mf", "-o", "gzip.mf", "--force"]);
    assert!(run.status == 2 && run.err.contains("the same file as the input"), "{}", run.err);
}

// Where holes are not believed, a terabyte of them is read.
#[cfg(target_os = "linux")]
#[test]
fn a_sparse_tebibyte_is_learned_without_hanging() {
    let folder = Folder::new();
    let places = (0..4000u64).map(|i| (i * i * 7919 + i) % (1 << 19) * BLOCK).collect::<Vec<_>>();
    folder.sparse("disk.raw", 1 << 40, &places);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let run =
        folder.run_within(120, &["bitmap", "learn", "--image", "disk.raw", "--sample", "disk.mf", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let summaries = json["hypotheses"].as_array().unwrap().iter().map(|h| h["summary"].as_str().unwrap());
    // 65536 bytes are a multiple of every unit, so that nothing but the unit is open.
    assert!(
        summaries.clone().all(|s| s.starts_with("blocks of 2 MiB, least significant bit first, set is data")),
        "{json:#}"
    );
    assert!(summaries.count() > 1);
}

#[test]
fn the_sample_image_is_sparse_and_its_size_can_be_chosen() {
    let folder = Folder::new();
    let run = folder.run(&["bitmap", "make-sample", "-o", "small.raw"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("java -jar CreateMF.jar small.raw small.mf"), "{}", run.out);
    let length = std::fs::metadata(folder.path("small.raw")).unwrap().len();
    assert!(length > GIB && run.out.contains(&length.to_string()), "{length}: {}", run.out);
    assert_eq!(folder.run(&["bitmap", "make-sample", "-o", "small.raw"]).status, 2);
    let run = folder.run(&["bitmap", "make-sample", "-o", "small.raw", "--size", "9M", "--force"]);
    assert_eq!((run.status, std::fs::metadata(folder.path("small.raw")).unwrap().len()), (0, 9 << 20));
    // The default layout, learned from the image that is made for that.
    folder.run(&["bitmap", "make-sample", "-o", "one.raw"]);
    folder.run(&["bitmap", "create", "one.raw"]);
    let run = folder.run(&["bitmap", "learn", "--image", "one.raw", "--sample", "one.mf"]);
    assert_eq!(run.status, 0, "{}", run.out);
    assert!(
        run.out.contains("this is the built-in layout zvhd2") && run.out.contains("assumed"),
        "{}",
        run.out
    );
}

#[test]
fn of_several_layouts_the_plainest_comes_first() {
    let folder = Folder::new();
    // The last block holds data, so that ones might be padding as well.
    folder.sparse("disk.raw", 1536 * BLOCK, &[0, 50 * BLOCK, 51 * BLOCK, 700 * BLOCK, 1535 * BLOCK]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let (status, json) = folder.json(&["bitmap", "learn", "--image", "disk.raw", "--sample", "disk.mf"]);
    let summaries = json["hypotheses"].as_array().unwrap().iter().map(|h| h["summary"].as_str().unwrap());
    let summaries = summaries.collect::<Vec<_>>();
    assert!(status == 1 && summaries.len() > 1, "{json:#}");
    let is_plain = |summary: &&str| !summary.contains("trailer") && !summary.contains("header");
    assert!(is_plain(&summaries[0]) && !is_plain(summaries.last().unwrap()), "{summaries:#?}");
}
