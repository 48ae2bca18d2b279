//! Images for a program to make bitmap files of: what is in them is known before they are written.

use std::fs::File;
use std::io;
use std::path::Path;

use imsprep_bitmap::Specimen;
use imsprep_source::{BlockMap, BlockSize};

/// Pieces of data in an image at most: each takes a page of the disk.
const MOST_PIECES: usize = 4096;
/// Zeros that are written instead of left out, in each place.
const WRITTEN_ZEROS: u64 = 64 << 10;

/// An image to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SampleImage {
    /// Its size in bytes.
    pub(super) size: u64,
    /// What is special about it, in words.
    pub(super) shape: String,
    /// Offsets and lengths, ascending, of bytes none of which is zero; of a sector at most.
    data: Vec<(u64, u64)>,
    /// Offsets of zeros that are written. Everything else is a hole.
    zeros: Vec<u64>,
}

impl SampleImage {
    pub(super) fn new(size: u64, shape: impl Into<String>, data: Vec<(u64, u64)>) -> Self {
        Self { size, shape: shape.into(), data, zeros: Vec::new() }
    }

    /// Data so spread that blocks of every size are mixed.
    pub(super) fn mixed(size: u64) -> Self {
        let sectors = Specimen::new(size).sectors();
        let step = sectors.len().div_ceil(MOST_PIECES).max(1);
        let data = sectors.into_iter().step_by(step).map(|sector| (sector, (size - sector).min(512)));
        Self::new(size, "mixed", data.collect())
    }

    /// Blocks chosen by `is_data`, each with a byte of data at the place within it that `at` tells.
    pub(super) fn of_blocks(
        size: u64,
        block: u64,
        shape: &str,
        is_data: impl Fn(u64) -> bool,
        at: impl Fn(u64) -> u64,
    ) -> Self {
        Self::of_numbers(size, block, shape, (0..size.div_ceil(block)).filter(|number| is_data(*number)), at)
    }

    /// The same of the blocks of these numbers, which ascend.
    fn of_numbers(
        size: u64,
        block: u64,
        shape: &str,
        numbers: impl Iterator<Item = u64>,
        at: impl Fn(u64) -> u64,
    ) -> Self {
        let data = numbers.take(MOST_PIECES).map(|number| {
            let length = (size - number * block).min(block);
            (number * block + at(number).min(length - 1), 1)
        });
        Self::new(size, shape, data.collect())
    }

    /// The same with zeros written at the beginning of each of these blocks, as far as they hold no data.
    pub(super) fn with_written_zeros(mut self, block: u64, is_written: impl Fn(u64) -> bool) -> Self {
        let blocks = (0..self.size.div_ceil(block)).filter(|number| is_written(*number));
        self.zeros = blocks.take(64).map(|number| number * block).collect();
        self
    }

    /// The same with zeros up to the end of its last sector.
    pub(super) fn in_whole_sectors(mut self) -> Self {
        self.size = self.size.next_multiple_of(512);
        self
    }

    /// Which of its blocks hold data; `None` if there are too many.
    pub(super) fn map(&self, block_size: BlockSize) -> Option<BlockMap> {
        let mut map = BlockMap::zeroed(Path::new("sample"), self.size, block_size).ok()?;
        for (offset, length) in &self.data {
            let first = offset / block_size.bytes();
            let last = (offset + length - 1) / block_size.bytes();
            map.set_run(first, last - first + 1, true);
        }
        Some(map)
    }

