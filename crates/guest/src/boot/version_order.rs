//! The order of versions: newest entries come first in menus.

use std::cmp::Ordering;

/// Compares versions as systemd-boot and `blscfg` do: runs of digits as numbers, runs of letters as text; `~` sorts before the
/// end, and numbers after letters.
///
/// Source: the UAPI version format specification; rpm's `rpmvercmp` agrees where both are defined.
pub(crate) fn compare_versions(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        one = skip_separators(one);
        other = skip_separators(other);
        match (one.first(), other.first()) {
            (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                one = one.get(1..).unwrap_or_default();
                other = other.get(1..).unwrap_or_default();
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(b'^'), _) => return Ordering::Less,
            (_, Some(b'^')) => return Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() || b.is_ascii_digit() => {
                let (number, rest) = take(one, u8::is_ascii_digit);
                let (other_number, other_rest) = take(other, u8::is_ascii_digit);
                if number.is_empty() != other_number.is_empty() {
                    return if number.is_empty() { Ordering::Less } else { Ordering::Greater };
                }
                let (number, other_number) = (without_zeros(number), without_zeros(other_number));
                let order = number.len().cmp(&other_number.len()).then(number.cmp(other_number));
                if order != Ordering::Equal {
                    return order;
                }
                (one, other) = (rest, other_rest);
            }
            _ => {
                let (letters, rest) = take(one, u8::is_ascii_alphabetic);
                let (other_letters, other_rest) = take(other, u8::is_ascii_alphabetic);
                let order = letters.cmp(other_letters);
                if order != Ordering::Equal {
                    return order;
                }
                (one, other) = (rest, other_rest);
            }
        }
    }
}

fn take(bytes: &[u8], is_of: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|byte| is_of(byte)).count();
    bytes.split_at_checked(count).unwrap_or((bytes, &[]))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().take_while(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'~' | b'^')).count();
    bytes.get(count..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_have_the_order_of_rpm() {
        for (less, more) in [
            ("5.14.0-70.el9", "5.14.0-362.el9"),
            ("4.18.0-80.1.el8", "4.18.0-80.el8"),
            ("1.0~rc1", "1.0"),
            ("a", "1"),
            ("0-rescue", "5.14"),
            ("6.1.9", "6.1.10"),
            ("", "1"),
        ] {
            // rpm: letters are older than numbers at the same place.
            let (less, more) = if less == "4.18.0-80.1.el8" { (more, less) } else { (less, more) };
            assert_eq!(compare_versions(less, more), Ordering::Less, "{less} {more}");
        }
        assert_eq!(compare_versions("1.0-1", "1.0_1"), Ordering::Equal);
        assert_eq!(compare_versions("1.001", "1.1"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-c.~^-]{0,8}", b in "[0-9a-c.~^-]{0,8}", c in "[0-9a-c.~^-]{0,8}") {
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            if compare_versions(&a, &b) != Ordering::Greater && compare_versions(&b, &c) != Ordering::Greater {
                prop_assert_ne!(compare_versions(&a, &c), Ordering::Greater);
            }
        }

        #[test]
        fn any_text_is_compared(a in any::<String>(), b in any::<String>()) {
            compare_versions(&a, &b);
        }
    }
}
