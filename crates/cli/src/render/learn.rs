//! `imsprep bitmap learn` and `make-sample`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_bitmap::SPECIMEN_SIZE;
use imsprep_bitmap::learn::{FurtherSample, Hypothesis, Learned};
use imsprep_rules::Size;
use imsprep_toolkit::{LearnedLayout, SpecimenMade};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::{counted, scan_line};

/// Hypotheses that are printed without `-v`.
const HYPOTHESES: usize = 6;

fn name(path: &Path) -> String {
    shown(&path.display().to_string()).to_string()
}

/// What the samples show.
pub(crate) fn learned(learned: &LearnedLayout, written: Option<&Path>, detail: Detail) -> String {
    let (style, answer) = match &learned.learned {
        Learned::One(_) => {
            (style::GOOD, "exactly one layout reproduces every sample byte for byte".to_owned())
        }
        Learned::Several { by_chance: true, .. } => (
            style::DOUBTFUL,
            "inconclusive: the images have too little variation; several layouts fit by chance".to_owned(),
        ),
        Learned::Several { hypotheses, and_more, .. } => {
            let readings = hypotheses.iter().map(|h| h.readings).fold(0usize, usize::saturating_add);
            let least = if *and_more { "at least " } else { "" };
            let answer =
                format!("inconclusive: {least}{readings} layouts reproduce every sample byte for byte");
            (style::DOUBTFUL, answer)
        }
        Learned::None { .. } => {
            (style::BAD, "no layout of the supported kinds reproduces the samples".to_owned())
        }
    };
    let mut text = format!("{style}{answer}{style:#}\n");
    for ((pair, length), scan) in learned.pairs.iter().zip(&learned.lengths).zip(&learned.scans) {
        let (image, size) = (name(&pair.image), Size(scan.map.image_size()).scaled());
        let _ = writeln!(text, "  sample  {}, {length} bytes, of {image}, {size}", name(&pair.sample));
        let _ = writeln!(text, "  scan    {}", scan_line(scan, detail));
    }
    match &learned.learned {
        Learned::One(hypothesis) => text += &one(hypothesis, written),
        Learned::Several { hypotheses, further, .. } => text += &several(hypotheses, *further, detail),
        Learned::None { nearest, looks_like } => {
            if let Some(form) = looks_like {
                let _ = writeln!(text, "  looks   {form}");
            }
            match nearest {
                Some(nearest) => {
                    let sample =
                        learned.pairs.get(nearest.sample).map_or_else(String::new, |p| name(&p.sample));
                    let _ = writeln!(text, "  nearest {}", nearest.summary);
                    let _ = writeln!(
                        text,
                        "          fails at byte {} of {sample}: {}",
                        nearest.offset, nearest.what
                    );
                }
                None => text += "  nearest none\n",
            }
            text += "  next    make sure that each sample is complete and was made from the current content of its image\n";
        }
    }
    text
}

pub(super) fn one(hypothesis: &Hypothesis, written: Option<&Path>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "  layout  {}", hypothesis.layout.summary());
    let known = imsprep_bitmap::layout::LAYOUTS.iter().find(|known| {
        known.form == hypothesis.layout.form && known.block_size == hypothesis.layout.block_size
    });
    if let Some(known) = known {
        let _ = writeln!(text, "          this is the built-in layout {}", known.name);
    }
    text += &assumptions(hypothesis, "  ");
    match written {
        Some(path) => {
            let path = name(path);
            let _ = writeln!(text, "  written {path}");
            let _ = writeln!(
                text,
                "  next    imsprep bitmap create --layout {path} FILE; imsprep check --layout {path} FILE"
            );
        }
        None => text += "  next    the same with -o my.toml writes the layout to a file\n",
    }
    text
}

pub(super) fn several(hypotheses: &[Hypothesis], further: Option<FurtherSample>, detail: Detail) -> String {
    let mut text = String::new();
    let limit = if detail == Detail::Verbose { hypotheses.len() } else { HYPOTHESES };
    for (number, hypothesis) in hypotheses.iter().take(limit).enumerate() {
        let _ = writeln!(text, "  layout {}: {}", number + 1, hypothesis.layout.summary());
        for question in &hypothesis.questions {
            let _ = writeln!(text, "      {}:", question.place);
            if question.readings.is_empty() {
                text += "          more readings than are written out\n";
            }
            for reading in &question.readings {
                let _ = writeln!(text, "          or {reading}");
            }
        }
        text += &assumptions(hypothesis, "      ");
    }
    if hypotheses.len() > limit {
        let _ = writeln!(text, "  and {} more; -v shows them", hypotheses.len() - limit);
    }
    let further = further.map(|further| (further, further.size != SPECIMEN_SIZE));
    let size = match further {
        Some((further, true)) => format!("--size {} ", further.size),
        _ => String::new(),
    };
    let _ = writeln!(text, "  next    imsprep bitmap make-sample {size}-o small.raw");
    text += "          have the vendor's program make its bitmap file, and add --image small.raw --sample small.mf\n";
    if let Some((FurtherSample { told_apart, of, .. }, _)) = further.filter(|_| !hypotheses.is_empty()) {
        let _ = match told_apart == of {
            true => writeln!(
                text,
                "          which distinguishes all {of} layouts: each makes a different bitmap file"
            ),
            false => writeln!(
                text,
                "          of {}, that makes {told_apart} different files: layouts with the same file are not distinguished",
                counted(of as u64, "layout")
            ),
        };
    }
    text
}

fn assumptions(hypothesis: &Hypothesis, indent: &str) -> String {
    let mut text = String::new();
    for assumption in &hypothesis.assumptions {
        let _ = writeln!(text, "{indent}assumed {assumption}");
    }
    text
}

/// The image that was made, and what to do with it.
pub(crate) fn made(made: &SpecimenMade) -> String {
    let bold = style::BOLD;
    let path = name(&made.path);
    let bitmap = name(&made.path.with_extension("mf"));
    let mut text = String::new();
    let _ = writeln!(text, "{bold}{path}{bold:#}: written");
    let _ = writeln!(text, "  size    {}", Size(made.size));
    let _ = writeln!(text, "  data    {}; the rest are holes", Size(made.data_bytes));
    let _ = writeln!(text, "  next    java -jar CreateMF.jar {path} {bitmap}");
    let _ = writeln!(text, "          imsprep bitmap learn --image {path} --sample {bitmap} -o my.toml");
    text
}
