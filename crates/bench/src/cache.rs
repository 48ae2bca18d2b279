//! Bringing an image's bytes into memory, or out of it.

use std::path::Path;

use imsprep_source::{Cancel, ImageFile, ReadAt, ReadPattern};

use crate::{CacheState, Result};

/// How an image was brought to a state of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prepared {
    /// It is as it should be, and this is how.
    Ready(&'static str),
    /// It can't be brought there, for this reason.
    Refused(&'static str),
}

/// From this share of its data in memory on, a file counts as warm.
const WARM: f64 = 0.995;
/// Up to this share it counts as cold.
const COLD: f64 = 0.005;

/// Brings the image to `state`, unless it is there.
pub(crate) fn prepare(path: &Path, state: CacheState, cancel: &Cancel) -> Result<Prepared> {
    match state {
        CacheState::Warm => warm(path, cancel),
        CacheState::Cold => cold(path),
    }
}

fn warm(path: &Path, cancel: &Cancel) -> Result<Prepared> {
    let image = ImageFile::open(path)?;
    // Memory is not always kept: the system may take pages back between two looks.
    for _ in 0..3 {
        if image.resident_share().is_none_or(|share| share >= WARM) {
            return Ok(Prepared::Ready("read beforehand"));
        }
        read_all(&image, cancel)?;
    }
    Ok(Prepared::Refused("it does not stay in memory"))
}

/// Reads what is not in a hole.
fn read_all(image: &ImageFile, cancel: &Cancel) -> Result<()> {
    image.advise(ReadPattern::Sequential);
    let mut buffer = vec![0; 1 << 20];
    let mut extents = image.extents();
    let mut at = 0;
    while let Some(extent) = extents.data_from(at)? {
        cancel.check()?;
        let length = buffer.len().min(usize::try_from(extent.end - extent.start).unwrap_or(usize::MAX));
        image.read_at(buffer.get_mut(..length).unwrap_or_default(), extent.start)?;
        at = extent.start + length as u64;
    }
    Ok(())
}

fn cold(path: &Path) -> Result<Prepared> {
    let image = ImageFile::open(path)?;
    image.forget_cached();
    // With it go the file system's own structures, which an image that was never touched has on the disk, too. Only
    // root may; for others the image's pages are what counts.
    let how = match std::fs::write("/proc/sys/vm/drop_caches", "3") {
        Ok(()) => "the system's caches dropped",
        Err(_) => "its pages dropped (fadvise)",
    };
    Ok(match image.resident_share() {
        Some(share) if share > COLD => {
            Prepared::Refused("it cannot be dropped from memory; is it on a tmpfs?")
        }
        _ => Prepared::Ready(how),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_goes_out_of_memory_and_comes_back() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 4 << 20]).unwrap();
        let share = || ImageFile::open(&path).unwrap().resident_share().unwrap();
        assert!(matches!(prepare(&path, CacheState::Cold, &Cancel::new()).unwrap(), Prepared::Ready(_)));
        assert!(share() < COLD, "{}", share());
        assert!(matches!(prepare(&path, CacheState::Warm, &Cancel::new()).unwrap(), Prepared::Ready(_)));
        assert!(share() > WARM, "{}", share());
    }
}
