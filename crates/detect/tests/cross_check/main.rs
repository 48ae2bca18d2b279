//! Files made by the real tools, held against what three other programs say of them. Each difference is a row of
//! docs/divergences.md with its reason; one without a reason, and a reason without a difference, fail.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

#[macro_use]
extern crate imsprep_testdata;

mod bytes;
mod cases;
mod programs;

use std::fmt::Write as _;
use std::path::Path;

use cases::{CASES, Case};
use imsprep_detect::{Detection, Fact, Format, detect};
use imsprep_source::ImageFile;
use imsprep_testdata::{need_file, need_tools};
use programs::{Said, file_says, oslo_python, oslo_says, qemu_says};
use serde_json::Value;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/divergences.md");
/// What the table stands between on the page.
const MARKS: [&str; 2] = ["<!-- cross-check -->\n", "<!-- end -->\n"];

#[test]
fn the_page_of_divergences_is_what_the_programs_say() {
    need_tools(["qemu-img", "file"].iter().chain(CASES.iter().flat_map(|case| case.tools)));
    // What `grub-mkrescue` puts into an ISO for BIOS and for UEFI.
    need_file("/usr/lib/grub/i386-pc/modinfo.sh", "grub-pc-bin");
    need_file("/usr/lib/grub/x86_64-efi/modinfo.sh", "grub-efi-amd64-bin");
    let python = oslo_python();
    let folders = CASES.iter().map(Case::make).collect::<Vec<_>>();
    let images =
        folders.iter().zip(CASES).map(|(folder, case)| folder.path().join(case.file)).collect::<Vec<_>>();
    let oslo = oslo_says(&python, &images);
    let mut table = String::from(
        "| image | made by | imsprep | qemu-img | file | oslo.utils | where they differ |\n|---|---|---|---|---|---|---|\n",
    );
    let mut wrong = Vec::new();
    for ((case, image), oslo) in CASES.iter().zip(&images).zip(oslo) {
        let found = detect(&ImageFile::open(image).unwrap()).unwrap();
        if (found.format, found.variant) != case.ours {
            wrong.push(format!("{}: {found:?}", case.name));
        }
        let (mut qemu, info) = qemu_says(image);
        qemu.differs_in = info.map(|info| differing_facts(&info, &found)).unwrap_or_default();
        let said = [qemu, file_says(image), oslo];
        let cells = said.each_ref().map(|said| said.cell(&found));
        let differs = cells.iter().any(|cell| cell != "same");
        if differs == case.why.is_empty() {
            wrong.push(format!("{}: {cells:?}, and the reason is {:?}", case.name, case.why));
        }
        let ours = own_cell(&found);
        let [qemu, file, oslo] = cells;
        let recipe = case.recipe_text();
        let _ = writeln!(
            table,
            "| {} | {recipe} | {ours} | {qemu} | {file} | {oslo} | {} |",
            case.name, case.why
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compare_with_page(&table);
}

fn compare_with_page(table: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (old, after) = rest.split_once(MARKS[1]).unwrap();
    if old == table {
        return;
    }
    if std::env::var_os("IMSPREP_UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, [before, MARKS[0], table, MARKS[1], after].concat()).unwrap();
        return;
    }
    let lines = table.lines().filter(|line| !old.lines().any(|old| old == *line)).collect::<Vec<_>>();
    panic!(
        "docs/divergences.md does not say what the programs say now; look at the lines below, then make the table anew: \
         IMSPREP_UPDATE_DOCS=1 cargo test -p imsprep-detect --test cross_check\n{}",
        lines.join("\n")
    );
}

fn own_cell(found: &Detection) -> String {
    let mut text = found.format.to_string();
    let details =
        found.variant.into_iter().chain(found.evidence.iter().map(|e| e.name())).collect::<Vec<_>>();
    if !details.is_empty() {
        let _ = write!(text, " ({})", details.join(", "));
    }
    if !found.also.is_empty() {
        let _ =
            write!(text, " and {}", found.also.iter().map(|f| f.name()).collect::<Vec<_>>().join(" and "));
    }
    // How large an ISO becomes is the program's choice that makes it.
    if let Some(size) = found.virtual_size.filter(|_| found.format != Format::Iso9660) {
        let _ = write!(text, ", {size}");
    }
    text
}

/// Those of our facts that qemu-img tells otherwise, of an image that it opened in the same format.
fn differing_facts(info: &Value, found: &Detection) -> Vec<&'static str> {
    if programs::our_name(info["format"].as_str().unwrap_or_default()) != found.format.name() {
        return vec![];
    }
    let data = &info["format-specific"]["data"];
    let has = |test: fn(&Fact) -> bool| found.facts.iter().any(test);
    let named = found.facts.iter().find_map(|fact| match fact {
        Fact::BackingFile(name) | Fact::Parent(Some(name)) => Some(name.as_str()),
        _ => None,
    });
    let snapshots = info["snapshots"].as_array().map_or(0, Vec::len);
    let counted = found.facts.iter().find_map(|fact| match fact {
        Fact::Snapshots(count) => usize::try_from(*count).ok(),
        _ => None,
    });
    let data_file = has(|fact| matches!(fact, Fact::ExternalDataFile(_)));
    let encrypted = has(|fact| matches!(fact, Fact::Encrypted(_)));
    let facts = [
        ("backing file", info["backing-filename"].as_str() == named),
        ("snapshots", snapshots == counted.unwrap_or(0)),
        ("external data file", data["data-file"].is_string() == data_file),
        ("encrypted", (info["encrypted"] == true) == encrypted),
        ("corrupt", (data["corrupt"] == true) == has(|fact| *fact == Fact::Corrupt)),
        ("dirty", (info["dirty-flag"] == true) == has(|fact| *fact == Fact::Dirty)),
    ];
    facts.into_iter().filter(|(_, agrees)| !agrees).map(|(what, _)| what).collect()
}

/// That the page's cells mean what they say.
#[test]
fn a_cell_is_the_same_or_says_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, b"QFI\xfb\0\0\0\x03").unwrap();
    let found = detect(&ImageFile::open(Path::new(&path)).unwrap()).unwrap();
    assert_eq!(found.format, Format::Qcow2);
    let said =
        |format: &str, size| Said { format: format.into(), size, unsafe_for: vec![], differs_in: vec![] };
    assert_eq!(said("qcow2", None).cell(&found), "same");
    assert_eq!(said("raw", Some(8)).cell(&found), "raw");
    assert_eq!(said("vmdk", Some(8)).cell(&found), "vmdk, 8");
    let unsafe_one = Said { unsafe_for: vec!["backing_file".into()], ..said("qcow2", None) };
    assert_eq!(unsafe_one.cell(&found), "same; unsafe: backing_file");
    let two = Detection { also: vec![Format::Vhd], ..found };
    assert_eq!(said("qcow2", None).cell(&two), "qcow2 alone");
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
