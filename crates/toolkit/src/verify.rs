//! Reading back what was written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use imsprep_source::{ReadAt, Stage, Work, is_zero};
use imsprep_zvhd2::Checksums;

use crate::chunks::{CHUNK, Chunks, on_threads};
use crate::{Disk, Error, Result};

/// Reads the whole disk and holds every block against what it should hold.
///
/// # Errors
///
/// [`Error::NotAsWritten`] with the first block that differs, and whatever reading brings.
pub(crate) fn verify(disk: &Disk<'_>, expected: &Checksums, work: Work<'_>) -> Result<()> {
    let stage = Stage::begin(work.progress, "verifying", disk.size());
    let chunks = Chunks::new([disk], disk.size(), &stage);
    // What remains of it at the end should have been data and is zeros.
    let missing = Mutex::new(expected.blocks().collect::<BTreeSet<_>>());
    let wrong = Mutex::new(BTreeSet::new());
    on_threads(disk.readers(rayon::current_num_threads()), &chunks, || {
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next(work.cancel)? {
            let length = CHUNK.min(disk.size() - chunk.start);
            bytes.resize(usize::try_from(length).unwrap_or(0), 0);
            disk.read_at(&mut bytes, chunk.start)?;
            let block = chunk.start / CHUNK;
            let same = match expected.get(block) {
                Some(checksum) => {
                    missing.lock().unwrap_or_else(PoisonError::into_inner).remove(&block);
                    checksum == Checksums::of_block(&bytes)
                }
                None => is_zero(&bytes),
            };
            if !same {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).insert(block);
            }
        }
        Ok(())
    })?;
    let missing = missing.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.extend(missing);
    refuse_differing(disk.path(), &wrong)
}

/// An error if there is a block that does not hold what it should.
pub(crate) fn refuse_differing(path: &Path, blocks: &BTreeSet<u64>) -> Result<()> {
    match blocks.first() {
        None => Ok(()),
        Some(first) => {
            Err(Error::NotAsWritten { path: path.to_owned(), block: *first, count: blocks.len() as u64 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpenedImage;
    use imsprep_source::Cancel;

    #[test]
    fn every_kind_of_difference_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        let block = usize::try_from(CHUNK).unwrap();
        let mut bytes = vec![0; 4 * block + 512];
        bytes[..512].fill(1);
        bytes[2 * block] = 2;
        bytes[4 * block] = 3;
        std::fs::write(&path, &bytes).unwrap();
        let sum = |number: usize| {
            let end = bytes.len().min((number + 1) * block);
            (number as u64, Checksums::of_block(&bytes[number * block..end]))
        };
        let good = vec![sum(0), sum(2), sum(4)];
        let verify = |sums: Vec<(u64, u32)>| {
            let image = OpenedImage::open(&path, &Cancel::new()).unwrap();
            let disk = image.disk(&Cancel::new()).unwrap();
            match verify(&disk, &Checksums::new(sums), Work::new(&(), &Cancel::new())) {
                Ok(()) => None,
                Err(Error::NotAsWritten { block, count, .. }) => Some((block, count)),
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(verify(good.clone()), None);
        // Another content, data where zeros should be, zeros where data should be, data beyond the end.
        assert_eq!(verify(vec![good[0], (2, 77), good[2]]), Some((2, 1)));
        assert_eq!(verify(vec![good[0], good[2]]), Some((2, 1)));
        assert_eq!(verify([&good[..], &[(3, 5)]].concat()), Some((3, 1)));
        assert_eq!(verify([&good[..], &[(99, 5)]].concat()), Some((99, 1)));
        assert_eq!(verify(vec![(0, 1), (2, 1)]), Some((0, 3)));
    }
}
