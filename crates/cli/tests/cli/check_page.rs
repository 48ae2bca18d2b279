//! `imsprep check --html`: what stands on the page, read as strictly as XML is. How it works in a browser, in
//! `check_page_browser.rs`.

use imsprep_testdata::{command, golden, need_tools};
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::folder::Folder;

const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// The page as XML. All that is none: the first line, the empty elements of the head, and the script, which is always the
/// same.
pub(crate) fn as_xml(page: &str) -> String {
    let (before, rest) = page.split_once("<script>").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    assert!(!after.contains("<script"));
    let (head, body) = before.split_once("</head>").unwrap();
    let head = head.strip_prefix("<!DOCTYPE html>").unwrap();
    let closed = head.split_inclusive('>').map(|tag| match tag.starts_with("<meta ") {
        true => tag.replace('>', "/>"),
        false => tag.to_owned(),
    });
    closed.collect::<String>() + "</head>" + body + after
}

fn named<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Vec<Node<'a, 'i>> {
    node.descendants().filter(|node| node.tag_name().name() == name).collect()
}

fn whole_text(node: Node<'_, '_>) -> String {
    node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

fn with_class<'a, 'i>(node: Node<'a, 'i>, class: &str) -> Vec<Node<'a, 'i>> {
    let has = |node: &Node<'_, '_>| {
        node.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
    };
    node.descendants().filter(has).collect()
}

/// Runs the check and reads the page that it wrote. The page changes nothing of status and verdict.
fn page(folder: &Folder, args: &[&str]) -> (i32, String) {
    let _ = std::fs::remove_file(folder.path("out.html"));
    let run = folder.run(&[&["check", "--html", "out.html"], args].concat());
    assert_eq!(run.status, folder.run(&[&["check"], args].concat()).status, "{run:?}");
    let page =
        std::fs::read_to_string(folder.path("out.html")).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run.status, as_xml(&page))
}

/// The numbers of a map: size, block size, and the sums of blocks, data, not looked at, records, stored bytes, free data.
fn numbers(figure: Node<'_, '_>) -> [u64; 8] {
    let map: Value = serde_json::from_str(figure.attribute("data-map").unwrap()).unwrap();
    let number = |name: &str| map[name].as_u64().unwrap();
    let (size, block, per) = (number("size"), number("block"), number("per"));
    let mut sums = [0; 6];
    let mut pieces = 0;
    for piece in map["pieces"].as_array().unwrap() {
        let repeat = piece[0].as_u64().unwrap();
        pieces += repeat;
        for (sum, at) in sums[1..].iter_mut().zip(1..) {
            *sum += repeat * piece[at].as_u64().unwrap();
        }
    }
    sums[0] = size.div_ceil(block);
    assert_eq!(pieces, sums[0].div_ceil(per), "{map}");
    assert!(pieces <= 8192);
    if let Some(spans) = map["spans"].as_array() {
        let of = |state: u64| {
            let spans = spans.iter().filter(|span| span[1] == state);
            spans.map(|span| span[0].as_u64().unwrap()).sum::<u64>()
        };
        let data = of(1) + of(3);
        assert_eq!([of(0) + data + of(2), data, of(2), of(3)], [sums[0], sums[1], sums[2], sums[5]], "{map}");
    }
    [size, block, sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]]
}

/// The cells of a table by its caption, without its head.
fn cells(document: &Document<'_>, caption: &str) -> Vec<Vec<String>> {
    let is_it = |table: &Node<'_, '_>| {
        named(*table, "caption").iter().any(|node| node.text().is_some_and(|text| text.starts_with(caption)))
    };
    let table =
        named(document.root(), "table").into_iter().find(is_it).unwrap_or_else(|| panic!("{caption}"));
    let rows = named(named(table, "tbody")[0], "tr");
    rows.iter().map(|row| row.children().map(whole_text).collect()).collect()
}

