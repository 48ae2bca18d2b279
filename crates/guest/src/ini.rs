//! Files of sections with keys: unit files of systemd, keyfiles of NetworkManager.

use crate::text;

/// Most entries that are kept of a file.
const COUNT_MAX: usize = 8192;

/// `key=value` in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section's name without brackets; empty before the first section.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value, trimmed; quotes are kept.
    pub value: String,
    /// The line, from 1.
    pub line: u32,
}

/// The entries of a file, in order. A line that ends in a backslash goes on in the next, as in unit files.
pub fn parse_ini(bytes: &[u8]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = String::new();
    let mut goes_on = false;
    for (number, line) in text::lines(bytes) {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && !goes_on) {
            continue;
        }
        let (trimmed, continues) =
            trimmed.strip_suffix('\\').map_or((trimmed, false), |start| (start.trim_end(), true));
        if std::mem::replace(&mut goes_on, continues) {
            if let Some(last) = entries.last_mut() {
                last.value = text::value(&format!("{} {trimmed}", last.value));
            }
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = text::name(name);
            goes_on = false;
        } else if let Some((key, value)) = trimmed.split_once('=') {
            if entries.len() == COUNT_MAX {
                break;
            }
            let (key, value) = (text::name(key.trim()), text::value(value.trim()));
            entries.push(Entry { section: section.clone(), key, value, line: number });
        } else {
            goes_on = false;
        }
    }
    entries
}

/// The last value of a key in a section.
pub(crate) fn last<'a>(entries: &'a [Entry], section: &str, key: &str) -> Option<&'a Entry> {
    entries.iter().rev().find(|entry| entry.section == section && entry.key == key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_hold_keys() {
        let text = b"x=0\n[Unit]\n# no\n; no\nA = 1 \\\n  2\nB=\"q\"\n\n[Mount]\nWhat=/dev/sda\nplain\n";
        let all = parse_ini(text);
        let short = all
            .iter()
            .map(|e| (e.section.as_str(), e.key.as_str(), e.value.as_str(), e.line))
            .collect::<Vec<_>>();
        assert_eq!(
            short,
            [
                ("", "x", "0", 1),
                ("Unit", "A", "1 2", 5),
                ("Unit", "B", "\"q\"", 7),
                ("Mount", "What", "/dev/sda", 10)
            ]
        );
        assert_eq!(last(&all, "Unit", "A").unwrap().line, 5);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for entry in parse_ini(&bytes) {
                prop_assert!(!entry.key.contains('='));
            }
        }
    }
}
