//! Strings from a file or a disk: bounded, and valid whatever the bytes.

/// Most bytes that a string from a file may have.
pub const MAX: usize = 1024;

/// The bytes as text, up to a NUL.
pub fn utf8(bytes: &[u8]) -> String {
    let end = bytes.iter().take(MAX).position(|byte| *byte == 0).unwrap_or(bytes.len().min(MAX));
    bounded(String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned())
}

/// The bytes of a path as text, up to a NUL: of a long one the end, which is the most useful part.
pub fn end_of(path: &[u8]) -> String {
    const CUT: &str = "...";
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(path);
    if text.len() <= MAX {
        return text.into_owned();
    }
    let start = text.ceil_char_boundary(text.len() - (MAX - CUT.len()));
    format!("{CUT}{}", text.get(start..).unwrap_or_default())
}

/// UTF-16 code units as text, up to a NUL.
pub fn utf16(units: impl Iterator<Item = u16>) -> String {
    let units = units.take_while(|unit| *unit != 0).take(MAX);
    bounded(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Big-endian UTF-16.
pub fn utf16_be(bytes: &[u8]) -> String {
    utf16(bytes.as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit)))
}

/// Little-endian UTF-16.
pub fn utf16_le(bytes: &[u8]) -> String {
    utf16(bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)))
}

/// A label: without the spaces that pad it, and `None` if nothing is left.
pub fn label(bytes: &[u8]) -> Option<String> {
    some(utf8(bytes).trim_end_matches(' '))
}

/// `None` for an empty text.
pub fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A UUID whose bytes are in the order of its digits, as file systems have it.
pub fn uuid(bytes: &[u8; 16]) -> String {
    let n = u128::from_be_bytes(*bytes);
    let [a, b, c, d] = [n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff, n >> 48 & 0xffff];
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", n & 0xffff_ffff_ffff)
}

/// The same, or `None` for all zeros, which stands for no UUID.
pub fn some_uuid(bytes: &[u8; 16]) -> Option<String> {
    (bytes != &[0; 16]).then(|| uuid(bytes))
}

/// Replacement characters are longer than what they replace, so the bound counts at the end.
fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_becomes_text_of_bounded_length() {
        assert_eq!(utf8(b"base\xff.img\0rest"), "base\u{fffd}.img");
        assert_eq!(utf8(&[0xff; 5000]).len(), MAX - 1);
        assert_eq!(end_of(b"a/b.img\0rest"), "a/b.img");
        let long = end_of(&[&[b'd'; 5000][..], b"/disk.img"].concat());
        assert!(long.len() == MAX && long.starts_with("...d") && long.ends_with("/disk.img"), "{long}");
        assert!(end_of(&[0xff; 5000]).len() <= MAX);
        assert_eq!(utf16_be(b"\0a\xd8\0\0b\0\0\0c"), "a\u{fffd}b");
        assert_eq!(utf16_le(b"a\0b"), "a");
        assert!(utf16_le(&[0xdd; 5000]).len() <= MAX);
        assert_eq!((label(b"ESP  \0x"), label(b"   ")), (Some("ESP".into()), None));
    }

    #[test]
    fn a_uuid_has_its_digits_in_order() {
        let bytes = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        assert_eq!(uuid(&bytes), "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(some_uuid(&[0; 16]), None);
    }
}
