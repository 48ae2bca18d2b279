//! What a value of os_version names, whatever its spelling: family, version, bits.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::request::words::distance;

/// A family of operating systems.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// As findings name it.
    pub(super) name: &'static str,
    /// Sets of words, lower case; the family is recognised if a value has all words of one set.
    marks: &'static [&'static [&'static str]],
    /// Words that different pages put in or leave out. They do not tell two systems apart.
    filler: &'static [&'static str],
}

const fn family(
    name: &'static str,
    marks: &'static [&'static [&'static str]],
    filler: &'static [&'static str],
) -> Family {
    Family { name, marks, filler }
}

/// The families, in the order in which they are looked for. Several are in no public table: a user should learn that, not
/// get a system of another family.
static FAMILIES: &[Family] = &[
    family("Other", &[&["other"]], &["other"]),
    family("Ubuntu", &[&["ubuntu"]], &["ubuntu", "server", "lts"]),
    family("CentOS", &[&["centos"]], &["centos", "linux"]),
    family("Debian", &[&["debian"], &["gnu", "linux"]], &["debian", "gnu", "linux"]),
    family("Rocky Linux", &[&["rocky"], &["rockylinux"]], &["rocky", "rockylinux", "linux"]),
    family("AlmaLinux", &[&["almalinux"], &["alma"]], &["alma", "almalinux", "linux", "os"]),
    family(
        "Red Hat",
        &[&["redhat"], &["red", "hat"], &["rhel"]],
        &["red", "hat", "redhat", "rhel", "enterprise", "linux", "server", "release"],
    ),
    family("Oracle Linux", &[&["oracle"]], &["oracle", "linux", "server", "release"]),
    family("openSUSE", &[&["opensuse"], &["open", "suse"], &["leap"]], OPEN_SUSE),
    family("SUSE", &[&["sles"], &["suse", "enterprise"], &["suse", "sp"], &["novell"]], SUSE),
    // One page of the user guide leaves the first syllable of openSUSE out.
    family("openSUSE", &[&["suse"]], OPEN_SUSE),
    family("EulerOS", &[&["euleros"], &["euler", "os"]], &["euleros", "euler", "os"]),
    family("openEuler", &[&["openeuler"], &["euler"]], &["openeuler", "euler", "open"]),
    family("Fedora", &[&["fedora"]], &["fedora", "linux", "server"]),
    family("NeoKylin", &[&["neokylin"]], &["neokylin"]),
    family("Windows", &[&["windows"]], &["windows", "server", "microsoft"]),
    family("Huawei Cloud EulerOS", &[&["hce"]], &[]),
    family("Kylin", &[&["kylin"]], &[]),
    family("UnionTech OS", &[&["uos"], &["uniontech"]], &[]),
    family("Amazon Linux", &[&["amazon"]], &[]),
    family("Arch Linux", &[&["arch"], &["archlinux"]], &[]),
    family("Alpine Linux", &[&["alpine"]], &[]),
    family("Kali Linux", &[&["kali"]], &[]),
    family("Linux Mint", &[&["mint"]], &[]),
    family("Scientific Linux", &[&["scientific"]], &[]),
    family("Gentoo", &[&["gentoo"]], &[]),
    family("NixOS", &[&["nixos"]], &[]),
    family("Flatcar", &[&["flatcar"]], &[]),
    family("CoreOS", &[&["coreos"]], &[]),
    family("Photon OS", &[&["photon"]], &[]),
    family("FreeBSD", &[&["freebsd"]], &[]),
    family("OpenBSD", &[&["openbsd"]], &[]),
    family("NetBSD", &[&["netbsd"]], &[]),
    // One page of the user guide calls Debian by this word alone.
    family("Debian", &[&["linux"]], &["debian", "gnu", "linux"]),
];

const OPEN_SUSE: &[&str] = &["open", "opensuse", "suse", "leap", "linux"];
const SUSE: &[&str] = &["novell", "suse", "linux", "enterprise", "server", "sles"];

/// The longest text that is taken apart. The longest known value has 52 characters.
const MOST: usize = 256;

/// What a value names. Two spellings of one system are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) family: Option<&'static str>,
    /// Words that tell systems of one family apart, such as `standard` or `sp`.
    words: BTreeSet<String>,
    /// All numbers but the bits, in their order.
    version: Vec<u64>,
    pub(super) bits: Option<u8>,
}

