//! Numbers that stand at the same bytes of a header or trailer in all samples.

use std::ops::Range;

use memchr::memmem;

use super::{LONGEST_HEADER, LONGEST_TRAILER};
use crate::binary::MapForm;
use crate::field::{Field, Numbers, Rounding, Value};
use crate::frame::{Frame, SectionKind};
use crate::number::{ByteOrder, WIDTHS, Width, number_bytes};

/// A number from this on, four significant bytes, does not equal a constant by chance.
const NO_CHANCE: u64 = 1 << 24;

/// A sample, and where its parts are if the hypothesis is right.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleFile<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) frame: Frame,
}

impl<'a> SampleFile<'a> {
    /// Its header or trailer.
    pub(super) fn section(&self, kind: SectionKind) -> &'a [u8] {
        self.bytes.get(self.frame.section(kind)).unwrap_or_default()
    }
}

/// A number that stands at the same bytes in every sample.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) range: Range<usize>,
    pub(super) value: Value,
    pub(super) width: Width,
    pub(super) order: ByteOrder,
    /// The number is another in some sample.
    pub(super) varies: bool,
    /// The smallest that it is.
    pub(super) least: u64,
}

impl Match {
    pub(super) fn field(&self) -> Field {
        Field::Number { value: self.value, width: self.width, order: self.order }
    }

    /// A constant would not be the same by chance.
    pub(super) fn is_strong(&self) -> bool {
        self.varies || self.least >= NO_CHANCE
    }

    /// Bytes that a constant would share with it by chance only. Zeros beside a number tell nothing of whose they are: a small
    /// number between zeros is one of either byte order. Nor do bytes that differ, of which every choice has to make numbers.
    pub(super) fn unlikely_bytes(&self) -> usize {
        if self.varies || self.least < NO_CHANCE { 0 } else { significant_bytes(self.least) }
    }

    /// It is the same in all files of the layout, so that a constant is no other reading.
    pub(super) fn is_constant(&self) -> bool {
        self.value == Value::BlockSize
    }

    /// What it is and where its least significant byte stands: the same with zeros beside it or without.
    pub(super) fn significant(&self) -> (Value, bool, usize) {
        match self.order {
            ByteOrder::Little => (self.value, true, self.range.start),
            ByteOrder::Big => (self.value, false, self.range.end),
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.range.start < other.range.end && other.range.start < self.range.end
    }
}

/// Which four bytes stand in a row in a file, as far as headers and trailers reach: learning asks for dozens of numbers in each of
/// hundreds of sections of it, and nearly all of them are nowhere.
pub(super) struct Fours {
    /// A bit for each remainder that four bytes may have. Some four share one.
    bits: Vec<u64>,
}

impl Fours {
    /// How many remainders there are.
    const REMAINDERS: u32 = 1 << 16;

    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut bits = vec![0; (Self::REMAINDERS / u64::BITS) as usize];
        let header = bytes.get(..LONGEST_HEADER).unwrap_or(bytes);
        // A trailer takes nothing of the header's bytes that is not looked at there.
        let trailer = bytes.get(bytes.len().saturating_sub(LONGEST_TRAILER)..).unwrap_or_default();
        for four in [header, trailer].into_iter().flat_map(|part| part.windows(4)) {
            let (word, bit) = Self::place(four.first_chunk().copied().unwrap_or_default());
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
        Self { bits }
    }

    /// The word and the bit of these bytes.
    fn place(four: [u8; 4]) -> (usize, u64) {
        // Multiplied by the golden ratio, because numbers differ in few bits.
        let remainder = u32::from_le_bytes(four).wrapping_mul(0x9e37_79b1) >> 16;
        ((remainder / u64::BITS) as usize, 1 << (remainder % u64::BITS))
    }

