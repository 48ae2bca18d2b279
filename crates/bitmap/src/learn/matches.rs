//! Numbers that stand at the same bytes of a header or trailer in all samples.

use std::ops::Range;

use memchr::memmem;

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

/// Whether a number is 0 for all images.
pub(super) fn is_zero_everywhere(value: Value, numbers: &[Numbers]) -> bool {
    numbers.iter().all(|numbers| numbers.get(value) == Some(0))
}

/// Every number that is no checksum, at every place where all samples have it.
pub(super) fn matches(sections: &[&[u8]], numbers: &[Numbers], map: MapForm, unit: u32) -> Vec<Match> {
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
                plain_numbers(sections, &values, value, (width, order), &mut found);
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

/// The places where all sections have their own of these numbers.
pub(super) fn plain_numbers(
    sections: &[&[u8]],
    values: &[u64],
    value: Value,
    (width, order): (Width, ByteOrder),
    found: &mut Vec<Match>,
) {
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
