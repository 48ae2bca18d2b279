//! `imsprep os-versions`, and values of `--os-version`.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};
use imsprep_rules::KnownSystem;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep os-versions                  every value that public documentation names
  imsprep os-versions ubuntu 22.04     those with both words in them, in any case
  imsprep os-versions --json debian

A value goes into a request letter for letter. The last column names the pages that have it: api:huawei and api:otc are the tables \
of the API references, whose values are known to be taken; guide, uefi and ecs are tables of Open Telekom Cloud's user guide, \
terraform is the vendor's provider. uefi are the systems that may start by UEFI. The list is built in and ages: the service's own is \
GET /v1/cloudimages/os_version, for imsprep request --os-versions.

Exit status 2: no value has the words in it; the nearest are named.")]
pub(crate) struct OsVersionsArgs {
    /// Only values that have each of these words in them, or in the name of their family
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
