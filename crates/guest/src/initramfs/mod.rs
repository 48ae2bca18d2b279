//! What an initramfs holds: the names of its modules and a few small files, read as a stream.
//!
//! The kernel takes several archives in a row: cpio in the format `newc`, each in the clear or compressed as a whole, with zeros
//! between. Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.

mod cpio;
mod decompress;
mod gzip;
mod joint;
mod lz4_legacy;
mod lzop;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use cpio::Member;
pub use stream::ArchiveFile;
use stream::Cursor;

use crate::kernel::{ModulesBuiltin, module_name, parse_modules_builtin};
use crate::text;

/// Most bytes that all archives together may expand to.
const EXPANDED_MAX: u64 = 768 << 20;
/// Most members of all archives together.
const MEMBERS_MAX: u64 = 200_000;
/// Most archives in a row.
const ARCHIVES_MAX: usize = 64;
/// Most kernel versions whose modules are kept.
const VERSIONS_MAX: usize = 8;
/// Most modules of a version that are kept; kernels have about 6000.
const MODULES_MAX: usize = 16_384;
/// Most bytes of `modules.builtin`, and of a file with udev rules.
const FILE_MAX: u64 = 256 << 10;
/// Most files with udev rules that are kept.
const RULES_MAX: usize = 32;

/// What an initramfs holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Initramfs {
    /// Names of modules, with `_` for `-`, by the kernel version that they are for; an empty one for those that lie in `lib`
    /// itself, as Red Hat's had it up to 5.
    pub modules: BTreeMap<String, BTreeSet<String>>,
    /// What the kernel has built in, by version, where the initramfs has a list of it.
    pub builtin: BTreeMap<String, ModulesBuiltin>,
    /// Files in `etc/udev/rules.d` whose names have `persistent` and `net`, by path.
    pub net_rules: BTreeMap<String, Vec<u8>>,
    /// The program that made it, where that shows.
    pub generator: Option<Generator>,
    /// Whether dracut made it for the hardware of one machine only.
    pub hostonly: bool,
    /// The compressors in the order of the archives: `none`, `zstd`.
    pub compressors: Vec<&'static str>,
    /// Members that were seen.
    pub members: u64,
    /// Why not all of it was read. What was found is there; what was not found may be.
    pub incomplete: Option<String>,
}

/// What makes initramfs archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// dracut: Fedora, Red Hat, SUSE.
    Dracut,
    /// initramfs-tools: Debian, Ubuntu.
    InitramfsTools,
    /// mkinitcpio: Arch.
    Mkinitcpio,
}

impl Initramfs {
    /// Whether it has a module for a kernel of this version. `None` if that is not known.
    pub fn has_module(&self, version: Option<&str>, module: &str) -> Option<bool> {
        let has = match version {
            Some(version) => [version, ""]
                .iter()
                .any(|key| self.modules.get(*key).is_some_and(|names| names.contains(module))),
            None => self.modules.values().any(|names| names.contains(module)),
        };
        if has { Some(true) } else { self.incomplete.is_none().then_some(false) }
    }

    fn stop(&mut self, reason: impl Into<String>) {
        self.incomplete.get_or_insert_with(|| text::value(&reason.into()));
    }

    fn member(&mut self, member: &Member, content: &mut dyn Read) -> io::Result<()> {
        self.members += 1;
        if self.members > MEMBERS_MAX {
            return Err(io::Error::other(format!("it has more than {MEMBERS_MAX} files")));
        }
        let name = member.name.as_str();
        if !member.is_file() {
            return Ok(());
        }
        if let Some((version, rest)) = after_modules(name) {
            let is_there = member.size > 0 || member.links > 1;
            if let (Some(module), true) = (module_name(rest), is_there) {
                if self.modules.len() < VERSIONS_MAX || self.modules.contains_key(version) {
                    let names = self.modules.entry(version.to_owned()).or_default();
                    if names.len() >= MODULES_MAX {
                        return Err(io::Error::other("it has too many modules"));
                    }
                    names.insert(module);
                }
            } else if rest == "modules.builtin" && self.builtin.len() < VERSIONS_MAX && member.size > 0 {
                self.builtin.insert(version.to_owned(), parse_modules_builtin(&small(content)?));
            }
        } else if is_net_rule(name) && self.net_rules.len() < RULES_MAX {
            self.net_rules.insert(text::value(&format!("/{name}")), small(content)?);
        } else if self.generator.is_none() || name.contains("dracut") {
            self.note_generator(name);
        }
        Ok(())
    }

