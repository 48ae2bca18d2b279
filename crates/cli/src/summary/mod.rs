//! One report on many images, of which each was read by a process of its own.
//!
//! Documents go by once and are not kept. Of each image a few hundred bytes are, as what is said of it again takes the place of what
//! was said before; so memory grows with the number of images, which is bounded, and not with the length of the input.

pub(crate) mod documents;
pub(crate) mod expected;
pub(crate) mod image;
mod total;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub(crate) use image::{Name, Standing};
pub(crate) use total::{CodeCount, Slow, Summary, ToDo};

use crate::wire::input::{self, ReportInput, ReportedImage, Run};
use documents::Piece;
use image::{Image, Tally, Word};

/// Most images of a summary.
const MAX_IMAGES: usize = 1_000_000;

/// Most bytes of a path: three for each byte of the longest that Linux knows, as of one that is not UTF-8 replacement
/// characters are kept.
const MAX_PATH: usize = 3 * 4096;

/// Most different codes, reservations, and runs: there are not as many in a century of imsprep.
const MAX_WORDS: usize = 10_000;
const MAX_WORD: usize = 64;

/// Most pieces of the input that are listed because they count for nothing; the others are only numbered.
const LISTED: usize = 100;

/// A piece of the input that counts for nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotCounted {
    /// `None` for standard input.
    pub(crate) file: Option<PathBuf>,
    pub(crate) line: u64,
    pub(crate) why: String,
}

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    images: BTreeMap<Name, Image>,
    codes: Words<String>,
    reservations: Words<String>,
    runs: Words<Run>,
    /// Documents that counted.
    documents: u64,
    /// How often an image was spoken of again.
    again: u64,
    not_counted: Vec<NotCounted>,
    not_counted_total: u64,
}

impl Joined {
    /// Takes one piece of a file.
    pub(crate) fn take(&mut self, piece: Piece, file: Option<&PathBuf>) {
        let (line, result) = match piece {
            Piece::Text { line, text } => {
                (line, input::read(&text).map_err(|why| why.to_string()).and_then(|said| self.add(said)))
            }
            Piece::TooLong { line } => {
                (line, Err(format!("longer than {} bytes, the limit for a report", documents::MAX_DOCUMENT)))
            }
            Piece::Cut { line } => (line, Err("truncated: its last line is missing".into())),
        };
        match result {
            Ok(()) => self.documents += 1,
            Err(why) => {
                self.not_counted_total += 1;
                if self.not_counted.len() < LISTED {
                    self.not_counted.push(NotCounted { file: file.cloned(), line, why });
                }
            }
        }
    }

    /// All images of a document, or none of them.
    fn add(&mut self, said: ReportInput) -> Result<(), String> {
        let Run { tool_version, rule_set, profile } = &said.run;
        let short = [tool_version, rule_set, profile].into_iter().all(|word| word.len() <= MAX_WORD);
        let run = if short { self.runs.place(said.run) } else { None };
        let run = run.ok_or("the version of the program or of its rules is not valid")?;
        let images = said.images.into_iter().map(|image| self.image(image, run));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let new = images.iter().filter(|(name, _)| !self.images.contains_key(name)).count();
        if self.images.len() + new > MAX_IMAGES {
            return Err(format!("a summary takes no more than {MAX_IMAGES} images"));
        }
        for (name, image) in images {
            if self.images.insert(name, image).is_some() {
                self.again += 1;
            }
        }
        Ok(())
    }

    fn image(&mut self, said: ReportedImage, run: Word) -> Result<(Name, Image), String> {
        let name = Name::new(&said.path);
        if name.bytes().len() > MAX_PATH {
            return Err(format!("a path of more than {MAX_PATH} bytes"));
        }
        let mut totals = BTreeMap::<_, u64>::new();
        for tally in &said.tallies {
            let code = self.codes.place_of(&tally.code).ok_or("an unknown code")?;
            let total = totals.entry((code, tally.severity)).or_default();
            *total = total.saturating_add(tally.total);
        }
        let tallies = totals.into_iter().map(|((code, severity), total)| Tally { code, severity, total });
        let tallies = tallies.collect();
        let reservations = said.reservations.iter().map(|word| self.reservations.place_of(word));
        let reservations = reservations.collect::<Option<BTreeSet<_>>>().ok_or("an unknown reservation")?;
        let reservations = reservations.into_iter().collect();
        Ok((name, Image::new(said, tallies, reservations, run)))
    }

    /// Whether nothing at all came in.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents == 0 && self.not_counted_total == 0
    }

    /// Adds it all up; what is expected and not there is missing.
    pub(crate) fn summary(self, expected: Option<&BTreeSet<Name>>) -> Summary {
        total::add_up(self, expected)
    }
}

/// Words that many images share, each kept once.
#[derive(Debug)]
struct Words<T> {
    places: BTreeMap<T, Word>,
}

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Words<T> {
    /// The word's place; `None` if there are too many.
    fn place(&mut self, word: T) -> Option<Word> {
        if let Some(place) = self.places.get(&word) {
            return Some(*place);
        }
        let place = Word::try_from(self.places.len()).ok().filter(|place| usize::from(*place) < MAX_WORDS)?;
        self.places.insert(word, place);
        Some(place)
    }

    /// The words by their places.
    fn by_place(&self) -> BTreeMap<Word, T> {
        self.places.iter().map(|(word, place)| (*place, word.clone())).collect()
    }
}

impl Words<String> {
    /// The place of a text; `None` also of one that is too long for a word.
    fn place_of(&mut self, word: &str) -> Option<Word> {
        if word.len() > MAX_WORD { None } else { self.place(word.to_owned()) }
    }
}
