//! Which further sample would tell hypotheses apart.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use imsprep_source::{BlockMap, BlockSize};

use crate::binary::{MapForm, Stored};
use crate::error::LONGEST;
use crate::frame::{Around, Frame};
use crate::layout::{Form, Layout};
use crate::specimen::{SPECIMEN_SIZE, Specimen};

/// Layouts that are tried on each image.
const MOST: usize = 512;
/// Bytes that are written at most to try an image.
const MOST_WRITTEN: u64 = 32 << 20;

/// Bytes of files that are compared before all of them are written.
const BEGINNING: usize = 256;

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
        for layout in layouts {
            maps.entry(layout.block_size).or_insert_with(|| {
                let map = map(layout.block_size)?;
                let data_blocks = map.borrow().data_count();
                Some((map, data_blocks))
            });
        }
        let mut files = Files::default();
        for layout in layouts {
            let map = maps.get(&layout.block_size).and_then(Option::as_ref);
            files.add(layout, map.map(|(map, data_blocks)| (map.borrow(), *data_blocks)));
        }
        different += files.different();
    }
    different
}

/// The size of the blocks, the form of a map and the value of its padding.
type Key = (BlockSize, MapForm, bool);

/// Files with one map in one form. The readings of a hypothesis make them one after the other, and they differ in header and trailer
/// alone, so that the map is neither written nor compared for each of them.
struct OfOneMap<'m> {
    key: Key,
    stored: Stored<'m>,
    /// Each with what is around the map, by the length of that and its padding.
    around: BTreeMap<(usize, Around), Frame>,
}

/// Files of several layouts, of which only the different ones count.
#[derive(Default)]
struct Files<'m> {
    of_maps: Vec<OfOneMap<'m>>,
    /// Those that are made in another way.
    written: BTreeSet<Vec<u8>>,
    /// There is a layout that makes none.
    none: bool,
}

