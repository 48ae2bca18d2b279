//! Explaining a header or trailer: which of its bytes are numbers, and which are the same in every file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use memchr::memmem;

use super::matches::{Match, SampleFile, is_zero_everywhere, matches};
use super::sums::{OfFirst, checksums};
use crate::binary::MapForm;
use crate::field::{Field, Numbers, Rounding, SizeUnit, Value};
use crate::frame::SectionKind;
use crate::number::{ByteOrder, Width};

/// Choices among overlapping numbers that are weighed against each other; of more it is only said that there are too many.
const MOST_CHOICES: usize = 2048;
/// Assumptions about one section that are listed.
const MOST_ASSUMPTIONS: usize = 64;
/// Readings of one section that are written out.
const MOST_READINGS: usize = 256;

/// Bytes that can be read in several ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which bytes, in words.
    pub place: String,
    /// What they can be, in words. Empty if that is too much to write out.
    pub readings: Vec<String>,
}

/// A section as a row of pieces.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    /// Each with its readings, of which there is one where it is settled.
    pieces: Vec<Vec<Vec<Field>>>,
    pub(super) questions: Vec<Question>,
    pub(super) assumptions: Vec<String>,
}

impl Explained {
    /// In how many ways the section can be read, questions that are not written out counted as two.
    pub(super) fn readings(&self) -> usize {
        let unwritten = self.questions.iter().filter(|question| question.readings.is_empty()).count();
        let written = self.pieces.iter().fold(1usize, |all, piece| all.saturating_mul(piece.len()));
        written.saturating_mul(1 << unwritten.min(16))
    }

    /// Bytes that are not all zero and were taken for constant.
    pub(super) fn constant_bytes(&self) -> usize {
        let first = self.pieces.iter().filter_map(|piece| piece.first()).flatten();
        first
            .map(|field| match field {
                Field::Constant(bytes) if bytes.iter().any(|byte| *byte != 0) => bytes.len(),
                _ => 0,
            })
            .sum()
    }

    /// The readings as fields, the first ones first, as far as they are not too many.
    pub(super) fn expanded(&self) -> Vec<Vec<Field>> {
        let mut all = vec![Vec::new()];
        for piece in &self.pieces {
            let mut longer = Vec::new();
            for reading in piece {
                longer.extend(all.iter().map(|fields: &Vec<Field>| [&fields[..], reading].concat()));
            }
            longer.truncate(MOST_READINGS);
            all = longer;
        }
        all.into_iter().map(merged).collect()
    }
}

/// Neighbouring constants as one.
fn merged(fields: Vec<Field>) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    for field in fields {
        match (all.last_mut(), field) {
            (_, field) if field.is_empty() => {}
            (Some(Field::Constant(before)), Field::Constant(bytes)) => {
                before.to_mut().extend_from_slice(&bytes)
            }
            (_, field) => all.push(field),
        }
    }
    all
}

