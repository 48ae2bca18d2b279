//! Which blocks of a disk hold data, collected while the disk is written.

use std::path::Path;

use imsprep_source::{BlockMap, BlockSize, Result, is_zero};

/// One bit for each block, for as much of the disk as held data. The length of the disk may be known only at the end.
#[derive(Debug)]
pub(crate) struct DataBits {
    block_size: BlockSize,
    bits: Vec<u8>,
}

impl DataBits {
    pub(crate) fn new(block_size: BlockSize) -> Self {
        Self { block_size, bits: Vec::new() }
    }

    /// Marks these blocks.
    pub(crate) fn mark(&mut self, blocks: impl IntoIterator<Item = u64>) {
        for block in blocks {
            let Ok(byte) = usize::try_from(block / 8) else { continue };
            if self.bits.len() <= byte {
                self.bits.resize(byte + 1, 0);
            }
            if let Some(bits) = self.bits.get_mut(byte) {
                *bits |= 1 << (block % 8);
            }
        }
    }

    /// The map of a disk of this length; `path` is named in the error alone.
    ///
    /// # Errors
    ///
    /// If it would have too many blocks.
    pub(crate) fn into_map(mut self, path: &Path, length: u64) -> Result<BlockMap> {
        let mut map = BlockMap::zeroed(path, length, self.block_size)?;
        let bytes = map.as_lsb_bytes_mut();
        self.bits.resize(bytes.len(), 0);
        bytes.copy_from_slice(&self.bits);
        Ok(map)
    }
}

/// The blocks of this size that hold data, of `bytes` at `offset` of the disk. Where blocks are smaller than the bytes, `offset` is a
/// multiple of them.
pub(crate) fn data_blocks(bytes: &[u8], offset: u64, block_size: BlockSize) -> Vec<u64> {
    let size = block_size.bytes();
    let pieces = bytes.chunks(usize::try_from(size).unwrap_or(usize::MAX)).zip(offset / size..);
    pieces.filter(|(piece, _)| !is_zero(piece)).map(|(_, block)| block).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_map_is_that_of_the_whole_disk(
            places in prop::collection::vec(0usize..40_000, 0..6), shift in 9u32..=20, length in 1usize..40_000,
            backwards in any::<bool>()
        ) {
            let block_size = BlockSize::new(1 << shift).unwrap();
            let mut disk = vec![0; length];
            places.iter().for_each(|place| disk[place % length] = 1);
            // In pieces of 8 KiB, in whatever order they come.
            let mut pieces = disk.chunks(8192).zip((0..).step_by(8192)).collect::<Vec<_>>();
            if backwards {
                pieces.reverse();
            }
            let mut bits = DataBits::new(block_size);
            pieces.into_iter().for_each(|(piece, offset)| bits.mark(data_blocks(piece, offset, block_size)));
            let map = bits.into_map(Path::new("x"), length as u64).unwrap();
            let naive = disk.chunks(1 << shift).map(|block| block.iter().any(|byte| *byte != 0));
            prop_assert_eq!((0..map.block_count()).map(|b| map.is_data(b)).collect::<Vec<_>>(), naive.collect::<Vec<_>>());
        }
    }
}
