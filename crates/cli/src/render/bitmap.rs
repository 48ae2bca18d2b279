//! `imsprep bitmap`

use std::fmt::Write as _;

use imsprep_bitmap::Origin;
use imsprep_rules::Size;
use imsprep_toolkit::{BitmapCreated, BitmapState, BitmapVerified, ComparedBlocks, SampledBlocks};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::findings::{Findings, counts};
use crate::words::{counted, percent, scan_line};

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
    let _ = write!(text, "{}", Findings::new(&created.report, detail));
    let layout = &created.layout;
    let _ = writeln!(text, "  layout  {}: {}", shown(&layout.name), shown(&layout.title));
    let dim = style::DIM;
    let _ = match &layout.origin {
        Origin::Learned { samples } => writeln!(
            text,
            "  {dim}It was learned from {}; the vendor's layout of .mf files is not published.{dim:#}",
            counted(u64::from(*samples), "genuine file")
        ),
        Origin::Proven(proof) => writeln!(text, "  proof   {}", shown(&proof.summary())),
        _ => writeln!(
            text,
            "  {dim}The vendor's layout of .mf files is not published; whether the service accepts this one is \
             unproven.{dim:#}"
        ),
    };
    text
}

/// Whether a bitmap fits its image, and where not.
pub(crate) fn verified(verified: &BitmapVerified, detail: Detail) -> String {
    let bold = style::BOLD;
    let image = verified.image.display().to_string();
    let (style, answer) = match &verified.state {
        BitmapState::Unrecognised { .. } if !verified.report.has_errors() => {
            (style::DOUBTFUL, "could not be checked: unknown layout".to_owned())
        }
        _ if verified.report.has_errors() => (style::BAD, format!("does not match {}", shown(&image))),
        _ if matches!(&verified.compared, ComparedBlocks::Some(sampled) if sampled.read < sampled.blocks) => {
            (style::DOUBTFUL, format!("matches {} in the blocks that were read", shown(&image)))
        }
        _ => (style::GOOD, format!("matches {}", shown(&image))),
    };
    let mut text = String::new();
    let name = verified.path.display().to_string();
    let _ = writeln!(text, "{bold}{}{bold:#}: {style}{answer}{style:#}", shown(&name));
    let counts = counts(&verified.report);
    if !counts.is_empty() {
        let _ = writeln!(text, "  {}", counts.join(", "));
    }
    match &verified.compared {
        ComparedBlocks::All(scan) => {
            let (data, all) = (scan.map.data_count(), scan.map.block_count());
            let _ = writeln!(text, "  blocks  {data} of {all} hold data ({})", percent(data, all));
            let _ = writeln!(text, "  scan    {}", scan_line(scan, detail));
        }
        ComparedBlocks::Some(sampled) => text += &sample(sampled),
        ComparedBlocks::Nothing => {}
    }
    let _ = write!(text, "{}", Findings::new(&verified.report, detail));
    text
}

/// What a look at some blocks is worth.
fn sample(sampled: &SampledBlocks) -> String {
    let (read, all) = (sampled.read, sampled.blocks);
    let mut text = String::new();
    let _ = writeln!(text, "  sample  {read} of {all} blocks were read ({})", percent(read, all));
    let Some(most) = sampled.wrong_at_most() else {
        text += "          these are all blocks: no fault was missed\n";
        return text;
    };
    let missed = chance(sampled.chance_to_miss(1));
    let _ = writeln!(text, "          a single wrong block would be missed with a probability of {missed}");
    let _ =
        writeln!(text, "          {} would be missed with a probability of less than 5 %", more_than(most));
    text
}

fn more_than(most: u64) -> String {
    format!("more than {}", counted(most, "wrong block"))
}

/// A probability in percent; what is not certain never reads as 100.
fn chance(chance: f64) -> String {
    let percent = chance * 100.0;
    if percent > 99.99 && chance < 1.0 { "more than 99.99 %".into() } else { format!("{percent:.2} %") }
}
