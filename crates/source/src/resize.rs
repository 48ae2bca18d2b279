//! The same map in larger or smaller blocks.

use crate::{BlockMap, BlockSize};

impl BlockMap {
    /// The map in blocks of another size. A larger block holds data if any block within it does. Of smaller blocks nothing
    /// more is known than of the one that they lie in: all of them hold data if that does.
    ///
    /// `None` if there would be more than [`MAX_BLOCKS`](Self::MAX_BLOCKS).
    pub fn in_blocks_of(&self, block_size: BlockSize) -> Option<Self> {
        let size = self.image_size();
        if block_size.blocks_in(size) > Self::MAX_BLOCKS {
            return None;
        }
        if block_size >= self.block_size() {
            let mut bytes = self.as_lsb_bytes().to_vec();
            let mut current = self.block_size();
            while current < block_size {
                bytes = halved(&bytes);
                current = current.doubled()?;
            }
            return Self::from_lsb_bytes(&bytes, size, block_size);
        }
        let bytes = vec![0; usize::try_from(block_size.blocks_in(size).div_ceil(8)).ok()?];
        let mut finer = Self::from_lsb_bytes(&bytes, size, block_size)?;
        let factor = self.block_size().bytes() / block_size.bytes();
        for run in self.runs().filter(|run| run.data) {
            finer.set_run(run.first * factor, run.count * factor, true);
        }
        Some(finer)
    }
}

/// Half as many bits: each says whether either of two was set.
fn halved(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(2).map(|pair| pair.iter().rev().fold(0, |all, byte| all << 4 | pairs(*byte))).collect()
}

/// The four pairs of bits of a byte, each as one bit.
fn pairs(byte: u8) -> u8 {
    let any = (byte | byte >> 1) & 0b0101_0101;
    let any = (any | any >> 1) & 0b0011_0011;
    (any | any >> 2) & 0b0000_1111
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_look_at_each_block(
            data in prop::collection::vec(any::<bool>(), 0..300), steps in 0u32..8, short in 0u64..512) {
            let size = (data.len() as u64 * 512).saturating_sub(short);
            let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIN).unwrap();
            data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
            let larger = BlockSize::new(512 << steps).unwrap();
            let coarse = map.in_blocks_of(larger).unwrap();
            let any = data.chunks(1 << steps).map(|c| c.iter().any(|d| *d)).collect::<Vec<_>>();
            prop_assert_eq!(coarse.block_count(), any.len() as u64);
            let found = (0..coarse.block_count()).map(|b| coarse.is_data(b)).collect::<Vec<_>>();
            prop_assert_eq!(&found, &any);
            prop_assert_eq!(&coarse, &BlockMap::from_lsb_bytes(coarse.as_lsb_bytes(), size, larger).unwrap());

            let fine = coarse.in_blocks_of(BlockSize::MIN).unwrap();
            let found = (0..fine.block_count()).map(|b| fine.is_data(b)).collect::<Vec<_>>();
            let spread = any.iter().flat_map(|d| std::iter::repeat_n(*d, 1 << steps)).take(data.len());
            prop_assert_eq!(found, spread.collect::<Vec<_>>());
            prop_assert_eq!(fine.in_blocks_of(larger).unwrap(), coarse);
        }
    }

    #[test]
    fn never_more_blocks_than_a_map_has() {
        let map = BlockMap::zeroed(Path::new("x"), 1 << 42, BlockSize::MIB_2).unwrap();
        assert!(map.in_blocks_of(BlockSize::MIN).is_none());
    }
}
