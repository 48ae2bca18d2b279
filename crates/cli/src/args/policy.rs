//! What an image is judged by: flags of commands that judge.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use imsprep_findings::Rule;
use imsprep_rules::{PROFILES, Profile, Purpose};

use super::Io;
use crate::codes::find_rule;

/// Flags that select the rules and their severities.
#[derive(Debug, Default, Args)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    pub(crate) rules: RulesOf,
    /// Treat warnings as errors (exit status 1)
    #[arg(long)]
    pub(crate) strict: bool,
    /// Accept findings of this rule: shown as allowed, not counted (repeatable). imsprep rules CODE shows whether a
    /// conversion is possible despite such a finding
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = find_rule)]
    pub(crate) allow: Vec<&'static Rule>,
    /// Treat findings of this rule as errors (repeatable)
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = find_rule)]
    pub(crate) deny: Vec<&'static Rule>,
}

/// Flags that select the rules.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RulesOf {
    /// Cloud whose rules apply [default: huawei]
    #[arg(long, value_name = "CLOUD", value_parser = profile_parser())]
    pub(crate) profile: Option<&'static Profile>,
    /// Read settings from FILE [default: imsprep.toml in the current folder, or above it in the same repository]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no imsprep.toml
    #[arg(long)]
    pub(crate) no_config: bool,
}

/// Flags that describe how the image will be used.
#[derive(Debug, Default, Args)]
pub(crate) struct IntentArgs {
    /// Use of the disk [default: detected from its content]
    #[arg(long, value_name = "PURPOSE")]
    pub(crate) purpose: Option<PurposeName>,
    /// The min_disk of the request, in GB; not smaller than the disk (some pages of the documentation require a larger value)
    #[arg(long, value_name = "GB")]
    pub(crate) min_disk: Option<u32>,
    /// The image is for bare-metal servers (BMS), which accept only ZVHD2
    #[arg(long)]
    pub(crate) bms: bool,
    /// Folder of the object in its bucket, such as images/2026; the rules for names of objects apply to PREFIX/FILE
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
}

/// Takes the name of a profile.
fn profile_parser() -> impl TypedValueParser<Value = &'static Profile> {
    let names = PROFILES.iter().map(|profile| PossibleValue::new(profile.name).help(profile.title));
    PossibleValuesParser::new(names).try_map(|name| Profile::named(&name).ok_or("there is no such profile"))
}

/// What a disk is for, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurposeName {
    /// Servers boot from it
    System,
    /// Servers use it in addition to their boot disk
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
    /// Text for people
    Text,
    /// One JSON document, same as --json
    Json,
    /// One JSON document on a line for each file, as soon as the file is checked
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for build servers
    Junit,
    /// One HTML page that needs no network; check and prepare show a map of each disk
    Html,
}

/// How the result is printed.
#[derive(Debug, Default, Args)]
pub(crate) struct FormatArgs {
    /// Output format [default: text]
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "quiet"])]
    pub(crate) format: Option<FormatName>,
}

/// How an image is read, and what is written beside the result.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Layout of the bitmap files: a file written by bitmap learn, or the name of a built-in layout. It is tried first and
    /// used for writing; a learned layout is not reported as unproven
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    /// Write size and SHA-256 of each image and its bitmap file to OUT, as JSON; or the list that sha256sum -c reads, if OUT ends
    /// in .sha256 or .sha256sum or is SHA256SUMS. Reads every byte once; hashing uses one processor
    #[arg(long, value_name = "OUT")]
    pub(crate) manifest: Option<PathBuf>,
    /// Write an HTML report with a map of each disk to OUT, one file that needs no network. A RAW is scanned for the map even
    /// if there is no bitmap file to compare
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
    /// I/O method for reading RAW images; does not change the result
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}
