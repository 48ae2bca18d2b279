//! The middle and the ends.

use std::time::Duration;

use crate::Spread;

impl Spread {
    /// The spread of the samples; `None` if there are none.
    pub(crate) fn of(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        let median = *samples.get((samples.len().checked_sub(1)?) / 2)?;
        Some(Self { median, min: *samples.first()?, max: *samples.last()?, samples: samples.len() })
    }
}

/// The middle number; of an even count the lower of the two in the middle.
pub(crate) fn median(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_few() {
        let of = |ms: &[u64]| Spread::of(ms.iter().map(|n| Duration::from_millis(*n)).collect());
        assert_eq!(of(&[]), None);
        let ms = Duration::from_millis;
        assert_eq!(of(&[5]), Some(Spread { median: ms(5), min: ms(5), max: ms(5), samples: 1 }));
        assert_eq!(of(&[9, 1, 4]), Some(Spread { median: ms(4), min: ms(1), max: ms(9), samples: 3 }));
        assert_eq!(of(&[9, 1, 4, 2]), Some(Spread { median: ms(2), min: ms(1), max: ms(9), samples: 4 }));
        assert_eq!(median(vec![7, 3, 5]), 5);
        assert_eq!(median(vec![]), 0);
    }
}
