//! Holds the libraries to knowing no flag and no command: what an error says has to be true for whoever embeds them. The file
//! `failure.rs` turns the kinds of their errors into words of the command line.

use std::path::{Path, PathBuf};

use super::definition;

/// Files that may name them: rules and their advice are the command line's data, and the benchmark runs the command.
const MAY: &[&str] = &[
    "rules/src/",
    "bitmap/src/rules.rs",
    "zvhd2/src/rules.rs",
    "bench/src/learning.rs",
    "bench/src/ours.rs",
    "bench/src/rivals.rs",
    "bench/src/sparsify.rs",
    "bench/src/unpacking.rs",
];

/// `--flag` of every flag, and `imsprep command` of every command.
fn words() -> Vec<String> {
    fn add(command: &clap::Command, path: &str, words: &mut Vec<String>) {
        words.extend(command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))));
        for below in command.get_subcommands() {
            add(below, &format!("{path} {}", below.get_name()), words);
        }
        if !command.has_subcommands() {
            words.push(path.to_owned());
        }
    }
    let mut words = vec![];
    add(&definition(), "imsprep", &mut words);
    words
}

/// The sources below a folder, without tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether `word` stands in the text with nothing behind it that would make another word of it.
fn has_word(text: &str, word: &str) -> bool {
    let ends =
        |at: usize| !text[at + word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    text.match_indices(word).any(|(at, _)| ends(at))
}

/// The first word of the command line in the string literals of a source.
fn first_met<'a>(source: &str, words: &'a [String]) -> Option<&'a str> {
    let code = source.split("\nmod tests").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    // A literal may go on over several lines.
    let text = lines.map(str::trim).collect::<Vec<_>>().join("\n").replace("\\\n", "");
    words.iter().map(String::as_str).find(|word| has_word(&text, word))
}

#[test]
fn libraries_know_no_flags_and_no_commands() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut files, words) = (vec![], words());
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path().join("src");
        if !folder.starts_with(crates.join("cli")) && folder.is_dir() {
            sources(&folder, &mut files);
        }
    }
    let (mut seen, mut met) = (0, vec![]);
    for path in files {
        let name = path.strip_prefix(crates).unwrap().to_str().unwrap().replace('\\', "/");
        if !MAY.iter().any(|may| name.starts_with(may)) {
            let text = std::fs::read_to_string(&path).unwrap();
            met.extend(first_met(&text, &words).map(|word| format!("{name}: {word}")));
            seen += 1;
        }
    }
    assert_eq!(met, [""; 0]);
    assert!(seen > 150 && words.len() > 60, "{seen} files, {} words", words.len());
}

#[test]
fn a_flag_is_met_in_literals_and_not_in_comments() {
    let words = words();
    for (source, met) in [
        ("#[error(\"{}: exists; --force replaces it\")]", Some("--force")),
        ("let a = \"see imsprep zvhd2 \\\n   check\";", Some("imsprep zvhd2 check")),
        ("/// With --force.\nlet a = \"--forced\";\n#[cfg(test)]\nmod tests {\n\"--force\" }", None),
    ] {
        assert_eq!(first_met(source, &words), met, "{source}");
    }
}