impl<'m> Files<'m> {
    /// Adds the file of an image in this layout, with the map of its content and how many blocks in that hold data.
    fn add(&mut self, layout: &Layout, map: Option<(&'m BlockMap, u64)>) {
        if map.and_then(|(map, data_blocks)| self.try_add(layout, map, data_blocks)).is_none() {
            self.none = true;
        }
    }

    fn try_add(&mut self, layout: &Layout, map: &'m BlockMap, data_blocks: u64) -> Option<()> {
        let Form::Binary(binary) = &layout.form else {
            self.written.insert(layout.encode(map).ok()?);
            return Some(());
        };
        let key = (layout.block_size, binary.map, binary.padding.bit);
        if self.of_maps.last().is_none_or(|last| last.key != key) {
            let stored = binary.stored(map, data_blocks).ok()?;
            self.of_maps.push(OfOneMap { key, stored, around: BTreeMap::new() });
        }
        let last = self.of_maps.last_mut()?;
        let (frame, around) = binary.around_map(&mut last.stored).ok()?;
        last.around.insert((frame.padded, around), frame);
        Some(())
    }

    /// How many different ones there are. A layout that makes none is different from those that make one.
    fn different(self) -> usize {
        let Self { of_maps, written, none } = self;
        // Of most maps a few bytes show that their files are different.
        let mut by_beginning = BTreeMap::<Vec<u8>, Vec<(usize, &Stored<'_>, &Frame, &Around)>>::new();
        for (number, OfOneMap { stored, around, .. }) in of_maps.iter().enumerate() {
            for ((_, around), frame) in around {
                let beginning = stored.beginning(frame, around, BEGINNING);
                by_beginning.entry(beginning).or_default().push((number, stored, frame, around));
            }
        }
        let mut different = usize::from(none);
        for alike in by_beginning.values() {
            // Zeros may be padding in one layout and trailer in another: only where the parts are of the same lengths, too, are files
            // of one map different if what is around it is.
            let of_one_map = alike.windows(2).all(|pair| match pair {
                [(one, _, one_frame, _), (other, _, other_frame, _)] => {
                    one == other && one_frame == other_frame
                }
                _ => true,
            });
            if of_one_map && written.is_empty() {
                different += alike.len();
                continue;
            }
            let mut files = alike
                .iter()
                .map(|(_, stored, frame, around)| stored.file(frame, around))
                .collect::<BTreeSet<_>>();
            files.retain(|file| !written.contains(file));
            different += files.len();
        }
        different + written.len()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::binary::{Binary, Padding};
    use crate::bits::{BitOrder, Bits, Polarity};
    use crate::cells::{Cell, Cells};
    use crate::checksum::{Algorithm, Covered};
    use crate::field::{Field, Value};
    use crate::layout::Origin;
    use crate::number::{ByteOrder, Width};

    fn maps() -> Vec<MapForm> {
        let bits = [BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst];
        let bits = bits.map(|bit_order| MapForm::Bits(Bits { bit_order, polarity: Polarity::SetIsZero }));
        let cell = |byte| Cell::new(&[byte]).unwrap();
        let cells = [(1, 0), (0, 1)].map(|(a, b)| MapForm::Cells(Cells::new(cell(a), cell(b)).unwrap()));
        [bits, cells].concat()
    }

    fn section() -> impl Strategy<Value = Vec<Field>> {
        let covered = [Covered::Map, Covered::PaddedMap, Covered::Header, Covered::FileBefore, Covered::File];
        let covered = prop::sample::select(covered.to_vec());
        let checksum = (prop::sample::select(Algorithm::ALL.to_vec()), covered)
            .prop_map(|(algorithm, covered)| Value::Checksum(algorithm, covered));
        let plain = [Value::MapLength, Value::BlockCount, Value::PaddedLength, Value::ImageSize];
        let value = prop_oneof![checksum, prop::sample::select(plain.to_vec())];
        let number =
            value.prop_map(|value| Field::Number { value, width: Width::U32, order: ByteOrder::Big });
        let constant = prop::sample::select(vec![&[0, 0, 0, 0][..], &[0, 0, 0, 65], &[0xff; 4]]);
        let field = prop_oneof![number, constant.prop_map(|bytes| Field::Constant(Cow::Borrowed(bytes)))];
        prop::collection::vec(field, 0..2)
    }

    fn layout() -> impl Strategy<Value = Layout> {
        let padding = (prop::sample::select(vec![1, 2, 64]), any::<bool>());
        let padding = padding.prop_map(|(unit, bit)| Padding { unit, bit });
        let blocks = prop::sample::select(vec![BlockSize::new(1 << 20).unwrap(), BlockSize::MIB_2]);
        let parts = (prop::sample::select(maps()), padding, section(), section(), blocks);
        parts.prop_map(|(map, padding, header, trailer, block_size)| Layout {
            name: Cow::Borrowed("drawn"),
            title: Cow::Borrowed("drawn"),
            block_size,
            form: Form::Binary(Binary {
                map,
                padding,
                header: Cow::Owned(header),
                trailer: Cow::Owned(trailer),
            }),
            origin: Origin::Described,
        })
    }

    #[test]
    fn zeros_that_may_be_padding_or_trailer_make_the_same_file() {
        let bits = Bits { bit_order: BitOrder::MostSignificantFirst, polarity: Polarity::SetIsData };
        let layout = |unit, trailer: &'static [u8]| Layout {
            name: Cow::Borrowed("drawn"),
            title: Cow::Borrowed("drawn"),
            block_size: BlockSize::MIB_2,
            form: Form::Binary(Binary {
                map: MapForm::Bits(bits),
                padding: Padding { unit, bit: false },
                header: Cow::Borrowed(&[]),
                trailer: Cow::Owned(vec![Field::Constant(Cow::Borrowed(trailer))]),
            }),
            origin: Origin::Described,
        };
        // Maps of 65 bytes, and of two.
        let (padded, longer) = (layout(2, b"TAIL"), layout(1, b"\0TAIL"));
        let count = |size| different_files(&[&padded, &longer], size, |block_size| content(size, block_size));
        assert_eq!((count(SPECIMEN_SIZE), count(SIZES[2])), (1, 2));
    }

    proptest! {
        /// Against the complete file of each layout.
        #[test]
        fn files_are_told_apart_as_if_all_were_written(
            layouts in prop::collection::vec(layout(), 1..12), blocks in 1u64..900, large in any::<bool>(),
        ) {
            // No number of the larger size fits into four bytes.
            let size = if large { (5 << 30) + 512 } else { blocks * (2 << 20) + 512 };
            let layouts = layouts.iter().collect::<Vec<_>>();
            let map = |block_size| content(size, block_size);
            let naive = layouts.iter().map(|layout| layout.encode(&map(layout.block_size).unwrap()).ok());
            // By their lengths, those that cannot be written are as many as the lengths that they would have.
            let lengths = layouts.iter().zip(naive).map(|(layout, file)| (layout.encoded_len(size), file));
            let naive = lengths.collect::<BTreeSet<_>>().len();
            prop_assert_eq!(different_files(&layouts, size, map), naive);
        }
    }
}