#[test]
fn a_raw_is_told_with_verdict_findings_and_a_map_whose_counts_are_the_scans() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * 1024 * MIB + 512, &[0, 7 * MIB, 8 * MIB, 50 * 1024 * MIB + 511]);
    // A RAW without a bitmap is scanned all the same.
    let (status, xml) = page(&folder, &["disk.raw"]);
    let document = Document::parse(&xml).unwrap();
    assert_eq!(status, 1);
    let figure = named(document.root(), "figure")[0];
    assert_eq!(numbers(figure), [50 * 1024 * MIB + 512, 2 * MIB, 25601, 4, 0, 0, 0, 0]);
    let verdict = whole_text(with_class(document.root(), "verdict")[0]);
    assert!(verdict.contains("NOT IMPORTABLE") && verdict.contains("1 error,"), "{verdict}");

    let (_, report) = folder.json(&["check", "disk.raw"]);
    let findings = report["files"][0]["report"]["findings"].as_array().unwrap();
    let told = with_class(document.root(), "finding").into_iter().map(whole_text).collect::<Vec<_>>();
    assert_eq!(told.len(), findings.len());
    for finding in findings {
        let (code, message) = (finding["code"].as_str().unwrap(), finding["message"].as_str().unwrap());
        assert!(told.iter().any(|text| text.contains(code) && text.contains(message)), "{code} in {told:?}");
    }
    for item in report["files"][0]["report"]["not_checked"].as_array().unwrap() {
        assert!(whole_text(document.root()).contains(item["what"].as_str().unwrap()), "{item}");
    }
    let spans = cells(&document, "Stretches, ");
    let expected = [("data", 1), ("zeros", 2), ("data", 2), ("zeros", 25595), ("data", 1)];
    let found = spans.iter().map(|row| (row[0].as_str(), row[4].parse().unwrap())).collect::<Vec<_>>();
    assert_eq!(found, expected);
    assert_eq!((spans[0][1].as_str(), &spans[4][2]), ("0", &(50 * 1024 * MIB + 512).to_string()));
    let regions = cells(&document, "Blocks by region, ");
    let sum = |column: usize| regions.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!((regions.len() <= 32, sum(3), sum(4), sum(5), sum(6)), (true, 4, 0, 25597, 0));
    // What is there at all is seen, at the very end as well.
    let data = with_class(figure, "data").into_iter().find(|node| node.has_tag_name("path")).unwrap();
    let path = data.attribute("d").unwrap();
    assert!(path.starts_with("M0 ") && path.contains("H1000V"), "{path}");
}

#[test]
fn with_a_bitmap_the_page_changes_nothing_and_a_lost_block_is_marked() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 2048 * MIB, &[0, 10 * MIB]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let (status, xml) = page(&folder, &["disk.raw"]);
    assert!(status == 0 && xml.contains("IMPORTABLE, bitmap layout unproven"));
    let mut bits = std::fs::read(folder.path("disk.mf")).unwrap();
    bits[0] = 0b1;
    std::fs::write(folder.path("disk.mf"), bits).unwrap();
    let (status, xml) = page(&folder, &["disk.raw"]);
    assert_eq!(status, 1);
    let document = Document::parse(&xml).unwrap();
    let marks = named(with_class(document.root(), "marks")[0], "i");
    let places =
        marks.iter().map(|mark| (mark.attribute("data-from").unwrap(), mark.attribute("data-to").unwrap()));
    assert_eq!(places.collect::<Vec<_>>(), [("10485760", "12582912")]);
    assert_eq!(marks[0].attribute("class"), Some("error"));
}

#[test]
fn a_container_is_told_with_what_its_records_take() {
    let folder = Folder::new();
    folder.write("a.zvhd2", golden("zstd_a_8m.zvhd2"));
    let (_, info) = folder.json(&["check", "a.zvhd2"]);
    let payload = info["files"][0]["zvhd2"]["payload_bytes"].as_u64().unwrap();
    let (_, xml) = page(&folder, &["a.zvhd2"]);
    let document = Document::parse(&xml).unwrap();
    let figure = named(document.root(), "figure")[0];
    assert_eq!(numbers(figure), [8 * MIB, 2 * MIB, 4, 3, 0, 3, payload, 0]);
    let regions = cells(&document, "Blocks and stored size by region, ");
    assert_eq!(regions.len(), 4);
    assert!(regions[0][8].ends_with(" : 1") && regions[1][8] == "-", "{regions:?}");
}

/// A disk of 64 MiB that is one swap space, of which only the first page is in use: data in its first block, which is in part in use,
/// and in three others.
pub(crate) fn used_swap(folder: &Folder, name: &str) {
    let path = folder.sparse(name, 64 * MIB, &[8 * MIB, 10 * MIB, 62 * MIB]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let pages = u32::try_from(64 * MIB / 4096 - 1).unwrap();
    let header = [1_u32.to_le_bytes(), pages.to_le_bytes()].concat();
    std::os::unix::fs::FileExt::write_all_at(&file, &header, 1024).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"SWAPSPACE2", 4086).unwrap();
}

