//! Single bytes of a volume are altered: its free space is then refused, or holds nothing that was held before.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use imsprep_filesystem::{Access, Error as ReadError, FreeSpace, Limits, free_space};
use imsprep_source::{Cancel, Error, ImageFile, ReadAt};

use crate::free_support::free_of;
use crate::support::{MIB, Volume, noise};

/// An image with some bytes replaced.
pub(crate) struct Changed<'a> {
    pub(crate) image: &'a ImageFile,
    pub(crate) changes: Vec<(u64, Vec<u8>)>,
    pub(crate) size: u64,
}

impl ReadAt for Changed<'_> {
    fn path(&self) -> &Path {
        self.image.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), Error> {
        self.image.read_at(buf, offset)?;
        for (at, bytes) in &self.changes {
            for (place, byte) in (*at..).zip(bytes) {
                if let Some(index) = place.checked_sub(offset).and_then(|index| usize::try_from(index).ok())
                    && index < buf.len()
                {
                    buf[index] = *byte;
                }
            }
        }
        Ok(())
    }
}

/// The free space with these bytes in other places, within limits.
pub(crate) fn free_with(image: &ImageFile, changes: Vec<(u64, Vec<u8>)>) -> Result<FreeSpace, ReadError> {
    free_limited(&Changed { image, changes, size: image.size() })
}

pub(crate) fn free_limited(disk: &dyn ReadAt) -> Result<FreeSpace, ReadError> {
    let limits = Limits { disk_bytes: 256 * MIB, steps: 2_000_000, time: Duration::from_secs(20) };
    let start = Instant::now();
    let free = free_space(disk, &Access::new(limits, &Cancel::new()));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    free
}

fn is_within(inner: &[Range<u64>], outer: &[Range<u64>]) -> bool {
    inner.iter().all(|range| {
        let next = outer.partition_point(|other| other.start <= range.start);
        next.checked_sub(1).is_some_and(|index| outer[index].end >= range.end)
    })
}

/// Alters a byte of the places `count` times. How many of the results were refused.
pub(crate) fn check_altered(volume: &Volume, places: &[Range<u64>], count: u64) -> u64 {
    let free = free_of(&volume.image()).unwrap();
    let image = ImageFile::open(volume.image()).unwrap();
    let total: u64 = places.iter().map(|place| place.end - place.start).sum();
    let random = noise(11, usize::try_from(count * 16).unwrap());
    let mut refused = 0;
    for words in random.as_chunks::<16>().0 {
        let [place, how] = [0, 8].map(|at| u64::from_le_bytes(*words[at..].first_chunk().unwrap()));
        let mut left = place % total;
        let at = places.iter().find_map(|range| {
            let length = range.end - range.start;
            if left < length {
                Some(range.start + left)
            } else {
                left -= length;
                None
            }
        });
        let at = at.unwrap();
        let mut byte = [0];
        image.read_at(&mut byte, at).unwrap();
        let bit = 1 << ((how >> 8) % 8);
        let new = [byte[0] ^ bit, 0, 0xff, byte[0].wrapping_add(1)][usize::try_from(how % 4).unwrap()];
        match free_with(&image, vec![(at, vec![new])]) {
            Err(_) => refused += 1,
            Ok(altered) => assert!(is_within(altered.ranges(), free.ranges()), "{at}: {} to {new}", byte[0]),
        }
    }
    for size in [0, 1, 511, 512, 4096, 65536, image.size() / 2, image.size() - 1] {
        let cut = Changed { image: &image, changes: Vec::new(), size };
        assert!(free_limited(&cut).is_err(), "cut off at {size}");
    }
    refused
}
