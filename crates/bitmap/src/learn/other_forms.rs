//! Forms that are recognised and named, and not learned: text, lists of runs, compressed files.

use imsprep_source::{BlockMap, BlockSize};
use memchr::memmem;

use super::Sample;
use crate::layout::{Form, LAYOUTS, Layout};
use crate::number::{ByteOrder, Width, number_bytes};

/// Runs that a list has to have to be one by no chance.
const FEWEST: usize = 2;
/// Runs that are looked up: a file that has so many has the others too.
const ENOUGH: usize = 64;

/// What the sample looks like, in words; `None` if like no known content.
pub(super) fn looks_like(sample: &Sample<'_>) -> Option<String> {
    built_in(sample, |_| true).or_else(|| named_form(sample))
}

/// The built-in layout that it is in, of those that are `wanted`.
fn built_in(sample: &Sample<'_>, wanted: impl Fn(&Layout) -> bool) -> Option<String> {
    let size = sample.content.image_size();
    LAYOUTS.iter().filter(|layout| wanted(layout)).find_map(|layout| {
        let map = layout.decode(sample.bytes, Some(size)).ok()?;
        let same = map.block_size() >= sample.content.block_size()
            && sample.content.in_blocks_of(map.block_size()).as_ref() == Some(&map);
        let what = if same {
            "it matches the content of the image"
        } else {
            "but it does not match the content of the image"
        };
        Some(format!("layout {}, {what}", layout.name))
    })
}

/// The form that it is in, which is none of one bit for each block.
pub(super) fn named_form(sample: &Sample<'_>) -> Option<String> {
    let of_text = |layout: &Layout| matches!(layout.form, Form::Bmap | Form::Ranges);
    if let Some(name) = built_in(sample, of_text) {
        return Some(name);
    }
    if let Some(name) = compressed(sample.bytes) {
        return Some(format!("a compressed file ({name}); decompress it and learn from the result"));
    }
    // Each map from the one before it, which is twice as long.
    let doubled = |map: &BlockMap| map.in_blocks_of(map.block_size().doubled()?);
    let mut maps = std::iter::successors(Some(sample.content.clone()), doubled);
    maps.find_map(|map| of_blocks(sample.bytes, &map))
}

fn compressed(bytes: &[u8]) -> Option<&'static str> {
    let magics: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"PK\x03\x04", "zip"),
    ];
    magics.into_iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| name)
}

/// The forms in blocks of one size.
fn of_blocks(bytes: &[u8], map: &BlockMap) -> Option<String> {
    let block = map.block_size();
    if map.data_count() == 0 {
        return None;
    }
    let lists = lists(map);
    for (title, numbers) in &lists {
        if numbers.len() < FEWEST {
            continue;
        }
        for (unit, factor) in units(block) {
            let Some(numbers) = numbers.iter().map(|n| n.checked_mul(factor)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            if let Some(form) = holds(bytes, &numbers) {
                return Some(format!("{form}: {title}, in {unit}, blocks of {block} bytes"));
            }
        }
    }
    None
}

/// What the numbers of a list may count.
fn units(block: BlockSize) -> [(&'static str, u64); 3] {
    [("blocks", 1), ("sectors of 512 bytes", block.bytes() / 512), ("bytes", block.bytes())]
}

/// The first runs as lists of numbers, in the ways in which they are written.
fn lists(map: &BlockMap) -> Vec<(&'static str, Vec<u64>)> {
    let runs = map.runs().filter(|run| run.data).take(ENOUGH).collect::<Vec<_>>();
    let of_data = |numbers: fn(u64, u64) -> [u64; 2]| {
        runs.iter().flat_map(|run| numbers(run.first, run.count)).collect::<Vec<_>>()
    };
    vec![
        ("first and last of each run of data", of_data(|first, count| [first, first + (count - 1)])),
        ("first and number of each run of data", of_data(|first, count| [first, count])),
        ("beginning and end of each run of data", of_data(|first, count| [first, first + count])),
        ("the data blocks one by one", map.data_blocks().take(ENOUGH).collect()),
        ("lengths of runs of both kinds in turn", map.runs().take(ENOUGH).map(|run| run.count).collect()),
    ]
}

/// Whether a file holds these numbers one after the other, and in what form.
fn holds(bytes: &[u8], numbers: &[u64]) -> Option<String> {
    // Small numbers alone may be anywhere.
    let telling = numbers.iter().filter(|number| **number > 0).count() >= 2 * FEWEST;
    if !telling {
        return None;
    }
    let forms = [
        (Width::U32, ByteOrder::Little, "4 bytes, little-endian"),
        (Width::U32, ByteOrder::Big, "4 bytes, big-endian"),
        (Width::U64, ByteOrder::Little, "8 bytes, little-endian"),
        (Width::U64, ByteOrder::Big, "8 bytes, big-endian"),
    ];
    for (width, order, title) in forms {
        let all = numbers.iter().map(|n| number_bytes(*n, width, order)).collect::<Option<Vec<_>>>();
        // Small numbers of one byte order look like those of the other, a few bytes off.
        let at_multiple = |at: usize| at.is_multiple_of(4);
        if all.is_some_and(|all| memmem::find_iter(bytes, &all.concat()).any(at_multiple)) {
            return Some(format!("a run-length form (numbers of {title})"));
        }
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let found = text.split(|c: char| !c.is_ascii_digit()).filter(|piece| !piece.is_empty());
    let found = found.map(|piece| piece.parse().unwrap_or(u64::MAX)).collect::<Vec<u64>>();
    let there = found.windows(numbers.len()).any(|window| window == numbers);
    there.then(|| "text with numbers".to_owned())
}
