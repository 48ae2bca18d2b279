//! `imsprep os-versions --json`

use imsprep_rules::{KnownSystem, PROFILES, Page};
use schemars::JsonSchema;
use serde::Serialize;

/// Known values of os_version.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OsVersions {
    rule_set: &'static str,
    pages: Vec<WirePage>,
    systems: Vec<WireSystem>,
}

/// A page, and how many of the listed values it names.
#[derive(Debug, JsonSchema, Serialize)]
struct WirePage {
    name: &'static str,
    title: &'static str,
    values: usize,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSystem {
    value: &'static str,
    family: &'static str,
    bits: u8,
    pages: Vec<&'static str>,
    /// Profiles whose API reference names the value.
    profiles: Vec<&'static str>,
    /// Whether the table of systems that start by UEFI has the system, in any spelling.
    uefi: bool,
    spellings: Vec<&'static str>,
}

impl OsVersions {
    pub(crate) fn new(systems: &[&KnownSystem]) -> Self {
        let values = |page| systems.iter().filter(|known| known.pages.contains(&page)).count();
        let page = |page: Page| WirePage { name: page.name(), title: page.title(), values: values(page) };
        Self {
            rule_set: imsprep_rules::RULE_SET_DATE,
            pages: Page::ALL.into_iter().map(page).collect(),
            systems: systems.iter().map(|known| WireSystem::from(*known)).collect(),
        }
    }
}

impl From<&KnownSystem> for WireSystem {
    fn from(known: &KnownSystem) -> Self {
        let profiles =
            PROFILES.iter().filter(|profile| known.is_taken_by(profile)).map(|profile| profile.name);
        Self {
            value: known.value,
            family: known.family,
            bits: known.bits,
            pages: known.pages.iter().map(|page| page.name()).collect(),
            profiles: profiles.collect(),
            uefi: known.starts_by_uefi(),
            spellings: known.spellings().collect(),
        }
    }
}
