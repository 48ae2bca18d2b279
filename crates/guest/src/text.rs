//! Text of a guest: bounded, and valid whatever the bytes.

/// Most bytes of a configuration file that are read. Longer files are cut by the reader, which reports that.
pub(crate) const FILE_MAX: usize = 1 << 20;
/// Most bytes of a line; the rest of a longer one is ignored.
const LINE_MAX: usize = 16 << 10;
/// Most bytes of a value that is kept.
const VALUE_MAX: usize = 4096;

/// The lines of a file with their numbers from 1, without line ends and a byte order mark.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, String)> + '_ {
    let bytes = bytes.get(..FILE_MAX).unwrap_or(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').zip(1..).map(|(line, number)| {
        let line = line.get(..LINE_MAX).unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (number, String::from_utf8_lossy(line).replace('\0', "\u{fffd}"))
    })
}

/// A value of at most 4096 bytes.
pub(crate) fn value(text: &str) -> String {
    text.get(..text.floor_char_boundary(VALUE_MAX)).unwrap_or_default().to_owned()
}

/// A name of at most 256 bytes.
pub(crate) fn name(text: &str) -> String {
    text.get(..text.floor_char_boundary(256)).unwrap_or_default().to_owned()
}

/// Whether a word of a configuration file means yes.
pub(crate) fn is_yes(word: &str) -> bool {
    ["yes", "true", "on", "1", "y", "t"].iter().any(|yes| word.eq_ignore_ascii_case(yes))
}

/// Whether a word of a configuration file means no.
pub(crate) fn is_no(word: &str) -> bool {
    ["no", "false", "off", "0", "n", "f"].iter().any(|no| word.eq_ignore_ascii_case(no))
}

/// Whether a text is a MAC address: six pairs of hexadecimal digits with `:` or `-` between.
pub(crate) fn is_mac(text: &str) -> bool {
    let parts = text.split([':', '-']).collect::<Vec<_>>();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether `text` fits a shell pattern with `*`, `?` and `[...]`. Linear in the product of both lengths.
pub(crate) fn matches_glob(pattern: &str, text: &str) -> bool {
    let pattern = glob_items(pattern);
    let mut reach = vec![false; pattern.len() + 1];
    set(&mut reach, 0);
    spread(&pattern, &mut reach);
    for c in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (index, item) in pattern.iter().enumerate() {
            if !reach.get(index).copied().unwrap_or(false) {
                continue;
            }
            match item {
                Glob::Many => set(&mut next, index),
                Glob::Any => set(&mut next, index + 1),
                Glob::One(set_of, negated) => {
                    if set_of.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated {
                        set(&mut next, index + 1);
                    }
                }
            }
        }
        spread(&pattern, &mut next);
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
}

enum Glob {
    Any,
    Many,
    One(Vec<(char, char)>, bool),
}

fn set(reach: &mut [bool], index: usize) {
    if let Some(place) = reach.get_mut(index) {
        *place = true;
    }
}

/// A `*` may stand for nothing.
fn spread(pattern: &[Glob], reach: &mut [bool]) {
    for (index, item) in pattern.iter().enumerate() {
        if matches!(item, Glob::Many) && reach.get(index).copied().unwrap_or(false) {
            set(reach, index + 1);
        }
    }
}

fn glob_items(pattern: &str) -> Vec<Glob> {
    let mut items = Vec::new();
    let mut rest = pattern.chars().take(256);
    while let Some(c) = rest.next() {
        items.push(match c {
            '*' => Glob::Many,
            '?' => Glob::Any,
            '\\' => Glob::One(rest.next().map(|c| (c, c)).into_iter().collect(), false),
            '[' => {
                let inside = rest.by_ref().take_while(|c| *c != ']').collect::<Vec<_>>();
                let (negated, inside) = match inside.split_first() {
                    Some(('!' | '^', rest)) => (true, rest),
                    _ => (false, inside.as_slice()),
                };
                let mut ranges = Vec::new();
                let mut left = inside;
                while let Some((first, after)) = left.split_first() {
                    if let ['-', last, rest @ ..] = after {
                        ranges.push((*first, *last));
                        left = rest;
                    } else {
                        ranges.push((*first, *first));
                        left = after;
                    }
                }
                Glob::One(ranges, negated)
            }
            c => Glob::One(vec![(c, c)], false),
        });
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_numbers_and_no_ends() {
        let all = lines(b"\xef\xbb\xbfa\r\n\nb\xff\0").collect::<Vec<_>>();
        assert_eq!(all, [(1, "a".into()), (2, String::new()), (3, "b\u{fffd}\u{fffd}".into())]);
        let long = vec![b'x'; LINE_MAX + 5];
        assert_eq!(lines(&long).next().unwrap().1.len(), LINE_MAX);
    }

    #[test]
    fn globs_match_as_a_shell_does() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("arch-*", "arch-linux.conf", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("eth[0-3]", "eth2", true),
            ("eth[!0-3]", "eth2", false),
            ("e*", "wlan0", false),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("[", "x", false),
            ("\\*", "*", true),
        ] {
            assert_eq!(matches_glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_mac_address_has_six_pairs() {
        assert!(is_mac("52:54:00:ab:cd:EF") && is_mac("52-54-00-ab-cd-ef"));
        assert!(!is_mac("52:54:00:ab:cd") && !is_mac("52:54:00:ab:cd:zz"));
    }
}
