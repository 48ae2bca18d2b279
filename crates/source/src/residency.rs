//! Which part of a file is in memory already, and what kind of storage it is on.

use std::fs::File;

use crate::extents::ExtentCursor;

/// Places that are looked at, evenly spread over the file.
const SAMPLES: u64 = 64;
/// Bytes that are looked at in each place.
const SAMPLE: usize = 64 << 10;

/// The share of the file's data that is in the page cache, from a sample; `None` where the system does not tell or the
/// file has no data.
pub(crate) fn resident_share(file: &File, extents: &mut ExtentCursor<'_>, size: u64) -> Option<f64> {
    let (mut resident, mut seen) = (0usize, 0usize);
    for sample in 0..SAMPLES {
        let place = u64::try_from(u128::from(size) * u128::from(sample) / u128::from(SAMPLES)).ok()?;
        let Some(extent) = extents.data_from(place).ok()? else { break };
        let offset = extent.start / crate::WINDOW_ALIGN * crate::WINDOW_ALIGN;
        let length = usize::try_from(size - offset).unwrap_or(SAMPLE).min(SAMPLE);
        let pages = pages_in_core(file, offset, length)?;
        resident += pages.iter().filter(|page| **page & 1 != 0).count();
        seen += pages.len();
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of at most a few thousand pages")]
    (seen > 0).then(|| resident as f64 / seen as f64)
}

/// A byte for each page from `offset` on, with its lowest bit set if the page is in memory.
#[cfg(unix)]
#[expect(unsafe_code, reason = "mincore and the map it looks at have no safe form")]
fn pages_in_core(file: &File, offset: u64, length: usize) -> Option<Vec<u8>> {
    // SAFETY: the map is read-only, nothing reads through it, and it is gone when this function returns.
    let map = unsafe { memmap2::MmapOptions::new().offset(offset).len(length).map(file) }.ok()?;
    let mut pages = vec![0u8; length.div_ceil(rustix::param::page_size())];
    // SAFETY: the range is the whole of a live map, and `pages` has a byte for each of its pages.
    let result = unsafe { libc::mincore(map.as_ptr().cast_mut().cast(), length, pages.as_mut_ptr().cast()) };
    (result == 0).then_some(pages)
}

/// The name of the network or user-space file system that the file is on, where a mapped page can fail or wait in ways
/// that a local disk's does not; `None` for local ones.
#[cfg(target_os = "linux")]
pub(crate) fn remote_file_system(file: &File) -> Option<&'static str> {
    // The numbers of linux/magic.h and of the file systems' own headers.
    const REMOTE: &[(u64, &str)] = &[
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x517b, "SMB"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x6573_5546, "FUSE"),
        (0x7375_7245, "Coda"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x1983_0326, "BeeGFS"),
        (0x5346_4f41, "AFS"),
    ];
    let kind = rustix::fs::fstatfs(file).ok()?.f_type;
    let kind = u64::try_from(kind).unwrap_or(0) & 0xffff_ffff;
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

/// Not told apart elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn remote_file_system(_file: &File) -> Option<&'static str> {
    None
}

#[cfg(test)]
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
        std::fs::File::create(&sparse).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(ImageFile::open(&sparse).unwrap().resident_share(), None);
    }
}
