//! Two bitmaps, in whatever blocks, compared with each other.

use imsprep_source::{BlockMap, BlockRun, BlockSize};

/// In what two bitmaps differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDifference {
    /// The blocks in which they were compared: the larger ones of the two.
    pub block_size: BlockSize,
    /// Runs of blocks that hold data only in the first (`data` set) or only in the second.
    pub runs: Vec<BlockRun>,
    /// Blocks that hold data only in the first.
    pub only_first: u64,
    /// Blocks that hold data only in the second.
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
        // By runs, which a few bytes of text may make as long as they please.
        let (mut runs_a, mut runs_b) = (a.runs(), b.runs());
        let (mut run_a, mut run_b) = (runs_a.next(), runs_b.next());
        while let (Some(in_a), Some(in_b)) = (run_a, run_b) {
            let (end_a, end_b) = (in_a.first + in_a.count, in_b.first + in_b.count);
            let first = in_a.first.max(in_b.first);
            let end = end_a.min(end_b);
            if in_a.data != in_b.data {
                difference.push(BlockRun { first, count: end - first, data: in_a.data });
            }
            if end_a == end {
                run_a = runs_a.next();
            }
            if end_b == end {
                run_b = runs_b.next();
            }
        }
        Some(difference)
    }

    /// Adds blocks that follow those before them.
    fn push(&mut self, added: BlockRun) {
        *(if added.data { &mut self.only_first } else { &mut self.only_second }) += added.count;
        match self.runs.last_mut() {
            Some(run) if run.data == added.data && run.first + run.count == added.first => {
                run.count += added.count;
            }
            _ => self.runs.push(added),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn it_is_that_of_block_by_block(a in prop::collection::vec(any::<bool>(), 0..80),
                                        b in prop::collection::vec(any::<bool>(), 0..80)) {
            let map = |data: &[bool]| {
                let mut map = BlockMap::zeroed(Path::new("x"), data.len() as u64 * 4096, BlockSize::KIB_4).unwrap();
                data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
                map
            };
            let difference = MapDifference::between(&map(&a), &map(&b)).unwrap();
            let naive = a.iter().zip(&b).zip(0_u64..).filter(|((a, b), _)| a != b).map(|((a, _), block)| (block, *a));
            let found = difference.runs.iter().flat_map(|run| (run.first..run.first + run.count).map(|b| (b, run.data)));
            let naive = naive.collect::<Vec<_>>();
            prop_assert_eq!(found.collect::<Vec<_>>(), naive.clone());
            prop_assert_eq!(difference.only_first, naive.iter().filter(|(_, data)| *data).count() as u64);
            prop_assert_eq!(difference.only_second, naive.iter().filter(|(_, data)| !*data).count() as u64);
            prop_assert!(difference.runs.windows(2).all(|w| w[0].data != w[1].data || w[0].first + w[0].count < w[1].first));
        }
    }
}
