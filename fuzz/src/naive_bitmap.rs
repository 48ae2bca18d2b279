//! The slow twin of bitmap files of bytes: written bit by bit from the description of the layout, with nothing of the crate's
//! own writer.

use std::path::Path;

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_bitmap::{
    Algorithm, Binary, BitOrder, Bits, ByteOrder, Cell, Cells, Covered, Field, Form, Layout, MapForm,
    Padding, Polarity, Rounding, RunNumbers, RunUnit, Runs, SizeUnit, Value, Width,
};
use imsprep_source::{BlockMap, BlockSize};

use crate::random::noise;

/// An image as the twin sees it: its size, and which of its blocks hold data.
#[derive(Clone, Debug)]
pub struct Image {
    /// Size in bytes.
    pub size: u64,
    /// One for each block.
    pub data: Vec<bool>,
}

impl Image {
    /// An image of so many blocks, the last of which may be partial. Its blocks' bits are the fuzzer's, as far as there are any.
    pub fn drawn(u: &mut Unstructured<'_>, block: u64, blocks: usize) -> Result<Self> {
        let last = 512 * u.int_in_range(1..=block / 512)?;
        let mut data = Vec::with_capacity(blocks);
        // An input that is used up gives nothing but zeros. From there on the image goes on with noise, except in blocks of some sizes: of
        // images that are nearly all alike little can be learned, and that takes long.
        let stays_plain = block.trailing_zeros().is_multiple_of(5);
        let rest = if stays_plain { Vec::new() } else { noise(blocks as u64, blocks.div_ceil(8)) };
        let mut rest = rest.into_iter();
        while data.len() < blocks {
            let bits = match rest.next().filter(|_| u.is_empty()) {
                Some(bits) => bits,
                None => u8::arbitrary(u)?,
            };
            data.extend((0..8).map(|bit| bits >> bit & 1 == 1).take(blocks - data.len()));
        }
        Ok(Self { size: (blocks as u64 - 1) * block + last, data })
    }

    /// The same as the crate's map.
    pub fn map(&self, block: BlockSize) -> BlockMap {
        let mut map = BlockMap::zeroed(Path::new("drawn"), self.size, block).expect("a small image");
        for (number, data) in self.data.iter().enumerate() {
            map.set(number as u64, *data);
        }
        map
    }

    /// What a map says.
    pub fn of_map(map: &BlockMap) -> Self {
        Self {
            size: map.image_size(),
            data: (0..map.block_count()).map(|block| map.is_data(block)).collect(),
        }
    }
}

/// The file of this image; `None` if a number does not fit its field.
pub fn encode(layout: &Layout, image: &Image) -> Option<Vec<u8>> {
    let Form::Binary(form) = &layout.form else { panic!("the twin knows bytes alone") };
    let mut map = stored(form.map, form.padding.bit, layout.block_size.bytes(), image)?;
    let length = map.len();
    map.resize(length.next_multiple_of(form.padding.unit as usize), if form.padding.bit { 0xff } else { 0 });
    let known = |value| match value {
        Value::ImageSize => image.size,
        Value::ImageSizeIn(unit, rounding) => {
            let unit = match unit {
                SizeUnit::Sector => 512,
                SizeUnit::KiB => 1 << 10,
                SizeUnit::MiB => 1 << 20,
            };
            image.size / unit + u64::from(rounding == Rounding::Up && !image.size.is_multiple_of(unit))
        }
        Value::BlockSize => layout.block_size.bytes(),
        Value::BlockCount => image.data.len() as u64,
        Value::DataBlocks => image.data.iter().filter(|data| **data).count() as u64,
        Value::RunCount => match form.map {
            MapForm::Runs(_) => image.data.chunk_by(|a, b| a == b).filter(|run| run[0]).count() as u64,
            MapForm::Bits(_) | MapForm::Cells(_) => 0,
        },
        Value::MapLength => length as u64,
        Value::PaddedLength => map.len() as u64,
        Value::Checksum(..) => 0,
    };
    let header = section(&form.header, &known)?;
    let trailer = section(&form.trailer, &known)?;
    let places = [0, header.len(), header.len() + length, header.len() + map.len()];
    let mut file = [header, map, trailer].concat();
    fill_checksums(&mut file, form, places)?;
    Some(file)
}

