//! The house's one structural rule: a crate imports only from floors below its own.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// The floor of each crate, as in ARCHITECTURE.md.
const FLOORS: &[(&str, u8)] = &[
    ("imsprep-ondisk", 0),
    ("imsprep-source", 0),
    ("imsprep-findings", 0),
    ("imsprep-detect", 1),
    ("imsprep-scan", 1),
    ("imsprep-bitmap", 1),
    ("imsprep-zvhd2", 1),
    ("imsprep-rules", 2),
    ("imsprep-toolkit", 3),
    ("imsprep-bench", 3),
    ("imsprep", 4),
];

/// What only the top floor may know.
const OF_THE_TOP: &[&str] = &["clap", "indicatif", "anyhow", "anstream", "maud", "signal-hook"];

#[test]
fn every_arrow_points_down_and_only_the_top_knows_a_terminal() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let floors = FLOORS.iter().copied().collect::<BTreeMap<_, _>>();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "imsprep-testdata" {
            continue;
        }
        let floor = *floors.get(name).unwrap_or_else(|| panic!("{name} has no floor: give it one here"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let (needs, kind) = (dependency["name"].as_str().unwrap(), dependency["kind"].as_str());
            if let Some(below) = floors.get(needs) {
                assert!(*below < floor, "{name} on floor {floor} imports {needs} on floor {below}");
            }
            let top_only = OF_THE_TOP.contains(&needs) && kind.is_none();
            assert!(!top_only || name == "imsprep", "{name} imports {needs}");
        }
    }
    assert_eq!(seen, FLOORS.len(), "every crate of the list is there");
}
