//! Where the parts of a bitmap file of bytes are, and the checksums over them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;

use crate::checksum::{Algorithm, Covered, RunningSum};
use crate::field::{self, Field, Value};
use crate::number::{ByteOrder, Width, number_bytes};

/// Before the map, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectionKind {
    Header,
    Trailer,
}

impl fmt::Display for SectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Header => "header",
            Self::Trailer => "trailer",
        })
    }
}

/// How many bytes each part of one file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) header: usize,
    pub(crate) map: usize,
    /// The map with its padding.
    pub(crate) padded: usize,
    pub(crate) trailer: usize,
}

impl Frame {
    /// Where a section is in the file.
    pub(crate) fn section(&self, kind: SectionKind) -> Range<usize> {
        let after = self.header + self.padded;
        match kind {
            SectionKind::Header => 0..self.header,
            SectionKind::Trailer => after..after + self.trailer,
        }
    }

    /// The bytes of the file that a checksum covers whose field is at `field` in a section of this kind.
    pub(crate) fn covered(&self, covered: Covered, kind: SectionKind, field: usize) -> Range<usize> {
        match covered {
            Covered::Map => self.header..self.header + self.map,
            Covered::PaddedMap => self.header..self.header + self.padded,
            Covered::Before => self.section(kind).start..field,
            Covered::Section => self.section(kind),
            Covered::Header => 0..self.header,
            Covered::FileBefore => 0..field,
            Covered::File => 0..self.section(SectionKind::Trailer).end,
        }
    }

    /// The fields of both sections, each with the bytes of the file that it takes.
    pub(crate) fn placed<'f>(
        self,
        header: &'f [Field],
        trailer: &'f [Field],
    ) -> impl Iterator<Item = (SectionKind, Range<usize>, &'f Field)> {
        let sections = [(SectionKind::Header, header), (SectionKind::Trailer, trailer)];
        let starts = sections.map(|(kind, fields)| (kind, self.section(kind).start, fields));
        starts.into_iter().flat_map(|(kind, start, fields)| {
            field::placed(fields)
                .map(move |(range, field)| (kind, start + range.start..start + range.end, field))
        })
    }
}

/// A checksum in one file.
struct Placed {
    value: Value,
    algorithm: Algorithm,
    kind: SectionKind,
    covered: Range<usize>,
    field: Range<usize>,
    width: Width,
    order: ByteOrder,
}

/// The checksums of a file in an order in which they can be calculated: each after those that it covers.
///
/// # Errors
///
/// The names of checksums that cover each other, so that none of them can be calculated first.
fn in_order(frame: &Frame, header: &[Field], trailer: &[Field]) -> Result<Vec<Placed>, Vec<&'static str>> {
    let checksums = frame.placed(header, trailer).filter_map(|(kind, range, field)| match field {
        Field::Number { value: value @ Value::Checksum(algorithm, covered), width, order } => Some(Placed {
            value: *value,
            algorithm: *algorithm,
            kind,
            covered: frame.covered(*covered, kind, range.start),
            field: range,
            width: *width,
            order: *order,
        }),
        _ => None,
    });
    let mut open = checksums.collect::<Vec<_>>();
    let mut ordered = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let covers = |checksum: &Placed, other: &Placed| {
            checksum.field != other.field
                && checksum.covered.start < other.field.end
                && other.field.start < checksum.covered.end
        };
        let next = open.iter().position(|checksum| !open.iter().any(|other| covers(checksum, other)));
        match next {
            Some(next) => ordered.push(open.remove(next)),
            None => return Err(open.iter().map(|checksum| checksum.value.name()).collect()),
        }
    }
    Ok(ordered)
}

/// The names of checksums that cover each other in every file with these sections, and of those that cover such ones, so that
/// none of them can be calculated first; empty if there are none.
pub(crate) fn circular_checksums(header: &[Field], trailer: &[Field]) -> Vec<&'static str> {
    // What covers what is the same for maps of every length.
    let (header_length, trailer_length) = (field::length_of(header), field::length_of(trailer));
    let frame = Frame { header: header_length, map: 1, padded: 1, trailer: trailer_length };
    in_order(&frame, header, trailer).err().unwrap_or_default()
}

/// The bytes of header and trailer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Around {
    pub(crate) header: Vec<u8>,
    pub(crate) trailer: Vec<u8>,
}

impl Around {
    fn section_mut(&mut self, kind: SectionKind) -> &mut [u8] {
        match kind {
            SectionKind::Header => &mut self.header,
            SectionKind::Trailer => &mut self.trailer,
        }
    }

    /// The bytes that a checksum covers, with zeros in place of its own.
    fn covered(&self, frame: &Frame, checksum: &Placed) -> Self {
        let part = |kind: SectionKind, bytes: &[u8]| {
            let section = frame.section(kind);
            let within = |range: &Range<usize>| {
                let inside = |at: usize| at.clamp(section.start, section.end) - section.start;
                inside(range.start)..inside(range.end)
            };
            let covered = within(&checksum.covered);
            let mut part = bytes.get(covered.clone()).unwrap_or_default().to_vec();
            if kind == checksum.kind {
                let own = within(&checksum.field);
                let own = own.start.saturating_sub(covered.start)..own.end.saturating_sub(covered.start);
                let own = own.start.min(part.len())..own.end.min(part.len());
                part.get_mut(own).unwrap_or_default().fill(0);
            }
            part
        };
        Self {
            header: part(SectionKind::Header, &self.header),
            trailer: part(SectionKind::Trailer, &self.trailer),
        }
    }
}