    /// Writes it. What is not data is a hole where the file system has holes.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let file = File::options().write(true).create_new(true).open(path)?;
        file.set_len(self.size)?;
        for offset in &self.zeros {
            let length = (self.size - offset).min(WRITTEN_ZEROS);
            write_at(&file, &vec![0; usize::try_from(length).unwrap_or(0)], *offset)?;
        }
        for (offset, length) in &self.data {
            write_at(&file, &piece(*offset, *length), *offset)?;
        }
        Ok(())
    }

    /// Whether the data is still what was written.
    pub(super) fn is_as_written(&self, path: &Path) -> io::Result<bool> {
        use io::{Read, Seek, SeekFrom};
        let mut file = File::open(path)?;
        if file.metadata()?.len() != self.size {
            return Ok(false);
        }
        for (offset, length) in &self.data {
            let expected = piece(*offset, *length);
            let mut found = vec![0; expected.len()];
            file.seek(SeekFrom::Start(*offset))?;
            file.read_exact(&mut found)?;
            if found != expected {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn piece(offset: u64, length: u64) -> Vec<u8> {
    let bytes = Specimen::sector_bytes(offset);
    bytes.get(..usize::try_from(length).unwrap_or(0)).unwrap_or(&bytes).to_vec()
}

fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Numbers that look random and are the same each time.
pub(super) fn scrambled(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 17
}

/// Images that try to break a layout with blocks of this size and padding up to such a unit; small ones first. There are more than
/// 60.
pub(super) fn refuting_images(block_size: BlockSize, padding: u64) -> Vec<SampleImage> {
    let block = block_size.bytes();
    let mut all = Vec::new();
    let any = |number: u64| scrambled(number) % block;
    for (size, shape) in [(0, "an empty file"), (1, "one zero byte"), (block, "one block of zeros")] {
        all.push(SampleImage::new(size, shape, Vec::new()));
    }
    for (size, shape) in [
        (1, "one byte of data"),
        (511, "less than a sector, data in its last byte"),
        (513, "a sector and a byte, data in its last byte"),
        (block, "one block, data in its last byte"),
        (block + 1, "one block and a byte, data in its last byte"),
        (2 * block - 1, "two blocks but for a byte, data in its last byte"),
    ] {
        all.push(SampleImage::new(size, shape, vec![(size - 1, 1)]));
    }
    all.push(SampleImage::new(block, "one block, data in its first byte", vec![(0, 1)]));
    all.push(SampleImage::new(block + 512, "data in the first block, last block partial", vec![(0, 1)]));
    // Around multiples of 8, 16, 32 and 64, where bytes and words of bits end; every second one with an odd length.
    for (turn, blocks) in
        [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65].into_iter().enumerate()
    {
        let short = if turn % 2 == 0 { 0 } else { 1 + scrambled(turn as u64) % (block - 1) };
        let is_data = |number: u64| !scrambled(number + 1000 * blocks).is_multiple_of(3);
        let shape = format!("{blocks} blocks, mixed");
        all.push(SampleImage::of_blocks(blocks * block - short, block, &shape, is_data, any));
    }
    let of_24 = |shape: &str, is_data: fn(u64) -> bool| {
        SampleImage::of_blocks(23 * block + 700.min(block / 2), block, shape, is_data, any)
    };
    all.push(of_24("24 blocks, zeros", |_| false));
    all.push(of_24("24 blocks, data in each", |_| true));
    all.push(of_24("24 blocks, data in the first", |number| number == 0));
    all.push(of_24("24 blocks, data in the last, which is partial", |number| number == 23));
    all.push(of_24("24 blocks, data in every second", |number| number % 2 == 1));
    all.push(of_24("24 blocks, zeros that are written", |_| false).with_written_zeros(block, |_| true));
    let mixed = of_24("24 blocks, data, holes and zeros that are written", |number| number % 3 == 0);
    all.push(mixed.with_written_zeros(block, |number| number % 3 == 1));
    let first = |_| 0;
    let last = |_| block - 1;
    let third = |number: u64| number % 3 != 1;
    all.push(SampleImage::of_blocks(25 * block, block, "25 blocks, data in first bytes", third, first));
    all.push(SampleImage::of_blocks(26 * block, block, "26 blocks, data in last bytes", third, last));
    for turn in 0..8u64 {
        let blocks = 3 + scrambled(turn) % 30;
        let size = blocks * block - scrambled(turn + 50) % block;
        let is_data = |number: u64| scrambled(number * 77 + turn).is_multiple_of(turn + 1);
        let shape = format!("{blocks} blocks, one of {} with data", turn + 1);
        all.push(SampleImage::of_blocks(size, block, &shape, is_data, any));
    }
    for blocks in [100, 127, 128, 129, 255, 256, 257, 300, 1000, 2041, 4097] {
        let is_data = |number: u64| scrambled(number + blocks) % 4 == 1;
        let shape = format!("{blocks} blocks, mixed");
        all.push(SampleImage::of_blocks(blocks * block - 512.min(block - 1), block, &shape, is_data, any));
    }
    let few = |number: u64| scrambled(number) % 509 == 3;
    let mut large =
        vec![(1 << 32, "4 GiB"), ((1 << 32) + 512, "over 4 GiB"), ((65 << 30) + 1024, "over 64 GiB")];
    large.extend([((1 << 40) + block + 512, "over 1 TiB")]);
    let filled = padding.saturating_mul(8).saturating_mul(block);
    if padding > 1 && filled <= 2 << 40 {
        large.extend([(filled, "bits fill the padding"), (filled + 1, "bits begin another unit of padding")]);
    }
    for (size, shape) in large {
        // Blocks that can't be counted within a moment stay holes.
        let step = (size / block / 4096).max(1);
        let numbers =
            (0..size.div_ceil(step * block)).filter(|number| few(*number)).map(|number| number * step);
        let mut image = SampleImage::of_numbers(size, block, shape, numbers, any);
        if image.data.last().is_none_or(|(offset, _)| *offset < size - 1) {
            image.data.push((size - 1, 1));
        }
        all.push(image);
    }
    all.sort_by_key(|image| image.size);
    all
}

#[cfg(test)]
mod tests {
    use imsprep_scan::{ScanOptions, scan};
    use imsprep_source::{Cancel, ImageFile, Work};

    use super::*;

    #[test]
    fn what_is_written_is_what_the_map_says() {
        let dir = tempfile::tempdir().unwrap();
        let mut number = 0;
        for block in [512, 4096, 2 << 20] {
            let block_size = BlockSize::new(block).unwrap();
            let images = refuting_images(block_size, 4096);
            assert!(images.len() > 60);
            for image in
                images.into_iter().filter(|image| image.size < 12 << 20).chain([SampleImage::mixed(20 << 20)])
            {
                assert!(image.data.is_sorted(), "{}", image.shape);
                let path = dir.path().join(number.to_string());
                number += 1;
                image.write(&path).unwrap();
                assert!(image.is_as_written(&path).unwrap());
                let file = ImageFile::open(&path).unwrap();
                let options = ScanOptions { block_size, ..ScanOptions::default() };
                let scanned = scan(&file, &options, Work::new(&(), &Cancel::new())).unwrap();
                assert_eq!(Some(scanned.map), image.map(block_size), "{}", image.shape);
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}
