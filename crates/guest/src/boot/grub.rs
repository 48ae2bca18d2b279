//! GRUB 2: evaluates a configuration as far as it does not depend on what happens when the machine starts.

mod commands;

use std::collections::BTreeMap;

use crate::boot::grub_syntax::{Part, Statement, Word, parse};
use crate::boot::grub_test::{self, FileState, Operand};
use crate::boot::{ENTRIES_MAX, LoaderPath, Menu, MenuEntry};
use crate::text;

/// Most statements that are run.
const STEPS_MAX: usize = 50_000;
/// How deep files, functions and submenus lie in each other at most.
const DEPTH_MAX: usize = 12;
/// Most files of entries in a folder.
const BLS_MAX: usize = 256;

/// What `search` looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// A file system's UUID.
    Uuid,
    /// A file system's label.
    Label,
    /// A file.
    File,
}

/// The files that GRUB sees. Devices are named as GRUB names them, or as [`search`](Self::search) did.
pub trait GrubFiles {
    /// A whole file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The reason why that is not known.
    fn read(&self, path: &LoaderPath) -> Result<Option<Vec<u8>>, String>;

    /// The size of a file; `None` if there is none. A directory is given as [`u64::MAX`].
    ///
    /// # Errors
    ///
    /// The reason why that is not known.
    fn size(&self, path: &LoaderPath) -> Result<Option<u64>, String>;

    /// The names in a directory; none if there is no such directory.
    ///
    /// # Errors
    ///
    /// The reason why they are not known.
    fn list(&self, path: &LoaderPath) -> Result<Vec<String>, String>;

    /// The device that has this; `None` if none has.
    ///
    /// # Errors
    ///
    /// The reason why that is not known.
    fn search(&self, kind: SearchKind, value: &str) -> Result<Option<String>, String>;
}

/// What a configuration comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrubMenu {
    /// The menu. Paths in it have a device.
    pub menu: Menu,
    /// Which file the entries are in: lines are of this one.
    pub config: LoaderPath,
    /// For entries of the Boot Loader Specification, by index in the menu: the file that each is in.
    pub entry_files: BTreeMap<usize, LoaderPath>,
    /// Why parts of the configuration are not known, at most 16 reasons.
    pub unknown: Vec<String>,
}

impl Default for LoaderPath {
    fn default() -> Self {
        Self::here("")
    }
}

/// Evaluates the configuration `config`. `platform` is `pc` or `efi`, `cpu` is `i386`, `x86_64` or `arm64`.
///
/// # Errors
///
/// The reason why the file cannot be read or understood.
pub fn evaluate_grub(
    files: &dyn GrubFiles,
    config: &LoaderPath,
    platform: &str,
    cpu: &str,
) -> Result<GrubMenu, String> {
    let bytes = files.read(config)?.ok_or("the file does not exist")?;
    let device = config.device.clone().unwrap_or_default();
    let folder = config.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut run = Run {
        files,
        variables: BTreeMap::new(),
        functions: BTreeMap::new(),
        items: Vec::new(),
        unknown: Vec::new(),
        steps: 0,
        depth: 0,
        uncertain: 0,
        ended: false,
        config: config.clone(),
    };
    for (name, value) in [
        ("root", device.clone()),
        ("prefix", format!("({device}){folder}")),
        ("config_directory", format!("({device}){folder}")),
        ("config_file", format!("({device}){}", config.path)),
        ("grub_platform", platform.to_owned()),
        ("grub_cpu", cpu.to_owned()),
        ("feature_menuentry_id", "y".into()),
        ("feature_menuentry_options", "y".into()),
        ("feature_platform_search_hint", "y".into()),
        ("feature_default_font_path", "y".into()),
        ("feature_all_video_module", "y".into()),
        ("feature_nativedisk_cmd", "y".into()),
        ("feature_timeout_style", "y".into()),
        ("feature_chainloader_bpb", "y".into()),
        ("feature_ntldr", "y".into()),
        ("feature_200_final", "y".into()),
        ("menuentry_id_option", "--id".into()),
    ] {
        run.variables.insert(name.into(), Variable { text: value, known: true });
    }
    run.script(&bytes)?;
    let default = run.variables.get("default").cloned();
    let default = default.unwrap_or(Variable { text: String::new(), known: true });
    let mut result = GrubMenu { config: run.config.clone(), unknown: run.unknown, ..GrubMenu::default() };
    let items = run.items;
    if default.known {
        select(&items, &default.text, 0, &mut result);
    } else {
        result.menu.unknown = Some("the default entry is decided when the machine starts".into());
    }
    let selected = result.menu.default.take();
    flatten(items, &mut result, &mut 0, selected);
    if result.menu.entries.is_empty() && result.menu.unknown.is_none() {
        result.menu.unknown = Some("the configuration has no menu entry".into());
    }
    Ok(result)
}

