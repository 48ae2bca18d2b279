//! Finding the layout of a bitmap file from genuine ones and their images.
//!
//! For every block size, bit order and polarity the bits that the images' content asks for are looked up in the samples;
//! what stands before and after them is then explained by padding, known numbers and constant bytes. What is found is one
//! hypothesis that reproduces every sample byte for byte, or several, or none; docs/bitmap-file.md has the rules.

mod alphabets;
mod distinguish;
mod expected;
mod lists;
mod matches;
mod near;
mod other_forms;
mod section;
mod sums;
mod tail;
mod telling;

use std::borrow::Cow;
use std::rc::Rc;

use imsprep_source::{BlockMap, BlockSize};

use crate::binary::{Binary, MapForm, Padding, numbers_of};
use crate::bits::{BitOrder, Bits, Polarity};
use crate::cells::Cells;
use crate::field::{Field, length_of};
use crate::frame::{Frame, SectionKind, circular_checksums};
use crate::layout::{Form, Layout, Origin};
use expected::Expected;
use matches::SampleFile;
use near::NearestSoFar;
use section::Explained;
use sums::OfFirst;
use tail::Tail;
use telling::TellingBytes;

pub use distinguish::{FurtherSample, different_files};
pub use near::Nearest;
pub use section::Question;

/// Longest header that is looked for.
pub const LONGEST_HEADER: usize = 64 << 10;
/// Longest trailer that is looked for.
pub const LONGEST_TRAILER: usize = 4096;

/// Readings of one hypothesis that are made layouts.
const MOST_LAYOUTS: usize = 256;
/// Bytes of their headers and trailers together.
const MOST_LAYOUT_BYTES: usize = 4 << 20;
/// Most bytes that are not the map: header, padding and trailer.
const MOST_AROUND: u64 = LONGEST_HEADER as u64 + LONGEST_TRAILER as u64 + tail::LARGEST_UNIT as u64;

/// Hypotheses that are worked out; of more it is only said that there are more.
const MOST: usize = 64;
/// Places that are inspected in all, so that samples that fit everywhere take no hours.
const MOST_LOOKS: usize = 200;

/// Bits of information from which on a map that fits does not fit by chance: there are 2^16 places to fit in, in some hundred
/// forms, which is less than 2^24 chances.
const CERTAIN: f64 = 38.0;

/// Where the bits may fit by chance, and so many bytes around them are neither zeros nor known numbers, it is likelier that
/// the real bits are among those.
const MOST_UNEXPLAINED: usize = 16;
/// More bytes than this that are neither zeros nor ones no header and trailer have whose numbers are known and that leave no
/// more unexplained.
const MOST_TELLING: usize = 80;

/// A genuine bitmap file, and what its image holds.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The bitmap file's bytes.
    pub bytes: &'a [u8],
    /// The image's content, in blocks no larger than [`finest_block_size`] says.
    pub content: &'a BlockMap,
}

/// One layout that reproduces every sample byte for byte, as far as that is settled.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// The layout. Where there are questions, the reading of the bytes that names most numbers.
    pub layout: Layout,
    /// Bytes of header or trailer that can be read in several ways.
    pub questions: Vec<Question>,
    /// What was taken to be so although the samples do not prove it.
    pub assumptions: Vec<String>,
    /// Every reading of it, as far as they are not too many.
    layouts: Vec<Layout>,
    /// How many readings there are.
    pub readings: usize,
}

/// What samples show of their layout.
#[derive(Clone, Debug)]
pub enum Learned {
    /// Exactly one hypothesis fits.
    One(Box<Hypothesis>),
    /// Several do.
    Several {
        /// Those that were worked out.
        hypotheses: Vec<Hypothesis>,
        /// There are more than those.
        and_more: bool,
        /// The images are so plain that what fits may fit by chance.
        by_chance: bool,
        /// What further sample would tell them apart.
        further: Option<FurtherSample>,
    },
    /// None does.
    None {
        /// The one that fits best, and where it fails.
        nearest: Option<Nearest>,
        /// What the first sample looks like: a form that is known and not learned.
        looks_like: Option<String>,
    },
}

