//! No two modules of a crate import each other, neither directly nor over others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Path of a module within its crate; the root is empty.
type Module = Vec<String>;

/// Modules that need each other, with the reason.
const EXPECTED: &[(&str, &[&str], &str)] = &[(
    "detect",
    &[
        "archive",
        "archive::chunks",
        "archive::members",
        "expand",
        "inside",
        "probers",
        "probers::compressed",
        "probers::zlib",
        "resolve",
        "tar",
        "zip",
    ],
    "a file within a file is looked at as a file is: the recursion goes through these",
)];

/// The words of a source, `::`, and every other character by itself. Comments, strings and characters are left out.
fn tokens(source: &str) -> Vec<String> {
    let chars = source.chars().collect::<Vec<_>>();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = |at: usize, text: &str| text.chars().zip(at..).all(|(c, at)| chars.get(at) == Some(&c));
    let end_of_string = |mut at: usize| {
        while chars[at] != '"' {
            at += if chars[at] == '\\' { 2 } else { 1 };
        }
        at + 1
    };
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            at += chars[at..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - at);
        } else if starts(at, "/*") {
            at += 2;
            while !starts(at, "*/") {
                at += 1;
            }
            at += 2;
        } else if c == '"' {
            at = end_of_string(at + 1);
        } else if c == '\'' {
            // A character, or the name of a lifetime.
            at = match (chars.get(at + 1), chars.get(at + 2)) {
                (Some('\\'), _) => at + 4 + chars[at + 3..].iter().position(|c| *c == '\'').unwrap(),
                (_, Some('\'')) => at + 3,
                _ => at + 1,
            };
        } else if is_word(c) {
            let word = chars[at..].iter().take_while(|c| is_word(**c)).collect::<String>();
            at += word.chars().count();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if ["r", "br", "cr"].contains(&word.as_str()) && chars.get(at + hashes) == Some(&'"') {
                let end = format!("\"{}", "#".repeat(hashes));
                at += hashes + 1;
                while !starts(at, &end) {
                    at += 1;
                }
                at += end.len();
            } else {
                tokens.push(word);
            }
        } else if starts(at, "::") {
            tokens.push("::".into());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.into());
            }
            at += 1;
        }
    }
    tokens
}

/// What one file names of its crate.
#[derive(Default)]
struct Names {
    /// Names that it has from elsewhere, with their paths as written; a glob has no name.
    uses: Vec<(Option<String>, Vec<String>)>,
    /// Paths in its code.
    paths: Vec<Vec<String>>,
}

/// How many tokens there are up to the end of what begins with a bracket at the first `open`, or up to a `;` before it.
fn length_of_item(tokens: &[String], open: &str, close: &str) -> usize {
    let mut depth = 0;
    for (number, token) in (1..).zip(tokens) {
        if token == open {
            depth += 1;
        } else if token == close {
            depth -= 1;
            if depth == 0 {
                return number;
            }
        } else if token == ";" && depth == 0 {
            return number;
        }
    }
    tokens.len()
}

/// Takes a tree of a `use` declaration from the tokens.
fn take_tree<'a>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a String>>,
    mut path: Vec<String>,
    uses: &mut Vec<(Option<String>, Vec<String>)>,
) {
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "::" => continue,
            "*" => return uses.push((None, path)),
            "{" => {
                while tokens.next_if(|token| *token == "}").is_none() {
                    take_tree(tokens, path.clone(), uses);
                    tokens.next_if(|token| *token == ",");
                }
                return;
            }
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        if tokens.next_if(|token| *token == "as").is_some() {
            return uses.push((tokens.next().cloned(), path));
        }
        if tokens.peek().is_none_or(|token| *token != "::") {
            return uses.push((path.last().cloned(), path));
        }
    }
}