/// Finds the default entry as GRUB does; its number among all items, counted depth first, is left in `menu.default`.
fn select(items: &[Item], default: &str, before: usize, result: &mut GrubMenu) {
    let (first, rest) = default.split_once('>').unwrap_or((default, ""));
    let first = first.trim();
    let by_number = first.parse::<usize>().ok().filter(|number| *number < items.len());
    let by_name = || {
        items.iter().position(|item| item.entry.title == first || item.entry.ids.iter().any(|id| id == first))
    };
    // What names no entry is the first one.
    let index = by_number.or_else(by_name).unwrap_or(0);
    let Some(item) = items.get(index) else { return };
    if let Some(why) =
        items.iter().take(index + 1).find_map(|item| item.uncertain.then_some(&item.entry.title))
    {
        let why = text::name(why);
        result.menu.unknown =
            Some(format!("whether the entry \"{why}\" exists is decided when the machine starts"));
        return;
    }
    let number = before + items.iter().take(index).map(Item::count).sum::<usize>();
    if item.is_submenu {
        select(&item.children, rest, number + 1, result);
    } else {
        result.menu.default = Some(number);
    }
}

fn flatten(items: Vec<Item>, result: &mut GrubMenu, number: &mut usize, selected: Option<usize>) {
    for item in items {
        let here = *number;
        *number += 1;
        if item.is_submenu {
            flatten(item.children, result, number, selected);
        } else if result.menu.entries.len() < ENTRIES_MAX {
            let index = result.menu.entries.len();
            if selected == Some(here) {
                result.menu.default = Some(index);
            }
            if let Some(file) = item.file {
                result.entry_files.insert(index, file);
            }
            result.menu.entries.push(item.entry);
        }
    }
}

#[derive(Clone, Debug)]
struct Variable {
    text: String,
    known: bool,
}

#[derive(Default)]
struct Item {
    entry: MenuEntry,
    children: Vec<Item>,
    is_submenu: bool,
    uncertain: bool,
    file: Option<LoaderPath>,
}

impl Item {
    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }
}

struct Run<'a> {
    files: &'a dyn GrubFiles,
    variables: BTreeMap<String, Variable>,
    functions: BTreeMap<String, std::rc::Rc<Vec<Statement>>>,
    items: Vec<Item>,
    unknown: Vec<String>,
    steps: usize,
    depth: usize,
    /// In how many conditions that are not known the place is.
    uncertain: usize,
    /// Another configuration has taken over.
    ended: bool,
    config: LoaderPath,
}

