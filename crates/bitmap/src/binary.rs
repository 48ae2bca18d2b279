//! Bitmap files of bytes: header, map, padding and trailer; and the one writer and reader that their description drives.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use imsprep_source::{BlockMap, BlockSize};

use crate::bits::Bits;
use crate::cells::Cells;
use crate::error::{CannotEncode, LONGEST, NotThisLayout, zeroed};
use crate::field::{self, Field, Numbers, TooNarrow, Value};
use crate::frame::{Around, Frame, MapSums, fill_checksums};
use crate::number;
use crate::runs::Runs;

/// What follows the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    /// The map is filled up to a multiple of so many bytes, at least 1. Header and trailer don't count. A list of runs has no padding:
    /// its unit is 1.
    pub unit: u32,
    /// The value of each bit of padding; in a map of bits, those in the last block's byte included.
    pub bit: bool,
}

impl Padding {
    /// Each byte of it.
    pub(crate) fn byte(self) -> u8 {
        if self.bit { 0xff } else { 0 }
    }
}

/// How a map says which blocks hold data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapForm {
    /// One bit for each block.
    Bits(Bits),
    /// A byte or a word for each block.
    Cells(Cells),
    /// Two numbers for each run of data.
    Runs(Runs),
}

/// Header, map, padding, trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// How the map says which blocks hold data.
    pub map: MapForm,
    /// What follows the map.
    pub padding: Padding,
    /// What comes before the map.
    pub header: Cow<'static, [Field]>,
    /// What comes after the padding.
    pub trailer: Cow<'static, [Field]>,
}

impl MapForm {
    /// Bytes that the map of an image of this size takes; `None` if they depend on the content.
    pub(crate) fn length(self, block_size: BlockSize, image_size: u64) -> Option<u64> {
        match self {
            Self::Bits(_) => Some(Bits::length(block_size, image_size)),
            Self::Cells(cells) => Some(cells.length(block_size, image_size)),
            Self::Runs(_) => None,
        }
    }

    /// The map as it is stored.
    pub(crate) fn stored(self, map: &BlockMap, padding: Padding) -> Result<Vec<u8>, CannotEncode> {
        match self {
            Self::Bits(bits) => Ok(bits.stored(map, padding.bit)),
            Self::Cells(cells) => Ok(cells.stored(map)),
            Self::Runs(runs) => runs.stored(map),
        }
    }

    /// What these bytes of the map, of which each stands for eight blocks, are stored as. `None` of a list of runs, and if not all of
    /// their blocks are there.
    pub(crate) fn stored_part(self, map: &BlockMap, part: Range<usize>) -> Option<Vec<u8>> {
        let whole = map.as_lsb_bytes().get(..usize::try_from(map.block_count() / 8).ok()?)?;
        let bytes = whole.get(part)?;
        let size = map.block_size().bytes().checked_mul(8 * bytes.len() as u64)?;
        let part = BlockMap::from_lsb_bytes(bytes, size, map.block_size())?;
        match self {
            Self::Bits(bits) => Some(bits.stored(&part, false)),
            Self::Cells(cells) => Some(cells.stored(&part)),
            Self::Runs(_) => None,
        }
    }

    /// Bytes that every map is a multiple of.
    pub(crate) fn granule(self) -> usize {
        match self {
            Self::Bits(_) => 1,
            Self::Cells(cells) => cells.width(),
            Self::Runs(runs) => runs.entry(),
        }
    }
}

/// A map as it is stored, and what has to be known of it for each file that it is in.
#[derive(Debug)]
pub(crate) struct Stored<'m> {
    bytes: Lazy<'m>,
    length: usize,
    data_blocks: u64,
    sums: MapSums,
}

/// The bytes of a map, written when they are needed: headers and trailers are told apart without.
#[derive(Debug)]
struct Lazy<'m> {
    map: &'m BlockMap,
    form: MapForm,
    padding: Padding,
    bytes: OnceCell<Vec<u8>>,
}

impl Lazy<'_> {
    fn get(&self) -> &[u8] {
        // Only a list of runs may be one that cannot be written, and that is known of it from the beginning, like its length.
        self.bytes.get_or_init(|| self.form.stored(self.map, self.padding).unwrap_or_default())
    }
}

