//! Learning the layout of the bitmap files that a program writes: by running it on images that are made for that.

mod behaviour;
mod files;
mod influence;
mod runner;
mod sample_image;
mod search;
mod verify;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use imsprep_bitmap::learn::{Hypothesis, Learned};
use imsprep_bitmap::{Origin, Proof, ProvenFile, describe_layout};
use imsprep_source::Cancel;

pub use behaviour::{Fault, FaultKind};
pub use influence::Influence;
pub use search::{Disagreement, FEWEST_REFUTING, ImageWithout, TriedImage};
pub use verify::{ProgramVerified, verify_against_program};

use crate::{Error, Result};
use behaviour::{base_image, dependence, dependence_on_time, misconduct};
use files::ProgramFiles;
use runner::{Limits, Presentation, RunFailure, Runner};
use sample_image::SampleImage;
use search::{Found, LARGEST_TO_LEARN_FROM, Search};

/// How a program is to be learned from.
#[derive(Clone, Debug)]
pub struct ProgramOptions {
    /// The command, with `{image}` and `{bitmap}` for the paths. No shell runs it.
    pub command: String,
    /// Where the images are made, which are sparse.
    pub temp_folder: PathBuf,
    /// For all runs together.
    pub time_limit: Duration,
    /// For one run.
    pub run_limit: Duration,
    /// The day, for the proof: `2026-11-28`.
    pub date: String,
    /// The version of who asks, for the proof.
    pub version: String,
}

/// What came of running a program.
#[derive(Clone, Debug)]
pub struct LearnedProgram {
    /// The command.
    pub command: String,
    /// The files that its words name.
    pub files: Vec<ProvenFile>,
    /// The answer.
    pub outcome: ProgramOutcome,
    /// Images with a bitmap file.
    pub tried: Vec<TriedImage>,
    /// Images that tried to break the layout.
    pub refuting: usize,
    /// Images for which there was no time.
    pub left_out: Vec<ImageWithout>,
    /// Images of a size that no disk has, which the program does not take.
    pub refused: Vec<ImageWithout>,
    /// Runs in all.
    pub runs: usize,
    /// How long it all took.
    pub elapsed: Duration,
}

/// The answer.
#[derive(Clone, Debug)]
pub enum ProgramOutcome {
    /// Exactly one layout, which nothing broke. Its origin is the proof.
    Proven(Box<Hypothesis>),
    /// The program is none whose layout can be learned.
    Fault(Fault),
    /// No layout that is looked for fits, or several do.
    Open {
        /// What the samples show; a single layout here is one that other images broke.
        learned: Learned,
        /// Where that layout and the program disagree.
        disagreements: Vec<Disagreement>,
        /// Which bytes depend on what.
        influences: Vec<Influence>,
    },
    /// There was no time for enough images.
    TooFew {
        /// Images that tried to break the layout.
        tried: usize,
        /// Time that enough of them take with all the rest, about.
        needed: Duration,
        /// Time that the longest run of these takes, about.
        longest_run: Duration,
        /// Which bytes depend on what, where no layout is known yet.
        influences: Vec<Influence>,
    },
}

impl LearnedProgram {
    /// The largest image that the program was run on.
    pub fn largest(&self) -> u64 {
        self.tried.iter().map(|image| image.size).max().unwrap_or(0)
    }

    /// The description of the layout with its proof, if one is proven.
    pub fn description(&self) -> Option<String> {
        let ProgramOutcome::Proven(hypothesis) = &self.outcome else { return None };
        let mut notes =
            vec!["A bitmap layout, learned by imsprep from the program that writes it.".to_owned()];
        if !hypothesis.assumptions.is_empty() {
            notes.push("The images do not prove that".to_owned());
            notes.extend(hypothesis.assumptions.iter().map(|assumption| format!("  {assumption}")));
        }
        describe_layout(&hypothesis.layout, &notes)
    }
}

/// Runs a program on images that are made for it, until exactly one layout reproduces what it writes and more images have failed to
/// break it.
///
/// # Errors
///
/// [`Error::Command`], [`Error::Program`] if it can't be run at all, [`Error::TempFolder`]; a stop. What the program does is
/// a result.
pub fn learn_from_program(options: &ProgramOptions, cancel: &Cancel) -> Result<LearnedProgram> {
    let words = words_of(&options.command)?;
    let files = ProgramFiles::of(&words, cancel)?;
    let limits = Limits { total: options.time_limit, run: options.run_limit };
    let mut runner = Runner::new(&words, &options.temp_folder, limits, cancel)?;
    let image = base_image();
    let first = runner.run(&image, &Presentation::default())?;
    let mut learned = LearnedProgram {
        command: options.command.clone(),
        files: files.proven.clone(),
        outcome: ProgramOutcome::TooFew {
            tried: 0,
            needed: Duration::ZERO,
            longest_run: Duration::ZERO,
            influences: Vec::new(),
        },
        tried: Vec::new(),
        refuting: 0,
        left_out: Vec::new(),
        refused: Vec::new(),
        runs: 0,
        elapsed: Duration::ZERO,
    };
    let fault = match (misconduct(&image, &first), &first.bitmap) {
        (Some(fault), _) => Some(fault),
        (None, Err(failure)) => Some(first_failure(&mut runner, &image, &first, failure)?),
        (None, Ok(bytes)) => dependence(&mut runner, &image, bytes, cancel)?,
    };
    learned.outcome = match (fault, first.bitmap) {
        (Some(fault), _) => ProgramOutcome::Fault(fault),
        (None, bytes) => {
            let bytes = bytes.unwrap_or_default();
            let mut search = Search::new(&mut runner, image.clone(), bytes.clone(), first.wall);
            let found = search.run()?;
            learned.tried = std::mem::take(&mut search.tried);
            learned.left_out = std::mem::take(&mut search.left_out);
            learned.refused = std::mem::take(&mut search.refused);
            learned.refuting = search.refuting;
            match found {
                Found::Fault(fault) => ProgramOutcome::Fault(fault),
                found => match dependence_on_time(&mut runner, &image, &bytes, cancel)? {
                    Some(fault) => ProgramOutcome::Fault(fault),
                    None => outcome(found, &mut runner, &learned, options)?,
                },
            }
        }
    };
    if let (ProgramOutcome::Proven(_), Err(error)) = (&learned.outcome, files.verify_unchanged()) {
        // It is not known any more which program wrote what.
        learned.outcome = ProgramOutcome::Fault(Fault {
            kind: FaultKind::ChangesItself,
            image: String::new(),
            evidence: error.to_string(),
            output: String::new(),
        });
    }
    learned.runs = runner.runs();
    learned.elapsed = runner.elapsed();
    Ok(learned)
}

