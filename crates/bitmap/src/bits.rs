//! Maps of one bit for each block.

use imsprep_source::{BlockMap, BlockSize};

/// Where in a byte the bit of the lower block number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitOrder {
    /// Block 0 is bit 0, the least significant.
    LeastSignificantFirst,
    /// Block 0 is bit 7, the most significant.
    MostSignificantFirst,
}

/// What a set bit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// The block holds a byte that is not zero.
    SetIsData,
    /// Every byte of the block is zero.
    SetIsZero,
}

/// One bit for each block, block 0 first. Bits that fill the last byte are padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Order of the bits in a byte.
    pub bit_order: BitOrder,
    /// Meaning of a bit.
    pub polarity: Polarity,
}

impl Bits {
    /// Bytes that the bits of an image of this size take.
    pub(crate) fn length(block_size: BlockSize, image_size: u64) -> u64 {
        block_size.blocks_in(image_size).div_ceil(8)
    }

    /// The bits as they are stored, the last byte filled with bits of this value.
    pub(crate) fn stored(self, map: &BlockMap, fill: bool) -> Vec<u8> {
        let mut bytes = map.as_lsb_bytes().to_vec();
        self.invert(&mut bytes);
        let used = map.block_count() % 8;
        if used != 0
            && let Some(last) = bytes.last_mut()
        {
            let padding = 0xffu8 << used;
            *last = if fill { *last | padding } else { *last & !padding };
        }
        self.reorder(&mut bytes);
        bytes
    }

    /// The map of the first `image_size` bytes that the bits at the beginning of `bits` stand for, whatever follows them.
    /// `None` if there are too few.
    pub(crate) fn decode_prefix(
        self,
        bits: &[u8],
        block_size: BlockSize,
        image_size: u64,
    ) -> Option<BlockMap> {
        let needed = usize::try_from(Self::length(block_size, image_size)).ok()?;
        let mut bits = bits.get(..needed)?.to_vec();
        self.reorder(&mut bits);
        self.invert(&mut bits);
        BlockMap::from_lsb_bytes(&bits, image_size, block_size)
    }

    /// Turns bits that are set for data into those of the layout's meaning, or back.
    fn invert(self, bytes: &mut [u8]) {
        if self.polarity == Polarity::SetIsZero {
            in_words(bytes, |word| !word);
        }
    }

    /// Turns least-significant-first bytes into the layout's order, or back.
    fn reorder(self, bytes: &mut [u8]) {
        if self.bit_order == BitOrder::MostSignificantFirst {
            // The bits of each byte are reversed if those of the word are, and then its bytes.
            in_words(bytes, |word| word.reverse_bits().swap_bytes());
        }
    }
}

/// Changes eight bytes at a time. The change has to treat each byte alike.
fn in_words(bytes: &mut [u8], change: impl Fn(u64) -> u64) {
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = change(u64::from_ne_bytes(*word)).to_ne_bytes();
    }
    for byte in rest {
        let [changed, ..] = change(u64::from(*byte)).to_le_bytes();
        *byte = changed;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a look at each bit.
        #[test]
        fn bits_are_stored_as_one_by_one(
            blocks in prop::collection::vec(any::<bool>(), 0..300), orders in any::<(bool, bool)>(), fill in any::<bool>(),
        ) {
            let size = blocks.len() as u64 * BlockSize::MIN.bytes();
            let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIN).unwrap();
            (0u64..).zip(&blocks).for_each(|(block, data)| map.set(block, *data));
            let (least, set_is_data) = orders;
            let bits = Bits {
                bit_order: if least { BitOrder::LeastSignificantFirst } else { BitOrder::MostSignificantFirst },
                polarity: if set_is_data { Polarity::SetIsData } else { Polarity::SetIsZero },
            };
            let mut naive = vec![0u8; blocks.len().div_ceil(8)];
            for place in 0..8 * naive.len() {
                let bit = blocks.get(place).map_or(fill, |data| *data == set_is_data);
                let shift = if least { place % 8 } else { 7 - place % 8 };
                naive[place / 8] |= u8::from(bit) << shift;
            }
            prop_assert_eq!(bits.stored(&map, fill), naive.clone());
            naive.push(7);
            prop_assert_eq!(bits.decode_prefix(&naive, BlockSize::MIN, size), Some(map));
        }
    }
}