/// Checksums of one map, with so many bytes of it and its padding and what comes before and after them, as far as they were calculated:
/// files that store the same map have most of them in common.
#[derive(Debug, Default)]
pub(crate) struct MapSums(BTreeMap<(Algorithm, Around, usize), u32>);

/// Writes the checksums into header and trailer that are complete except for them. The map is asked for only if a checksum covers it
/// that `sums` have not; each byte of its padding is `padding`.
pub(crate) fn fill_checksums<'m>(
    around: &mut Around,
    frame: &Frame,
    (header, trailer): (&[Field], &[Field]),
    (map, padding): (impl Fn() -> &'m [u8], u8),
    sums: &mut MapSums,
) {
    // A description with checksums that cover each other is refused before it becomes a layout.
    for checksum in in_order(frame, header, trailer).unwrap_or_default() {
        let covered = around.covered(frame, &checksum);
        // What covers a part of the map covers it from its beginning on.
        let between = match checksum.covered.start <= frame.header {
            true => checksum.covered.end.min(frame.header + frame.padded).saturating_sub(frame.header),
            false => 0,
        };
        let calculated = |covered: &Around| {
            let mut sum = RunningSum::new(checksum.algorithm);
            sum.update(&covered.header);
            if between > 0 {
                let map = map();
                sum.update(map.get(..between.min(map.len())).unwrap_or_default());
                sum.update(&vec![padding; between.saturating_sub(map.len())]);
            }
            sum.update(&covered.trailer);
            sum.value()
        };
        let sum = if between == 0 {
            calculated(&covered)
        } else {
            match sums.0.entry((checksum.algorithm, covered, between)) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => {
                    let sum = calculated(&new.key().1);
                    *new.insert(sum)
                }
            }
        };
        let start = frame.section(checksum.kind).start;
        let field = checksum.field.start.saturating_sub(start)..checksum.field.end.saturating_sub(start);
        let bytes = number_bytes(u64::from(sum), checksum.width, checksum.order);
        if let (Some(place), Some(bytes)) = (around.section_mut(checksum.kind).get_mut(field), bytes) {
            place.copy_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn checksum(algorithm: Algorithm, covered: Covered) -> Field {
        Field::little(Value::Checksum(algorithm, covered), Width::U32)
    }

    fn magic() -> Field {
        Field::Constant(Cow::Borrowed(b"MAGI"))
    }

    #[test]
    fn each_checksum_is_that_of_the_finished_file() {
        let header =
            [magic(), checksum(Algorithm::Crc32, Covered::Map), checksum(Algorithm::Adler32, Covered::File)];
        let trailer = [
            checksum(Algorithm::Crc32c, Covered::FileBefore),
            checksum(Algorithm::Crc32, Covered::PaddedMap),
            checksum(Algorithm::Crc32, Covered::Section),
        ];
        // The checksum of the file covers that of the file before, and the other way round; that of the trailer covers one of them.
        let circular = circular_checksums(&header, &trailer);
        assert_eq!(circular, ["adler32-file", "crc32c-file-before", "crc32-section"]);
        let header = &header[..2];
        assert!(circular_checksums(header, &trailer).is_empty());
        let frame = Frame { header: 8, map: 3, padded: 4, trailer: 12 };
        let mut sums = MapSums::default();
        let mut file = Vec::new();
        // The second time, all that cover the map are known.
        for map in [Some(b"abc"), None] {
            let mut around = Around { header: b"MAGI\0\0\0\0".to_vec(), trailer: vec![0; 12] };
            let map = || &map.expect("the sums of the map are known")[..];
            fill_checksums(&mut around, &frame, (header, &trailer), (map, 0), &mut sums);
            let written = [around.header, b"abc\0".to_vec(), around.trailer].concat();
            assert!(file.is_empty() || file == written);
            file = written;
        }
        assert_eq!(file[4..8], Algorithm::Crc32.of(b"abc").to_le_bytes());
        assert_eq!(file[12..16], Algorithm::Crc32c.of(&file[..12]).to_le_bytes());
        assert_eq!(file[16..20], Algorithm::Crc32.of(b"abc\0").to_le_bytes());
        let zeroed = [&file[12..20], &[0; 4]].concat();
        assert_eq!(file[20..], Algorithm::Crc32.of(&zeroed).to_le_bytes());
    }

    #[test]
    fn two_checksums_of_one_section_are_possible_if_one_does_not_cover_the_other() {
        let before = checksum(Algorithm::Crc32, Covered::Before);
        let section = checksum(Algorithm::Crc32, Covered::Section);
        assert!(circular_checksums(&[magic(), before.clone(), section.clone()], &[]).is_empty());
        assert_eq!(circular_checksums(&[magic(), section.clone(), before], &[]).len(), 2);
        assert_eq!(circular_checksums(&[section.clone(), section], &[]).len(), 2);
    }
}
