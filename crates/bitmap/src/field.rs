//! What headers and trailers of bitmap files are made of.

use std::borrow::Cow;
use std::ops::Range;

/// A number about the image or the file that a header or trailer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Size of the image in bytes.
    ImageSize,
    /// Size of a block in bytes.
    BlockSize,
    /// Blocks in all.
    BlockCount,
    /// Blocks that hold data.
    DataBlocks,
    /// Bytes that hold the blocks' bits, padding not counted but for the bits that fill the last byte.
    BitsLength,
    /// The same with the padding.
    PaddedLength,
    /// CRC-32 of the bytes that [`BitsLength`](Self::BitsLength) counts, as they are stored.
    BitsCrc,
    /// CRC-32 of the bytes that [`PaddedLength`](Self::PaddedLength) counts.
    PaddedCrc,
    /// CRC-32 of the bytes of the same header or trailer that come before the field.
    CrcBefore,
    /// CRC-32 of the whole header or trailer that the field is in, with zeros in the field's own bytes.
    CrcSection,
    /// CRC-32 of the whole header; in a trailer only.
    CrcHeader,
}

impl Value {
    /// Every value, in the order of the specification.
    pub const ALL: [Self; 11] = [
        Self::ImageSize,
        Self::BlockSize,
        Self::BlockCount,
        Self::DataBlocks,
        Self::BitsLength,
        Self::PaddedLength,
        Self::BitsCrc,
        Self::PaddedCrc,
        Self::CrcBefore,
        Self::CrcSection,
        Self::CrcHeader,
    ];

    /// The word in a layout's description.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageSize => "image-size",
            Self::BlockSize => "block-size",
            Self::BlockCount => "block-count",
            Self::DataBlocks => "data-blocks",
            Self::BitsLength => "bits-length",
            Self::PaddedLength => "padded-length",
            Self::BitsCrc => "bits-crc32",
            Self::PaddedCrc => "padded-crc32",
            Self::CrcBefore => "crc32-before",
            Self::CrcSection => "crc32-section",
            Self::CrcHeader => "crc32-header",
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ImageSize => "image size",
            Self::BlockSize => "block size",
            Self::BlockCount => "number of blocks",
            Self::DataBlocks => "number of data blocks",
            Self::BitsLength => "byte count of the bits",
            Self::PaddedLength => "byte count of the bits with their padding",
            Self::BitsCrc => "CRC-32 of the bits",
            Self::PaddedCrc => "CRC-32 of the bits with their padding",
            Self::CrcBefore => "CRC-32 of the bytes before it",
            Self::CrcSection => "CRC-32 of the section around it",
            Self::CrcHeader => "CRC-32 of the header",
        }
    }

    /// Whether it is a checksum of the header or trailer that it stands in, so that it is filled in last.
    pub(crate) fn is_of_section(self) -> bool {
        matches!(self, Self::CrcBefore | Self::CrcSection)
    }
}

/// Bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// Four bytes.
    U32,
    /// Eight bytes.
    U64,
}

impl Width {
    /// How many bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant one.
    Little,
    /// The most significant one.
    Big,
}

/// The bytes of a number, or `None` if it needs more than there are.
pub(crate) fn number_bytes(number: u64, width: Width, order: ByteOrder) -> Option<Vec<u8>> {
    Some(match (width, order) {
        (Width::U32, ByteOrder::Little) => u32::try_from(number).ok()?.to_le_bytes().to_vec(),
        (Width::U32, ByteOrder::Big) => u32::try_from(number).ok()?.to_be_bytes().to_vec(),
        (Width::U64, ByteOrder::Little) => number.to_le_bytes().to_vec(),
        (Width::U64, ByteOrder::Big) => number.to_be_bytes().to_vec(),
    })
}

/// The number in these bytes, of which there are four or eight.
pub(crate) fn number_in(bytes: &[u8], order: ByteOrder) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match order {
        ByteOrder::Little => bytes.iter().rev().fold(0, add),
        ByteOrder::Big => bytes.iter().fold(0, add),
    }
}

/// One field of a header or trailer. Fields follow each other without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The same bytes in every file.
    Constant(Cow<'static, [u8]>),
    /// A number that depends on the image.
    Number {
        /// Which.
        value: Value,
        /// Of how many bytes.
        width: Width,
        /// In which order.
        order: ByteOrder,
    },
}

impl Field {
    /// How many bytes it takes.
    pub fn len(&self) -> usize {
        match self {
            Self::Constant(bytes) => bytes.len(),
            Self::Number { width, .. } => width.bytes(),
        }
    }

    /// Whether it takes none, which only a constant of no bytes does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A little-endian number, as in our own layouts.
    pub(crate) const fn little(value: Value, width: Width) -> Self {
        Self::Number { value, width, order: ByteOrder::Little }
    }
}

/// Each field with the bytes of the section that it takes.
pub(crate) fn placed(fields: &[Field]) -> impl Iterator<Item = (Range<usize>, &Field)> {
    let mut at = 0;
    fields.iter().map(move |field| {
        let range = at..at + field.len();
        at = range.end;
        (range, field)
    })
}

