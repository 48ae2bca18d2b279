//! The slow twin of bitmap files of bits: written bit by bit from the description of the layout, with nothing of the crate's
//! own writer.

use std::path::Path;

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_bitmap::{BitOrder, Bits, ByteOrder, Field, Form, Layout, Padding, Polarity, Value, Width};
use imsprep_source::{BlockMap, BlockSize};

/// An image as the twin sees it: its size, and which of its blocks hold data.
#[derive(Clone, Debug)]
pub struct Image {
    /// Size in bytes.
    pub size: u64,
    /// One for each block.
    pub data: Vec<bool>,
}

impl Image {
    /// An image of so many blocks, the last of which may be partial. Its blocks' bits are the fuzzer's.
    pub fn drawn(u: &mut Unstructured<'_>, block: u64, blocks: usize) -> Result<Self> {
        let last = 512 * u.int_in_range(1..=block / 512)?;
        let mut data = Vec::with_capacity(blocks);
        while data.len() < blocks {
            let bits = u8::arbitrary(u)?;
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
    let Form::Bits(form) = &layout.form else { panic!("the twin knows bits alone") };
    let bit_bytes = image.data.len().div_ceil(8);
    let padded = bit_bytes.next_multiple_of(form.padding.unit as usize);
    let mut bits = vec![0_u8; padded];
    for number in 0..padded * 8 {
        let set = match image.data.get(number) {
            Some(data) => *data == (form.polarity == Polarity::SetIsData),
            None => form.padding.bit,
        };
        let place = match form.bit_order {
            BitOrder::LeastSignificantFirst => number % 8,
            BitOrder::MostSignificantFirst => 7 - number % 8,
        };
        bits[number / 8] |= u8::from(set) << place;
    }
    let known = |value| match value {
        Value::ImageSize => image.size,
        Value::BlockSize => layout.block_size.bytes(),
        Value::BlockCount => image.data.len() as u64,
        Value::DataBlocks => image.data.iter().filter(|data| **data).count() as u64,
        Value::BitsLength => bit_bytes as u64,
        Value::PaddedLength => padded as u64,
        Value::BitsCrc => crc(&bits[..bit_bytes]),
        Value::PaddedCrc => crc(&bits),
        Value::CrcBefore | Value::CrcSection | Value::CrcHeader => 0,
    };
    let header = section(&form.header, &known, 0)?;
    let trailer = section(&form.trailer, &known, crc(&header))?;
    Some([header, bits, trailer].concat())
}

/// The bytes of a header or trailer. Checksums of the section itself come last, each over what is there by then.
fn section(fields: &[Field], known: &dyn Fn(Value) -> u64, header_crc: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut own = Vec::new();
    for field in fields {
        match field {
            Field::Constant(constant) => bytes.extend_from_slice(constant),
            Field::Number { value, width, order } => {
                let number = match value {
                    Value::CrcHeader => header_crc,
                    Value::CrcBefore | Value::CrcSection => {
                        own.push((bytes.len(), *value, *width, *order));
                        0
                    }
                    value => known(*value),
                };
                bytes.extend(number_bytes(number, *width, *order)?);
            }
        }
    }
    for (at, value, width, order) in own {
        let covered = if value == Value::CrcBefore { &bytes[..at] } else { &bytes[..] };
        let number = number_bytes(crc(covered), width, order)?;
        bytes[at..at + number.len()].copy_from_slice(&number);
    }
    Some(bytes)
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

/// CRC-32, bit by bit.
fn crc(bytes: &[u8]) -> u64 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    u64::from(!crc)
}

/// A layout within what is learned: a magic, numbers, small constants between them, at most one checksum of a section's own.
/// A trailer never begins with what padding could be.
pub fn drawn_layout(u: &mut Unstructured<'_>, block: BlockSize) -> Result<Layout> {
    let unit = 1 << *u.choose(&[0, 0, 0, 1, 2, 3, 4, 9, 9, 12, 12])?;
    let bits = Bits {
        bit_order: *u.choose(&[BitOrder::LeastSignificantFirst, BitOrder::MostSignificantFirst])?,
        polarity: *u.choose(&[Polarity::SetIsData, Polarity::SetIsZero])?,
        padding: Padding { unit, bit: u.ratio(1, 4)? },
        header: drawn_section(u)?.into(),
        trailer: drawn_section(u)?.into(),
    };
    Ok(Layout {
        name: "drawn".into(),
        title: "drawn by the fuzzer".into(),
        block_size: block,
        form: Form::Bits(bits),
        origin: imsprep_bitmap::Origin::Described,
    })
}

fn drawn_section(u: &mut Unstructured<'_>) -> Result<Vec<Field>> {
    const PLAIN: [Value; 8] = [
        Value::ImageSize,
        Value::BlockSize,
        Value::BlockCount,
        Value::DataBlocks,
        Value::BitsLength,
        Value::PaddedLength,
        Value::BitsCrc,
        Value::PaddedCrc,
    ];
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
            {
                let value = *u.choose(&PLAIN)?;
                drawn_number(u, value)?
            }
        });
    }
    if u.ratio(1, 3)? {
        let value = *u.choose(&[Value::CrcBefore, Value::CrcSection])?;
        fields.push(drawn_number(u, value)?);
    }
    Ok(fields)
}

fn drawn_number(u: &mut Unstructured<'_>, value: Value) -> Result<Field> {
    let width = *u.choose(&[Width::U32, Width::U64])?;
    let order = *u.choose(&[ByteOrder::Little, ByteOrder::Big])?;
    Ok(Field::Number { value, width, order })
}
