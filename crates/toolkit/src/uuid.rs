//! Random identities.

use crate::{Error, Result};

/// A random UUID (RFC 9562, version 4), as the reference gives each container.
///
/// # Errors
///
/// [`Error::Random`] if the system has no random bytes.
pub(crate) fn random_uuid() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|source| Error::Random { source: source.into() })?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_variant_are_marked_and_no_two_are_the_same() {
        let uuids = (0..100).map(|_| random_uuid().unwrap()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(uuids.len(), 100);
        assert!(uuids.iter().all(|uuid| uuid[6] >> 4 == 4 && uuid[8] >> 6 == 0b10));
    }
}
