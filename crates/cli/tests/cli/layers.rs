//! The structural rule of the workspace: a crate imports only from lower layers.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The layer of each crate, as in ARCHITECTURE.md.
const LAYERS: &[(&str, u8)] = &[
    ("imsprep-ondisk", 0),
    ("imsprep-source", 0),
    ("imsprep-findings", 0),
    ("imsprep-detect", 1),
    ("imsprep-scan", 1),
    ("imsprep-bitmap", 1),
    ("imsprep-zvhd2", 1),
    ("imsprep-formats", 1),
    ("imsprep-filesystem", 1),
    ("imsprep-inspect", 1),
    ("imsprep-guest", 2),
    ("imsprep-rules", 3),
    ("imsprep-toolkit", 4),
    ("imsprep-bench", 4),
    ("imsprep", 5),
];

/// Crates that only the top layer may use.
const TOP_LAYER_ONLY: &[&str] = &["clap", "indicatif", "anyhow", "anstream", "maud", "signal-hook"];

/// Parts of the standard library that exist on one system only.
const OF_ONE_SYSTEM: &[&str] = &["std::os::", "cfg(unix", "cfg(windows", "target_os"];

#[test]
fn only_the_source_knows_which_system_it_is_on() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut folders, mut seen) = (vec![crates.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let within = path.strip_prefix(crates).unwrap();
            if path.is_dir() && !within.starts_with("source") && !within.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // A module's tests may ask for more.
                let code = text.split("#[cfg(all(test").next().unwrap().split("#[cfg(test)]").next().unwrap();
                let met = OF_ONE_SYSTEM.iter().find(|word| code.contains(**word));
                assert_eq!(met, None, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_arrow_points_down_and_only_the_top_knows_a_terminal() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let layers = LAYERS.iter().copied().collect::<BTreeMap<_, _>>();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if ["imsprep-testdata", "imsprep-testdata-macros", "imsprep-benches"].contains(&name) {
            continue;
        }
        let layer = *layers.get(name).unwrap_or_else(|| panic!("{name} has no layer: add it here"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let (needs, kind) = (dependency["name"].as_str().unwrap(), dependency["kind"].as_str());
            if let Some(below) = layers.get(needs) {
                assert!(*below < layer, "{name} in layer {layer} imports {needs} of layer {below}");
            }
            let top_only = TOP_LAYER_ONLY.contains(&needs) && kind.is_none();
            assert!(!top_only || name == "imsprep", "{name} imports {needs}");
        }
    }
    assert_eq!(seen, LAYERS.len(), "every crate of the list is there");
}

/// Parts of the command, and what each of them may not know.
const APART: &[(&str, &[&str])] = &[
    ("render", &["commands", "wire", "page", "emit"]),
    ("wire", &["commands", "render", "page", "emit"]),
    ("page", &["commands", "render", "wire", "emit"]),
    ("words", &["commands", "render", "wire", "page", "emit"]),
];

#[test]
fn text_json_and_pages_know_neither_commands_nor_each_other() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (part, others) in APART {
        let files = std::fs::read_dir(sources.join(part)).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let files = files.collect::<Vec<_>>();
        assert!(files.len() > 3, "{part}");
        for path in files {
            let text = std::fs::read_to_string(&path).unwrap();
            let uses = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            for line in uses.filter(|line| line.contains("crate::")) {
                let met = others.iter().find(|other| {
                    // `crate::render` and `crate::{render, wire}`.
                    let list = line.split("crate::{").nth(1).unwrap_or_default();
                    line.contains(&format!("crate::{other}"))
                        || list.split([',', ' ', '}', ':']).any(|name| name == **other)
                });
                assert_eq!(met, None, "{}: {line}", path.display());
            }
        }
    }
}
