//! What an image is judged by: flags of commands that judge.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use imsprep_findings::Rule;
use imsprep_rules::{PROFILES, Profile, Purpose};
use serde::Deserialize;

use super::Io;
use crate::codes::find_rule;
use crate::policy::find_profile;

/// Flags that say whose rules apply, and which of them count.
#[derive(Debug, Default, Args)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    pub(crate) rules: RulesOf,
    /// Let warnings count: exit 1 if there is any
    #[arg(long)]
    pub(crate) strict: bool,
    /// Let this rule be broken: it is shown as allowed and does not count; may be given several times. A conversion works in
    /// spite of some rules only: imsprep rules -v CODE
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = find_rule)]
    pub(crate) allow: Vec<&'static Rule>,
    /// Make an error of what breaks this rule; may be given several times
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = find_rule)]
    pub(crate) deny: Vec<&'static Rule>,
}

/// Flags that say whose rules apply.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RulesOf {
    /// Whose rules to apply [default: huawei]
    #[arg(long, value_name = "CLOUD", value_parser = profile_parser())]
    pub(crate) profile: Option<&'static Profile>,
    /// Read settings from FILE [default: imsprep.toml in this folder, or above it in the same repository]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no imsprep.toml
    #[arg(long)]
    pub(crate) no_config: bool,
}

/// Flags that say what is meant for the image.
#[derive(Debug, Default, Args)]
pub(crate) struct IntentArgs {
    /// What the disk is for [default: what the disk looks like]
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<PurposeName>,
    /// The min_disk that the request will ask for, in GB: must hold the disk
    #[arg(long, value_name = "GB")]
    pub(crate) min_disk: Option<u32>,
    /// The image is for bare-metal servers
    #[arg(long)]
    pub(crate) bms: bool,
    /// Folder of the object in its bucket, such as images/2026: the rules on names hold for the whole key
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
}

/// Takes the name of a profile.
fn profile_parser() -> impl TypedValueParser<Value = &'static Profile> {
    let names = PROFILES.iter().map(|profile| PossibleValue::new(profile.name).help(profile.title));
    PossibleValuesParser::new(names).try_map(|name| find_profile(&name))
}

/// What a disk is for, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PurposeName {
    /// Servers boot from it
    System,
    /// Servers use it beside the disk that they boot from
    Data,
}

impl From<PurposeName> for Purpose {
    fn from(name: PurposeName) -> Self {
        match name {
            PurposeName::System => Self::System,
            PurposeName::Data => Self::Data,
        }
    }
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// For people
    Text,
    /// One JSON document, as --json
    Json,
    /// A JSON document on one line for each file, as soon as it is done
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for build servers
    Junit,
}

/// How the result is printed.
#[derive(Debug, Default, Args)]
pub(crate) struct FormatArgs {
    /// How to print the result [default: text]
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "quiet"])]
    pub(crate) format: Option<FormatName>,
}

/// How an image is looked at, and what is written beside the result.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The layout of the service's bitmap files, as bitmap learn found it: a file, or the name of a built-in one. It is
    /// looked for first, is the one that is written, and if it was learned no longer called unproven
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    /// Write size and SHA-256 of each image and of its bitmap file to OUT, as JSON. Reads every byte, once, and hashes
    /// no faster than one processor can
    #[arg(long, value_name = "OUT")]
    pub(crate) manifest: Option<PathBuf>,
    /// Write a page to OUT for people who would rather look: verdicts, findings, and a map of each disk. One file that needs
    /// no network. A RAW is scanned for it even where no bitmap file could be compared
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
    /// How to bring in the bytes of a RAW; the result is the same
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}
