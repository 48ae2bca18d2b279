//! Words and turns of phrase that help, messages and documents do not use. Each of them has a plain replacement.

use std::path::{Path, PathBuf};

use crate::folder::Folder;

/// What is not to be written, in lower case, and what to write instead.
const WORDS: &[(&str, &str)] = &[
    ("mend", "fix, repair"),
    ("mends", "fixes, repairs"),
    ("mended", "fixed, repaired"),
    ("told", "reported, shown"),
    ("tells", "reports, shows"),
    ("nobody", "name the thing: not checked, unknown"),
    ("somebody", "name the thing: an existing file, another program"),
    ("beats", "overrides, is higher than"),
    ("room", "free space"),
    ("wishes", "options"),
    ("witness", "evidence"),
    ("anew", "again"),
    ("denies", "does not match"),
    ("way out", "fix"),
    ("stands against", "forbids"),
    ("stand against", "forbid"),
    ("speaks against", "forbids"),
    ("speak against", "forbid"),
    ("held against", "compared with"),
    ("hold against", "compare with"),
    ("half-written", "partial output"),
    ("without a word", "silently"),
    ("and the like", "name the others"),
    ("is whole", "is complete"),
    ("not whole", "incomplete"),
    ("appears whole", "is renamed into place"),
    ("to be had", "available"),
    ("save for", "except for"),
    ("looked at", "checked, read, inspected"),
    ("looks into", "reads, inspects"),
    ("look into", "read, inspect"),
    ("went away", "closed the pipe"),
    ("as it pleases", "say what happens"),
    ("no meaning here", "does not apply"),
];

/// The same at the beginning of a sentence: "Of a RAW, its bitmap is compared" has the object first.
const BEGINNINGS: &[&str] = &["Of a ", "Of an ", "Of what ", "Of which ", "Of the ", "Of each "];

/// What a text has of these, each with its line.
fn offences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        for (word, instead) in WORDS {
            if has_word(&lower, word) {
                found.push(format!("line {number}: \"{word}\" (write: {instead}): {line}"));
            }
        }
        for words in BEGINNINGS {
            let begins = line.trim_start_matches([' ', '*', '|', '/', '!', '-']).starts_with(words);
            if begins || line.contains(&format!(". {words}")) {
                found.push(format!("line {number}: a sentence that begins with \"{words}\": {line}"));
            }
        }
    }
    found
}

/// Whether a line has this word, and not as a part of another word or of a name.
fn has_word(line: &str, word: &str) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(of_a_word) && !line[at + word.len()..].starts_with(of_a_word))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All files below a folder with this extension, but for tests.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|is| is == extension) && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found
}

/// The string literals of Rust code, each on a line of its own.
fn literals(code: &str) -> String {
    let mut found = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, after) = rest.split_at(at);
        if after.starts_with("//") {
            rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(after) = after.strip_prefix('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let raw = before.trim_end_matches('#').ends_with('r');
            let end = if raw { after.find(&format!("\"{}", "#".repeat(hashes))) } else { end_of(after) };
            let end = end.unwrap_or_else(|| panic!("a literal has no end: {after}"));
            let (literal, after) = after.split_at(end);
            // A text for the reader of a lint, not of a message.
            if !before.trim_end().ends_with("reason =") {
                // A line that ends in a backslash goes on in the next.
                let words = literal.split("\\\n").map(str::trim_start).collect::<String>();
                found += &words.replace("\\n", " ");
                found.push('\n');
            }
            rest = &after[1..];
        } else if after.starts_with("'\"'") || after.starts_with("'\\") {
            rest = &after[3..];
        } else {
            rest = &after[1..];
        }
    }
    found
}

/// Where the quotation mark is that ends a literal.
fn end_of(literal: &str) -> Option<usize> {
    let mut escaped = false;
    literal.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Fails with all of a text's offences.
fn hold(what: &str, text: &str) {
    assert!(text.len() > 20, "{what} is empty");
    let found = offences(text);
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn documents_are_in_plain_words() {
    let root = root();
    let mut documents = files(&root.join("docs"), "md");
    let others = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "crates/README.md", "fuzz/README.md"];
    documents.extend(others.map(|name| root.join(name)));
    documents.extend(["findings/README.md", "testdata/README.md"].map(|name| root.join(name)));
    assert!(documents.len() > 15, "{documents:?}");
    for path in documents {
        hold(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn the_help_of_every_command_is_in_plain_words() {
    let folder = Folder::new();
    let man = folder.path("man");
    assert_eq!(folder.run(&["generate", "man", "--all", man.to_str().unwrap()]).status, 0);
    let mut seen = 0;
    for entry in std::fs::read_dir(&man).unwrap() {
        let path = entry.unwrap().path();
        // The page has all of a help, and sections of its own.
        hold(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let words =
            name.split('-').skip(1).collect::<Vec<_>>().join("-").replace("os-versions", "os_versions");
        let words = words.replace("make-sample", "make_sample").replace('-', " ").replace('_', "-");
        let args = ["help"].into_iter().chain(words.split(' ').filter(|word| !word.is_empty()));
        let run = folder.run(&args.collect::<Vec<_>>());
        assert_eq!(run.status, 0, "{name}: {}", run.err);
        hold(&format!("imsprep help {words}"), &run.out);
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn rules_and_service_codes_are_in_plain_words() {
    let folder = Folder::new();
    hold("imsprep rules", &folder.run(&["rules", "-v"]).out);
    hold("service codes", include_str!("../../../rules/data/service_codes.tsv"));
}

#[test]
fn messages_are_in_plain_words() {
    let mut found = Vec::new();
    let crates =
        std::fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let sources = crates.filter(|folder| folder.is_dir()).flat_map(|folder| files(&folder, "rs"));
    let sources = sources.collect::<Vec<_>>();
    assert!(sources.len() > 300, "{}", sources.len());
    for path in sources {
        let code = std::fs::read_to_string(&path).unwrap();
        let code = code.split("\n#[cfg(test)]").next().unwrap();
        found.extend(offences(&literals(code)).into_iter().map(|what| format!("{}: {what}", path.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_not_plain_is_found() {
    for bad in [
        "the name denies it",
        "Of a RAW, its bitmap is compared",
        "It reads. Of what is compressed nothing is known",
        "fix: Mend it",
        "nobody looked at it",
        "2 beats 1",
    ] {
        assert!(!offences(bad).is_empty(), "{bad}");
        let code = format!("/// told\nconst A: &str = \"{bad}\"; // told\nlet b = '\"';");
        assert_eq!(literals(&code).trim(), bad);
    }
    let fine = "the recommended fix; one of a kind; intends; bedroom; told_apart; not-told; a whole number";
    assert_eq!(offences(fine), Vec::<String>::new());
    assert_eq!(literals("#[expect(dead_code, reason = \"told\")]"), "", "the reason of a lint");
    assert_eq!(
        literals("r#\"a \"b\"\"# + \"c \\\"d\" + \"e \\\n   f\" + 'x' + \"g\""),
        "a \"b\"\nc \\\"d\ne f\ng\n"
    );
}
