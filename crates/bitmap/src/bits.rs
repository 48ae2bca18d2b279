//! Layouts of one bit for each block: their description, and the one writer and reader that it drives.

use std::borrow::Cow;

use imsprep_source::{BlockMap, BlockSize};

use crate::error::{CannotEncode, NotThisLayout};
use crate::field::{self, Field, Numbers, TooNarrow, Value, Width};

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
    /// The bits are filled up to a multiple of so many bytes, at least 1. Header and trailer don't count.
    pub unit: u32,
    /// The value of each bit of padding, those in the last block's byte included.
    pub bit: bool,
}

/// Header, bits, padding, trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Order of the bits in a byte.
    pub bit_order: BitOrder,
    /// Meaning of a bit.
    pub polarity: Polarity,
    /// What follows the bits.
    pub padding: Padding,
    /// What comes before the bits.
    pub header: Cow<'static, [Field]>,
    /// What comes after the padding.
    pub trailer: Cow<'static, [Field]>,
}

impl Bits {
    /// Bytes that the bits of an image of this size take, padding not counted.
    pub(crate) fn bits_length(block_size: BlockSize, image_size: u64) -> u64 {
        block_size.blocks_in(image_size).div_ceil(8)
    }

    /// The same with the padding.
    pub(crate) fn padded_length(&self, block_size: BlockSize, image_size: u64) -> u64 {
        let bits = Self::bits_length(block_size, image_size);
        bits.next_multiple_of(u64::from(self.padding.unit.max(1)))
    }

    /// Length of the whole file.
    pub(crate) fn file_length(&self, block_size: BlockSize, image_size: u64) -> u64 {
        let around = field::length_of(&self.header) + field::length_of(&self.trailer);
        self.padded_length(block_size, image_size) + around as u64
    }

    /// The bits as they are stored, and their padding.
    pub(crate) fn stored(&self, map: &BlockMap) -> Vec<u8> {
        let length = self.padded_length(map.block_size(), map.image_size());
        let mut bytes = map.as_lsb_bytes().to_vec();
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
        bytes.resize(usize::try_from(length).unwrap_or(usize::MAX), if self.padding.bit { 0xff } else { 0 });
        self.reorder(&mut bytes);
        bytes
    }

    pub(crate) fn encode(&self, map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
        let stored = self.stored(map);
        let mut numbers = numbers_of(map, &stored);
        let too_narrow = |error: TooNarrow| CannotEncode::TooNarrow {
            field: error.value.title(),
            number: error.number,
            bytes: error.width.bytes(),
        };
        let mut file = field::write_section(&self.header, &numbers).map_err(too_narrow)?;
        numbers.header_crc = crc32fast::hash(&file);
        let trailer = field::write_section(&self.trailer, &numbers).map_err(too_narrow)?;
        file.extend(stored);
        file.extend(trailer);
        Ok(file)
    }

    pub(crate) fn decode(
        &self,
        bytes: &[u8],
        block_size: BlockSize,
        image_size: Option<u64>,
    ) -> Result<BlockMap, NotThisLayout> {
        // A file whose constant bytes are others is another layout, whatever its length is.
        if let Some(offset) = self.wrong_constant(bytes) {
            return Err(NotThisLayout::Constant { offset });
        }
        let said = self.image_size_in(bytes);
        let image_size = match (image_size, said) {
            (Some(size), Some(said)) if said != size => {
                return Err(NotThisLayout::ImageSize { said, expected: size });
            }
            (Some(size), _) | (None, Some(size)) => size,
            (None, None) => return Err(NotThisLayout::SizeUnknown),
        };
        if block_size.blocks_in(image_size) > BlockMap::MAX_BLOCKS {
            return Err(NotThisLayout::TooManyBlocks { image_size });
        }
        let expected = self.file_length(block_size, image_size);
        let length = NotThisLayout::Length { expected, found: bytes.len() as u64 };
        if bytes.len() as u64 != expected {
            return Err(length);
        }
        let header = field::length_of(&self.header);
        let bits = bytes.get(header..).unwrap_or_default();
        let map = self.decode_prefix(bits, block_size, image_size).ok_or(length)?;
        // What the map says, written again, differs from the file in padding and fields alone.
        let again = self.encode(&map).map_err(|error| NotThisLayout::Fault { what: error.to_string() })?;
        match bytes.iter().zip(&again).position(|(a, b)| a != b) {
            Some(offset) => Err(self.what_is_at(offset, bytes, &again)),
            None => Ok(map),
        }
    }

