//! What headers and trailers of bitmap files are made of.

use std::borrow::Cow;
use std::ops::Range;

use crate::checksum::{Algorithm, Covered};
use crate::number::{ByteOrder, Width, number_bytes};

/// A number about the image or the file that a header or trailer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Size of the image in bytes.
    ImageSize,
    /// Size of the image in a larger unit.
    ImageSizeIn(SizeUnit, Rounding),
    /// Size of a block in bytes.
    BlockSize,
    /// Blocks in all.
    BlockCount,
    /// Blocks that hold data.
    DataBlocks,
    /// Runs of data; in a layout that lists them.
    RunCount,
    /// Bytes of the map as it is stored, padding not counted but for the bits that fill the last byte.
    MapLength,
    /// The same with the padding.
    PaddedLength,
    /// A checksum of some bytes of the file.
    Checksum(Algorithm, Covered),
}

/// A unit of sizes that is larger than a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SizeUnit {
    /// 512 bytes.
    Sector,
    /// 1024 bytes.
    KiB,
    /// 1048576 bytes.
    MiB,
}

impl SizeUnit {
    /// How many bytes it has.
    pub fn bytes(self) -> u64 {
        match self {
            Self::Sector => 512,
            Self::KiB => 1 << 10,
            Self::MiB => 1 << 20,
        }
    }
}

/// What becomes of a part of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rounding {
    /// It does not count.
    Down,
    /// It counts as a complete one.
    Up,
}

/// Each checksum, the word for it in a layout's description, and one for people.
static CHECKSUMS: [(Algorithm, Covered, &str, &str); 21] = [
    (Algorithm::Crc32, Covered::Map, "bits-crc32", "CRC-32 of the map"),
    (Algorithm::Crc32, Covered::PaddedMap, "padded-crc32", "CRC-32 of the map with its padding"),
    (Algorithm::Crc32, Covered::Before, "crc32-before", "CRC-32 of the bytes before it"),
    (Algorithm::Crc32, Covered::Section, "crc32-section", "CRC-32 of the section around it"),
    (Algorithm::Crc32, Covered::Header, "crc32-header", "CRC-32 of the header"),
    (Algorithm::Crc32, Covered::FileBefore, "crc32-file-before", "CRC-32 of the file up to it"),
    (Algorithm::Crc32, Covered::File, "crc32-file", "CRC-32 of the complete file"),
    (Algorithm::Crc32c, Covered::Map, "bits-crc32c", "CRC-32C of the map"),
    (Algorithm::Crc32c, Covered::PaddedMap, "padded-crc32c", "CRC-32C of the map with its padding"),
    (Algorithm::Crc32c, Covered::Before, "crc32c-before", "CRC-32C of the bytes before it"),
    (Algorithm::Crc32c, Covered::Section, "crc32c-section", "CRC-32C of the section around it"),
    (Algorithm::Crc32c, Covered::Header, "crc32c-header", "CRC-32C of the header"),
    (Algorithm::Crc32c, Covered::FileBefore, "crc32c-file-before", "CRC-32C of the file up to it"),
    (Algorithm::Crc32c, Covered::File, "crc32c-file", "CRC-32C of the complete file"),
    (Algorithm::Adler32, Covered::Map, "bits-adler32", "Adler-32 of the map"),
    (Algorithm::Adler32, Covered::PaddedMap, "padded-adler32", "Adler-32 of the map with its padding"),
    (Algorithm::Adler32, Covered::Before, "adler32-before", "Adler-32 of the bytes before it"),
    (Algorithm::Adler32, Covered::Section, "adler32-section", "Adler-32 of the section around it"),
    (Algorithm::Adler32, Covered::Header, "adler32-header", "Adler-32 of the header"),
    (Algorithm::Adler32, Covered::FileBefore, "adler32-file-before", "Adler-32 of the file up to it"),
    (Algorithm::Adler32, Covered::File, "adler32-file", "Adler-32 of the complete file"),
];

impl Value {
    /// The values that are no checksums, in the order of the specification.
    pub const PLAIN: [Self; 13] = [
        Self::ImageSize,
        Self::ImageSizeIn(SizeUnit::Sector, Rounding::Down),
        Self::ImageSizeIn(SizeUnit::Sector, Rounding::Up),
        Self::ImageSizeIn(SizeUnit::KiB, Rounding::Down),
        Self::ImageSizeIn(SizeUnit::KiB, Rounding::Up),
        Self::ImageSizeIn(SizeUnit::MiB, Rounding::Down),
        Self::ImageSizeIn(SizeUnit::MiB, Rounding::Up),
        Self::BlockSize,
        Self::BlockCount,
        Self::DataBlocks,
        Self::RunCount,
        Self::MapLength,
        Self::PaddedLength,
    ];

    /// Every value, in the order of the specification.
    pub fn all() -> impl Iterator<Item = Self> {
        let checksums = CHECKSUMS.iter().map(|(algorithm, covered, ..)| Self::Checksum(*algorithm, *covered));
        Self::PLAIN.into_iter().chain(checksums)
    }