fn words_of(command: &str) -> Result<Vec<String>> {
    words::words_of(command).map_err(|why| Error::Command { command: command.to_owned(), why })
}

/// Why the very first run brought nothing, after a look at other sizes.
fn first_failure(
    runner: &mut Runner<'_>,
    image: &SampleImage,
    first: &runner::Ran,
    failure: &RunFailure,
) -> Result<Fault> {
    let kind = match failure {
        RunFailure::TimedOut(_) | RunFailure::NoTimeLeft => {
            return Ok(Fault::new(FaultKind::Hangs, image, failure.to_string(), first));
        }
        RunFailure::Nothing(_) | RunFailure::NoBitmap(_) => FaultKind::WritesNothing,
        RunFailure::Status(_) => FaultKind::Fails,
    };
    for size in [4 << 20, 64 << 20, 1 << 30] {
        let other = SampleImage::mixed(size);
        let ran = runner.run(&other, &Presentation::default())?;
        if ran.bitmap.is_ok() {
            let evidence = format!("{failure}; for an image of {size} bytes it writes a bitmap file");
            return Ok(Fault::new(FaultKind::FailsOnSomeSizes, image, evidence, first));
        }
    }
    let evidence = format!("{failure}; so it is for images of 4 MiB, 64 MiB and 1 GiB");
    Ok(Fault::new(kind, image, evidence, first))
}

fn outcome(
    found: Found,
    runner: &mut Runner<'_>,
    learned: &LearnedProgram,
    options: &ProgramOptions,
) -> Result<ProgramOutcome> {
    Ok(match found {
        Found::Fault(fault) => ProgramOutcome::Fault(fault),
        // No image contradicts a layout: larger ones, for which there was no time, might leave exactly one.
        Found::Open { disagreements, .. } if disagreements.is_empty() && !learned.left_out.is_empty() => {
            let influences = influence::influences(runner)?;
            let without = learned.left_out.iter().filter(|image| image.size <= LARGEST_TO_LEARN_FROM);
            too_few(runner, learned, without.map(|image| image.size).collect(), influences)
        }
        Found::Open { learned, disagreements } => {
            ProgramOutcome::Open { learned, disagreements, influences: influence::influences(runner)? }
        }
        Found::Layout(_) if learned.refuting < FEWEST_REFUTING => {
            let mut sizes = learned.left_out.iter().map(|image| image.size).collect::<Vec<_>>();
            sizes.sort_unstable();
            sizes.truncate(FEWEST_REFUTING - learned.refuting);
            too_few(runner, learned, sizes, Vec::new())
        }
        Found::Layout(mut hypothesis) => {
            let shapes = learned.tried.iter().map(|image| image.shape.clone());
            let mut shapes = shapes.collect::<Vec<_>>();
            shapes.sort();
            shapes.dedup();
            hypothesis.layout.title = "learned from the program that writes it".into();
            hypothesis.layout.origin = Origin::Proven(Box::new(Proof {
                command: options.command.clone(),
                files: learned.files.clone(),
                date: options.date.clone(),
                images: u32::try_from(learned.tried.len()).unwrap_or(u32::MAX),
                shapes,
                largest_image: learned.largest(),
                refused: learned.refused.iter().map(|image| image.size).collect(),
                version: options.version.clone(),
            }));
            ProgramOutcome::Proven(hypothesis)
        }
    })
}

/// What is needed for images of these sizes, by the time that smaller ones took.
fn too_few(
    runner: &Runner<'_>,
    learned: &LearnedProgram,
    sizes: Vec<u64>,
    influences: Vec<Influence>,
) -> ProgramOutcome {
    let times = sizes.into_iter().map(|size| runner.projected(size)).collect::<Vec<_>>();
    let needed = times.iter().fold(runner.elapsed(), |sum, time| sum.saturating_add(*time));
    let longest_run = times.into_iter().max().unwrap_or_default();
    ProgramOutcome::TooFew { tried: learned.refuting, needed, longest_run, influences }
}

impl LearnedProgram {
    /// The files of the program, which nothing may replace.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| Path::new(&file.name))
    }
}
