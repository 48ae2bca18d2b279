//! Which part of a file is in memory already.

use std::collections::BTreeSet;
use std::fs::File;

use crate::extents::ExtentCursor;
use crate::sys;

/// Places that are read at most, evenly spread over the file.
const SAMPLES: u64 = 64;
/// Bytes that are read in each place.
const SAMPLE: usize = 64 << 10;
/// So many places that all tell the same settle it: were half of the data in memory, that would be one chance in 2^15.
const UNANIMOUS: usize = 16;

/// The share of the file's data that is in the page cache, from a sample; `None` where the system does not tell or the
/// file has no data.
pub(crate) fn resident_share(file: &File, extents: &mut ExtentCursor<'_>, size: u64) -> Option<f64> {
    let memory = sys::Residency::new(file, size)?;
    let mut places = BTreeSet::new();
    let (mut resident, mut seen) = (0usize, 0usize);
    for sample in (0..SAMPLES).map(spread) {
        let place = u64::try_from(u128::from(size) * u128::from(sample) / u128::from(SAMPLES)).ok()?;
        let Some(extent) = extents.data_from(place).ok()? else { continue };
        // All places within a hole lead to the data behind it.
        if !places.insert(extent.start) {
            continue;
        }
        // Not beyond the extent: the pages of a hole are in no memory, and need not be.
        let length = usize::try_from(extent.end - extent.start).unwrap_or(SAMPLE).min(SAMPLE);
        let pages = memory.pages(extent.start, length)?;
        resident += pages.iter().filter(|page| **page & 1 != 0).count();
        seen += pages.len();
        if places.len() >= UNANIMOUS && (resident == 0 || resident == seen) {
            break;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of at most a few thousand pages")]
    (seen > 0).then(|| resident as f64 / seen as f64)
}

/// The samples in an order of which every beginning is spread over the whole file: the bits of the number turned round.
fn spread(sample: u64) -> u64 {
    sample.reverse_bits() >> (u64::BITS - SAMPLES.ilog2())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use crate::ImageFile;

    #[test]
    fn a_file_that_was_just_written_is_in_memory_and_holes_are_not_counted() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 4 << 20]).unwrap();
        let warm = ImageFile::open(&path).unwrap();
        assert!(warm.resident_share().unwrap() > 0.9);
        assert_eq!(warm.remote_file_system(), None);

        let sparse = dir.path().join("sparse.raw");
        let file = std::fs::File::create(&sparse).unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(ImageFile::open(&sparse).unwrap().resident_share(), None);
        for piece in 0..100 {
            std::os::unix::fs::FileExt::write_at(&file, &[1; 4096], piece * 10_000_384).unwrap();
        }
        assert_eq!(ImageFile::open(&sparse).unwrap().resident_share(), Some(1.0));
    }
}
