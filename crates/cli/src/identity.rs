//! UUIDs as people write them.

/// The 16 bytes of 32 hexadecimal digits, grouped by hyphens as usual or not at all.
pub(crate) fn parse_uuid(text: &str) -> Result<[u8; 16], String> {
    let wrong = || "32 hexadecimal digits, such as 5fce4f8b-61de-4d3a-9f4f-0c7d2f1f5c3a".to_owned();
    let groups = text.split('-').map(str::len).collect::<Vec<_>>();
    let digits = text.replace('-', "");
    let grouped = matches!(groups.as_slice(), [32] | [8, 4, 4, 4, 12]);
    if !grouped || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let number = u128::from_str_radix(&digits, 16).map_err(|_| wrong())?;
    Ok(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::parse_uuid;

    #[test]
    fn with_and_without_hyphens_and_nothing_else() {
        let bytes = *b"\x00\x11\x22\x33\x44\x55\x46\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        for text in ["00112233-4455-4677-8899-aabbccddeeff", "00112233445546778899AABBCCDDEEFF"] {
            assert_eq!(parse_uuid(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "-",
            "00112233-4455-4677-8899-aabbccddeef",
            "00112233-44554677-8899-aabbccddeeff",
            "0011223344554677-8899-aabbccddeeff",
            "+0112233445546778899aabbccddeeff",
            "0011223344554677889-aabbccddeeffg",
            "00112233445546778899aabbccddeeff00",
            "00112233445546778899aabbccddeeé",
        ] {
            assert!(parse_uuid(text).is_err(), "{text}");
        }
    }
}
