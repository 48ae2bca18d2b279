//! No two modules of a crate import each other, neither directly nor over others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::Visit;

/// Path of a module within its crate; the root is empty.
type Module = Vec<String>;

/// Modules that need each other, with the reason.
const EXPECTED: &[(&str, &[&str], &str)] = &[(
    "detect",
    &["compressed", "expand", "inside", "resolve", "zip", "zlib"],
    "a file within a file is looked at as a file is: the recursion goes through these",
)];

/// The names that a `use` declaration brings in, each with its whole path; a glob has no name.
fn flatten(tree: &syn::UseTree, mut path: Vec<String>, uses: &mut Vec<(Option<String>, Vec<String>)>) {
    match tree {
        syn::UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, uses);
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|item| flatten(item, path.clone(), uses));
        }
        syn::UseTree::Glob(_) => uses.push((None, path)),
        syn::UseTree::Name(name) if name.ident == "self" => uses.push((path.last().cloned(), path)),
        syn::UseTree::Name(name) => {
            path.push(name.ident.to_string());
            uses.push((path.last().cloned(), path));
        }
        syn::UseTree::Rename(rename) => {
            path.push(rename.ident.to_string());
            uses.push((Some(rename.rename.to_string()), path));
        }
    }
}

/// What one file names of its crate.
#[derive(Default)]
struct Names {
    /// Names that it has from elsewhere, with their paths as written.
    uses: Vec<(Option<String>, Vec<String>)>,
    /// Paths in its code.
    paths: Vec<Vec<String>>,
    /// Modules without a file of their own around what is read.
    depth: usize,
}

/// Whether it is compiled for tests alone: `cfg(test)`, `cfg(all(test, unix))`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        condition.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            self.depth += 1;
            syn::visit::visit_item_mod(self, module);
            self.depth -= 1;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // Within a module that has no file of its own, `super` is the file.
        if !is_for_tests(&item.attrs) && self.depth == 0 {
            flatten(&item.tree, Vec::new(), &mut self.uses);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let path_of = || path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if self.depth == 0 {
            self.paths.push(path_of());
        }
        syn::visit::visit_path(self, path);
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
            let mut names = Names::default();
            names.visit_file(&syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap());
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
fn a_circle_is_found_over_names_that_are_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use b::Thing; pub use c::*;");
    write("a.rs", "use crate::Thing; pub struct Own;");
    write("b.rs", "pub struct Thing; fn f() { crate::c::g() }");
    write("c.rs", "pub fn g() {} #[cfg(test)] mod tests { use crate::b; }");
    assert!(circles(&files_of(folder.path())).is_empty());
    write("c.rs", "pub fn g() -> super::a::Own { todo!() }");
    assert_eq!(circles(&files_of(folder.path())).into_iter().collect::<Vec<_>>(), [["a", "b", "c"]]);
}

#[test]
fn the_example_needs_the_toolkit_alone() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../toolkit/examples/prepare.rs");
    let text = std::fs::read_to_string(example).unwrap();
    let crates = text.match_indices("imsprep_").map(|(at, _)| &text[at..]).collect::<Vec<_>>();
    assert!(!crates.is_empty() && crates.iter().all(|name| name.starts_with("imsprep_toolkit")), "{text}");
}
