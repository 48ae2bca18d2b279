//! The checksums that a publisher gives for a file.

use std::path::PathBuf;

use clap::Args;
use imsprep_toolkit::{Checksum, HashAlgorithm};

/// Flags that say what a file must be, before it is unpacked.
#[derive(Debug, Default, Args)]
pub(crate) struct ChecksumArgs {
    /// SHA-256 that the file must have, as it was downloaded
    #[arg(long, value_name = "HEX", value_parser = parse_sha256)]
    pub(crate) sha256: Option<Checksum>,
    /// SHA-512 that the file must have, as it was downloaded
    #[arg(long, value_name = "HEX", value_parser = parse_sha512)]
    pub(crate) sha512: Option<Checksum>,
    /// List with the checksum of the file: SHA256SUMS, SHA512SUMS, the BSD form, or the checksum alone
    #[arg(long, value_name = "LIST")]
    pub(crate) checksums: Option<PathBuf>,
}

fn parse_sha256(text: &str) -> Result<Checksum, String> {
    parse(HashAlgorithm::Sha256, text)
}

fn parse_sha512(text: &str) -> Result<Checksum, String> {
    parse(HashAlgorithm::Sha512, text)
}

fn parse(algorithm: HashAlgorithm, text: &str) -> Result<Checksum, String> {
    let digits = 2 * algorithm.length();
    Checksum::parse(algorithm, text).ok_or_else(|| format!("a {algorithm} has {digits} hexadecimal digits"))
}
