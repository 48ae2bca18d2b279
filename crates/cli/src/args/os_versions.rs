//! `imsprep os-versions`, and values of `--os-version`.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};
use imsprep_rules::KnownSystem;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep os-versions                  every value that public documentation names
  imsprep os-versions ubuntu 22.04     values that contain both words, in upper or lower case
  imsprep os-versions --json debian

Use a value in a request exactly as shown. The last column names the pages that contain it: api:huawei and api:otc are the tables \
of the API references, whose values are known to be accepted; guide, uefi and ecs are tables of the user guide of Open Telekom \
Cloud; terraform is the vendor's provider. uefi lists the systems that may start by UEFI. The list is built in and becomes outdated; \
the service's own list is the answer to GET /v1/cloudimages/os_version, which imsprep request --os-versions reads.

Exit status 2: no value contains the words; the nearest values are shown.")]
pub(crate) struct OsVersionsArgs {
    /// List only values that contain each of these words, in the value or in the name of its family
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<String>,
}

/// Takes any text; completions offer the known values, and no help lists them.
#[derive(Clone, Debug)]
pub(super) struct OsVersionParser;

impl TypedValueParser for OsVersionParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Self::Value, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(KnownSystem::all().iter().map(|known| PossibleValue::new(known.value))))
    }
}
