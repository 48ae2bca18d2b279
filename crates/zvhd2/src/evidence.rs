//! What index, bitmap and counts of a damaged file say about its records, and how far that can be believed.

use std::collections::BTreeSet;

use imsprep_findings::Report;
use imsprep_ondisk::format::zvhd2 as disk;
use imsprep_source::{Cancel, ReadAt};

use crate::footer::Placed;
use crate::index::{Entry, RecordLocation, place_of};
use crate::{Error, bitmap, index, layout};

/// What an index that is not sound says of a record.
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
pub(crate) struct Evidence {
    /// Every entry names the block of its bit and a place where a record can be: what the index does not have is no
    /// record. Its offsets are those of the file before it was damaged: of records that follow bytes that were put in or
    /// lost, all differ by one amount.
    pub(crate) index_sound: bool,
    /// The data blocks, ascending, if the bitmap can be believed.
    pub(crate) blocks: Option<Vec<u32>>,
    /// The entries of an index that is not sound, by the offset of their record, each with its bit's block; not to be
    /// believed alone.
    entries: Vec<Entry>,
    /// The records of a sound index, ascending by block.
    places: Vec<RecordLocation>,
    /// Counts of records, by END and by MID.
    pub(crate) counts: Vec<u64>,
}

/// Where index and bitmap may be, and who says so.
struct Hypothesis {
    end: Placed,
    /// It is where END says, and not where it would be if bytes were put in or lost before it.
    told_by_end: bool,
    /// The bitmap stands right before END.
    at_end: bool,
}

impl Evidence {
    /// Asks END, if it is sound, and MID: index and bitmap stand behind it, in files of the reference.
    pub(crate) fn ask(
        source: &dyn ReadAt,
        end: Option<&Placed>,
        mid: Option<&Placed>,
        blocks: u32,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        let mut best = Self::default();
        for hypothesis in hypotheses(source, end, mid, blocks) {
            if best.index_sound {
                break;
            }
            let heard = Self::hear(source, &hypothesis, cancel)?;
            if heard.index_sound || (heard.blocks.is_some() && best.blocks.is_none()) {
                best = heard;
            }
        }
        best.counts = [end, mid].into_iter().flatten().map(|f| f.footer.non_zero_blk_num.into()).collect();
        Ok(best)
    }

    fn hear(source: &dyn ReadAt, hypothesis: &Hypothesis, cancel: &Cancel) -> Result<Self, Error> {
        let Hypothesis { end, told_by_end, at_end } = hypothesis;
        let mut wrong = Report::new();
        let Some(bitmap) = bitmap::read_bitmap(source, end, &mut wrong, cancel)? else {
            return Ok(Self::default());
        };
        let bits_sound = !wrong.has_errors() && bitmap.total == bitmap.blocks.len() as u64;
        let mut entries = Vec::new();
        let mut follow = bitmap.total == 0;
        let mut complete = follow;
        let mut contradicted = false;
        if let Some(place) = layout::check_index_place(end, &bitmap, &mut wrong) {
            entries = index::read_index(source, place, &bitmap, &mut wrong, cancel)?;
            index::check_blocks(&entries, &mut wrong);
            follow = follow_one_another(&entries);
            complete = entries.len() as u64 == bitmap.total;
            contradicted = follow && complete && names_other_blocks(&entries);
            // Where the file lost bytes, a record of before may seem to lie in the index.
            if !follow {
                // Sorted by offset; those that can't point to a record are left out.
                entries = index::check_places(entries, place, &bitmap, end.offset, &mut wrong);
                complete &= entries.len() as u64 == bitmap.total;
            }
        }
        let count = u64::from(end.footer.non_zero_blk_num);
        let counted = bitmap.total == count;
        // Bits and entries that agree with one another are not made by accident, so that the count of END may be too
        // low; where it is higher, bits are lost. Elsewhere than where END says there may be no index: all must agree.
        let agrees = counted || (*told_by_end && bitmap.total > count);
        let index_sound = bits_sound && !wrong.has_errors() && complete && agrees && (follow || *told_by_end);
        let bitmap_sound = bits_sound
            && !contradicted
            && (index_sound || (counted && (*told_by_end || (*at_end && count > 0))));
        let mut places = Vec::new();
        if index_sound {
            places = std::mem::take(&mut entries).iter().map(place_of).collect();
            places.sort_unstable_by_key(|place| place.block);
        }
        let blocks = bitmap_sound.then_some(bitmap.blocks);
        Ok(Self { index_sound, blocks, entries, places, counts: Vec::new() })
    }