impl Identity {
    /// Takes a value apart, however it is spelled.
    pub(super) fn of(value: &str) -> Self {
        let lower = if value.len() > MOST { String::new() } else { value.to_lowercase() };
        let (words, mut numbers, bits) = without_bits(tokens(&spelled_out(&lower)));
        let words = words.into_iter().collect::<BTreeSet<_>>();
        let family = family_of(&words);
        let bits = bits.or_else(|| trailing_bits(&mut numbers));
        let filler = family.map_or(&[][..], |family| family.filler);
        // A mistyped name of the family is no word that distinguishes systems.
        let told_apart = |word: &String| {
            !filler.contains(&word.as_str())
                && !family.is_some_and(|family| {
                    family.marks.iter().flat_map(|mark| mark.iter()).any(|mark| is_near(word, mark))
                })
        };
        Self {
            family: family.map(|family| family.name),
            words: words.into_iter().filter(told_apart).collect(),
            version: numbers
                .iter()
                .flat_map(|number| number.split('.'))
                .filter_map(|part| part.parse().ok())
                .collect(),
            bits,
        }
    }

    /// How far another system of the same family is from this one; the least is the nearest.
    pub(super) fn distance(&self, other: &Self) -> impl Ord + use<> {
        let part = |identity: &Self, i: usize| identity.version.get(i).copied().unwrap_or(0);
        let parts = self.version.len().max(other.version.len());
        let apart = (0..parts).map(|i| part(self, i).abs_diff(part(other, i))).collect::<Vec<_>>();
        let words = self.words.symmetric_difference(&other.words).count();
        let other_bits = self.bits.is_some() && self.bits != other.bits;
        let major = apart.first().copied().unwrap_or(0);
        // Without bits the wider system is meant; of two that are as near the newer one.
        (other_bits, major, words, apart, Reverse(other.bits), Reverse(other.version.clone()))
    }

    /// Whether both are of one line of systems that their versions alone tell apart.
    fn is_same_line(&self, other: &Self) -> bool {
        self.family.is_some()
            && self.family == other.family
            && self.words == other.words
            && self.bits == other.bits
    }

    /// Whether this value names a system of that identity: with its version, or with a leading part of it. Zeros at the end of
    /// the version make no difference if all of the system's version is known.
    pub(super) fn covers(&self, system: &Self, is_whole: bool) -> bool {
        let same = |a: &[u64], b: &[u64]| without_zeros(a) == without_zeros(b);
        self.is_same_line(system)
            && (self.version.is_empty() == system.version.is_empty())
            && (system.version.starts_with(&self.version) || is_whole && same(&self.version, &system.version))
    }

    /// Whether both name the same system, bits aside where one has none.
    pub(super) fn is_same_system(&self, other: &Self) -> bool {
        let bits = self.bits.is_none() || other.bits.is_none() || self.bits == other.bits;
        bits && self.family == other.family
            && self.words == other.words
            && without_zeros(&self.version) == without_zeros(&other.version)
    }

    /// Whether both are of one line and begin with the same number.
    pub(super) fn is_same_major(&self, other: &Self) -> bool {
        let bits = self.bits.is_none() || other.bits.is_none() || self.bits == other.bits;
        let same = self.family.is_some() && self.family == other.family && self.words == other.words;
        bits && same && !self.version.is_empty() && self.version.first() == other.version.first()
    }

    /// How many parts the version has.
    pub(super) fn version_parts(&self) -> usize {
        self.version.len()
    }

    /// Whether it names a Windows.
    pub(super) fn is_windows(&self) -> bool {
        self.family == Some("Windows") || self.family == Some("Other") && self.words.contains("windows")
    }

    /// Whether it says nothing of the kind of system: `Other(64 bit)`.
    pub(super) fn is_anything(&self) -> bool {
        self.family == Some("Other") && self.words.is_empty()
    }
}

fn without_zeros(version: &[u64]) -> &[u64] {
    let end = version.iter().rposition(|part| *part != 0).map_or(0, |last| last + 1);
    version.get(..end).unwrap_or_default()
}

