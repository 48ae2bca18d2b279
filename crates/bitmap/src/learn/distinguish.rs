//! Which further sample would tell hypotheses apart.

use std::collections::BTreeMap;

use crate::layout::Layout;
use crate::specimen::{SPECIMEN_SIZE, Specimen};

/// Layouts that are tried on each image.
const MOST: usize = 512;

/// Sizes of images that are thought of: the usual one; small ones, whose bits take one or two bytes, so that every unit of
/// padding shows; and one of more than 4 GiB, for numbers of eight bytes.
const SIZES: [u64; 5] = [
    SPECIMEN_SIZE,
    4 * (2 << 20) + 3 * 4096 + 512,
    10 * (2 << 20) + 4096 + 512,
    (33 << 26) + (5 << 21) + 4096,
    (65 << 26) + (3 << 21) + 4096,
];

/// The image that distinguishes the most hypotheses: its bitmap file was worked out in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FurtherSample {
    /// Its size, for [`Specimen`].
    pub size: u64,
    /// How many different files it makes: no two hypotheses that share one are distinguished.
    pub told_apart: usize,
    /// Of how many hypotheses.
    pub of: usize,
}

/// The first of the images that distinguishes the most of these layouts.
pub(super) fn further_sample(layouts: &[&Layout]) -> Option<FurtherSample> {
    let layouts = layouts.get(..MOST.min(layouts.len())).unwrap_or_default();
    let mut best: Option<FurtherSample> = None;
    for size in SIZES {
        let told_apart = different_files(size, layouts);
        if best.is_none_or(|best| told_apart > best.told_apart) {
            best = Some(FurtherSample { size, told_apart, of: layouts.len() });
        }
    }
    best
}

fn different_files(size: u64, layouts: &[&Layout]) -> usize {
    let mut maps = BTreeMap::new();
    let mut files = Vec::new();
    for layout in layouts {
        let map = maps.entry(layout.block_size).or_insert_with(|| Specimen::new(size).map(layout.block_size));
        // A layout that cannot be written is distinguished from those that can.
        let file = map.as_ref().and_then(|map| layout.encode(map).ok());
        files.push(file);
    }
    files.sort();
    files.dedup();
    files.len()
}
