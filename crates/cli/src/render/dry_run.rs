//! `--dry-run` of `convert` and `prepare`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_rules::Size;
use imsprep_toolkit::{Direction, Estimate};

use crate::foreseen::{DryRun, Foreseen, ForeseenConversion};
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::detect::format_line;
use crate::words::findings::Findings;
use crate::words::{counted, percent};

/// What would be done with one image; nothing if that is not known, which was reported.
pub(crate) fn text(run: &DryRun, detail: Detail) -> String {
    let (bold, name) = (style::BOLD, path(&run.source));
    match &run.result {
        Err(_) => String::new(),
        Ok(Foreseen::Kept { bitmap, checked }) => {
            let (bad, format) = (style::BAD, format_line(&checked.detection));
            let mut text = if checked.report.has_errors() {
                format!("{bold}{name}{bold:#}: {bad}would not be importable{bad:#}, {}\n", shown(&format))
            } else {
                format!("{bold}{name}{bold:#}: would be checked, and not converted\n")
            };
            write_bitmap(&mut text, bitmap.as_deref());
            let _ = write!(text, "{}", Findings::new(&checked.report, detail));
            text
        }
        Ok(Foreseen::Packed { output }) => {
            let output = output.as_deref().map_or_else(|| "standard output".into(), path);
            format!(
                "{bold}{name}{bold:#}: would be unpacked to a temporary file, checked, and converted to {output}\n  \
                 size    not known before the disk is unpacked\n"
            )
        }
        Ok(Foreseen::Conversion(conversion)) => of_conversion(&name, conversion, detail),
    }
}

fn path(path: &Path) -> String {
    shown(&path.display().to_string()).to_string()
}

fn of_conversion(name: &str, conversion: &ForeseenConversion, detail: Detail) -> String {
    let (bold, bad) = (style::BOLD, style::BAD);
    let ForeseenConversion { from, member, output, report, .. } = conversion;
    let findings = Findings::new(report, detail);
    if conversion.refused {
        return format!(
            "{bold}{name}{bold:#}: {bad}would not be converted{bad:#}, {}\n{findings}",
            shown(from)
        );
    }
    let output = output.as_deref().map_or_else(|| "standard output".into(), path);
    let format = match conversion.direction {
        Direction::ToZvhd2 => "ZVHD2",
        Direction::ToRaw => "RAW",
    };
    let mut text = format!("{bold}{name}{bold:#}: would be converted to {output}, {format}\n");
    let _ = writeln!(text, "  from    {}", shown(from));
    if let Some((name, _, format)) = member {
        let _ = writeln!(text, "  member  {}, {}", shown(name), shown(format));
    }
    match &conversion.estimate {
        Some(estimate) => write_estimate(&mut text, estimate, conversion.direction),
        None => text += "  size    not known: the disk can be read only while the file is decompressed\n",
    }
    write_bitmap(&mut text, conversion.bitmap.as_deref());
    let _ = write!(text, "{findings}");
    text
}

fn write_estimate(text: &mut String, estimate: &Estimate, direction: Direction) {
    let Estimate { disk_size, output_size, data_bytes, blocks, sampled_blocks } = *estimate;
    let about = if estimate.is_exact() { "" } else { "about " };
    let blocks = counted(blocks, "block");
    let read = if estimate.is_exact() {
        format!("{blocks} of 2 MiB may hold data, and all of them were read")
    } else {
        format!("{blocks} of 2 MiB may hold data; {sampled_blocks} of them were read")
    };
    let size = |size: u64| if estimate.is_exact() { Size(size).to_string() } else { Size(size).scaled() };
    match direction {
        Direction::ToZvhd2 => {
            let _ = writeln!(text, "  disk    {}", Size(disk_size));
            let _ = writeln!(text, "  size    {about}{}; {read}", size(output_size));
        }
        Direction::ToRaw => {
            let _ = writeln!(text, "  size    {}", Size(output_size));
            let share = percent(data_bytes, output_size);
            let _ = writeln!(text, "  data    {about}{} ({share}); {read}", size(data_bytes));
        }
    }
}

fn write_bitmap(text: &mut String, bitmap: Option<&Path>) {
    if let Some(bitmap) = bitmap {
        let _ = writeln!(text, "  bitmap  {} would be written", path(bitmap));
    }
}