/// Processor names as bits, and a name that pages write in one word or in two.
fn spelled_out(lower: &str) -> String {
    let mut text = lower.to_owned();
    for (from, to) in [
        ("x86_64", " 64bit "),
        ("x86-64", " 64bit "),
        ("amd64", " 64bit "),
        ("aarch64", " 64bit "),
        ("arm64", " 64bit "),
        ("x64", " 64bit "),
        ("i386", " 32bit "),
        ("i686", " 32bit "),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// Words of letters, and numbers with their dots.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::<String>::new();
    let mut last = None;
    for c in text.chars() {
        let kind = match c {
            '0'..='9' => Some(true),
            '.' if last == Some(true) => Some(true),
            c if c.is_alphabetic() => Some(false),
            _ => None,
        };
        match (kind, tokens.last_mut()) {
            (Some(_), Some(token)) if kind == last => token.push(c),
            (Some(_), _) => tokens.push(c.into()),
            (None, _) => {}
        }
        last = kind;
    }
    tokens
}

/// Takes `64`, `bit` out of the tokens, and sorts the others into words and numbers.
fn without_bits(tokens: Vec<String>) -> (Vec<String>, Vec<String>, Option<u8>) {
    let (mut words, mut numbers, mut bits) = (Vec::new(), Vec::new(), None);
    for token in tokens {
        if token == "bit" || token == "bits" {
            if let Some(of) = numbers.last().and_then(|number: &String| width(number)) {
                numbers.pop();
                bits = Some(of);
            }
        } else if token.starts_with(|c: char| c.is_ascii_digit()) {
            numbers.push(token.trim_end_matches('.').to_owned());
        } else {
            words.push(token);
        }
    }
    (words, numbers, bits)
}

fn width(number: &str) -> Option<u8> {
    match number {
        "64" => Some(64),
        "32" => Some(32),
        _ => None,
    }
}

/// `CentOS 7 64`: the last of several numbers.
fn trailing_bits(numbers: &mut Vec<String>) -> Option<u8> {
    let bits = width(numbers.last()?).filter(|_| numbers.len() > 1)?;
    numbers.pop();
    Some(bits)
}

/// The family of these words; if none is recognised, the one whose name is spelled nearly like one of them.
fn family_of(words: &BTreeSet<String>) -> Option<&'static Family> {
    let has = |mark: &&[&str]| mark.iter().all(|word| words.contains(*word));
    if let Some(found) = FAMILIES.iter().find(|family| family.marks.iter().any(&has)) {
        return Some(found);
    }
    let names = FAMILIES.iter().flat_map(|family| family.marks.iter().map(move |mark| (family, *mark)));
    let near = names.filter_map(|(family, mark)| match mark {
        [mark] => words
            .iter()
            .filter(|word| is_near(word, mark))
            .map(|word| distance(word, mark))
            .min()
            .map(|far| (far, family)),
        _ => None,
    });
    near.min_by_key(|(far, _)| *far).map(|(_, family)| family)
}

/// Whether the word may be the other one mistyped.
fn is_near(word: &str, meant: &str) -> bool {
    word.len() >= 4 && meant.len() >= 4 && distance(word, meant) <= 3.min(meant.len() / 2)
}

/// The name of the family that a word may name, for a search.
pub(super) fn family_named(word: &str) -> Option<&'static str> {
    Identity::of(word).family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_system_are_equal() {
        for (one, other) in [
            ("Ubuntu 22.04 server 64bit", "ubuntu-22.04 LTS Server (64 bit)"),
            ("Debian GNU/Linux 10.0.0 64bit", "Linux 10.0.0 64bit"),
            ("Redhat Linux Enterprise 7.5 64bit", "Red Hat Enterprise Linux 7.5 x86_64"),
            ("Redhat 7.6 64bit", "RHEL7.6 64-bit"),
            ("openSUSE 15.0 64bit", "SUSE 15.0 64bit"),
            ("openEuler 20.03 64bit", "Euler 20.03 64bit"),
            ("SUSE Linux Enterprise Server 12 SP3 64bit", "Novell SUSE Linux Enterprise Server 12 SP3 64bit"),
            ("Windows Server 2008 R2 WEB 64bit", "Windows Server 2008 WEB R2 64bit"),
            ("Other(64 bit)", "other 64bit"),
            ("Other_Linux(64_bit)", "Other Linux (64 bit)"),
        ] {
            assert_eq!(Identity::of(one), Identity::of(other), "{one}, {other}");
        }
        for (one, other) in [
            ("CentOS 7.0 64bit", "CentOS 7.0 32bit"),
            ("CentOS 8.5 64bit", "CentOS Stream 8.5 64bit"),
            ("EulerOS 2.9 64bit", "Euler 2.9 64bit"),
            ("SUSE 15.0 64bit", "SUSE Linux Enterprise Server 15 64bit"),
            ("Windows Server 2012 Standard 64bit", "Windows Server 2012 R2 Standard 64bit"),
            ("Other(64 bit)", "Other_Linux(64_bit)"),
        ] {
            assert_ne!(Identity::of(one), Identity::of(other), "{one}, {other}");
        }
    }

    #[test]
    fn families_are_recognised_mistyped_ones_too_and_none_is_made_up() {
        for (text, family) in [
            ("Rocky Linux 9.3 64bit", Some("Rocky Linux")),
            ("rocky9", Some("Rocky Linux")),
            ("AlmaLinux 9", Some("AlmaLinux")),
            ("ubunto 22.04", Some("Ubuntu")),
            ("Debain 12", Some("Debian")),
            ("Windwos 2022", Some("Windows")),
            ("SLES 15 SP5", Some("SUSE")),
            ("TempleOS 5", None),
            ("9", None),
            ("", None),
        ] {
            assert_eq!(Identity::of(text).family, family, "{text}");
        }
        assert_eq!(Identity::of(&"ubuntu ".repeat(100)).family, None, "too long to be a value");
        assert_eq!(Identity::of("Fedora 32").bits, None);
        assert_eq!(
            (Identity::of("Fedora 32 64").bits, Identity::of("CentOS7 64").bits),
            (Some(64), Some(64))
        );
    }
}
