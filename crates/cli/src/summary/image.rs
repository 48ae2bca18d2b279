//! What is kept of one image: a few hundred bytes, however much was said of it.

use std::fmt;

use imsprep_findings::Severity;

use crate::terminal::shown;
use crate::wire::input::{ReportedImage, SaidFinding, SaidVerdict};

/// The name of an image. `./a` is `a`: `find .` says the one, people the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(Box<[u8]>);

impl Name {
    pub(crate) fn new(path: &[u8]) -> Self {
        let mut path = path;
        while let Some(rest) = path.strip_prefix(b"./").filter(|rest| !rest.is_empty()) {
            path = rest;
        }
        Self(path.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// As it may be printed on a terminal.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&String::from_utf8_lossy(&self.0)))
    }
}

/// How an image stands: the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It is in the list of what must be there, and nothing was said of it.
    Missing,
    CouldNotLook,
    NotImportable,
    /// Importable, but for warnings that count: `--strict`.
    HeldBack,
    Importable,
}

impl Standing {
    pub(crate) const ALL: [Self; 5] =
        [Self::Missing, Self::CouldNotLook, Self::NotImportable, Self::HeldBack, Self::Importable];

    /// The word in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::CouldNotLook => "could-not-look",
            Self::NotImportable => "not-importable",
            Self::HeldBack => "held-back",
            Self::Importable => "importable",
        }
    }

    fn of(image: &ReportedImage) -> Self {
        match (image.verdict, image.exit_status) {
            (SaidVerdict::CouldNotTell, _) => Self::CouldNotLook,
            (SaidVerdict::NotImportable, _) => Self::NotImportable,
            (SaidVerdict::Importable, 0) => Self::Importable,
            (SaidVerdict::Importable, _) => Self::HeldBack,
        }
    }
}

/// A code or another short word that many images share, by its place in the list of all of them.
pub(crate) type Word = u16;

/// What was last said of an image.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) standing: Standing,
    pub(crate) exit_status: u8,
    pub(crate) bytes: u64,
    pub(crate) seconds: Option<f64>,
    pub(crate) tallies: Box<[Tally]>,
    pub(crate) reservations: Box<[Word]>,
    /// By which program and rules, by their place in the list of all runs.
    pub(crate) run: Word,
    /// What keeps it from passing; of one that passes nothing is kept.
    pub(crate) trouble: Option<Box<Trouble>>,
}

/// How often one rule is broken in one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    pub(crate) code: Word,
    pub(crate) severity: Severity,
    pub(crate) total: u64,
}

/// What keeps an image from passing.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Why it could not be checked.
    pub(crate) error: Option<String>,
    /// The most severe finding.
    pub(crate) finding: Option<SaidFinding>,
    /// Errors in all.
    pub(crate) errors: u64,
    /// Rules whose breaking counts, beside that of the finding.
    pub(crate) other_rules: usize,
}

impl Image {
    /// `tallies` and `reservations` are those of `said`, with words in place of texts.
    pub(crate) fn new(
        said: ReportedImage,
        tallies: Box<[Tally]>,
        reservations: Box<[Word]>,
        run: Word,
    ) -> Self {
        let standing = Standing::of(&said);
        let trouble = (standing != Standing::Importable).then(|| {
            let least = if standing == Standing::HeldBack { Severity::Warning } else { Severity::Error };
            let count = tallies.iter().filter(|tally| tally.severity >= least).count();
            let errors = tallies.iter().filter(|tally| tally.severity == Severity::Error);
            Box::new(Trouble {
                error: said.error.map(|error| cut(error.trim())),
                errors: errors.fold(0, |sum, tally| sum.saturating_add(tally.total)),
                other_rules: count.saturating_sub(1),
                finding: said.finding.map(|finding| SaidFinding {
                    code: cut(&finding.code),
                    severity: finding.severity,
                    message: cut(&finding.message),
                    fix: cut(&finding.fix),
                }),
            })
        });
        Self {
            standing,
            exit_status: said.exit_status,
            bytes: said.bytes.unwrap_or(0),
            seconds: said.seconds,
            tallies,
            reservations,
            run,
            trouble,
        }
    }

    pub(crate) fn has_warnings(&self) -> bool {
        self.tallies.iter().any(|tally| tally.severity == Severity::Warning)
    }
}

/// Most characters of a text that is kept.
const MOST: usize = 1000;

/// No more of a text than anybody reads.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.into(),
    }
}
