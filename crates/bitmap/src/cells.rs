//! Maps of a byte, a word or a digit for each block.

use imsprep_source::{BlockMap, BlockSize};

use crate::error::NotThisLayout;

/// The bytes that stand for one block: one to eight of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Cell {
    /// Most bytes in a cell.
    pub const LONGEST: usize = 8;

    /// A cell of these bytes; `None` if they are none or too many.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| *length > 0)?;
        let mut cell = Self { bytes: [0; Self::LONGEST], length };
        cell.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(cell)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// One cell for each block, block 0 first: one value for data, and another one for zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    data: Cell,
    zero: Cell,
}

impl Cells {
    /// Cells with these values; `None` if they are the same or differ in length.
    pub fn new(data: Cell, zero: Cell) -> Option<Self> {
        (data != zero && data.length == zero.length).then_some(Self { data, zero })
    }

    /// The value for a block that holds data.
    pub fn data(&self) -> &[u8] {
        self.data.as_bytes()
    }

    /// The value for a block whose bytes are all zero.
    pub fn zero(&self) -> &[u8] {
        self.zero.as_bytes()
    }

    /// Bytes of a cell.
    pub(crate) fn width(&self) -> usize {
        usize::from(self.data.length)
    }

    /// Bytes that the cells of an image of this size take.
    pub(crate) fn length(&self, block_size: BlockSize, image_size: u64) -> u64 {
        block_size.blocks_in(image_size).saturating_mul(u64::from(self.data.length))
    }

    /// The cells as they are stored.
    pub(crate) fn stored(&self, map: &BlockMap) -> Vec<u8> {
        let mut bytes = self.zero().repeat(usize::try_from(map.block_count()).unwrap_or(0));
        let data = self.data();
        for run in map.runs().filter(|run| run.data) {
            let place =
                |block: u64| usize::try_from(block).unwrap_or(usize::MAX).saturating_mul(self.width());
            let cells = bytes.get_mut(place(run.first)..place(run.first + run.count)).unwrap_or_default();
            match data {
                [first, rest @ ..] if rest.iter().all(|byte| byte == first) => cells.fill(*first),
                _ => cells.chunks_exact_mut(self.width()).for_each(|cell| cell.copy_from_slice(data)),
            }
        }
        bytes
    }

    /// The map in the cells at `start` of a file, which has to be long enough for them.
    pub(crate) fn decode(
        &self,
        file: &[u8],
        start: usize,
        mut map: BlockMap,
    ) -> Result<BlockMap, NotThisLayout> {
        let cells = file.get(start..).unwrap_or_default().chunks_exact(self.width());
        for (block, cell) in (0..map.block_count()).zip(cells) {
            match cell {
                cell if cell == self.data() => map.set(block, true),
                cell if cell == self.zero() => {}
                _ => {
                    let offset = start as u64 + block * u64::from(self.data.length);
                    return Err(NotThisLayout::Cell { offset });
                }
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn cells(data: &[u8], zero: &[u8]) -> Option<Cells> {
        Cells::new(Cell::new(data)?, Cell::new(zero)?)
    }

    #[test]
    fn values_have_to_differ_and_to_be_of_the_same_length() {
        assert!(cells(b"1", b"0").is_some() && cells(&[1; 8], &[0; 8]).is_some());
        assert_eq!(cells(b"1", b"1"), None);
        assert_eq!(cells(b"1", b"00"), None);
        assert_eq!(cells(b"", b""), None);
        assert_eq!(cells(&[1; 9], &[0; 9]), None);
    }

    #[test]
    fn a_value_that_is_neither_has_its_offset() {
        let cells = cells(&[0, 1], &[0, 0]).unwrap();
        let mut map = BlockMap::zeroed(Path::new("x"), 3 << 20, BlockSize::new(1 << 20).unwrap()).unwrap();
        map.set(1, true);
        let stored = cells.stored(&map);
        assert_eq!(stored, [0, 0, 0, 1, 0, 0]);
        let blank = BlockMap::zeroed(Path::new("x"), 3 << 20, BlockSize::new(1 << 20).unwrap()).unwrap();
        let file = [&b"abc"[..], &stored].concat();
        assert_eq!(cells.decode(&file, 3, blank.clone()), Ok(map));
        let mut wrong = file.clone();
        wrong[7] = 9;
        assert_eq!(cells.decode(&wrong, 3, blank), Err(NotThisLayout::Cell { offset: 7 }));
    }
}
