//! Words that text for people, JSON and pages share: each of them says a thing in the same way.

pub(crate) mod bench;
pub(crate) mod boot;
pub(crate) mod check;
pub(crate) mod checksum;
pub(crate) mod detect;
pub(crate) mod disk_choice;
pub(crate) mod findings;
pub(crate) mod fit;
pub(crate) mod guest;
pub(crate) mod inspect;
pub(crate) mod quantity;
pub(crate) mod space;
pub(crate) mod time;
pub(crate) mod zvhd2;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use imsprep_rules::Size;
use imsprep_scan::Scan;

use crate::setup::Detail;

/// "1 error", "2 errors".
pub(crate) fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// A share in percent with one decimal. What is not all never reads as 100.0, what is not nothing never as 0.0.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0.0 %".into();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    let tenths = match tenths {
        0 if part > 0 => return "< 0.1 %".into(),
        1000 if part < whole => return "> 99.9 %".into(),
        other => other,
    };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// "10 GiB in 0.52 s, 19.2 GB/s; 9.3 GiB of it had to be read". The rate is that of what was read.
pub(crate) fn scan_line(scan: &Scan, detail: Detail) -> String {
    let size = scan.map.image_size();
    let io = match detail {
        Detail::Verbose => format!("; --io {}: {}", scan.io.mode, scan.io.reason),
        Detail::Normal => String::new(),
    };
    // Where most was not read, size by time is the rate of nothing.
    let rate = if scan.bytes_read >= size / 2 {
        format!(", {}", rate(scan.bytes_read, scan.elapsed))
    } else {
        String::new()
    };
    format!(
        "{} in {}{rate}; {} of it had to be read{io}",
        Size(size).scaled(),
        seconds(scan.elapsed),
        Size(scan.bytes_read).scaled()
    )
}

/// Where NBD clients find the export behind a socket.
pub(crate) fn nbd_uri(socket: &Path) -> String {
    let mut uri = String::from("nbd+unix:///?socket=");
    for byte in socket.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", (seconds * 1000.0).max(1.0)) } else { format!("{seconds:.1} s") }
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are printed")]
pub(crate) fn rate(bytes: u64, time: Duration) -> String {
    format!("{:.2} GB/s", gigabytes_per_second(bytes as f64, time))
}

pub(crate) fn gigabytes_per_second(bytes: f64, time: Duration) -> f64 {
    bytes / 1e9 / time.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_to_all_or_nothing() {
        for (part, whole, text) in [
            (0, 0, "0.0 %"),
            (0, 9, "0.0 %"),
            (9, 9, "100.0 %"),
            (1, 3, "33.3 %"),
            (1, 1 << 40, "< 0.1 %"),
            ((1 << 40) - 1, 1 << 40, "> 99.9 %"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }

    #[test]
    fn one_is_not_plural() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "error")), ["0 errors", "1 error", "2 errors"]);
    }
}
