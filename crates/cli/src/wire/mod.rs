//! JSON as scripts read it, and what build servers read: a contract, apart from the types inside. Specified in
//! docs/report.md.

pub(crate) mod bench;
pub(crate) mod bitmap;
pub(crate) mod bitmap_files;
pub(crate) mod boot;
pub(crate) mod check;
mod checksum;
mod checksum_list;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod detect;
mod fit;
mod guest;
pub(crate) mod input;
pub(crate) mod inspect;
pub(crate) mod junit;
pub(crate) mod layouts;
pub(crate) mod learn;
pub(crate) mod manifest;
pub(crate) mod manifest_input;
pub(crate) mod map;
pub(crate) mod os_versions;
pub(crate) mod plan;
pub(crate) mod prepare;
mod proof;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod sarif;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod service_codes;
mod space;
pub(crate) mod summary;
mod uri;
pub(crate) mod verify;
pub(crate) mod zvhd2;

use std::path::Path;

use imsprep_rules::RULE_SET_DATE;
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit::Status;
use crate::policy::Policy;

/// Version of every schema; it grows when a field changes its meaning or goes away, not when one is added.
const VERSION: u32 = 1;

/// What every document begins with.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Document<T> {
    schema: &'static str,
    version: u32,
    tool: Tool,
    exit_status: u8,
    #[serde(flatten)]
    body: T,
}

/// A body on what was judged, behind what it was judged by.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct UnderPolicy<T> {
    rule_set: &'static str,
    profile: &'static str,
    /// The project file that was read.
    config: Option<WirePath>,
    /// One that was found and not read, as it belongs to another user. Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored_config: Option<WirePath>,
    #[serde(flatten)]
    rest: T,
}

impl<T> UnderPolicy<T> {
    pub(crate) fn new(policy: &Policy, rest: T) -> Self {
        let config = policy.config.as_deref().map(WirePath::from);
        let ignored_config = policy.ignored_config.as_deref().map(WirePath::from);
        Self { rule_set: RULE_SET_DATE, profile: policy.profile.name, config, ignored_config, rest }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl<T> Document<UnderPolicy<T>> {
    /// A document on what was judged by `policy`.
    pub(crate) fn under(policy: &Policy, schema: &'static str, status: Status, body: T) -> Self {
        Self::new(schema, status, UnderPolicy::new(policy, body))
    }
}

impl<T> Document<T> {
    pub(crate) fn new(schema: &'static str, status: Status, body: T) -> Self {
        let tool = Tool { name: "imsprep", version: env!("CARGO_PKG_VERSION") };
        Self { schema, version: VERSION, tool, exit_status: status.number(), body }
    }
}

/// A path: as text, and byte by byte where the text can't hold it.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WirePath {
    path: String,
    /// The path's bytes in hexadecimal, only if it is not UTF-8; `path` then has replacement characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
}

impl From<&Path> for WirePath {
    fn from(path: &Path) -> Self {
        let bytes = path.as_os_str().as_encoded_bytes();
        let hex = || bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let path_bytes = path.to_str().is_none().then(hex);
        Self { path: path.to_string_lossy().into_owned(), path_bytes }
    }
}