/// The map without its padding.
fn stored(form: MapForm, fill: bool, block: u64, image: &Image) -> Option<Vec<u8>> {
    let form = match form {
        MapForm::Bits(bits) => bits,
        MapForm::Cells(cells) => {
            let cells = image.data.iter().map(|data| if *data { cells.data() } else { cells.zero() });
            return Some(cells.collect::<Vec<_>>().concat());
        }
        MapForm::Runs(runs) => return listed(runs, block, image),
    };
    let mut bits = vec![0_u8; image.data.len().div_ceil(8)];
    for number in 0..bits.len() * 8 {
        let set = match image.data.get(number) {
            Some(data) => *data == (form.polarity == Polarity::SetIsData),
            None => fill,
        };
        let place = match form.bit_order {
            BitOrder::LeastSignificantFirst => number % 8,
            BitOrder::MostSignificantFirst => 7 - number % 8,
        };
        bits[number / 8] |= u8::from(set) << place;
    }
    Some(bits)
}

/// The runs of data, block by block; `None` if a number does not fit.
fn listed(runs: Runs, block: u64, image: &Image) -> Option<Vec<u8>> {
    let unit = match runs.unit {
        RunUnit::Byte => 1,
        RunUnit::Sector => 512,
        RunUnit::Block => block,
    };
    let mut bytes = Vec::new();
    let mut first = 0;
    for (number, data) in (1_u64..).zip(&image.data) {
        let is_last = image.data.get(number as usize) != Some(&true);
        if !data {
            first = number;
        } else if is_last {
            let end = if runs.clipped { (number * block).min(image.size) } else { number * block };
            let (start, end) = (first * block / unit, end.div_ceil(unit));
            let second = match runs.numbers {
                RunNumbers::OffsetLength => end - start,
                RunNumbers::FirstLast => end - 1,
                RunNumbers::OffsetEnd => end,
            };
            bytes.extend(number_bytes(start, runs.width, runs.order)?);
            bytes.extend(number_bytes(second, runs.width, runs.order)?);
        }
    }
    Some(bytes)
}

/// The bytes of a header or trailer, with zeros in place of the checksums.
fn section(fields: &[Field], known: &dyn Fn(Value) -> u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for field in fields {
        match field {
            Field::Constant(constant) => bytes.extend_from_slice(constant),
            Field::Number { value, width, order } => {
                bytes.extend(number_bytes(known(*value), *width, *order)?)
            }
        }
    }
    Some(bytes)
}

/// Calculates the checksums again and again until none changes any more: some cover others.
fn fill_checksums(file: &mut [u8], form: &Binary, [start, map, padding, trailer]: [usize; 4]) -> Option<()> {
    let end = file.len();
    loop {
        let before = file.to_vec();
        for (start, end, fields) in [(start, map, &form.header), (trailer, end, &form.trailer)] {
            let mut at = start;
            for field in fields.iter() {
                if let Field::Number { value: Value::Checksum(algorithm, covered), width, order } = field {
                    let mut zeroed = file.to_vec();
                    zeroed[at..at + field.len()].fill(0);
                    let covered = match covered {
                        Covered::Map => &zeroed[map..padding],
                        Covered::PaddedMap => &zeroed[map..trailer],
                        Covered::Before => &zeroed[start..at],
                        Covered::Section => &zeroed[start..end],
                        Covered::Header => &zeroed[..map],
                        Covered::FileBefore => &zeroed[..at],
                        Covered::File => &zeroed,
                    };
                    let number = number_bytes(sum(*algorithm, covered), *width, *order)?;
                    file[at..at + number.len()].copy_from_slice(&number);
                }
                at += field.len();
            }
        }
        if before == file {
            return Some(());
        }
    }
}

fn number_bytes(number: u64, width: Width, order: ByteOrder) -> Option<Vec<u8>> {
    let count = match width {
        Width::U32 => 4,
        Width::U64 => 8,
    };
    if count == 4 && number >> 32 != 0 {
        return None;
    }
    let mut bytes = (0..count).map(|place| (number >> (8 * place)) as u8).collect::<Vec<_>>();
    if order == ByteOrder::Big {
        bytes.reverse();
    }
    Some(bytes)
}

