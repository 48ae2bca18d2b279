//! A checksum that a file was compared with.

use imsprep_toolkit::Checksum;
use schemars::JsonSchema;
use serde::Serialize;

/// A checksum that the file has.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireChecksum {
    /// `sha256` or `sha512`.
    algorithm: &'static str,
    /// In hexadecimal digits.
    value: String,
}

/// Those that were asked for.
pub(crate) fn checksums(verified: &[Checksum]) -> Vec<WireChecksum> {
    let wire = |checksum: &Checksum| WireChecksum {
        algorithm: checksum.algorithm.id(),
        value: checksum.to_string(),
    };
    verified.iter().map(wire).collect()
}
