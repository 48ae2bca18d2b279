//! `imsprep bitmap show`, `diff` and `convert`

use std::fmt::Write as _;

use imsprep_rules::Size;
use imsprep_source::{BlockMap, BlockRun, BlockSize};
use imsprep_toolkit::{BitmapConverted, BitmapShown, BitmapsCompared, SizeFrom};

use super::picture;
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown as fit;
use crate::words::{counted, percent};

/// Ranges that are printed without `-v`.
const RANGES: usize = 10;

fn name(path: &std::path::Path) -> String {
    fit(&path.display().to_string()).to_string()
}

/// Layout, counts, ranges, picture.
pub(crate) fn shown(shown: &BitmapShown, detail: Detail) -> String {
    let (bold, dim) = (style::BOLD, style::DIM);
    let map = &shown.map;
    let mut text = String::new();
    let path = name(&shown.path);
    let _ =
        writeln!(text, "{bold}{path}{bold:#}: layout {}, {} bytes", fit(&shown.layout.name), shown.length);
    let _ = writeln!(text, "  layout  {}", fit(&shown.layout.summary()));
    let from = match &shown.size_from {
        SizeFrom::File => "from the file".to_owned(),
        SizeFrom::Caller => "from --image-size".to_owned(),
        SizeFrom::Image(image) => format!("the size of {}", name(image)),
    };
    let _ = writeln!(text, "  image   {}, {from}", Size(map.image_size()));
    text += &counts(map);
    let runs = map.runs().filter(|run| run.data).count();
    let limit = if detail == Detail::Verbose { runs } else { RANGES };
    if runs > 0 {
        let _ = writeln!(text, "  {} of data:", counted(runs as u64, "range"));
        text += &ranges(
            map.runs().filter(|run| run.data).take(limit),
            map.block_size(),
            map.image_size(),
            |_| "",
        );
        if runs > limit {
            let _ = writeln!(text, "      and {} more; -v shows all", runs - limit);
        }
    }
    let (per_cell, rows) = picture::rows(map, picture::width().saturating_sub(4));
    for row in rows {
        let _ = writeln!(text, "  {row}");
    }
    if map.block_count() > 0 {
        let cell = counted(per_cell, "block");
        let _ = writeln!(text, "  {dim}a cell is {cell}: {}{dim:#}", picture::LEGEND);
    }
    text
}

fn counts(map: &BlockMap) -> String {
    let (all, data, zero) = (map.block_count(), map.data_count(), map.zero_count());
    let mut text = String::new();
    let _ = writeln!(text, "  blocks  {all}, {} each", Size(map.block_size().bytes()).scaled());
    let _ = writeln!(text, "  data    {data} ({})", percent(data, all));
    let _ = writeln!(text, "  zero    {zero} ({})", percent(zero, all));
    text
}

/// Runs of blocks with their places on the disk, and a word for each.
fn ranges(
    runs: impl Iterator<Item = BlockRun>,
    block_size: BlockSize,
    image_size: u64,
    word: impl Fn(&BlockRun) -> &'static str,
) -> String {
    let mut text = format!("      {:>10}  {:>10}  {:>16}  {:>16}\n", "first", "last", "offset", "length");
    for run in runs {
        let start = run.first.saturating_mul(block_size.bytes());
        let end = (run.first + run.count).saturating_mul(block_size.bytes()).min(image_size);
        let (first, last, length) = (run.first, run.first + run.count - 1, end - start);
        let line = format!("      {first:>10}  {last:>10}  {start:>16}  {length:>16}  {}", word(&run));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// In what two bitmap files differ.
pub(crate) fn diff(compared: &BitmapsCompared, detail: Detail) -> String {
    let BitmapsCompared { a, b, difference } = compared;
    let bold = style::BOLD;
    let (style, answer) = match (difference.is_empty(), compared.are_same()) {
        (_, true) => (style::GOOD, "the same blocks"),
        (true, false) => {
            (style::BAD, "the same blocks up to the end of the shorter one, but images of different sizes")
        }
        (false, _) => (style::BAD, "they differ"),
    };
    let mut text = String::new();
    let (path_a, path_b) = (name(&a.path), name(&b.path));
    let _ = writeln!(text, "{bold}{path_a}{bold:#} and {bold}{path_b}{bold:#}: {style}{answer}{style:#}");
    for (letter, shown) in [("a", a), ("b", b)] {
        let map = &shown.map;
        let (data, all) = (map.data_count(), map.block_count());
        let block = Size(map.block_size().bytes()).scaled();
        let _ = writeln!(
            text,
            "  {letter}       layout {}, image of {}, {data} of {all} blocks hold data, {block} each",
            fit(&shown.layout.name),
            Size(map.image_size())
        );
    }
    if difference.is_empty() {
        return text;
    }
    let block = Size(difference.block_size.bytes()).scaled();
    let _ = writeln!(
        text,
        "  differ  {} of {} blocks of {block}: {} data only in the first, {} only in the second",
        difference.only_first + difference.only_second,
        difference.blocks,
        difference.only_first,
        difference.only_second
    );
    let limit = if detail == Detail::Verbose { difference.runs.len() } else { RANGES };
    let size = a.map.image_size().min(b.map.image_size());
    let word = |run: &BlockRun| if run.data { "data only in the first" } else { "data only in the second" };
    text += &ranges(difference.runs.iter().copied().take(limit), difference.block_size, size, word);
    if difference.runs.len() > limit {
        let _ = writeln!(text, "      and {} more ranges; -v shows all", difference.runs.len() - limit);
    }
    text
}

/// What was written in another layout.
pub(crate) fn converted(converted: &BitmapConverted) -> String {
    let bold = style::BOLD;
    let BitmapConverted { source, path, layout, length, map } = converted;
    let mut text = String::new();
    let _ = writeln!(text, "{bold}{}{bold:#}: written, {length} bytes", name(path));
    let _ = writeln!(text, "  from    {}, layout {}", name(&source.path), fit(&source.layout.name));
    let _ = writeln!(text, "  layout  {}: {}", fit(&layout.name), fit(&layout.summary()));
    let _ = writeln!(text, "  image   {}", Size(map.image_size()));
    text += &counts(map);
    let (from, to) = (source.map.block_size(), map.block_size());
    if from != to {
        let what =
            if from < to { "data if any block within it was" } else { "data if it is in a data block" };
        let dim = style::DIM;
        let (from, to) = (Size(from.bytes()).scaled(), Size(to.bytes()).scaled());
        let _ = writeln!(text, "  {dim}The source has blocks of {from}: a block of {to} is {what}.{dim:#}");
    }
    text
}