    /// What an index that is not sound says to the record at `offset` being that of `block`.
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

    /// The records of a sound index, ascending by block.
    pub(crate) fn places(&self) -> &[RecordLocation] {
        &self.places
    }

    /// Where a sound index has a block's record.
    pub(crate) fn place(&self, block: u32) -> Option<(usize, &RecordLocation)> {
        let number = self.places.binary_search_by_key(&block, |place| place.block).ok()?;
        Some((number, self.places.get(number)?))
    }

    /// By how much the MID that was found lies further on than by a sound index.
    pub(crate) fn shift_of_mid(&self, mid: &Placed) -> Option<i64> {
        let last = self.places.iter().map(|place| place.offset.saturating_add(place.length.into())).max()?;
        shift(mid.offset, last)
    }

    /// The records of a sound index that are not at one of these offsets, which ascend, nor so much further on.
    pub(crate) fn not_at<'a>(
        &'a self,
        offsets: &'a BTreeSet<u64>,
        shifts: &'a [i64],
    ) -> impl Iterator<Item = (&'a RecordLocation, u64)> + 'a {
        self.places.iter().flat_map(move |place| {
            let shifted = shifts.iter().filter_map(|by| place.offset.checked_add_signed(*by));
            shifted.filter(|offset| !offsets.contains(offset)).map(move |offset| (place, offset))
        })
    }
}

/// By how much a record that was found lies further on than `told`.
pub(crate) fn shift(found: u64, told: u64) -> Option<i64> {
    i64::try_from(i128::from(found) - i128::from(told)).ok()
}

/// Whether records follow one another from HEAD on as in files of the reference, which is so in no table by accident.
fn follow_one_another(entries: &[Entry]) -> bool {
    let mut at = disk::ALIGN;
    entries.iter().all(|entry| {
        let follows = entry.raw.offset == at && u64::from(entry.raw.length) >= disk::ALIGN;
        at = at.saturating_add(entry.raw.length.into());
        follows
    })
}

/// Whether the entries name a possible list of blocks, and not that of the bitmap. Neither has a checksum, and as many bits may
/// have been set as were cleared, so nothing says which of the two is damaged.
fn names_other_blocks(entries: &[Entry]) -> bool {
    entries.is_sorted_by(|a, b| a.raw.block < b.raw.block)
        && entries.iter().any(|entry| entry.raw.block != entry.block)
}

/// Where index and bitmap may be: where END says; so much further on as END is from where the bitmap should end, both or the
/// bitmap alone; and behind MID.
fn hypotheses(
    source: &dyn ReadAt,
    end: Option<&Placed>,
    mid: Option<&Placed>,
    blocks: u32,
) -> Vec<Hypothesis> {
    let mut all = Vec::new();
    let behind_mid = mid.map(|mid| as_end(source, mid, blocks));
    if let Some(end) = end {
        all.push(Hypothesis { end: end.clone(), told_by_end: true, at_end: false });
        let f = &end.footer;
        let segments = u64::from(f.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT));
        let bitmap = end.offset.checked_sub(segments * u64::from(disk::BITMAP_SEGMENT_SIZE));
        if let Some((bitmap, by)) = bitmap.and_then(|at| Some((at, shift(at, f.bitmap_lba)?))) {
            let starts = [f.index_lba.checked_add_signed(by), Some(f.index_lba)];
            let starts = starts.into_iter().chain([behind_mid.as_ref().map(|mid| mid.footer.index_lba)]);
            for index in starts.flatten().filter(|index| by != 0 || *index != f.index_lba) {
                let mut end = end.clone();
                (end.footer.index_lba, end.footer.bitmap_lba) = (index, bitmap);
                all.push(Hypothesis { end, told_by_end: false, at_end: true });
            }
        }
    }
    all.extend(behind_mid.map(|end| Hypothesis { end, told_by_end: false, at_end: false }));
    all
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
