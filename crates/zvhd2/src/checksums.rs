//! What the blocks of a disk held when they were read, to be compared with what is read back.

use imsprep_source::BlockSize;

/// The CRC-32 of each block of 2 MiB that held data; all others were zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums(Vec<(u64, u32)>);

impl Checksums {
    /// Of blocks by number, in any order, each once.
    pub fn new(mut blocks: Vec<(u64, u32)>) -> Self {
        blocks.sort_unstable();
        Self(blocks)
    }

    /// The CRC-32 of a block, which the end of the disk may have cut short: it counts as if padded with zeros.
    pub fn of_block(bytes: &[u8]) -> u32 {
        static ZEROS: [u8; 4096] = [0; 4096];
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(bytes);
        let mut missing = usize::try_from(BlockSize::MIB_2.bytes()).unwrap_or(0).saturating_sub(bytes.len());
        while missing > 0 {
            let piece = ZEROS.get(..missing).unwrap_or(&ZEROS);
            hasher.update(piece);
            missing -= piece.len();
        }
        hasher.finalize()
    }

    /// What the block held; `None` if it was zeros.
    pub fn get(&self, block: u64) -> Option<u32> {
        let found = self.0.binary_search_by_key(&block, |(number, _)| *number).ok()?;
        self.0.get(found).map(|(_, checksum)| *checksum)
    }

    /// The numbers of the blocks that held data, ascending.
    pub fn blocks(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_cut_short_counts_as_padded() {
        let mut block = vec![0; 2 << 20];
        for length in [0, 1, 4095, 4096, 1 << 20, (2 << 20) - 1] {
            block[..length].fill(7);
            assert_eq!(Checksums::of_block(&block[..length]), crc32fast::hash(&block), "{length}");
        }
    }

    #[test]
    fn blocks_are_found_by_number() {
        let sums = Checksums::new(vec![(9, 1), (2, 0)]);
        assert_eq!([0, 2, 9, 10].map(|block| sums.get(block)), [None, Some(0), Some(1), None]);
        assert_eq!(sums.blocks().collect::<Vec<_>>(), [2, 9]);
    }
}
