//! The bytes of a file that headers and tables name, compared with each other and with the end of the file.
//!
//! In a sound file each byte belongs to one thing. Where two tables, or a table and a cluster, name the same bytes, one of
//! them was overwritten, and nothing shows which; what is read through them is garbage.

use std::ops::ControlFlow;

use imsprep_source::{Cancel, Error, ReadAt, Result};

use crate::Slice;

/// Ranges that are kept at once, of 16 bytes each.
const KEPT_MAX: usize = 4 << 20;

/// Bytes of the file that something says are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What the bytes are, in words: `the L1 table`.
    pub(crate) what: &'static str,
    /// Offset in the file.
    pub(crate) start: u64,
    /// Bytes in which nothing else may lie; 0 if that is not known.
    pub(crate) own: u64,
    /// Bytes that the file must have for all of the disk to be readable.
    pub(crate) needed: u64,
    /// Compressed data may go on up to this number of bytes: whether it does shows only when it is expanded.
    pub(crate) at_most: u64,
    /// Where in the file the place is written.
    pub(crate) named_at: u64,
    /// Where on the disk it belongs.
    pub(crate) at: u64,
}

/// The error of the first flaw because of which a disk must not be read. That a place lies beyond the end of the file shows when it is read.
pub(crate) fn refuse_damaged(flaws: Vec<Flaw>, file: &Slice<'_>) -> Result<()> {
    match flaws.into_iter().find(|flaw| matches!(flaw, Flaw::Damaged { .. })) {
        Some(flaw) => Err(flaw.error(file)),
        None => Ok(()),
    }
}

impl Flaw {
    /// The error of a reader that meets it.
    pub(crate) fn error(self, file: &Slice<'_>) -> Error {
        match self {
            Self::Damaged { offset, at, what } => file.damaged(at, offset, what),
            Self::Outside(what) => file.damaged(0, file.size(), what),
        }
    }
}

impl Claim {
    /// A table or a header, which the file must have as a whole.
    pub(crate) fn new(what: &'static str, start: u64, length: u64, named_at: u64) -> Self {
        Self { what, start, own: length, needed: length, at_most: 0, named_at, at: 0 }
    }

    /// What belongs at this offset of the disk.
    pub(crate) fn of_disk(self, at: u64) -> Self {
        Self { at, ..self }
    }

    /// Only so many bytes of it have to be there.
    pub(crate) fn needing(self, needed: u64) -> Self {
        Self { needed, ..self }
    }

    fn end(&self) -> u64 {
        self.start.saturating_add(self.own)
    }
}

/// What is wrong with the places that a file's headers and tables name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Two places overlap, or an entry of a table is none that can be: what, with the offsets in the file.
    Damaged {
        /// Where in the file the entry is.
        offset: u64,
        /// Offset on the disk that it is about.
        at: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The file ends before something that reading the disk takes: what, and where that ends.
    Outside(String),
}

/// Why a walk over the claims ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    Source(Error),
    Damaged {
        offset: u64,
        at: u64,
        what: String,
    },
    /// The walk was ended.
    Enough,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

/// What a walk hands over: each claim, in any order.
pub(crate) type See<'a> = dyn FnMut(Claim) -> ControlFlow<()> + 'a;

/// Which claims a walk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of headers and of top-level tables: no other table is read for them. They are compared first, so that a table
    /// that is named many times is not read many times.
    Tables,
    /// All.
    All,
}

/// A file whose claims can be walked over.
pub(crate) trait Claims {
    /// Hands over the claims of the scope.
    fn walk(&self, scope: Scope, see: &mut See<'_>) -> Result<(), Stop>;
}

/// Whether the compressed data that belongs at this offset of the disk can be expanded.
pub(crate) type Expands<'a> = dyn Fn(u64) -> Result<bool> + 'a;

/// Hands one claim over.
pub(crate) fn see(claim: Claim, see: &mut See<'_>) -> Result<(), Stop> {
    match see(claim) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Stop::Enough),
    }
}

/// Compares the claims with each other and with the end of the file.
///
/// # Errors
///
/// If the file cannot be read, or at a stop.
pub(crate) fn check(
    file: &Slice<'_>,
    claims: &dyn Claims,
    expands: &Expands<'_>,
    cancel: &Cancel,
) -> Result<Vec<Flaw>> {
    let mut checker = Checker { file, claims, cancel, kept_max: KEPT_MAX, end: End::default() };
    let damage = [Scope::Tables, Scope::All].into_iter().find_map(|scope| checker.overlap(scope).err());
    let mut flaws = Vec::new();
    match damage {
        None | Some(Stop::Enough) => {}
        Some(Stop::Source(error)) => return Err(error),
        Some(Stop::Damaged { offset, at, what }) => flaws.push(Flaw::Damaged { offset, at, what }),
    }
    flaws.extend(checker.outside(expands)?);
    Ok(flaws)
}

