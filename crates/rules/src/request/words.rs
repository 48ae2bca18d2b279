//! Words from outside, as findings show them, and words that are alike.

use std::cmp::Reverse;

/// Characters of a text from outside that are shown.
const SHOWN: usize = 60;

/// A text from outside in quotes, escaped, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}...", text.get(..cut).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The characters of `text` that `allowed` refuses, each once, for a message: "'ü', '!'". `None` if there are none.
pub(super) fn refused(text: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let refused = text.chars().filter(|c| !allowed(*c)).collect::<std::collections::BTreeSet<_>>();
    let list = refused.iter().take(10).map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
    match refused.len() {
        0 => None,
        1..=10 => Some(list),
        more => Some(format!("{list} and {} more", more - 10)),
    }
}

/// How far the two words are apart: letters that `typed` lacks count 1, letters that are other or too many count 2. Case
/// does not count.
///
/// A user who types a name is more likely to omit its end than to invent one.
pub(super) fn distance(typed: &str, meant: &str) -> usize {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (typed, meant) = (lower(typed), lower(meant));
    let mut row = (0..=meant.len()).collect::<Vec<_>>();
    for (i, a) in typed.iter().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), 2 * (i + 1));
        let mut left = 2 * (i + 1);
        for (cell, b) in row.iter_mut().skip(1).zip(&meant) {
            let other = diagonal + if a == b { 0 } else { 2 };
            diagonal = *cell;
            left = other.min(*cell + 2).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Longest text that is compared with others: the work grows with the product of the lengths.
const COMPARED: usize = 256;

/// Up to `count` of `words`, the nearest to `typed` first; only those that share more with it than they differ. Of equally
/// near ones the later in the alphabet comes first, which is the newer version and the wider word.
pub(super) fn nearest<'w>(typed: &str, words: impl Iterator<Item = &'w str>, count: usize) -> Vec<&'w str> {
    let typed = typed.trim();
    if typed.is_empty() || typed.len() > COMPARED {
        return Vec::new();
    }
    let limit = typed.chars().count();
    let mut ranked = words
        .filter(|word| word.len() <= COMPARED)
        .map(|word| (distance(typed, word), Reverse(word)))
        // What lacks letters only is near however many it lacks, up to as many as there are twice over.
        .filter(|(distance, word)| *distance <= limit.max(word.0.chars().count()))
        .collect::<Vec<_>>();
    ranked.sort();
    ranked.dedup();
    ranked.into_iter().take(count).map(|(_, Reverse(word))| word).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the definition: the least over all first steps.
    fn naive(typed: &[char], meant: &[char]) -> usize {
        let (Some((a, typed_rest)), Some((b, meant_rest))) = (typed.split_first(), meant.split_first())
        else {
            return 2 * typed.len() + meant.len();
        };
        let other = naive(typed_rest, meant_rest) + if a == b { 0 } else { 2 };
        other.min(naive(typed_rest, meant) + 2).min(naive(typed, meant_rest) + 1)
    }

    proptest! {
        #[test]
        fn the_distance_is_that_of_the_definition(typed in "[ab1]{0,6}", meant in "[ab1]{0,6}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(distance(&typed, &meant), naive(&chars(&typed), &chars(&meant)));
        }
    }

    #[test]
    fn a_word_that_lacks_its_end_finds_itself() {
        let words = ["Ubuntu 18.04 server 64bit", "Fedora 22 64bit", "CentOS 7.0 64bit", "Windows 10 64bit"];
        let first = |typed| nearest(typed, words.into_iter(), 1).first().copied();
        assert_eq!(first("Ubuntu 22.04"), Some("Ubuntu 18.04 server 64bit"));
        assert_eq!(first("centos 7.0 64bit"), Some("CentOS 7.0 64bit"));
        assert_eq!(first("CentOs7 64"), Some("CentOS 7.0 64bit"));
        assert_eq!(first(""), None);
    }

    #[test]
    fn long_and_strange_text_is_cut_and_escaped() {
        assert_eq!(quoted("a\u{1b}[0m"), r#""a\u{1b}[0m""#);
        let long = quoted(&"ä".repeat(100));
        assert_eq!(long.chars().count(), 60 + 5);
        assert_eq!(refused("a b!b", |c| c.is_ascii_alphanumeric()), Some("' ', '!'".into()));
        assert_eq!(refused("ab", |c| c.is_ascii_alphanumeric()), None);
    }
}
