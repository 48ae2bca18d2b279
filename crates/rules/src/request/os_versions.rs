//! The values that os_version may have.

use std::collections::BTreeSet;

use super::json::Json;
use super::words::nearest;
use crate::Profile;

/// Values named in the service's public documentation, one on a line, and the profiles whose documentation names it.
const BUILT_IN: &str = include_str!("../../data/os_versions.tsv");

/// A list of values, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsVersions {
    values: BTreeSet<String>,
    /// Values that another cloud's documentation names.
    elsewhere: BTreeSet<String>,
    source: String,
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
    /// The list built in, for this profile's cloud.
    pub fn built_in(profile: &Profile) -> Self {
        let (mut values, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
        for (value, clouds) in rows() {
            let here = clouds.split(',').any(|cloud| cloud == profile.request.os_versions);
            let set = if here { &mut values } else { &mut elsewhere };
            set.insert(value.to_owned());
        }
        let source = "the list built in, of documentation of 2022 (Huawei Cloud) and December 2025 (Open Telekom Cloud)";
        Self { values, elsewhere, source: source.into() }
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
        Ok(Self { values, elsewhere: BTreeSet::new(), source: source.into() })
    }

    /// Whether the value is in the list, letter for letter.
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(value)
    }

    /// Whether another cloud's documentation names it.
    pub(super) fn is_known_elsewhere(&self, value: &str) -> bool {
        self.elsewhere.contains(value)
    }

    /// The values that are most like this one.
    pub fn nearest(&self, value: &str) -> Vec<&str> {
        nearest(value, self.values.iter().map(String::as_str), 3)
    }

    /// What the list is, in words.
    pub fn source(&self) -> &str {
        &self.source
    }
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILT_IN.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
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
    fn every_line_of_the_list_is_a_value_of_a_known_cloud() {
        assert!(rows().count() > 130);
        for (value, clouds) in rows() {
            assert_eq!(value, value.trim());
            assert!(clouds.split(',').all(|cloud| ["huawei", "otc"].contains(&cloud)), "{value}: {clouds}");
        }
        let lines = BUILT_IN.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(lines, rows().count());
    }

    #[test]
    fn a_value_is_known_of_the_clouds_that_name_it() {
        let (huawei, otc) = (OsVersions::built_in(&HUAWEI), OsVersions::built_in(&OTC));
        assert!(huawei.has("CentOS 7.0 64bit") && otc.has("CentOS 7.0 64bit"));
        assert!(huawei.has("NeoKylin 7.4 64bit") && !otc.has("NeoKylin 7.4 64bit"));
        assert!(otc.is_known_elsewhere("NeoKylin 7.4 64bit"));
        assert!(!huawei.has("centos 7.0 64bit"), "letter for letter");
        assert_eq!(huawei.nearest("centos 7.0 64bit").first(), Some(&"CentOS 7.0 64bit"));
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
