//! What index, bitmap and counts of a damaged file say about its records, and how far that can be believed.

use std::collections::BTreeSet;

use imsprep_findings::Report;
use imsprep_ondisk::zvhd2 as disk;
use imsprep_source::{Cancel, ReadAt};

use crate::footer::Placed;
use crate::index::Entry;
use crate::{Error, bitmap, index, layout};

/// What the index says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Testimony {
    /// No entry points to it.
    Silent,
    /// An entry that points to it names the same block, and stands where the entry of that block belongs.
    Confirms,
    /// One of the two.
    Allows,
    /// Neither: by its place the entry is that of another block.
    Denies {
        /// That block.
        block: u32,
    },
}

/// The records as index and bitmap tell of them.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Every entry names the block of its bit and a place where a record can be: what the index does not have is no
    /// record.
    pub(crate) index_sound: bool,
    /// The data blocks, ascending, if the bitmap can be believed.
    pub(crate) blocks: Option<Vec<u32>>,
    /// The entries by the offset of their record, each with its bit's block; not to be believed alone.
    entries: Vec<Entry>,
    /// Counts of records, by END and by MID.
    pub(crate) counts: Vec<u64>,
}

impl Witness {
    /// Asks END, if it is sound, and MID: index and bitmap stand behind it, in files of the reference.
    pub(crate) fn ask(
        source: &dyn ReadAt,
        end: Option<&Placed>,
        mid: Option<&Placed>,
        blocks: u32,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        let mut best = Self::default();
        for (told_by_mid, footer) in
            [(false, end.cloned()), (true, mid.map(|mid| as_end(source, mid, blocks)))]
        {
            let Some(footer) = footer else { continue };
            if !best.index_sound {
                let heard = Self::hear(source, &footer, told_by_mid, cancel)?;
                if heard.index_sound || (heard.blocks.is_some() && best.blocks.is_none()) {
                    best = Self { counts: std::mem::take(&mut best.counts), ..heard };
                }
            }
            best.counts.push(footer.footer.non_zero_blk_num.into());
        }
        Ok(best)
    }

    fn hear(source: &dyn ReadAt, end: &Placed, told_by_mid: bool, cancel: &Cancel) -> Result<Self, Error> {
        let mut wrong = Report::new();
        let Some(bitmap) = bitmap::read_bitmap(source, end, &mut wrong, cancel)? else {
            return Ok(Self::default());
        };
        let bits_sound = !wrong.has_errors() && bitmap.total == bitmap.blocks.len() as u64;
        let mut entries = Vec::new();
        if let Some(place) = layout::check_index_place(end, &bitmap, &mut wrong) {
            entries = index::read_index(source, place, &bitmap, cancel)?;
            index::check_blocks(&entries, &mut wrong);
            // Sorted by offset; those that can't point to a record are left out, and make it unsound.
            entries = index::check_places(entries, place, &bitmap, end.offset, &mut wrong);
        }
        let index_sound = bits_sound && !wrong.has_errors() && entries.len() as u64 == bitmap.total;
        let count = u64::from(end.footer.non_zero_blk_num);
        let counted = bitmap.total == count;
        // Bits and entries that agree with one another are not made by accident, so that the count of END may be too
        // low; where it is higher, bits are lost. What stands behind MID may be no index yet: all must agree.
        let index_sound = index_sound && (counted || (!told_by_mid && bitmap.total > count));
        let bitmap_sound = bits_sound && (index_sound || (counted && !told_by_mid));
        let blocks = bitmap_sound.then_some(bitmap.blocks);
        Ok(Self { index_sound, blocks, entries, counts: Vec::new() })
    }

    /// What the index says to the record at `offset` being that of `block`.
    pub(crate) fn ask_about(&self, offset: u64, block: u32) -> Testimony {
        let first = self.entries.partition_point(|entry| entry.raw.offset < offset);
        let after = self.entries.partition_point(|entry| entry.raw.offset <= offset);
        let entries = self.entries.get(first..after).unwrap_or_default();
        let says = |entry: &Entry| [entry.block, entry.raw.block].map(|said| said == block);
        if entries.iter().any(|entry| says(entry) == [true; 2]) {
            Testimony::Confirms
        } else if entries.iter().any(|entry| says(entry) != [false; 2]) {
            Testimony::Allows
        } else {
            entries.first().map_or(Testimony::Silent, |entry| Testimony::Denies { block: entry.block })
        }
    }

    /// The entries of a sound index whose records are not at one of these offsets, which ascend.
    pub(crate) fn not_at<'a>(&'a self, offsets: &'a BTreeSet<u64>) -> impl Iterator<Item = &'a Entry> + 'a {
        self.entries.iter().filter(move |entry| self.index_sound && !offsets.contains(&entry.raw.offset))
    }
}

/// The END that would stand at the end of the file if all is as the reference writes it behind this MID.
fn as_end(source: &dyn ReadAt, mid: &Placed, blocks: u32) -> Placed {
    let mut end = mid.clone();
    let index_size = u64::from(mid.footer.non_zero_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT))
        * u64::from(disk::INDEX_SEGMENT_SIZE);
    end.footer.index_lba = mid.offset.saturating_add(disk::ALIGN);
    end.footer.bitmap_lba = end.footer.index_lba.saturating_add(index_size);
    end.footer.index_contains_zero_blk = 0;
    end.footer.max_blk_num = blocks;
    end.offset = source.size();
    end
}
