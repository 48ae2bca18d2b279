//! How a bitmap file is laid out: descriptions, and the built-in ones.

use std::borrow::Cow;

use imsprep_source::{BlockMap, BlockSize};

use crate::binary::{Binary, MapForm, Padding};
use crate::bits::{BitOrder, Bits, Polarity};
use crate::checksum::{Algorithm, Covered};
use crate::field::{Field, Value};
use crate::number::Width;
use crate::{Proof, bmap, ranges};

pub use crate::error::{CannotEncode, LONGEST, MOST_BLOCKS, NotThisLayout};

/// How a layout says which blocks hold data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A map in bytes, with header, padding and trailer.
    Binary(Binary),
    /// The XML block map of bmaptool, version 2.0.
    Bmap,
    /// Text: the first and the last block of each run of data.
    Ranges,
}

/// Where the description of a layout comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is one of imsprep's own, in [`LAYOUTS`].
    BuiltIn,
    /// It comes from a description in a file.
    Described,
    /// It was learned from so many genuine files, all of which it reproduces.
    Learned {
        /// How many.
        samples: u32,
    },
    /// It was learned from the program that writes such files, and images that tried to break it did not.
    Proven(Box<Proof>),
}

impl Origin {
    /// Whether genuine files show that the layout is the vendor's.
    pub fn is_genuine(&self) -> bool {
        matches!(self, Self::Learned { .. } | Self::Proven(_))
    }
}

/// One way of writing a block map into a file. Adding a layout of bytes adds a row to [`LAYOUTS`], no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name that people and scripts use.
    pub name: Cow<'static, str>,
    /// In a few words.
    pub title: Cow<'static, str>,
    /// Size of the blocks that a file made from an image has. Files of bytes have no other; files of text say their own.
    pub block_size: BlockSize,
    /// How it says which blocks hold data.
    pub form: Form,
    /// Where its description comes from.
    pub origin: Origin,
}

/// The layout of the bitmap inside ZVHD2: 2 MiB blocks, least significant bit first, set is data, zeros up to a multiple
/// of 4096 bytes (source: huaweicloud/ims-qemu-img, commit fc2d885).
pub static ZVHD2: Layout = Layout {
    name: Cow::Borrowed("zvhd2"),
    title: Cow::Borrowed("the layout of the bitmap inside ZVHD2"),
    block_size: BlockSize::MIB_2,
    form: Form::Binary(ZVHD2_BITS),
    origin: Origin::BuiltIn,
};

const ZVHD2_BITS: Binary = Binary {
    map: MapForm::Bits(Bits { bit_order: BitOrder::LeastSignificantFirst, polarity: Polarity::SetIsData }),
    padding: Padding { unit: 4096, bit: false },
    header: Cow::Borrowed(&[]),
    trailer: Cow::Borrowed(&[]),
};

/// The same bits, and a trailer that says what they are of and whether they are complete: for archives and pipelines.
pub static SEALED: Layout = Layout {
    name: Cow::Borrowed("sealed"),
    title: Cow::Borrowed("zvhd2 with a trailer that has the size of the image and checksums"),
    block_size: BlockSize::MIB_2,
    form: Form::Binary(Binary { trailer: Cow::Borrowed(SEAL), ..ZVHD2_BITS }),
    origin: Origin::BuiltIn,
};

/// 48 bytes: magic with version 1, then what it seals.
static SEAL: &[Field] = &[
    Field::Constant(Cow::Borrowed(b"IMSPMF\x01\0")),
    Field::little(Value::BlockSize, Width::U32),
    Field::Constant(Cow::Borrowed(&[0; 4])),
    Field::little(Value::ImageSize, Width::U64),
    Field::little(Value::BlockCount, Width::U64),
    Field::little(Value::DataBlocks, Width::U64),
    Field::little(Value::Checksum(Algorithm::Crc32, Covered::PaddedMap), Width::U32),
    Field::little(Value::Checksum(Algorithm::Crc32, Covered::Before), Width::U32),
];

/// The XML block map of bmaptool.
pub static BMAP: Layout = Layout {
    name: Cow::Borrowed("bmap"),
    title: Cow::Borrowed("the XML block map of bmaptool 2.0, of blocks whose content is not zero"),
    block_size: BlockSize::KIB_4,
    form: Form::Bmap,
    origin: Origin::BuiltIn,
};