/// Explains the bytes of a section of all samples. `unit` is that of the padding; `of_first` is what is known of the
/// first of these samples.
///
/// # Errors
///
/// The first byte that differs between samples and is part of no known number.
pub(super) fn explain(
    place: SectionKind,
    files: &[SampleFile<'_>],
    numbers: &[Numbers],
    map: MapForm,
    unit: u32,
    of_first: &mut OfFirst,
) -> Result<Explained, usize> {
    let sections = files.iter().map(|file| file.section(place)).collect::<Vec<_>>();
    let sections = &sections[..];
    let length = sections.first().map_or(0, |section| section.len());
    let mut matches = matches(sections, numbers, map, unit, &of_first.fours);
    checksums(place, files, unit, of_first, &mut matches);
    matches.sort_by_key(|m| (m.range.start, m.range.end));
    drop_narrow(&mut matches);
    let rounded_sectors = drop_rounding_up(&mut matches, numbers);
    let mut explained = Explained { pieces: Vec::new(), questions: Vec::new(), assumptions: Vec::new() };
    let mut at = 0;
    let mut rest = &matches[..];
    while let Some(first) = rest.first() {
        let mut end = first.range.end;
        let count = rest.iter().take_while(|m| {
            let overlaps = m.range.start < end;
            if overlaps {
                end = end.max(m.range.end);
            }
            overlaps
        });
        let (cluster, after) = rest.split_at(count.count());
        explained.pieces.push(vec![vec![constant(sections, at..first.range.start)?]]);
        cluster_readings(place, sections, cluster, first.range.start..end, &mut explained)?;
        at = end;
        rest = after;
    }
    explained.pieces.push(vec![vec![constant(sections, at..length)?]]);
    let has_zeros = sections.first().is_some_and(|section| memmem::find(section, &[0; 4]).is_some());
    let may_be_zero = |value: &Value| *value != Value::RunCount && is_zero_everywhere(*value, numbers);
    for value in Value::PLAIN.into_iter().filter(|value| has_zeros && may_be_zero(value)) {
        let title = value.title();
        let place = format!(
            "zeros in the {place}: the {title} is 0 for every image, so any of them may be that number"
        );
        explained.questions.push(Question { place, readings: Vec::new() });
    }
    if rounded_sectors {
        explained.assumptions.push(format!(
            "the image size in sectors in the {place} is not rounded up: every image has complete sectors, as every disk has; \
             a sample of an image that has not would confirm it"
        ));
    }
    if explained.pieces.iter().flatten().flatten().any(|field| wide_image_size(field, numbers)) {
        explained.assumptions.push(format!(
            "the image size in the {place} has 8 bytes: the images are so small that 4 would do, followed by zeros; \
             a sample of an image of 4 GiB or more would confirm it"
        ));
    }
    Ok(explained)
}

fn wide_image_size(field: &Field, numbers: &[Numbers]) -> bool {
    matches!(field, Field::Number { value: Value::ImageSize, width: Width::U64, .. })
        && numbers.iter().all(|numbers| numbers.image_size < 1 << 32)
}

/// The bytes of a range, if they are the same in every sample.
fn constant(sections: &[&[u8]], range: Range<usize>) -> Result<Field, usize> {
    let bytes = sections.first().and_then(|section| section.get(range.clone())).unwrap_or_default();
    for section in sections {
        let there = section.get(range.clone()).unwrap_or_default();
        if let Some(differs) = bytes.iter().zip(there).position(|(a, b)| a != b) {
            return Err(range.start + differs);
        }
    }
    Ok(Field::Constant(Cow::Owned(bytes.to_vec())))
}

/// Adds the readings of bytes that one number, or several overlapping ones, may take.
fn cluster_readings(
    place: SectionKind,
    sections: &[&[u8]],
    cluster: &[Match],
    range: Range<usize>,
    explained: &mut Explained,
) -> Result<(), usize> {
    let bytes = format!("bytes {} to {} of the {place}", range.start, range.end - 1);
    let strong = cluster.iter().filter(|m| m.is_strong()).cloned().collect::<Vec<_>>();
    let weighed = choices(cluster);
    let all_weighed = weighed.is_some();
    let choices = weighed.or_else(|| {
        // Too many to weigh each against each: the question stays open, and those that are no chance stand for all, or one.
        explained.questions.push(Question { place: bytes.clone(), readings: Vec::new() });
        choices(&strong).or_else(|| one_choice(sections, cluster, range.clone()).map(|one| vec![one]))
    });
    let mut readings = Vec::new();
    let mut failed_at = range.start;
    for chosen in choices.unwrap_or_default() {
        match tiling(sections, &chosen, range.clone()) {
            Ok(fields) => readings.push((chosen, fields)),
            Err(at) => failed_at = failed_at.max(at),
        }
    }
    let strength = |chosen: &[&Match]| chosen.iter().map(|m| m.unlikely_bytes()).sum::<usize>();
    // What would need a chance of less than one in 2^24 is set aside.
    let most = readings.iter().map(|(chosen, _)| strength(chosen)).max().ok_or(failed_at)?;
    readings.retain(|(chosen, _)| strength(chosen) == most);
    // What is the same in all files may as well be named.
    readings.retain(|(chosen, _)| {
        !all_weighed || !cluster.iter().any(|m| m.is_constant() && chosen.iter().all(|c| !c.overlaps(m)))
    });
    readings.sort_by_key(|(chosen, _)| std::cmp::Reverse(width(chosen)));
    // Zeros beside a number may be part of it: all the same, except for an image of 4 GiB or more. The widest stands for all.
    let mut seen = BTreeSet::new();
    readings.retain(|(chosen, _)| {
        let depends = chosen.iter().filter(|m| !m.is_constant());
        seen.insert(depends.map(|m| m.significant()).collect::<Vec<_>>())
    });
    for (chosen, _) in &readings {
        for m in chosen.iter().filter(|m| m.is_strong() && !m.varies && !m.is_constant()) {
            let (start, end) = (m.range.start, m.range.end - 1);
            let text = format!(
                "bytes {start} to {end} of the {place} are the {}: they equal it in every sample, and that is the same in all \
                 of them; a sample with another value would confirm it",
                m.value.title()
            );
            if explained.assumptions.len() < MOST_ASSUMPTIONS && !explained.assumptions.contains(&text) {
                explained.assumptions.push(text);
            }
        }
    }
    if readings.len() > 1 {
        let readings = readings.iter().map(|(_, fields)| in_words(fields)).collect();
        explained.questions.push(Question { place: bytes, readings });
    }
    explained.pieces.push(readings.into_iter().map(|(_, fields)| fields).collect());
    Ok(())
}

/// How wide the numbers of a choice are: first the image size, of which the width matters, then all.
fn width(chosen: &[&Match]) -> (usize, usize) {
    let sum = |of: fn(&Match) -> bool| chosen.iter().filter(|m| of(m)).map(|m| m.range.len()).sum::<usize>();
    (sum(|m| m.value == Value::ImageSize), sum(|_| true))
}

/// Every choice of numbers that do not overlap; `None` if there are too many.
fn choices(cluster: &[Match]) -> Option<Vec<Vec<&Match>>> {
    let mut all: Vec<Vec<&Match>> = vec![Vec::new()];
    for next in cluster {
        let with = all.iter().filter(|chosen| chosen.iter().all(|m| !m.overlaps(next))).map(|chosen| {
            let mut with = chosen.clone();
            with.push(next);
            with
        });
        let with = with.collect::<Vec<_>>();
        all.extend(with);
        if all.len() > MOST_CHOICES {
            return None;
        }
    }
    Some(all)
}

/// One choice of numbers that leaves nothing but constants in between.
fn one_choice<'a>(sections: &[&[u8]], cluster: &'a [Match], range: Range<usize>) -> Option<Vec<&'a Match>> {
    // Places from which on the rest is explained, with the number that stands there, or none for a constant byte.
    let mut explained = BTreeMap::from([(range.end, None)]);
    for at in range.clone().rev() {
        // The cluster is in the order of the places.
        let from = cluster.partition_point(|m| m.range.start < at);
        let here = cluster.get(from..).unwrap_or_default().iter().take_while(|m| m.range.start == at);
        let here = here.filter(|m| explained.contains_key(&m.range.end));
        let widest = here.max_by_key(|m| m.range.len());
        let is_constant = || explained.contains_key(&(at + 1)) && constant(sections, at..at + 1).is_ok();
        if widest.is_some() || is_constant() {
            explained.insert(at, widest);
        }
    }
    let mut chosen = Vec::new();
    let mut at = range.start;
    while at < range.end {
        match explained.get(&at)? {
            Some(m) => {
                chosen.push(*m);
                at = m.range.end;
            }
            None => at += 1,
        }
    }
    Some(chosen)
}

