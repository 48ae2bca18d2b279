//! Moments as people and build systems write them.

use std::time::{SystemTime, UNIX_EPOCH};

use imsprep_ondisk::format::zvhd2::EPOCH_UNIX_SECONDS;
use imsprep_zvhd2::timestamp_of;

use crate::words::time::{days_before, days_in_month};

/// The variable by which build systems ask for reproducible output: Unix seconds.
pub(crate) const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The present moment in Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// A moment as footers hold it, of Unix seconds or RFC 3339.
pub(crate) fn parse_timestamp(text: &str) -> Result<u32, String> {
    let wrong = || "neither Unix seconds nor RFC 3339, such as 2026-11-24T12:00:00Z".to_owned();
    let seconds = unix_seconds(text).or_else(|| rfc3339(text)).ok_or_else(wrong)?;
    let range = || "the range of a ZVHD2 is 2000-01-01T00:00:00Z to 2136-02-07T06:28:15Z".to_owned();
    timestamp_of(seconds).ok_or_else(range)
}

/// What `SOURCE_DATE_EPOCH` asks for, if it is set. Builds set it to 0 or 1 where only sameness counts; what lies before the
/// first moment that a footer can tell of becomes that one.
pub(crate) fn from_environment() -> anyhow::Result<Option<u32>> {
    let Some(value) = std::env::var_os(SOURCE_DATE_EPOCH) else { return Ok(None) };
    let text = value.to_string_lossy();
    let wrong =
        || format!("{SOURCE_DATE_EPOCH}: {text:?} is not a time in Unix seconds; --timestamp overrides it");
    let seconds = unix_seconds(&text).ok_or_else(|| anyhow::anyhow!(wrong()))?;
    let range = || {
        anyhow::anyhow!(
            "{SOURCE_DATE_EPOCH}: {seconds} is out of range; the maximum for a ZVHD2 is 5241652095"
        )
    };
    timestamp_of(seconds.max(EPOCH_UNIX_SECONDS)).ok_or_else(range).map(Some)
}

fn unix_seconds(text: &str) -> Option<u64> {
    // parse() alone would take a plus sign.
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `2026-11-24T13:00:00.5+01:00`. A fraction is cut off; a leap second counts as the one after it.
fn rfc3339(text: &str) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (mark, rest) = rest.split_at_checked(1)?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let valid = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !valid || !["T", "t", " "].contains(&mark) || year < 1970 {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
    };
    let local = (days_before(year, month) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
    local.checked_add_signed(-offset(zone)?)
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if ["Z", "z"].contains(&zone) {
        return Some(0);
    }
    let (sign, zone) = zone.split_at_checked(1)?;
    let [hours, minutes] = numbers(zone, ':', [2, 2])?;
    let seconds = i64::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
    match sign {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

/// Numbers of exactly so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = unix_seconds(part)?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::time::utc;

    #[test]
    fn the_same_moment_in_every_spelling() {
        for text in [
            "1709208000",
            "2024-02-29T12:00:00Z",
            "2024-02-29t12:00:00z",
            "2024-02-29 12:00:00Z",
            "2024-02-29T12:00:00.999Z",
            "2024-02-29T13:30:00+01:30",
            "2024-02-28T23:00:00-13:00",
            "2024-03-01T00:00:00+12:00",
            "2024-02-29T12:00:00-00:00",
        ] {
            assert_eq!(parse_timestamp(text), Ok(1_709_208_000 - 946_684_800), "{text}");
        }
        assert_eq!(parse_timestamp("2016-12-31T23:59:60Z"), parse_timestamp("2017-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_moment_or_none_that_a_footer_holds() {
        for text in [
            "",
            "now",
            "-1",
            "+1709208000",
            "17092080.5",
            "2024-02-30T12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+1:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Z ",
            "2024-1-01T00:00:00Z",
            "2024-01-01X00:00:00Z",
            "2024-01-01T00:00:00é",
            "99999999999999999999",
            "0001-01-01T00:00:00Z",
            "946684799",
            "1999-12-31T23:59:59Z",
            "2136-02-07T06:28:16Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert!(parse_timestamp(text).is_err(), "{text}");
        }
        assert_eq!(parse_timestamp("2000-01-01T00:00:00Z"), Ok(0));
        assert_eq!(parse_timestamp("2136-02-07T06:28:15Z"), Ok(u32::MAX));
    }

    #[test]
    fn every_moment_that_is_printed_is_read_again() {
        for seconds in (0..u64::from(u32::MAX)).step_by(99_991 * 37) {
            let unix = seconds + 946_684_800;
            assert_eq!(parse_timestamp(&utc(unix)), Ok(u32::try_from(seconds).unwrap()));
        }
    }
}
