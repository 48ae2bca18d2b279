//! The values that public documentation names.

use std::fmt;
use std::sync::LazyLock;

use super::family::Identity;
use crate::Profile;

/// Values, families and pages, one value on a line.
const BUILT_IN: &str = include_str!("../../../data/os_versions.tsv");

/// A page that names values of os_version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// The table of values in Huawei Cloud's API reference.
    ApiHuawei,
    /// The table of values in Open Telekom Cloud's API reference.
    ApiOtc,
    /// A sample answer in the API reference.
    Answer,
    /// The user guide: image file formats and systems.
    Guide,
    /// The user guide: systems that start by UEFI.
    Uefi,
    /// The user guide: systems of the types of ECS.
    Ecs,
    /// The documentation of the vendor's Terraform provider.
    Terraform,
}

impl Page {
    /// Every page; those of the API first.
    pub const ALL: [Self; 7] =
        [Self::ApiHuawei, Self::ApiOtc, Self::Answer, Self::Guide, Self::Uefi, Self::Ecs, Self::Terraform];

    /// The word used in the list and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiHuawei => "api:huawei",
            Self::ApiOtc => "api:otc",
            Self::Answer => "answer",
            Self::Guide => "guide",
            Self::Uefi => "uefi",
            Self::Ecs => "ecs",
            Self::Terraform => "terraform",
        }
    }

    /// What it is.
    pub fn title(self) -> &'static str {
        match self {
            Self::ApiHuawei => "API reference of Huawei Cloud (2022), table of values",
            Self::ApiOtc => "API reference of Open Telekom Cloud (December 2025), table of values",
            Self::Answer => "API reference, sample answer: a system that the service does not know",
            Self::Guide => "user guide of Open Telekom Cloud (2024), image file formats and systems",
            Self::Uefi => "user guide of Open Telekom Cloud (2024), systems that start by UEFI",
            Self::Ecs => "user guide of Open Telekom Cloud (2024), systems of the types of ECS",
            Self::Terraform => "documentation of the vendor's Terraform provider",
        }
    }

    /// Whether it is a page of the API reference of this cloud, whose values the API takes.
    pub(super) fn is_api_of(self, profile: &Profile) -> bool {
        match self {
            Self::ApiHuawei => profile.request.os_versions == "huawei",
            Self::ApiOtc => profile.request.os_versions == "otc",
            Self::Answer => true,
            Self::Guide | Self::Uefi | Self::Ecs | Self::Terraform => false,
        }
    }

    /// Whether it is the API reference of some cloud.
    pub(super) fn is_api(self) -> bool {
        matches!(self, Self::ApiHuawei | Self::ApiOtc | Self::Answer)
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A value that public documentation names, letter for letter.
#[derive(Debug)]
pub struct KnownSystem {
    /// The value.
    pub value: &'static str,
    /// The family of the system, such as `Ubuntu`.
    pub family: &'static str,
    /// 32 or 64.
    pub bits: u8,
    /// The pages that name it.
    pub pages: Vec<Page>,
    pub(super) identity: Identity,
}

impl KnownSystem {
    /// Every known value, in alphabetical order.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<KnownSystem>> = LazyLock::new(|| rows().collect());
        &ALL
    }

    /// The known value that is spelled exactly so.
    pub fn named(value: &str) -> Option<&'static Self> {
        Self::all().iter().find(|known| known.value == value)
    }

    /// Other values that name the same system. Pages spell some systems in several ways.
    pub fn spellings(&self) -> impl Iterator<Item = &'static str> {
        same_system(&self.identity).filter(|known| known.value != self.value).map(|known| known.value)
    }

    /// Whether the API reference of this cloud names it, so that it is known to be taken.
    pub fn is_taken_by(&self, profile: &Profile) -> bool {
        self.pages.iter().any(|page| page.is_api_of(profile))
    }

    /// Whether the API reference of some cloud names it, and not the user guide or the Terraform provider alone.
    pub fn is_of_api(&self) -> bool {
        self.pages.iter().any(|page| page.is_api())
    }

    /// Whether the user guide's table of systems that start by UEFI has the system, however it is spelled there.
    pub fn starts_by_uefi(&self) -> bool {
        in_uefi_table(&self.identity)
    }

    /// The values in which each word of `text` occurs, whatever the case; in the value, or in its family's name. A number occurs only where a
    /// version begins: `11` in `11.2.0`, and not in `10.11.0`. They are sorted by name, and then by version.
    pub fn search(text: &str) -> Vec<&'static Self> {
        let words = text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let fits = |known: &&Self| {
            let place = format!("{}\n{}", known.value, known.family).to_lowercase();
            words.iter().all(|word| occurs(word, &place))
        };
        let mut found = Self::all().iter().filter(fits).collect::<Vec<_>>();
        found.sort_by_cached_key(|known| version_order(known.value));
        found
    }
}

