//! Maps that list the runs of data: two numbers for each run.

use imsprep_source::{BlockMap, BlockRun};

use crate::error::{CannotEncode, LONGEST, NotThisLayout};
use crate::field::SizeUnit;
use crate::number::{ByteOrder, Width, number_bytes, number_in};

/// What the numbers of a run count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunUnit {
    /// Bytes.
    Byte,
    /// Sectors of 512 bytes.
    Sector,
    /// Blocks of the layout.
    Block,
}

/// The two numbers of a run. The first one is where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunNumbers {
    /// Offset and length.
    OffsetLength,
    /// The first unit and the last one.
    FirstLast,
    /// Offset and the offset of the first unit after the run.
    OffsetEnd,
}

/// Two numbers for each run of data, in the order of the runs; neighbouring blocks are in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// What the numbers count.
    pub unit: RunUnit,
    /// Which numbers they are.
    pub numbers: RunNumbers,
    /// Bytes of each number.
    pub width: Width,
    /// Which byte of a number comes first.
    pub order: ByteOrder,
    /// A run that reaches the end of the image ends there, and not where its last block would end. In blocks that makes no difference.
    pub clipped: bool,
}

/// Begin and end of a run, in units.
struct Span {
    start: u64,
    end: u64,
}

impl Runs {
    /// Bytes of a run.
    pub(crate) fn entry(&self) -> usize {
        2 * self.width.bytes()
    }

    /// Bytes of a unit.
    fn unit_bytes(&self, map: &BlockMap) -> u64 {
        match self.unit {
            RunUnit::Byte => 1,
            RunUnit::Sector => SizeUnit::Sector.bytes(),
            RunUnit::Block => map.block_size().bytes(),
        }
    }

    fn span(&self, map: &BlockMap, run: BlockRun) -> Span {
        let (unit, block) = (self.unit_bytes(map), map.block_size().bytes());
        let end = (run.first + run.count).saturating_mul(block);
        let end = if self.clipped { end.min(map.image_size()) } else { end };
        Span { start: run.first.saturating_mul(block) / unit, end: end.div_ceil(unit) }
    }

    /// The first runs as they are stored, `most` of them at most.
    pub(crate) fn stored_first(&self, map: &BlockMap, most: usize) -> Result<Vec<u8>, CannotEncode> {
        let mut bytes = Vec::new();
        for run in map.runs().filter(|run| run.data).take(most) {
            let Span { start, end } = self.span(map, run);
            let second = match self.numbers {
                RunNumbers::OffsetLength => end - start,
                RunNumbers::FirstLast => end - 1,
                RunNumbers::OffsetEnd => end,
            };
            for number in [start, second] {
                let too_narrow =
                    CannotEncode::TooNarrow { field: "number of a run", number, bytes: self.width.bytes() };
                bytes.extend(number_bytes(number, self.width, self.order).ok_or(too_narrow)?);
            }
            if bytes.len() as u64 > LONGEST {
                return Err(CannotEncode::TooLong);
            }
        }
        Ok(bytes)
    }

    /// The runs as they are stored.
    pub(crate) fn stored(&self, map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
        self.stored_first(map, usize::MAX)
    }

    /// The map in a list of runs that begins at byte `start` of its file. Runs ascend, with a gap between any two.
    pub(crate) fn decode(
        &self,
        list: &[u8],
        start: usize,
        mut map: BlockMap,
    ) -> Result<BlockMap, NotThisLayout> {
        let entries = list.chunks_exact(self.entry());
        if !entries.remainder().is_empty() {
            let (length, entry) = (list.len(), self.entry());
            let what =
                format!("the list of runs has {length} bytes, which is no multiple of the {entry} of a run");
            return Err(NotThisLayout::Fault { what });
        }
        let mut free_from = 0;
        for (number, entry) in entries.enumerate() {
            let (first, second) = entry.split_at(self.width.bytes());
            let numbers = (number_in(first, self.order), number_in(second, self.order));
            let offset = (start + number * self.entry()) as u64;
            let (first, end) = self.blocks(&map, numbers).ok_or(NotThisLayout::Run { offset })?;
            if first < free_from || first >= end || end > map.block_count() {
                return Err(NotThisLayout::Run { offset });
            }
            map.set_run(first, end - first, true);
            free_from = end + 1;
        }
        Ok(map)
    }

