//! The page of `imsprep check --html` in a real browser: what its script does, and that it is there for everybody: without the
//! script, in the dark, on paper, on a telephone, without eyes.

use imsprep_testdata::command;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::check_page::used_swap;
use crate::folder::Folder;

const MIB: u64 = 1 << 20;

/// A page about a RAW with three partitions, a ZVHD2 of it, and a file that is not there.
fn made(folder: &Folder) {
    folder.sparse("disk.raw", 1024 * MIB, &[9 * MIB, 200 * MIB, 201 * MIB, 900 * MIB]);
    let made = command("sgdisk")
        .args(["-n", "1:2048:+7M", "-t", "1:ef00", "-c", "1:ESP"])
        .args(["-n", "2:0:+200M", "-c", "2:root", "-n", "3:0:0", "-c", "3:data"])
        .arg(folder.path("disk.raw"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    let run = folder.run(&["check", "--html", "out.html", "disk.raw", "disk.zvhd2", "none.raw"]);
    assert_eq!(run.status, 2, "{run:?}");
}

#[test]
fn the_map_zooms_by_button_key_wheel_click_and_address() {
    let folder = Folder::new();
    let browser = Browser::start();
    made(&folder);
    let page = folder.path("out.html");
    browser.open(&page, "");
    let readout = || browser.text("#disk-1 .readout");
    let shown = || {
        let text = readout();
        let (_, rest) = text.split_once("offsets ").unwrap();
        let mut words = rest.split(' ');
        let start = words.next().unwrap().parse::<u64>().unwrap();
        assert_eq!(words.next(), Some("to"));
        (start, words.next().unwrap().parse::<u64>().unwrap())
    };
    let whole = (0, 1024 * MIB);
    assert_eq!(shown(), whole);
    assert!(readout().starts_with("Whole disk: "), "{}", readout());
    // First and last block hold the partition table; 9, 200 and 201 are two blocks.
    assert!(readout().contains("512 blocks: 5 with data, 507 of zeros"), "{}", readout());

    browser.click("#disk-1 [data-do=in]");
    assert_eq!(shown(), (256 * MIB, 768 * MIB));
    assert!(readout().contains("256 blocks: 0 with data, 256 of zeros"), "{}", readout());
    assert_eq!(
        browser.script("return document.querySelector('#disk-1 .blocks .data').getAttribute('d')"),
        ""
    );
    browser.click("#disk-1 [data-do=back]");
    assert_eq!(shown(), (128 * MIB, 640 * MIB));
    browser.click("#disk-1 [data-do=whole]");
    assert_eq!(shown(), whole);
    // Home, plus, right, minus.
    browser.keys("#disk-1 .plot", "+");
    assert_eq!(shown(), (256 * MIB, 768 * MIB));
    browser.keys("#disk-1 .plot", "\u{e014}");
    assert_eq!(shown(), (384 * MIB, 896 * MIB));
    browser.keys("#disk-1 .plot", "-");
    assert_eq!(shown(), whole);
    browser.keys("#disk-1 .plot", "++\u{e011}");
    assert_eq!(shown(), whole);
    browser.keys("#disk-1 .plot", "++++++++++++++++++++");
    assert_eq!(shown().1 - shown().0, 2 * MIB, "no closer than a block");
    browser.keys("#disk-1 .plot", "\u{e011}");

    browser.wheel("#disk-1 .plot", -100);
    let (start, end) = shown();
    assert!(start > 0 && end < 1024 * MIB && end - start < 1024 * MIB, "{start} {end}");
    browser.keys("#disk-1 .plot", "\u{e011}");

    browser.click("#disk-1 li:nth-child(2) a");
    let (start, end) = (8 * MIB, 208 * MIB);
    // With a twentieth to either side, as far as the disk goes.
    assert_eq!(shown(), (0, end + 10 * MIB));
    assert_eq!(browser.script("return document.querySelector('#disk-1 li:nth-child(2)').hidden"), false);
    // What is shown can be passed on.
    let hash = browser.script("return location.hash");
    assert_eq!(hash, json!(format!("#disk-1={}-{}", shown().0, shown().1)));
    browser.open(&page, "#disk-2=209715200-213909504");
    assert!(
        browser.text("#disk-2 .readout").contains("2 blocks: 1 with data"),
        "{}",
        browser.text("#disk-2 .readout")
    );
    assert!(browser.text("#disk-2 .readout").contains("; stored in "));
    browser.open(&page, "#disk-1-partition-2");
    assert_eq!(shown(), (start, end));
    assert_eq!(
        browser.script("return performance.getEntriesByType('resource').length"),
        0,
        "nothing is fetched"
    );
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn free_data_has_its_own_colour_in_light_and_dark_and_is_counted_as_the_map_zooms() {
    let folder = Folder::new();
    let browser = Browser::start();
    used_swap(&folder, "disk.raw");
    folder.run(&["check", "--html", "out.html", "disk.raw"]);
    browser.open(&folder.path("out.html"), "");
    let colors = "return ['.blocks rect.zero', '.blocks path.data', '.hatch-line', '.free-ground']\
                  .map(css => getComputedStyle(document.querySelector(css)).fill)";
    let mut seen = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.devtools("Emulation.setEmulatedMedia", &json!({ "media": "screen", "features": features }));
        let found = browser.script(colors);
        let colors = found.as_array().unwrap();
        let differ = colors.iter().all(|one| colors.iter().filter(|other| *other == one).count() == 1);
        assert!(differ, "{scheme}: {colors:?}");
        seen.push(colors[3].clone());
    }
    assert_ne!(seen[0], seen[1]);
    let readout = || browser.text("#disk-1 .readout");
    assert!(readout().contains("32 blocks: 4 with data, 3 of them free, 28 of zeros"), "{}", readout());
    let page = folder.path("out.html");
    browser.open(&page, "#disk-1=8388608-16777216");
    assert!(readout().contains("4 blocks: 2 with data, 2 of them free, 2 of zeros"), "{}", readout());
    let drawn = |class: &str| {
        let script = format!("return document.querySelector('#disk-1 .blocks .{class}').getAttribute('d')");
        browser.script(&script).as_str().unwrap().to_owned()
    };
    assert!(drawn("data").is_empty() && drawn("free").starts_with("M0 0.0"), "{}", drawn("free"));
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// What can't be told from its ground well enough, by WCAG 2.2, 1.4.3.
const POOR_CONTRAST: &str = "
    const light = (color) => {
        const [r, g, b] = color.map((part) => part / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = numbers(getComputedStyle(element).backgroundColor);
            if (color.length === 3 || color[3] > 0) return color.slice(0, 3);
        }
        return [255, 255, 255];
    };
    const poor = [];
    let seen = 0;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const element = node.parentElement;
        if (!node.textContent.trim() || element.tagName === 'SCRIPT') continue;
        seen++;
        const [a, b] = [light(numbers(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${node.textContent.trim()}: ${ratio}`);
    }
    return [seen, poor];";

#[test]
fn the_page_is_there_in_the_dark_on_paper_on_a_telephone_and_without_its_script() {
    let folder = Folder::new();
    let browser = Browser::start();
    made(&folder);
    let page = folder.path("out.html");
    let media = |medium: &str, scheme: &str| {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.devtools("Emulation.setEmulatedMedia", &json!({ "media": medium, "features": features }));
    };
    let ground = || browser.script("return getComputedStyle(document.body).backgroundColor");
    browser.open(&page, "");
    let mut pictures = Vec::new();
    for (scheme, color) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 27)")] {
        media("screen", scheme);
        assert_eq!(ground(), color);
        let found = browser.script(POOR_CONTRAST);
        assert!(found[0].as_u64() > Some(100), "{found}");
        assert_eq!(found[1], json!([]), "{scheme}");
        let picture = browser.screenshot();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "{}", picture.len());
        pictures.push(picture);
    }
    assert!(pictures[0] != pictures[1]);

    // Paper is white whatever the screen is, has no buttons, and shows the whole disk whatever the screen shows.
    browser.click("#disk-1 [data-do=in]");
    media("print", "dark");
    assert_eq!(ground(), "rgb(255, 255, 255)");
    let shown = |css: &str| {
        browser.script(&format!("return getComputedStyle(document.querySelector('{css}')).display"))
    };
    assert_eq!((shown(".tools"), shown(".readout")), (json!("none"), json!("none")));
    browser.script("dispatchEvent(new Event('beforeprint'))");
    assert!(browser.text("#disk-1 .readout").starts_with("Whole disk"));
    browser.script("dispatchEvent(new Event('afterprint'))");
    assert!(browser.text("#disk-1 .readout").starts_with("Shown"), "the screen is as it was");
    let paper = browser.print();
    assert!(paper.starts_with(b"%PDF-") && paper.len() > 10_000, "{}", paper.len());

    media("screen", "light");
    let telephone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    browser.devtools("Emulation.setDeviceMetricsOverride", &telephone);
    let width = browser.script("return document.documentElement.scrollWidth");
    assert_eq!(width, 360, "nothing is wider than the window, so that nobody has to look for it");
    let codes = "return Math.max(...[...document.querySelectorAll('.verdicts tr > :nth-child(3)')]\
                 .map(cell => cell.getBoundingClientRect().right))";
    let right = browser.script(codes).as_f64().unwrap();
    assert!(right > 0.0 && right <= 360.0, "the codes are seen without scrolling: {right}");
    browser.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
    assert_eq!(browser.console(), Vec::<String>::new());

    // A page whose policy does not know the script: the map is there, the buttons are not.
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, after) = text.split_once("<script>").unwrap();
    let tampered =
        folder.write("tampered.html", format!("{before}<script>document.title = 'run';{after}").as_bytes());
    browser.open(&tampered, "");
    assert_ne!(browser.script("return document.title"), "run", "the policy has refused it");
    assert!(browser.console().iter().any(|line| line.contains("Content Security Policy")));
    assert_eq!(shown("#disk-1 .tools"), "none");
    let box_of = |css: &str| {
        browser.script(&format!("const box = document.querySelector('{css}').getBoundingClientRect(); return [box.width, box.height]"))
    };
    let path = box_of("#disk-1 .blocks .data");
    assert!(path[0].as_f64() > Some(900.0) && path[1].as_f64() > Some(3.0), "{path}");
    assert!(box_of("#disk-1 li:nth-child(3)")[0].as_f64() > Some(500.0));
}

#[test]
fn a_screen_reader_is_told_all_that_is_seen() {
    let folder = Folder::new();
    let browser = Browser::start();
    made(&folder);
    browser.open(&folder.path("out.html"), "");
    let told = |css: &str| browser.role_and_label(css);
    assert_eq!(told("main").0, "main");
    assert_eq!(told("#file-1"), ("region".into(), "disk.raw".into()));
    let (role, label) = told("#disk-1 svg.blocks");
    assert!(["image", "img"].contains(&role.as_str()), "{role}");
    assert!(label.contains("512 blocks") && label.contains("5 with data"), "{label}");
    let (role, label) = told("#disk-2 svg.stored");
    assert!(["image", "img"].contains(&role.as_str()) && label.contains("5 records take"), "{role} {label}");
    assert_eq!(told("#disk-1 .plot"), ("group".into(), "Map of the disk".into()));
    assert_eq!(told("#disk-1 .readout").0, "status");
    assert_eq!(told("#disk-1 [data-do=in]"), ("button".into(), "Zoom in".into()));
    assert_eq!(told("#disk-1 li:nth-child(2) a"), ("link".into(), "Partition 2 root".into()));
    assert_eq!(told("#file-1 table").0, "table");
    // Every stop of the Tab key is seen, and a partition's tip shows when its box has the focus.
    browser.script("document.querySelector('#disk-1 li:nth-child(2) a').focus({ focusVisible: true })");
    let tip = browser
        .script("return getComputedStyle(document.querySelector('#disk-1 li:nth-child(2) .tip')).display");
    assert_eq!(tip, "block");
    let unnamed = browser.script(
        "return [...document.querySelectorAll('a, button, [tabindex=\"0\"]')].filter((e) => !(e.textContent.trim() || e.ariaLabel)).length",
    );
    assert_eq!(unnamed, 0);
    let moving = browser.script(
        "return [...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s' || getComputedStyle(e).animationName !== 'none').length",
    );
    assert_eq!(moving, Value::from(0), "nothing moves by itself, whoever prefers what");
}