impl Binary {
    /// Length of the complete file; `None` if it depends on the content.
    pub(crate) fn file_length(&self, block_size: BlockSize, image_size: u64) -> Option<u64> {
        let map = self.map.length(block_size, image_size)?;
        Some(self.around().saturating_add(map.next_multiple_of(u64::from(self.padding.unit.max(1)))))
    }

    /// Bytes of header and trailer.
    fn around(&self) -> u64 {
        (field::length_of(&self.header) as u64).saturating_add(field::length_of(&self.trailer) as u64)
    }

    /// Where the parts are in a file with a map of so many bytes.
    fn frame(&self, map: usize) -> Frame {
        Frame {
            header: field::length_of(&self.header),
            map,
            padded: map.next_multiple_of(self.padding.unit.max(1) as usize),
            trailer: field::length_of(&self.trailer),
        }
    }

    pub(crate) fn encode(&self, map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
        let mut stored = self.stored(map, map.data_count())?;
        let (frame, around) = self.around_map(&mut stored)?;
        Ok(stored.file(&frame, &around))
    }

    /// The map as it is stored, without the padding after it. So many of its blocks hold data.
    pub(crate) fn stored<'m>(&self, map: &'m BlockMap, data_blocks: u64) -> Result<Stored<'m>, CannotEncode> {
        let length = self.file_length(map.block_size(), map.image_size());
        if length.is_some_and(|length| length > LONGEST) {
            return Err(CannotEncode::TooLong);
        }
        let bytes = Lazy { map, form: self.map, padding: self.padding, bytes: OnceCell::new() };
        let length = match self.map.length(map.block_size(), map.image_size()) {
            Some(length) => usize::try_from(length).map_err(|_| CannotEncode::TooLong)?,
            None => {
                let stored = self.map.stored(map, self.padding)?;
                bytes.bytes.get_or_init(|| stored).len()
            }
        };
        Ok(Stored { bytes, length, data_blocks, sums: MapSums::default() })
    }

    /// Header and trailer of the file of a map that was [stored](Self::stored) before, by this layout or by one with the same size of
    /// blocks, form of the map and value of the padding; and where all is in the file.
    pub(crate) fn around_map(&self, stored: &mut Stored<'_>) -> Result<(Frame, Around), CannotEncode> {
        let Stored { bytes, length, data_blocks, sums } = stored;
        let frame = self.frame(*length);
        if (frame.padded as u64).saturating_add(self.around()) > LONGEST {
            return Err(CannotEncode::TooLong);
        }
        let numbers = numbers_of(bytes.map, *data_blocks, self.map, &frame);
        let section = |fields: &[Field]| {
            field::write_section(fields, &numbers).map_err(|error: TooNarrow| CannotEncode::TooNarrow {
                field: error.value.title(),
                number: error.number,
                bytes: error.width.bytes(),
            })
        };
        let mut around = Around { header: section(&self.header)?, trailer: section(&self.trailer)? };
        let (fields, map) = ((&*self.header, &*self.trailer), (|| bytes.get(), self.padding.byte()));
        fill_checksums(&mut around, &frame, fields, map, sums);
        Ok((frame, around))
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
        let map = self.decode_map(bytes, block_size, image_size)?;
        // What the map says, written again, differs from the file in padding and fields alone.
        let again = self.encode(&map).map_err(|error| NotThisLayout::Fault { what: error.to_string() })?;
        match bytes.iter().zip(&again).position(|(a, b)| a != b) {
            Some(offset) => Err(self.what_is_at(offset, bytes, &again)),
            None if bytes.len() != again.len() => {
                Err(NotThisLayout::Length { expected: again.len() as u64, found: bytes.len() as u64 })
            }
            None => Ok(map),
        }
    }

    /// What the map in a file says.
    fn decode_map(
        &self,
        bytes: &[u8],
        block_size: BlockSize,
        image_size: u64,
    ) -> Result<BlockMap, NotThisLayout> {
        let expected = self.file_length(block_size, image_size).unwrap_or(bytes.len() as u64);
        let length = NotThisLayout::Length { expected, found: bytes.len() as u64 };
        if bytes.len() as u64 != expected {
            return Err(length);
        }
        let start = field::length_of(&self.header);
        match self.map {
            MapForm::Bits(bits) => {
                let stored = bytes.get(start..).unwrap_or_default();
                bits.decode_prefix(stored, block_size, image_size).ok_or(length)
            }
            MapForm::Cells(cells) => cells.decode(bytes, start, zeroed(image_size, block_size)?),
            MapForm::Runs(runs) => {
                let end = bytes.len().saturating_sub(field::length_of(&self.trailer));
                let list = bytes.get(start..end).unwrap_or_default();
                runs.decode(list, start, zeroed(image_size, block_size)?)
            }
        }
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
    fn image_size_in(&self, bytes: &[u8]) -> Option<u64> {
        self.placed_in(bytes)?.find_map(|(range, field)| match field {
            Field::Number { value: Value::ImageSize, order, .. } => {
                Some(number::number_in(bytes.get(range)?, *order))
            }
            _ => None,
        })
    }

    /// The first byte that differs from the layout's constant bytes.
    fn wrong_constant(&self, bytes: &[u8]) -> Option<u64> {
        let Some(mut placed) = self.placed_in(bytes) else { return Some(bytes.len() as u64) };
        placed.find_map(|(range, field)| {
            let Field::Constant(constant) = field else { return None };
            let there = bytes.get(range.clone())?;
            let wrong = there.iter().zip(constant.iter()).position(|(a, b)| a != b)?;
            Some((range.start + wrong) as u64)
        })
    }

    /// The fields of header and trailer with the bytes of a file that they take, whatever is between the two sections. `None` if the
    /// file is too short for both.
    fn placed_in(&self, bytes: &[u8]) -> Option<impl Iterator<Item = (Range<usize>, &Field)>> {
        let between = bytes.len().checked_sub(usize::try_from(self.around()).ok()?)?;
        let frame = Frame { map: between, padded: between, ..self.frame(0) };
        Some(frame.placed(&self.header, &self.trailer).map(|(_, range, field)| (range, field)))
    }

    /// Names the expected content at this offset, where a file that was written again differs.
    fn what_is_at(&self, offset: usize, found: &[u8], expected: &[u8]) -> NotThisLayout {
        for (range, field) in self.placed_in(expected).into_iter().flatten() {
            if let (true, Field::Number { value, order, .. }) = (range.contains(&offset), field) {
                let number =
                    |file: &[u8]| number::number_in(file.get(range.clone()).unwrap_or_default(), *order);
                return NotThisLayout::Field {
                    field: value.title(),
                    offset: range.start as u64,
                    expected: number(expected),
                    found: number(found),
                };
            }
        }
        NotThisLayout::Padding { offset: offset as u64 }
    }
}

