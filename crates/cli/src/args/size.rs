//! Sizes of images, as people write them.

/// A block of the bitmap: images that are made consist of whole ones.
const BLOCK: u64 = 2 << 20;

/// Of less, the data of a sparse image (1 % of 12.5 times as much) would not fill one block.
const MIN: u64 = 16 << 20;

/// Beyond this no service takes an image, and the sparse ones would not fit into a file of every file system.
const MAX: u64 = 1 << 40;

const UNITS: [(&str, u32); 4] = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];

/// The size of an image to make: bytes, or a number with K, M, G or T, which count in 1024 (8G and 8GiB are the same).
pub(super) fn parse_image_size(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if bytes < MIN {
        Err("images are made from 16M on".into())
    } else if bytes > MAX {
        Err("images are made up to 1T".into())
    } else if !bytes.is_multiple_of(BLOCK) {
        Err("must be a multiple of 2M, the size of a block".into())
    } else {
        Ok(bytes)
    }
}

/// The size of a disk that is there: any number of bytes, written as for [`parse_image_size`].
pub(super) fn parse_disk_size(text: &str) -> Result<u64, String> {
    parse_bytes(text)
}

/// A time limit: seconds, with a fraction or not.
pub(super) fn parse_seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.001..=1e7).contains(seconds));
    let duration = seconds.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "a time limit is a number of seconds from 0.001 to 10000000".into())
}

/// The size of an image that helps to learn a layout: from one sector to 64 GiB, beyond which it is no help.
pub(super) fn parse_specimen_size(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if (512..=64 << 30).contains(&bytes) {
        Ok(bytes)
    } else {
        Err("such images have 512 bytes to 64 GiB".into())
    }
}

fn parse_bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    if digits.is_empty() {
        return Err("expected bytes or a number with a unit, such as 2147483648, 512M or 8GiB".into());
    }
    let shift = shift_of(suffix)?;
    let number = digits.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "more bytes than 64 bits can count".into())
}

/// The power of two that a unit stands for.
fn shift_of(suffix: &str) -> Result<u32, String> {
    let unit = suffix.to_ascii_uppercase();
    if unit.is_empty() || unit == "B" {
        return Ok(0);
    }
    for (letter, shift) in UNITS {
        match unit.strip_prefix(letter) {
            Some("" | "IB") => return Ok(shift),
            Some("B") => {
                return Err(format!("{letter}B may mean 1000 or 1024; {letter}iB is what counts in 1024"));
            }
            _ => {}
        }
    }
    Err(format!("{suffix:?} is no unit; there are K, M, G, T and KiB, MiB, GiB, TiB, of whole numbers"))
}

#[cfg(test)]
mod tests {
    use super::parse_image_size;

    #[test]
    fn bytes_and_units() {
        for (text, bytes) in [
            ("2147483648", 2 << 30),
            ("2147483648B", 2 << 30),
            ("16M", 16 << 20),
            ("512m", 512 << 20),
            ("524288KiB", 512 << 20),
            ("8G", 8 << 30),
            ("8GiB", 8 << 30),
            ("8gib", 8 << 30),
            ("1T", 1 << 40),
        ] {
            assert_eq!(parse_image_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_told_why() {
        for (text, why) in [
            ("", "expected bytes"),
            ("G", "expected bytes"),
            ("-1G", "expected bytes"),
            ("0", "from 16M on"),
            ("14M", "from 16M on"),
            ("17M", "multiple of 2M"),
            ("2147483649", "multiple of 2M"),
            ("2T", "up to 1T"),
            ("99999999999999999999", "64 bits"),
            ("18446744073709551615T", "64 bits"),
            ("8GB", "GB may mean 1000 or 1024"),
            ("1.5G", "is no unit"),
            ("8 G", "is no unit"),
            ("8X", "is no unit"),
            ("8Gé", "is no unit"),
        ] {
            let error = parse_image_size(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
