//! The map that an image's content asks for, and where a sample has it.

use imsprep_source::BlockMap;
use memchr::memmem;

use super::LONGEST_HEADER;
use crate::binary::{MapForm, Padding};
use crate::bits::BitOrder;

/// Places in one sample that are inspected; where there are more, the content shows nothing.
const MOST_PLACES: usize = 64;

/// Bytes of a map of bits, and of cells, that are looked up in a sample before all of the map is written.
const PIECE_OF_BITS: usize = 8;
const PIECE_OF_CELLS: usize = 32;

/// Bits as a layout would store them; what fills the last byte is left open.
pub(super) struct Expected {
    bytes: Vec<u8>,
    /// The bits of the last byte that stand for blocks.
    last: u8,
    /// Bytes of a cell, if the map has cells.
    cell: Option<usize>,
    blocks: u64,
    /// Blocks of the less frequent kind.
    fewer: u64,
}

impl Expected {
    /// `fewer` blocks are of the rarer kind. `None` if a map of this form can't be written of it.
    pub(super) fn new(map: &BlockMap, form: MapForm, fewer: u64) -> Option<Self> {
        let bytes = form.stored(map, Padding { unit: 1, bit: false }).ok()?;
        let last = match (form, map.block_count() % 8) {
            (_, 0) => 0xff,
            (MapForm::Cells(_) | MapForm::Runs(_), _) => 0xff,
            (MapForm::Bits(bits), used) => match bits.bit_order {
                BitOrder::LeastSignificantFirst => !(0xff << used),
                BitOrder::MostSignificantFirst => !(0xff >> used),
            },
        };
        let cell = match form {
            MapForm::Bits(_) => None,
            MapForm::Cells(cells) => Some(cells.width()),
            MapForm::Runs(runs) => Some(runs.entry()),
        };
        Some(Self { bytes, last, cell, blocks: map.block_count(), fewer })
    }

    /// Bytes that the bits take.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many blocks they stand for.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// How many of those are of the rarer kind.
    pub(super) fn fewer(&self) -> u64 {
        self.fewer
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bits, or cells, that are not as they should be, if they begin at `at`; `None` if they do not fit there.
    pub(super) fn wrong_places(&self, sample: &[u8], at: usize) -> Option<u64> {
        let there = sample.get(at..)?.get(..self.bytes.len())?;
        let last = self.bytes.len().saturating_sub(1);
        Some(match self.cell {
            None => {
                let wrong = there.iter().zip(&self.bytes).enumerate();
                wrong.map(|(i, (a, b))| u64::from(((a ^ b) & self.mask(i, last)).count_ones())).sum()
            }
            Some(width) => {
                let cells = there.chunks(width).zip(self.bytes.chunks(width));
                cells.filter(|(a, b)| a != b).count() as u64
            }
        })
    }

    /// What [`wrong_places`](Self::wrong_places) counts, in words.
    pub(super) fn places_in_words(&self) -> &'static str {
        if self.cell.is_some() { "blocks" } else { "bits" }
    }

    /// The first byte that is not as it should be, if the bits begin at `at`.
    pub(super) fn first_wrong(&self, sample: &[u8], at: usize) -> Option<usize> {
        let whole = self.bytes.len().saturating_sub(1);
        let mut pairs = sample.get(at..)?.iter().zip(&self.bytes).enumerate();
        pairs.find(|(i, (a, b))| (*a ^ *b) & self.mask(*i, whole) != 0).map(|(i, _)| i)
    }

    fn mask(&self, byte: usize, last: usize) -> u8 {
        if byte == last { self.last } else { 0xff }
    }

    /// Whether the bits stand at `at` in this sample.
    fn is_at(&self, sample: &[u8], at: usize) -> bool {
        let Some(there) = sample.get(at..).and_then(|rest| rest.get(..self.bytes.len())) else {
            return false;
        };
        match (there.split_last(), self.bytes.split_last()) {
            (Some((last, whole)), Some((expected, bytes))) => whole == bytes && last & self.last == *expected,
            // A list without runs is anywhere.
            (None, None) => true,
            _ => false,
        }
    }

    /// The bits that fill the last byte, as they are in this sample: all clear, all set, or both at once if there are
    /// none.
    pub(super) fn fill_may_be(&self, sample: &[u8], at: usize, bit: bool) -> bool {
        let last =
            self.bytes.len().checked_sub(1).and_then(|last| sample.get(at + last)).copied().unwrap_or(0);
        let fill = !self.last;
        last & fill == if bit { fill } else { 0 }
    }

    /// Whether there are bits that fill the last byte.
    pub(super) fn has_fill(&self) -> bool {
        self.last != 0xff
    }

    /// Every place in the sample where the bits stand, after a header of the greatest length at most; and whether there
    /// are more places than are reported.
    fn places(&self, sample: &[u8]) -> (Vec<usize>, bool) {
        let furthest = sample.len().saturating_sub(self.bytes.len()).min(LONGEST_HEADER);
        if self.bytes.len() > sample.len() {
            return (Vec::new(), false);
        }
        let whole = if self.last == 0xff { self.bytes.len() } else { self.bytes.len().saturating_sub(1) };
        let needle = self.bytes.get(..whole).unwrap_or_default();
        let finder = memmem::Finder::new(needle);
        let reach = sample.get(..furthest + self.bytes.len()).unwrap_or(sample);
        let (mut places, mut from) = (Vec::new(), 0);
        while from <= furthest {
            let Some(found) = reach.get(from..).and_then(|rest| finder.find(rest)) else { break };
            let at = from + found;
            if at > furthest {
                break;
            }
            if self.is_at(sample, at) {
                if places.len() == MOST_PLACES {
                    return (places, true);
                }
                places.push(at);
            }
            from = at + 1;
        }
        (places, false)
    }
}

