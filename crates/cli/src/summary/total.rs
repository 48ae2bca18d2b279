//! Adding up what was said of all images.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use imsprep_findings::Severity;

use super::image::{Image, Trouble};
use super::{Joined, Name, NotCounted, Standing};
use crate::exit::Status;
use crate::wire::input::Run;

/// Images that are named for each code.
const EXAMPLES: usize = 3;
/// Images that are named because they took longest.
const SLOWEST: usize = 5;

/// One report on all images.
#[derive(Debug)]
pub(crate) struct Summary {
    /// How many images stand so.
    pub(crate) standings: BTreeMap<Standing, u64>,
    /// Importable ones that have warnings.
    pub(crate) with_warnings: u64,
    /// What keeps `importable` from being a plain yes, and of how many.
    pub(crate) reservations: BTreeMap<String, u64>,
    /// Documents that counted.
    pub(crate) documents: u64,
    /// How often an image was spoken of again.
    pub(crate) again: u64,
    pub(crate) not_counted: Vec<NotCounted>,
    pub(crate) not_counted_total: u64,
    /// Images that are not in the list of those expected; `None` without a list.
    pub(crate) unexpected: Option<Vec<Name>>,
    /// Sum over all image files.
    pub(crate) bytes: u64,
    /// Sum over all images; `None` if no document has it.
    pub(crate) seconds: Option<f64>,
    /// Programs and rules, and of how many images.
    pub(crate) runs: BTreeMap<Run, u64>,
    /// The most severe first, then the most frequent.
    pub(crate) findings: Vec<CodeCount>,
    /// The slowest first.
    pub(crate) slowest: Vec<Slow>,
    /// Images that do not pass, the most severe first.
    pub(crate) to_do: Vec<ToDo>,
    pub(crate) status: Status,
}

/// How often a rule is broken in all images.
#[derive(Debug)]
pub(crate) struct CodeCount {
    pub(crate) code: String,
    pub(crate) severity: Severity,
    pub(crate) images: u64,
    pub(crate) times: u64,
    /// The first of the images, by name.
    pub(crate) examples: Vec<Name>,
}

/// An image that took long.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) name: Name,
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
}

/// An image that does not pass.
#[derive(Debug)]
pub(crate) struct ToDo {
    pub(crate) name: Name,
    pub(crate) standing: Standing,
    pub(crate) exit_status: u8,
    pub(crate) trouble: Trouble,
}

impl Summary {
    pub(crate) fn count(&self, standing: Standing) -> u64 {
        self.standings.get(&standing).copied().unwrap_or(0)
    }

    /// All images, missing ones among them.
    pub(crate) fn images(&self) -> u64 {
        self.standings.values().sum()
    }
}

pub(super) fn add_up(joined: Joined, expected: Option<&BTreeSet<Name>>) -> Summary {
    let mut images = joined.images;
    let is_strange = |name: &&Name| expected.is_some_and(|expected| !expected.contains(name));
    let unexpected = expected.map(|_| images.keys().filter(is_strange).cloned().collect());
    let missing = expected.into_iter().flatten().filter(|name| !images.contains_key(*name));
    let mut to_do = missing.map(ToDo::missing).collect::<Vec<_>>();

    let names = |counts: BTreeMap<_, u64>, names: BTreeMap<_, String>| {
        let named = counts.into_iter().filter_map(|(place, count)| Some((names.get(&place)?.clone(), count)));
        named.collect::<BTreeMap<_, _>>()
    };
    let mut summary = Summary {
        standings: BTreeMap::from([(Standing::Missing, to_do.len() as u64)]),
        with_warnings: 0,
        reservations: names(
            tally(images.values().flat_map(|i| i.reservations.iter().copied())),
            joined.reservations.by_place(),
        ),
        documents: joined.documents,
        again: joined.again,
        not_counted: joined.not_counted,
        not_counted_total: joined.not_counted_total,
        unexpected,
        bytes: images.values().fold(0, |sum, image| sum.saturating_add(image.bytes)),
        seconds: images.values().filter_map(|image| image.seconds).reduce(|sum, seconds| sum + seconds),
        runs: BTreeMap::new(),
        findings: findings(&images, &joined.codes.by_place()),
        slowest: slowest(&images),
        to_do: vec![],
        status: Status::Fine,
    };
    let runs = joined.runs.by_place();
    for (place, count) in tally(images.values().map(|image| image.run)) {
        if let Some(run) = runs.get(&place) {
            summary.runs.insert(run.clone(), count);
        }
    }
    for image in images.values() {
        *summary.standings.entry(image.standing).or_default() += 1;
        summary.with_warnings += u64::from(image.standing == Standing::Importable && image.has_warnings());
    }
    to_do.extend(images.iter_mut().filter_map(|(name, image)| {
        let trouble = *image.trouble.take()?;
        Some(ToDo { name: name.clone(), standing: image.standing, exit_status: image.exit_status, trouble })
    }));
    to_do.sort_by(|a, b| {
        let key = |item: &ToDo| (item.standing, Reverse(item.trouble.errors));
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
    let of_images =
        to_do.iter().map(|item| if item.exit_status == 1 { Status::Wrong } else { Status::CouldNotLook });
    summary.status = of_images.max().unwrap_or(Status::Fine);
    if summary.not_counted_total > 0 {
        // Its content is unknown.
        summary.status = Status::CouldNotLook;
    }
    summary.to_do = to_do;
    summary
}

impl ToDo {
    fn missing(name: &Name) -> Self {
        let exit_status = Status::CouldNotLook.number();
        Self { name: name.clone(), standing: Standing::Missing, exit_status, trouble: Trouble::default() }
    }
}

fn tally<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

fn findings(images: &BTreeMap<Name, Image>, codes: &BTreeMap<super::Word, String>) -> Vec<CodeCount> {
    let mut counts = BTreeMap::new();
    for (name, image) in images {
        for tally in &image.tallies {
            let Some(code) = codes.get(&tally.code) else { continue };
            let new = || CodeCount {
                code: code.clone(),
                severity: tally.severity,
                images: 0,
                times: 0,
                examples: vec![],
            };
            let count = counts.entry((Reverse(tally.severity), tally.code)).or_insert_with(new);
            count.times = count.times.saturating_add(tally.total);
            count.images += 1;
            if count.examples.len() < EXAMPLES {
                count.examples.push(name.clone());
            }
        }
    }
    let mut counts = counts.into_values().collect::<Vec<_>>();
    counts.sort_by(|a, b| {
        let key = |count: &CodeCount| (Reverse(count.severity), Reverse(count.images));
        key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code))
    });
    counts
}

fn slowest(images: &BTreeMap<Name, Image>) -> Vec<Slow> {
    let mut slowest = Vec::new();
    let timed = images.iter().filter_map(|(name, image)| Some((name, image.seconds?, image.bytes)));
    for (name, seconds, bytes) in timed {
        let place = slowest.partition_point(|other: &Slow| other.seconds >= seconds);
        if place < SLOWEST {
            slowest.insert(place, Slow { name: name.clone(), seconds, bytes });
            slowest.truncate(SLOWEST);
        }
    }
    slowest
}
