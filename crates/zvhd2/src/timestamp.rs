//! When a container was made.

use std::time::SystemTime;

use imsprep_ondisk::format::zvhd2::EPOCH_UNIX_SECONDS;

/// A moment as footers hold it, of one counted in seconds since 1970-01-01T00:00:00Z. `None` before 2000-01-01T00:00:00Z
/// and after 2136-02-07T06:28:15Z, which no footer can tell of.
pub fn timestamp_of(unix_seconds: u64) -> Option<u32> {
    u32::try_from(unix_seconds.checked_sub(EPOCH_UNIX_SECONDS)?).ok()
}

/// The present moment as footers hold it; 0 if the clock is at no moment that they can tell of.
pub fn timestamp_now() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.ok().and_then(|now| timestamp_of(now.as_secs())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_tells_of_136_years() {
        for (unix, footer) in [
            (0, None),
            (946_684_799, None),
            (946_684_800, Some(0)),
            (946_684_800 + 0xffff_ffff, Some(u32::MAX)),
            (946_684_800 + 0x1_0000_0000, None),
            (u64::MAX, None),
        ] {
            assert_eq!(timestamp_of(unix), footer, "{unix}");
        }
        // Written in 2026.
        assert!(timestamp_now() > 26 * 365 * 86400);
    }
}