impl Hypothesis {
    /// Every reading of it, as far as they are not too many; the first is [`layout`](Self::layout).
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }
}

impl Learned {
    /// Every layout that fits, as far as they are not too many.
    pub fn layouts(&self) -> Vec<&Layout> {
        match self {
            Self::One(hypothesis) => vec![&hypothesis.layout],
            Self::Several { hypotheses, .. } => hypotheses.iter().flat_map(Hypothesis::layouts).collect(),
            Self::None { .. } => Vec::new(),
        }
    }
}

/// The smallest block size whose bits a bitmap file of `length` bytes can hold; `None` if it can't hold those of the
/// largest blocks.
pub fn finest_block_size(length: u64, image_size: u64) -> Option<BlockSize> {
    let sizes = std::iter::successors(Some(BlockSize::MIN), |size| size.doubled());
    sizes.into_iter().find(|size| {
        size.blocks_in(image_size) <= BlockMap::MAX_BLOCKS && Bits::length(*size, image_size) <= length
    })
}

/// Looks for the layout of these samples, of which there is at least one. None of the images is empty.
///
/// Lists of runs are looked for only if every content is in blocks of [`BlockSize::MIN`]: the length of such a file says nothing of
/// the size of its blocks, and in coarser blocks a list of finer ones would look like one of theirs.
pub fn learn(samples: &[Sample<'_>]) -> Learned {
    let (certain, weak) =
        candidates(samples).into_iter().partition::<Vec<_>, _>(|form| form.information() >= CERTAIN);
    let mut search = Search::new(samples, Match::NoChance);
    let nowhere =
        certain.iter().filter(|candidate| search.candidate(candidate) == Fit::Nowhere).collect::<Vec<_>>();
    // How near a map comes that is nowhere as it should be matters only if no other one fits better.
    if search.found.is_empty() && !search.near.is_near() {
        nowhere.into_iter().for_each(|candidate| search.nearly(candidate));
    }
    // Of a few bits that are all alike every file has some. What fits only so is read where nothing else fits, and
    // nothing else nearly does.
    if search.found.is_empty() && !search.near.is_near() {
        let near = std::mem::take(&mut search.near);
        search = Search { near, ..Search::new(samples, Match::PerhapsChance) };
        for candidate in &weak {
            search.candidate(candidate);
        }
    }
    search.result()
}

/// Whether bits that fit can fit by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    NoChance,
    PerhapsChance,
}

/// Whether the map of a candidate is where it should be in all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Somewhere,
    Nowhere,
}

/// One block size and form of the map.
struct Candidate {
    map: MapForm,
    /// The content of each image in blocks of this size.
    contents: Rc<Vec<BlockMap>>,
    /// How many blocks of each hold data.
    data: Rc<Vec<u64>>,
    /// How many bits of information each sample would have to hold by chance.
    information: Rc<Vec<f64>>,
}

impl Candidate {
    fn block_size(&self) -> BlockSize {
        self.contents.first().map_or(BlockSize::MIN, BlockMap::block_size)
    }

    /// How many bits of information all samples together would have to hold by chance.
    fn information(&self) -> f64 {
        self.information.iter().sum()
    }

    /// The sample that the map fits in the fewest places by chance.
    fn telling_sample(&self) -> usize {
        let samples = self.information.iter().enumerate();
        samples.max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(number, _)| number)
    }

    /// The map that each content asks for; `None` if one of them cannot be written so.
    fn expected(&self) -> Option<Vec<Expected>> {
        let contents = self.contents.iter().zip(self.data.iter());
        let expected = |(content, data): (&BlockMap, &u64)| {
            Expected::new(content, self.map, expected::fewer(content, *data))
        };
        contents.map(expected).collect()
    }
}

