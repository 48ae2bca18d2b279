//! Compressed files and archives: what is in them, and how to get it out.

use std::path::Path;

use imsprep_detect::{Access, Content, Detection, Fact, Format, Inside, Other};
use imsprep_findings::{Finding, Report, Rule};

use crate::commands::prepare_command;
use crate::incomplete::beside;
use crate::other_formats::other_advice;
use crate::rules::{ARCHIVE, COMPRESSED};
use crate::{Profile, Size, shell_quoted};

/// Things in a wrapper that a finding lists; detection has all that were read.
const SHOWN: usize = 8;

/// How to go on with a disk in chunks of 1 MiB, some of which are left out.
pub const XVA_FIX: &str =
    "export the disk, and not the machine, as VHD from XenServer or XCP-ng, and prepare that file";

/// The rule that a format breaks by being a wrapper, in any cloud.
pub fn rule_of_wrapper(format: Format) -> Option<&'static Rule> {
    match format {
        _ if format.is_compressed() => Some(&COMPRESSED),
        _ if format.is_archive() => Some(&ARCHIVE),
        _ => None,
    }
}

/// `allow` has the arguments that a conversion of the disk in the wrapper needs because of what is on it.
pub(crate) fn check_wrapper(
    path: &Path,
    detection: &Detection,
    allow: &str,
    profile: &Profile,
    report: &mut Report,
) {
    let Some(rule) = rule_of_wrapper(detection.format) else { return };
    let (format, content) = (detection.format, list(detection));
    let message = match (format, detection.variant) {
        (Format::Other(other), _) => format!("the file is {}{content}", other.title),
        (_, Some("xva")) => format!("the file is an XVA, a {format} archive of XenServer{content}"),
        (_, Some("ova")) => format!("the file is an OVA, a {format} archive{content}"),
        _ if format.is_archive() => format!("the file is a {format} archive{content}"),
        _ => format!("the file is compressed with {format}{content}"),
    };
    let unpack = unpack(path, detection);
    let fix = match (format, only_other(detection), prepare(path, detection, allow, profile)) {
        (Format::Other(other), ..) => other_advice(other).into(),
        (.., None) if detection.variant == Some("xva") => XVA_FIX.into(),
        (_, Some(other), _) => {
            format!("{unpack}; its content is {}: {}", other.title, other_advice(other))
        }
        (.., Some(prepare)) => {
            let state = if allow.is_empty() { "" } else { ", as it is now" };
            let which = if prepare.contains(DISK) { "a disk" } else { "the disk" };
            format!("convert {which} in it to ZVHD2 in one step{state}: {prepare}; or {unpack}")
        }
        (.., None) => unpack,
    };
    report.push(Finding::new(rule, message).fix(fix));
}

/// What the only thing in a wrapper is, if that is a format that is recognised and not read.
fn only_other(detection: &Detection) -> Option<&'static Other> {
    let mut insides = detection.facts.iter().filter_map(|fact| match fact {
        Fact::Inside(inside) => Some(&inside.content),
        _ => None,
    });
    match (insides.next(), insides.next()) {
        (Some(Content::Found { format: Format::Other(other), .. }), None) => Some(other),
        _ => None,
    }
}

/// What a wrapper holds, to follow on "the file is compressed": the first few things of many.
fn list(detection: &Detection) -> String {
    let insides = detection.facts.iter().filter_map(|fact| match fact {
        Fact::Inside(inside) => Some(inside_text(inside)),
        _ => None,
    });
    let all = insides.collect::<Vec<_>>();
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match all.len().saturating_sub(SHOWN) {
        _ if all.is_empty() => String::new(),
        0 => format!("; in it: {shown}"),
        more => format!("; in it: {shown}; and {more} more"),
    }
}

/// What is inside, in a few words: `"disk.raw", 10485760 bytes (10 MiB), raw (GPT)`.
pub fn inside_text(inside: &Inside) -> String {
    let name = inside.name.iter().map(|name| format!("{name:?}"));
    let size = inside.size.iter().map(|size| Size(*size).to_string());
    let content = std::iter::once(content_text(&inside.content));
    name.chain(size).chain(content).collect::<Vec<_>>().join(", ")
}

