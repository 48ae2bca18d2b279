//! A disk in a bounded number of pieces: where there is data, where there are zeros, and what was not read.

use std::iter::Peekable;
use std::ops::Range;

use imsprep_source::BlockMap;
use imsprep_zvhd2::Occupancy;

use crate::saving::blocks_in;

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// It holds data.
    Data,
    /// It holds data, but no byte of a file.
    Free,
    /// All of it reads as zeros.
    Zero,
    /// It was not read, or could not be.
    Unread,
}

/// Neighbouring blocks of which the same is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First block.
    pub first: u64,
    /// Number of blocks, at least 1.
    pub count: u64,
    /// What is known of them.
    pub state: BlockState,
}

/// What a piece of the disk holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Blocks in all.
    pub blocks: u64,
    /// Those that hold data, also if no file holds a byte of them.
    pub data: u64,
    /// Those of the data of which no file holds a byte.
    pub free: u64,
    /// Those that were not read.
    pub unread: u64,
    /// Those that a container has a record of.
    pub records: u64,
    /// Bytes of the payloads of these records.
    pub stored: u64,
}

impl Piece {
    /// Blocks that hold data of files, or data of which it is not known whether a file holds it.
    pub fn held(&self) -> u64 {
        self.data.saturating_sub(self.free)
    }

    /// Blocks of zeros.
    pub fn zero(&self) -> u64 {
        self.blocks.saturating_sub(self.data).saturating_sub(self.unread)
    }

    fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        self.data += other.data;
        self.free += other.free;
        self.unread += other.unread;
        self.records += other.records;
        self.stored += other.stored;
    }
}

/// A stretch of the disk and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Offset of its first byte on the disk.
    pub start: u64,
    /// Offset of the first byte after it.
    pub end: u64,
    /// What it holds.
    pub piece: Piece,
}

/// A disk in pieces of equal size. Its memory does not grow with the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    size: u64,
    block_size: u64,
    per_piece: u64,
    pieces: Vec<Piece>,
    most_spans: usize,
    spans: Option<Vec<Span>>,
    stored_is_known: bool,
    unread_because: Option<String>,
    /// Blocks that were reported so far.
    told: u64,
}

impl Overview {
    /// What a scan found, in at most `most` pieces. No file holds a byte of the ranges in `free`, which are ascending.
    pub(crate) fn of_scan(map: &BlockMap, free: &[Range<u64>], most: usize) -> Option<Self> {
        let mut overview = Self::begin(map.image_size(), map.block_size().bytes(), most)?;
        let mut free = overview.free_blocks(free);
        for run in map.runs() {
            if run.data {
                overview.tell_data(run.count, &mut free);
            } else {
                overview.tell(run.count, BlockState::Zero);
            }
        }
        Some(overview)
    }

    /// What the records of a container tell of a disk of `size` bytes. Where they were not expanded, `why_not` says why. No file holds a
    /// byte of the ranges in `free`, which are ascending.
    pub(crate) fn of_container(
        occupancy: &Occupancy,
        (size, block_size): (u64, u64),
        free: &[Range<u64>],
        why_not: Option<&str>,
        most: usize,
    ) -> Option<Self> {
        let mut overview = Self::begin(size, block_size, most)?;
        let mut free = overview.free_blocks(free);
        let mut with_payload = occupancy.payloads().map(|(block, _)| block).collect::<Vec<_>>();
        with_payload.sort_unstable();
        let mut with_payload = with_payload.into_iter().peekable();
        for block in occupancy.marked() {
            let zeros = u64::from(*block).saturating_sub(overview.told);
            overview.tell(zeros, BlockState::Zero);
            let is_stored = with_payload.next_if_eq(block).is_some();
            if is_stored && why_not.is_none() {
                overview.tell_data(1, &mut free);
            } else {
                overview.tell(1, BlockState::Unread);
            }
        }
        let rest = if occupancy.is_cut() { BlockState::Unread } else { BlockState::Zero };
        overview.tell(u64::MAX, rest);
        for (block, size) in occupancy.payloads() {
            if let Some(piece) = overview.piece_of(block.into()) {
                piece.records += 1;
                piece.stored += u64::from(size);
            }
        }
        overview.stored_is_known = true;
        let some_unread = overview.whole().unread > 0;
        let why = why_not.unwrap_or("the bitmap marks them, but their records cannot be read");
        overview.unread_because = some_unread.then(|| why.to_owned());
        Some(overview)
    }

