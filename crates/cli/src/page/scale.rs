//! From seconds to a place on an axis.

/// So far apart, the short bars of an even scale could not be seen.
const FAR_APART: f64 = 100.0;

/// How times become lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Evenly from nothing to `max`.
    Even {
        /// Seconds at its end.
        max: f64,
    },
    /// Each factor of ten has the same length.
    Log {
        /// Seconds at its beginning; more than nothing.
        min: f64,
        /// Seconds at its end.
        max: f64,
    },
}

impl Scale {
    /// The scale that shows all of `seconds`.
    pub(super) fn for_times(seconds: impl Iterator<Item = f64> + Clone) -> Self {
        // A clock that shows nothing is taken for a microsecond.
        let times = seconds.map(|time| time.max(1e-6));
        let max = times.clone().fold(1e-6, f64::max);
        let min = times.fold(max, f64::min);
        if max / min < FAR_APART {
            Self::Even { max }
        } else {
            Self::Log { min: round_below(min * 0.9), max }
        }
    }

    /// Where a time is, from 0 to 1.
    pub(super) fn place(self, seconds: f64) -> f64 {
        let place = match self {
            Self::Even { max } => seconds / max,
            Self::Log { min, max } => (seconds.max(min) / min).ln() / (max / min).ln(),
        };
        place.clamp(0.0, 1.0)
    }

    /// The times to write at the axis, three to ten of them: round ones.
    pub(super) fn ticks(self) -> Vec<f64> {
        match self {
            Self::Even { max } => {
                let step = round_below(max / 3.5);
                (0..).map(|count| f64::from(count) * step).take_while(|tick| *tick <= max * 1.0001).collect()
            }
            Self::Log { min, max } => {
                let first = 10f64.powf(min.log10().ceil() - 1.0);
                let decades = (0..20).map(|decade| first * 10f64.powi(decade));
                let in_range = |tick: &f64| (min * 0.9999..=max * 1.0001).contains(tick);
                let ticks = decades.clone().filter(in_range).collect::<Vec<_>>();
                if ticks.len() >= 3 {
                    return ticks;
                }
                decades
                    .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| decade * digit))
                    .filter(in_range)
                    .collect()
            }
        }
    }
}

/// The largest 1, 2 or 5 times a power of ten that is not above `number`.
fn round_below(number: f64) -> f64 {
    let power = 10f64.powf(number.log10().floor());
    let digit = number / power;
    power
        * if digit >= 5.0 {
            5.0
        } else if digit >= 2.0 {
            2.0
        } else {
            1.0
        }
}

/// `200 ms`, `0.5 ms`, `2 s`.
pub(super) fn tick_text(seconds: f64) -> String {
    let (number, unit) = if seconds < 0.9999 { (seconds * 1000.0, "ms") } else { (seconds, "s") };
    // Rounded to the digits that a tick can have, so that 0.1 + 0.2 is 0.3.
    let number = format!("{number:.4}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(times: &[f64]) -> Scale {
        Scale::for_times(times.iter().copied())
    }

    fn ticks(times: &[f64]) -> Vec<String> {
        scale(times).ticks().into_iter().map(tick_text).collect()
    }

    #[test]
    fn times_of_one_kind_are_shown_evenly_from_nothing() {
        let even = scale(&[0.1, 0.3]);
        assert_eq!(even, Scale::Even { max: 0.3 });
        assert_eq!([0.0, 0.15, 0.3].map(|time| even.place(time)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn times_a_hundred_times_apart_are_shown_by_factors() {
        let log = scale(&[0.004, 5.0]);
        assert_eq!(log, Scale::Log { min: 0.002, max: 5.0 });
        let step = log.place(0.2) - log.place(0.02);
        assert!((log.place(2.0) - log.place(0.2) - step).abs() < 1e-9);
        assert_eq!((log.place(0.002), log.place(5.0)), (0.0, 1.0));
    }

    #[test]
    fn no_place_is_off_the_axis() {
        for times in [&[][..], &[0.0], &[0.0, 1.0], &[1.0], &[1e-9, 1e9]] {
            for time in [0.0, 1e-9, 1e-3, 1.0, 1e12] {
                let place = scale(times).place(time);
                assert!((0.0..=1.0).contains(&place), "{times:?} {time} {place}");
            }
        }
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            ticks(&[0.161, 0.1]),
            ["0 ms", "20 ms", "40 ms", "60 ms", "80 ms", "100 ms", "120 ms", "140 ms", "160 ms"]
        );
        assert_eq!(ticks(&[1.2, 0.3]), ["0 ms", "200 ms", "400 ms", "600 ms", "800 ms", "1 s", "1.2 s"]);
        assert_eq!(ticks(&[0.004, 5.0]), ["10 ms", "100 ms", "1 s"]);
        assert_eq!(
            ticks(&[0.03, 5.0]),
            ["20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s", "5 s"]
        );
    }

    #[test]
    fn there_are_neither_too_few_ticks_nor_too_many() {
        for exponent in -5..4 {
            for digit in 1..100 {
                let max = f64::from(digit) / 10.0 * 10f64.powi(exponent);
                for times in [[max, max], [max, max / 150.0], [max, max / 1e5]] {
                    let count = scale(&times).ticks().len();
                    assert!((3..=11).contains(&count), "{times:?}: {count}");
                }
            }
        }
    }
}
