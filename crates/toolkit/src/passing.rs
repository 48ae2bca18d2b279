//! What is on a disk that is read once, from its first byte to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use imsprep_inspect::{Inspection, inspect};
use imsprep_source::{Cancel, ReadAt, Result};

use crate::chunks::CHUNK;

/// The unit in which parts of the disk are kept.
const PAGE: u64 = 64 << 10;
/// Pages that are kept at most, apart from the first and the last two blocks: 32 MiB.
const PAGES_MAX: usize = 512;
/// Larger than any disk: the size of one whose end is not known yet.
const ENDLESS: u64 = 1 << 60;

/// Keeps the parts of a disk that inspection reads. A disk without random access is inspected while it passes by: what
/// inspection asks for that is still to come is kept when it comes, and then inspection runs again, as it may now ask for more.
pub(crate) struct Passing {
    path: PathBuf,
    kept: Mutex<Kept>,
    /// The last two blocks, of which the first begins at `last_at`.
    last: [Vec<u8>; 2],
    last_at: u64,
    /// Bytes that passed by.
    length: u64,
}

#[derive(Default)]
struct Kept {
    pages: BTreeMap<u64, Vec<u8>>,
    /// Numbers of pages that were asked for before they came.
    wanted: BTreeSet<u64>,
    /// Whether a page was asked for that had passed by and was not kept.
    missed: bool,
}

/// What is on a disk that passed by.
pub(crate) struct Passed {
    /// What is on it; parts that were missed look like zeros.
    pub(crate) inspection: Inspection,
    /// Whether a part was missed, as what leads to it came after it.
    pub(crate) missed: bool,
}

impl Passing {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            kept: Mutex::default(),
            last: Default::default(),
            last_at: 0,
            length: 0,
        }
    }

    /// Takes the next block of the disk. Every block but the last is a whole one.
    pub(crate) fn take(&mut self, block: Vec<u8>, cancel: &Cancel) -> Result<()> {
        let start = self.length;
        self.length += block.len() as u64;
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut came = start == 0;
        for (number, page) in (start / PAGE..).zip(block.chunks(page_size())) {
            let is_wanted = kept.wanted.remove(&number);
            if start == 0 || is_wanted && kept.pages.len() < PAGES_MAX {
                kept.pages.insert(number, page.to_vec());
            }
            came |= is_wanted;
        }
        self.last.swap(0, 1);
        self.last_at = if start == 0 { 0 } else { start - self.last[0].len() as u64 };
        self.last[1] = block;
        if came {
            self.inspect(ENDLESS, cancel)?;
        }
        Ok(())
    }

    /// What is on the disk as far as what has passed by shows it, if the disk has `size` bytes. What has not passed by yet looks like zeros.
    pub(crate) fn inspect(&self, size: u64, cancel: &Cancel) -> Result<Inspection> {
        inspect(&Seen { passing: self, size }, cancel)
    }

    /// What is on the disk, all of which has passed by.
    pub(crate) fn finish(self, cancel: &Cancel) -> Result<Passed> {
        let inspection = self.inspect(self.length, cancel)?;
        let missed = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner).missed;
        Ok(Passed { inspection, missed })
    }

    /// Fills `out` with the bytes from `at` on of the page of this number, which is all in one page.
    fn read_page(&self, number: u64, at: u64, out: &mut [u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(at % PAGE).unwrap_or(0);
        let start = number * PAGE;
        if !kept.pages.contains_key(&number) {
            if start >= self.length {
                if kept.wanted.len() < PAGES_MAX && start < ENDLESS {
                    kept.wanted.insert(number);
                }
            } else if let Some(page) = self.recent(start).filter(|_| kept.pages.len() < PAGES_MAX) {
                kept.pages.insert(number, page.to_vec());
            } else {
                kept.missed = true;
            }
        }
        let page = kept.pages.get(&number).and_then(|page| page.get(skip..)).unwrap_or_default();
        let length = page.len().min(out.len());
        out.iter_mut().zip(page).for_each(|(to, from)| *to = *from);
        out.get_mut(length..).unwrap_or_default().fill(0);
    }

    /// The page that starts here, if it is in the last two blocks.
    fn recent(&self, start: u64) -> Option<&[u8]> {
        let at = start.checked_sub(self.last_at)?;
        let [first, second] = &self.last;
        let (block, at) = match at.checked_sub(first.len() as u64) {
            None => (first, at),
            Some(at) => (second, at),
        };
        let rest = block.get(usize::try_from(at).ok()?..).filter(|rest| !rest.is_empty())?;
        Some(rest.get(..page_size()).unwrap_or(rest))
    }
}

fn page_size() -> usize {
    usize::try_from(PAGE).unwrap_or(usize::MAX)
}

/// The disk as far as it is known.
struct Seen<'a> {
    passing: &'a Passing,
    size: u64,
}

impl ReadAt for Seen<'_> {
    fn path(&self) -> &Path {
        &self.passing.path
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let length = usize::try_from(PAGE - at % PAGE).unwrap_or(rest.len()).min(rest.len());
            let (part, after) = rest.split_at_mut(length);
            self.passing.read_page(at / PAGE, at, part);
            at = at.saturating_add(length as u64);
            rest = after;
        }
        Ok(())
    }
}

const _: () = assert!(CHUNK.is_multiple_of(PAGE), "blocks are whole pages");
