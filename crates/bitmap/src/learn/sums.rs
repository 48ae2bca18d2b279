//! Checksums in a header or trailer of all samples.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

use super::matches::{Fours, Match, SampleFile, number_forms, plain_numbers};
use super::{LONGEST_HEADER, LONGEST_TRAILER};
use crate::checksum::{Algorithm, Covered, RunningSum, places_of_own_sum};
use crate::field::Value;
use crate::frame::SectionKind;
use crate::number::{ByteOrder, Width, number_bytes};

/// Sections that are no longer than this are looked at together.
const SHORTEST_STRETCH: usize = 64;

/// A checksum at its place in a file, in one of the forms of a number.
type SumAt = (usize, (Width, ByteOrder));

/// What is known of the first sample. It depends on nothing but bytes of it, which hypotheses share that differ in the form of the map
/// or in the padding: each is looked for, or calculated, once.
pub(super) struct OfFirst {
    /// Where there are checksums that depend on their own place, of a section or longer stretch.
    found: BTreeMap<(Algorithm, Covered, usize, usize), Vec<SumAt>>,
    /// Checksums of bytes that do not depend on the place of the checksum.
    known: BTreeMap<(Algorithm, usize, usize), u32>,
    /// Where checksums may be, as far as sections reach.
    possible: Option<Vec<Range<usize>>>,
    /// Which numbers may be there.
    pub(super) fours: Fours,
}

impl OfFirst {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { found: BTreeMap::new(), known: BTreeMap::new(), possible: None, fours: Fours::of(bytes) }
    }

    /// The checksum of a range of these bytes, which are the sample's.
    fn sum(&mut self, algorithm: Algorithm, range: Range<usize>, bytes: &[u8]) -> u32 {
        let key = (algorithm, range.start, range.end);
        *self.known.entry(key).or_insert_with(|| algorithm.of(bytes.get(range).unwrap_or_default()))
    }

    /// Those in a section, or longer stretch, of the first sample, as they were found before or are found now in the places that are
    /// given to `find`.
    fn in_stretch(
        &mut self,
        (algorithm, covered): (Algorithm, Covered),
        stretch: Range<usize>,
        bytes: &[u8],
        find: impl FnOnce(&[Range<usize>]) -> Vec<SumAt>,
    ) -> &[SumAt] {
        let possible = self.possible.get_or_insert_with(|| possible_places(bytes));
        self.found.entry((algorithm, covered, stretch.start, stretch.end)).or_insert_with(|| {
            let from = possible.partition_point(|places| places.end <= stretch.start);
            let places = possible.get(from..).unwrap_or_default().iter();
            let within = places.take_while(|places| places.start < stretch.end);
            let within = within.map(|places| places.start.max(stretch.start)..places.end.min(stretch.end));
            find(&within.collect::<Vec<_>>())
        })
    }
}

/// Places in this file where a checksum may begin, as far as headers and trailers reach: not among bytes that are all alike, before
/// it and in it and after it, which are [no checksum](keep_if_common) whatever their width and order would be.
fn possible_places(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut possible = Vec::new();
    let mut from = 0;
    let header = bytes.len().min(LONGEST_HEADER);
    let trailer = bytes.len().saturating_sub(LONGEST_TRAILER).max(header);
    for part in [0..header, trailer..bytes.len()] {
        let mut at = part.start;
        from = from.max(at);
        for run in bytes.get(part).unwrap_or_default().chunk_by(|a, b| a == b) {
            let end = at + run.len();
            // The number of a wide field may come after four zeros, or before them.
            let (first, last) = (at + Width::U32.bytes(), (end + 1).saturating_sub(Width::U64.bytes()));
            if first < last {
                possible.push(from..first);
                from = last;
            }
            at = end;
        }
        possible.push(from..at);
        from = at;
    }
    possible
}

/// Every checksum at every place in sections of this kind where all samples have it. The time is proportional to the length of the
/// samples and to that of the sections. `unit` is that of the padding; `sums` is what is known of the first
/// of these samples.
pub(super) fn checksums(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    unit: u32,
    sums: &mut OfFirst,
    found: &mut Vec<Match>,
) {
    let Some(first) = files.first() else { return };
    if first.frame.section(kind).len() < Width::U32.bytes() {
        return;
    }
    for algorithm in Algorithm::ALL {
        for covered in [Covered::Map, Covered::PaddedMap, Covered::Header] {
            let told_elsewhere = match covered {
                // Without padding it is that of the map.
                Covered::PaddedMap => unit == 1,
                // Of no header it is the same in every file, and no number.
                Covered::Header => kind == SectionKind::Header || first.frame.header == 0,
                _ => false,
            };
            if !told_elsewhere {
                known_sums(kind, files, (algorithm, covered), sums, found);
            }
        }
        sums_of_what_comes_before(kind, files, (algorithm, Covered::Before), sums, found);
        if kind == SectionKind::Trailer {
            // In a header it is the checksum of the bytes before.
            sums_of_what_comes_before(kind, files, (algorithm, Covered::FileBefore), sums, found);
        }
        sums_around_their_field(kind, files, (algorithm, Covered::Section), sums, found);
        sums_around_their_field(kind, files, (algorithm, Covered::File), sums, found);
    }
}