impl Names {
    fn of(source: &str) -> Self {
        let mut names = Self::default();
        let tokens = tokens(source);
        let mut rest = tokens.as_slice();
        let mut before = "";
        while let [first, after @ ..] = rest {
            let mut length = 1;
            if first == "#" && after.first().is_some_and(|token| token == "[") {
                length = 1 + length_of_item(after, "[", "]");
                let attribute = &rest[..length];
                // What is compiled for tests alone, `cfg(test)` or `cfg(all(test, unix))`, is left out with all that it has.
                if attribute[2] == "cfg" && attribute.contains(&"test".to_owned()) {
                    while rest[length] == "#" {
                        length += 1 + length_of_item(&rest[length + 1..], "[", "]");
                    }
                    length += length_of_item(&rest[length..], "{", "}");
                }
            } else if first == "mod" && after.get(1).is_some_and(|token| token == "{") {
                // Within a module that has no file of its own, `super` is the file.
                length = length_of_item(rest, "{", "}");
            } else if first == "use" {
                length = rest.iter().position(|token| token == ";").unwrap() + 1;
                take_tree(&mut rest[1..length - 1].iter().peekable(), Vec::new(), &mut names.uses);
            } else if ["crate", "super", "self"].contains(&first.as_str()) && before != "::" {
                while rest.get(length).is_some_and(|token| token == "::") && rest.len() > length + 1 {
                    length += 2;
                }
                names.paths.push(rest[..length].iter().step_by(2).cloned().collect());
            }
            before = &rest[length - 1];
            rest = &rest[length..];
        }
        names
    }
}

