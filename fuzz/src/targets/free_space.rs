//! Input: a byte that chooses a small volume, then bytes that are laid over it, as in [`filesystem`](super::filesystem).
//!
//! Oracle: no byte that a file holds is called free. Bytes of an own value are written over all that is called free. Every file that
//! was read before as it was in the unaltered volume is then still read so, and the free space is the same. Of exFAT and swap, whose
//! files are not read, nothing becomes free that was not. In the volumes either checksums protect the map of the free space, or it is
//! compared with everything that holds space.

use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use imsprep_filesystem::{Access, Error, FreeSpace, free_space};
use imsprep_source::{Cancel, ReadAt, Result};

use super::filesystem::{Found, LIMITS, OVER, walk};
use crate::altered::{Altered, unpacked};
use crate::plant::planted;

/// The volumes, made by mkfs, with files of which some were deleted again; compressed by zstd. Swap is made here.
const PACKED: [&[u8]; 6] = [
    include_bytes!("../../volumes/ext4-checksums.zst"),
    include_bytes!("../../volumes/xfs-checksums.zst"),
    include_bytes!("../../volumes/btrfs.zst"),
    include_bytes!("../../volumes/ntfs.zst"),
    include_bytes!("../../volumes/vfat.zst"),
    include_bytes!("../../volumes/exfat.zst"),
];
/// Pages of the swap space.
const SWAP_PAGES: u32 = 64;
const PAGE: usize = 4096;

/// In free space before anything is altered. So a file that comes to lie there by an alteration is not the one that it was.
const BEFORE: u8 = 0x5a;
/// Written over what is called free.
const AFTER: u8 = 0xa5;

/// A volume as it was made.
struct Made {
    bytes: Vec<u8>,
    free: Vec<Range<u64>>,
    files: Found,
}

static VOLUMES: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let volumes = PACKED.iter().map(|packed| unpacked(packed)).chain([swap()]);
    volumes.map(Made::new).collect()
});

impl Made {
    fn new(mut bytes: Vec<u8>) -> Self {
        let free = free_of(&Altered::new(&bytes, &[])).expect("the free space of a volume as it was made");
        let free = free.into_ranges();
        for range in &free {
            bytes[range.start as usize..range.end as usize].fill(BEFORE);
        }
        let files = walk(&Altered::new(&bytes, &[]));
        Self { bytes, free, files }
    }
}

/// A swap space as mkswap makes it.
fn swap() -> Vec<u8> {
    let mut bytes = vec![0; SWAP_PAGES as usize * PAGE];
    bytes[1024..1028].copy_from_slice(&1_u32.to_le_bytes());
    bytes[1028..1032].copy_from_slice(&(SWAP_PAGES - 1).to_le_bytes());
    bytes[PAGE - 10..PAGE].copy_from_slice(b"SWAPSPACE2");
    bytes
}

fn free_of(volume: &dyn ReadAt) -> std::result::Result<FreeSpace, Error> {
    let access = Access::new(LIMITS, &Cancel::new());
    let free = free_space(volume, &access);
    assert!(access.disk_bytes() <= LIMITS.disk_bytes + OVER, "{} bytes were read", access.disk_bytes());
    free
}

/// A volume with some ranges overwritten.
struct Overwritten<'a> {
    volume: &'a dyn ReadAt,
    ranges: &'a [Range<u64>],
}

impl ReadAt for Overwritten<'_> {
    fn path(&self) -> &Path {
        self.volume.path()
    }

    fn size(&self) -> u64 {
        self.volume.size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.volume.read_at(buf, offset)?;
        let end = offset + buf.len() as u64;
        // Those before do not reach it: they are ascending.
        let first = self.ranges.partition_point(|range| range.end <= offset);
        for range in self.ranges[first..].iter().take_while(|range| range.start < end) {
            let (from, to) = (range.start.max(offset), range.end.min(end));
            buf[(from - offset) as usize..(to - offset) as usize].fill(AFTER);
        }
        Ok(())
    }
}

/// See the module.
pub fn run(data: &[u8]) {
    let Some((kind, pieces)) = data.split_first() else { return };
    let made = &VOLUMES[usize::from(*kind) % VOLUMES.len()];
    let altered = Altered::new(&made.bytes, pieces);
    let Ok(free) = free_of(&altered) else { return };
    assert!(free.size() <= altered.size(), "a file system larger than its volume");
    let free = free.into_ranges();
    assert!(free.iter().all(|range| range.start < range.end && range.end <= altered.size()), "{free:?}");
    assert!(free.windows(2).all(|two| two[0].end < two[1].start), "{free:?}");
    let free = planted(free, |free| {
        // What lies before the last range, which in each of the volumes files or structures hold.
        if let [.., last] = free.as_mut_slice() {
            last.start = last.start.saturating_sub(PAGE as u64);
        }
    });
    let overwritten = Overwritten { volume: &altered, ranges: &free };
    let (before, after) = (walk(&altered), walk(&overwritten));
    for (path, found) in made.files.iter().filter(|(path, found)| before.get(*path) == Some(found)) {
        let path_text = String::from_utf8_lossy(path);
        assert_eq!(after.get(path), Some(found), "{path_text} holds bytes that are called free");
    }
    let again = free_of(&overwritten).map(FreeSpace::into_ranges);
    assert!(again.as_ref().is_ok_and(|again| *again == free), "overwritten, its free space is {again:?}");
    let has_reader = made.files.len() > 1;
    assert!(has_reader || is_within(&free, &made.free), "more is free than was: {free:?}");
}

/// Whether each of the ranges lies in one of the others.
fn is_within(inner: &[Range<u64>], outer: &[Range<u64>]) -> bool {
    let contains =
        |outer: &Range<u64>, inner: &Range<u64>| outer.start <= inner.start && inner.end <= outer.end;
    inner.iter().all(|inner| outer.iter().any(|outer| contains(outer, inner)))
}

/// The volumes as they are, and each with some of what its map consists of touched.
pub fn seeds() -> Vec<Vec<u8>> {
    let touch = |kind: u8, at: u32, bytes: &[u8]| {
        [&[kind][..], &at.to_le_bytes(), &[bytes.len() as u8], bytes].concat()
    };
    let mut seeds = (0..=PACKED.len() as u8).map(|kind| vec![kind]).collect::<Vec<_>>();
    seeds.extend([
        touch(0, 1024 + 0xc, &[0xff; 2]),
        touch(0, 2048, &[9; 4]),
        touch(1, 0x90, &[0xff; 4]),
        touch(2, 0x10000 + 0x78, &[1]),
        touch(3, 0x30, &[0xff; 8]),
        touch(4, 0x200, &[0; 16]),
        touch(5, 0x48, &[1, 2]),
        touch(6, 1032, &[1, 0, 0, 0]),
        touch(6, 1028, &[7, 0, 0, 0]),
    ]);
    seeds
}