    /// The word in a layout's description.
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageSize => "image-size",
            Self::ImageSizeIn(SizeUnit::Sector, Rounding::Down) => "image-sectors",
            Self::ImageSizeIn(SizeUnit::Sector, Rounding::Up) => "image-sectors-up",
            Self::ImageSizeIn(SizeUnit::KiB, Rounding::Down) => "image-kib",
            Self::ImageSizeIn(SizeUnit::KiB, Rounding::Up) => "image-kib-up",
            Self::ImageSizeIn(SizeUnit::MiB, Rounding::Down) => "image-mib",
            Self::ImageSizeIn(SizeUnit::MiB, Rounding::Up) => "image-mib-up",
            Self::BlockSize => "block-size",
            Self::BlockCount => "block-count",
            Self::DataBlocks => "data-blocks",
            Self::RunCount => "run-count",
            Self::MapLength => "bits-length",
            Self::PaddedLength => "padded-length",
            Self::Checksum(algorithm, covered) => words_of(algorithm, covered).0,
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ImageSize => "image size",
            Self::ImageSizeIn(SizeUnit::Sector, Rounding::Down) => "image size in sectors, rounded down",
            Self::ImageSizeIn(SizeUnit::Sector, Rounding::Up) => "image size in sectors, rounded up",
            Self::ImageSizeIn(SizeUnit::KiB, Rounding::Down) => "image size in KiB, rounded down",
            Self::ImageSizeIn(SizeUnit::KiB, Rounding::Up) => "image size in KiB, rounded up",
            Self::ImageSizeIn(SizeUnit::MiB, Rounding::Down) => "image size in MiB, rounded down",
            Self::ImageSizeIn(SizeUnit::MiB, Rounding::Up) => "image size in MiB, rounded up",
            Self::BlockSize => "block size",
            Self::BlockCount => "number of blocks",
            Self::DataBlocks => "number of data blocks",
            Self::RunCount => "number of runs",
            Self::MapLength => "byte count of the map",
            Self::PaddedLength => "byte count of the map with its padding",
            Self::Checksum(algorithm, covered) => words_of(algorithm, covered).1,
        }
    }
}

/// The word and the title of a checksum.
fn words_of(algorithm: Algorithm, covered: Covered) -> (&'static str, &'static str) {
    let row = CHECKSUMS.iter().find(|row| (row.0, row.1) == (algorithm, covered));
    row.map_or(("", ""), |row| (row.2, row.3))
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

/// The numbers about one bitmap file that are no checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) image_size: u64,
    pub(crate) block_size: u64,
    pub(crate) block_count: u64,
    pub(crate) data_blocks: u64,
    /// 0 in a layout that lists no runs.
    pub(crate) run_count: u64,
    pub(crate) map_length: u64,
    pub(crate) padded_length: u64,
}

impl Numbers {
    /// The number for a field of this value; `None` for a checksum.
    pub(crate) fn get(&self, value: Value) -> Option<u64> {
        Some(match value {
            Value::ImageSize => self.image_size,
            Value::ImageSizeIn(unit, Rounding::Down) => self.image_size / unit.bytes(),
            Value::ImageSizeIn(unit, Rounding::Up) => self.image_size.div_ceil(unit.bytes()),
            Value::BlockSize => self.block_size,
            Value::BlockCount => self.block_count,
            Value::DataBlocks => self.data_blocks,
            Value::RunCount => self.run_count,
            Value::MapLength => self.map_length,
            Value::PaddedLength => self.padded_length,
            Value::Checksum(..) => return None,
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

/// The bytes of a header or trailer, with zeros in place of the checksums.
pub(crate) fn write_section(fields: &[Field], numbers: &Numbers) -> Result<Vec<u8>, TooNarrow> {
    let mut bytes = Vec::with_capacity(length_of(fields));
    for field in fields {
        match field {
            Field::Constant(constant) => bytes.extend_from_slice(constant),
            Field::Number { value, width, order } => {
                let number = numbers.get(*value).unwrap_or(0);
                let too_narrow = TooNarrow { value: *value, number, width: *width };
                bytes.extend(number_bytes(number, *width, *order).ok_or(too_narrow)?);
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_name_and_a_title_of_its_own() {
        let mut names = Value::all().map(Value::name).collect::<Vec<_>>();
        let mut titles = Value::all().map(Value::title).collect::<Vec<_>>();
        for words in [&mut names, &mut titles] {
            let all = words.len();
            words.sort_unstable();
            words.dedup();
            assert!(words.len() == all && !words.contains(&""), "{words:?}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_is_an_error() {
        let numbers = Numbers {
            image_size: 5 << 30,
            block_size: 2 << 20,
            block_count: 2560,
            data_blocks: 3,
            run_count: 0,
            map_length: 320,
            padded_length: 4096,
        };
        let magic = Field::Constant(Cow::Borrowed(b"MAGI"));
        let size = Field::Number { value: Value::ImageSize, width: Width::U64, order: ByteOrder::Big };
        let crc = Field::little(Value::Checksum(Algorithm::Crc32, Covered::Before), Width::U32);
        assert_eq!(
            write_section(&[magic, size, crc], &numbers),
            Ok(b"MAGI\0\0\0\x01\x40\0\0\0\0\0\0\0".to_vec())
        );
        let narrow = Field::little(Value::ImageSize, Width::U32);
        let error = write_section(&[narrow], &numbers).unwrap_err();
        assert_eq!(error, TooNarrow { value: Value::ImageSize, number: 5 << 30, width: Width::U32 });
    }
}