/// The chosen numbers, with constants in between.
fn tiling(sections: &[&[u8]], chosen: &[&Match], range: Range<usize>) -> Result<Vec<Field>, usize> {
    let mut fields = Vec::new();
    let mut at = range.start;
    for m in chosen {
        fields.push(constant(sections, at..m.range.start)?);
        fields.push(m.field());
        at = m.range.end;
    }
    fields.push(constant(sections, at..range.end)?);
    fields.retain(|field| !field.is_empty());
    Ok(fields)
}

fn in_words(fields: &[Field]) -> String {
    let words = fields.iter().map(|field| match field {
        Field::Constant(bytes) if bytes.len() > 8 => format!("{} constant bytes", bytes.len()),
        Field::Constant(bytes) => {
            let bytes = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
            format!("constant {}", bytes.join(" "))
        }
        Field::Number { value, width, order } => {
            let order = match order {
                ByteOrder::Little => "little-endian",
                ByteOrder::Big => "big-endian",
            };
            format!("{} ({} bytes, {order})", value.title(), width.bytes())
        }
    });
    words.collect::<Vec<_>>().join(", then ")
}

/// Where sizes in sectors are the same rounded up and down, one of them stands for both: no disk has a part of a sector. Whether
/// there was such a place.
fn drop_rounding_up(matches: &mut Vec<Match>, numbers: &[Numbers]) -> bool {
    let down = Value::ImageSizeIn(SizeUnit::Sector, Rounding::Down);
    let up = Value::ImageSizeIn(SizeUnit::Sector, Rounding::Up);
    // Rounded up, they are the blocks of that size.
    let blocks = numbers.iter().all(|numbers| numbers.block_size == SizeUnit::Sector.bytes());
    let (kept, dropped) = if blocks { (Value::BlockCount, down) } else { (down, up) };
    let key = |m: &Match| (m.range.start, m.range.end, m.order == ByteOrder::Big);
    let kept = matches.iter().filter(|m| m.value == kept).map(key).collect::<BTreeSet<_>>();
    let before = matches.len();
    matches.retain(|m| m.value != dropped || !kept.contains(&key(m)));
    matches.len() < before
}

/// A number of eight bytes, four of which are zeros, is not reported again as one of the four others; unless the zeros may belong
/// to something else. The matches are in the order of their places, so that those that overlap are close to each other.
fn drop_narrow(matches: &mut Vec<Match>) {
    let widest = Width::U64.bytes();
    let stands_alone = |(number, wide): (usize, &Match)| {
        let before = matches.get(..number).unwrap_or_default().iter().rev();
        let before = before.take_while(|other| other.range.start + widest > wide.range.start);
        let after = matches.get(number..).unwrap_or_default().iter();
        let after = after.take_while(|other| other.range.start < wide.range.end);
        before.chain(after).all(|other| !other.overlaps(wide) || other.significant() == wide.significant())
    };
    let wide = matches.iter().enumerate().filter(|(_, m)| m.width == Width::U64);
    let wide = wide.filter(|m| stands_alone(*m)).map(|(_, m)| m.significant()).collect::<BTreeSet<_>>();
    matches.retain(|narrow| narrow.width == Width::U64 || !wide.contains(&narrow.significant()));
}
