//! The search for the layout that a program writes: which image comes next, and which images try to break what was found.

use std::collections::BTreeSet;
use std::time::Duration;

use imsprep_bitmap::learn::{Hypothesis, Learned, Sample, different_files, finest_block_size, learn};
use imsprep_bitmap::{Form, Layout, SPECIMEN_SIZE};
use imsprep_source::{BlockMap, BlockSize};

use super::behaviour::{Fault, FaultKind, difference, in_words, misconduct};
use super::runner::{Presentation, RunFailure, Runner};
use super::sample_image::{SampleImage, refuting_images};
use crate::Result;

/// Sizes of images to learn from, small ones first: what is in small files or small blocks is found with small images.
const SIZES: [u64; 5] = [
    (84 << 20) + (3 << 12) + 512,
    (330 << 20) + (1 << 20) + 512,
    SPECIMEN_SIZE,
    (33 << 26) + (5 << 20) + 4096,
    (70 << 26) + (3 << 20) + 4096,
];
/// No image that is learned from is larger.
pub(super) const LARGEST_TO_LEARN_FROM: u64 = 5 << 30;
/// Images that are chosen to tell layouts apart.
const MOST_CHOSEN: usize = 24;
/// Times that a layout is given up for another one because of an image that it does not fit.
const MOST_REVISIONS: usize = 8;
/// Layouts that are tried on each candidate.
const MOST_LAYOUTS: usize = 256;
/// Blocks in an image at most of which a map is made to learn from it.
const MOST_BLOCKS: u64 = 1 << 24;
/// Images that have to try to break a layout.
pub const FEWEST_REFUTING: usize = 40;

/// An image that the program was run on, and what it wrote.
#[derive(Clone, Debug)]
pub struct TriedImage {
    /// Bytes of the image.
    pub size: u64,
    /// What is special about it, in words.
    pub shape: String,
    /// Bytes of the bitmap file.
    pub length: u64,
    /// How long the run took.
    pub wall: Duration,
}

/// An image that the program was not run on, or that it does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageWithout {
    /// Bytes of the image.
    pub size: u64,
    /// What is special about it, in words.
    pub shape: String,
    /// Why there is no bitmap file.
    pub why: String,
}

/// Where a layout and the program disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The image, in words.
    pub image: String,
    /// The layout's bytes and the program's where they differ.
    pub evidence: String,
}

/// What the search came to.
pub(super) enum Found {
    Layout(Box<Hypothesis>),
    Fault(Fault),
    Open { learned: Learned, disagreements: Vec<Disagreement> },
}

pub(super) struct Search<'a, 'b> {
    pub(super) runner: &'a mut Runner<'b>,
    /// Images with what the program wrote.
    files: Vec<(SampleImage, Vec<u8>)>,
    /// Which of them layouts are learned from.
    samples: BTreeSet<usize>,
    /// Sizes and shapes that are not tried again.
    seen: BTreeSet<(u64, String)>,
    pub(super) tried: Vec<TriedImage>,
    pub(super) left_out: Vec<ImageWithout>,
    pub(super) refused: Vec<ImageWithout>,
    /// Images that tried to break a layout.
    pub(super) refuting: usize,
}

enum Tried {
    /// It is the last one of the files now.
    File,
    Nothing,
    Fault(Fault),
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(
        runner: &'a mut Runner<'b>,
        image: SampleImage,
        first: Vec<u8>,
        wall: Duration,
    ) -> Self {
        let mut search = Self {
            runner,
            files: Vec::new(),
            samples: BTreeSet::from([0]),
            seen: BTreeSet::new(),
            tried: Vec::new(),
            left_out: Vec::new(),
            refused: Vec::new(),
            refuting: 0,
        };
        search.keep(image, first, wall);
        search
    }

