//! Two bitmaps, in whatever blocks, held against each other.

use imsprep_source::{BlockMap, BlockRun, BlockSize};

/// In what two bitmaps differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDifference {
    /// The blocks in which they were compared: the larger ones of the two.
    pub block_size: BlockSize,
    /// Runs of blocks that hold data by the first alone (`data` set) or by the second alone.
    pub runs: Vec<BlockRun>,
    /// Blocks that hold data by the first alone.
    pub only_first: u64,
    /// Blocks that hold data by the second alone.
    pub only_second: u64,
    /// Blocks that were compared.
    pub blocks: u64,
}

impl MapDifference {
    /// Compares two maps as far as both go. Of two block sizes the larger one is taken, as nothing finer is known of both.
    ///
    /// `None` if a map can't be put into such blocks, which only has to do with sizes beyond all images.
    pub fn between(a: &BlockMap, b: &BlockMap) -> Option<Self> {
        let block_size = a.block_size().max(b.block_size());
        let (a, b) = (a.in_blocks_of(block_size)?, b.in_blocks_of(block_size)?);
        let blocks = a.block_count().min(b.block_count());
        let mut difference = Self { block_size, runs: Vec::new(), only_first: 0, only_second: 0, blocks };
        for block in a.differing_blocks(&b) {
            let data = a.is_data(block);
            *(if data { &mut difference.only_first } else { &mut difference.only_second }) += 1;
            match difference.runs.last_mut() {
                Some(run) if run.data == data && run.first + run.count == block => run.count += 1,
                _ => difference.runs.push(BlockRun { first: block, count: 1, data }),
            }
        }
        Some(difference)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn runs_of_each_kind_in_the_larger_blocks() {
        let size = 16 * 4096;
        let mut fine = BlockMap::zeroed(Path::new("x"), size, BlockSize::KIB_4).unwrap();
        [0, 1, 5, 15].into_iter().for_each(|block| fine.set(block, true));
        let mut coarse = BlockMap::zeroed(Path::new("x"), size, BlockSize::new(8192).unwrap()).unwrap();
        [0, 3, 4].into_iter().for_each(|block| coarse.set(block, true));
        let difference = MapDifference::between(&fine, &coarse).unwrap();
        assert_eq!((difference.block_size.bytes(), difference.blocks), (8192, 8));
        let run = |first, count, data| BlockRun { first, count, data };
        assert_eq!(difference.runs, [run(2, 1, true), run(3, 2, false), run(7, 1, true)]);
        assert_eq!((difference.only_first, difference.only_second), (2, 2));
        assert!(MapDifference::between(&fine, &fine).unwrap().is_empty());
    }
}