/// Checksums whose covered bytes do not depend on their place.
fn known_sums(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    (algorithm, covered): (Algorithm, Covered),
    sums: &mut OfFirst,
    found: &mut Vec<Match>,
) {
    let sum = |file: &SampleFile<'_>| {
        let covered = file.bytes.get(file.frame.covered(covered, kind, 0)).unwrap_or_default();
        algorithm.of(covered)
    };
    let Some(first) = files.first() else { return };
    let own = sums.sum(algorithm, first.frame.covered(covered, kind, 0), first.bytes);
    let fours = &sums.fours;
    let is_there =
        |bytes: [u8; 4]| fours.may_hold(bytes) && memmem::find(first.section(kind), &bytes).is_some();
    if !is_there(own.to_le_bytes()) && !is_there(own.to_be_bytes()) {
        return;
    }
    let values = files.iter().map(|file| u64::from(sum(file))).collect::<Vec<_>>();
    let sections = files.iter().map(|file| file.section(kind)).collect::<Vec<_>>();
    for form in number_forms() {
        plain_numbers(&sections, &values, Value::Checksum(algorithm, covered), form, fours, found);
    }
}

/// Checksums of the bytes of section or file that come before them.
fn sums_of_what_comes_before(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    (algorithm, covered): (Algorithm, Covered),
    sums: &mut OfFirst,
    found: &mut Vec<Match>,
) {
    let Some(first) = files.first() else { return };
    let section = first.frame.section(kind);
    let before = first.frame.covered(covered, kind, section.start);
    // At the beginning of the trailer of a file without header, what comes before is the map with its padding.
    let is_named_otherwise = before.is_empty() || before.start == first.frame.header;
    // What comes before a place in the file does not depend on where the section begins or ends.
    let stretch = if before.start == 0 { wider(first, kind) } else { section.clone() };
    let find = |possible: &[Range<usize>]| {
        let mut places = Vec::new();
        let mut sum = RunningSum::new(algorithm);
        let mut summed = before.start;
        for at in possible.iter().cloned().flatten() {
            sum.update(first.bytes.get(summed..at).unwrap_or_default());
            summed = at;
            places.extend(forms_at(first.bytes, at, sum.value()).into_iter().map(|form| (at, form)));
        }
        places
    };
    for (at, form) in sums.in_stretch((algorithm, covered), stretch, first.bytes, find) {
        if *at > section.start && *at < section.end || *at == section.start && !is_named_otherwise {
            keep_if_common(kind, files, (algorithm, covered), *at, *form, found);
        }
    }
}

/// The section of a file, and so many bytes more that sections of only a few lengths have to be looked at, whose lengths together are
/// proportional to the longest of them.
fn wider(file: &SampleFile<'_>, kind: SectionKind) -> Range<usize> {
    let section = file.frame.section(kind);
    let length = section.len().next_power_of_two().max(SHORTEST_STRETCH);
    let end = file.frame.section(SectionKind::Trailer).end;
    match kind {
        SectionKind::Header => 0..length.min(end),
        SectionKind::Trailer => end.saturating_sub(length)..end,
    }
}

/// Checksums of section or file as it is with zeros in their own place.
fn sums_around_their_field(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    (algorithm, covered): (Algorithm, Covered),
    sums: &mut OfFirst,
    found: &mut Vec<Match>,
) {
    let Some(first) = files.first() else { return };
    let section = first.frame.section(kind);
    let around = first.frame.covered(covered, kind, section.start);
    // Those of the file are the same in sections of every length.
    let stretch = if covered == Covered::File { wider(first, kind) } else { section.clone() };
    let find = |possible: &[Range<usize>]| {
        let (Some(one), Some(other)) = (possible.first(), possible.last()) else { return Vec::new() };
        let bytes = first.bytes.get(around.clone()).unwrap_or_default();
        // The bytes of the last one are within the stretch, too.
        let end = (other.end + Width::U32.bytes() - 1).min(stretch.end);
        let window = one.start.saturating_sub(around.start)..end.saturating_sub(around.start);
        let places = places_of_own_sum(algorithm, bytes, window).into_iter();
        places.map(|(place, order)| (around.start + place, (Width::U32, order))).collect()
    };
    for (at, form @ (_, order)) in sums.in_stretch((algorithm, covered), stretch.clone(), first.bytes, find) {
        if *at < section.start || at + Width::U32.bytes() > section.end {
            continue;
        }
        keep_if_common(kind, files, (algorithm, covered), *at, *form, found);
        // Zeros beside it are zeros of its field as well.
        let wide = match order {
            ByteOrder::Little => Some(*at),
            ByteOrder::Big => at.checked_sub(4),
        };
        if let Some(at) = wide {
            keep_if_common(kind, files, (algorithm, covered), at, (Width::U64, *order), found);
        }
    }
}

