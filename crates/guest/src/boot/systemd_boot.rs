//! systemd-boot: `loader/loader.conf` and which entry it starts.

use std::cmp::Ordering;

use crate::boot::{BlsEntry, compare_versions};
use crate::text;

/// What `loader.conf` says of the default entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoaderConf {
    /// The pattern of the default entry's name: `arch-*`, `debian.conf`, `@saved`.
    pub default: Option<String>,
    /// The line of it, from 1.
    pub line: u32,
}

/// Reads `loader.conf`.
pub fn parse_loader_conf(bytes: &[u8]) -> LoaderConf {
    let mut conf = LoaderConf::default();
    for (number, line) in text::lines(bytes) {
        if let Some(("default", value)) = line.trim().split_once(|c: char| c.is_whitespace()) {
            conf = LoaderConf { default: Some(text::name(value.trim())), line: number };
        }
    }
    conf
}

/// Puts entries in the order of the menu: those with tries left first, then by sort key, machine and version, the newest first.
///
/// Source: the Boot Loader Specification, "Sorting".
pub fn sort_bls(entries: &mut [BlsEntry]) {
    entries.sort_by(|one, other| {
        let exhausted = |entry: &BlsEntry| entry.tries_left == Some(0);
        exhausted(one)
            .cmp(&exhausted(other))
            .then_with(|| match (&one.sort_key, &other.sort_key) {
                (Some(a), Some(b)) => a
                    .cmp(b)
                    .then_with(|| one.machine_id.cmp(&other.machine_id))
                    .then_with(|| compare_versions(&other.version, &one.version)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            })
            .then_with(|| compare_versions(&other.id, &one.id))
    });
}

/// The entry that starts by default, of entries in the order of the menu; or why it is not known. A variable of the old
/// machine's firmware (`LoaderEntryDefault`) does not travel, so it does not count.
pub fn select_bls(entries: &[BlsEntry], conf: &LoaderConf) -> Result<usize, String> {
    let first = || (!entries.is_empty()).then_some(0).ok_or_else(|| "there is no entry".to_owned());
    let Some(pattern) = &conf.default else { return first() };
    if pattern.starts_with('@') {
        // What was saved lies in the firmware's variables.
        return first();
    }
    let fits = |entry: &BlsEntry| {
        let is = |end: &str| {
            text::matches_glob(&pattern.to_lowercase(), &format!("{}{end}", entry.id.to_lowercase()))
        };
        is("") || is(".conf") || is(".efi")
    };
    entries.iter().position(fits).map_or_else(first, Ok)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::boot::parse_bls;

    fn entries() -> Vec<BlsEntry> {
        let mut entries = vec![
            parse_bls("arch.conf", b"linux /a\n"),
            parse_bls("m-6.1.9.conf", b"sort-key debian\nversion 6.1.9\n"),
            parse_bls("m-6.1.10.conf", b"sort-key debian\nversion 6.1.10\n"),
            parse_bls("m-6.1.11+0-3.conf", b"sort-key debian\nversion 6.1.11\n"),
        ];
        sort_bls(&mut entries);
        entries
    }

    #[test]
    fn the_newest_is_first_and_a_failed_one_last() {
        let ids = entries().iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids, ["m-6.1.10", "m-6.1.9", "arch", "m-6.1.11"]);
    }

    #[test]
    fn a_pattern_selects_the_default() {
        let all = entries();
        for (conf, expected) in [
            ("timeout 3\n", 0),
            ("default arch.conf\n", 2),
            ("default ARCH*\n", 2),
            ("default m-6.1.9*\n", 1),
            ("default other\n", 0),
            ("default @saved\n", 0),
        ] {
            assert_eq!(select_bls(&all, &parse_loader_conf(conf.as_bytes())), Ok(expected), "{conf}");
        }
        assert!(select_bls(&[], &LoaderConf::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = select_bls(&entries(), &parse_loader_conf(&bytes));
        }
    }
}