impl Run<'_> {
    fn script(&mut self, bytes: &[u8]) -> Result<(), String> {
        let statements = parse(bytes)?;
        self.run(statements, None);
        Ok(())
    }

    fn note(&mut self, reason: String) {
        if self.unknown.len() < 16 && !self.unknown.contains(&reason) {
            self.unknown.push(reason);
        }
    }

    /// Runs statements; `entry` is the menu entry that they are of. The outcome is that of the last one.
    fn run(&mut self, statements: Vec<Statement>, mut entry: Option<&mut MenuEntry>) -> Option<bool> {
        let mut outcome = Some(true);
        for statement in statements {
            outcome = self.step(statement, entry.as_deref_mut());
            if self.ended {
                break;
            }
        }
        outcome
    }

    fn step(&mut self, statement: Statement, mut entry: Option<&mut MenuEntry>) -> Option<bool> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            self.note("the configuration runs too many commands".into());
            self.ended = true;
            return None;
        }
        match statement {
            Statement::Function { name, body } => {
                self.functions.insert(name, std::rc::Rc::new(body));
                Some(true)
            }
            Statement::Loop { body } => {
                self.uncertain += 1;
                self.run(body, entry);
                self.uncertain -= 1;
                None
            }
            Statement::If { branches, otherwise } => {
                let mut doubts = 0;
                for (condition, body) in branches {
                    match self.run(condition, entry.as_deref_mut()) {
                        Some(true) => {
                            let outcome = self.run(body, entry);
                            self.uncertain -= doubts;
                            return outcome.filter(|_| doubts == 0);
                        }
                        Some(false) => {}
                        None => {
                            doubts += 1;
                            self.uncertain += 1;
                            self.run(body, entry.as_deref_mut());
                        }
                    }
                }
                let outcome = self.run(otherwise, entry);
                self.uncertain -= doubts;
                outcome.filter(|_| doubts == 0)
            }
            Statement::Command { words, block, line } => self.command(&words, block, line, entry),
        }
    }

    fn command(
        &mut self,
        words: &[Word],
        block: Option<Vec<Statement>>,
        line: u32,
        entry: Option<&mut MenuEntry>,
    ) -> Option<bool> {
        let words = self.expand(words);
        let known = words.iter().all(|(_, known)| *known);
        let Some(((name, _), rest)) = words.split_first() else { return Some(true) };
        let texts = rest.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>();
        match name.as_str() {
            "menuentry" | "submenu" => {
                self.item(name == "submenu", &texts, block.unwrap_or_default(), line, known);
                Some(true)
            }
            "[" | "test" => {
                let words = if name == "[" && texts.last() == Some(&"]") {
                    rest.split_last().map_or(rest, |(_, rest)| rest)
                } else {
                    rest
                };
                self.test(words)
            }
            "true" => Some(true),
            "false" => Some(false),
            "!" => self.invert(rest),
            "set" => self.assign(rest.first()?),
            "unset" => {
                for name in texts {
                    self.set(name, String::new(), true);
                }
                Some(true)
            }
            "load_env" => self.load_env(&texts),
            "search" | "search.fs_uuid" | "search.fs_label" | "search.file" | "search_fs_uuid"
            | "search_fs_label" | "search_fs_file" | "search_label" => self.search(name, &texts, known),
            "source" | "." | "configfile" | "normal" => self.source(name, texts.first().copied(), known),
            "blscfg" => {
                self.blscfg(texts.first().copied());
                Some(true)
            }
            "extract_entries_source"
            | "extract_entries_configfile"
            | "legacy_configfile"
            | "legacy_source"
            | "syslinux_configfile"
            | "syslinux_source" => {
                self.note(format!("the configuration hands over to another one by {name}"));
                None
            }
            "increment" | "decrement" => {
                let by = if name == "increment" { 1 } else { -1 };
                let value = self.variables.get(*texts.first()?);
                let number = value.and_then(|value| value.text.parse::<i64>().ok()).unwrap_or(0);
                let is_known = value.is_none_or(|value| value.known);
                self.set(texts.first()?, number.saturating_add(by).to_string(), is_known);
                Some(true)
            }
            "linux" | "linux16" | "linuxefi" | "initrd" | "initrd16" | "initrdefi" | "chainloader"
            | "multiboot" | "multiboot2" | "module" | "module2" | "xen_hypervisor" | "xen_module"
            | "boot" => {
                if let Some(entry) = entry {
                    self.boot_command(name, &texts, line, known, entry);
                }
                Some(true)
            }
            "insmod" | "export" | "echo" | "save_env" | "terminal_input" | "terminal_output" | "loadfont"
            | "sleep" | "keystatus" | "clear" | "load_video" | "savedefault" | "gfxmode"
                if !self.functions.contains_key(name) =>
            {
                (name != "loadfont" && name != "sleep" && name != "keystatus").then_some(true)
            }
            _ => {
                if let Some(body) = self.functions.get(name).cloned() {
                    return self.call(&body, rest, entry);
                }
                if name.split_once('=').is_some_and(|(name, _)| is_name(name)) {
                    return self.assign(words.first()?);
                }
                None
            }
        }
    }

    fn invert(&mut self, rest: &[Operand]) -> Option<bool> {
        let ((name, _), rest) = rest.split_first()?;
        let words = rest.iter().filter(|(text, _)| text != "]").cloned().collect::<Vec<_>>();
        matches!(name.as_str(), "[" | "test").then(|| self.test(&words))?.map(|outcome| !outcome)
    }

    /// Runs a function. Its body is parsed already, so it is run by reference.
    fn call(
        &mut self,
        body: &[Statement],
        arguments: &[Operand],
        entry: Option<&mut MenuEntry>,
    ) -> Option<bool> {
        if self.depth >= DEPTH_MAX {
            self.note("functions call each other too deeply".into());
            return None;
        }
        for (number, (text, known)) in (1..=9).zip(arguments) {
            self.set(&number.to_string(), text.clone(), *known);
        }
        self.depth += 1;
        let mut entry = entry;
        for statement in body {
            // Only assignments and boot commands matter in a function; conditions in it are not followed.
            match statement {
                Statement::Command { words, block: None, line } => {
                    self.steps += 1;
                    self.command(words, None, *line, entry.as_deref_mut());
                }
                Statement::Command { .. }
                | Statement::If { .. }
                | Statement::Loop { .. }
                | Statement::Function { .. } => {
                    self.forget(std::slice::from_ref(statement), 0);
                }
            }
            if self.steps > STEPS_MAX {
                break;
            }
        }
        self.depth -= 1;
        None
    }

    /// Marks every variable as not known that these statements could set.
    fn forget(&mut self, statements: &[Statement], depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        for statement in statements {
            match statement {
                Statement::Command { words, .. } => {
                    let texts = words.iter().filter_map(|word| match word.parts.first() {
                        Some(Part::Text(text)) => Some(text.as_str()),
                        _ => None,
                    });
                    let names =
                        texts.filter_map(|text| text.split_once('=')).map(|(name, _)| name.to_owned());
                    for name in names.filter(|name| is_name(name)).collect::<Vec<_>>() {
                        self.set(&name, String::new(), false);
                    }
                }
                Statement::If { branches, otherwise } => {
                    for (_, body) in branches {
                        self.forget(body, depth + 1);
                    }
                    self.forget(otherwise, depth + 1);
                }
                Statement::Loop { body } => self.forget(body, depth + 1),
                Statement::Function { .. } => {}
            }
        }
    }

    fn set(&mut self, name: &str, text: String, known: bool) {
        if self.variables.len() < 4096 || self.variables.contains_key(name) {
            let known = known && self.uncertain == 0;
            self.variables.insert(text::name(name), Variable { text: text::value(&text), known });
        }
    }

    fn assign(&mut self, (word, known): &Operand) -> Option<bool> {
        let (name, value) = word.split_once('=')?;
        self.set(name, value.to_owned(), *known);
        Some(true)
    }

    /// The words of a command with variables replaced, each with whether it is known.
    fn expand(&self, words: &[Word]) -> Vec<Operand> {
        let mut result = Vec::new();
        for word in words {
            let mut text = String::new();
            let mut known = true;
            let mut is_word = word.is_quoted();
            for part in &word.parts {
                let (value, quoted) = match part {
                    Part::Text(value) => {
                        text.push_str(value);
                        is_word = true;
                        continue;
                    }
                    Part::Variable { name, quoted } => (self.variable(name), *quoted),
                };
                known &= value.known;
                if quoted {
                    text.push_str(&value.text);
                    is_word = true;
                    continue;
                }
                // A value without quotes is split into words.
                for (index, piece) in value.text.split(char::is_whitespace).enumerate() {
                    if index > 0 && is_word {
                        result.push((text::value(&std::mem::take(&mut text)), known));
                        is_word = false;
                    }
                    text.push_str(piece);
                    is_word |= !piece.is_empty();
                }
                // One that is not known stands for a word, whatever it is.
                is_word |= !value.known;
            }
            if is_word && result.len() < 1024 {
                result.push((text::value(&text), known));
            }
        }
        result
    }

    fn variable(&self, name: &str) -> Variable {
        match self.variables.get(name) {
            Some(variable) => variable.clone(),
            // The outcome of the last command, the arguments of a function.
            None => Variable { text: String::new(), known: !matches!(name, "?" | "@" | "*" | "#") },
        }
    }

    /// A path of a command: on the device that `root` names, unless it has one.
    fn path(&self, text: &str) -> Option<LoaderPath> {
        if text.starts_with('(') {
            return Some(LoaderPath::parse(text, None));
        }
        let root = self.variable("root");
        root.known.then(|| LoaderPath::parse(text, Some(root.text.trim_matches(['(', ')']))))
    }

    fn test(&mut self, words: &[Operand]) -> Option<bool> {
        let this = &*self;
        grub_test::evaluate(words, &mut |path| {
            let Some(path) = this.path(path) else { return FileState::Unknown };
            match this.files.size(&path) {
                Ok(None) => FileState::Absent,
                Ok(Some(u64::MAX)) => FileState::Directory,
                Ok(Some(size)) => FileState::File(size),
                Err(_) => FileState::Unknown,
            }
        })
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