fn content_text(content: &Content) -> String {
    match content {
        Content::Found { format, variant, virtual_size, evidence, facts } => {
            let mut details = variant.map(str::to_owned).into_iter().collect::<Vec<_>>();
            // Of a compressed file in an archive it is known what it holds.
            details.extend(facts.iter().find_map(|fact| match fact {
                Fact::Inside(inside) => Some(content_text(&inside.content)),
                _ => None,
            }));
            details.extend(evidence.iter().map(|evidence| evidence.name().to_owned()));
            // A raw part of an archive is its own disk, and its size is reported already.
            if let Some(size) = virtual_size.filter(|_| *format != Format::Raw) {
                details.push(format!("a disk of {}", Size(size).scaled()));
            }
            if details.is_empty() { format.to_string() } else { format!("{format} ({})", details.join(", ")) }
        }
        Content::Nothing => "not recognised by its first bytes".into(),
        Content::NotLookedAt(why) => format!("not inspected: {why}"),
    }
}

/// The variant of LZ4 that has no end that shows, and is not read.
const LZ4_LEGACY: &str = "legacy";

/// What selects one of several disks.
const DISK: &str = "--disk";

/// The command that prepares the disk in a wrapper without unpacking it to a file, where there is one that can be.
fn prepare(path: &Path, detection: &Detection, allow: &str, profile: &Profile) -> Option<String> {
    let mut things = detection.facts.iter().filter_map(|fact| match fact {
        Fact::Inside(inside) => Some(inside),
        _ => None,
    });
    if !detection.also.is_empty() || has_reasons(&detection.facts) {
        return None;
    }
    match detection.format.access() {
        // Of one that is compressed as a whole a RAW is read as it comes, and another format after it was unpacked.
        Access::Stream if detection.variant == Some(LZ4_LEGACY) => None,
        Access::Stream => {
            let inside = things.next_back()?;
            let fits = |size: Option<u64>| size.is_none_or(|size| size <= profile.max_disk);
            let is_converted = match &inside.content {
                Content::Found { format: Format::Raw, .. } | Content::Nothing => fits(inside.size),
                Content::Found { format, virtual_size, facts, .. } => {
                    is_read_unpacked(*format) && facts.is_empty() && fits(*virtual_size)
                }
                Content::NotLookedAt(_) => false,
            };
            is_converted.then(|| prepare_command(path, profile, allow))
        }
        Access::Archive => {
            let disks = things.filter(|inside| is_disk(inside)).collect::<Vec<_>>();
            let is_zip = detection.format == Format::Zip;
            let is_converted = |inside: &&&Inside| is_converted_within(inside, is_zip, profile);
            let (number, _) = (1..).zip(&disks).find(|(_, inside)| is_converted(inside))?;
            let disk = if disks.len() > 1 { format!(" {DISK} {number}") } else { String::new() };
            Some(prepare_command(path, profile, &format!("{disk}{allow}")))
        }
        _ => None,
    }
}

/// Whether a disk of this format in a compressed file is read from what the file is unpacked to.
fn is_read_unpacked(format: Format) -> bool {
    matches!(format.access(), Access::Container | Access::Own(_) | Access::Qemu(_))
}

/// Whether something else that is wrong with the wrapper keeps it from being read.
fn has_reasons(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| !matches!(fact, Fact::Inside(_) | Fact::NotLookedAt(_)))
}

/// Whether a member of an archive is one of those that `--disk` counts; what shows nothing is one by its name.
fn is_disk(inside: &Inside) -> bool {
    let name = inside.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    if let Some(content) = in_wrapper(inside) {
        let name = name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        return is_disk(&Inside { name, size: None, content: content.clone() });
    }
    match &inside.content {
        Content::Nothing => [".raw", ".img", ".iso"].iter().any(|end| name.ends_with(end)),
        // What is no disk to be imported is counted, too: it has a number.
        Content::Found { format, .. } => {
            matches!(format.access(), Access::Plain | Access::Container | Access::Own(_) | Access::Qemu(_))
        }
        Content::NotLookedAt(_) => false,
    }
}