    pub(super) fn may_hold(&self, four: [u8; 4]) -> bool {
        let (word, bit) = Self::place(four);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Whether a number may be there in four or eight bytes of this order: the lower half is in all of them.
    fn may_have(&self, number: u64, order: ByteOrder) -> bool {
        let [a, b, c, d, ..] = number.to_le_bytes();
        self.may_hold(match order {
            ByteOrder::Little => [a, b, c, d],
            ByteOrder::Big => [d, c, b, a],
        })
    }
}

/// Whether a number is 0 for all images.
pub(super) fn is_zero_everywhere(value: Value, numbers: &[Numbers]) -> bool {
    numbers.iter().all(|numbers| numbers.get(value) == Some(0))
}

/// Every number that is no checksum, at every place where all samples have it.
/// `fours` are those of the first sample.
pub(super) fn matches(
    sections: &[&[u8]],
    numbers: &[Numbers],
    map: MapForm,
    unit: u32,
    fours: &Fours,
) -> Vec<Match> {
    let mut found = Vec::new();
    for value in Value::PLAIN {
        let told_elsewhere = match value {
            // Without padding it is another one by another name.
            Value::PaddedLength => unit == 1,
            // Other maps have no runs to count.
            Value::RunCount => !matches!(map, MapForm::Runs(_)),
            // Of cells of one byte there are as many as blocks.
            Value::MapLength => matches!(map, MapForm::Cells(cells) if cells.width() == 1),
            // As many as blocks of that size.
            Value::ImageSizeIn(unit, Rounding::Up) => {
                numbers.iter().all(|numbers| numbers.block_size == unit.bytes())
            }
            _ => false,
        };
        // Zeros are everywhere; that is asked elsewhere.
        if !told_elsewhere && !is_zero_everywhere(value, numbers) {
            let values = numbers.iter().filter_map(|numbers| numbers.get(value)).collect::<Vec<_>>();
            for (width, order) in number_forms() {
                plain_numbers(sections, &values, value, (width, order), fours, &mut found);
            }
        }
    }
    found
}

/// Every width and order, the wide ones first.
pub(super) fn number_forms() -> impl Iterator<Item = (Width, ByteOrder)> {
    WIDTHS.into_iter().flat_map(|width| [ByteOrder::Little, ByteOrder::Big].map(|order| (width, order)))
}

impl Match {
    pub(super) fn new(
        range: Range<usize>,
        value: Value,
        (width, order): (Width, ByteOrder),
        values: &[u64],
    ) -> Self {
        let least = values.iter().min().copied().unwrap_or(0);
        let varies = values.iter().any(|value| Some(value) != values.first());
        Self { range, value, width, order, varies, least }
    }
}

/// The places where all sections have their own of these numbers. `fours` are those of the first sample, of which the first section is
/// a part.
pub(super) fn plain_numbers(
    sections: &[&[u8]],
    values: &[u64],
    value: Value,
    (width, order): (Width, ByteOrder),
    fours: &Fours,
    found: &mut Vec<Match>,
) {
    let is_possible = |first: &u64| fours.may_have(*first, order);
    if !values.first().is_some_and(is_possible) {
        return;
    }
    let bytes = values.iter().filter_map(|number| number_bytes(*number, width, order)).collect::<Vec<_>>();
    let (Some(section), Some(first)) = (sections.first(), bytes.first()) else { return };
    if bytes.len() != sections.len() {
        return;
    }
    let mut from = 0;
    while let Some(at) = section.get(from..).and_then(|rest| memmem::find(rest, first)).map(|at| from + at) {
        let range = at..at + width.bytes();
        let fits =
            |(section, bytes): (&&[u8], &Vec<u8>)| section.get(range.clone()) == Some(bytes.as_slice());
        if sections.iter().zip(&bytes).all(fits) {
            found.push(Match::new(range.clone(), value, (width, order), values));
        }
        from = at + 1;
    }
}

/// Bytes of a number without the zeros before it.
fn significant_bytes(number: u64) -> usize {
    number.to_be_bytes().iter().skip_while(|byte| **byte == 0).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a search of the same numbers in any section, without a look at the four bytes.
        #[test]
        fn numbers_are_found_where_they_stand(
            bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..300),
            long in any::<bool>(), from in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
            other in prop_oneof![0u64..600, any::<u64>()], number_at in any::<bool>(),
        ) {
            // The section is in the last bytes, behind more than a header's.
            let before = if long { LONGEST_HEADER + LONGEST_TRAILER } else { 0 };
            let file = [vec![7; before], bytes.clone()].concat();
            let start = from.index(bytes.len() + 1);
            let section = &bytes[start..];
            for (width, order) in number_forms() {
                let there = at.index(section.len() + 1);
                let there = section.get(there..there + width.bytes()).filter(|_| number_at);
                let number = there.map_or(other, |there| crate::number::number_in(there, order));
                let mut found = Vec::new();
                plain_numbers(&[section], &[number], Value::BlockCount, (width, order), &Fours::of(&file), &mut found);
                let naive = number_bytes(number, width, order).map_or_else(Vec::new, |number| {
                    let places = section.windows(number.len()).enumerate();
                    places.filter(|(_, there)| *there == number).map(|(at, _)| at).collect::<Vec<_>>()
                });
                prop_assert_eq!(found.iter().map(|m| m.range.start).collect::<Vec<_>>(), naive);
            }
        }

        #[test]
        fn what_is_not_there_is_mostly_known_to_be_nowhere(bytes in prop::collection::vec(any::<u8>(), 4..300), four in any::<[u8; 4]>()) {
            let fours = Fours::of(&bytes);
            prop_assert!(bytes.windows(4).all(|there| fours.may_hold(there.try_into().unwrap())));
            let set = fours.bits.iter().map(|word| word.count_ones()).sum::<u32>();
            prop_assert!(set > 0 && set <= 297);
            prop_assert!(fours.may_hold(four) || !bytes.windows(4).any(|there| there == four));
        }
    }
}