/// Adler-32, or a CRC bit by bit.
fn sum(algorithm: Algorithm, bytes: &[u8]) -> u64 {
    let polynomial = match algorithm {
        Algorithm::Crc32 => 0xedb8_8320,
        Algorithm::Crc32c => 0x82f6_3b78,
        Algorithm::Adler32 => {
            let (mut a, mut b) = (1_u64, 0);
            for byte in bytes {
                a = (a + u64::from(*byte)) % 65521;
                b = (b + a) % 65521;
            }
            return b << 16 | a;
        }
    };
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 };
        }
    }
    u64::from(!crc)
}

/// A layout within what is learned: a magic, numbers, small constants between them, at most one checksum of a section's own.
/// A trailer never begins with what padding could be.
pub fn drawn_layout(u: &mut Unstructured<'_>, block: BlockSize) -> Result<Layout> {
    let unit = 1 << *u.choose(&[0, 0, 0, 1, 2, 3, 4, 9, 9, 12, 12])?;
    let map = drawn_map(u)?;
    let header = drawn_section(u, &[Covered::Before, Covered::Section])?;
    let of_trailer = [Covered::Before, Covered::Section, Covered::FileBefore, Covered::File];
    let binary = Binary {
        map,
        padding: Padding { unit, bit: u.ratio(1, 4)? },
        header: header.into(),
        trailer: drawn_section(u, &of_trailer)?.into(),
    };
    Ok(Layout {
        name: "drawn".into(),
        title: "drawn by the fuzzer".into(),
        block_size: block,
        form: Form::Binary(binary),
        origin: imsprep_bitmap::Origin::Described,
    })
}

fn drawn_map(u: &mut Unstructured<'_>) -> Result<MapForm> {
    if u.ratio(1, 2)? {
        return Ok(MapForm::Bits(Bits {
            bit_order: *u.choose(&[BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst])?,
            polarity: *u.choose(&[Polarity::SetIsData, Polarity::SetIsZero])?,
        }));
    }
    let pairs: [[&[u8]; 2]; 6] = [
        [&[1], &[0]],
        [b"0", b"1"],
        [&[0], &[0xff]],
        [&[0, 1], &[0, 0]],
        [&[1, 0, 0, 0], &[0; 4]],
        [&[0; 4], &[0xff; 4]],
    ];
    let [data, zero] = u.choose(&pairs)?.map(|bytes| Cell::new(bytes).expect("few bytes"));
    Ok(MapForm::Cells(Cells::new(data, zero).expect("values that differ")))
}

/// `own` is what a checksum at its end may cover.
fn drawn_section(u: &mut Unstructured<'_>, own: &[Covered]) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    if u.ratio(1, 3)? {
        return Ok(fields);
    }
    let magic = (0..*u.choose(&[4, 8])?).map(|_| u.int_in_range(b'A'..=b'Z')).collect::<Result<Vec<_>>>()?;
    fields.push(Field::Constant(magic.into()));
    for _ in 0..u.int_in_range(0..=5)? {
        fields.push(if u.ratio(1, 5)? {
            let mut bytes = vec![0; *u.choose(&[1, 2, 4, 8, 32])?];
            bytes[0] = *u.choose(&[0, 1, 0x80])?;
            Field::Constant(bytes.into())
        } else {
            let value = if u.ratio(1, 4)? {
                drawn_checksum(u, &[Covered::Map, Covered::PaddedMap])?
            } else {
                // Only lists have runs to count.
                Some(*u.choose(&Value::PLAIN)?)
                    .filter(|value| *value != Value::RunCount)
                    .unwrap_or(Value::BlockCount)
            };
            drawn_number(u, value)?
        });
    }
    if u.ratio(1, 3)? {
        let value = drawn_checksum(u, own)?;
        fields.push(drawn_number(u, value)?);
    }
    Ok(fields)
}

fn drawn_checksum(u: &mut Unstructured<'_>, covered: &[Covered]) -> Result<Value> {
    let algorithm = *u.choose(&Algorithm::ALL)?;
    Ok(Value::Checksum(algorithm, *u.choose(covered)?))
}

fn drawn_number(u: &mut Unstructured<'_>, value: Value) -> Result<Field> {
    let width = *u.choose(&[Width::U32, Width::U64])?;
    let order = *u.choose(&[ByteOrder::Little, ByteOrder::Big])?;
    Ok(Field::Number { value, width, order })
}
