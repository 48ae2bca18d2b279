//! Whether a file is the one that its publisher gives checksums for.

use std::path::Path;

use imsprep_scan::{Bytes, scan_in_order};
use imsprep_source::{BlockSize, ImageFile, ReadAt, Work};
use sha2::{Digest, Sha256, Sha512};

use crate::digest::update;
use crate::{Checksum, Error, HashAlgorithm, Result};

/// Reads a file from its first byte to its last and compares it with these checksums.
///
/// # Errors
///
/// [`Error::WrongChecksum`] with the first that differs, and what reading brings.
pub(crate) fn verify_checksums(image: &ImageFile, expected: &[Checksum], work: Work<'_>) -> Result<()> {
    if expected.is_empty() {
        return Ok(());
    }
    let mut hashes = Hashes::of(expected);
    let mut take = |bytes: Bytes<'_>| {
        if let Some(hash) = &mut hashes.sha256 {
            update(hash, bytes);
        }
        if let Some(hash) = &mut hashes.sha512 {
            update(hash, bytes);
        }
        Ok(())
    };
    scan_in_order(image, BlockSize::MAX, &mut take, work)?;
    hashes.verify(image.path(), expected)
}

/// The hashes that some checksums are compared with.
#[derive(Clone)]
pub(crate) struct Hashes {
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
}

impl Hashes {
    /// Of the bytes that are still to come, for these checksums.
    pub(crate) fn of(expected: &[Checksum]) -> Self {
        let is_asked = |kind| expected.iter().any(|checksum| checksum.algorithm == kind);
        Self {
            sha256: is_asked(HashAlgorithm::Sha256).then(Sha256::new),
            sha512: is_asked(HashAlgorithm::Sha512).then(Sha512::new),
        }
    }

    /// Takes the bytes that come next.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.sha256 {
            hash.update(bytes);
        }
        if let Some(hash) = &mut self.sha512 {
            hash.update(bytes);
        }
    }

    /// Compares the hashes of all bytes of what is called `path` with the checksums that were given for it.
    ///
    /// # Errors
    ///
    /// [`Error::WrongChecksum`] with the first that differs.
    pub(crate) fn verify(self, path: &Path, expected: &[Checksum]) -> Result<()> {
        let sha256 = self.sha256.map(|hash| hash.finalize().to_vec()).unwrap_or_default();
        let sha512 = self.sha512.map(|hash| hash.finalize().to_vec()).unwrap_or_default();
        for checksum in expected {
            let value = match checksum.algorithm {
                HashAlgorithm::Sha256 => sha256.clone(),
                HashAlgorithm::Sha512 => sha512.clone(),
            };
            let found = Checksum::computed(checksum.algorithm, value);
            if found != *checksum {
                return Err(Error::WrongChecksum {
                    path: path.to_owned(),
                    expected: checksum.clone(),
                    found,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::Cancel;

    use super::*;

    const ONE: &str = "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e";
    const TWO: &str = "A591A6D40BF420404A011733CFB7B190D62C65BF0BCDA32B57B277D9AD9F146F";

    #[test]
    fn a_file_is_compared_with_every_checksum() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "Hello World").unwrap();
        let image = ImageFile::open(&path).unwrap();
        let sha512 = "2c74fd17edafd80e8447b0d46741ee243b7eb74dd2149a0ab1b9246fb30382f27e853d8585719e0e67cbda0daa8f51671064615d645ae27acb15bfb1447f459b";
        let verify = |sums: &[(HashAlgorithm, &str)]| {
            let sums =
                sums.iter().map(|(kind, digits)| Checksum::parse(*kind, digits).unwrap()).collect::<Vec<_>>();
            verify_checksums(&image, &sums, Work::new(&(), &Cancel::new()))
        };
        let both = [(HashAlgorithm::Sha256, ONE), (HashAlgorithm::Sha512, sha512)];
        verify(&both).unwrap();
        verify(&[]).unwrap();
        let wrong = verify(&[both[1], (HashAlgorithm::Sha256, TWO)]).unwrap_err().to_string();
        assert!(wrong.contains(&format!("SHA-256 is {ONE}, expected {}", TWO.to_lowercase())), "{wrong}");
    }
}
