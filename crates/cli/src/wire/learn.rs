//! `imsprep bitmap learn --json` and `make-sample --json`

use std::path::Path;

use imsprep_bitmap::learn::{Hypothesis, Learned, Nearest};
use imsprep_toolkit::{LearnedLayout, SpecimenMade};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::bitmap::WireScan;

/// What the samples show.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    /// `one`, `several` or `none`.
    result: &'static str,
    samples: Vec<WireSample>,
    hypotheses: Vec<WireHypothesis>,
    /// There are more hypotheses than those.
    and_more: bool,
    /// The images are so plain that what fits may fit by chance.
    by_chance: bool,
    further_sample: Option<WireFurther>,
    nearest: Option<WireNearest>,
    looks_like: Option<String>,
    written: Option<WirePath>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSample {
    image: WirePath,
    sample: WirePath,
    length: u64,
    scan: WireScan,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireHypothesis {
    summary: String,
    /// The layout's description, as a file; where there are questions, of the first reading.
    description: Option<String>,
    readings: usize,
    questions: Vec<WireQuestion>,
    assumptions: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireQuestion {
    place: String,
    readings: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireFurther {
    size: u64,
    told_apart: usize,
    of: usize,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNearest {
    summary: String,
    /// Which of `samples`, counted from 0.
    sample: usize,
    offset: u64,
    what: String,
}

impl From<&Hypothesis> for WireHypothesis {
    fn from(hypothesis: &Hypothesis) -> Self {
        let questions = hypothesis.questions.iter();
        Self {
            summary: hypothesis.layout.summary(),
            description: imsprep_bitmap::describe_layout(&hypothesis.layout, &[]),
            readings: hypothesis.readings,
            questions: questions
                .map(|question| WireQuestion {
                    place: question.place.clone(),
                    readings: question.readings.clone(),
                })
                .collect(),
            assumptions: hypothesis.assumptions.clone(),
        }
    }
}

impl From<&Nearest> for WireNearest {
    fn from(nearest: &Nearest) -> Self {
        Self {
            summary: nearest.summary.clone(),
            sample: nearest.sample,
            offset: nearest.offset,
            what: nearest.what.clone(),
        }
    }
}

impl Body {
    pub(crate) fn new(learned: &LearnedLayout, written: Option<&Path>) -> Self {
        let samples = learned.pairs.iter().zip(&learned.lengths).zip(&learned.scans);
        let none = Self {
            result: "none",
            samples: samples
                .map(|((pair, length), scan)| WireSample {
                    image: pair.image.as_path().into(),
                    sample: pair.sample.as_path().into(),
                    length: *length,
                    scan: scan.into(),
                })
                .collect(),
            hypotheses: Vec::new(),
            and_more: false,
            by_chance: false,
            further_sample: None,
            nearest: None,
            looks_like: None,
            written: written.map(WirePath::from),
        };
        match &learned.learned {
            Learned::One(hypothesis) => {
                Self { result: "one", hypotheses: vec![hypothesis.as_ref().into()], ..none }
            }
            Learned::Several { hypotheses, and_more, by_chance, further } => Self {
                result: "several",
                hypotheses: hypotheses.iter().map(WireHypothesis::from).collect(),
                and_more: *and_more,
                by_chance: *by_chance,
                further_sample: further.map(|further| WireFurther {
                    size: further.size,
                    told_apart: further.told_apart,
                    of: further.of,
                }),
                ..none
            },
            Learned::None { nearest, looks_like } => Self {
                nearest: nearest.as_ref().map(WireNearest::from),
                looks_like: looks_like.clone(),
                ..none
            },
        }
    }
}

/// A small image that was made.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Made {
    image: WirePath,
    size: u64,
    data_bytes: u64,
}

impl From<&SpecimenMade> for Made {
    fn from(made: &SpecimenMade) -> Self {
        Self { image: made.path.as_path().into(), size: made.size, data_bytes: made.data_bytes }
    }
}