/// Every block size and form whose maps fit into the samples.
fn candidates(samples: &[Sample<'_>]) -> Vec<Candidate> {
    let finest =
        |sample: &Sample<'_>| finest_block_size(sample.bytes.len() as u64, sample.content.image_size());
    // A block size has to fit all of them.
    let fitting = samples.iter().map(finest).collect::<Option<Vec<_>>>().and_then(|s| s.into_iter().max());
    let mut block_size = samples.iter().map(|sample| sample.content.block_size()).max();
    let alphabets = alphabets::all_alphabets(samples.first().map_or(&[][..], |sample| sample.bytes));
    let mut candidates = Vec::new();
    let mut contents = Rc::new(Vec::<BlockMap>::new());
    while let Some(size) = block_size {
        // Each from the one before it: one scan serves all sizes.
        let finer = samples.iter().enumerate().map(|(i, sample)| contents.get(i).unwrap_or(sample.content));
        contents = Rc::new(finer.filter_map(|map| map.in_blocks_of(size)).collect());
        let data = Rc::new(contents.iter().map(BlockMap::data_count).collect::<Vec<_>>());
        let information = contents.iter().zip(data.iter());
        let information =
            information.map(|(map, data)| expected::information(map, expected::fewer(map, *data)));
        let information = Rc::new(information.collect::<Vec<_>>());
        let of_bits = if fitting.is_some_and(|fitting| size >= fitting) { bits() } else { Vec::new() };
        let maps = of_bits.into_iter().chain(cells(samples, size, &alphabets));
        let maps = maps.chain(lists::lists(samples, &contents, &information));
        candidates.extend(maps.map(|map| Candidate {
            map,
            contents: Rc::clone(&contents),
            data: Rc::clone(&data),
            information: Rc::clone(&information),
        }));
        block_size = size.doubled();
    }
    candidates
}

/// Both orders and both meanings of a bit.
fn bits() -> Vec<MapForm> {
    let mut maps = Vec::new();
    for bit_order in [BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst] {
        for polarity in [Polarity::SetIsData, Polarity::SetIsZero] {
            maps.push(MapForm::Bits(Bits { bit_order, polarity }));
        }
    }
    maps
}

/// Cells whose number fits the length of every sample, which is known before any of them is written.
fn cells(samples: &[Sample<'_>], block_size: BlockSize, alphabets: &[(usize, Vec<Cells>)]) -> Vec<MapForm> {
    let fits = |width: usize| {
        samples.iter().all(|sample| {
            let cells = block_size.blocks_in(sample.content.image_size()).saturating_mul(width as u64);
            let length = sample.bytes.len() as u64;
            length.checked_sub(cells).is_some_and(|around| around <= MOST_AROUND)
        })
    };
    let fitting = alphabets.iter().filter(|(width, _)| fits(*width));
    fitting.flat_map(|(_, alphabet)| alphabet).copied().map(MapForm::Cells).collect()
}

/// Bytes of header and trailer.
fn bytes_beside_the_bits(layout: &Layout) -> usize {
    match &layout.form {
        Form::Binary(binary) => binary.header.iter().chain(binary.trailer.iter()).map(Field::len).sum(),
        _ => 0,
    }
}

/// Header and trailer as they are explained, or the first byte of one of them that is not.
type Sections = Result<(Explained, Explained), (SectionKind, usize)>;

struct Search<'a> {
    samples: &'a [Sample<'a>],
    matched: Match,
    found: Vec<Hypothesis>,
    and_more: bool,
    looks: usize,
    near: NearestSoFar,
    /// Bytes of the first sample that are no padding.
    telling: TellingBytes<'a>,
    of_first: OfFirst,
}

