//! Small images whose bitmap files tell one layout from another.

use imsprep_source::{BlockMap, BlockSize};

/// The largest block of any layout: the coarsest pattern.
const LARGEST: u64 = 64 << 20;

/// The default size: the bits take 65 bytes in blocks of 2 MiB and 33 in blocks of 4 MiB, so that most units of padding
/// come out different; the last block is partial in blocks of any size but a sector, and the bits do not fill the last byte.
pub const SPECIMEN_SIZE: u64 = 517 * (2 << 20) + 3 * 4096 + 512;

/// An image with data in single sectors, so placed that in blocks of every size some hold data and some do not, in no
/// regular order. The same size makes the same image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Specimen {
    size: u64,
}

impl Specimen {
    /// One of this size in bytes.
    pub fn new(size: u64) -> Self {
        Self { size }
    }

    /// Size in bytes.
    pub fn size(self) -> u64 {
        self.size
    }

    /// Offsets of the sectors that hold data, ascending. There are some thousand for each GiB.
    pub fn sectors(self) -> Vec<u64> {
        let mut random = Random(self.size ^ 0x696d_7370_7265_7000);
        let mut sectors = Vec::new();
        for (number, start) in (0u64..).zip((0..self.size).step_by(1 << 26)) {
            // The first two differ, however small the image is.
            if number == 0 || number > 1 && random.next().is_multiple_of(2) {
                self.spread(start, LARGEST, &mut random, &mut sectors);
            }
        }
        sectors
    }

    /// Puts data into one half, or both, of a stretch that is to hold some.
    fn spread(self, start: u64, length: u64, random: &mut Random, sectors: &mut Vec<u64>) {
        if start >= self.size {
            return;
        }
        if length == BlockSize::MIN.bytes() {
            sectors.push(start);
            return;
        }
        let half = length / 2;
        let second_is_there = start + half < self.size;
        let (first, second) = match random.next() % 4 {
            _ if !second_is_there => (true, false),
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        if first {
            self.spread(start, half, random, sectors);
        }
        if second {
            self.spread(start + half, half, random, sectors);
        }
    }

    /// Which of its blocks hold data. `None` if there are too many.
    pub fn map(self, block_size: BlockSize) -> Option<BlockMap> {
        let mut map = BlockMap::zeroed(std::path::Path::new("specimen"), self.size, block_size).ok()?;
        for sector in self.sectors() {
            map.set(sector / block_size.bytes(), true);
        }
        Some(map)
    }

    /// What a sector of it holds that has data: no byte of it is zero.
    pub fn sector_bytes(sector: u64) -> [u8; 512] {
        let mut random = Random(sector);
        std::array::from_fn(|_| u8::try_from(random.next() % 255 + 1).unwrap_or(1))
    }
}

/// A small generator of numbers that look random (splitmix64, by its published constants).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_size_are_mixed_and_the_data_is_small() {
        let specimen = Specimen::new(SPECIMEN_SIZE);
        let sectors = specimen.sectors();
        assert!(sectors.is_sorted() && sectors.last().unwrap() + 512 <= SPECIMEN_SIZE);
        let mut size = Some(BlockSize::MIN);
        while let Some(block) = size {
            let map = specimen.map(block).unwrap();
            assert!(map.data_count() > 4 && map.zero_count() > 4, "{block}");
            size = block.doubled();
        }
        let pages = specimen.map(BlockSize::KIB_4).unwrap().data_count();
        assert!(pages < 8192, "{pages} pages of data take more than 32 MiB");
        let two = specimen.map(BlockSize::MIB_2).unwrap();
        assert_eq!(two.as_lsb_bytes().len(), 65);
        assert_eq!(specimen.map(BlockSize::MIN).unwrap().in_blocks_of(BlockSize::MIB_2), Some(two));
        assert!(Specimen::sector_bytes(512).iter().all(|byte| *byte != 0));
    }

    #[test]
    fn small_ones_have_data_and_zeros_too() {
        for size in [512, 5 << 20, 10 << 20, 64 << 20] {
            let map = Specimen::new(size).map(BlockSize::MIN).unwrap();
            assert!(map.data_count() > 0, "{size}");
            assert!(size == 512 || map.zero_count() > 0, "{size}");
        }
    }
}
