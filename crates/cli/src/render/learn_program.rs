//! `imsprep bitmap learn --program`

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use imsprep_bitmap::learn::Learned;
use imsprep_rules::Size;
use imsprep_toolkit::{
    FEWEST_REFUTING, Fault, ImageWithout, Influence, LearnedProgram, ProgramOutcome, ProgramVerified,
};

use super::learn::{one, several};
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::{counted, quantity};

/// Images, and places where layout and program disagree, that are printed without `-v`.
const MOST: usize = 6;

/// What came of running a program.
pub(crate) fn learned(learned: &LearnedProgram, written: Option<&Path>, detail: Detail) -> String {
    let images = counted(learned.tried.len() as u64, "image");
    let (style, answer) = match &learned.outcome {
        ProgramOutcome::Proven(_) => {
            (style::GOOD, format!("learned: exactly one layout reproduces all {images} byte for byte"))
        }
        ProgramOutcome::Fault(fault) => {
            (style::BAD, format!("cannot be learned: the program {}", fault.kind.title()))
        }
        ProgramOutcome::Open { learned: Learned::One(_), .. } => (
            style::BAD,
            "cannot be learned: other images break the only layout that fits the samples".to_owned(),
        ),
        ProgramOutcome::Open { learned: Learned::Several { .. }, .. } => {
            (style::DOUBTFUL, "cannot be learned: several layouts reproduce every image".to_owned())
        }
        ProgramOutcome::Open { .. } => {
            (style::BAD, "cannot be learned: no layout that is looked for reproduces the images".to_owned())
        }
        ProgramOutcome::TooFew { tried, .. } => (
            style::DOUBTFUL,
            format!(
                "not proven: the time limit allowed tests of the layout with {tried} images, and at least {FEWEST_REFUTING} are needed"
            ),
        ),
    };
    let mut text = format!("{style}{answer}{style:#}\n");
    let _ = writeln!(text, "  program {}", shown(&learned.command));
    for file in &learned.files {
        let _ = writeln!(text, "  file    {}, SHA-256 {}", shown(&file.name), file.sha256);
    }
    let _ = writeln!(
        text,
        "  runs    {} in {}; {images}, {} of them to break the layout; the largest has {}",
        learned.runs,
        quantity::time(learned.elapsed),
        learned.refuting,
        Size(learned.largest()).scaled()
    );
    text += &without("left out", &learned.left_out, detail);
    text += &without("refused ", &learned.refused, detail);
    match &learned.outcome {
        ProgramOutcome::Proven(hypothesis) => text += &one(hypothesis, written),
        ProgramOutcome::Fault(found) => text += &fault(found),
        ProgramOutcome::TooFew { needed, longest_run, influences, .. } => {
            let with_reserve = |time: &Duration| time.as_secs().saturating_mul(3) / 2 + 1;
            let (all, one) = (with_reserve(needed), with_reserve(longest_run));
            let _ = writeln!(text, "  next    the same with --time-limit {all} --run-limit {one}");
            text += &influences_in_words(influences);
        }
        ProgramOutcome::Open { learned, disagreements, influences } => {
            match learned {
                Learned::One(hypothesis) => {
                    let _ = writeln!(text, "  nearest {}", hypothesis.layout.summary());
                }
                Learned::Several { hypotheses, .. } => text += &several(hypotheses, None, detail),
                Learned::None { nearest, looks_like } => {
                    if let Some(form) = looks_like {
                        let _ = writeln!(text, "  looks   {form}");
                    }
                    if let Some(nearest) = nearest {
                        let _ = writeln!(text, "  nearest {}", nearest.summary);
                        let _ =
                            writeln!(text, "          fails at byte {}: {}", nearest.offset, nearest.what);
                    }
                }
            }
            let limit = if detail == Detail::Verbose { disagreements.len() } else { MOST };
            for disagreement in disagreements.iter().take(limit) {
                let _ = writeln!(text, "  differs {}: {}", shown(&disagreement.image), disagreement.evidence);
            }
            if disagreements.len() > limit {
                let _ = writeln!(text, "          and {} more; -v shows them", disagreements.len() - limit);
            }
            text += &influences_in_words(influences);
        }
    }
    text
}

/// Which bytes depend on what.
fn influences_in_words(influences: &[Influence]) -> String {
    let mut text = String::new();
    for influence in influences {
        let what = influence.evidence.as_deref().unwrap_or("no byte differs");
        let _ = writeln!(text, "  {:7} {}: {what}", influence.of, influence.altered);
    }
    if !influences.is_empty() {
        text += "          (each compared with an image of 10 MiB of zeros)\n";
        text += "  other   no byte depends on time, on names, or on which zeros are holes\n";
    }
    text
}

/// What came of holding a bitmap file against a program.
pub(crate) fn verified(verified: &ProgramVerified) -> String {
    let name = |path: &Path| shown(&path.display().to_string()).to_string();
    let (bitmap, image) = (name(&verified.bitmap), name(&verified.image));
    let (style, answer) = match verified.difference {
        None => (style::GOOD, format!("{bitmap}: the program writes the same bytes of {image}")),
        Some(_) => (style::BAD, format!("{bitmap}: the program writes other bytes of {image}")),
    };
    let mut text = format!("{style}{answer}{style:#}\n");
    let _ = writeln!(text, "  program {}", shown(&verified.command));
    for file in &verified.files {
        let _ = writeln!(text, "  file    {}, SHA-256 {}", shown(&file.name), file.sha256);
    }
    let [ours, theirs] = verified.lengths;
    let _ = writeln!(
        text,
        "  bytes   {ours}, and {theirs} of the program, which took {}",
        quantity::time(verified.wall)
    );
    if let Some(difference) = &verified.difference {
        let _ = writeln!(text, "  differs file and program: {difference}");
    }
    if verified.left_behind > 0 {
        let left = counted(verified.left_behind as u64, "running process");
        let _ = writeln!(text, "  note    the program left {left} behind, which was killed");
    }
    text
}

fn fault(fault: &Fault) -> String {
    let mut text = String::new();
    if !fault.image.is_empty() {
        let _ = writeln!(text, "  image   {}", shown(&fault.image));
    }
    let _ = writeln!(text, "  seen    {}", shown(&fault.evidence));
    for line in fault.output.lines() {
        let _ = writeln!(text, "  output  {}", shown(line));
    }
    text
}

fn without(title: &str, images: &[ImageWithout], detail: Detail) -> String {
    let mut text = String::new();
    let limit = if detail == Detail::Verbose { images.len() } else { MOST };
    for image in images.iter().take(limit) {
        let (size, shape) = (Size(image.size).scaled(), shown(&image.shape));
        let _ = writeln!(text, "  {title} {size} ({shape}): {}", shown(&image.why));
    }
    if images.len() > limit {
        let _ = writeln!(text, "          and {} more; -v shows them", images.len() - limit);
    }
    text
}
