//! `imsprep zvhd2`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_findings::Severity;
use imsprep_ondisk::format::zvhd2::FIELDS;
use imsprep_rules::Size;
use imsprep_zvhd2::{CheckedContainer, Depth, Info, Version};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::findings::{Findings, counts};
use crate::words::time::utc;
use crate::words::zvhd2::{blocks_line, uuid, value};

/// Whether a container is sound, and where not.
pub(crate) fn checked(path: &Path, checked: &CheckedContainer, depth: Depth, detail: Detail) -> String {
    let bold = style::BOLD;
    let name = path.display().to_string();
    let (style, answer) = match (checked.report.worst(), depth) {
        (Some(Severity::Error), _) => (style::BAD, "NOT SOUND"),
        (Some(Severity::Warning), _) => {
            (style::DOUBTFUL, "readable, but different from files of the reference")
        }
        (_, Depth::Structure) => (style::DOUBTFUL, "no error found, content not checked"),
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
    text += "\n  The fields are shown without being checked; see imsprep zvhd2 check.\n";
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
