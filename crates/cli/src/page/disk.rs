//! A disk as a map: its partitions, where it has data, and how well that is compressed.
//!
//! The map is drawn here, over the whole width, so that it is there on paper and without a script. What the script needs to
//! draw a part of it larger stands in the figure's attribute `data-map`.

use std::fmt::Write as _;

use imsprep_findings::{Report, Severity};
use imsprep_inspect::{Inspection, Partition};
use imsprep_rules::Size;
use imsprep_toolkit::{BlockState, Overview, Piece, Region};
use maud::{Markup, html};

use super::{Extra, text};
use crate::words::inspect::{content, kind_of};
use crate::words::{counted, percent};

/// What a page with such maps has beyond the frame.
pub(super) static EXTRA: Extra = Extra {
    style: include_str!("disk.css"),
    script: include_str!("disk.js"),
    script_hash: "qxpYLeKQCD8EGsO5hijDRgf4ndh5PwanO1Gx5QmoIcM=",
};

/// Pieces that all disks of a page have together, so that no page grows out of bounds.
const ALL_PIECES: usize = 32768;
/// Pieces of one disk: of 1 TiB each is 128 MiB.
const MOST_PIECES: usize = 8192;
const FEWEST_PIECES: usize = 256;
/// Columns of a map. The script draws as many.
const COLUMNS: usize = 500;
/// The size of the drawing, which is stretched to the page's width.
const WIDTH: f64 = 1000.0;
const BLOCKS_HEIGHT: f64 = 48.0;
const STORED_HEIGHT: f64 = 28.0;
/// What is there at all is seen: so high at least.
const LEAST: f64 = 4.0;
/// Findings that are marked on a map at most.
const MARKS: usize = 200;
/// Labels at the axis, about.
const TICKS: u64 = 8;

/// How many pieces each of so many disks may have.
pub(crate) fn pieces_of_each(disks: usize) -> usize {
    (ALL_PIECES / disks.max(1)).clamp(FEWEST_PIECES, MOST_PIECES)
}

/// What a map shows.
pub(super) struct Disk<'a> {
    /// The beginning of every id of this disk.
    pub(super) id: &'a str,
    /// What its file is called, so that the tables of several disks have different names.
    pub(super) name: &'a str,
    pub(super) overview: &'a Overview,
    pub(super) inspection: Option<&'a Inspection>,
    pub(super) report: &'a Report,
}