    /// Learns a layout and tries to break it.
    pub(super) fn run(&mut self) -> Result<Found> {
        let mut hypothesis = match self.learn()? {
            Found::Layout(hypothesis) => hypothesis,
            other => return Ok(other),
        };
        for _ in 0..MOST_REVISIONS {
            let broken = match self.refute(&hypothesis.layout)? {
                Refuted::No => {
                    hypothesis.assumptions = self.what_is_still_assumed(&hypothesis);
                    return Ok(Found::Layout(hypothesis));
                }
                Refuted::Fault(fault) => return Ok(Found::Fault(fault)),
                Refuted::By(number) => number,
            };
            let may_learn =
                self.files.get(broken).is_some_and(|(image, bytes)| content(image, bytes).is_some());
            if !may_learn || !self.samples.insert(broken) {
                return self.give_up(hypothesis);
            }
            match self.learn()? {
                Found::Layout(better) if better.layout != hypothesis.layout => hypothesis = better,
                Found::Fault(fault) => return Ok(Found::Fault(fault)),
                _ => return self.give_up(hypothesis),
            }
        }
        self.give_up(hypothesis)
    }

    /// Goes on with a layout that is known to be wrong, for all the images that show it.
    fn give_up(&mut self, hypothesis: Box<Hypothesis>) -> Result<Found> {
        let layout = &hypothesis.layout;
        for image in images_for(layout) {
            if let Tried::Fault(fault) = self.try_to_break(image)? {
                return Ok(Found::Fault(fault));
            }
        }
        let disagreements = self.files.iter().filter_map(|(image, bytes)| disagreement(layout, image, bytes));
        let disagreements = disagreements.collect();
        Ok(Found::Open { learned: Learned::One(hypothesis), disagreements })
    }

    /// Adds images until exactly one layout is left.
    fn learn(&mut self) -> Result<Found> {
        let mut planned = SIZES.iter().map(|size| SampleImage::mixed(*size));
        for _ in 0..MOST_CHOSEN {
            let learned = self.learned();
            let chosen = match learned {
                Learned::One(hypothesis) => return Ok(Found::Layout(hypothesis)),
                Learned::Several { by_chance: false, .. } => self.telling_image(&learned.layouts()),
                _ => None,
            };
            let next = chosen.or_else(|| planned.find(|image| !self.is_seen(image)));
            let Some(image) = next else {
                return Ok(Found::Open { learned, disagreements: Vec::new() });
            };
            match self.attempt(image)? {
                Tried::File => {
                    self.samples.insert(self.files.len() - 1);
                }
                Tried::Nothing => {}
                Tried::Fault(fault) => return Ok(Found::Fault(fault)),
            }
        }
        Ok(Found::Open { learned: self.learned(), disagreements: Vec::new() })
    }

    fn learned(&self) -> Learned {
        let files = self.samples.iter().filter_map(|number| self.files.get(*number));
        learn_from(files)
    }

    /// The image that tells the most of these layouts apart, and of such the smallest; `None` if none does.
    fn telling_image(&self, layouts: &[&Layout]) -> Option<SampleImage> {
        let layouts = layouts.get(..MOST_LAYOUTS.min(layouts.len()))?;
        let blocks = layouts.iter().map(|layout| layout.block_size.bytes()).min()?;
        let of_blocks = [5, 13, 100, 300, 2051].map(|count| count * blocks + 512.min(blocks / 2));
        let sizes = [4 * (2 << 20) + 3 * 4096 + 512, 10 << 21].into_iter().chain(of_blocks).chain(SIZES);
        let mut sizes = sizes.filter(|size| *size <= LARGEST_TO_LEARN_FROM).collect::<Vec<_>>();
        sizes.sort_unstable();
        sizes.dedup();
        let mut best: Option<(usize, SampleImage)> = None;
        for image in sizes.into_iter().map(SampleImage::mixed).filter(|image| !self.is_seen(image)) {
            let different = different_files(layouts, image.size, |block_size| image.map(block_size));
            if different > best.as_ref().map_or(1, |(most, _)| *most) {
                best = Some((different, image));
            }
        }
        best.map(|(_, image)| image)
    }

    fn is_seen(&self, image: &SampleImage) -> bool {
        self.seen.contains(&(image.size, image.shape.clone()))
    }