    /// The first block of a run and the first one after it; `None` if a number is not where a block begins or ends.
    fn blocks(&self, map: &BlockMap, (start, second): (u64, u64)) -> Option<(u64, u64)> {
        let end = match self.numbers {
            RunNumbers::OffsetLength => start.checked_add(second)?,
            RunNumbers::FirstLast => second.checked_add(1)?,
            RunNumbers::OffsetEnd => second,
        };
        let unit = self.unit_bytes(map);
        let block = map.block_size().bytes();
        let (start, end) = (start.checked_mul(unit)?, end.checked_mul(unit)?);
        let ends_with_image = self.clipped && end == map.image_size().checked_next_multiple_of(unit)?;
        let is_whole = start.is_multiple_of(block) && (end.is_multiple_of(block) || ends_with_image);
        is_whole.then(|| (start / block, end.div_ceil(block)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_source::BlockSize;

    use super::*;

    /// Ten blocks of 2 KiB, the last of which has 512 bytes and holds data.
    fn map() -> BlockMap {
        let size = 9 * 2048 + 512;
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::new(2048).unwrap()).unwrap();
        [0, 3, 4, 9].into_iter().for_each(|block| map.set(block, true));
        map
    }

    fn blank() -> BlockMap {
        let map = map();
        BlockMap::zeroed(Path::new("x"), map.image_size(), map.block_size()).unwrap()
    }

    fn runs(unit: RunUnit, numbers: RunNumbers, clipped: bool) -> Runs {
        Runs { unit, numbers, width: Width::U32, order: ByteOrder::Big, clipped }
    }

    #[test]
    fn each_unit_and_pair_of_numbers() {
        use RunNumbers::{FirstLast, OffsetEnd, OffsetLength};
        for (unit, numbers, clipped, expected) in [
            (RunUnit::Block, OffsetLength, false, [0, 1, 3, 2, 9, 1]),
            (RunUnit::Block, FirstLast, true, [0, 0, 3, 4, 9, 9]),
            (RunUnit::Sector, OffsetEnd, false, [0, 4, 12, 20, 36, 40]),
            (RunUnit::Sector, OffsetEnd, true, [0, 4, 12, 20, 36, 37]),
            (RunUnit::Byte, OffsetLength, false, [0, 2048, 6144, 4096, 18432, 2048]),
            (RunUnit::Byte, OffsetLength, true, [0, 2048, 6144, 4096, 18432, 512]),
            (RunUnit::Byte, FirstLast, true, [0, 2047, 6144, 10239, 18432, 18943]),
        ] {
            let runs = runs(unit, numbers, clipped);
            let bytes = expected.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<_>>();
            assert_eq!(runs.stored(&map()), Ok(bytes.clone()), "{runs:?}");
            assert_eq!(runs.decode(&bytes, 7, blank()), Ok(map()), "{runs:?}");
        }
    }

    #[test]
    fn runs_that_are_none_have_their_offset() {
        let runs = runs(RunUnit::Sector, RunNumbers::OffsetLength, true);
        let of = |numbers: &[u32]| {
            let bytes = numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>();
            runs.decode(&bytes, 100, blank())
        };
        assert!(of(&[]).is_ok() && of(&[0, 4, 12, 4]).is_ok() && of(&[36, 1]).is_ok());
        for (numbers, offset) in [
            // No data, neighbours, backwards, half a block, beyond the end.
            (&[0, 0][..], 100),
            (&[0, 4, 4, 4], 108),
            (&[12, 4, 0, 4], 108),
            (&[2, 4], 100),
            (&[0, 5], 100),
            (&[40, 4], 100),
            (&[36, 5], 100),
            (&[u32::MAX, u32::MAX], 100),
        ] {
            assert_eq!(of(numbers), Err(NotThisLayout::Run { offset }), "{numbers:?}");
        }
        assert!(matches!(runs.decode(&[0; 9], 0, blank()), Err(NotThisLayout::Fault { .. })));
        let wide = Runs { width: Width::U64, unit: RunUnit::Byte, numbers: RunNumbers::FirstLast, ..runs };
        let most = [0, u64::MAX].into_iter().flat_map(u64::to_be_bytes).collect::<Vec<_>>();
        assert_eq!(wide.decode(&most, 0, blank()), Err(NotThisLayout::Run { offset: 0 }));
    }
}