/// Text that people and scripts read with ease.
pub static RANGES: Layout = Layout {
    name: Cow::Borrowed("ranges"),
    title: Cow::Borrowed("text: first and last block of each run of data"),
    block_size: BlockSize::MIB_2,
    form: Form::Ranges,
    origin: Origin::BuiltIn,
};

/// Every layout that imsprep knows of itself; the first is the default.
pub static LAYOUTS: &[&Layout] = &[&ZVHD2, &SEALED, &BMAP, &RANGES];

impl Layout {
    /// The built-in layout of this name.
    pub fn built_in(name: &str) -> Option<&'static Self> {
        LAYOUTS.iter().find(|layout| layout.name == name).copied()
    }

    /// Length in bytes of the bitmap file of an image of this size; `None` if it depends on the content.
    pub fn encoded_len(&self, image_size: u64) -> Option<u64> {
        match &self.form {
            Form::Binary(binary) => binary.file_length(self.block_size, image_size),
            Form::Bmap | Form::Ranges => None,
        }
    }

    /// Whether a file in it contains the size of its image.
    pub fn contains_image_size(&self) -> bool {
        match &self.form {
            Form::Binary(binary) => binary
                .header
                .iter()
                .chain(binary.trailer.iter())
                .any(|field| matches!(field, Field::Number { value: Value::ImageSize, .. })),
            Form::Bmap | Form::Ranges => true,
        }
    }

    /// The block size of the file that is made of a map in blocks of this size: of bytes it is the layout's; files of text
    /// tell their own, and have the map's as far as their readers take it.
    pub fn block_size_for(&self, map: BlockSize) -> BlockSize {
        match self.form {
            Form::Binary(_) => self.block_size,
            Form::Bmap => map.min(bmap::LARGEST_BLOCK),
            Form::Ranges => map,
        }
    }

    /// The bitmap file of this map.
    ///
    /// # Errors
    ///
    /// [`CannotEncode`] if the map's block size is not [`block_size_for`](Self::block_size_for) it, a number does not fit its field, or the file would be
    /// too long.
    pub fn encode(&self, map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
        let block_size = self.block_size_for(map.block_size());
        if block_size != map.block_size() {
            return Err(CannotEncode::BlockSize { layout: block_size, map: map.block_size() });
        }
        match &self.form {
            Form::Binary(binary) => binary.encode(map),
            Form::Bmap => bmap::encode(map),
            Form::Ranges => ranges::encode(map),
        }
    }

    /// The map in a bitmap file of an image of this size. Where that is not known, the file has to tell it.
    ///
    /// # Errors
    ///
    /// [`NotThisLayout`] if any byte is another than this layout has for such an image and such a map. Of XML, what a reader
    /// of block maps passes over may differ.
    pub fn decode(&self, bytes: &[u8], image_size: Option<u64>) -> Result<BlockMap, NotThisLayout> {
        match &self.form {
            Form::Binary(binary) => binary.decode(bytes, self.block_size, image_size),
            Form::Bmap => of_size(bmap::decode(bytes)?, image_size),
            Form::Ranges => of_size(ranges::decode(bytes)?, image_size),
        }
    }

    /// Whether the file shows signs of this layout that are in no other, so that a fault in it is damage.
    pub fn is_claimed_by(&self, bytes: &[u8]) -> bool {
        match &self.form {
            Form::Binary(binary) => {
                let constant = |error| matches!(error, NotThisLayout::Constant { .. });
                binary.has_magic() && !binary.decode(bytes, self.block_size, None).is_err_and(constant)
            }
            Form::Bmap => bmap::begins_so(bytes),
            Form::Ranges => ranges::begins_so(bytes),
        }
    }
}