    /// A disk that was not read.
    pub(crate) fn unread(size: u64, block_size: u64, why: &str, most: usize) -> Option<Self> {
        let mut overview = Self::begin(size, block_size, most)?;
        overview.tell(u64::MAX, BlockState::Unread);
        overview.unread_because = Some(why.to_owned());
        Some(overview)
    }

    /// `None` of a disk without a block, or of one with more blocks than there can be.
    fn begin(size: u64, block_size: u64, most: usize) -> Option<Self> {
        let blocks = size.checked_div(block_size).map(|_| size.div_ceil(block_size))?;
        if blocks == 0 || blocks > BlockMap::MAX_BLOCKS {
            return None;
        }
        let per_piece = blocks.div_ceil((most as u64).max(1));
        let pieces = (0..blocks.div_ceil(per_piece))
            .map(|piece| Piece { blocks: per_piece.min(blocks - piece * per_piece), ..Piece::default() });
        Some(Self {
            size,
            block_size,
            per_piece,
            pieces: pieces.collect(),
            most_spans: most / 4,
            spans: Some(Vec::new()),
            stored_is_known: false,
            unread_because: None,
            told: 0,
        })
    }

    /// The blocks of the ranges that are free: ascending.
    fn free_blocks<'r>(
        &self,
        ranges: &'r [Range<u64>],
    ) -> FreeBlocks<impl Iterator<Item = Range<u64>> + use<'r>> {
        let blocks = blocks_in(ranges, self.size, self.block_size).filter(|blocks| !blocks.is_empty());
        FreeBlocks { blocks: blocks.peekable() }
    }

    /// The next `count` blocks hold data, some of which may be free.
    fn tell_data(&mut self, count: u64, free: &mut FreeBlocks<impl Iterator<Item = Range<u64>>>) {
        let end = self.told.saturating_add(count).min(self.block_count());
        while self.told < end {
            let (state, upto) = free.state_of(self.told);
            self.tell(upto.min(end) - self.told, state);
        }
    }

    /// What the next `count` blocks are, as far as there are any.
    fn tell(&mut self, count: u64, state: BlockState) {
        let (mut at, blocks) = (self.told, self.block_count());
        let end = at.saturating_add(count).min(blocks);
        if at >= end {
            return;
        }
        self.add_span(Span { first: at, count: end - at, state });
        while at < end {
            let upto = ((at / self.per_piece + 1) * self.per_piece).min(end);
            if let Some(piece) = self.piece_of(at) {
                match state {
                    BlockState::Data => piece.data += upto - at,
                    BlockState::Free => {
                        piece.data += upto - at;
                        piece.free += upto - at;
                    }
                    BlockState::Unread => piece.unread += upto - at,
                    BlockState::Zero => {}
                }
            }
            at = upto;
        }
        self.told = end;
    }

    fn add_span(&mut self, span: Span) {
        let Some(spans) = &mut self.spans else { return };
        if let Some(last) = spans.last_mut().filter(|last| last.state == span.state) {
            last.count += span.count;
        } else if spans.len() < self.most_spans {
            spans.push(span);
        } else {
            self.spans = None;
        }
    }

    fn piece_of(&mut self, block: u64) -> Option<&mut Piece> {
        let number = usize::try_from(block / self.per_piece).ok()?;
        self.pieces.get_mut(number)
    }

    /// Bytes that the blocks cover; the last block may be partial.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of a block.
    pub fn block_size(&self) -> u64 {
        self.block_size
    }

    /// Blocks in all.
    pub fn block_count(&self) -> u64 {
        self.size.div_ceil(self.block_size)
    }

    /// Blocks of each piece but the last, which may have fewer.
    pub fn blocks_per_piece(&self) -> u64 {
        self.per_piece
    }

    /// The pieces, from the beginning of the disk to its end.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Every stretch of the disk, in order and without gaps; `None` if there are more than were kept.
    pub fn spans(&self) -> Option<&[Span]> {
        self.spans.as_deref()
    }

    /// Whether it is known how many bytes the records take: the disk lies in a container whose records were read.
    pub fn stored_is_known(&self) -> bool {
        self.stored_is_known
    }

    /// Why there are blocks that were not read, if there are any.
    pub fn unread_because(&self) -> Option<&str> {
        self.unread_because.as_deref()
    }

    /// The whole disk as one piece.
    pub fn whole(&self) -> Piece {
        let mut whole = Piece::default();
        self.pieces.iter().for_each(|piece| whole.add(piece));
        whole
    }

    /// The disk in at most `most` regions of equal size, but for the last.
    pub fn regions(&self, most: usize) -> Vec<Region> {
        let per_region = self.pieces.len().div_ceil(most.max(1)).max(1);
        let mut start = 0;
        let regions = self.pieces.chunks(per_region).map(|pieces| {
            let mut piece = Piece::default();
            pieces.iter().for_each(|one| piece.add(one));
            let end = piece.blocks.saturating_mul(self.block_size).saturating_add(start).min(self.size);
            let region = Region { start, end, piece };
            start = end;
            region
        });
        regions.collect()
    }
}

