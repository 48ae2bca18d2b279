//! Points in time, without a calendar library for one line of output.

/// Seconds since 1970-01-01T00:00:00Z as `2024-02-29T12:00:00Z`.
pub(crate) fn utc(unix_seconds: u64) -> String {
    let (mut days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let mut year = 1970;
    while days >= days_in(year) {
        days -= days_in(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_in_month(year, month) {
        days -= days_in_month(year, month);
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{:02}Z", days + 1, second % 60)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

/// Days from 1970-01-01 to the first of this month.
pub(crate) fn days_before(year: u64, month: u64) -> u64 {
    let years = (1970..year).map(days_in).sum::<u64>();
    years + (1..month).map(|month| days_in_month(year, month)).sum::<u64>()
}

pub(crate) fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (946_684_800, "2000-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_208_000, "2024-02-29T12:00:00Z"),
            // The last second that a footer's timestamp can hold.
            (946_684_800 + 0xffff_ffff, "2136-02-07T06:28:15Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
