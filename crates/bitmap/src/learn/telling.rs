//! Bytes that are neither zeros nor ones, counted around a map.

use std::ops::Range;

/// Bytes for which one sum is kept.
const PIECE: usize = 64;

/// Counts the bytes of a file that padding does not have. Any range is counted at the cost of two pieces, because learning asks for
/// thousands of ranges of the same file.
pub(super) struct TellingBytes<'a> {
    bytes: &'a [u8],
    /// How many there are before each piece, and in all.
    sums: Vec<usize>,
}

fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0 | 0xff)).count()
}

impl<'a> TellingBytes<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let mut sums = vec![0];
        let mut sum = 0;
        for piece in bytes.chunks(PIECE) {
            sum += count(piece);
            sums.push(sum);
        }
        Self { bytes, sums }
    }

    /// How many there are outside of a range.
    pub(super) fn around(&self, range: Range<usize>) -> usize {
        let all = self.before(self.bytes.len());
        all - (self.before(range.end.max(range.start)) - self.before(range.start))
    }

    fn before(&self, end: usize) -> usize {
        let end = end.min(self.bytes.len());
        let piece = end / PIECE;
        let part = self.bytes.get(piece * PIECE..end).unwrap_or_default();
        self.sums.get(piece).copied().unwrap_or(0) + count(part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_look_at_each_byte(
            length in 0usize..20_000, seed in any::<u64>(), start in 0usize..20_000, size in 0usize..20_000) {
            let bytes = (0..length as u64)
                .map(|at| [0, 0xff, 1, 7][usize::try_from((at ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62).unwrap()])
                .collect::<Vec<u8>>();
            let expected = bytes.iter().enumerate().filter(|(at, _)| !(start..start + size).contains(at)).map(|(_, byte)| *byte);
            prop_assert_eq!(TellingBytes::of(&bytes).around(start..start + size), count(&expected.collect::<Vec<_>>()));
        }
    }
}
