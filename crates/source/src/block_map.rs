//! Which blocks of a disk hold data.

use std::path::Path;

use bitvec::order::Lsb0;
use bitvec::vec::BitVec;

use crate::{BlockSize, Error, Result};

/// One bit for each block of a disk: set if the block holds a byte that is not zero.
///
/// A clear bit is a promise that every byte of the block reads as zero. The last block may be partial; it counts as if
/// it were padded with zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockMap {
    block_size: BlockSize,
    image_size: u64,
    bits: BitVec<u8, Lsb0>,
}

/// A span of neighbouring blocks that are all data, or all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRun {
    /// First block.
    pub first: u64,
    /// Number of blocks, at least 1.
    pub count: u64,
    /// Whether they hold data.
    pub data: bool,
}

impl BlockMap {
    /// The most blocks in a map: 2^32, which is 8 PiB in blocks of 2 MiB and takes 512 MiB.
    pub const MAX_BLOCKS: u64 = 1 << 32;

    /// A map of zero blocks for the image at `path` (named in the error alone) of `image_size` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyBlocks`] above [`MAX_BLOCKS`](Self::MAX_BLOCKS).
    pub fn zeroed(path: &Path, image_size: u64, block_size: BlockSize) -> Result<Self> {
        let blocks = block_size.blocks_in(image_size);
        match usize::try_from(blocks) {
            Ok(len) if blocks <= Self::MAX_BLOCKS => {
                Ok(Self { block_size, image_size, bits: BitVec::repeat(false, len) })
            }
            _ => Err(Error::TooManyBlocks {
                path: path.to_owned(),
                size: image_size,
                block_size: block_size.bytes(),
            }),
        }
    }

    /// A map from bytes with block 0 in the least significant bit of the first byte. Bits beyond the last block are
    /// ignored. `None` if there are fewer bits than blocks.
    pub fn from_lsb_bytes(bytes: &[u8], image_size: u64, block_size: BlockSize) -> Option<Self> {
        let blocks = usize::try_from(block_size.blocks_in(image_size)).ok()?;
        let mut bytes = bytes.get(..blocks.div_ceil(8))?.to_vec();
        // Equality and as_lsb_bytes look at whole bytes. Cleared here, and not bit by bit in the vector: it is many times
        // slower at that.
        if let Some(last) = bytes.last_mut()
            && blocks % 8 != 0
        {
            *last &= !(0xff << (blocks % 8));
        }
        let mut bits = BitVec::<u8, Lsb0>::from_vec(bytes);
        bits.truncate(blocks);
        Some(Self { block_size, image_size, bits })
    }

    /// The bits, block 0 in the least significant bit of the first byte; unused bits of the last byte are 0.
    pub fn as_lsb_bytes(&self) -> &[u8] {
        self.bits.as_raw_slice()
    }

    /// The same bytes to write to, for a scanner that fills whole bytes. Bits beyond the last block must stay 0.
    pub fn as_lsb_bytes_mut(&mut self) -> &mut [u8] {
        self.bits.as_raw_mut_slice()
    }

    /// Size of a block.
    pub fn block_size(&self) -> BlockSize {
        self.block_size
    }

    /// Size of the image in bytes.
    pub fn image_size(&self) -> u64 {
        self.image_size
    }

    /// Blocks in all.
    pub fn block_count(&self) -> u64 {
        self.bits.len() as u64
    }

    /// Blocks that hold data.
    pub fn data_count(&self) -> u64 {
        // The vector counts byte by byte, which takes most of a second for the largest maps.
        let (words, rest) = self.as_lsb_bytes().as_chunks::<8>();
        let ones = words.iter().map(|word| u64::from(u64::from_le_bytes(*word).count_ones()));
        ones.sum::<u64>() + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
    }

    /// Blocks of zeros.
    pub fn zero_count(&self) -> u64 {
        self.block_count() - self.data_count()
    }

    /// Whether this block holds data. Blocks past the end hold none.
    pub fn is_data(&self, block: u64) -> bool {
        usize::try_from(block).ok().and_then(|b| self.bits.get(b).map(|bit| *bit)).unwrap_or(false)
    }