/// The forms in which a number is at this place of a file.
fn forms_at(bytes: &[u8], at: usize, number: u32) -> Vec<(Width, ByteOrder)> {
    let four = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
    let (here, next) = (four(at), four(at + 4));
    let mut forms = Vec::new();
    if here == Some(number.to_le_bytes()) {
        forms.push((Width::U32, ByteOrder::Little));
        if next == Some([0; 4]) {
            forms.push((Width::U64, ByteOrder::Little));
        }
    }
    if here == Some(number.to_be_bytes()) {
        forms.push((Width::U32, ByteOrder::Big));
    }
    if here == Some([0; 4]) && next == Some(number.to_be_bytes()) {
        forms.push((Width::U64, ByteOrder::Big));
    }
    forms
}

/// Keeps a checksum at `at` if all samples have it there, calculated anew for each of them.
fn keep_if_common(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    (algorithm, covered): (Algorithm, Covered),
    at: usize,
    (width, order): (Width, ByteOrder),
    found: &mut Vec<Match>,
) {
    let Some(start) = files.first().and_then(|first| at.checked_sub(first.frame.section(kind).start)) else {
        return;
    };
    let within = start..start + width.bytes();
    let mut values = Vec::with_capacity(files.len());
    for file in files {
        let Some(there) = file.section(kind).get(within.clone()) else { return };
        // Four bytes that are all alike are no checksum, or one in sixteen million; zeros are most of many sections.
        if there.windows(4).all(|four| four.iter().all(|byte| Some(byte) == four.first())) {
            return;
        }
        let sum = u64::from(file.sum(kind, (algorithm, covered), &within));
        if number_bytes(sum, width, order).as_deref() != Some(there) {
            return;
        }
        values.push(sum);
    }
    found.push(Match::new(within, Value::Checksum(algorithm, covered), (width, order), &values));
}

impl SampleFile<'_> {
    /// A checksum for a field at these bytes of a section.
    fn sum(
        &self,
        kind: SectionKind,
        (algorithm, covered): (Algorithm, Covered),
        field: &Range<usize>,
    ) -> u32 {
        let start = self.frame.section(kind).start;
        let covered = self.frame.covered(covered, kind, start + field.start);
        let bytes = self.bytes.get(covered.clone()).unwrap_or_default();
        let own = (start + field.start).saturating_sub(covered.start)
            ..(start + field.end).saturating_sub(covered.start);
        algorithm.with_zeros(bytes, own)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a look at the twelve bytes around each place.
        #[test]
        fn only_places_among_bytes_that_are_all_alike_are_left_out(
            runs in prop::collection::vec((0u8..3, 1usize..40), 0..12), long in any::<bool>(),
        ) {
            let mut bytes = runs.iter().flat_map(|(byte, count)| vec![*byte; *count]).collect::<Vec<_>>();
            // What no section reaches is not looked at.
            let middle = if long { LONGEST_HEADER + LONGEST_TRAILER } else { 0 };
            bytes.splice(0..0, (0..middle).map(|at| at.to_le_bytes()[0]));
            let found = possible_places(&bytes).into_iter().flatten().collect::<Vec<_>>();
            prop_assert!(found.is_sorted_by(|a, b| a < b));
            let reached = bytes.len().saturating_sub(LONGEST_TRAILER).max(bytes.len().min(LONGEST_HEADER));
            for at in (0..bytes.len().min(LONGEST_HEADER)).chain(reached..bytes.len()) {
                let around = at.checked_sub(4).and_then(|from| bytes.get(from..at + 8));
                let alike = around.is_some_and(|bytes| bytes.iter().all(|byte| Some(byte) == bytes.first()));
                prop_assert!(!alike || !found.contains(&at) || middle > 0, "{at}");
                prop_assert!(alike || found.binary_search(&at).is_ok(), "{at}");
            }
        }
    }
}