/// The claims that reach farthest.
#[derive(Default)]
struct End {
    /// The one of which the last byte that is needed lies farthest.
    needed: Option<Claim>,
    /// The compressed one that begins last. Compressed data does not overlap, so no other can end beyond it.
    packed: Option<Claim>,
}

impl End {
    fn note(&mut self, claim: &Claim) {
        let end = |claim: &Claim| claim.start.saturating_add(claim.needed);
        if claim.needed > 0 && self.needed.is_none_or(|other| end(&other) < end(claim)) {
            self.needed = Some(*claim);
        }
        if claim.at_most > 0 && self.packed.is_none_or(|other| other.start < claim.start) {
            self.packed = Some(*claim);
        }
    }
}

struct Checker<'a, 'f> {
    file: &'a Slice<'f>,
    claims: &'a dyn Claims,
    cancel: &'a Cancel,
    kept_max: usize,
    end: End,
}

impl Checker<'_, '_> {
    /// Looks for two claims on one byte, in as many walks as the memory makes necessary: one for nearly all files.
    fn overlap(&mut self, scope: Scope) -> Result<(), Stop> {
        let mut from = 0;
        loop {
            let mut sieve = Sieve::new(from, self.kept_max);
            let mut stopped = None;
            let mut seen = 0_u32;
            let walked = self.claims.walk(scope, &mut |claim| {
                self.end.note(&claim);
                seen = seen.wrapping_add(1);
                if seen.is_multiple_of(1 << 16) && self.cancel.is_cancelled() {
                    stopped = Some(Stop::Source(Error::Cancelled));
                    return ControlFlow::Break(());
                }
                sieve.add(claim.start, claim.end())
            });
            if let Some(stop) = stopped {
                return Err(stop);
            }
            match walked {
                Ok(()) => {}
                Err(Stop::Enough) => return Err(self.named(scope, sieve.overlap.unwrap_or(0))?),
                Err(other) => return Err(other),
            }
            match sieve.finish() {
                Err(at) => return Err(self.named(scope, at)?),
                Ok(None) => return Ok(()),
                Ok(Some(next)) => from = next,
            }
            self.cancel.check()?;
        }
    }