/// What a compressed member of an archive holds.
fn in_wrapper(inside: &Inside) -> Option<&Content> {
    let Content::Found { format, facts, .. } = &inside.content else { return None };
    facts.iter().filter(|_| format.access() == Access::Stream).find_map(|fact| match fact {
        Fact::Inside(inside) => Some(&inside.content),
        _ => None,
    })
}

/// Whether the disk in a member is read. qemu takes a part of a file only in whole sectors; a ZIP archive gives it a file of its own.
fn is_converted_within(inside: &Inside, is_zip: bool, profile: &Profile) -> bool {
    let most = profile.max_disk;
    if let Some(content) = in_wrapper(inside) {
        return is_converted_within(
            &Inside { name: None, size: None, content: content.clone() },
            true,
            profile,
        );
    }
    match &inside.content {
        Content::Found { format: Format::Raw, facts, .. } => {
            facts.is_empty() && inside.size.is_none_or(|size| (1..=most).contains(&size))
        }
        Content::Nothing => inside.size.is_none_or(|size| (1..=most).contains(&size)),
        Content::Found { format, virtual_size, facts, variant, .. }
            if matches!(format.access(), Access::Own(_) | Access::Qemu(_)) =>
        {
            let is_read = match format.access() {
                Access::Qemu(_) if is_zip => true,
                Access::Qemu(_) => inside.size.is_none_or(|size| size.is_multiple_of(512)),
                _ => !matches!(variant, Some("vmfsSparse" | "seSparse" | "sparse extent")),
            };
            is_read && facts.is_empty() && virtual_size.is_none_or(|size| (1..=most).contains(&size))
        }
        _ => false,
    }
}

/// The command that unpacks a ZIP archive with these members beside it, and replaces no file. What is not looked into may be compressed by a
/// method that unzip does not know either: LZMA, xz or PPMd.
pub fn zip_unpacker<'a>(mut members: impl Iterator<Item = &'a Inside>) -> &'static str {
    let is_unknown = members.any(|member| matches!(member.content, Content::NotLookedAt(_)));
    if is_unknown { "7z x -aos" } else { "unzip -n" }
}

/// How to unpack a wrapper beside it and leave it where it is. None of these commands replaces a file.
fn unpack(path: &Path, detection: &Detection) -> String {
    let file = shell_quoted(path);
    let (program, command, extension) = match detection.format {
        Format::Zip => {
            let members = detection.facts.iter().filter_map(|fact| match fact {
                Fact::Inside(inside) => Some(inside),
                _ => None,
            });
            let unzip = zip_unpacker(members);
            return format!("unpack it with `{unzip} {file}`, and check each disk in it");
        }
        Format::SevenZip => {
            return format!("unpack it with `7z x -aos {file}`, and check each disk in it");
        }
        Format::Tar => {
            return format!("unpack it with `tar -xkf {file}`, and check each disk in it");
        }
        Format::Gzip => ("gzip -dc", "gzip -dk", "gz"),
        Format::Xz => ("xz -dc", "xz -dk", "xz"),
        Format::Zstd => ("zstd -dc", "zstd -d", "zst"),
        Format::Bzip2 => ("bzip2 -dc", "bzip2 -dk", "bz2"),
        Format::Lz4 => ("lz4 -dc", "lz4 -d", "lz4"),
        _ => return "unpack it with the program that made it, and check each disk in it".into(),
    };
    // They go by the extension: without it they refuse, or don't know the name of what comes out.
    if path.extension().is_none_or(|found| found != extension) {
        let target = shell_quoted(&beside(path, "unpacked", None));
        return format!(
            "unpack it with `(set -C; {program} < {file} > {target})`, and check the result, {target}"
        );
    }
    let target = shell_quoted(&path.with_extension(""));
    // lz4 writes to standard output where that is no terminal, unless it gets the name.
    let output = if detection.format == Format::Lz4 { format!(" {target}") } else { String::new() };
    format!("unpack it with `{command} {file}{output}`, and check the result, {target}")
}
