//! Which values the cells of a map may have.

use crate::cells::{Cell, Cells};

/// Lengths of cells that are looked for: a byte, and words.
const WIDTHS: [usize; 3] = [1, 2, 4];

/// The pairs of values that are looked for in cells of each length.
pub(super) fn all_alphabets(sample: &[u8]) -> [(usize, Vec<Cells>); 3] {
    WIDTHS.map(|width| (width, alphabets(width, sample)))
}

/// The pairs of values that are looked for in cells of this length: one and zero, all bits and none, digits; in the first sample
/// also its two most frequent bytes.
fn alphabets(width: usize, sample: &[u8]) -> Vec<Cells> {
    let zero = vec![0; width];
    let ones = vec![0xff; width];
    let (mut first, mut last) = (zero.clone(), zero.clone());
    if let (Some(low), Some(high)) = (first.first_mut(), last.last_mut()) {
        (*low, *high) = (1, 1);
    }
    let mut pairs = vec![(first, zero.clone()), (last, zero.clone()), (ones, zero)];
    if width == 1 {
        pairs.push((b"1".to_vec(), b"0".to_vec()));
        let (a, b) = most_frequent(sample);
        pairs.push((vec![a], vec![b]));
    }
    let both_ways = pairs.into_iter().flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)]);
    let cells = both_ways.filter_map(|(data, zero)| Cells::new(Cell::new(&data)?, Cell::new(&zero)?));
    let mut distinct = Vec::new();
    for cells in cells {
        if !distinct.contains(&cells) {
            distinct.push(cells);
        }
    }
    distinct
}

/// The two bytes that occur most often.
fn most_frequent(sample: &[u8]) -> (u8, u8) {
    let mut counts = (0..=u8::MAX).map(|byte| (0usize, byte)).collect::<Vec<_>>();
    for byte in sample {
        if let Some((count, _)) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts.sort_unstable_by(|a, b| b.cmp(a));
    match counts.as_slice() {
        [(_, first), (_, second), ..] => (*first, *second),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_people_use_are_among_them_once() {
        let of = |width, sample: &[u8]| {
            let all = alphabets(width, sample);
            all.iter().map(|cells| (cells.data().to_vec(), cells.zero().to_vec())).collect::<Vec<_>>()
        };
        let bytes = of(1, b"xxxxx-----HEAD");
        for (data, zero) in
            [(1, 0), (0, 1), (0xff, 0), (b'1', b'0'), (b'0', b'1'), (b'x', b'-'), (b'-', b'x')]
        {
            assert!(bytes.contains(&(vec![data], vec![zero])), "{data} {zero}");
        }
        assert_eq!(bytes.len(), 8);
        assert_eq!(of(1, &[0, 0, 1]).len(), 6);
        let words = of(4, b"");
        assert!(
            words.contains(&(vec![1, 0, 0, 0], vec![0; 4]))
                && words.contains(&(vec![0, 0, 0, 1], vec![0; 4]))
        );
        assert_eq!(words.len(), 6);
    }
}