fn of_size(map: BlockMap, image_size: Option<u64>) -> Result<BlockMap, NotThisLayout> {
    match image_size {
        Some(expected) if expected != map.image_size() => {
            Err(NotThisLayout::ImageSize { said: map.image_size(), expected })
        }
        _ => Ok(map),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::cells::{Cell, Cells};
    use crate::field::{Rounding, SizeUnit};
    use crate::frame::circular_checksums;
    use crate::number::ByteOrder;
    use crate::runs::{RunNumbers, RunUnit, Runs};

    /// A number that a drawn layout has, worked out from the description alone.
    fn naive_number(value: Value, size: u64, block: u64, data: &[bool], bits: &[u8], padded: &[u8]) -> u64 {
        match value {
            Value::ImageSize => size,
            Value::ImageSizeIn(unit, rounding) => {
                let unit = match unit {
                    SizeUnit::Sector => 512,
                    SizeUnit::KiB => 1024,
                    SizeUnit::MiB => 1024 * 1024,
                };
                size / unit + u64::from(rounding == Rounding::Up && !size.is_multiple_of(unit))
            }
            Value::BlockSize => block,
            Value::BlockCount => data.len() as u64,
            Value::DataBlocks => data.iter().filter(|d| **d).count() as u64,
            Value::RunCount => data.chunk_by(|a, b| a == b).filter(|run| run[0]).count() as u64,
            Value::MapLength => bits.len() as u64,
            Value::PaddedLength => padded.len() as u64,
            Value::Checksum(..) => 0,
        }
    }

    /// Adler-32, or a CRC bit by bit.
    fn naive_sum(algorithm: Algorithm, bytes: &[u8]) -> u32 {
        match algorithm {
            Algorithm::Crc32 => naive_crc(bytes),
            Algorithm::Crc32c => naive_crc_of(0x82f6_3b78, bytes),
            Algorithm::Adler32 => {
                let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
                    let a = (a + u32::from(*byte)) % 65521;
                    (a, (b + a) % 65521)
                });
                b * 65536 + a
            }
        }
    }

    /// CRC-32 bit by bit.
    fn naive_crc(bytes: &[u8]) -> u32 {
        naive_crc_of(0xedb8_8320, bytes)
    }

    fn naive_crc_of(polynomial: u32, bytes: &[u8]) -> u32 {
        let mut crc = !0u32;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 };
            }
        }
        !crc
    }

    /// A number in a field.
    fn naive_bytes(number: u64, width: Width, order: ByteOrder) -> Vec<u8> {
        let mut number = number.to_le_bytes()[..width.bytes()].to_vec();
        if order == ByteOrder::Big {
            number.reverse();
        }
        number
    }

    /// Run by run.
    fn naive_runs(runs: Runs, size: u64, block: u64, data: &[bool]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut at = 0;
        for run in data.chunk_by(|a, b| a == b) {
            let unit = match runs.unit {
                RunUnit::Byte => 1,
                RunUnit::Sector => 512,
                RunUnit::Block => block,
            };
            let start = at * block / unit;
            at += run.len() as u64;
            let end = if runs.clipped { (at * block).min(size) } else { at * block };
            let end = end.div_ceil(unit);
            if run[0] {
                let second = match runs.numbers {
                    RunNumbers::OffsetLength => end - start,
                    RunNumbers::FirstLast => end - 1,
                    RunNumbers::OffsetEnd => end,
                };
                bytes.extend(naive_bytes(start, runs.width, runs.order));
                bytes.extend(naive_bytes(second, runs.width, runs.order));
            }
        }
        bytes
    }

    /// The map without padding.
    fn naive_map(description: &Binary, size: u64, block: u64, data: &[bool]) -> Vec<u8> {
        match description.map {
            MapForm::Bits(form) => {
                let mut bits =
                    data.iter().map(|d| *d == (form.polarity == Polarity::SetIsData)).collect::<Vec<_>>();
                while bits.len() % 8 != 0 {
                    bits.push(description.padding.bit);
                }
                let weight = |i: usize| match form.bit_order {
                    BitOrder::LeastSignificantFirst => 1u8 << i,
                    BitOrder::MostSignificantFirst => 0x80 >> i,
                };
                bits.chunks(8).map(|c| (0..8).map(|i| if c[i] { weight(i) } else { 0 }).sum()).collect()
            }
            MapForm::Cells(cells) => data
                .iter()
                .flat_map(|data| if *data { cells.data() } else { cells.zero() })
                .copied()
                .collect(),
            MapForm::Runs(runs) => naive_runs(runs, size, block, data),
        }
    }

    /// Written byte by byte, from the description alone.
    fn naive(layout: &Layout, size: u64, data: &[bool]) -> Vec<u8> {
        let Form::Binary(description) = &layout.form else { unreachable!() };
        let fill = if description.padding.bit { 0xff } else { 0 };
        let mut padded = naive_map(description, size, layout.block_size.bytes(), data);
        let bits_length = padded.len();
        while !padded.len().is_multiple_of(description.padding.unit as usize) {
            padded.push(fill);
        }
        let section = |fields: &[Field]| {
            let mut bytes = Vec::new();
            for field in fields {
                match field {
                    Field::Constant(constant) => bytes.extend_from_slice(constant),
                    Field::Number { value, width, order } => {
                        let block = layout.block_size.bytes();
                        let number = naive_number(*value, size, block, data, &padded[..bits_length], &padded);
                        bytes.extend(naive_bytes(number, *width, *order));
                    }
                }
            }
            bytes
        };
        let (header, trailer) = (section(&description.header), section(&description.trailer));
        let (map_at, trailer_at) = (header.len(), header.len() + padded.len());
        let mut file = [header, padded, trailer].concat();
        // Until nothing changes any more: a checksum may cover others.
        loop {
            let before = file.clone();
            for (start, end, fields) in
                [(0, map_at, &description.header), (trailer_at, file.len(), &description.trailer)]
            {
                let mut at = start;
                for field in fields.iter() {
                    if let Field::Number { value: Value::Checksum(algorithm, covered), width, order } = field
                    {
                        let mut zeroed = file.clone();
                        zeroed[at..at + width.bytes()].fill(0);
                        let covered = match covered {
                            Covered::Map => &zeroed[map_at..map_at + bits_length],
                            Covered::PaddedMap => &zeroed[map_at..trailer_at],
                            Covered::Before => &zeroed[start..at],
                            Covered::Section => &zeroed[start..end],
                            Covered::Header => &zeroed[..map_at],
                            Covered::FileBefore => &zeroed[..at],
                            Covered::File => &zeroed[..],
                        };
                        let sum = u64::from(naive_sum(*algorithm, covered));
                        file[at..at + width.bytes()].copy_from_slice(&naive_bytes(sum, *width, *order));
                    }
                    at += field.len();
                }
            }
            if before == file {
                return file;
            }
        }
    }

    fn fields() -> impl Strategy<Value = Vec<Field>> {
        let constant = prop::collection::vec(any::<u8>(), 1..6).prop_map(|b| Field::Constant(Cow::Owned(b)));
        let values = prop::sample::select(Value::all().collect::<Vec<_>>());
        let number = (values, any::<bool>(), any::<bool>()).prop_map(|(value, wide, little)| Field::Number {
            value,
            // Checksums and sizes of four bytes and more may be drawn of all images here but the largest.
            width: if wide || value == Value::ImageSize { Width::U64 } else { Width::U32 },
            order: if little { ByteOrder::Little } else { ByteOrder::Big },
        });
        prop::collection::vec(prop_oneof![constant, number], 0..5)
    }

    fn maps() -> impl Strategy<Value = MapForm> {
        let orders = vec![BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst];
        let polarities = vec![Polarity::SetIsData, Polarity::SetIsZero];
        let bits = (prop::sample::select(orders), prop::sample::select(polarities))
            .prop_map(|(bit_order, polarity)| MapForm::Bits(Bits { bit_order, polarity }));
        let cells = prop::collection::vec((any::<u8>(), any::<u8>()), 1..=8);
        let cells = cells.prop_filter_map("values that differ", |values| {
            let (data, zero) = values.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
            Some(MapForm::Cells(Cells::new(Cell::new(&data)?, Cell::new(&zero)?)?))
        });
        let runs =
            (0..3usize, 0..3usize, any::<bool>(), any::<bool>()).prop_map(|(unit, numbers, big, clipped)| {
                MapForm::Runs(Runs {
                    unit: [RunUnit::Byte, RunUnit::Sector, RunUnit::Block][unit],
                    numbers: [RunNumbers::OffsetLength, RunNumbers::FirstLast, RunNumbers::OffsetEnd]
                        [numbers],
                    // Offsets in bytes may not fit four of them.
                    width: if unit == 0 { Width::U64 } else { Width::U32 },
                    order: if big { ByteOrder::Big } else { ByteOrder::Little },
                    clipped,
                })
            });
        prop_oneof![bits, cells, runs]
    }

    fn layouts() -> impl Strategy<Value = Layout> {
        let units = prop::sample::select(vec![1u32, 2, 512, 4096]);
        (9u32..=26, maps(), units, any::<bool>(), fields(), fields()).prop_map(
            |(shift, map, unit, bit, header, trailer)| Layout {
                name: "drawn".into(),
                title: "drawn".into(),
                block_size: BlockSize::new(1 << shift).unwrap(),
                form: Form::Binary(Binary {
                    map,
                    padding: if matches!(map, MapForm::Runs(_)) {
                        Padding { unit: 1, bit }
                    } else {
                        Padding { unit, bit }
                    },
                    header: header.into(),
                    trailer: trailer.into(),
                }),
                origin: Origin::Described,
            },
        )
    }

    proptest! {
        #[test]
        fn any_layout_writes_what_it_describes_and_reads_it_back(
            layout in layouts(),
            data in prop::collection::vec(any::<bool>(), 0..100),
            short_by in 0u64..512,
            altered in any::<prop::sample::Index>(),
        ) {
            let Form::Binary(binary) = &layout.form else { unreachable!() };
            let counts_runs = |field: &Field| matches!(field, Field::Number { value: Value::RunCount, .. });
            let has_runs = matches!(binary.map, MapForm::Runs(_));
            prop_assume!(has_runs || !binary.header.iter().chain(binary.trailer.iter()).any(counts_runs));
            prop_assume!(circular_checksums(&binary.header, &binary.trailer).is_empty());
            let size = (data.len() as u64 * layout.block_size.bytes()).saturating_sub(short_by);
            let mut map = BlockMap::zeroed(Path::new("x"), size, layout.block_size).unwrap();
            data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
            let bytes = layout.encode(&map).unwrap();
            prop_assert_eq!(layout.encoded_len(size), (!has_runs).then_some(bytes.len() as u64));
            prop_assert_eq!(&bytes, &naive(&layout, size, &data));
            prop_assert_eq!(layout.decode(&bytes, Some(size)), Ok(map.clone()));
            if layout.contains_image_size() {
                prop_assert_eq!(layout.decode(&bytes, None), Ok(map.clone()));
            }
            // No two files say the same.
            if !bytes.is_empty() {
                let mut other = bytes.clone();
                other[altered.index(bytes.len())] ^= 0x10;
                prop_assert_ne!(layout.decode(&other, Some(size)), Ok(map));
            }
        }
    }

    #[test]
    fn the_lengths_of_the_default_layout() {
        let gib = 1 << 30;
        for (size, length) in [(0, 0), (1, 4096), (64 * gib, 4096), (64 * gib + 1, 8192), (1024 * gib, 65536)]
        {
            assert_eq!(ZVHD2.encoded_len(size), Some(length), "{size}");
            assert_eq!(SEALED.encoded_len(size), Some(length + 48), "{size}");
        }
    }

    #[test]
    fn wrong_lengths_and_dirty_padding_are_another_layout() {
        let size = Some(5 * (2 << 20));
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
        assert_eq!(ZVHD2.decode(&bytes, None), Err(NotThisLayout::SizeUnknown));
    }

    #[test]
    fn the_seal_byte_by_byte() {
        let mut map = BlockMap::zeroed(Path::new("x"), (5 << 20) + 1, BlockSize::MIB_2).unwrap();
        map.set(1, true);
        let bytes = SEALED.encode(&map).unwrap();
        assert_eq!(bytes[..4096], ZVHD2.encode(&map).unwrap());
        let mut seal =
            b"IMSPMF\x01\0\0\0\x20\0\0\0\0\0\x01\0\x50\0\0\0\0\0\x03\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
                .to_vec();
        seal.extend(naive_crc(&bytes[..4096]).to_le_bytes());
        seal.extend(naive_crc(&seal).to_le_bytes());
        assert_eq!(bytes[4096..], seal);
        assert_eq!(SEALED.decode(&bytes, None), Ok(map));
        let other = SEALED.decode(&bytes, Some(6 << 20)).unwrap_err();
        assert_eq!(other, NotThisLayout::ImageSize { said: (5 << 20) + 1, expected: 6 << 20 });
        let mut broken = bytes.clone();
        broken[0] ^= 4;
        let error = SEALED.decode(&broken, None).unwrap_err();
        assert!(matches!(error, NotThisLayout::Field { field: "number of data blocks", .. }), "{error}");
        assert!(SEALED.is_claimed_by(&broken) && !SEALED.is_claimed_by(&bytes[..4096]));
        assert!(!ZVHD2.is_claimed_by(&bytes[..4096]));
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused_and_not_cut() {
        let narrow = Cow::Owned(vec![Field::little(Value::ImageSize, Width::U32)]);
        let form = Form::Binary(Binary { header: narrow, ..ZVHD2_BITS });
        let layout = Layout { form, ..ZVHD2.clone() };
        let map = BlockMap::zeroed(Path::new("x"), 1 << 32, BlockSize::MIB_2).unwrap();
        assert!(matches!(layout.encode(&map), Err(CannotEncode::TooNarrow { bytes: 4, .. })));
        let map = BlockMap::zeroed(Path::new("x"), 1 << 40, BlockSize::KIB_4).unwrap();
        assert!(matches!(layout.encode(&map), Err(CannotEncode::BlockSize { .. })));
    }
}
