//! `imsprep bitmap learn --json` and `make-sample --json`

use std::path::Path;

use imsprep_bitmap::learn::{Hypothesis, Learned, Nearest};
use imsprep_toolkit::{
    Disagreement, Fault, ImageWithout, Influence, LearnedLayout, LearnedProgram, ProgramOutcome,
    ProgramVerified, SpecimenMade, TriedImage,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::bitmap::WireScan;
use super::proof::WireFile;

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
    /// What came of running a program, with `--program`.
    program: Option<WireProgram>,
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
            program: None,
        };
        none.with(&learned.learned)
    }

    /// What came of running a program.
    pub(crate) fn of_program(learned: &LearnedProgram, written: Option<&Path>) -> Self {
        let none = Self {
            result: "none",
            samples: Vec::new(),
            hypotheses: Vec::new(),
            and_more: false,
            by_chance: false,
            further_sample: None,
            nearest: None,
            looks_like: None,
            written: written.map(WirePath::from),
            program: Some(learned.into()),
        };
        match &learned.outcome {
            ProgramOutcome::Proven(hypothesis) => {
                Self { result: "one", hypotheses: vec![hypothesis.as_ref().into()], ..none }
            }
            ProgramOutcome::Open { learned: Learned::One(broken), .. } => {
                Self { hypotheses: vec![broken.as_ref().into()], ..none }
            }
            ProgramOutcome::Open { learned, .. } => none.with(learned),
            ProgramOutcome::Fault(_) | ProgramOutcome::TooFew { .. } => none,
        }
    }

    fn with(self, learned: &Learned) -> Self {
        let none = self;
        match learned {
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

/// What came of running a program.
#[derive(Debug, JsonSchema, Serialize)]
struct WireProgram {
    command: String,
    files: Vec<WireFile>,
    /// `proven`, `fault`, `not-learned` or `too-few-images`.
    outcome: &'static str,
    runs: usize,
    seconds: f64,
    images: Vec<WireTried>,
    /// Images that tried to break the layout.
    refuting: usize,
    largest_image: u64,
    left_out: Vec<WireWithout>,
    refused: Vec<WireWithout>,
    fault: Option<WireFault>,
    disagreements: Vec<WireDisagreement>,
    influences: Vec<WireInfluence>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireTried {
    size: u64,
    shape: String,
    length: u64,
    seconds: f64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireWithout {
    size: u64,
    shape: String,
    why: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireFault {
    kind: &'static str,
    image: String,
    evidence: String,
    output: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireDisagreement {
    image: String,
    evidence: String,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireInfluence {
    of: &'static str,
    altered: String,
    evidence: Option<String>,
}

impl From<&ImageWithout> for WireWithout {
    fn from(image: &ImageWithout) -> Self {
        Self { size: image.size, shape: image.shape.clone(), why: image.why.clone() }
    }
}

impl From<&LearnedProgram> for WireProgram {
    fn from(learned: &LearnedProgram) -> Self {
        let (outcome, fault) = match &learned.outcome {
            ProgramOutcome::Proven(_) => ("proven", None),
            ProgramOutcome::Fault(fault) => ("fault", Some(fault)),
            ProgramOutcome::Open { .. } => ("not-learned", None),
            ProgramOutcome::TooFew { .. } => ("too-few-images", None),
        };
        let (disagreements, influences): (&[Disagreement], &[Influence]) = match &learned.outcome {
            ProgramOutcome::Open { disagreements, influences, .. } => (disagreements, influences),
            ProgramOutcome::TooFew { influences, .. } => (&[], influences),
            _ => (&[], &[]),
        };
        let tried = |image: &TriedImage| WireTried {
            size: image.size,
            shape: image.shape.clone(),
            length: image.length,
            seconds: image.wall.as_secs_f64(),
        };
        Self {
            command: learned.command.clone(),
            files: learned.files.iter().map(WireFile::from).collect(),
            outcome,
            runs: learned.runs,
            seconds: learned.elapsed.as_secs_f64(),
            images: learned.tried.iter().map(tried).collect(),
            refuting: learned.refuting,
            largest_image: learned.largest(),
            left_out: learned.left_out.iter().map(WireWithout::from).collect(),
            refused: learned.refused.iter().map(WireWithout::from).collect(),
            fault: fault.map(WireFault::from),
            disagreements: disagreements
                .iter()
                .map(|d| WireDisagreement { image: d.image.clone(), evidence: d.evidence.clone() })
                .collect(),
            influences: influences
                .iter()
                .map(|i| WireInfluence { of: i.of, altered: i.altered.clone(), evidence: i.evidence.clone() })
                .collect(),
        }
    }
}

impl From<&Fault> for WireFault {
    fn from(fault: &Fault) -> Self {
        Self {
            kind: fault.kind.name(),
            image: fault.image.clone(),
            evidence: fault.evidence.clone(),
            output: fault.output.clone(),
        }
    }
}

/// A bitmap file that was held against a program.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Verified {
    image: WirePath,
    bitmap: WirePath,
    command: String,
    files: Vec<WireFile>,
    same: bool,
    length: u64,
    program_length: u64,
    /// Where both differ, the bitmap file first.
    difference: Option<String>,
    left_behind: usize,
    seconds: f64,
}

impl From<&ProgramVerified> for Verified {
    fn from(verified: &ProgramVerified) -> Self {
        let [length, program_length] = verified.lengths;
        Self {
            image: verified.image.as_path().into(),
            bitmap: verified.bitmap.as_path().into(),
            command: verified.command.clone(),
            files: verified.files.iter().map(WireFile::from).collect(),
            same: verified.difference.is_none(),
            length,
            program_length,
            difference: verified.difference.clone(),
            left_behind: verified.left_behind,
            seconds: verified.wall.as_secs_f64(),
        }
    }
}
