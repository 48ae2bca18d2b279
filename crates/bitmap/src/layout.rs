//! How a bitmap file lays out its bits: descriptions, and the one writer and reader that they drive.

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

/// What follows the last block's bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// The bits are filled up to a multiple of so many bytes, at least 1.
    pub unit: u32,
    /// The value of each bit of padding, those in the last block's byte included.
    pub bit: bool,
}

/// One way of writing a block map into a file. Adding a layout adds a row to [`LAYOUTS`], no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name that people and scripts use.
    pub name: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// Size of the block that one bit stands for.
    pub block_size: BlockSize,
    /// Order of the bits in a byte.
    pub bit_order: BitOrder,
    /// Meaning of a bit.
    pub polarity: Polarity,
    /// What follows the bits.
    pub padding: Padding,
}

/// The layout of the bitmap inside ZVHD2: 2 MiB blocks, least significant bit first, set is data, zeros up to a multiple
/// of 4096 bytes (source: huaweicloud/ims-qemu-img, commit fc2d885).
pub static ZVHD2: Layout = Layout {
    name: "zvhd2",
    title: "the bitmap layout that ZVHD2 has inside",
    block_size: BlockSize::MIB_2,
    bit_order: BitOrder::LeastSignificantFirst,
    polarity: Polarity::SetIsData,
    padding: Padding { unit: 4096, bit: false },
};

/// Every layout that imsprep knows; the first is the default.
pub static LAYOUTS: &[&Layout] = &[&ZVHD2];

/// Why bytes are not a bitmap in a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThisLayout {
    /// The length is another than the image's size asks for.
    #[error("{found} bytes, where this layout takes {expected} for an image of this size")]
    Length {
        /// What the layout takes.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// There is something where the padding should be.
    #[error("the padding is not all the same from byte {offset} on")]
    Padding {
        /// The first byte with a wrong bit of padding.
        offset: u64,
    },
}

impl Layout {
    /// Length in bytes of the bitmap file of an image of this size.
    pub fn encoded_len(&self, image_size: u64) -> u64 {
        let bytes = self.block_size.blocks_in(image_size).div_ceil(8);
        bytes.next_multiple_of(u64::from(self.padding.unit.max(1)))
    }