/// The map with its legend.
pub(super) fn map(disk: &Disk<'_>) -> Markup {
    let Disk { id, overview, .. } = *disk;
    let regions = overview.regions(COLUMNS);
    let (hatch, free) = (format!("{id}-hatch"), format!("{id}-free"));
    let sentence = sentence(overview);
    let parts = parts(disk);
    let marks = marks(disk);
    html! {
        figure class="disk" id=(id) data-map=(data(overview)) {
            div class="tools" role="group" aria-label="Zoom" hidden="" {
                button type="button" data-do="in" { "Zoom in" }
                button type="button" data-do="out" { "Zoom out" }
                button type="button" data-do="back" { "Left" }
                button type="button" data-do="on" { "Right" }
                button type="button" data-do="whole" { "Whole disk" }
            }
            div class="plot" role="group" aria-label="Map of the disk" {
                @if !parts.is_empty() {
                    p class="lane" { "Partitions" }
                    ul class="parts" { @for part in &parts { (part) } }
                }
                p class="lane" { "Blocks" }
                svg class="blocks" viewBox={ "0 0 " (WIDTH) " " (BLOCKS_HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(sentence) {
                    defs {
                        pattern id=(hatch) width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            rect class="hatch-ground" width="7" height="7" {}
                            rect class="hatch-line" width="3" height="7" {}
                        }
                        pattern id=(free) width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)" {
                            rect class="free-ground" width="7" height="7" {}
                            rect class="free-line" width="2" height="7" {}
                        }
                    }
                    rect class="zero" width=(WIDTH) height=(BLOCKS_HEIGHT) {}
                    path class="unread" fill={ "url(#" (hatch) ")" } d=(columns(overview, &regions, BLOCKS_HEIGHT, unread_share)) {}
                    path class="free" fill={ "url(#" (free) ")" } d=(columns(overview, &regions, BLOCKS_HEIGHT, free_share)) {}
                    path class="data" d=(columns(overview, &regions, BLOCKS_HEIGHT, held_share)) {}
                }
                @if !marks.is_empty() {
                    div class="marks" aria-hidden="true" { @for mark in &marks { (mark) } }
                }
                @if overview.stored_is_known() {
                    p class="lane" { "Stored size of the data" }
                    svg class="stored" viewBox={ "0 0 " (WIDTH) " " (STORED_HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(stored_sentence(overview)) {
                        rect class="zero" width=(WIDTH) height=(STORED_HEIGHT) {}
                        path class="data" d=(columns(overview, &regions, STORED_HEIGHT, |piece| stored_share(piece, overview))) {}
                    }
                }
                (axis(overview.size()))
            }
            p class="readout" role="status" hidden="" {}
            (legend(overview, !marks.is_empty()))
            p class="soft keys" hidden="" {
                "Keys, when the map has the focus: + and - zoom, arrows move, Home shows the complete disk. With the mouse: click a partition; \
                 the wheel zooms after a click on the map, or with Ctrl; drag moves. The address holds what is shown, to be passed on."
            }
        }
    }
}

fn held_share(piece: &Piece) -> f64 {
    share(piece.held(), piece.blocks)
}

/// On top of what files hold, which is drawn over it.
fn free_share(piece: &Piece) -> f64 {
    if piece.free == 0 { 0.0 } else { share(piece.data, piece.blocks) }
}

/// On top of the data, which is drawn over it.
fn unread_share(piece: &Piece) -> f64 {
    if piece.unread == 0 { 0.0 } else { share(piece.data + piece.unread, piece.blocks) }
}

/// How large payloads are beside the data that they hold: 1 is no gain.
fn stored_share(piece: &Piece, overview: &Overview) -> f64 {
    share(piece.stored, piece.records.saturating_mul(overview.block_size()))
}

#[expect(clippy::cast_precision_loss, reason = "a thousandth of it can be seen")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

/// One path over all columns; neighbours of one height are one rectangle.
fn columns(overview: &Overview, regions: &[Region], height: f64, share: impl Fn(&Piece) -> f64) -> String {
    let mut path = String::new();
    let mut last: Option<(f64, f64, f64)> = None;
    let mut draw = |column: Option<(f64, f64, f64)>| {
        if let Some((from, to, tall)) = column.filter(|column| column.2 > 0.0) {
            let _ =
                write!(path, "M{} {}H{}V{}H{}z", px(from), px(height - tall), px(to), px(height), px(from));
        }
    };
    for region in regions {
        let (from, to) = (place(region.start, overview.size()), place(region.end, overview.size()));
        let tall = tall(share(&region.piece), height);
        match &mut last {
            Some((_, end, known)) if (*known - tall).abs() < 0.05 => *end = to,
            _ => draw(last.replace((from, to, tall))),
        }
    }
    draw(last);
    path
}

/// What is not nothing never looks like nothing, and what is not all never looks like all.
fn tall(share: f64, height: f64) -> f64 {
    if share <= 0.0 {
        0.0
    } else if share >= 1.0 {
        height
    } else {
        (share * height).clamp(LEAST, height - LEAST)
    }
}

fn place(offset: u64, size: u64) -> f64 {
    share(offset, size) * WIDTH
}

/// A length or a place with one decimal, without one where it is 0.
fn px(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Where something is and how wide, for the style of a box; the script reads the bytes.
fn left_and_width(start: u64, end: u64, size: u64) -> String {
    let (left, right) = (share(start, size) * 100.0, share(end, size) * 100.0);
    format!("left:{left:.3}%;width:{:.3}%", right - left)
}

/// A box for each partition that begins on the disk. Extended ones only hold others.
fn parts(disk: &Disk<'_>) -> Vec<Markup> {
    let size = disk.overview.size();
    let partitions = disk.inspection.iter().flat_map(|inspection| &inspection.partitions);
    let shown = partitions.filter(|part| !part.kind.is_extended() && part.start < size);
    shown.map(|part| one_part(disk, part, size)).collect()
}

fn one_part(disk: &Disk<'_>, part: &Partition, size: u64) -> Markup {
    let end = part.end().min(size);
    let tip = format!("{}-tip-{}", disk.id, part.number);
    let half = if part.start > size / 2 { Some("right") } else { None };
    html! {
        li class=[half] data-from=(part.start) data-to=(end) style=(left_and_width(part.start, end, size)) {
            a href={ "#" (partition_id(disk.id, part)) } aria-describedby=(tip) {
                span class="unseen" { "Partition " } (part.number) " " (text(&short_name(part)))
            }
            span class="tip" role="tooltip" id=(tip) { (text(&about(part))) }
        }
    }
}

/// The id of a partition's line in the table.
pub(super) fn partition_id(disk: &str, part: &Partition) -> String {
    format!("{disk}-partition-{}", part.number)
}

/// The name for people: its name, else its label, else what it holds.
fn short_name(part: &Partition) -> String {
    let name = part.name.as_ref().filter(|name| !name.is_empty()).or(part.content.label.as_ref());
    name.cloned().unwrap_or_else(|| part.content.kind.name().to_owned())
}

fn about(part: &Partition) -> String {
    let mut text = format!("{}, {}", kind_of(part), content(&part.content));
    if let Some(label) = &part.content.label {
        let _ = write!(text, ", label {label}");
    }
    let (start, end) = (part.start, part.end());
    let _ = write!(text, "; offsets {start} to {end}: {}", Size(part.length).scaled());
    text
}

/// A mark at each block that a finding is about.
fn marks(disk: &Disk<'_>) -> Vec<Markup> {
    let (size, block_size) = (disk.overview.size(), disk.overview.block_size());
    let findings = disk.report.findings().iter().filter(|finding| finding.severity >= Severity::Warning);
    let mut blocks = findings
        .filter_map(|finding| Some((finding.block?, finding.severity)))
        .filter(|(block, _)| block.checked_mul(block_size).is_some_and(|start| start < size))
        .collect::<Vec<_>>();
    blocks.sort_by_key(|(block, severity)| (*block, std::cmp::Reverse(*severity)));
    blocks.dedup_by_key(|(block, _)| *block);
    let mark = |(block, severity): &(u64, Severity)| {
        let start = block * block_size;
        let end = (start + block_size).min(size);
        let sign = if *severity == Severity::Error { "✘" } else { "!" };
        html! {
            i class=(severity) data-from=(start) data-to=(end) style=(left_and_width(start, end, size)) { (sign) }
        }
    };
    blocks.iter().take(MARKS).map(mark).collect()
}

/// Round offsets below the map, as the script makes them for a part of it.
fn axis(size: u64) -> Markup {
    let mut step = 1u64;
    while size / step > TICKS {
        step *= 2;
    }
    let ticks = (0..).map(|tick| tick * step).take_while(|tick| *tick <= size).collect::<Vec<_>>();
    html! {
        div class="axis" aria-hidden="true" {
            @for tick in ticks {
                span style={ "left:" (format!("{:.3}", share(tick, size) * 100.0)) "%" } { (Size(tick).scaled()) }
            }
        }
    }
}

fn legend(overview: &Overview, marks: bool) -> Markup {
    let whole = overview.whole();
    html! {
        figcaption {
            span class="key data" {} " data: the higher, the more blocks of a column hold data; "
            @if whole.free > 0 {
                span class="key free" {} " free: blocks with data of which no file holds a byte ("
                (whole.free) " of " (whole.data) ", " (percent(whole.free, whole.data)) "); "
            }
            span class="key zero" {} " zeros"
            @if whole.unread > 0 {
                "; " span class="key unread" {} " not checked"
            }
            @if marks {
                "; ✘ and ! mark blocks with findings"
            }
            @if overview.stored_is_known() {
                "; stored size: the higher, the less the data was compressed"
            }
            ". Each block is of " (Size(overview.block_size()).scaled()) "."
            @if let Some(why) = overview.unread_because() {
                " Reason: " (text(why)) "."
            }
        }
    }
}

/// What the map shows, for who can't see it. The tables have the rest.
fn sentence(overview: &Overview) -> String {
    let whole = overview.whole();
    let mut text = format!("{} from offset 0 to {}: ", counted(whole.blocks, "block"), overview.size());
    let _ = write!(text, "{} with data ({})", whole.data, percent(whole.data, whole.blocks));
    if whole.free > 0 {
        let _ = write!(text, ", {} of them free", whole.free);
    }
    let _ = write!(text, ", {} of zeros", whole.zero());
    if whole.unread > 0 {
        let _ = write!(text, ", {} not checked", whole.unread);
    }
    text.push_str(". The tables list the ranges.");
    text
}

fn stored_sentence(overview: &Overview) -> String {
    let whole = overview.whole();
    let data = whole.records.saturating_mul(overview.block_size());
    format!(
        "{} of {} take {}. The table of regions has the value for each.",
        Size(data).scaled(),
        counted(whole.records, "record"),
        Size(whole.stored).scaled()
    )
}

/// The map in numbers: its pieces, of which equal neighbours are listed once, and its spans if they are few enough.
fn data(overview: &Overview) -> String {
    let (size, block) = (overview.size(), overview.block_size());
    let mut json =
        format!(r#"{{"size":{size},"block":{block},"per":{},"pieces":["#, overview.blocks_per_piece());
    let alike = |a: &Piece, b: &Piece| Piece { blocks: 0, ..*a } == Piece { blocks: 0, ..*b };
    let pieces = overview.pieces().chunk_by(alike).filter_map(|pieces| Some((pieces.len(), pieces.first()?)));
    let pieces = pieces.map(|(count, one)| {
        let Piece { data, unread, records, stored, free, .. } = one;
        format!("[{count},{data},{unread},{records},{stored},{free}]")
    });
    json += &pieces.collect::<Vec<_>>().join(",");
    json.push(']');
    if let Some(spans) = overview.spans() {
        let letter = |state| match state {
            BlockState::Zero => 0,
            BlockState::Data => 1,
            BlockState::Unread => 2,
            BlockState::Free => 3,
        };
        let spans = spans.iter().map(|span| format!("[{},{}]", span.count, letter(span.state)));
        let _ = write!(json, r#","spans":[{}]"#, spans.collect::<Vec<_>>().join(","));
    }
    json.push('}');
    json
}
