//! Whether a file is the one that its publisher gives checksums for.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use imsprep_formats::Watch;
use imsprep_scan::{Bytes, scan_in_order};
use imsprep_source::{BlockSize, ErrorKind as SourceErrorKind, ImageFile, ReadAt, Stage, Work};
use sha2::{Digest, Sha256, Sha512};

use crate::digest::update;
use crate::{Checksum, Error, ErrorKind, HashAlgorithm, Result};

/// Bytes that are read at once of what nothing else reads.
const PIECE: usize = 1 << 20;

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

/// The hashes of a file that something else reads, from its first byte to its last.
pub(crate) struct FileHash {
    /// A descriptor of its own.
    file: ImageFile,
    expected: Vec<Checksum>,
    state: Mutex<InOrder>,
}

/// Hashes as far as the bytes were seen.
struct InOrder {
    hashes: Hashes,
    /// All before this offset was seen, and nothing from there on.
    at: u64,
}

impl InOrder {
    /// Bytes that were seen before, or that do not follow, are passed over.
    fn take(&mut self, offset: u64, bytes: &[u8]) {
        let new = self.at.checked_sub(offset).and_then(|seen| usize::try_from(seen).ok());
        if let Some(new) = new.and_then(|seen| bytes.get(seen..)) {
            self.hashes.update(new);
            self.at += new.len() as u64;
        }
    }
}

impl FileHash {
    /// Of `file`, of which nothing was read, to be compared with these checksums.
    pub(crate) fn new(file: ImageFile, expected: &[Checksum]) -> Self {
        let state = Mutex::new(InOrder { hashes: Hashes::of(expected), at: 0 });
        Self { file, expected: expected.to_vec(), state }
    }

    /// Reads what was not seen in order, and compares all of the file with the checksums.
    ///
    /// # Errors
    ///
    /// [`Error::WrongChecksum`] with the first that differs, and what reading brings.
    pub(crate) fn verify(&self, work: Work<'_>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.file.size() - state.at;
        if left > 0 {
            let stage = Stage::begin(work.progress, "hashing the file", left);
            let mut bytes = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
            while state.at < self.file.size() {
                work.cancel.check()?;
                let length = usize::try_from(self.file.size() - state.at).unwrap_or(PIECE).min(PIECE);
                let (piece, at) = (bytes.get_mut(..length).unwrap_or_default(), state.at);
                self.file.read_at(piece, at)?;
                state.take(at, piece);
                stage.advance(length as u64);
            }
        }
        state.hashes.clone().verify(self.file.path(), &self.expected)
    }

    /// The error to report where this one was met: that it is not the file that its publisher has explains what is wrong with its content.
    pub(crate) fn instead_of(&self, met: Error, work: Work<'_>) -> Error {
        let is_of_content = matches!(met.kind(), ErrorKind::Source(SourceErrorKind::Damaged))
            || !matches!(met.kind(), ErrorKind::Source(_));
        match is_of_content.then(|| self.verify(work)) {
            Some(Err(wrong @ Error::WrongChecksum { .. })) => wrong,
            _ => met,
        }
    }
}

impl Watch for FileHash {
    fn saw(&self, offset: u64, bytes: &[u8]) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take(offset, bytes);
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileHash").field("expected", &self.expected).finish_non_exhaustive()
    }
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
    use std::io::Write;
    use std::sync::Arc;

    use imsprep_formats::{Unwrapped, Wrapper};
    use imsprep_source::Cancel;

    use super::*;
    use crate::{ConvertOptions, OpenedImage, plan_conversion};

    const ONE: &str = "a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e";
    const TWO: &str = "A591A6D40BF420404A011733CFB7B190D62C65BF0BCDA32B57B277D9AD9F146F";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// All of a compressed file is hashed by the one pass that expands it; a part that was read before is not hashed twice.
    #[test]
    fn a_file_that_is_read_in_order_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let work = Work::new(&(), &cancel);
        for (name, end) in [("disk.raw.gz", &[][..]), ("disk.raw.gz.padded", &[0; 700_000])] {
            let path = dir.path().join(name);
            let bytes = [gzip(&vec![5; 9 << 20]), end.to_vec()].concat();
            std::fs::write(&path, &bytes).unwrap();
            let right = Checksum::computed(HashAlgorithm::Sha256, Sha256::digest(&bytes).to_vec());
            let mut image = OpenedImage::open(&path, &cancel).unwrap();
            image.expect(std::slice::from_ref(&right), work).unwrap();
            let hash = image.hash().unwrap();
            for length in [1, 20 << 20] {
                let watch = Some(Arc::clone(&hash) as Arc<dyn Watch>);
                let mut stream = Unwrapped::open_file(image.file(), Wrapper::Gzip, 2, watch).unwrap();
                stream.fill(&mut vec![0; length]).unwrap();
            }
            assert_eq!(hash.state.lock().unwrap().at, bytes.len() as u64, "nothing is left to be read");
            image.verify_hash(work).unwrap();
            // What was not seen in order is read.
            let unseen = FileHash::new(image.file().reopen().unwrap(), &[right]);
            unseen.saw(100, &bytes[100..200]);
            unseen.saw(0, &bytes[..50]);
            unseen.saw(40, &bytes[40..60]);
            assert_eq!(unseen.state.lock().unwrap().at, 60);
            unseen.verify(work).unwrap();
        }
    }

    /// That it is another file explains the rest, and nothing gets its name.
    #[test]
    fn the_checksum_is_what_is_wrong_with_a_damaged_file() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let work = Work::new(&(), &cancel);
        let path = dir.path().join("disk.raw.gz");
        let whole = gzip(&(0..3_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 1;
        let expected = Checksum::computed(HashAlgorithm::Sha256, vec![0; 32]);
        for bytes in [&whole[..], &whole[..whole.len() / 2], &whole[..400], &altered] {
            std::fs::write(&path, bytes).unwrap();
            for name in ["out.zvhd2", "out.raw"] {
                let output = Some(dir.path().join(name));
                let checksums = vec![expected.clone()];
                let options = ConvertOptions { output, checksums, ..ConvertOptions::default() };
                let made = plan_conversion(&path, options, work).and_then(|plan| plan.convert(work));
                let error = made.unwrap_err();
                assert!(matches!(error, Error::WrongChecksum { .. }), "{error}");
                assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
            }
        }
    }

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
