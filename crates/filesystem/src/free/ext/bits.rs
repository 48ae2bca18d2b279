//! Runs of zeros in a bitmap.

use std::ops::Range;

use crate::Result;

/// Hands over the runs of bits that are 0 among the first `count`, ascending; none of them ends where the next one begins. The first bit
/// is the lowest one of the first byte. What the bitmap lacks counts as 1.
pub(super) fn zeros(bitmap: &[u8], count: u64, mut each: impl FnMut(Range<u64>) -> Result<()>) -> Result<()> {
    let mut start = None;
    let mut at = 0;
    for word in bitmap.chunks(8) {
        if at >= count {
            break;
        }
        let mut bytes = [0xff; 8];
        bytes.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
        let mut word = u64::from_le_bytes(bytes);
        let left = count - at;
        if left < 64 {
            word |= u64::MAX << left;
        }
        match (word, start) {
            (0, Some(_)) | (u64::MAX, None) => {}
            (0, None) => start = Some(at),
            _ => {
                let mut bit = 0;
                while bit < 64 {
                    let rest = word >> bit;
                    match start {
                        None => {
                            bit += rest.trailing_ones();
                            start = (bit < 64).then(|| at + u64::from(bit));
                        }
                        Some(from) => {
                            bit += rest.trailing_zeros();
                            if bit < 64 {
                                each(from..at + u64::from(bit))?;
                                start = None;
                            }
                        }
                    }
                }
            }
        }
        at += 64;
    }
    match start {
        Some(from) => each(from..at.min(count)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(bitmap: &[u8], count: u64) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        let is_zero = |at: u64| {
            let byte = bitmap.get(usize::try_from(at / 8).unwrap()).copied().unwrap_or(0xff);
            byte >> (at % 8) & 1 == 0
        };
        for at in (0..count).filter(|at| is_zero(*at)) {
            match runs.last_mut() {
                Some(last) if last.end == at => last.end += 1,
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }

    #[test]
    fn runs_are_those_found_bit_by_bit() {
        let mut state = 1_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        for length in [0, 1, 7, 8, 9, 16, 31, 64] {
            for _ in 0..200 {
                let mut byte = |_| {
                    let choices = [0, 0xff, 0x80, 1, u8::try_from(next() % 256).unwrap()];
                    choices[usize::try_from(next() % 5).unwrap()]
                };
                let bitmap: Vec<u8> = (0..length).map(&mut byte).collect();
                for count in [0, 1, 63, 64, 65, length * 8, next() % (length * 8 + 9)] {
                    let mut runs = Vec::new();
                    zeros(&bitmap, count, |run| {
                        runs.push(run);
                        Ok(())
                    })
                    .unwrap();
                    assert_eq!(runs, naive(&bitmap, count), "{bitmap:?} {count}");
                }
            }
        }
    }
}
