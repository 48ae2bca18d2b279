//! What may stand between the map and the trailer.

use super::LONGEST_TRAILER;
use super::expected::Expected;
use crate::binary::MapForm;
use crate::frame::Frame;

/// Largest padding unit that is looked for.
pub(super) const LARGEST_UNIT: u32 = 64 << 10;

/// A trailer does not begin with so many bytes of the padding's value: they would be padding.
const LONGEST_PADDING_IN_TRAILER: usize = 16;

/// Padding and trailer that fit every sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) unit: u32,
    pub(super) bit: bool,
    /// Length of the trailer.
    pub(super) trailer: usize,
}

impl Tail {
    /// Where the parts of a sample are that has this tail, after a header and a map of so many bytes.
    pub(super) fn frame(self, header: usize, map: usize) -> Frame {
        let padded = map.next_multiple_of(self.unit.max(1) as usize);
        Frame { header, map, padded, trailer: self.trailer }
    }
}

/// Every padding and length of trailer that fit all samples, where the map begins after `header` bytes. Where a trailer that
/// begins as padding would fit as well, it says in words what was taken to be so.
pub(super) fn tails<'a>(
    pairs: impl Iterator<Item = (&'a [u8], &'a Expected)> + Clone,
    header: usize,
    map: MapForm,
) -> (Vec<Tail>, Option<String>) {
    let units = (0..).map(|shift| 1u32 << shift).take_while(|unit| *unit <= LARGEST_UNIT);
    // Maps that are multiples of a unit anyway have no padding, whatever its value would be.
    let pads = |unit: u32| unit as usize > map.granule();
    let fills = matches!(map, MapForm::Bits(_));
    let all = units
        .filter(|unit| *unit == 1 || pads(*unit) && !matches!(map, MapForm::Runs(_)))
        .flat_map(|unit| [false, true].map(|bit| (unit, bit)))
        .filter(|(unit, bit)| !bit || fills || pads(*unit))
        .filter_map(|(unit, bit)| tail(pairs.clone(), header, unit, bit))
        .collect::<Vec<_>>();
    let (likely, unlikely) =
        all.into_iter().partition::<Vec<_>, _>(|tail| !begins_as_padding(pairs.clone(), *tail));
    let assumption = likely.first().filter(|_| !unlikely.is_empty()).map(|tail| {
        let what = if tail.bit { "ones" } else { "zeros" };
        format!(
            "the {what} after the map are padding, and not the beginning of a trailer of fixed length; a sample \
             whose map has another length would confirm it"
        )
    });
    (likely, assumption)
}

/// Whether the trailer of every sample begins with so many bytes of the padding's value that they would be padding.
fn begins_as_padding<'a>(mut pairs: impl Iterator<Item = (&'a [u8], &'a Expected)>, tail: Tail) -> bool {
    let pad = if tail.bit { 0xff } else { 0 };
    pairs.all(|(sample, _)| {
        let trailer = sample.get(sample.len().saturating_sub(tail.trailer)..).unwrap_or_default();
        let beginning = trailer.get(..LONGEST_PADDING_IN_TRAILER);
        beginning.is_some_and(|bytes| bytes.iter().all(|byte| *byte == pad))
    })
}

fn tail<'a>(
    pairs: impl Iterator<Item = (&'a [u8], &'a Expected)>,
    header: usize,
    unit: u32,
    bit: bool,
) -> Option<Tail> {
    let pad = if bit { 0xff } else { 0 };
    let mut tail: Option<Tail> = None;
    for (sample, expected) in pairs {
        let bits_end = header + expected.len();
        let padded_end = header as u64 + (expected.len() as u64).next_multiple_of(u64::from(unit));
        let padded_end = usize::try_from(padded_end).ok()?;
        let padding = sample.get(bits_end..padded_end)?;
        let trailer = sample.get(padded_end..)?.len();
        if trailer > LONGEST_TRAILER
            || tail.is_some_and(|tail| tail.trailer != trailer)
            || padding.iter().any(|byte| *byte != pad)
            || expected.has_fill() && !expected.fill_may_be(sample, header, bit)
        {
            return None;
        }
        tail = Some(Tail { unit, bit, trailer });
    }
    tail
}
