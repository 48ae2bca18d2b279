//! Measured quantities with as many digits as they deserve.

use std::time::Duration;

const UNITS: [(&str, u32); 6] =
    [("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// `0.41 ms`, `4.1 ms`, `161 ms`, `5.34 s`, `71.2 s`, `132 s`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let ms = seconds * 1000.0;
    if time.is_zero() {
        "0 ms".into()
    } else if ms < 0.995 {
        format!("{ms:.2} ms")
    } else if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else {
        format!("{} s", three_digits(seconds))
    }
}

/// `0`, `17 B`, `4 KiB`, `16.3 MiB`, `4.11 GiB`. Rounded, unlike a [`Size`](imsprep_rules::Size).
pub(crate) fn bytes(bytes: u64) -> String {
    let Some((unit, shift)) = UNITS.iter().find(|(_, shift)| bytes >> shift > 0) else {
        return if bytes == 0 { "0".into() } else { format!("{bytes} B") };
    };
    let one = 1u64 << shift;
    if bytes.is_multiple_of(one) {
        format!("{} {unit}", bytes / one)
    } else {
        format!("{} {unit}", three_digits(bytes as f64 / one as f64))
    }
}

/// `33.2 GB/s`, in 10^9 bytes.
pub(crate) fn rate(bytes_per_second: f64) -> String {
    format!("{} GB/s", three_digits(bytes_per_second / 1e9))
}

/// `0.87`, `1.00`, `33.2`, `412`; `-` where nothing can be divided.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio.is_finite() { three_digits(ratio) } else { "-".into() }
}

fn three_digits(number: f64) -> String {
    if number < 9.995 {
        format!("{number:.2}")
    } else if number < 99.95 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_sensible_digits() {
        for (micros, text) in [
            (0, "0 ms"),
            (7, "0.01 ms"),
            (412, "0.41 ms"),
            (996, "1.0 ms"),
            (4_100, "4.1 ms"),
            (9_949, "9.9 ms"),
            (9_960, "10 ms"),
            (161_200, "161 ms"),
            (999_600, "1.00 s"),
            (5_340_000, "5.34 s"),
            (9_996_000, "10.0 s"),
            (71_230_000, "71.2 s"),
            (99_960_000, "100 s"),
            (3_600_000_000, "3600 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), text, "{micros}");
        }
    }

    #[test]
    fn bytes_are_exact_where_whole_and_rounded_elsewhere() {
        for (count, text) in [
            (0, "0"),
            (17, "17 B"),
            (4096, "4 KiB"),
            (16 << 20, "16 MiB"),
            ((16 << 20) + 300_000, "16.3 MiB"),
            (4_413_078_470, "4.11 GiB"),
            (8 << 30, "8 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn ratios_that_are_none_are_a_dash() {
        let texts = [0.873, 1.0, 33.18, 412.3, f64::NAN, f64::INFINITY].map(ratio);
        assert_eq!(texts, ["0.87", "1.00", "33.2", "412", "-", "-"]);
        assert_eq!(rate(69.12e9), "69.1 GB/s");
    }
}