    /// Runs the program on an image, if there is time for it.
    fn attempt(&mut self, image: SampleImage) -> Result<Tried> {
        self.seen.insert((image.size, image.shape.clone()));
        let projected = self.runner.projected(image.size);
        let left = self.runner.left().min(self.runner.run_limit());
        let without =
            |image: SampleImage, why: String| ImageWithout { size: image.size, shape: image.shape, why };
        if projected > left {
            let why = format!(
                "it would take about {} s, by the runs on smaller images, and a run may take {} s",
                projected.as_secs_f32().ceil(),
                left.as_secs()
            );
            self.left_out.push(without(image, why));
            return Ok(Tried::Nothing);
        }
        let ran = self.runner.run(&image, &Presentation::default())?;
        if let Some(fault) = misconduct(&image, &ran) {
            return Ok(Tried::Fault(fault));
        }
        let failure = match ran.bitmap {
            Ok(bytes) => {
                self.keep(image, bytes, ran.wall);
                return Ok(Tried::File);
            }
            Err(ref failure) => failure.clone(),
        };
        let kind = match failure {
            RunFailure::NoTimeLeft => {
                self.left_out.push(without(image, "no time was left for it".into()));
                return Ok(Tried::Nothing);
            }
            // No disk has such a size, so that a program may refuse it.
            RunFailure::Status(_) | RunFailure::Nothing(_)
                if image.size == 0 || !image.size.is_multiple_of(512) =>
            {
                let why = match ran.output.lines().last() {
                    Some(line) => format!("{failure}: {line}"),
                    None => failure.to_string(),
                };
                self.refused.push(without(image, why));
                return Ok(Tried::Nothing);
            }
            // A projection may be wrong by some times, and it is no fault to read every byte of a large image.
            RunFailure::TimedOut(limit) if projected.saturating_mul(4) > limit => {
                self.left_out.push(without(image, failure.to_string()));
                return Ok(Tried::Nothing);
            }
            RunFailure::TimedOut(_) => FaultKind::Hangs,
            _ => FaultKind::FailsOnSomeSizes,
        };
        let worked = self.files.iter().map(|(image, _)| image.size).collect::<BTreeSet<_>>();
        let worked = worked.into_iter().take(8).map(|size| size.to_string()).collect::<Vec<_>>().join(", ");
        let evidence = format!("{failure}; it had written a bitmap file for images of {worked} bytes");
        Ok(Tried::Fault(Fault::new(kind, &image, evidence, &ran)))
    }

    fn keep(&mut self, image: SampleImage, bytes: Vec<u8>, wall: Duration) {
        self.seen.insert((image.size, image.shape.clone()));
        self.tried.push(TriedImage {
            size: image.size,
            shape: image.shape.clone(),
            length: bytes.len() as u64,
            wall,
        });
        self.files.push((image, bytes));
    }

    /// The same for an image that tries to break a layout. One that is refused for its odd size is tried with whole sectors.
    fn try_to_break(&mut self, image: SampleImage) -> Result<Tried> {
        if self.is_seen(&image) {
            return Ok(Tried::Nothing);
        }
        let refused = self.refused.len();
        let mut tried = self.attempt(image.clone())?;
        if self.refused.len() > refused && image.size > 0 {
            let rounded = image.in_whole_sectors();
            if !self.is_seen(&rounded) {
                tried = self.attempt(rounded)?;
            }
        }
        if matches!(tried, Tried::File) {
            self.refuting += 1;
        }
        Ok(tried)
    }

    /// Holds a layout against all that was written, and against more images, until one breaks it.
    fn refute(&mut self, layout: &Layout) -> Result<Refuted> {
        let breaks = |(image, bytes): &(SampleImage, Vec<u8>)| disagreement(layout, image, bytes).is_some();
        if let Some(number) = self.files.iter().position(breaks) {
            return Ok(Refuted::By(number));
        }
        for image in images_for(layout) {
            match self.try_to_break(image)? {
                Tried::Fault(fault) => return Ok(Refuted::Fault(fault)),
                Tried::Nothing => {}
                Tried::File if self.files.last().is_some_and(breaks) => {
                    return Ok(Refuted::By(self.files.len() - 1));
                }
                Tried::File => {}
            }
        }
        Ok(Refuted::No)
    }