/// Whether a word occurs in a text; a number only as the beginning of a version.
fn occurs(word: &str, text: &str) -> bool {
    let is_of_version = |c: char| c.is_ascii_digit() || c == '.';
    if !word.chars().all(is_of_version) {
        return text.contains(word);
    }
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_of_version) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// A part of a value: letters and signs, or digits.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Word(String),
    Number(u64),
}

/// What sorts values by their words, and by their numbers as numbers: 8.1 before 10.0.
fn version_order(value: &str) -> Vec<Part> {
    let (mut parts, mut rest) = (Vec::new(), value);
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(if is_number {
            Part::Number(part.parse().unwrap_or(u64::MAX))
        } else {
            Part::Word(part.to_lowercase())
        });
        rest = after;
    }
    parts
}

/// The known values that name this system.
pub(super) fn same_system(identity: &Identity) -> impl Iterator<Item = &'static KnownSystem> {
    KnownSystem::all().iter().filter(move |known| known.identity == *identity)
}

/// Whether the table of systems that start by UEFI has this one, however it is spelled there.
pub(super) fn in_uefi_table(identity: &Identity) -> bool {
    same_system(identity).any(|known| known.pages.contains(&Page::Uefi))
}

fn rows() -> impl Iterator<Item = KnownSystem> {
    BUILT_IN.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let (value, family, pages) = (columns.next()?, columns.next()?, columns.next()?);
        let page = |name: &str| Page::ALL.into_iter().find(|page| page.name() == name);
        let identity = Identity::of(value);
        Some(KnownSystem {
            value,
            family,
            bits: identity.bits?,
            pages: pages.split(',').filter_map(page).collect(),
            identity,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_value_with_its_family_and_known_pages() {
        let lines = BUILT_IN.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
        assert_eq!(lines.len(), KnownSystem::all().len());
        for (line, known) in lines.iter().zip(KnownSystem::all()) {
            let pages = known.pages.iter().map(|page| page.name()).collect::<Vec<_>>().join(",");
            assert_eq!(*line, format!("{}\t{}\t{pages}", known.value, known.family));
            assert_eq!(known.identity.family, Some(known.family), "{line}");
            assert_eq!(known.value, known.value.trim());
        }
        assert!(KnownSystem::all().is_sorted_by_key(|known| known.value));
    }

    #[test]
    fn each_page_has_as_many_values_as_were_read_from_it() {
        let count = |page| KnownSystem::all().iter().filter(|known| known.pages.contains(&page)).count();
        let counts = Page::ALL.map(|page| (page.name(), count(page)));
        let expected = [
            ("api:huawei", 130),
            ("api:otc", 128),
            ("answer", 2),
            // 200 of its table, and four for systems that the service does not know.
            ("guide", 204),
            ("uefi", 107),
            ("ecs", 99),
            ("terraform", 2),
        ];
        assert_eq!(counts, expected);
        assert_eq!(KnownSystem::all().len(), 305);
    }

    #[test]
    fn a_value_knows_its_other_spellings_and_the_uefi_table() {
        let known = KnownSystem::named("Ubuntu 22.04 server 64bit").unwrap();
        assert_eq!((known.family, known.bits, known.is_of_api()), ("Ubuntu", 64, false));
        assert_eq!(
            known.spellings().collect::<Vec<_>>(),
            ["Ubuntu 22.04 64bit", "Ubuntu 22.04 Server 64bit"]
        );
        assert!(known.starts_by_uefi(), "by another spelling");
        assert!(!KnownSystem::named("CentOS 7.1 64bit").unwrap().starts_by_uefi());
    }

    #[test]
    fn a_search_takes_every_word_in_any_case_and_order() {
        let values = |text| KnownSystem::search(text).iter().map(|known| known.value).collect::<Vec<_>>();
        assert_eq!(values("ALMA"), ["Alma 8 64bit"]);
        assert_eq!(values("22.04 ubuntu").len(), 3);
        assert!(values("debian").contains(&"Linux 12.0.0 64bit"), "by the family's name");
        assert_eq!(values("").len(), 305);
        assert_eq!(values("rocky"), [""; 0]);
    }
}