/// Bytes that all fields take together.
pub(crate) fn length_of(fields: &[Field]) -> usize {
    fields.iter().map(Field::len).sum()
}

/// The numbers about one bitmap file, as far as they do not depend on header and trailer themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) image_size: u64,
    pub(crate) block_size: u64,
    pub(crate) block_count: u64,
    pub(crate) data_blocks: u64,
    pub(crate) bits_length: u64,
    pub(crate) padded_length: u64,
    pub(crate) bits_crc: u32,
    pub(crate) padded_crc: u32,
    pub(crate) header_crc: u32,
}

impl Numbers {
    /// The number for a field of this value; `None` for the checksums of the section itself.
    pub(crate) fn get(&self, value: Value) -> Option<u64> {
        Some(match value {
            Value::ImageSize => self.image_size,
            Value::BlockSize => self.block_size,
            Value::BlockCount => self.block_count,
            Value::DataBlocks => self.data_blocks,
            Value::BitsLength => self.bits_length,
            Value::PaddedLength => self.padded_length,
            Value::BitsCrc => u64::from(self.bits_crc),
            Value::PaddedCrc => u64::from(self.padded_crc),
            Value::CrcHeader => u64::from(self.header_crc),
            Value::CrcBefore | Value::CrcSection => return None,
        })
    }
}

/// A number that its field is too narrow for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooNarrow {
    pub(crate) value: Value,
    pub(crate) number: u64,
    pub(crate) width: Width,
}

/// The bytes of a header or trailer.
pub(crate) fn write_section(fields: &[Field], numbers: &Numbers) -> Result<Vec<u8>, TooNarrow> {
    let mut bytes = Vec::with_capacity(length_of(fields));
    for field in fields {
        match field {
            Field::Constant(constant) => bytes.extend_from_slice(constant),
            Field::Number { value, width, order } => {
                // Checksums of the section are filled in below; until then their bytes are zeros.
                let number = numbers.get(*value).unwrap_or(0);
                let too_narrow = TooNarrow { value: *value, number, width: *width };
                bytes.extend(number_bytes(number, *width, *order).ok_or(too_narrow)?);
            }
        }
    }
    for (range, field) in placed(fields) {
        let Field::Number { value, width, order } = field else { continue };
        if !value.is_of_section() {
            continue;
        }
        let covered = if *value == Value::CrcBefore { bytes.get(..range.start) } else { Some(&bytes[..]) };
        let crc = u64::from(crc32fast::hash(covered.unwrap_or_default()));
        if let (Some(place), Some(number)) = (bytes.get_mut(range), number_bytes(crc, *width, *order)) {
            place.copy_from_slice(&number);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_widths_and_orders() {
        let cases = [
            (Width::U32, ByteOrder::Little, vec![4, 3, 2, 1]),
            (Width::U32, ByteOrder::Big, vec![1, 2, 3, 4]),
            (Width::U64, ByteOrder::Little, vec![4, 3, 2, 1, 0, 0, 0, 0]),
            (Width::U64, ByteOrder::Big, vec![0, 0, 0, 0, 1, 2, 3, 4]),
        ];
        for (width, order, bytes) in cases {
            assert_eq!(number_bytes(0x0102_0304, width, order).as_ref(), Some(&bytes));
            assert_eq!(number_in(&bytes, order), 0x0102_0304);
        }
        assert_eq!(number_bytes(1 << 32, Width::U32, ByteOrder::Little), None);
    }

    #[test]
    fn checksums_of_the_section_are_those_of_the_finished_section() {
        let numbers = Numbers {
            image_size: 5 << 30,
            block_size: 2 << 20,
            block_count: 2560,
            data_blocks: 3,
            bits_length: 320,
            padded_length: 4096,
            bits_crc: 1,
            padded_crc: 2,
            header_crc: 3,
        };
        let magic = Field::Constant(Cow::Borrowed(b"MAGI"));
        let size = Field::Number { value: Value::ImageSize, width: Width::U64, order: ByteOrder::Big };
        let crc = |value| Field::little(value, Width::U32);
        let before =
            write_section(&[magic.clone(), size.clone(), crc(Value::CrcBefore), magic.clone()], &numbers)
                .unwrap();
        assert_eq!(before.len(), 20);
        assert_eq!(before[..12], *b"MAGI\0\0\0\x01\x40\0\0\0");
        assert_eq!(before[12..16], crc32fast::hash(&before[..12]).to_le_bytes());
        let whole = write_section(&[crc(Value::CrcSection), size.clone(), magic], &numbers).unwrap();
        let mut zeroed = whole.clone();
        zeroed[..4].fill(0);
        assert_eq!(whole[..4], crc32fast::hash(&zeroed).to_le_bytes());
        let narrow = Field::little(Value::ImageSize, Width::U32);
        let error = write_section(&[narrow], &numbers).unwrap_err();
        assert_eq!(error, TooNarrow { value: Value::ImageSize, number: 5 << 30, width: Width::U32 });
    }
}
