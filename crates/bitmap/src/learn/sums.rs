//! Checksums in a header or trailer of all samples.

use std::ops::Range;

use memchr::memmem;

use super::matches::{Match, SampleFile, number_forms, plain_numbers};
use crate::checksum::{Algorithm, Covered, RunningSum, places_of_own_sum};
use crate::field::Value;
use crate::frame::SectionKind;
use crate::number::{ByteOrder, Width, number_bytes};

/// Every checksum at every place in sections of this kind where all samples have it. The time is proportional to the length of the
/// samples and to that of the sections. `unit` is that of the padding.
pub(super) fn checksums(kind: SectionKind, files: &[SampleFile<'_>], unit: u32, found: &mut Vec<Match>) {
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
                known_sums(kind, files, algorithm, covered, found);
            }
        }
        sums_of_what_comes_before(kind, files, algorithm, Covered::Before, found);
        if kind == SectionKind::Trailer {
            // In a header it is the checksum of the bytes before.
            sums_of_what_comes_before(kind, files, algorithm, Covered::FileBefore, found);
        }
        sums_around_their_field(kind, files, algorithm, Covered::Section, found);
        sums_around_their_field(kind, files, algorithm, Covered::File, found);
    }
}

/// Checksums whose covered bytes do not depend on their place.
fn known_sums(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    algorithm: Algorithm,
    covered: Covered,
    found: &mut Vec<Match>,
) {
    let sum = |file: &SampleFile<'_>| {
        let covered = file.bytes.get(file.frame.covered(covered, kind, 0)).unwrap_or_default();
        algorithm.of(covered)
    };
    let Some(first) = files.first() else { return };
    let own = sum(first);
    let is_there = |bytes: [u8; 4]| memmem::find(first.section(kind), &bytes).is_some();
    if !is_there(own.to_le_bytes()) && !is_there(own.to_be_bytes()) {
        return;
    }
    let values = files.iter().map(|file| u64::from(sum(file))).collect::<Vec<_>>();
    let sections = files.iter().map(|file| file.section(kind)).collect::<Vec<_>>();
    for form in number_forms() {
        plain_numbers(&sections, &values, Value::Checksum(algorithm, covered), form, found);
    }
}

/// Checksums of the bytes of section or file that come before them.
fn sums_of_what_comes_before(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    algorithm: Algorithm,
    covered: Covered,
    found: &mut Vec<Match>,
) {
    let Some(first) = files.first() else { return };
    let range = first.frame.section(kind);
    let before = first.frame.covered(covered, kind, range.start);
    // At the beginning of the trailer of a file without header, what comes before is the map with its padding.
    let is_named_otherwise = before.is_empty() || before.start == first.frame.header;
    let mut sum = RunningSum::new(algorithm);
    sum.update(first.bytes.get(before).unwrap_or_default());
    for at in range {
        if at > first.frame.section(kind).start || !is_named_otherwise {
            let value = sum.value();
            for (width, order) in forms_at(first.bytes, at, value) {
                keep_if_common(kind, files, (algorithm, covered), at, (width, order), found);
            }
        }
        sum.update(first.bytes.get(at..=at).unwrap_or_default());
    }
}

/// Checksums of section or file as it is with zeros in their own place.
fn sums_around_their_field(
    kind: SectionKind,
    files: &[SampleFile<'_>],
    algorithm: Algorithm,
    covered: Covered,
    found: &mut Vec<Match>,
) {
    let Some(first) = files.first() else { return };
    let section = first.frame.section(kind);
    let around = first.frame.covered(covered, kind, section.start);
    let bytes = first.bytes.get(around.clone()).unwrap_or_default();
    let window = section.start - around.start..section.end - around.start;
    for (place, order) in places_of_own_sum(algorithm, bytes, window) {
        let at = around.start + place;
        keep_if_common(kind, files, (algorithm, covered), at, (Width::U32, order), found);
        // Zeros beside it are zeros of its field as well.
        let wide = match order {
            ByteOrder::Little => Some(at),
            ByteOrder::Big => at.checked_sub(4),
        };
        if let Some(at) = wide {
            keep_if_common(kind, files, (algorithm, covered), at, (Width::U64, order), found);
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
