//! What the rules are held against: flags of commands that judge an image.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use imsprep_findings::{Overrides, Rule};
use imsprep_rules::Purpose;
use serde::Deserialize;

use crate::codes::find_rule;

/// Flags that say what is meant for the image, and which rules count.
#[derive(Debug, Default, Args)]
pub(crate) struct PolicyArgs {
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
    #[command(flatten)]
    pub(crate) overrides: OverrideArgs,
    /// Read settings from FILE [default: imsprep.toml in this folder, or above it in the same repository]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Read no imsprep.toml
    #[arg(long)]
    pub(crate) no_config: bool,
}

/// Flags that say which rules count.
#[derive(Debug, Default, Args)]
pub(crate) struct OverrideArgs {
    /// Let this rule be broken: it is shown as allowed and does not count; may be given several times
    #[arg(long, value_name = "CODE", value_parser = find_rule)]
    pub(crate) allow: Vec<&'static Rule>,
    /// Make an error of what breaks this rule; may be given several times
    #[arg(long, value_name = "CODE", value_parser = find_rule)]
    pub(crate) deny: Vec<&'static Rule>,
}

impl OverrideArgs {
    /// Puts them above what was said before.
    ///
    /// # Errors
    ///
    /// If a rule is both allowed and denied.
    pub(crate) fn above(&self, mut overrides: Overrides) -> anyhow::Result<Overrides> {
        for rule in &self.allow {
            if self.deny.contains(rule) {
                bail!("{} is both allowed and denied", rule.code);
            }
            overrides.allow(rule, None);
        }
        for rule in &self.deny {
            overrides.deny(rule);
        }
        Ok(overrides)
    }
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