    /// What all images together, and not only the samples, leave unproven.
    fn what_is_still_assumed(&self, hypothesis: &Hypothesis) -> Vec<String> {
        if hypothesis.assumptions.is_empty() {
            return Vec::new();
        }
        let mut files = self.samples.iter().filter_map(|number| self.files.get(*number)).collect::<Vec<_>>();
        // The largest ones show the most.
        let more = self.files.iter().rev().filter(|(image, bytes)| content(image, bytes).is_some()).take(6);
        files.extend(more);
        // A part of a sector shows how sizes are rounded.
        let odd = self.files.iter().filter(|(image, _)| !image.size.is_multiple_of(512));
        files.extend(odd.filter(|(image, bytes)| content(image, bytes).is_some()).take(2));
        match learn_from(files.into_iter()) {
            Learned::One(one) if one.layout.form == hypothesis.layout.form => one.assumptions,
            _ => hypothesis.assumptions.clone(),
        }
    }
}

enum Refuted {
    No,
    /// By the file of this number.
    By(usize),
    Fault(Fault),
}

fn learn_from<'f>(files: impl Iterator<Item = &'f (SampleImage, Vec<u8>)> + Clone) -> Learned {
    let learned = learn_from_blocks(files.clone(), finest_for_bits);
    if !matches!(learned, Learned::None { .. }) {
        return learned;
    }
    // The length of a list of runs says nothing of the size of its blocks.
    match learn_from_blocks(files, |_, _| BlockSize::MIN) {
        Learned::None { .. } => learned,
        of_lists => of_lists,
    }
}

fn learn_from_blocks<'f>(
    files: impl Iterator<Item = &'f (SampleImage, Vec<u8>)>,
    block_size: impl Fn(&SampleImage, &[u8]) -> BlockSize,
) -> Learned {
    let files =
        files.filter_map(|(image, bytes)| Some((bytes, content_in(block_size(image, bytes), image, bytes)?)));
    let files = files.collect::<Vec<_>>();
    let samples = files.iter().map(|(bytes, content)| Sample { bytes, content }).collect::<Vec<_>>();
    if samples.is_empty() {
        return Learned::None { nearest: None, looks_like: None };
    }
    learn(&samples)
}

/// What an image holds, as finely as a file of bits or cells can tell of it; `None` if it is no sample to learn from.
fn content(image: &SampleImage, bytes: &[u8]) -> Option<BlockMap> {
    content_in(finest_for_bits(image, bytes), image, bytes)
}

fn content_in(block_size: BlockSize, image: &SampleImage, bytes: &[u8]) -> Option<BlockMap> {
    if image.size == 0 || bytes.is_empty() {
        return None;
    }
    (block_size.blocks_in(image.size) <= MOST_BLOCKS).then(|| image.map(block_size))?
}

fn finest_for_bits(image: &SampleImage, bytes: &[u8]) -> BlockSize {
    let finest = finest_block_size(bytes.len() as u64, image.size).unwrap_or(BlockSize::MAX);
    finest.min(BlockSize::MIB_2)
}

fn images_for(layout: &Layout) -> Vec<SampleImage> {
    let padding = match &layout.form {
        Form::Binary(binary) => u64::from(binary.padding.unit),
        _ => 1,
    };
    refuting_images(layout.block_size, padding)
}

/// How the program's file differs from the layout's, if it does.
fn disagreement(layout: &Layout, image: &SampleImage, bytes: &[u8]) -> Option<Disagreement> {
    let written = image.map(layout.block_size).map(|map| layout.encode(&map));
    let evidence = match written {
        Some(Ok(written)) if written == bytes => return None,
        Some(Ok(written)) => format!("layout and program: {}", difference(&written, bytes)),
        Some(Err(error)) => format!("the layout can't be written of it: {error}"),
        None => "it has too many blocks for a map".to_owned(),
    };
    Some(Disagreement { image: in_words(image), evidence })
}