    /// The bitmap file of this map, whose block size must be the layout's.
    pub fn encode(&self, map: &BlockMap) -> Vec<u8> {
        let length = usize::try_from(self.encoded_len(map.image_size())).unwrap_or(usize::MAX);
        let bits = map.as_lsb_bytes();
        let mut bytes = bits.to_vec();
        if self.polarity == Polarity::SetIsZero {
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let used = map.block_count() % 8;
        if used != 0
            && let Some(last) = bytes.last_mut()
        {
            let padding = 0xffu8 << used;
            *last = if self.padding.bit { *last | padding } else { *last & !padding };
        }
        bytes.resize(length, self.padding_byte());
        self.reorder(&mut bytes);
        bytes
    }

    /// The map in a bitmap file of an image of this size.
    ///
    /// # Errors
    ///
    /// [`NotThisLayout`] if the length is not the one that the image's size asks for, or the padding is not padding.
    pub fn decode(&self, bytes: &[u8], image_size: u64) -> Result<BlockMap, NotThisLayout> {
        let length =
            NotThisLayout::Length { expected: self.encoded_len(image_size), found: bytes.len() as u64 };
        if bytes.len() as u64 != self.encoded_len(image_size) {
            return Err(length);
        }
        let map = self.decode_prefix(bytes, image_size).ok_or(length)?;
        // What the map says, written again, differs from the file in the padding alone.
        let again = self.encode(&map);
        match bytes.iter().zip(&again).position(|(a, b)| a != b) {
            Some(offset) => Err(NotThisLayout::Padding { offset: offset as u64 }),
            None => Ok(map),
        }
    }

    /// The map of the first `image_size` bytes that the bits stand for, whatever follows them. `None` if there are too
    /// few bits.
    pub fn decode_prefix(&self, bytes: &[u8], image_size: u64) -> Option<BlockMap> {
        let needed = usize::try_from(self.block_size.blocks_in(image_size).div_ceil(8)).ok()?;
        let mut bits = bytes.get(..needed)?.to_vec();
        self.reorder(&mut bits);
        if self.polarity == Polarity::SetIsZero {
            bits.iter_mut().for_each(|byte| *byte = !*byte);
        }
        BlockMap::from_lsb_bytes(&bits, image_size, self.block_size)
    }

    fn padding_byte(&self) -> u8 {
        if self.padding.bit { 0xff } else { 0 }
    }

    /// Turns least-significant-first bytes into the layout's order, or back.
    fn reorder(&self, bytes: &mut [u8]) {
        if self.bit_order == BitOrder::MostSignificantFirst {
            bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// Written bit by bit, from the description alone.
    fn naive(layout: &Layout, data: &[bool]) -> Vec<u8> {
        let mut bits =
            data.iter().map(|d| *d == (layout.polarity == Polarity::SetIsData)).collect::<Vec<_>>();
        while bits.len() % (8 * layout.padding.unit as usize) != 0 {
            bits.push(layout.padding.bit);
        }
        let weight = |i: usize| match layout.bit_order {
            BitOrder::LeastSignificantFirst => 1u8 << i,
            BitOrder::MostSignificantFirst => 0x80 >> i,
        };
        bits.chunks(8).map(|c| (0..8).map(|i| if c[i] { weight(i) } else { 0 }).sum()).collect()
    }

    fn layouts() -> impl Strategy<Value = Layout> {
        (
            12u32..=26,
            any::<bool>(),
            any::<bool>(),
            prop::sample::select(vec![1u32, 2, 512, 4096]),
            any::<bool>(),
        )
            .prop_map(|(shift, lsb, set_is_data, unit, bit)| Layout {
                name: "drawn",
                title: "drawn",
                block_size: BlockSize::new(1 << shift).unwrap(),
                bit_order: if lsb { BitOrder::LeastSignificantFirst } else { BitOrder::MostSignificantFirst },
                polarity: if set_is_data { Polarity::SetIsData } else { Polarity::SetIsZero },
                padding: Padding { unit, bit },
            })
    }

    proptest! {
        #[test]
        fn any_layout_writes_what_it_describes_and_reads_it_back(
            layout in layouts(),
            data in prop::collection::vec(any::<bool>(), 0..100),
            short_by in 0u64..4096,
        ) {
            let size = (data.len() as u64 * layout.block_size.bytes()).saturating_sub(short_by);
            let mut map = BlockMap::zeroed(Path::new("x"), size, layout.block_size).unwrap();
            data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
            let bytes = layout.encode(&map);
            prop_assert_eq!(bytes.len() as u64, layout.encoded_len(size));
            prop_assert_eq!(&bytes, &naive(&layout, &data));
            prop_assert_eq!(layout.decode(&bytes, size), Ok(map));
        }
    }

    #[test]
    fn the_lengths_of_the_default_layout() {
        let gib = 1 << 30;
        for (size, length) in [(0, 0), (1, 4096), (64 * gib, 4096), (64 * gib + 1, 8192), (1024 * gib, 65536)]
        {
            assert_eq!(ZVHD2.encoded_len(size), length, "{size}");
        }
    }

    #[test]
    fn wrong_lengths_and_dirty_padding_are_another_layout() {
        let size = 5 * (2 << 20);
        let mut bytes = vec![0; 4096];
        assert!(ZVHD2.decode(&bytes, size).is_ok());
        assert_eq!(
            ZVHD2.decode(&bytes[..100], size),
            Err(NotThisLayout::Length { expected: 4096, found: 100 })
        );
        bytes[0] = 0b10_0000;
        assert_eq!(ZVHD2.decode(&bytes, size), Err(NotThisLayout::Padding { offset: 0 }));
        bytes[0] = 0;
        bytes[4095] = 1;
        assert_eq!(ZVHD2.decode(&bytes, size), Err(NotThisLayout::Padding { offset: 4095 }));
    }
}
