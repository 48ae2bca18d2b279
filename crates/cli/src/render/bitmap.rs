//! `imsprep bitmap`

use std::fmt::Write as _;

use imsprep_rules::Size;
use imsprep_toolkit::{BitmapCreated, BitmapState, BitmapVerified};

use super::findings::{Findings, counts};
use super::{percent, scan_line, style};
use crate::setup::Detail;
use crate::terminal::shown;

/// What was written, and what the scan found.
pub(crate) fn created(created: &BitmapCreated, detail: Detail) -> String {
    let map = &created.scan.map;
    let (all, data, zero) = (map.block_count(), map.data_count(), map.zero_count());
    let bold = style::BOLD;
    let mut text = String::new();
    let name = created.path.display().to_string();
    let _ = writeln!(text, "{bold}{}{bold:#}: written, {} bytes", shown(&name), created.length);
    let _ = writeln!(text, "  image   {}", Size(created.image_size));
    let _ = writeln!(text, "  blocks  {all}, {} each", Size(map.block_size().bytes()).scaled());
    let _ = writeln!(text, "  data    {data} ({})", percent(data, all));
    let _ = writeln!(text, "  zero    {zero} ({})", percent(zero, all));
    let _ = writeln!(text, "  scan    {}", scan_line(&created.scan, detail));
    let layout = created.layout;
    let _ = writeln!(text, "  layout  {}: {}", layout.name, layout.title);
    let dim = style::DIM;
    let _ = writeln!(
        text,
        "  {dim}The vendor's own layout of .mf files is unpublished; that the service takes this one is unproven.{dim:#}"
    );
    text
}

/// Whether a bitmap fits its image, and where not.
pub(crate) fn verified(verified: &BitmapVerified, detail: Detail) -> String {
    let bold = style::BOLD;
    let image = verified.image.display().to_string();
    let (style, answer) = match &verified.state {
        BitmapState::Unrecognised { .. } if !verified.report.has_errors() => {
            (style::DOUBTFUL, "could not tell: in no layout that imsprep knows".to_owned())
        }
        _ if verified.report.has_errors() => (style::BAD, format!("does not fit {}", shown(&image))),
        _ => (style::GOOD, format!("fits {}", shown(&image))),
    };
    let mut text = String::new();
    let name = verified.path.display().to_string();
    let _ = writeln!(text, "{bold}{}{bold:#}: {style}{answer}{style:#}", shown(&name));
    let counts = counts(&verified.report);
    if !counts.is_empty() {
        let _ = writeln!(text, "  {}", counts.join(", "));
    }
    let map = &verified.scan.map;
    let (data, all) = (map.data_count(), map.block_count());
    let _ = writeln!(text, "  blocks  {data} of {all} hold data ({})", percent(data, all));
    let _ = writeln!(text, "  scan    {}", scan_line(&verified.scan, detail));
    let _ = write!(text, "{}", Findings { report: &verified.report, detail });
    text
}
