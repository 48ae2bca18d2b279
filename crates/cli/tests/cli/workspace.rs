//! What holds of the whole workspace: why each dependency is there, and what a published crate has.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn folder_of(package: &Value) -> PathBuf {
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn name_of(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

/// All Rust sources below a folder, in one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

/// Whether a text has this word, and not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(of_a_word) && !text[at + word.len()..].starts_with(of_a_word))
}

#[test]
fn every_dependency_has_a_reason_and_a_user() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let lines = text.lines().collect::<Vec<_>>();
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        for dependency in package["dependencies"].as_array().unwrap() {
            used.entry(name_of(dependency).to_owned()).or_default().push(name_of(&package).to_owned());
        }
    }
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    assert!(dependencies.len() > 40, "{}", dependencies.len());
    for (name, what) in dependencies {
        assert!(used.contains_key(name), "no crate uses {name}");
        if what.get("path").is_some() {
            continue;
        }
        let at = lines.iter().position(|line| line.starts_with(&format!("{name} = "))).unwrap();
        assert!(lines[at - 1].starts_with("# "), "no reason stands above {name}");
    }
}

#[test]
fn every_crate_uses_what_it_depends_on() {
    let mut seen = 0;
    for package in packages() {
        let folder = folder_of(&package);
        let shipped = sources(&folder.join("src"));
        let all = sources(&folder);
        for dependency in package["dependencies"].as_array().unwrap() {
            let word = name_of(dependency).replace('-', "_");
            let text = if dependency["kind"] == "dev" { &all } else { &shipped };
            assert!(has_word(text, &word), "{} does not use {word}", name_of(&package));
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_published_crate_has_what_a_registry_wants() {
    let rust = rust_version();
    let mut published = 0;
    for package in packages() {
        let name = name_of(&package);
        assert_eq!(package["rust_version"].as_str(), Some(rust.as_str()), "{name}");
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        published += 1;
        for field in ["description", "license", "repository", "readme"] {
            assert!(package[field].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {field}");
        }
        for field in ["keywords", "categories"] {
            assert!(
                package[field].as_array().is_some_and(|words| !words.is_empty()),
                "{name} has no {field}"
            );
        }
        let folder = folder_of(&package);
        assert!(
            folder.join(package["readme"].as_str().unwrap()).is_file(),
            "{name}: its readme is not there"
        );
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let [own, ours] = [&folder, &root()].map(|folder| std::fs::read(folder.join(licence)));
            assert_eq!(own.unwrap_or_default(), ours.unwrap(), "{name}: {licence}");
        }
        // A dependency by path alone can't be published.
        for dependency in package["dependencies"].as_array().unwrap() {
            let anything = dependency["req"] == "*" && dependency["kind"] != "dev";
            assert!(!anything, "{name} takes any version of {}", name_of(dependency));
        }
    }
    assert!(published > 10, "{published}");
}

/// The oldest Rust that the manifest promises.
fn rust_version() -> String {
    let manifest: toml::Table =
        toml::from_str(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()).unwrap();
    manifest["workspace"]["package"]["rust-version"].as_str().unwrap().to_owned()
}

/// Without these lines nothing would run the tests of a binary without libtest's harness, and nobody would miss them.
#[test]
fn no_test_vanishes_for_want_of_a_harness() {
    let mut seen = 0;
    for package in packages() {
        let manifest: toml::Table =
            toml::from_str(&std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap())
                .unwrap();
        for test in manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten() {
            let mut targets = package["targets"].as_array().unwrap().iter();
            if test.get("harness").and_then(toml::Value::as_bool) != Some(false) {
                continue;
            }
            let target = targets.find(|target| name_of(target) == test["name"].as_str().unwrap()).unwrap();
            let text = std::fs::read_to_string(target["src_path"].as_str().unwrap()).unwrap();
            for lines in ["#[macro_use]\nextern crate imsprep_testdata;\n", "\n    imsprep_testdata::run"] {
                assert!(text.contains(lines), "{}: {test:?} lacks {lines:?}", name_of(&package));
            }
            seen += 1;
        }
        // An import of another `test` would win.
        let tests = sources(&folder_of(&package).join("tests"));
        assert!(!tests.lines().any(|line| line.trim_start().starts_with("use ") && has_word(line, "test")));
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn what_is_promised_of_rust_is_what_is_built_with() {
    let rust = rust_version();
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("RUST: ")) {
            assert_eq!(line.trim_matches('"'), rust, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 1, "no workflow names a Rust");
    for page in ["README.md", "docs/install.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        assert!(
            text.contains(&format!("Rust ({rust}")) || text.contains(&format!("Rust {rust}")),
            "{page} names another Rust"
        );
    }
}