    /// Which two claims this byte of the file has.
    fn named(&self, scope: Scope, byte: u64) -> Result<Stop, Stop> {
        let mut found = Vec::new();
        let walked = self.claims.walk(scope, &mut |claim| {
            if (claim.start..claim.end()).contains(&byte) {
                found.push(claim);
            }
            if found.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        match walked {
            Ok(()) | Err(Stop::Enough) => {}
            Err(other) => return Err(other),
        }
        let [first, second] = found.as_slice() else {
            // The file has changed between the walks.
            return Ok(Stop::Damaged {
                offset: byte,
                at: 0,
                what: "two of its tables refer to this byte".into(),
            });
        };
        let what = format!(
            "{} at {} overlaps {} at {} (referred to at offset {})",
            second.what, second.start, first.what, first.start, first.named_at
        );
        Ok(Stop::Damaged { offset: second.named_at, at: second.at, what })
    }

    /// What the file should hold and ends before.
    fn outside(&self, expands: &Expands<'_>) -> Result<Option<Flaw>> {
        let size = self.file.size();
        if let Some(claim) = self.end.needed.filter(|claim| !self.file.holds(claim.start, claim.needed)) {
            let end = claim.start.saturating_add(claim.needed);
            return Ok(Some(Flaw::Outside(format!(
                "{} ends at {end}, but the file ends at {size}",
                claim.what
            ))));
        }
        let packed = self.end.packed.filter(|claim| claim.start.saturating_add(claim.at_most) > size);
        if let Some(claim) = packed
            && !expands(claim.at)?
        {
            let what =
                format!("{} at {} extends beyond the end of the file, at {size}", claim.what, claim.start);
            return Ok(Some(Flaw::Outside(what)));
        }
        Ok(None)
    }
}

/// Finds two ranges that overlap among any number of them, in bounded memory: those that begin from some offset on, as many
/// as can be kept.
struct Sieve {
    from: u64,
    /// Ranges that begin here or later are left for the next walk.
    to: u64,
    ranges: Vec<(u64, u64)>,
    most: usize,
    /// A byte in two ranges.
    overlap: Option<u64>,
}

impl Sieve {
    fn new(from: u64, most: usize) -> Self {
        Self { from, to: u64::MAX, ranges: Vec::new(), most: most.max(4), overlap: None }
    }

    fn add(&mut self, start: u64, end: u64) -> ControlFlow<()> {
        if end <= start || end <= self.from || start >= self.to {
            return ControlFlow::Continue(());
        }
        match self.ranges.last_mut() {
            Some((_, last)) if *last == start => *last = end,
            _ => self.ranges.push((start, end)),
        }
        if self.ranges.len() < self.most {
            return ControlFlow::Continue(());
        }
        if let Err(byte) = self.join() {
            self.overlap = Some(byte);
            return ControlFlow::Break(());
        }
        // Files are packed closely, so that joined ranges are few. Otherwise the first half is kept.
        let half = self.most / 2;
        if let Some((start, _)) = self.ranges.get(half).copied() {
            self.to = start;
            self.ranges.truncate(half);
        }
        ControlFlow::Continue(())
    }

    /// Sorts the ranges and joins neighbours; a byte that is in two of them is an error.
    fn join(&mut self) -> Result<(), u64> {
        self.ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, end) in self.ranges.drain(..) {
            match joined.last_mut() {
                Some((_, last)) if start < *last => return Err(start),
                Some((_, last)) if start == *last => *last = end,
                _ => joined.push((start, end)),
            }
        }
        self.ranges = joined;
        Ok(())
    }

    /// Where the next walk goes on, if one is necessary.
    fn finish(mut self) -> Result<Option<u64>, u64> {
        self.join()?;
        Ok((self.to < u64::MAX).then_some(self.to))
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;
    use proptest::prelude::*;

    use super::*;

    struct List(Vec<(u64, u64)>);

    impl Claims for List {
        fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
            let claims = self.0.iter().zip(1_u64..);
            claims
                .map(|((start, length), number)| Claim::new("a piece", *start, *length, number))
                .try_for_each(|c| see(c, seen))
        }
    }

    /// The pairs that overlap, by comparing each with each.
    fn naive(list: &[(u64, u64)]) -> bool {
        let overlap =
            |a: &(u64, u64), b: &(u64, u64)| a.0 < b.0 + b.1 && b.0 < a.0 + a.1 && a.1 > 0 && b.1 > 0;
        list.iter().enumerate().any(|(n, a)| list[..n].iter().any(|b| overlap(a, b)))
    }

    proptest! {
        #[test]
        fn any_overlap_is_found_however_few_are_kept(
            list in prop::collection::vec((0u64..3000, 0u64..6), 0..60), kept_max in 4usize..40
        ) {
            let image = MemoryImage::new("x", vec![0; 8192]);
            let (file, claims) = (Slice::whole(&image), List(list));
            let cancel = Cancel::new();
            let mut checker = Checker { file: &file, claims: &claims, cancel: &cancel, kept_max, end: End::default() };
            let found = checker.overlap(Scope::All);
            prop_assert_eq!(found.is_err(), naive(&claims.0), "{:?}", found);
            if let Err(Stop::Damaged { offset, what, .. }) = found {
                prop_assert!(what.contains("a piece") && (1..=claims.0.len() as u64).contains(&offset), "{}", what);
            }
        }
    }

    #[test]
    fn what_ends_last_decides_whether_the_file_is_cut() {
        let flaws = |list: &[(u64, u64)], size: usize| {
            let image = MemoryImage::new("x", vec![0; size]);
            check(&Slice::whole(&image), &List(list.to_vec()), &|_| Ok(true), &Cancel::new()).unwrap()
        };
        let list = [(0, 10), (50, 7), (20, 5), (57, 0)];
        assert_eq!(flaws(&list, 57), []);
        let outside = Flaw::Outside("a piece ends at 57, but the file ends at 56".into());
        assert_eq!(flaws(&list, 56), [outside]);
        let both = flaws(&[(0, 10), (50, 7), (9, 1)], 9);
        assert!(matches!(both.as_slice(), [Flaw::Damaged { offset: 3, .. }, Flaw::Outside(_)]), "{both:?}");
        assert!(flaws(&[(u64::MAX, 5)], 9).len() == 1, "beyond all offsets");
    }

    #[test]
    fn a_stop_is_seen() {
        let image = MemoryImage::new("x", vec![]);
        let cancel = Cancel::new();
        cancel.cancel();
        let list = List((0..200_000).map(|n| (n * 2, 1)).collect());
        assert!(matches!(check(&Slice::whole(&image), &list, &|_| Ok(true), &cancel), Err(Error::Cancelled)));
    }
}
