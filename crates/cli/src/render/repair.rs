//! `imsprep zvhd2 repair`

use std::fmt::Write as _;

use imsprep_rules::Size;
use imsprep_toolkit::Repaired;
use imsprep_zvhd2::{BlockSpan, Missing, Salvage, SizeFrom};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::counted;
use crate::words::findings::Findings;

/// Spans of blocks that are listed without `-v`.
const SPANS: usize = 12;

/// What was saved, what is lost, and why.
pub(crate) fn text(repaired: &Repaired, detail: Detail) -> String {
    let salvage = &repaired.salvage;
    let bold = style::BOLD;
    let (style, answer) = match &salvage.missing {
        Missing::Nothing => (style::GOOD, "rebuilt, no data is missing"),
        Missing::Blocks(_) | Missing::Count(_) => (style::BAD, "rebuilt, DATA IS MISSING"),
        Missing::Unknown { .. } => (style::BAD, "rebuilt, data MAY be missing"),
    };
    let mut text = String::new();
    let name = repaired.output.display().to_string();
    let _ = writeln!(text, "{bold}{}{bold:#}: {style}{answer}{style:#}", shown(&name));
    let from = match salvage.size_from {
        SizeFrom::Footer(name) => format!("by {name}"),
        SizeFrom::Caller => "from --size; timestamp and uuid are lost".to_owned(),
    };
    let _ = writeln!(text, "  file    {}", Size(repaired.written.file_size));
    let _ = writeln!(text, "  source  {}, {from}", Size(salvage.label.orig_size));
    let _ = write!(text, "  saved   {}", counted(salvage.saved(), "record"));
    match salvage.saved_blocks().as_slice() {
        [] => text.push('\n'),
        blocks => {
            let _ = writeln!(text, ": blocks {}", listed(blocks, detail));
        }
    }
    let _ = writeln!(text, "  missing {}", missing(salvage, detail));
    if salvage.dropped > 0 {
        let _ = writeln!(text, "  unused  {}", counted(salvage.dropped, "record"));
    }
    let _ = write!(text, "{}", Findings::new(&salvage.report, detail));
    let dim = style::DIM;
    let _ = writeln!(
        text,
        "  {dim}The format has no checksum of data: changed bytes within a record may be found only by a comparison \
         with the source.{dim:#}"
    );
    text
}

fn missing(salvage: &Salvage, detail: Detail) -> String {
    match &salvage.missing {
        Missing::Nothing => "nothing".into(),
        Missing::Blocks(spans) => {
            let count = spans.iter().map(|span| u64::from(span.count)).sum();
            format!("{}: {}", counted(count, "block"), listed(spans, detail))
        }
        Missing::Count(1) => "1 record of an unknown block".into(),
        Missing::Count(count) => format!("{count} records of unknown blocks"),
        Missing::Unknown { after } => {
            let which = match after {
                // Records ascend: what was not in the part that was read whole is not lost.
                Some(block) if salvage.gapless && salvage.dropped == 0 => format!("blocks after {block}"),
                Some(block) => format!("blocks after {block}, and others,"),
                None => "any block".into(),
            };
            format!(
                "unknown: {which} may be missing; there is no intact index, bitmap or count to determine it"
            )
        }
    }
}

/// "0-1, 3, 7-9".
fn listed(spans: &[BlockSpan], detail: Detail) -> String {
    let limit = if detail == Detail::Verbose { spans.len() } else { SPANS };
    let one = |span: &BlockSpan| match span.count {
        1 => span.first.to_string(),
        count => format!("{}-{}", span.first, u64::from(span.first) + u64::from(count) - 1),
    };
    let mut text = spans.iter().take(limit).map(one).collect::<Vec<_>>().join(", ");
    if spans.len() > limit {
        let _ = write!(text, " and {} more spans; -v or --json shows all", spans.len() - limit);
    }
    text
}
