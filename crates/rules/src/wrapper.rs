//! Compressed files and archives: what is in them, and how to get it out.

use std::path::Path;

use imsprep_detect::{Content, Detection, Fact, Format, Inside};
use imsprep_findings::{Finding, Report, Rule};

use crate::rules::{ARCHIVE, COMPRESSED};
use crate::{Size, shell_quoted};

/// Things in a wrapper that a finding lists; detection has all that were looked at.
const SHOWN: usize = 8;

/// The rule that a format breaks by being a wrapper, in any cloud.
pub fn rule_of_wrapper(format: Format) -> Option<&'static Rule> {
    match format {
        _ if format.is_compressed() => Some(&COMPRESSED),
        _ if format.is_archive() => Some(&ARCHIVE),
        _ => None,
    }
}

pub(crate) fn check_wrapper(path: &Path, detection: &Detection, report: &mut Report) {
    let Some(rule) = rule_of_wrapper(detection.format) else { return };
    let (format, content) = (detection.format, list(detection));
    let message = match detection.variant {
        Some("ova") => format!("the file is an OVA, a {format} archive{content}"),
        _ if format.is_archive() => format!("the file is a {format} archive{content}"),
        _ => format!("the file is compressed with {format}{content}"),
    };
    let prepare = format!("imsprep prepare {}", shell_quoted(path));
    let unpack = unpack(path, format);
    let fix = match format {
        Format::Gzip | Format::Xz | Format::Zstd => {
            format!("a RAW in it becomes a ZVHD2 in one step: {prepare}; or {unpack}")
        }
        Format::Tar => format!("a disk in it becomes a ZVHD2 in one step: {prepare}; or {unpack}"),
        _ => unpack,
    };
    report.push(Finding::new(rule, message).fix(fix));
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
        Content::Found { format, variant, virtual_size, evidence, .. } => {
            let mut details = variant.map(str::to_owned).into_iter().collect::<Vec<_>>();
            details.extend(evidence.iter().map(|evidence| evidence.name().to_owned()));
            // A raw part of an archive is its own disk, and its size is told already.
            if let Some(size) = virtual_size.filter(|_| *format != Format::Raw) {
                details.push(format!("a disk of {}", Size(size).scaled()));
            }
            if details.is_empty() { format.to_string() } else { format!("{format} ({})", details.join(", ")) }
        }
        Content::Nothing => "nothing known by its first bytes".into(),
        Content::NotLookedAt(why) => format!("not looked at: {why}"),
    }
}

/// The command that unpacks a wrapper beside it and leaves it where it is. None of these programs replaces a file unasked.
fn unpack(path: &Path, format: Format) -> String {
    let file = shell_quoted(path);
    let (command, extension) = match format {
        Format::Zip => return format!("unpack it with unzip {file}, then check each disk that was in it"),
        Format::SevenZip => {
            return format!("unpack it with 7z x {file}, then check each disk that was in it");
        }
        Format::Gzip => ("gzip -dk", "gz"),
        Format::Xz => ("xz -dk", "xz"),
        Format::Zstd => ("zstd -d", "zst"),
        Format::Bzip2 => ("bzip2 -dk", "bz2"),
        Format::Lz4 => ("lz4 -d", "lz4"),
        _ => return format!("unpack it with tar -xkf {file}, then check each disk that was in it"),
    };
    // They go by the extension: without it they refuse, or don't know the name of what comes out.
    if path.extension().is_none_or(|found| found != extension) {
        return format!("name it .{extension}, unpack it with {command}, then check what was in it");
    }
    let target = shell_quoted(&path.with_extension(""));
    // lz4 writes to standard output where that is no terminal, unless it is told the name.
    let output = if format == Format::Lz4 { format!(" {target}") } else { String::new() };
    format!("unpack it, then check what was in it: {command} {file}{output} && imsprep check {target}")
}