    /// Says of one block whether it holds data. Blocks past the end are ignored.
    pub fn set(&mut self, block: u64, data: bool) {
        if let Some(mut bit) = usize::try_from(block).ok().and_then(|b| self.bits.get_mut(b)) {
            *bit = data;
        }
    }

    /// Says of `count` blocks from `first` on whether they hold data. Blocks past the end are ignored.
    pub fn set_run(&mut self, first: u64, count: u64, data: bool) {
        let end = usize::try_from(first.saturating_add(count)).unwrap_or(usize::MAX).min(self.bits.len());
        let first = usize::try_from(first).unwrap_or(usize::MAX).min(end);
        // Whole bytes at once; the vector would go bit by bit.
        let (inner, last) = (first.next_multiple_of(8).min(end), (end / 8 * 8).max(first));
        let whole = if inner < last { inner..last } else { end..end };
        for part in [first..whole.start, whole.end..end] {
            if let Some(bits) = self.bits.get_mut(part) {
                bits.fill(data);
            }
        }
        if let Some(bytes) = self.bits.as_raw_mut_slice().get_mut(whole.start / 8..whole.end / 8) {
            bytes.fill(if data { 0xff } else { 0 });
        }
    }

    /// The numbers of the data blocks, ascending.
    pub fn data_blocks(&self) -> impl Iterator<Item = u64> + '_ {
        self.runs().filter(|run| run.data).flat_map(|run| run.first..run.first + run.count)
    }

    /// The map as runs of data and zero blocks, in order and without gaps.
    pub fn runs(&self) -> impl Iterator<Item = BlockRun> + '_ {
        let mut words = self.words();
        // The bits of a word that belong to no run yet, the first of them in the lowest bit, and how many they are.
        let (mut word, mut left) = words.next().unwrap_or((0, 0));
        let mut first = 0;
        std::iter::from_fn(move || {
            // A word is left only when there is another one, or none at all.
            if left == 0 {
                return None;
            }
            let data = word & 1 == 1;
            let mut count = 0;
            loop {
                let alike = if data { word.trailing_ones() } else { word.trailing_zeros() };
                // Behind the last bit that is left, the word is filled with zeros.
                let alike = alike.min(left);
                count += u64::from(alike);
                left -= alike;
                word = word.checked_shr(alike).unwrap_or(0);
                if left > 0 {
                    break;
                }
                (word, left) = words.next().unwrap_or((0, 0));
                if left == 0 || (word & 1 == 1) != data {
                    break;
                }
            }
            let run = BlockRun { first, count, data };
            first += count;
            Some(run)
        })
    }

    /// The bits in words of 64, and how many of each stand for blocks. A run is found word by word, because a few bytes of a file may
    /// describe hundreds of millions of blocks; and a word is read once for all runs in it, because there may be as many of them.
    fn words(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        let blocks = self.bits.len();
        self.as_lsb_bytes().chunks(8).zip((0..).step_by(64)).map(move |(bytes, first)| {
            let word = bytes.first_chunk().copied().unwrap_or_else(|| {
                let mut word = [0; 8];
                word.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
                word
            });
            let used = u32::try_from(blocks.saturating_sub(first)).unwrap_or(u32::MAX).min(u64::BITS);
            (u64::from_le_bytes(word), used)
        })
    }

    /// The blocks in which the two maps differ, ascending. Maps of different length are compared as far as both go.
    pub fn differing_blocks<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u64> + 'a {
        let common = self.bits.len().min(other.bits.len());
        let pairs = self.as_lsb_bytes().iter().zip(other.as_lsb_bytes());
        pairs
            .enumerate()
            .filter(|(_, (a, b))| a != b)
            .flat_map(|(byte, (a, b))| {
                let wrong = a ^ b;
                (0..8).filter(move |bit| wrong & (1 << bit) != 0).map(move |bit| byte * 8 + bit)
            })
            .take_while(move |block| *block < common)
            .map(|block| block as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map_of(bools: &[bool]) -> BlockMap {
        let size = bools.len() as u64 * BlockSize::MIN.bytes();
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIN).unwrap();
        for (block, data) in bools.iter().enumerate() {
            map.set(block as u64, *data);
        }
        map
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_of_bools(a in prop::collection::vec(any::<bool>(), 0..200),
                                       b in prop::collection::vec(any::<bool>(), 0..200)) {
            let (map, other) = (map_of(&a), map_of(&b));
            prop_assert_eq!(map.block_count(), a.len() as u64);
            prop_assert_eq!(map.data_count(), a.iter().filter(|x| **x).count() as u64);
            prop_assert_eq!(map.zero_count(), a.iter().filter(|x| !**x).count() as u64);
            let ones = (0..a.len()).filter(|i| a[*i]).map(|i| i as u64).collect::<Vec<_>>();
            prop_assert_eq!(map.data_blocks().collect::<Vec<_>>(), ones);

            let from_runs = map.runs().flat_map(|r| (0..r.count).map(move |_| r.data)).collect::<Vec<_>>();
            prop_assert_eq!(&from_runs, &a);
            let runs = map.runs().collect::<Vec<_>>();
            prop_assert!(runs.windows(2).all(|w| w[0].data != w[1].data));

            let naive = (0..a.len().min(b.len())).filter(|i| a[*i] != b[*i]).map(|i| i as u64);
            prop_assert_eq!(map.differing_blocks(&other).collect::<Vec<_>>(), naive.collect::<Vec<_>>());

            let mut bytes = map.as_lsb_bytes().to_vec();
            prop_assert_eq!(bytes.len(), a.len().div_ceil(8));
            // Junk beyond the last block changes nothing.
            if let Some(last) = bytes.last_mut() && a.len() % 8 != 0 {
                *last |= 0xffu8 << (a.len() % 8);
            }
            bytes.push(0xff);
            let back = BlockMap::from_lsb_bytes(&bytes, map.image_size(), BlockSize::MIN).unwrap();
            prop_assert_eq!(back.as_lsb_bytes(), map.as_lsb_bytes());
            prop_assert_eq!(back, map);
        }
    }

    proptest! {
        #[test]
        fn a_run_is_set_as_block_by_block(
            start in prop::collection::vec(any::<bool>(), 0..300),
            runs in prop::collection::vec((0u64..310, 0u64..310, any::<bool>()), 0..6),
        ) {
            let (mut fast, mut naive) = (map_of(&start), map_of(&start));
            for (first, count, data) in runs {
                fast.set_run(first, count, data);
                (first..first + count).for_each(|block| naive.set(block, data));
                prop_assert_eq!(&fast, &naive);
                prop_assert_eq!(fast.as_lsb_bytes(), naive.as_lsb_bytes());
                let from_runs = fast.runs().flat_map(|r| (0..r.count).map(move |_| r.data)).collect::<Vec<_>>();
                let blocks = (0..naive.block_count()).map(|block| naive.is_data(block)).collect::<Vec<_>>();
                prop_assert_eq!(from_runs, blocks);
            }
        }
    }

    proptest! {
        /// Against a look at each bit, with runs that end in a word, at its end, and some words later.
        #[test]
        fn runs_are_those_of_the_bits(
            lengths in prop::collection::vec(prop_oneof![1usize..9, 55usize..75, 120usize..200], 0..12), data in any::<bool>(),
        ) {
            let kinds = std::iter::successors(Some(data), |data| Some(!data));
            let bits = lengths.iter().zip(kinds).flat_map(|(length, data)| vec![data; *length]).collect::<Vec<_>>();
            let mut naive = Vec::<BlockRun>::new();
            for (block, data) in (0u64..).zip(&bits) {
                match naive.last_mut() {
                    Some(run) if run.data == *data => run.count += 1,
                    _ => naive.push(BlockRun { first: block, count: 1, data: *data }),
                }
            }
            prop_assert_eq!(map_of(&bits).runs().collect::<Vec<_>>(), naive);
        }
    }

    #[test]
    fn a_map_is_never_larger_than_its_bound() {
        let error = BlockMap::zeroed(Path::new("x"), u64::MAX, BlockSize::MIN).unwrap_err();
        assert!(matches!(error, Error::TooManyBlocks { .. }), "{error}");
        assert!(BlockMap::from_lsb_bytes(&[0xff], 9 * 4096, BlockSize::MIN).is_none());
        assert!(BlockMap::from_lsb_bytes(&[], u64::MAX, BlockSize::MIN).is_none());
    }
}
