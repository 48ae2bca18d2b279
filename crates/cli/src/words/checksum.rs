//! Checksums that a file has, in words.

use imsprep_toolkit::Checksum;

/// `SHA-256 and SHA-512 as published`; `None` if none was asked for.
pub(crate) fn checksum_line(verified: &[Checksum]) -> Option<String> {
    let names = verified.iter().map(|checksum| checksum.algorithm.to_string()).collect::<Vec<_>>();
    (!names.is_empty()).then(|| format!("{} as published", names.join(" and ")))
}
