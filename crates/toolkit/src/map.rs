//! The disk as stretches of data and zeros.

use imsprep_source::{DiskReader, Result};

/// A stretch of a disk that may hold data, or is known to be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskRange {
    /// Offset on the disk in bytes.
    pub start: u64,
    /// Bytes, at least 1.
    pub length: u64,
    /// Whether it may hold data.
    pub data: bool,
}

/// The disk from its first to its last byte, in stretches without gaps of which no two neighbours are alike. No content is
/// read. The first error ends it.
pub fn disk_ranges(disk: &dyn DiskReader) -> impl Iterator<Item = Result<DiskRange>> + '_ {
    let (mut at, size) = (0, disk.size());
    let mut data = None;
    std::iter::from_fn(move || {
        if at >= size {
            return None;
        }
        let extent = match data.take().map_or_else(|| disk.data_from(at), |extent| Ok(Some(extent))) {
            Ok(extent) => extent.filter(|extent| extent.start < size),
            Err(error) => {
                at = size;
                return Some(Err(error));
            }
        };
        let start = at;
        let is_data = extent.is_some_and(|extent| extent.start <= start);
        at = extent.map_or(size, |extent| if is_data { extent.end.min(size) } else { extent.start });
        // What was found behind zeros comes next.
        data = extent.filter(|_| !is_data);
        Some(Ok(DiskRange { start, length: at - start, data: is_data }))
    })
}

#[cfg(test)]
mod tests {
    use imsprep_source::{Error, Extent, MemoryImage, ReadAt};
    use proptest::prelude::*;

    use super::*;

    /// One byte of the vector for each byte of the disk.
    struct FakeDisk(Vec<bool>);

    impl ReadAt for FakeDisk {
        fn path(&self) -> &std::path::Path {
            "told".as_ref()
        }
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, _: &mut [u8], _: u64) -> Result<()> {
            Err(Error::Cancelled)
        }
    }

    impl DiskReader for FakeDisk {
        fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
            let start = (usize::try_from(offset).unwrap()..self.0.len()).find(|at| self.0[*at]);
            let end = |start: usize| (start..self.0.len()).find(|at| !self.0[*at]).unwrap_or(self.0.len());
            Ok(start.map(|start| Extent { start: start as u64, end: end(start) as u64 }))
        }
    }

    proptest! {
        #[test]
        fn the_ranges_are_the_disk(bits in prop::collection::vec(any::<bool>(), 0..60)) {
            let ranges = disk_ranges(&FakeDisk(bits.clone())).collect::<Result<Vec<_>>>().unwrap();
            let all = ranges.iter().flat_map(|r| (0..r.length).map(|_| r.data)).collect::<Vec<_>>();
            prop_assert_eq!(all, bits);
            prop_assert!(ranges.windows(2).all(|w| w[0].data != w[1].data && w[0].start + w[0].length == w[1].start));
        }
    }

    #[test]
    fn a_raw_in_memory_is_all_data() {
        let ranges = disk_ranges(&MemoryImage::new("x", vec![0; 5])).map(|r| r.unwrap()).collect::<Vec<_>>();
        assert_eq!(ranges, [DiskRange { start: 0, length: 5, data: true }]);
    }
}
