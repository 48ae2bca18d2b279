//! What a map of a disk shows, as tables.

use imsprep_inspect::Partition;
use imsprep_rules::Size;
use imsprep_toolkit::{BlockState, Overview, Region, Span};
use maud::{Markup, html};

use super::disk::{Disk, partition_id};
use super::parts::{Kind, Line, table};
use super::text;
use crate::words::inspect::{content, kind_of, state};
use crate::words::quantity::{bytes, ratio};

/// Spans that are listed; more are hard to read, and the regions tell enough.
const MOST_SPANS: usize = 64;
const REGIONS: usize = 32;

/// The partitions, those as well that the map has no space for.
pub(super) fn partitions(disk: &Disk<'_>) -> Option<Markup> {
    let inspection = disk.inspection.filter(|inspection| !inspection.partitions.is_empty())?;
    let head = [
        ("Partition", Kind::Text),
        ("Start", Kind::Number),
        ("End", Kind::Number),
        ("Size", Kind::Number),
        ("Type", Kind::Text),
        ("Content", Kind::Text),
        ("Label", Kind::Text),
        ("State", Kind::Text),
    ];
    let lines = inspection.partitions.iter().map(|part| partition_line(disk.id, part)).collect::<Vec<_>>();
    Some(table(&format!("Partitions, {}", disk.name), head, &lines))
}

fn partition_line(disk: &str, part: &Partition) -> Line<8> {
    let cells = [
        html! { span id=(partition_id(disk, part)) { (part.number) } },
        html! { (part.start) },
        html! { (part.end()) },
        html! { (bytes(part.length)) },
        html! { (text(&kind_of(part))) },
        html! { (text(&content(&part.content))) },
        html! { (text(part.content.label.as_deref().unwrap_or("-"))) },
        html! { (state(&part.content).0) },
    ];
    Line { cells, ours: false }
}

/// Every stretch of the disk, if there are few.
pub(super) fn spans(disk: &Disk<'_>) -> Option<Markup> {
    let overview = disk.overview;
    let spans = overview.spans().filter(|spans| spans.len() <= MOST_SPANS)?;
    let head = [
        ("What", Kind::Text),
        ("From", Kind::Number),
        ("To", Kind::Number),
        ("Size", Kind::Number),
        ("Blocks", Kind::Number),
    ];
    let lines = spans.iter().map(|span| span_line(overview, span)).collect::<Vec<_>>();
    Some(table(&format!("Stretches, {}", disk.name), head, &lines))
}

fn span_line(overview: &Overview, span: &Span) -> Line<5> {
    let what = match span.state {
        BlockState::Data => "data",
        BlockState::Free => "free data",
        BlockState::Zero => "zeros",
        BlockState::Unread => "not checked",
    };
    let at = |block: u64| block.saturating_mul(overview.block_size()).min(overview.size());
    let (start, end) = (at(span.first), at(span.first.saturating_add(span.count)));
    let cells = [
        html! { (what) },
        html! { (start) },
        html! { (end) },
        html! { (bytes(end - start)) },
        html! { (span.count) },
    ];
    Line { cells, ours: false }
}

/// What each part of the disk holds, and in a container how well it is compressed.
pub(super) fn regions(disk: &Disk<'_>) -> Markup {
    let overview = disk.overview;
    let regions = overview.regions(REGIONS);
    let head = [
        ("From", Kind::Number),
        ("To", Kind::Number),
        ("Size", Kind::Number),
        ("Data", Kind::Number),
        ("Of it free", Kind::Number),
        ("Zeros", Kind::Number),
        ("Not checked", Kind::Number),
    ];
    if !overview.stored_is_known() {
        let lines =
            regions.iter().map(|region| Line { cells: counts(region), ours: false }).collect::<Vec<_>>();
        return table(&format!("Blocks by region, {}", disk.name), head, &lines);
    }
    let [from, to, size, data, free, zeros, unread] = head;
    let head = [from, to, size, data, free, zeros, unread, ("Stored", Kind::Number), ("Ratio", Kind::Number)];
    let lines = regions.iter().map(|region| {
        let [from, to, size, data, free, zeros, unread] = counts(region);
        let [stored, ratio] = stored(region, overview.block_size());
        Line { cells: [from, to, size, data, free, zeros, unread, stored, ratio], ours: false }
    });
    table(&format!("Blocks and stored size by region, {}", disk.name), head, &lines.collect::<Vec<_>>())
}

fn counts(region: &Region) -> [Markup; 7] {
    let Region { start, end, piece } = region;
    [
        html! { (start) },
        html! { (end) },
        html! { (bytes(end - start)) },
        html! { (piece.data) },
        html! { (piece.free) },
        html! { (piece.zero()) },
        html! { (piece.unread) },
    ]
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are printed")]
fn stored(region: &Region, block_size: u64) -> [Markup; 2] {
    let piece = &region.piece;
    let data = piece.records.saturating_mul(block_size);
    let times = data as f64 / piece.stored as f64;
    [html! { (bytes(piece.stored)) }, html! { @if piece.stored == 0 { "-" } @else { (ratio(times)) " : 1" } }]
}

/// The size of the disk in words, for what stands above its map.
pub(super) fn sizes(overview: &Overview, disk_size: Option<u64>) -> String {
    let size = overview.size();
    match disk_size.filter(|disk| *disk > size) {
        Some(disk) => format!(
            "{} of the original image; the rest of the disk, up to {}, is zeros.",
            Size(size),
            Size(disk)
        ),
        None => format!("The complete disk: {}.", Size(size)),
    }
}
