//! The commands of grub.cfg that read other files and that make menu entries.

use super::{BLS_MAX, DEPTH_MAX, Item, Run, STEPS_MAX, SearchKind, is_name};
use crate::boot::grub_syntax::Statement;
use crate::boot::{ENTRIES_MAX, LoaderPath, MenuEntry, parse_bls, parse_grubenv, sort_bls};
use crate::text;

impl Run<'_> {
    pub(super) fn load_env(&mut self, texts: &[&str]) -> Option<bool> {
        let mut file = None;
        let mut names = Vec::new();
        let mut words = texts.iter();
        while let Some(word) = words.next() {
            match *word {
                "-f" | "--file" => file = words.next().map(|file| (*file).to_owned()),
                "-s" | "--skip-sig" => {}
                word => match word.strip_prefix("--file=") {
                    Some(named) => file = Some(named.to_owned()),
                    None => names.push(word),
                },
            }
        }
        let file = file.unwrap_or_else(|| format!("{}/grubenv", self.variable("prefix").text));
        let path = self.path(&file)?;
        match self.files.read(&path) {
            Ok(Some(bytes)) => {
                let variables = parse_grubenv(&bytes)?;
                for (name, value) in variables {
                    if names.is_empty() || names.contains(&name.as_str()) {
                        self.set(&name, value, true);
                    }
                }
                Some(true)
            }
            Ok(None) => Some(false),
            Err(reason) => {
                self.note(format!("{}: {reason}", path.path));
                // Whatever it sets is not known.
                for name in ["saved_entry", "next_entry", "kernelopts"] {
                    self.set(name, String::new(), false);
                }
                None
            }
        }
    }

    pub(super) fn search(&mut self, name: &str, texts: &[&str], known: bool) -> Option<bool> {
        let mut kind = match name {
            "search.fs_uuid" | "search_fs_uuid" => SearchKind::Uuid,
            "search.fs_label" | "search_fs_label" | "search_label" => SearchKind::Label,
            _ => SearchKind::File,
        };
        let is_plain = name == "search";
        let mut variable = None;
        let mut operands = Vec::new();
        let mut words = texts.iter();
        while let Some(word) = words.next() {
            match *word {
                "--fs-uuid" | "-u" if is_plain => kind = SearchKind::Uuid,
                "--label" | "--fs-label" | "-l" if is_plain => kind = SearchKind::Label,
                "--file" | "-f" if is_plain => kind = SearchKind::File,
                "--set" | "-s" => {
                    // The name of the variable may follow as a word of its own; `root` is what is left out.
                    if let Some(named) = words.clone().next().filter(|word| is_name(word) && words.len() > 1)
                    {
                        variable = Some((*named).to_owned());
                        words.next();
                    }
                }
                word => match word.strip_prefix("--set=") {
                    Some(named) => variable = Some(named.to_owned()),
                    None if word.starts_with('-') => {}
                    None => operands.push(word),
                },
            }
        }
        let value = operands.first()?;
        let variable = variable
            .or_else(|| (!is_plain).then(|| operands.get(1).map(|name| (*name).to_owned())).flatten());
        let variable = variable.unwrap_or_else(|| "root".into());
        if !known {
            self.set(&variable, String::new(), false);
            return None;
        }
        match self.files.search(kind, value) {
            Ok(Some(device)) => {
                self.set(&variable, device, true);
                Some(true)
            }
            // The variable keeps what it had.
            Ok(None) => Some(false),
            Err(_) => {
                self.set(&variable, String::new(), false);
                None
            }
        }
    }

    pub(super) fn source(&mut self, name: &str, file: Option<&str>, known: bool) -> Option<bool> {
        let Some(path) = file.filter(|_| known).and_then(|file| self.path(file)) else {
            self.note(format!("{name} names a file that is decided when the machine starts"));
            return None;
        };
        if self.depth >= DEPTH_MAX {
            self.note("configurations include each other too deeply".into());
            return None;
        }
        let bytes = match self.files.read(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Some(false),
            Err(reason) => {
                self.note(format!("{}: {reason}", path.path));
                return None;
            }
        };
        let takes_over = matches!(name, "configfile" | "normal");
        if takes_over {
            let folder = path.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let device = path.device.clone().unwrap_or_default();
            self.set("config_directory", format!("({device}){folder}"), true);
            if self.uncertain == 0 {
                self.items.clear();
            }
            self.config = path.clone();
        }
        self.depth += 1;
        let result = self.script(&bytes);
        self.depth -= 1;
        if let Err(reason) = result {
            self.note(format!("{}: {reason}", path.path));
            return None;
        }
        // Where it is not known whether the other one takes over, both count.
        self.ended |= takes_over && self.uncertain == 0;
        Some(true)
    }

    pub(super) fn item(
        &mut self,
        is_submenu: bool,
        texts: &[&str],
        block: Vec<Statement>,
        line: u32,
        known: bool,
    ) {
        if self.items.len() >= ENTRIES_MAX || self.depth >= DEPTH_MAX {
            return;
        }
        let mut entry = MenuEntry { line, options_line: line, ..MenuEntry::default() };
        let mut words = texts.iter();
        let mut title = None;
        while let Some(word) = words.next() {
            match *word {
                "--id" => entry.ids.extend(words.next().map(|id| text::name(id))),
                "--class" | "--users" | "--hotkey" | "--source" => {
                    words.next();
                }
                word => match word.strip_prefix("--id=") {
                    Some(id) => entry.ids.push(text::name(id)),
                    None if word.starts_with("--") => {}
                    None => title = title.or(Some(text::name(word))),
                },
            }
        }
        entry.title = title.unwrap_or_default();
        let mut item = Item { is_submenu, uncertain: self.uncertain > 0 || !known, ..Item::default() };
        // What an entry runs it runs when it is chosen: nothing of it stays.
        let variables = self.variables.clone();
        let outer = std::mem::take(&mut self.items);
        let ended = std::mem::take(&mut self.ended);
        self.depth += 1;
        self.run(block, (!is_submenu).then_some(&mut entry));
        self.depth -= 1;
        self.ended = ended || self.steps > STEPS_MAX;
        item.children = std::mem::replace(&mut self.items, outer);
        self.variables = variables;
        item.entry = entry;
        self.items.push(item);
    }

    pub(super) fn boot_command(
        &mut self,
        name: &str,
        texts: &[&str],
        line: u32,
        known: bool,
        entry: &mut MenuEntry,
    ) {
        let doubt = if self.uncertain > 0 {
            Some("a condition that is decided when the machine starts")
        } else if !known {
            Some("a variable that is decided when the machine starts")
        } else {
            None
        };
        if let Some(doubt) = doubt {
            entry.computed.get_or_insert_with(|| format!("the entry depends on {doubt}"));
        }
        let mut paths = texts.iter().skip_while(|word| word.starts_with("--"));
        let path = |text: &&str| self.path(text).unwrap_or_else(|| LoaderPath::here(*text));
        match name {
            "linux" | "linux16" | "linuxefi" => {
                entry.kernel = paths.next().map(path);
                entry.options = text::value(&paths.copied().collect::<Vec<_>>().join(" "));
                entry.options_line = line;
                if self.variable("root").known {
                    return;
                }
                entry.computed.get_or_insert_with(|| {
                    "the device of the kernel is decided when the machine starts".into()
                });
            }
            "initrd" | "initrd16" | "initrdefi" => entry.initramfs = paths.take(16).map(path).collect(),
            "chainloader" => entry.program = paths.next().map(path),
            // Xen: the kernel of the system is a module.
            "module" | "module2" | "xen_module" if entry.kernel.is_none() => {
                entry.kernel = paths.next().map(path);
                entry.options = text::value(&paths.copied().collect::<Vec<_>>().join(" "));
                entry.options_line = line;
            }
            "module" | "module2" | "xen_module" => entry.initramfs.extend(paths.next().map(path)),
            "multiboot" | "multiboot2" | "xen_hypervisor" => {
                entry.computed.get_or_insert_with(|| "the entry starts a hypervisor".into());
            }
            _ => {}
        }
    }

    /// Entries of the Boot Loader Specification, as Fedora's `blscfg` takes them.
    pub(super) fn blscfg(&mut self, folder: Option<&str>) {
        let boot = self.variable("boot");
        let device = if boot.text.is_empty() { self.variable("root") } else { boot };
        let folder_set = self.variable("blsdir");
        let folder =
            folder.map(str::to_owned).or_else(|| (!folder_set.text.is_empty()).then_some(folder_set.text));
        if !device.known || !folder_set.known {
            self.note("where blscfg finds its entries is decided when the machine starts".into());
            return;
        }
        let here = |path: String| LoaderPath::parse(&path, Some(device.text.trim_matches(['(', ')'])));
        let folders = folder
            .map_or_else(|| vec!["/loader/entries".into(), "/boot/loader/entries".into()], |one| vec![one]);
        for folder in folders {
            let folder = folder.trim_end_matches('/').to_owned();
            let names = match self.files.list(&here(folder.clone())) {
                Ok(names) => names,
                Err(reason) => {
                    self.note(format!("{folder}: {reason}"));
                    return;
                }
            };
            let mut entries = Vec::new();
            for name in names.iter().filter(|name| name.ends_with(".conf")).take(BLS_MAX) {
                let path = here(format!("{folder}/{name}"));
                match self.files.read(&path) {
                    Ok(Some(bytes)) => {
                        let mut entry = parse_bls(name, &bytes);
                        // This loader knows neither counters nor sort keys.
                        entry.tries_left = None;
                        entry.sort_key = None;
                        entries.push(entry);
                    }
                    Ok(None) => {}
                    Err(reason) => self.note(format!("{}: {reason}", path.path)),
                }
            }
            sort_bls(&mut entries);
            for entry in entries {
                let mut doubt = None;
                let mut menu_entry = entry.menu_entry(|name| {
                    let variable = self.variables.get(name)?;
                    if !variable.known {
                        doubt = Some(format!(
                            "the variable {} is decided when the machine starts",
                            text::name(name)
                        ));
                    }
                    Some(variable.text.clone())
                });
                menu_entry.computed = doubt.or(menu_entry.computed);
                for path in menu_entry.kernel.iter_mut().chain(&mut menu_entry.initramfs) {
                    *path = here(path.path.clone());
                }
                let file = Some(here(format!("{folder}/{}.conf", entry.id)));
                let uncertain = self.uncertain > 0;
                if self.items.len() < ENTRIES_MAX {
                    self.items.push(Item { entry: menu_entry, uncertain, file, ..Item::default() });
                }
            }
            if !self.items.is_empty() {
                return;
            }
        }
    }
}
