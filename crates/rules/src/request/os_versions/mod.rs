//! The values that os_version may have.

mod family;
mod known;
mod near;
mod of_system;

use std::collections::BTreeSet;

use super::json::Json;
use crate::Profile;
use family::Identity;
pub use known::{KnownSystem, Page};
pub use near::{NearSystem, near_system};
pub(super) use of_system::Fit;
pub use of_system::SystemValue;

/// A list of values, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsVersions {
    values: BTreeSet<String>,
    /// Values that another cloud's documentation names.
    elsewhere: BTreeSet<String>,
    source: String,
    /// Whether the service itself gave the list, so that no page can add to it.
    of_service: bool,
}

/// Why a list of the service's can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OsVersionsError {
    /// It is not JSON.
    #[error("is not JSON")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON that names no operating system.
    #[error("has no os_version in it; it should be the answer to GET /v1/cloudimages/os_version")]
    Empty,
}

impl OsVersions {
    /// The list built in, for this profile's cloud: the values that the API reference names.
    pub fn built_in(profile: &Profile) -> Self {
        let (mut values, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        for known in KnownSystem::all().iter().filter(|known| known.is_of_api()) {
            let set = if known.is_taken_by(profile) { &mut values } else { &mut elsewhere };
            set.insert(known.value.to_owned());
        }
        let source = "the list built in, of documentation of 2022 (Huawei Cloud) and December 2025 (Open Telekom Cloud)";
        Self { values, elsewhere, source: source.into(), of_service: false }
    }

    /// The service's own answer to `GET /v1/cloudimages/os_version`: an array of platforms, each with its `version_list`.
    ///
    /// Whatever the frame around it, every `os_version` in it counts; an array of strings alone does as well. `source`
    /// is what to call the list.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or there is no value in it.
    pub fn of_answer(bytes: &[u8], source: impl Into<String>) -> Result<Self, OsVersionsError> {
        let json = serde_json::from_slice::<Json>(bytes)?;
        let mut values = BTreeSet::new();
        collect(&json, &mut values);
        if let (true, Json::Array(items)) = (values.is_empty(), &json) {
            values.extend(items.iter().filter_map(|item| match item {
                Json::Text(text) => Some(text.clone()),
                _ => None,
            }));
        }
        if values.is_empty() {
            return Err(OsVersionsError::Empty);
        }
        Ok(Self { values, elsewhere: BTreeSet::new(), source: source.into(), of_service: true })
    }

    /// Whether the value is in the list, letter for letter.
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(value)
    }

    /// Whether no page that is known names the value, in any spelling. Says nothing where the service gave the list.
    pub(super) fn no_page_names(&self, value: &str) -> bool {
        let mut identity = Identity::of(value);
        // A value that only lacks its bits is nearly named.
        identity.bits = identity.bits.or(Some(64));
        !self.of_service && known::same_system(&identity).next().is_none()
    }

    /// Whether another cloud's API reference names it.
    pub(super) fn is_known_elsewhere(&self, value: &str) -> bool {
        self.elsewhere.contains(value)
    }

    /// The known value that the user guide or the Terraform provider names, where the list has it not and the service did
    /// not give the list.
    ///
    /// A system that the service does not know is named in more ways than one: there the meaning counts, not the spelling.
    pub(super) fn documented(&self, value: &str) -> Option<&'static KnownSystem> {
        if self.of_service {
            return None;
        }
        let outside_api = |known: &&KnownSystem| known.pages.iter().any(|page| !page.is_api());
        KnownSystem::named(value).filter(outside_api).or_else(|| {
            let identity = Identity::of(value);
            known::same_system(&identity).find(|known| known.family == "Other")
        })
    }

    /// The values of the list that name the same system in another spelling. If there are none, and the service did not give
    /// the list: those of every page.
    pub(super) fn spellings(&self, value: &str) -> Vec<&str> {
        let identity = Identity::of(value);
        if identity.family.is_none() {
            return Vec::new();
        }
        let same = |other: &&str| *other != value && Identity::of(other) == identity;
        let listed = self.values().filter(same).collect::<Vec<_>>();
        if !listed.is_empty() || self.of_service || KnownSystem::named(value).is_some() {
            return listed;
        }
        known::same_system(&identity).map(|known| known.value).collect()
    }

    /// The value of this list for a system that the service does not know, for as many bits as `value` says.
    pub(super) fn other(&self, value: &str) -> String {
        let meant = Identity::of(value);
        let bits = meant.bits.unwrap_or(64);
        let other = Identity::of(&format!("Other {bits}bit"));
        let narrow = if meant.is_windows() { "Windows" } else { "Linux" };
        let of_kind = Identity::of(&format!("Other {narrow} {bits}bit"));
        let listed = |wanted: &Identity| self.values().find(|value| Identity::of(value) == *wanted);
        listed(&other)
            .or_else(|| listed(&of_kind))
            .map_or_else(|| format!("Other({bits} bit)"), str::to_owned)
    }

    /// What there is near the value in its family: in this list and, unless the service gave it, in every page.
    pub fn near(&self, value: &str) -> NearSystem {
        if self.of_service {
            near::near_among(value, self.values().map(|value| (value, Identity::of(value))))
        } else {
            near_system(value)
        }
    }

    /// What the list is, in words.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }
}