impl<'a> Search<'a> {
    fn new(samples: &'a [Sample<'a>], matched: Match) -> Self {
        let telling = TellingBytes::of(samples.first().map_or(&[][..], |sample| sample.bytes));
        Self {
            samples,
            matched,
            found: Vec::new(),
            and_more: false,
            looks: 0,
            near: NearestSoFar::default(),
            telling,
            of_first: OfFirst::of(samples.first().map_or(&[][..], |sample| sample.bytes)),
        }
    }

    /// Looks for the map of one candidate, and explains what is around it.
    fn candidate(&mut self, candidate: &Candidate) -> Fit {
        let telling = candidate.telling_sample();
        if let (Some(sample), Some(content)) = (self.samples.get(telling), candidate.contents.get(telling))
            && !expected::may_hold(sample.bytes, content, candidate.map)
        {
            return Fit::Nowhere;
        }
        let Some(expected) = candidate.expected() else { return Fit::Somewhere };
        let pairs = || self.samples.iter().map(|sample| sample.bytes).zip(&expected);
        let (headers, more) = expected::common_places(pairs(), telling);
        let (block_size, map) = (candidate.block_size(), candidate.map);
        self.and_more |= more;
        if headers.is_empty() {
            return Fit::Nowhere;
        }
        for header in headers {
            if self.found.len() >= MOST || self.looks >= MOST_LOOKS {
                self.and_more = true;
                return Fit::Somewhere;
            }
            let map_length = expected.first().map_or(0, Expected::len);
            let around = || self.telling.around(header..header + map_length);
            if self.matched == Match::PerhapsChance && around() > MOST_TELLING {
                continue;
            }
            let (tails, assumption) = tail::tails(pairs(), header, map);
            if tails.is_empty() {
                self.near.tail_differs(block_size, map, header, (header + map_length) as u64);
            }
            // Paddings of the same length leave the same header and trailer; only without any, two numbers are one.
            let mut sections = None::<((Vec<Frame>, bool), Sections)>;
            for tail in tails {
                self.looks += 1;
                let frames = expected.iter().map(|expected| tail.frame(header, expected.len()));
                let key = (frames.collect::<Vec<_>>(), tail.unit == 1);
                let explained = match sections.take().filter(|(of, _)| *of == key) {
                    Some((_, explained)) => explained,
                    None => self.sections(candidate, tail, &key.0),
                };
                self.explain(candidate, tail, &key.0, explained.clone(), assumption.clone());
                sections = Some((key, explained));
            }
        }
        Fit::Somewhere
    }

    /// Notes how near the map of a candidate comes that fits nowhere. A list of runs is there or not.
    fn nearly(&mut self, candidate: &Candidate) {
        if matches!(candidate.map, MapForm::Runs(_)) {
            return;
        }
        let Some(expected) = candidate.expected() else { return };
        let pairs = self.samples.iter().map(|sample| sample.bytes).zip(&expected);
        self.near.map_differs(candidate.block_size(), candidate.map, pairs);
    }

    /// Explains header and trailer, where the parts of each sample are so.
    fn sections(&mut self, candidate: &Candidate, tail: Tail, frames: &[Frame]) -> Sections {
        let contents = candidate.contents.iter().zip(candidate.data.iter()).zip(frames);
        let numbers = contents.map(|((map, data), frame)| numbers_of(map, *data, candidate.map, frame));
        let numbers = numbers.collect::<Vec<_>>();
        let files = self.samples.iter().zip(frames);
        let files = files.map(|(sample, frame)| SampleFile { bytes: sample.bytes, frame: *frame });
        let files = files.collect::<Vec<_>>();
        let mut explained = |kind| {
            section::explain(kind, &files, &numbers, candidate.map, tail.unit, &mut self.of_first)
                .map_err(|at| (kind, at))
        };
        Ok((explained(SectionKind::Header)?, explained(SectionKind::Trailer)?))
    }

    /// Makes a hypothesis of what header and trailer were explained by.
    fn explain(
        &mut self,
        candidate: &Candidate,
        tail: Tail,
        frames: &[Frame],
        sections: Sections,
        assumption: Option<String>,
    ) {
        let (block_size, contents) = (candidate.block_size(), &candidate.contents);
        let (header_explained, trailer_explained) = match sections {
            Ok(explained) => explained,
            Err((kind, at)) => {
                let frame = frames.first();
                let offset = frame.map_or(0, |frame| frame.section(kind).start) + at;
                let header = frame.map_or(0, |frame| frame.header);
                return self.near.section_differs(block_size, candidate.map, header, kind, at, offset as u64);
            }
        };
        let unexplained = header_explained.constant_bytes() + trailer_explained.constant_bytes();
        if self.matched == Match::PerhapsChance && unexplained > MOST_UNEXPLAINED {
            return;
        }
        let mut assumptions = assumption.into_iter().collect::<Vec<_>>();
        assumptions.extend(header_explained.assumptions.iter().cloned());
        assumptions.extend(trailer_explained.assumptions.iter().cloned());
        assumptions.extend(self.constants_seen_once(&header_explained, &trailer_explained));
        let padding = Padding { unit: tail.unit, bit: tail.bit };
        let layouts = self.layouts(block_size, candidate.map, padding, &header_explained, &trailer_explained);
        let Some(layout) = layouts.first().cloned() else { return };
        // The last word has the writer that will be used.
        let reproduces = |(sample, map): (&Sample<'_>, &BlockMap)| {
            layout.encode(map).is_ok_and(|bytes| bytes == sample.bytes)
        };
        if !self.samples.iter().zip(contents.iter()).all(reproduces) {
            return;
        }
        let readings = header_explained.readings().saturating_mul(trailer_explained.readings());
        let mut questions = header_explained.questions;
        questions.extend(trailer_explained.questions);
        self.found.push(Hypothesis { layout, questions, assumptions, layouts, readings });
    }

    /// Every reading as a layout, as far as they are not too many. Each number in them was found in all samples; a file can be written
    /// if no two checksums cover each other.
    fn layouts(
        &self,
        block_size: BlockSize,
        map: MapForm,
        padding: Padding,
        header: &Explained,
        trailer: &Explained,
    ) -> Vec<Layout> {
        let samples = u32::try_from(self.samples.len()).unwrap_or(u32::MAX);
        let trailers = trailer.expanded();
        let headers = header.expanded();
        let pairs = headers.iter().flat_map(|header| trailers.iter().map(move |trailer| (header, trailer)));
        let possible = pairs.filter(|(header, trailer)| circular_checksums(header, trailer).is_empty());
        let length = |sections: &[Vec<Field>]| sections.first().map_or(0, |fields| length_of(fields));
        let most = MOST_LAYOUT_BYTES / (length(&headers) + length(&trailers)).max(1);
        let layouts = possible.take(MOST_LAYOUTS.min(most)).map(|(header, trailer)| Layout {
            name: Cow::Borrowed("learned"),
            title: Cow::Borrowed("learned from genuine bitmap files"),
            block_size,
            form: Form::Binary(Binary {
                map,
                padding,
                header: Cow::Owned(header.clone()),
                trailer: Cow::Owned(trailer.clone()),
            }),
            origin: Origin::Learned { samples },
        });
        layouts.collect()
    }

    /// Bytes that were seen in one file may differ in others.
    fn constants_seen_once(&self, header: &Explained, trailer: &Explained) -> Option<String> {
        let constants = header.constant_bytes() + trailer.constant_bytes();
        (self.samples.len() == 1 && constants > 0).then(|| {
            format!(
                "{constants} bytes of header and trailer are the same in every file: only one file is known; a \
                 sample of another image would confirm it"
            )
        })
    }

    fn result(mut self) -> Learned {
        let named = match (self.matched, self.samples.first()) {
            // A form that has a name is preferred to one that fits by chance.
            (Match::PerhapsChance, Some(sample)) => other_forms::named_form(sample),
            _ => None,
        };
        if let Some(name) = named {
            return Learned::None { nearest: None, looks_like: Some(name) };
        }
        if self.found.is_empty() {
            let looks_like = self.samples.first().and_then(other_forms::looks_like);
            return Learned::None { nearest: self.near.into_nearest(), looks_like };
        }
        let settled = self.matched == Match::NoChance
            && self.found.len() == 1
            && !self.and_more
            && self.found.iter().all(|hypothesis| hypothesis.questions.is_empty());
        if settled && let Some(hypothesis) = self.found.pop() {
            return Learned::One(Box::new(hypothesis));
        }
        // The plainest first: most bitmap files are bits and padding.
        self.found.sort_by_key(|hypothesis| bytes_beside_the_bits(&hypothesis.layout));
        let layouts = self.found.iter().flat_map(|hypothesis| &hypothesis.layouts).collect::<Vec<_>>();
        let further = distinguish::further_sample(&layouts);
        Learned::Several {
            hypotheses: self.found,
            and_more: self.and_more,
            by_chance: self.matched == Match::PerhapsChance,
            further,
        }
    }
}
