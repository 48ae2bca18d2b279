//! Which clusters of a volume are in use, for file systems that count in clusters of one size.

use std::ops::Range;

use crate::free::FreeSpace;
use crate::{Error, Result};

/// A bit for each cluster, set if it is in use. Clusters are counted from 0.
pub(super) struct Clusters {
    count: u64,
    words: Vec<u64>,
}

impl Clusters {
    /// Most clusters: 64 MiB of memory, which is enough for 2 TiB in clusters of 4 KiB.
    const COUNT_MAX: u64 = 1 << 29;

    /// All of them free.
    pub(super) fn new(count: u64) -> Result<Self> {
        if count > Self::COUNT_MAX {
            return Err(Error::limit(format!("has {count} clusters, more than {}", Self::COUNT_MAX)));
        }
        let words = usize::try_from(count.div_ceil(64)).unwrap_or_default();
        Ok(Self { count, words: vec![0; words] })
    }

    /// By a bitmap, the lowest bit of a byte first, which `read` gives: it fills a buffer with the bytes from an offset on. Bits
    /// behind the last cluster are left out.
    pub(super) fn of_bitmap(count: u64, mut read: impl FnMut(u64, &mut [u8]) -> Result<()>) -> Result<Self> {
        /// Bytes that are read at once.
        const PIECE: usize = 64 << 10;

        let mut clusters = Self::new(count)?;
        let size = usize::try_from(count.div_ceil(8)).unwrap_or_default();
        let mut piece = vec![0; PIECE.min(size)];
        let mut at = 0;
        for words in clusters.words.chunks_mut(PIECE / 8) {
            let length = PIECE.min(size.saturating_sub(at));
            piece.resize(length, 0);
            read(at as u64, &mut piece)?;
            for (word, bytes) in words.iter_mut().zip(piece.chunks(8)) {
                let mut whole = [0; 8];
                whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                *word = u64::from_le_bytes(whole);
            }
            at += length;
        }
        Ok(clusters)
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Marks one as in use; says whether it was free.
    pub(super) fn take(&mut self, cluster: u64) -> bool {
        let word = usize::try_from(cluster / 64).ok().and_then(|at| self.words.get_mut(at));
        let Some(word) = word.filter(|_| cluster < self.count) else { return false };
        let bit = 1 << (cluster % 64);
        let was_free = *word & bit == 0;
        *word |= bit;
        was_free
    }

    /// Whether all of these are there and in use.
    pub(super) fn are_used(&self, range: Range<u64>) -> bool {
        range.end <= self.count && self.next(range.start, false) >= range.end
    }

    /// The first cluster in use here that `other` calls free.
    pub(super) fn first_missing_in(&self, other: &Self) -> Option<u64> {
        let pairs = self.words.iter().zip(&other.words);
        let (index, missing) =
            pairs.map(|(ours, theirs)| ours & !theirs).enumerate().find(|(_, missing)| *missing != 0)?;
        Some(index as u64 * 64 + u64::from(missing.trailing_zeros()))
    }

    /// The first cluster from this one on that is in use, or that is not; the count if there is none.
    fn next(&self, from: u64, is_used: bool) -> u64 {
        let mut at = from;
        while let Some(word) = usize::try_from(at / 64).ok().and_then(|index| self.words.get(index)) {
            let word = if is_used { *word } else { !*word };
            let rest = word >> (at % 64);
            if rest != 0 {
                return (at + u64::from(rest.trailing_zeros())).min(self.count);
            }
            at = (at / 64 + 1) * 64;
        }
        self.count
    }

    /// The number of free ones.
    pub(super) fn free(&self) -> u64 {
        self.free_runs().map(|run| run.end - run.start).sum()
    }

    fn free_runs(&self) -> impl Iterator<Item = Range<u64>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = self.next(at, false);
            at = self.next(start, true);
            (start < self.count).then_some(start..at)
        })
    }

    /// Adds the free ones to the free space; the first cluster is at byte `at`, and each has `size` bytes.
    pub(super) fn add_free_to(&self, free: &mut FreeSpace, at: u64, size: u64) -> Result<()> {
        let place = |cluster: u64| cluster.checked_mul(size).and_then(|bytes| bytes.checked_add(at));
        for run in self.free_runs() {
            let (Some(start), Some(end)) = (place(run.start), place(run.end)) else {
                return Err(Error::corrupt("a cluster is beyond 64 bits"));
            };
            free.push(start..end)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_free_clusters_are_those_of_a_naive_search() {
        let mut state = 1_u32;
        for count in [0, 1, 7, 8, 63, 64, 65, 127, 128, 500, 524_287, 524_289] {
            let bytes: Vec<u8> = (0..count / 8 + 9)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    [0, 0xff, u8::try_from(state >> 24).unwrap()][(state >> 20) as usize % 3]
                })
                .collect();
            let clusters = Clusters::of_bitmap(count as u64, |at, buf| {
                let at = usize::try_from(at).unwrap();
                buf.copy_from_slice(&bytes[at..at + buf.len()]);
                Ok(())
            });
            let mut clusters = clusters.unwrap();
            let is_used = |at: usize| bytes[at / 8] >> (at % 8) & 1 == 1;
            let mut free = FreeSpace::new(1 << 40);
            clusters.add_free_to(&mut free, 100, 10).unwrap();
            let mut naive = FreeSpace::new(1 << 40);
            for at in (0..count).filter(|at| !is_used(*at)) {
                let at = 100 + at as u64 * 10;
                naive.push(at..at + 10).unwrap();
            }
            assert_eq!(free, naive, "{count}");
            assert_eq!(clusters.free() * 10, free.bytes());
            for start in (0..count).step_by(1 + count / 50) {
                let end = (start + 5).min(count);
                let used = (start..end).all(is_used);
                assert_eq!(clusters.are_used(start as u64..end as u64), used, "{start} of {count}");
                assert_eq!(clusters.take(start as u64), !is_used(start));
                assert!(!clusters.take(start as u64) && clusters.are_used(start as u64..start as u64 + 1));
            }
            assert!(!clusters.take(count as u64) && !clusters.are_used(0..count as u64 + 1));
        }
        assert!(Clusters::new(u64::MAX).is_err());
    }
}