#[test]
fn data_of_which_no_file_holds_a_byte_is_a_kind_of_its_own() {
    let folder = Folder::new();
    used_swap(&folder, "disk.raw");
    folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    for (name, caption) in
        [("disk.raw", "Blocks by region, "), ("disk.zvhd2", "Blocks and stored size by region, ")]
    {
        let (_, xml) = page(&folder, &["--purpose", "data", name]);
        let document = Document::parse(&xml).unwrap();
        let figure = named(document.root(), "figure")[0];
        let [_, _, blocks, data, unread, .., free] = numbers(figure);
        assert_eq!((blocks, data, unread, free), (32, 4, 0, 3), "{name}");
        // The same number as in the report.
        let (_, report) = folder.json(&["check", "--purpose", "data", name]);
        assert_eq!(report["files"][0]["saving"], serde_json::json!({ "data_blocks": 4, "free_blocks": 3 }));
        let caption_of_map = whole_text(named(figure, "figcaption")[0]);
        let expected = "free: blocks with data of which no file holds a byte (3 of 4, 75.0 %)";
        assert!(caption_of_map.contains(expected), "{caption_of_map}");
        let label = named(figure, "svg")[0].attribute("aria-label").unwrap();
        assert!(label.contains("4 with data (12.5 %), 3 of them free, 28 of zeros"), "{label}");
        let path = with_class(figure, "free").into_iter().find(|node| node.has_tag_name("path")).unwrap();
        let starts = path.attribute("d").unwrap().matches('M').count();
        assert_eq!(starts, 2, "two neighbours, and the last block");
        let spans = cells(&document, "Stretches, ");
        let found = spans.iter().map(|row| (row[0].as_str(), row[4].as_str())).collect::<Vec<_>>();
        let expected =
            [("data", "1"), ("zeros", "3"), ("free data", "2"), ("zeros", "25"), ("free data", "1")];
        assert_eq!(found, expected, "{name}");
        let regions = cells(&document, caption);
        let sum = |column: usize| regions.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>();
        assert_eq!((sum(3), sum(4), sum(5), sum(6)), (4, 3, 28, 0), "{name}");
    }
    // Nothing is said of it where there is none.
    folder.sparse("none.raw", 64 * MIB, &[0]);
    let (_, xml) = page(&folder, &["none.raw"]);
    let document = Document::parse(&xml).unwrap();
    assert!(!whole_text(named(document.root(), "figcaption")[0]).contains("free:"));
}

#[test]
fn what_was_not_looked_at_is_never_shown_as_zeros() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 64 * MIB, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    folder.write("a.zvhd2", golden("zstd_a_8m.zvhd2"));
    folder.write("end.zvhd2", golden("variant_04_no_end_footer.zvhd2"));
    folder.write("disk.qcow2", &std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).unwrap());
    for (args, blocks, unread, why) in [
        (&["--quick", "disk.raw"][..], 32, 32, "only a quick check"),
        // Which blocks have no record the index tells.
        (&["--quick", "a.zvhd2"], 4, 3, "only a quick check"),
        (&["end.zvhd2"], 0, 0, "no readable bitmap"),
        (&["disk.qcow2"], 5120, 5120, "the content of this qcow2 file is not read"),
    ] {
        let (_, xml) = page(&folder, args);
        let document = Document::parse(&xml).unwrap();
        let figure = named(document.root(), "figure")[0];
        let [.., found_blocks, data, found_unread, _, _, _] = numbers(figure);
        assert_eq!(data, 0, "{args:?}");
        if blocks > 0 {
            assert_eq!((found_blocks, found_unread), (blocks, unread), "{args:?}");
        } else {
            assert_eq!(found_blocks, found_unread, "{args:?}");
        }
        let path = with_class(figure, "unread").into_iter().find(|node| node.has_tag_name("path")).unwrap();
        assert!(path.attribute("d").unwrap().starts_with('M'), "{args:?}");
        assert!(whole_text(figure).contains(why), "{args:?}: {}", whole_text(figure));
        let label = named(figure, "svg")[0].attribute("aria-label").unwrap();
        assert!(label.contains(&format!("{found_unread} not checked")), "{label}");
    }
}

