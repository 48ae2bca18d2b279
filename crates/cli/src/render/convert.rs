//! `imsprep convert`

use std::fmt::Write as _;

use imsprep_rules::Size;
use imsprep_source::BlockSize;
use imsprep_toolkit::{Converted, DiskSpace, OvaManifest, Plan, RawWritten, Zvhd2Written};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::check::layout_name;
use crate::words::checksum::checksum_line;
use crate::words::detect::format_line;
use crate::words::disk_choice::choice_note;
use crate::words::findings::Findings;
use crate::words::fit::fit_line;
use crate::words::space::{saving_line, volume_line};
use crate::words::{counted, percent, rate, scan_line, seconds};

/// What will be wrong with the result; nothing if that is nothing.
pub(crate) fn planned(plan: &Plan, detail: Detail) -> String {
    if plan.report.findings().is_empty() {
        return String::new();
    }
    let bold = style::BOLD;
    let name = plan.source.path().display().to_string();
    format!("{bold}{}{bold:#}:\n{}", shown(&name), Findings::new(&plan.report, detail))
}

/// What of a stream shows only at its end; nothing of a file.
pub(crate) fn open_until_end(plan: &Plan) -> String {
    let open = plan.open_until_end();
    if open.is_empty() {
        return String::new();
    }
    let bold = style::BOLD;
    let name = plan.source.path().display().to_string();
    let line = format_line(plan.source.detection());
    format!(
        "{bold}{}{bold:#}: {}\n  not checked yet: {}; checked at the end, before the output appears\n",
        shown(&name),
        shown(&line),
        open.join("; ")
    )
}

/// Why nothing was written.
pub(crate) fn refused(plan: &Plan, detail: Detail) -> String {
    let (bold, bad) = (style::BOLD, style::BAD);
    let name = plan.source.path().display().to_string();
    let format = format_line(plan.source.detection());
    format!(
        "{bold}{}{bold:#}: {bad}not converted{bad:#}, {}\n{}",
        shown(&name),
        shown(&format),
        Findings::new(&plan.report, detail)
    )
}

/// What was written.
pub(crate) fn done(plan: &Plan, converted: &Converted, detail: Detail) -> String {
    let bold = style::BOLD;
    let output = plan.options.output.as_ref();
    let name = output.map_or_else(|| "standard output".into(), |output| output.display().to_string());
    let length = match converted {
        Converted::Zvhd2(zvhd2) => zvhd2.written.file_size,
        Converted::Raw(raw) => raw.length,
    };
    let mut text = format!("{bold}{}{bold:#}: written, {}\n", shown(&name), Size(length));
    let source = plan.source.path().display().to_string();
    let packed = plan.source.unpacked_from();
    let packed = packed.map(|format| format!(", unpacked from {format}")).unwrap_or_default();
    let line = format_line(plan.source.detection());
    let _ = writeln!(text, "  from    {}, {}{packed}", shown(&source), shown(&line));
    if let Some(member) = plan.source.member() {
        let (name, format) = (shown(&member.name), format_line(&member.detection));
        let _ = writeln!(text, "  member  {name}, {}{}", shown(&format), choice_note(member));
    }
    if let Some(OvaManifest { name, verified, .. }) = &plan.manifest {
        let files = counted(verified.len() as u64, "file");
        let _ = writeln!(text, "  sums    {files} as the manifest {} has them", shown(name));
    }
    if let Some(line) = checksum_line(&plan.options.checksums) {
        let _ = writeln!(text, "  sums    {line}");
    }
    for item in plan.report.not_checked() {
        let _ = writeln!(
            text,
            "  not checked before the conversion: {}: {}",
            shown(&item.what),
            shown(&item.why)
        );
    }
    match converted {
        Converted::Zvhd2(zvhd2) => write_zvhd2(&mut text, zvhd2, detail),
        Converted::Raw(raw) => write_raw(&mut text, raw),
    }
    if let Some(fitting) = &plan.fitting {
        let _ = writeln!(text, "  fit     {}", fit_line(fitting));
    }
    if let Some(space) = &plan.space {
        write_left_out(&mut text, space);
    }
    text
}

/// What would not have been in the output with `--sparsify`, where that is much; else nothing.
pub(crate) fn saved(converted: &Converted) -> String {
    let saving = match converted {
        Converted::Zvhd2(zvhd2) => zvhd2.saving,
        Converted::Raw(raw) => raw.saving,
    };
    saving_line(saving).map_or_else(String::new, |line| format!("  free    {line}\n"))
}

/// What is not in the output because no file holds it, and what was kept.
fn write_left_out(text: &mut String, space: &DiskSpace) {
    let _ = writeln!(text, "  free    {} that no file holds: read as zeros", Size(space.bytes()));
    for volume in &space.volumes {
        let _ = writeln!(text, "          {}", shown(&volume_line(volume, "kept as it is")));
    }
}

fn write_zvhd2(text: &mut String, zvhd2: &Zvhd2Written, detail: Detail) {
    let (block_size, written) = (BlockSize::MIB_2, &zvhd2.written);
    let (all, data) = (block_size.blocks_in(zvhd2.disk_size), written.records);
    let data_bytes = data * block_size.bytes();
    let _ = writeln!(text, "  disk    {}", Size(zvhd2.disk_size));
    let _ = write!(text, "  blocks  {data} of {all} hold data ({}), 2 MiB each", percent(data, all));
    if let Some(ratio) = ratio(data_bytes, written.payload_bytes) {
        let _ = write!(text, ", compressed {ratio:.1} : 1 by zstd at level {}", zvhd2.level.get());
    }
    text.push('\n');
    if let Some(scan) = &zvhd2.scan {
        let _ = writeln!(text, "  scan    {}", scan_line(scan, detail));
    }
    let (took, rate) = (seconds(zvhd2.elapsed), rate(data_bytes, zvhd2.elapsed));
    let _ = writeln!(text, "  wrote   {} of data in {took}, {rate}", Size(data_bytes).scaled());
    write_verified(text, zvhd2.verified);
}

fn write_raw(text: &mut String, raw: &RawWritten) {
    let (data, all) = (raw.data_bytes, raw.length);
    let _ = writeln!(text, "  data    {} ({}); the rest are zeros", Size(data), percent(data, all));
    if let Some(offset) = raw.left_out {
        let warning = style::DOUBTFUL;
        let _ = writeln!(
            text,
            "  {warning}omitted{warning:#}: there is data beyond the end of the image, first at byte {offset} of \
             the disk; --size disk includes it"
        );
    }
    if let Some(bitmap) = &raw.bitmap {
        let name = bitmap.path.display().to_string();
        let doubt = if bitmap.layout.origin.is_genuine() { "" } else { " (not proven to be the vendor's)" };
        let _ = writeln!(
            text,
            "  bitmap  {}: written, {} of {} blocks hold data, layout {}{doubt}",
            shown(&name),
            bitmap.data_blocks,
            bitmap.block_count,
            layout_name(&bitmap.layout)
        );
    }
    write_verified(text, raw.verified);
}

fn write_verified(text: &mut String, verified: bool) {
    if verified {
        let good = style::GOOD;
        let _ = writeln!(text, "  {good}verified{good:#}: every block was read back and compared by CRC-32");
    }
}

#[expect(clippy::cast_precision_loss, reason = "one decimal of it is printed")]
fn ratio(data: u64, payload: u64) -> Option<f64> {
    (payload != 0).then(|| data as f64 / payload as f64)
}
