//! `imsprep zvhd2`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_findings::Severity;
use imsprep_ondisk::zvhd2::{FIELDS, Footer};
use imsprep_rules::Size;
use imsprep_zvhd2::{CheckedContainer, Depth, Info, Version};

use super::findings::{Findings, counts};
use super::time::utc;
use super::{percent, style};
use crate::setup::Detail;
use crate::terminal::shown;

/// Whether a container is sound, and where not.
pub(crate) fn checked(path: &Path, checked: &CheckedContainer, depth: Depth, detail: Detail) -> String {
    let bold = style::BOLD;
    let name = path.display().to_string();
    let (style, answer) = match (checked.report.worst(), depth) {
        (Some(Severity::Error), _) => (style::BAD, "NOT SOUND"),
        (Some(Severity::Warning), _) => (style::DOUBTFUL, "readable, but not as the reference writes it"),
        (_, Depth::Structure) => (style::DOUBTFUL, "sound as far as checked, content not checked"),
        (_, Depth::Content) => (style::GOOD, "sound"),
    };
    let mut text = format!("{bold}{}{bold:#}: {style}{answer}{style:#}\n", shown(&name));
    let counts = counts(&checked.report);
    if !counts.is_empty() {
        let _ = writeln!(text, "  {}", counts.join(", "));
    }
    text += &summary(&checked.info);
    let _ = write!(text, "{}", Findings::new(&checked.report, detail));
    text
}

/// All that the footers say.
pub(crate) fn info(path: &Path, info: &Info) -> String {
    let bold = style::BOLD;
    let name = path.display().to_string();
    let mut text = format!("{bold}{}{bold:#}: {}\n", shown(&name), version(info));
    text += &summary(info);
    if let Some(ratio) = info.stored_ratio() {
        let _ = writeln!(text, "  stored  {ratio:.1} : 1, headers and padding of the records included");
    }
    let _ = writeln!(text, "  created {}", utc(info.created));
    let _ = writeln!(text, "  uuid    {}", uuid(&info.uuid));
    if !info.regions.is_empty() {
        let _ = writeln!(text, "\n  {:>16}  {:>16}  region", "offset", "length");
        for region in &info.regions {
            let _ = writeln!(text, "  {:>16}  {:>16}  {}", region.offset, region.length, region.name);
        }
    }
    text.push('\n');
    text += &fields(info);
    text +=
        "\n  The fields are shown as they are; whether they are right is what imsprep zvhd2 check tells.\n";
    text
}

fn version(info: &Info) -> &'static str {
    match info.version {
        Version::Zvhd1 => "ZVHD version 1",
        Version::Zvhd2 => "ZVHD2",
    }
}

fn summary(info: &Info) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  file    {}", Size(info.file_size.0));
    let _ = writeln!(text, "  source  {}", Size(info.orig_size.0));
    let _ = writeln!(text, "  disk    {}", Size(info.disk_size.0));
    let _ = writeln!(text, "  blocks  {}", blocks_line(info));
    text
}

/// "3 of 6 hold data (50.0 %), 2 MiB each, zstd, 4.1 times smaller".
pub(crate) fn blocks_line(info: &Info) -> String {
    let block = Size(info.block_size.0).scaled();
    let mut text = match info.data_blocks {
        Some(data) => {
            let share = percent(data.min(info.block_count), info.block_count);
            format!("{data} of {} hold data ({share}), {block} each", info.block_count)
        }
        None => format!("{}, {block} each", info.block_count),
    };
    match info.method {
        Some(method) => text += &format!(", {}", method.as_str()),
        None => text += &format!(", unknown compression method {}", info.method_number),
    }
    if let Some(ratio) = info.ratio() {
        text += &format!(", compressed {ratio:.1} : 1");
    }
    text
}

/// Every field of every footer, side by side.
fn fields(info: &Info) -> String {
    let footers = [("HEAD", &info.head), ("MID", &info.mid), ("END", &info.end)];
    let there = footers.iter().filter_map(|(name, footer)| Some((*name, footer.as_ref()?.encode())));
    let there = there.collect::<Vec<_>>();
    let mut text = format!("  {:6} {:24}", "offset", "field");
    for (name, _) in &there {
        let _ = write!(text, " {name:<36}");
    }
    let mut text = text.trim_end().to_owned() + "\n";
    for field in FIELDS {
        let mut line = format!("  {:<6} {:24}", field.offset, field.name);
        for (_, bytes) in &there {
            let _ = write!(line, " {:<36}", value(field, bytes));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A field's value in the form that suits it.
pub(crate) fn value(field: &imsprep_ondisk::zvhd2::Field, footer: &[u8; Footer::SIZE]) -> String {
    let bytes = field.bytes(footer);
    match (field.name, field.value(footer)) {
        ("cookie" | "crtr_app", _) => format!("{}", bytes.escape_ascii()),
        ("uuid", _) => bytes.try_into().map(uuid).unwrap_or_default(),
        ("features" | "ff_version" | "data_offset" | "crtr_ver" | "crtr_os" | "checksum", Some(n)) => {
            format!("{n:#x}")
        }
        ("geometry", Some(n)) => format!("{}/{}/{}", n >> 16, n >> 8 & 0xff, n & 0xff),
        (_, Some(n)) => n.to_string(),
        _ if bytes.iter().all(|byte| *byte == 0) => "all zero".into(),
        _ => format!("{} bytes not zero", bytes.iter().filter(|byte| **byte != 0).count()),
    }
}

/// The usual form, in the order in which the bytes stand in the file.
pub(crate) fn uuid(bytes: &[u8; 16]) -> String {
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut text = String::new();
    for (place, c) in hex.chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            text.push('-');
        }
        text.push(c);
    }
    text
}