impl Stored<'_> {
    /// The first `length` bytes of the [file](Self::file), or all. Only a part of the map is written for it, if that does.
    pub(crate) fn beginning(&self, frame: &Frame, around: &Around, length: usize) -> Vec<u8> {
        let of_map = length.saturating_sub(around.header.len());
        let Lazy { map, form, bytes, .. } = &self.bytes;
        let eights = match form {
            MapForm::Bits(_) => of_map,
            MapForm::Cells(cells) => of_map.div_ceil(8 * cells.width()),
            MapForm::Runs(_) => usize::MAX,
        };
        let part = if bytes.get().is_none() { form.stored_part(map, 0..eights) } else { None };
        match part {
            Some(part) => {
                let header = around.header.get(..length).unwrap_or(&around.header);
                [header, part.get(..of_map).unwrap_or(&part)].concat()
            }
            None => {
                let mut file = self.file(frame, around);
                file.truncate(length);
                file
            }
        }
    }

    /// The complete file, with a header and trailer that [were written](Binary::around_map) around this map.
    pub(crate) fn file(&self, frame: &Frame, around: &Around) -> Vec<u8> {
        let end = frame.header + frame.padded;
        let mut file = Vec::with_capacity(end + frame.trailer);
        file.extend_from_slice(&around.header);
        file.extend_from_slice(self.bytes.get());
        file.resize(end, self.bytes.padding.byte());
        file.extend_from_slice(&around.trailer);
        file
    }
}

/// All that header and trailer may tell of a map with so many data blocks, except for checksums.
pub(crate) fn numbers_of(map: &BlockMap, data_blocks: u64, form: MapForm, frame: &Frame) -> Numbers {
    Numbers {
        image_size: map.image_size(),
        block_size: map.block_size().bytes(),
        block_count: map.block_count(),
        data_blocks,
        run_count: match form {
            MapForm::Runs(runs) => (frame.map / runs.entry()) as u64,
            MapForm::Bits(_) | MapForm::Cells(_) => 0,
        },
        map_length: frame.map as u64,
        padded_length: frame.padded as u64,
    }
}
