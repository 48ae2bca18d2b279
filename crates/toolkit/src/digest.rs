//! SHA-256 of what was checked, so that an upload can be proven afterwards.

use std::io;
use std::path::Path;
use std::thread;

use imsprep_scan::{Bytes, Scan, scan_in_order};
use imsprep_source::{BlockSize, Cancel, Error, ImageFile, ReadAt, Work};
use sha2::{Digest, Sha256};

use crate::Result;

/// Size and SHA-256 of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of all of them, holes as the zeros that they read as.
    pub sha256: [u8; 32],
}

/// What a file is that was listed with its size and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedFile {
    /// It is the one that was listed.
    Same(FileDigest),
    /// It has another size, and was not read.
    OtherSize(u64),
    /// It has other bytes.
    OtherContent(FileDigest),
    /// There is none.
    Missing,
}

/// Compares the file at `path` with the size, if that is known, and the SHA-256 that were listed for it.
///
/// # Errors
///
/// What reading brings; a stop.
pub fn verify_listed(
    path: &Path,
    size: Option<u64>,
    sha256: &[u8; 32],
    work: Work<'_>,
) -> Result<ListedFile> {
    let image = match ImageFile::open(path) {
        Ok(image) => image,
        Err(Error::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(ListedFile::Missing);
        }
        Err(error) => return Err(error.into()),
    };
    if size.is_some_and(|size| size != image.size()) {
        return Ok(ListedFile::OtherSize(image.size()));
    }
    let found = digest(&image, work)?;
    image.verify_unchanged()?;
    Ok(if found.sha256 == *sha256 { ListedFile::Same(found) } else { ListedFile::OtherContent(found) })
}

/// Scans a RAW and hashes it on the way.
pub(crate) fn scan_and_digest(
    image: &ImageFile,
    block_size: BlockSize,
    work: Work<'_>,
) -> Result<(Scan, FileDigest)> {
    let mut hash = Sha256::new();
    let mut take = |bytes: Bytes<'_>| {
        update(&mut hash, bytes);
        Ok(())
    };
    let scan = scan_in_order(image, block_size, &mut take, work)?;
    let digest = FileDigest { size: scan.map.image_size(), sha256: hash.finalize().into() };
    Ok((scan, digest))
}

/// Hashes a file.
pub(crate) fn digest(image: &ImageFile, work: Work<'_>) -> Result<FileDigest> {
    // The map comes along for nothing that can be measured beside the hash.
    Ok(scan_and_digest(image, BlockSize::MAX, work)?.1)
}

/// Hashes a file on a thread of its own while `work` looks at it on the caller's.
///
/// `work` reads where it must, the hash from the first byte to the last: what one has read the other finds in memory, as far
/// as memory holds what lies between them.
pub(crate) fn digest_beside<T>(
    image: &ImageFile,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T>,
) -> Result<(T, FileDigest)> {
    let hash_cancel = cancel.of_part();
    thread::scope(|scope| {
        let hash_all = || -> Result<FileDigest> {
            let mut hash = Sha256::new();
            let mut take = |bytes: Bytes<'_>| {
                update(&mut hash, bytes);
                Ok(())
            };
            let scan = scan_in_order(image, BlockSize::MAX, &mut take, Work::new(&(), &hash_cancel))?;
            Ok(FileDigest { size: scan.map.image_size(), sha256: hash.finalize().into() })
        };
        let hashing = thread::Builder::new()
            .spawn_scoped(scope, hash_all)
            .map_err(|source| Error::NoThread { path: image.path().to_owned(), source })?;
        let done = work();
        if done.is_err() {
            hash_cancel.cancel();
        }
        let digest = hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What the work met comes first: the hash may only have been stopped because of it.
        Ok((done?, digest?))
    })
}

/// Hashes bytes, or so many zeros.
pub(crate) fn update(hash: &mut impl Digest, bytes: Bytes<'_>) {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    match bytes {
        Bytes::Data(data) => hash.update(data),
        Bytes::Zeros(mut count) => {
            while count > 0 {
                let piece = usize::try_from(count).unwrap_or(ZEROS.len()).min(ZEROS.len());
                hash.update(ZEROS.get(..piece).unwrap_or_default());
                count -= piece as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of a sparse file and of the same bytes in one piece.
    #[test]
    fn holes_are_hashed_as_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        let size = (5 << 20) + 12_345;
        let mut bytes = vec![0; size];
        bytes[3 << 20..][..5000].fill(7);
        std::fs::write(&path, &bytes[..(3 << 20) + 5000]).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(size as u64).unwrap();
        let image = ImageFile::open(&path).unwrap();
        let expected = FileDigest { size: size as u64, sha256: Sha256::digest(&bytes).into() };
        assert_eq!(digest(&image, Work::new(&(), &Cancel::new())).unwrap(), expected);
        let (scan, found) =
            scan_and_digest(&image, BlockSize::MIB_2, Work::new(&(), &Cancel::new())).unwrap();
        assert_eq!((scan.map.data_blocks().collect::<Vec<_>>(), found), (vec![1], expected));
        let (done, found) = digest_beside(&image, &Cancel::new(), || Ok("done")).unwrap();
        assert_eq!((done, found), ("done", expected));
    }

    #[test]
    fn the_hash_stops_when_the_work_beside_it_fails() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        // Hashing all of it would take minutes.
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let image = ImageFile::open(&path).unwrap();
        let failure = || Err::<(), _>(crate::Error::NoImages { path: "here".into() });
        let error = digest_beside(&image, &Cancel::new(), failure).unwrap_err();
        assert!(matches!(error, crate::Error::NoImages { .. }), "{error}");
    }
}