#[test]
fn several_files_have_an_index_and_one_that_is_not_there_is_told() {
    let folder = Folder::new();
    folder.write("a.zvhd2", golden("zstd_a_8m.zvhd2"));
    folder.sparse("b.raw", 64 * MIB, &[0]);
    let (status, xml) = page(&folder, &["a.zvhd2", "b.raw", "none.raw"]);
    assert_eq!(status, 2);
    let document = Document::parse(&xml).unwrap();
    let index = cells(&document, "The verdict on each file");
    let names = index.iter().map(|row| row[0].as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["a.zvhd2", "b.raw", "none.raw"]);
    assert!(index[0][1].contains("✔ IMPORTABLE") || index[0][1].contains("! IMPORTABLE"), "{index:?}");
    assert!(index[1][1].contains("✘ NOT IMPORTABLE") && index[1][2].contains("BM-003"), "{index:?}");
    assert!(index[2][1].contains("COULD NOT BE CHECKED"), "{index:?}");
    assert_eq!(named(document.root(), "figure").len(), 2);
    let sections = named(document.root(), "section");
    assert!(
        whole_text(*sections.last().unwrap()).contains("none.raw: cannot open"),
        "the error is on the page"
    );
    assert!(xml.contains("3 files: 1 passed, 1 failed, 1 could not be checked"));
    // Every link leads somewhere, every id is there once, and headings leave no level out.
    let ids = document.descendants().filter_map(|node| node.attribute("id")).collect::<Vec<_>>();
    assert!(ids.iter().all(|id| ids.iter().filter(|other| *other == id).count() == 1), "{ids:?}");
    for link in named(document.root(), "a") {
        assert!(ids.contains(&link.attribute("href").unwrap().strip_prefix('#').unwrap()));
    }
    let level = |node: Node<'_, '_>| match node.tag_name().name() {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        _ => None,
    };
    let levels = document.descendants().filter_map(level).collect::<Vec<_>>();
    assert!(levels[0] == 1 && levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
}

#[test]
fn names_from_outside_stay_text() {
    need_tools(["sgdisk"]);
    let folder = Folder::new();
    let name = "<script>alert(1)<!--\"'&amp;\u{202e}\u{1b}[2J.raw";
    let label = "</script><img src=x onerror=alert(1)>";
    folder.sparse(name, 64 * MIB, &[]);
    let made = command("sgdisk")
        .args(["-n", "1:2048:+8M", "-c", &format!("1:{label}")])
        .arg(folder.path(name))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let (_, xml) = page(&folder, &[name]);
    let document = Document::parse(&xml).unwrap();
    assert!(named(document.root(), "img").is_empty() && named(document.root(), "script").is_empty());
    assert!(!xml.contains('\u{202e}') && !xml.contains('\u{1b}'));
    let told = whole_text(document.root());
    // A GPT keeps 36 letters.
    let label = &label[..36];
    assert!(
        told.contains("<script>alert(1)<!--\"'&amp;\\u{202e}\\u{1b}[2J.raw") && told.contains(label),
        "{told}"
    );
}

#[test]
fn a_terabyte_in_thousands_of_stretches_is_a_small_page() {
    let folder = Folder::on_disk();
    let places = (0..2500).map(|number| number * 400 * MIB).collect::<Vec<_>>();
    folder.sparse("disk.raw", TIB, &places);
    let (_, xml) = page(&folder, &["disk.raw"]);
    let document = Document::parse(&xml).unwrap();
    assert_eq!(numbers(named(document.root(), "figure")[0])[2..4], [524288, 2500]);
    assert!(xml.len() < 300_000, "{}", xml.len());
    assert!(!xml.contains("Stretches, "), "too many to be read");
}

#[test]
fn a_page_takes_the_place_of_nothing_and_is_whole_or_not_there() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 64 * MIB, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    folder.write("old.html", b"precious");
    let before = folder.names();
    for (args, why) in [
        (&["--html", "old.html"][..], "old.html: already exists"),
        (&["--html", "disk.raw", "--force"], "the output is the same file as the input"),
        (&["--html", "disk.mf", "--force"], "the output is the same file as the input"),
        (&["--html", "nowhere/new.html"], "its folder does not exist"),
        (&["--html", "new", "--manifest", "./new"], "--html and --manifest are the same file"),
        (&["--force"], "--html <OUT>"),
    ] {
        let run = folder.run(&[&["check", "disk.raw"], args].concat());
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
        assert!(run.err.contains(why), "{args:?}: {}", run.err);
    }
    assert_eq!(
        (folder.names(), std::fs::read(folder.path("old.html")).unwrap()),
        (before, b"precious".to_vec())
    );
    let run = folder.run(&[
        "check",
        "--json",
        "--html",
        "old.html",
        "--manifest",
        "new.json",
        "--force",
        "disk.raw",
    ]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(serde_json::from_str::<Value>(&run.out).is_ok(), "standard output is the report's as before");
    assert!(std::fs::read_to_string(folder.path("old.html")).unwrap().ends_with("</html>"));
}

#[test]
fn on_standard_output_it_is_the_same_page() {
    let folder = Folder::new();
    folder.write("disk.raw", &vec![1; 3 << 20]);
    let run = folder.run(&["check", "--format", "html", "--html", "out.html", "disk.raw", "none.raw"]);
    let file = std::fs::read_to_string(folder.path("out.html")).unwrap();
    // All but the moment at which each was made.
    let timeless = |page: &str| page.trim_end().split_once("<footer>").unwrap().0.to_owned();
    assert_eq!((run.status, timeless(&run.out)), (2, timeless(&file)));
    assert!(run.out.contains("id=\"disk-1\""), "no map of the disk");
}