/// Whether a sample may have the map: most forms fail at a few of its blocks, and all the others need not be written for that.
pub(super) fn may_hold(sample: &[u8], map: &BlockMap, form: MapForm) -> bool {
    piece(map, form).is_none_or(|piece| memmem::find(sample, &piece).is_some())
}

/// A few bytes that the map has in this form, no two of which stand for parts of the same block; of bits that are not all alike, as far
/// as there are such. `None` if the map is too short, or a list of runs, which was looked up by its first runs.
fn piece(map: &BlockMap, form: MapForm) -> Option<Vec<u8>> {
    let bytes = match form {
        MapForm::Bits(_) => PIECE_OF_BITS,
        MapForm::Cells(cells) => (PIECE_OF_CELLS / cells.width()).div_ceil(8),
        MapForm::Runs(_) => return None,
    };
    // The last byte may have bits of no block.
    let whole = map.as_lsb_bytes().get(..usize::try_from(map.block_count() / 8).ok()?)?;
    let telling = whole.iter().position(|byte| !matches!(byte, 0 | 0xff)).unwrap_or(0);
    let start = telling.min(whole.len().checked_sub(bytes)?);
    form.stored_part(map, start..start + bytes)
}

/// How many blocks are of the rarer kind, where so many hold data.
pub(super) fn fewer(map: &BlockMap, data: u64) -> u64 {
    data.min(map.block_count() - data)
}

/// How many bits of information there are in which of the blocks hold data, given how many are of the rarer kind. Counted up to 64.
pub(super) fn information(map: &BlockMap, fewer: u64) -> f64 {
    let mut bits = 0.0;
    for i in 0..fewer {
        if bits >= 64.0 {
            break;
        }
        #[expect(clippy::cast_precision_loss, reason = "there are less than 2^33 blocks")]
        let ways = (map.block_count() - i) as f64 / (i + 1) as f64;
        bits += ways.log2();
    }
    bits
}

/// Lengths of the header with which the maps are where they should be in all samples; and whether there may be more. They are
/// looked up in the sample of this number first, the one that they fit in the fewest places by chance.
pub(super) fn common_places<'a>(
    pairs: impl Iterator<Item = (&'a [u8], &'a Expected)> + Clone,
    telling: usize,
) -> (Vec<usize>, bool) {
    let Some((sample, expected)) = pairs.clone().nth(telling) else { return (Vec::new(), false) };
    let (mut places, more) = expected.places(sample);
    places.retain(|at| pairs.clone().all(|(sample, expected)| expected.is_at(sample, *at)));
    // Among the places that were not reported one might be that fits all the others; with one alone all do.
    (places, more)
}

#[cfg(test)]
mod tests {
    use imsprep_source::BlockSize;
    use proptest::prelude::*;

    use super::*;
    use crate::bits::{Bits, Polarity};
    use crate::cells::{Cell, Cells};

    fn form() -> impl Strategy<Value = MapForm> {
        let orders = [BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst];
        let bits = (prop::sample::select(orders.to_vec()), any::<bool>()).prop_map(|(bit_order, data)| {
            let polarity = if data { Polarity::SetIsData } else { Polarity::SetIsZero };
            MapForm::Bits(Bits { bit_order, polarity })
        });
        let cells = (1usize..=8).prop_map(|width| {
            let data = Cell::new(&(1..=8).take(width).collect::<Vec<_>>()).unwrap();
            MapForm::Cells(Cells::new(data, Cell::new(&vec![0; width]).unwrap()).unwrap())
        });
        prop_oneof![bits, cells]
    }

    proptest! {
        /// Against the complete map: what has it is never passed over, and a piece is one of its parts.
        #[test]
        fn a_sample_with_the_map_may_hold_it(
            runs in prop::collection::vec((any::<bool>(), 1usize..90), 1..9), form in form(), before in 0usize..9,
            fill in any::<bool>(),
        ) {
            let kinds = runs.into_iter().flat_map(|(data, count)| vec![data; count]).collect::<Vec<_>>();
            let size = kinds.len() as u64 * BlockSize::MIN.bytes();
            let mut map = BlockMap::zeroed(std::path::Path::new("x"), size, BlockSize::MIN).unwrap();
            (0u64..).zip(&kinds).for_each(|(block, data)| map.set(block, *data));
            let stored = form.stored(&map, Padding { unit: 1, bit: fill }).unwrap();
            let sample = [vec![b'H'; before], stored.clone()].concat();
            prop_assert!(may_hold(&sample, &map, form));
            if let Some(piece) = piece(&map, form) {
                prop_assert_eq!(may_hold(&vec![b'H'; before], &map, form), false);
                prop_assert!(stored.windows(piece.len()).any(|part| part == piece));
            } else {
                prop_assert!(kinds.len() < 8 * PIECE_OF_BITS);
            }
        }
    }
}