fn read(folder: &Path, module: &Module, files: &mut BTreeMap<Module, Names>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let child = || module.iter().cloned().chain([stem.clone()]).collect::<Module>();
        if path.is_dir() {
            if stem != "tests" {
                read(&path, &child(), files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "tests" {
            let is_own = ["lib", "main", "mod"].contains(&stem.as_str());
            let names = Names::of(&std::fs::read_to_string(&path).unwrap());
            files.insert(if is_own { module.clone() } else { child() }, names);
        }
    }
}

/// A path as it is written in `module`, from the crate's root on. `None` if it is not of this crate, or is one of the module's own children.
fn absolute(module: &Module, path: &[String]) -> Option<Vec<String>> {
    let first = path.first()?.as_str();
    let mut whole = if first == "crate" { Vec::new() } else { module.clone() };
    let ups = path.iter().take_while(|part| *part == "super").count();
    let skipped = match first {
        "crate" | "self" => 1,
        "super" => ups,
        _ => return None,
    };
    whole.truncate(whole.len().checked_sub(ups)?);
    whole.extend(path[skipped..].iter().cloned());
    Some(whole)
}

/// The module in which what a path names is made: names that a module has from another one are followed.
fn home(files: &BTreeMap<Module, Names>, path: &[String]) -> Module {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let length = (0..=path.len()).rev().find(|length| files.contains_key(&path[..*length])).unwrap();
        let (module, rest) = path.split_at(length);
        let Some(name) = rest.first() else { return module.to_vec() };
        let found = files[module].uses.iter().find(|(found, _)| found.as_ref() == Some(name));
        let Some((_, from)) = found else { return module.to_vec() };
        let whole = absolute(&module.to_vec(), from)
            .or_else(|| Some(module.iter().chain(from).cloned().collect()))
            .filter(|whole| *whole != path);
        match whole {
            Some(mut whole) if files.contains_key(&whole[..module.len().min(whole.len())]) => {
                whole.extend(rest[1..].iter().cloned());
                path = whole;
            }
            _ => return module.to_vec(),
        }
    }
    path
}

/// Modules that each module of a crate imports from.
fn imports(files: &BTreeMap<Module, Names>) -> BTreeMap<&Module, BTreeSet<Module>> {
    files
        .iter()
        .map(|(module, names)| {
            let paths = names.uses.iter().map(|(_, path)| path).chain(&names.paths);
            let homes = paths.filter_map(|path| absolute(module, path)).map(|path| home(files, &path));
            (module, homes.filter(|home| home != module).collect())
        })
        .collect()
}

/// All that a module comes to by its imports.
fn reached(imports: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut all = BTreeSet::new();
    let mut waiting = vec![from.clone()];
    while let Some(module) = waiting.pop() {
        for next in imports.get(&module).into_iter().flatten() {
            if all.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    all
}

/// Groups of modules each of which comes to all of its group.
fn circles(files: &BTreeMap<Module, Names>) -> BTreeSet<Vec<String>> {
    let imports = imports(files);
    let reached = files.keys().map(|module| (module, reached(&imports, module))).collect::<BTreeMap<_, _>>();
    let in_circle = files.keys().filter(|module| reached[module].contains(*module));
    in_circle
        .map(|module| {
            let same = files
                .keys()
                .filter(|other| reached[module].contains(*other) && reached[other].contains(module));
            same.map(|module| module.join("::")).collect()
        })
        .collect()
}

fn files_of(sources: &Path) -> BTreeMap<Module, Names> {
    let mut files = BTreeMap::new();
    read(sources, &Vec::new(), &mut files);
    files
}

#[test]
fn no_modules_import_each_other() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut unexpected = Vec::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        let sources = folder.join("src");
        if !sources.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for circle in circles(&files_of(&sources)) {
            if EXPECTED.iter().any(|(of, modules, _)| *of == name && circle == *modules) {
                seen += 1;
            } else {
                unexpected.push(format!("{name}: {}", circle.join(", ")));
            }
        }
    }
    assert!(unexpected.is_empty(), "modules that import each other:\n{}", unexpected.join("\n"));
    assert_eq!(seen, EXPECTED.len(), "a circle that is expected is gone");
}

#[test]
fn sources_are_read_as_the_compiler_reads_them() {
    let names = Names::of(
        "use super::{a, b::{self, c as d}, e::*}; // use crate::no;\n /* use crate::no; */ \
         fn f<'a>(x: &'a str, y: crate::g::H) { 'x'; '\\''; \"use crate::no; \\\" \"; r#\"\" crate::no\"#; self.x; other::crate_; } \
         #[cfg(all(test, unix))] #[path = \"x\"] mod tests { use crate::no; } pub(crate) mod m { use super::no; }",
    );
    let uses = names.uses.iter().map(|(name, path)| (name.as_deref(), path.join("::"))).collect::<Vec<_>>();
    let expected =
        [(Some("a"), "super::a"), (Some("b"), "super::b"), (Some("d"), "super::b::c"), (None, "super::e")];
    assert_eq!(uses, expected.map(|(name, path)| (name, path.to_owned())));
    let paths = names.paths.iter().map(|path| path.join("::")).filter(|path| path.contains("::"));
    assert_eq!(paths.collect::<Vec<_>>(), ["crate::g::H"]);
}

#[test]
fn a_circle_is_found_over_names_that_are_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use b::Thing; pub use c::*;");
    write("a.rs", "use crate::Thing; pub struct Own;");
    write("b.rs", "pub struct Thing; fn f() { crate::c::g() }");
    write("c.rs", "pub fn g() {} #[cfg(test)] mod tests { use crate::b; }");
    assert!(circles(&files_of(folder.path())).is_empty());
    write("c.rs", "pub fn g(_: super::a::Own) {}");
    assert_eq!(circles(&files_of(folder.path())).into_iter().collect::<Vec<_>>(), [["a", "b", "c"]]);
}

#[test]
fn the_example_needs_the_toolkit_alone() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toolkit/examples/prepare.rs");
    let text = std::fs::read_to_string(example).unwrap();
    let crates = text.match_indices("imsprep_").map(|(at, _)| &text[at..]).collect::<Vec<_>>();
    assert!(!crates.is_empty() && crates.iter().all(|name| name.starts_with("imsprep_toolkit")), "{text}");
}