/// Blocks of which no file holds a byte, asked for in ascending order.
struct FreeBlocks<I: Iterator<Item = Range<u64>>> {
    blocks: Peekable<I>,
}

impl<I: Iterator<Item = Range<u64>>> FreeBlocks<I> {
    /// What a block that holds data is, and the first block after it of which that is not so.
    fn state_of(&mut self, block: u64) -> (BlockState, u64) {
        while self.blocks.next_if(|free| free.end <= block).is_some() {}
        match self.blocks.peek() {
            Some(free) if free.start <= block => (BlockState::Free, free.end),
            Some(free) => (BlockState::Data, free.start),
            None => (BlockState::Data, u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_source::{BlockSize, Cancel, MemoryImage, Work};
    use imsprep_zvhd2::Depth;
    use proptest::prelude::*;

    use super::*;

    const BLOCK: u64 = 2 << 20;

    fn map_of(blocks: &[bool]) -> BlockMap {
        let size = blocks.len() as u64 * BLOCK;
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIB_2).unwrap();
        (0..).zip(blocks).for_each(|(block, data)| map.set(block, *data));
        map
    }

    proptest! {
        #[test]
        fn pieces_spans_and_regions_are_the_map(
            blocks in prop::collection::vec(any::<bool>(), 1..200), most in 1..100usize, regions in 1..40usize,
            lengths in prop::collection::vec(1_u64..40, 0..14),
        ) {
            // Lengths are quarters of a block, of what is not free and what is, in turn.
            const PART: u64 = BLOCK / 4;
            let size = blocks.len() as u64 * BLOCK;
            let (mut at, mut free) = (0, Vec::new());
            for pair in lengths.chunks_exact(2) {
                let start = (at + pair[0] * PART).min(size);
                at = (start + pair[1] * PART).min(size);
                if start < at {
                    free.push(start..at);
                }
            }
            let is_free = |block: u64| free.iter().any(|free| free.start <= block * BLOCK && block * BLOCK + BLOCK <= free.end);
            let states = (0..).zip(&blocks).map(|(block, data)| match data {
                true if is_free(block) => BlockState::Free,
                true => BlockState::Data,
                false => BlockState::Zero,
            });
            let states = states.collect::<Vec<_>>();
            let overview = Overview::of_scan(&map_of(&blocks), &free, most).unwrap();
            prop_assert!(overview.pieces().len() <= most);
            let per_piece = usize::try_from(overview.blocks_per_piece()).unwrap();
            let naive = states.chunks(per_piece).map(|piece| Piece {
                blocks: piece.len() as u64,
                data: piece.iter().filter(|state| **state != BlockState::Zero).count() as u64,
                free: piece.iter().filter(|state| **state == BlockState::Free).count() as u64,
                ..Piece::default()
            });
            prop_assert_eq!(overview.pieces().to_vec(), naive.collect::<Vec<_>>());
            if let Some(spans) = overview.spans() {
                let told = spans.iter().flat_map(|span| (0..span.count).map(|_| span.state));
                prop_assert_eq!(told.collect::<Vec<_>>(), states);
            } else {
                prop_assert!(states.windows(2).filter(|two| two[0] != two[1]).count() + 1 > most / 4);
            }
            let parts = overview.regions(regions);
            prop_assert!(parts.len() <= regions);
            prop_assert!(parts.windows(2).all(|two| two[0].end == two[1].start));
            prop_assert_eq!((parts[0].start, parts.last().unwrap().end), (0, overview.size()));
            let sum = parts.iter().map(|region| region.piece.data).sum::<u64>();
            prop_assert_eq!((sum, overview.whole().data), (overview.whole().data, map_of(&blocks).data_count()));
        }
    }

    #[test]
    fn a_disk_that_nobody_looked_at_has_no_zeros() {
        let overview = Overview::unread(5 * BLOCK + 1, BLOCK, "quick", 4).unwrap();
        let whole = overview.whole();
        assert_eq!((whole.blocks, whole.data, whole.unread, whole.zero()), (6, 0, 6, 0));
        assert_eq!(overview.unread_because(), Some("quick"));
        assert_eq!(overview.spans().unwrap(), [Span { first: 0, count: 6, state: BlockState::Unread }]);
        assert_eq!(overview.regions(9).last().unwrap().end, 5 * BLOCK + 1);
    }

    #[test]
    fn there_is_none_of_nothing_nor_of_what_can_not_be() {
        assert_eq!(Overview::unread(0, BLOCK, "", 9), None);
        assert_eq!(Overview::unread(9, 0, "", 9), None);
        assert_eq!(Overview::unread(u64::MAX, 512, "", 9), None);
        assert!(Overview::unread(1 << 40, BLOCK, "", 8192).unwrap().pieces().len() <= 8192);
    }

    fn container(bytes: &[u8], depth: Depth, why_not: Option<&str>) -> Overview {
        // The first block is free, and a half of the next one.
        let free = [0..BLOCK, BLOCK..3 * BLOCK / 2];
        let image = MemoryImage::new("a.zvhd2", bytes.to_vec());
        let found = imsprep_zvhd2::check(&image, depth, Work::new(&(), &Cancel::new())).unwrap();
        let sizes = (found.info.orig_size.0, found.info.block_size.0);
        Overview::of_container(&found.occupancy.unwrap(), sizes, &free, why_not, 100).unwrap()
    }

    #[test]
    fn records_that_were_expanded_are_data_and_others_are_not_looked_at() {
        let bytes = imsprep_testdata::golden("zstd_a_8m.zvhd2");
        let whole = container(bytes, Depth::Content, None).whole();
        assert_eq!((whole.blocks, whole.data, whole.zero(), whole.records), (4, 3, 1, 3));
        assert_eq!((whole.free, whole.held()), (1, 2));
        assert!(whole.stored > 0 && whole.stored < 3 * BLOCK);
        let quick = container(bytes, Depth::Structure, Some("quick"));
        let piece = quick.whole();
        assert_eq!((piece.data, piece.unread, piece.zero(), piece.stored), (0, 3, 1, whole.stored));
        assert_eq!(piece.free, 0, "what was not read is not known to be data");
        assert_eq!(quick.unread_because(), Some("quick"));
        let states = quick.spans().unwrap().iter().map(|span| span.state).collect::<Vec<_>>();
        assert_eq!(states, [BlockState::Unread, BlockState::Zero, BlockState::Unread]);
    }

    #[test]
    fn a_marked_block_without_a_record_is_neither_data_nor_zero() {
        let mut bytes = imsprep_testdata::golden("zstd_a_8m.zvhd2").to_vec();
        let end = bytes.len() - 4096;
        let index = usize::try_from(u32::from_le_bytes(bytes[end + 96..][..4].try_into().unwrap())).unwrap();
        // The second entry of the index, of 16 bytes as each: it points out of the file.
        bytes[index + 16..index + 32].fill(0x7f);
        let overview = container(&bytes, Depth::Content, None);
        let whole = overview.whole();
        assert_eq!((whole.data, whole.unread, whole.zero(), whole.records), (2, 1, 1, 2));
        assert!(overview.unread_because().unwrap().contains("records cannot be read"));
    }
}
