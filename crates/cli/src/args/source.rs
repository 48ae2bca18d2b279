//! What may be said of a source that is converted.

use clap::Args;
use imsprep_rules::allowable_codes;

/// Flags of the commands that convert.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceArgs {
    /// Convert although this rule is broken: IMS-008 takes the current state and leaves snapshots behind, IMS-017 takes the
    /// disk of an image that was not closed, IMS-051 and IMS-061 one that was cut off, as it is now
    #[arg(long = "allow", value_name = "CODE", value_delimiter = ',', value_parser = parse_code)]
    pub(crate) allowed: Vec<String>,
    /// Which disk of an archive (OVA) with several, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) disk: Option<u32>,
}

fn parse_code(text: &str) -> Result<String, String> {
    let code = text.to_ascii_uppercase();
    if allowable_codes().any(|known| known == code) {
        return Ok(code);
    }
    let codes = allowable_codes().collect::<Vec<_>>().join(", ");
    Err(format!(
        "only {codes} can be allowed: what other rules speak against can't be read, or not be imported"
    ))
}