    /// The map of the first `image_size` bytes that the bits at the beginning of `bits` stand for, whatever follows them.
    /// `None` if there are too few.
    pub(crate) fn decode_prefix(
        &self,
        bits: &[u8],
        block_size: BlockSize,
        image_size: u64,
    ) -> Option<BlockMap> {
        let needed = usize::try_from(Self::bits_length(block_size, image_size)).ok()?;
        let mut bits = bits.get(..needed)?.to_vec();
        self.reorder(&mut bits);
        if self.polarity == Polarity::SetIsZero {
            bits.iter_mut().for_each(|byte| *byte = !*byte);
        }
        BlockMap::from_lsb_bytes(&bits, image_size, block_size)
    }

    /// Whether its constant bytes tell files in it from all others: at least four in a row that are not all the same.
    pub(crate) fn has_magic(&self) -> bool {
        let telling = |field: &Field| match field {
            Field::Constant(bytes) => {
                bytes.windows(4).any(|four| four.iter().any(|b| Some(b) != four.first()))
            }
            Field::Number { .. } => false,
        };
        self.header.iter().chain(self.trailer.iter()).any(telling)
    }

    /// The image size that a file in this layout contains.
    pub(crate) fn image_size_in(&self, bytes: &[u8]) -> Option<u64> {
        let trailer_at = bytes.len().checked_sub(field::length_of(&self.trailer))?;
        let sections = [(0, &self.header), (trailer_at, &self.trailer)];
        sections.into_iter().find_map(|(start, fields)| {
            field::placed(fields).find_map(|(range, field)| match field {
                Field::Number { value: Value::ImageSize, order, .. } => {
                    let number = bytes.get(start + range.start..start + range.end)?;
                    Some(field::number_in(number, *order))
                }
                _ => None,
            })
        })
    }

    /// The first byte that differs from the layout's constant bytes.
    fn wrong_constant(&self, bytes: &[u8]) -> Option<u64> {
        let around = field::length_of(&self.header) + field::length_of(&self.trailer);
        let Some(trailer_at) = bytes.len().checked_sub(field::length_of(&self.trailer)) else {
            return Some(bytes.len() as u64);
        };
        if bytes.len() < around {
            return Some(bytes.len() as u64);
        }
        let sections = [(0, &self.header), (trailer_at, &self.trailer)];
        sections.into_iter().find_map(|(start, fields)| {
            field::placed(fields).find_map(|(range, field)| {
                let Field::Constant(constant) = field else { return None };
                let there = bytes.get(start + range.start..start + range.end)?;
                let wrong = there.iter().zip(constant.iter()).position(|(a, b)| a != b)?;
                Some((start + range.start + wrong) as u64)
            })
        })
    }

    /// Names the expected content at this offset, where a file that was written again differs.
    fn what_is_at(&self, offset: usize, found: &[u8], expected: &[u8]) -> NotThisLayout {
        let trailer_at = expected.len().saturating_sub(field::length_of(&self.trailer));
        let sections = [(0, &self.header), (trailer_at, &self.trailer)];
        for (start, fields) in sections {
            for (range, field) in field::placed(fields) {
                let range = start + range.start..start + range.end;
                if let (true, Field::Number { value, order, .. }) = (range.contains(&offset), field) {
                    let number =
                        |file: &[u8]| field::number_in(file.get(range.clone()).unwrap_or_default(), *order);
                    return NotThisLayout::Field {
                        field: value.title(),
                        offset: range.start as u64,
                        expected: number(expected),
                        found: number(found),
                    };
                }
            }
        }
        NotThisLayout::Padding { offset: offset as u64 }
    }

    /// Turns least-significant-first bytes into the layout's order, or back.
    fn reorder(&self, bytes: &mut [u8]) {
        if self.bit_order == BitOrder::MostSignificantFirst {
            bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
    }
}

/// All that header and trailer may tell, but for the header's checksum, which is not known yet.
pub(crate) fn numbers_of(map: &BlockMap, stored: &[u8]) -> Numbers {
    let bits_length = Bits::bits_length(map.block_size(), map.image_size());
    let bits = usize::try_from(bits_length).ok().and_then(|length| stored.get(..length)).unwrap_or(stored);
    Numbers {
        image_size: map.image_size(),
        block_size: map.block_size().bytes(),
        block_count: map.block_count(),
        data_blocks: map.data_count(),
        bits_length,
        padded_length: stored.len() as u64,
        bits_crc: crc32fast::hash(bits),
        padded_crc: crc32fast::hash(stored),
        header_crc: 0,
    }
}

/// The widths that a number may have, the widest first.
pub(crate) const WIDTHS: [Width; 2] = [Width::U64, Width::U32];
