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
        if self.polarity == Polarity::SetIsZero {
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
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
        if self.polarity == Polarity::SetIsZero {
            bits.iter_mut().for_each(|byte| *byte = !*byte);
        }
        BlockMap::from_lsb_bytes(&bits, image_size, block_size)
    }

    /// Turns least-significant-first bytes into the layout's order, or back.
    fn reorder(self, bytes: &mut [u8]) {
        if self.bit_order == BitOrder::MostSignificantFirst {
            bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
    }
}
