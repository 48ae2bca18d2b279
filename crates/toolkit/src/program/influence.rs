//! Which bytes of a program's file depend on what, where no layout was found.

use super::behaviour::difference;
use super::runner::{Presentation, Runner};
use super::sample_image::SampleImage;
use crate::Result;

/// What was altered in an image, and what became of the bitmap file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Influence {
    /// `content` or `size`.
    pub of: &'static str,
    /// What was altered, in words.
    pub altered: String,
    /// Which bytes are others then; `None` if none is.
    pub evidence: Option<String>,
}

const SIZE: u64 = 10 << 20;

/// Experiments with an image of zeros: each alters one thing.
pub(super) fn influences(runner: &mut Runner<'_>) -> Result<Vec<Influence>> {
    let zeros = |size| SampleImage::new(size, "zeros", Vec::new());
    let plain = Presentation::default();
    let Ok(before) = runner.run(&zeros(SIZE), &plain)?.bitmap else { return Ok(Vec::new()) };
    let with = |at: u64| SampleImage::new(SIZE, "one byte of data", vec![(at, 1)]);
    let experiments = [
        ("content", "a byte of data at offset 0".to_owned(), with(0)),
        ("content", "a byte of data at offset 5242880".to_owned(), with(5 << 20)),
        ("content", "a byte of data at the end".to_owned(), with(SIZE - 1)),
        ("size", format!("{} bytes instead of {SIZE}", SIZE + 512), zeros(SIZE + 512)),
        ("size", format!("{} bytes instead of {SIZE}", 5 * SIZE), zeros(5 * SIZE)),
    ];
    let mut influences = Vec::new();
    for (of, altered, image) in experiments {
        // What it costs is known: these images are small.
        let Ok(after) = runner.run(&image, &plain)?.bitmap else { continue };
        let mut evidence = (after != before).then(|| difference(&before, &after));
        if of == "size"
            && let Some(evidence) = &mut evidence
        {
            evidence.extend(sizes_in((&before, SIZE), (&after, image.size)));
        }
        influences.push(Influence { of, altered, evidence });
    }
    Ok(influences)
}

/// Places where both files have the size of their image, in words.
fn sizes_in((a, a_size): (&[u8], u64), (b, b_size): (&[u8], u64)) -> Option<String> {
    for (unit, name) in [(1, "bytes"), (512, "sectors"), (1 << 10, "KiB"), (1 << 20, "MiB")] {
        for at in 0..a.len().min(b.len()) {
            let is_there = |file: &[u8], size: u64, order: fn(u64) -> [u8; 8]| {
                file.get(at..at + 8) == Some(&order(size / unit)[..])
            };
            let both = |order: fn(u64) -> [u8; 8]| is_there(a, a_size, order) && is_there(b, b_size, order);
            for (order, order_name) in
                [(u64::to_le_bytes as fn(u64) -> [u8; 8], "little"), (u64::to_be_bytes, "big")]
            {
                if a_size / unit != b_size / unit && both(order) {
                    let last = at + 7;
                    return Some(format!(
                        "; bytes {at} to {last} are the image's size in {name}, {order_name}-endian"
                    ));
                }
            }
        }
    }
    None
}
