//! Entries by the Boot Loader Specification: one file each in `loader/entries`.

use crate::boot::{LoaderPath, MenuEntry};
use crate::text;

/// An entry as its file has it: variables are not resolved yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlsEntry {
    /// The name of the file without `.conf` and without a boot counter.
    pub id: String,
    /// The title.
    pub title: String,
    /// The version: what entries are sorted by.
    pub version: String,
    /// The key that comes before the version when entries are sorted.
    pub sort_key: Option<String>,
    /// The system's machine-id.
    pub machine_id: Option<String>,
    /// The kernel.
    pub linux: Option<String>,
    /// Archives of the initramfs, in order.
    pub initrd: Vec<String>,
    /// The parts of the command line, in order.
    pub options: Vec<String>,
    /// An EFI program.
    pub efi: Option<String>,
    /// Tries that are left, if boots are counted: an entry without any is the last choice.
    pub tries_left: Option<u32>,
    /// The line of the kernel, from 1.
    pub line: u32,
    /// The line of the options, from 1.
    pub options_line: u32,
}

/// Reads an entry. `file_name` is the name of its file, such as `0123-6.1.0+3-1.conf`.
pub fn parse_bls(file_name: &str, bytes: &[u8]) -> BlsEntry {
    let id = file_name.strip_suffix(".conf").or_else(|| file_name.strip_suffix(".efi")).unwrap_or(file_name);
    let (id, tries_left) = counter(id);
    let mut entry =
        BlsEntry { id: text::name(id), tries_left, line: 1, options_line: 1, ..BlsEntry::default() };
    for (number, line) in text::lines(bytes) {
        let line = line.trim();
        let Some((key, value)) = line.split_once(|c: char| c.is_whitespace()) else { continue };
        let value = text::value(value.trim());
        match key {
            "title" => entry.title = value,
            "version" => entry.version = value,
            "sort-key" => entry.sort_key = Some(value),
            "machine-id" => entry.machine_id = Some(value),
            "linux" => {
                entry.linux = Some(value);
                entry.line = number;
            }
            "efi" => {
                entry.efi = Some(value);
                entry.line = number;
            }
            // Fedora writes several archives on one line.
            "initrd" if entry.initrd.len() < 16 => {
                entry.initrd.extend(value.split_whitespace().take(16).map(str::to_owned));
            }
            "options" if entry.options.len() < 64 => {
                entry.options.push(value);
                entry.options_line = number;
            }
            _ => {}
        }
    }
    entry
}

/// Takes the counter of boots off a name: `name+3-1` has 3 tries left.
fn counter(name: &str) -> (&str, Option<u32>) {
    let Some((before, counter)) = name.rsplit_once('+') else { return (name, None) };
    let left = counter.split_once('-').map_or(Ok(counter), |(left, done)| done.parse::<u32>().map(|_| left));
    match left.map(str::parse) {
        Ok(Ok(left)) => (before, Some(left)),
        _ => (name, None),
    }
}

impl BlsEntry {
    /// The entry of a menu, with variables replaced by what `variable` knows; a name that it does not know is left out, as GRUB
    /// does, and noted.
    pub fn menu_entry(&self, mut variable: impl FnMut(&str) -> Option<String>) -> MenuEntry {
        let mut missing = None;
        let mut resolve = |text: &str| expand(text, &mut variable, &mut missing);
        let options = resolve(&self.options.join(" "));
        let initramfs =
            self.initrd.iter().map(|path| resolve(path)).filter(|path| !path.is_empty()).collect::<Vec<_>>();
        let kernel = self.linux.as_deref().map(&mut resolve);
        MenuEntry {
            title: if self.title.is_empty() { self.id.clone() } else { self.title.clone() },
            ids: vec![self.id.clone()],
            kernel: kernel.map(LoaderPath::here),
            initramfs: initramfs.into_iter().map(LoaderPath::here).collect(),
            options,
            program: self.efi.clone().map(LoaderPath::here),
            line: self.line,
            options_line: self.options_line,
            computed: missing,
        }
    }
}

fn expand(
    template: &str,
    variable: &mut impl FnMut(&str) -> Option<String>,
    missing: &mut Option<String>,
) -> String {
    let mut result = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let (name, next) = match after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some(parts) => parts,
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                after.split_at(end)
            }
        };
        match variable(name) {
            Some(value) => result.push_str(&value),
            // tuned's variables are unset on most systems.
            None if name.starts_with("tuned") => {}
            None => {
                missing.get_or_insert_with(|| format!("the variable {} is not set", text::name(name)));
            }
        }
        rest = next;
    }
    result.push_str(rest);
    text::value(result.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] =
        b"title Red Hat Enterprise Linux (4.18.0-80.el8.x86_64) 8.0 (Ootpa)\nversion 4.18.0-80.el8.x86_64\n\
        linux /vmlinuz-4.18.0-80.el8.x86_64\ninitrd /initramfs-4.18.0-80.el8.x86_64.img $tuned_initrd\n\
        options $kernelopts $tuned_params\nid rhel-20190313\ngrub_users $grub_users\n";

    #[test]
    fn an_entry_takes_variables_of_the_environment() {
        let entry = parse_bls("0123-4.18.0-80.el8.x86_64.conf", FILE);
        assert_eq!(entry.id, "0123-4.18.0-80.el8.x86_64");
        let resolved =
            entry.menu_entry(|name| (name == "kernelopts").then(|| "root=/dev/mapper/rhel-root ro".into()));
        assert_eq!(resolved.options, "root=/dev/mapper/rhel-root ro");
        assert_eq!(resolved.kernel, Some(LoaderPath::here("/vmlinuz-4.18.0-80.el8.x86_64")));
        assert_eq!(resolved.initramfs, [LoaderPath::here("/initramfs-4.18.0-80.el8.x86_64.img")]);
        assert_eq!((resolved.line, resolved.options_line, resolved.computed), (3, 5, None));
        assert!(entry.menu_entry(|_| None).computed.is_some());
    }

    #[test]
    fn a_counter_of_boots_is_no_part_of_the_name() {
        for (name, id, left) in [
            ("a+3-1.conf", "a", Some(3)),
            ("a+0-3.efi", "a", Some(0)),
            ("a+2.conf", "a", Some(2)),
            ("a+b.conf", "a+b", None),
            ("a.conf", "a", None),
        ] {
            let entry = parse_bls(name, b"");
            assert_eq!((entry.id.as_str(), entry.tries_left), (id, left), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(name in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let entry = parse_bls(&name, &bytes);
            let _ = entry.menu_entry(|_| Some("$x".into()));
        }
    }
}