    fn note_generator(&mut self, name: &str) {
        let name = name.strip_prefix("usr/").unwrap_or(name);
        let found = match name {
            "conf/initramfs.conf" | "scripts/functions" => Some(Generator::InitramfsTools),
            "init_functions" => Some(Generator::Mkinitcpio),
            name if name.starts_with("lib/dracut/") || name.starts_with("lib/dracut-") => {
                Some(Generator::Dracut)
            }
            _ => None,
        };
        self.generator = self.generator.or(found);
        self.hostonly |= name.starts_with("lib/dracut/hostonly-");
    }
}

/// Reads an initramfs. Never fails: why it was not read to its end is a part of what is told.
pub fn read_initramfs(file: &dyn ArchiveFile) -> Initramfs {
    read_up_to(file, EXPANDED_MAX)
}

/// The same, with the bytes that all archives together may expand to.
fn read_up_to(file: &dyn ArchiveFile, mut left: u64) -> Initramfs {
    let mut found = Initramfs::default();
    let mut cursor = Cursor::new(file);
    for _ in 0..ARCHIVES_MAX {
        let at = match cursor.skip_zeros() {
            Ok(Some(at)) => at,
            Ok(None) => {
                if found.compressors.is_empty() {
                    found.stop("it is empty");
                }
                return found;
            }
            Err(error) => {
                found.stop(error.to_string());
                return found;
            }
        };
        let head = match cursor.peek(16) {
            Ok(head) => head.to_vec(),
            Err(error) => {
                found.stop(error.to_string());
                return found;
            }
        };
        let outcome = if cpio::is_start(&head) {
            found.compressors.push("none");
            cpio::walk(&mut cursor, &mut left, &mut |member, content| found.member(member, content))
        } else {
            match decompress::kind(&head) {
                Some(kind) => {
                    found.compressors.push(kind.name());
                    archives_in(&mut *kind.open(&mut cursor), &mut left, &mut found)
                }
                None if found.compressors.is_empty() => Err(io::Error::other("its compression is not known")),
                None => Err(io::Error::other("what follows the archive is not known")),
            }
        };
        if let Err(error) = outcome {
            found.stop(format!("at byte {at}: {error}"));
            return found;
        }
    }
    found.stop(format!("it has more than {ARCHIVES_MAX} archives"));
    found
}

/// Archives one after the other in expanded bytes, to their end.
fn archives_in(stream: &mut dyn Read, left: &mut u64, found: &mut Initramfs) -> io::Result<()> {
    let mut stream = stream::Expanded::new(stream);
    while stream.skip_zeros(left)? {
        if !cpio::is_start(&stream.peek(6)?) {
            return Err(io::Error::other("what it expands to is no cpio archive"));
        }
        cpio::walk(&mut stream, left, &mut |member, content| found.member(member, content))?;
    }
    Ok(())
}

/// The kernel version and the path within it of a file below `lib/modules`.
fn after_modules(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("usr/").unwrap_or(name).strip_prefix("lib/")?;
    let Some(rest) = rest.strip_prefix("modules/") else {
        return (!rest.contains('/')).then_some(("", rest));
    };
    rest.split_once('/').filter(|(version, _)| !version.is_empty() && version.len() <= 128)
}

fn is_net_rule(name: &str) -> bool {
    name.strip_prefix("etc/udev/rules.d/").is_some_and(crate::network::is_persistent_net_rule)
}

fn small(content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
