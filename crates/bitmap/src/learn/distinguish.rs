//! Which further sample would tell hypotheses apart.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use imsprep_source::{BlockMap, BlockSize};

use crate::binary::{MapForm, Stored};
use crate::error::LONGEST;
use crate::layout::{Form, Layout};
use crate::specimen::{SPECIMEN_SIZE, Specimen};

/// Layouts that are tried on each image.
const MOST: usize = 512;
/// Bytes that are written at most to try an image.
const MOST_WRITTEN: u64 = 32 << 20;

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
        let told_apart = different_files(layouts, size, |block_size| content(size, block_size));
        if best.is_none_or(|best| told_apart > best.told_apart) {
            best = Some(FurtherSample { size, told_apart, of: layouts.len() });
        }
        // No other one distinguishes more than all.
        if told_apart == layouts.len() {
            break;
        }
    }
    best
}

/// Maps of images by their size and that of the blocks; none of those with too many.
type Contents = BTreeMap<(u64, BlockSize), Option<Arc<BlockMap>>>;

/// Which blocks of the image of one of the sizes hold data. It is kept, because a program is learned from sample by sample, and the
/// images are the same each time; in blocks of every size they take a few MiB.
fn content(size: u64, block_size: BlockSize) -> Option<Arc<BlockMap>> {
    static KEPT: Mutex<Contents> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let map = kept.entry((size, block_size));
    map.or_insert_with(|| Specimen::new(size).map(block_size).map(Arc::new)).clone()
}

/// How many different bitmap files these layouts make of an image of this size, of which `map` gives the content in blocks of a
/// size. Layouts whose files differ in length are distinguished without a file being written; 0 if the others would write too much.
pub fn different_files<M: Borrow<BlockMap>>(
    layouts: &[&Layout],
    image_size: u64,
    map: impl Fn(BlockSize) -> Option<M>,
) -> usize {
    let mut by_length = BTreeMap::<Option<u64>, Vec<&Layout>>::new();
    for layout in layouts {
        // A layout that cannot be written is distinguished from those that can.
        let length = layout.encoded_len(image_size).filter(|length| *length <= LONGEST);
        by_length.entry(length).or_default().push(layout);
    }
    let written = by_length.iter().filter(|(_, layouts)| layouts.len() > 1);
    let written = written.map(|(length, layouts)| length.unwrap_or(0).saturating_mul(layouts.len() as u64));
    if written.fold(0, u64::saturating_add) > MOST_WRITTEN {
        return 0;
    }
    let mut maps = BTreeMap::new();
    let mut different = 0;
    for layouts in by_length.values() {
        if let [_] = layouts.as_slice() {
            different += 1;
            continue;
        }
        let mut kept = None;
        let files = layouts.iter().map(|layout| {
            let map = maps.entry(layout.block_size).or_insert_with(|| map(layout.block_size));
            file(layout, map.as_ref()?.borrow(), &mut kept)
        });
        different += files.collect::<BTreeSet<_>>().len();
    }
    different
}

/// A stored map, with the size of its blocks, its form and the value of its padding.
type Kept = ((BlockSize, MapForm, bool), Stored);

/// The file of an image in this layout. The readings of one hypothesis come one after the other and store the same map, which is kept
/// from one to the next.
fn file(layout: &Layout, map: &BlockMap, kept: &mut Option<Kept>) -> Option<Vec<u8>> {
    let Form::Binary(binary) = &layout.form else { return layout.encode(map).ok() };
    let key = (layout.block_size, binary.map, binary.padding.bit);
    let mut stored = match kept.take().filter(|(kept, _)| *kept == key) {
        Some((_, stored)) => stored,
        None => binary.stored(map).ok()?,
    };
    let file = binary.encode_around(map, &mut stored).ok();
    *kept = Some((key, stored));
    file
}