/// Whether the value names a Windows, however it is spelled.
pub(super) fn names_windows(value: &str) -> bool {
    Identity::of(value).is_windows()
}

/// Whether the value says nothing of the kind of system.
pub(super) fn names_anything(value: &str) -> bool {
    Identity::of(value).is_anything()
}

/// Whether the user guide's table of systems that start by UEFI has this one, however it is spelled.
pub(super) fn starts_by_uefi(value: &str) -> bool {
    let mut identity = Identity::of(value);
    // Systems of 32 bits in the table are named with them.
    identity.bits = identity.bits.or(Some(64));
    known::in_uefi_table(&identity)
}

fn collect(json: &Json, values: &mut BTreeSet<String>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect(item, values)),
        Json::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("os_version" | "os_version_key", Json::Text(text)) => {
                        values.insert(text.clone());
                    }
                    (_, value) => collect(value, values),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HUAWEI, OTC};

    #[test]
    fn a_value_is_known_of_the_clouds_that_name_it() {
        let (huawei, otc) = (OsVersions::built_in(&HUAWEI), OsVersions::built_in(&OTC));
        assert!(huawei.has("CentOS 7.0 64bit") && otc.has("CentOS 7.0 64bit"));
        assert!(huawei.has("NeoKylin 7.4 64bit") && !otc.has("NeoKylin 7.4 64bit"));
        assert!(otc.is_known_elsewhere("NeoKylin 7.4 64bit"));
        assert!(!huawei.has("centos 7.0 64bit"), "letter for letter");
        assert_eq!(huawei.spellings("centos 7.0 64bit"), ["CentOS 7.0 64bit"]);
        assert!(
            huawei.has("Other(64 bit)") && otc.has("Other(32 bit)"),
            "a system that the service does not know"
        );
    }

    #[test]
    fn a_value_of_the_guide_is_documented_unless_the_service_gave_the_list() {
        let huawei = OsVersions::built_in(&HUAWEI);
        for value in [
            "Ubuntu 22.04 Server 64bit",
            "Ubuntu 24.04 server 64bit",
            "Other_Linux(64_bit)",
            "Other Linux (64 bit)",
        ] {
            assert!(!huawei.has(value) && huawei.documented(value).is_some(), "{value}");
        }
        for value in ["Rocky Linux 9 64bit", "ubuntu 22.04 server 64bit", "CentOS 7.0 64bit "] {
            assert!(huawei.documented(value).is_none(), "{value}");
        }
        let service =
            OsVersions::of_answer(br#"["Ubuntu 20.04 server 64bit", "Other Linux(64 bit)"]"#, "x").unwrap();
        assert!(service.documented("Ubuntu 22.04 Server 64bit").is_none());
        assert_eq!(service.other("Rocky 9"), "Other Linux(64 bit)");
        assert_eq!(huawei.other("Rocky 9 32bit"), "Other(32 bit)");
    }

    #[test]
    fn the_services_answer_counts_whatever_its_frame() {
        let answer = r#"[{"platform": "SUSE", "version_list": [{"platform": "SUSE", "os_version_key": "SUSE 15 64bit",
            "os_version": "SUSE 15 64bit", "os_bit": 64, "os_type": "Linux"}]}]"#;
        let framed = format!(r#"{{"body": {answer}}}"#);
        for text in [answer, &framed, r#"["SUSE 15 64bit"]"#] {
            let list = OsVersions::of_answer(text.as_bytes(), "x").unwrap();
            assert!(list.has("SUSE 15 64bit") && !list.has("SUSE"), "{text}");
        }
        for text in ["", "[", "{}", "[]", r#"{"error": {"code": "IMG.0001"}}"#] {
            assert!(OsVersions::of_answer(text.as_bytes(), "x").is_err(), "{text}");
        }
    }
}
