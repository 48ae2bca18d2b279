//! The two levels of tables between the disk and the file.

use std::sync::Arc;

use imsprep_ondisk::format::qcow::{ENTRY_COPIED, L1_OFFSET, SUBCLUSTERS};
use imsprep_source::{ReadAt, Result};

use super::entry::{Cluster, decode};
use super::header::Header;
use crate::Slice;
use crate::cache::Cache;
use crate::pieces::{DiskMap, Mapping, Packed, Piece};

/// Bytes of L2 tables that are kept.
const KEPT: u64 = 8 << 20;
/// The number of tables that are kept, whatever their size.
const KEPT_TABLES: std::ops::RangeInclusive<u64> = 4..=1024;

/// Finds the clusters of a disk.
pub(crate) struct Tables<'a> {
    pub(super) file: Slice<'a>,
    pub(super) header: Header,
    /// Entries of the L1 table: the offsets of the L2 tables, with a flag. 0 for one that is not there, whose clusters all
    /// read as zeros.
    pub(super) l1: Vec<u64>,
    l2: Cache<Vec<u64>>,
}

impl<'a> Tables<'a> {
    pub(crate) fn read(file: Slice<'a>, header: Header) -> Result<Self> {
        // The header bounds it to 32 MiB, and says that it lies in the file.
        let mut bytes = vec![0; usize::try_from(header.l1_entries * 8).unwrap_or(0)];
        file.read_at(&mut bytes, header.l1_offset)?;
        let l1 = numbers(&bytes).collect();
        let kept = (KEPT / header.cluster_size()).clamp(*KEPT_TABLES.start(), *KEPT_TABLES.end());
        Ok(Self { file, header, l1, l2: Cache::new(usize::try_from(kept).unwrap_or(1)) })
    }

    /// The L2 table for this offset of the disk; `None` if it is not there.
    fn table(&self, at: u64) -> Result<Option<Arc<Vec<u64>>>> {
        let number = at / self.header.l2_reach();
        let place = self.l2_place(number);
        let Some(offset) = place.map_err(|what| self.file.damaged(at, self.l1_entry(number), what))? else {
            return Ok(None);
        };
        let (size, wanted) = (self.header.cluster_size(), self.l2_wanted(number));
        if !self.file.holds(offset, wanted) {
            let what = format!("the L2 table has the impossible offset {offset}");
            return Err(self.file.damaged(at, self.l1_entry(number), what));
        }
        let read = || {
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            let there = usize::try_from(wanted).ok().and_then(|wanted| bytes.get_mut(..wanted));
            self.file.read_at(there.unwrap_or_default(), offset)?;
            Ok(numbers(&bytes).collect())
        };
        // By its place: a table that is named twice is read once.
        self.l2.get(offset / size, read).map(Some)
    }

    /// Where the L2 table of this number is; `None` if it is not there. What is wrong with the entry is an error.
    pub(super) fn l2_place(&self, number: u64) -> Result<Option<u64>, String> {
        let entry = usize::try_from(number).ok().and_then(|number| self.l1.get(number)).copied().unwrap_or(0);
        let offset = entry & L1_OFFSET;
        if entry & !(L1_OFFSET | ENTRY_COPIED) != 0 {
            return Err(format!("reserved bits of an entry of the L1 table are set ({entry:#x})"));
        }
        if !offset.is_multiple_of(self.header.cluster_size()) || (offset == 0 && entry != 0) {
            return Err(format!("the L2 table has the impossible offset {offset}"));
        }
        Ok((offset > 0).then_some(offset))
    }

    /// Where the L1 table names the L2 table of this number.
    pub(super) fn l1_entry(&self, number: u64) -> u64 {
        self.header.l1_offset.saturating_add(number * 8)
    }

    /// Bytes of the L2 table of this number that the disk takes: those of the last one may be fewer than a cluster.
    pub(super) fn l2_wanted(&self, number: u64) -> u64 {
        let header = &self.header;
        let left = header.disk_size.saturating_sub(number.saturating_mul(header.l2_reach()));
        left.min(header.l2_reach()).div_ceil(header.cluster_size()) * header.entry_size()
    }

    /// Bytes of the clusters after the one of this offset that have no entry, as far as the table goes.
    fn absent_after(&self, at: u64, table: &[u64]) -> u64 {
        let (size, width) = (self.header.cluster_size(), self.header.entry_size() / 8);
        let next = (at % self.header.l2_reach() / size + 1) * width;
        let after = usize::try_from(next).ok().and_then(|next| table.get(next..)).unwrap_or_default();
        after.iter().take_while(|word| **word == 0).count() as u64 / width * size
    }

    /// What the table's entry for this offset says.
    fn cluster(&self, at: u64, table: &[u64]) -> Result<Cluster> {
        let header = &self.header;
        let index = at % header.l2_reach() / header.cluster_size();
        let width = header.entry_size() / 8;
        let word = |number: u64| usize::try_from(number).ok().and_then(|number| table.get(number)).copied();
        let first = word(index * width).unwrap_or(0);
        let second = if header.extended { word(index * width + 1).unwrap_or(0) } else { 0 };
        decode(first, second, header).map_err(|what| {
            let l1 = usize::try_from(at / header.l2_reach()).ok().and_then(|number| self.l1.get(number));
            let table = l1.copied().unwrap_or(0) & L1_OFFSET;
            self.file.damaged(at, table + index * header.entry_size(), what)
        })
    }
}

impl DiskMap for Tables<'_> {
    /// The number of an L2 table, and it.
    type Held = Option<(u64, Option<Arc<Vec<u64>>>)>;

    fn disk_size(&self) -> u64 {
        self.header.disk_size
    }

    fn piece_at(&self, at: u64, held: &mut Self::Held) -> Result<Piece> {
        let (reach, size) = (self.header.l2_reach(), self.header.cluster_size());
        let number = at / reach;
        let table = match held {
            Some((kept, table)) if *kept == number => table,
            held => &held.insert((number, self.table(at)?)).1,
        };
        let Some(table) = table else {
            return Ok(Piece { place: Mapping::Zeros, length: reach - at % reach });
        };
        let within = at % size;
        let left = size - within;
        Ok(match self.cluster(at, table)? {
            Cluster::Zeros => Piece { place: Mapping::Zeros, length: left + self.absent_after(at, table) },
            Cluster::Packed { offset, length } => {
                Piece { place: Mapping::Packed(Packed { start: at - within, offset, length }), length: left }
            }
            Cluster::Stored { offset, subclusters: u32::MAX } => {
                Piece { place: Mapping::Stored(offset + within), length: left }
            }
            Cluster::Stored { offset, subclusters } => {
                let sub = size / u64::from(SUBCLUSTERS);
                let is_stored = |at: u64| subclusters >> (at / sub) & 1 != 0;
                let here = is_stored(within);
                let mut end = (within / sub + 1) * sub;
                while end < size && is_stored(end) == here {
                    end += sub;
                }
                let place = if here { Mapping::Stored(offset + within) } else { Mapping::Zeros };
                Piece { place, length: end - within }
            }
        })
    }

    fn read_packed(&self, file: &Slice<'_>, packed: Packed, bytes: &mut Vec<u8>) -> Result<()> {
        // The last sector may be one that the file ends in.
        let there = file.size().saturating_sub(packed.offset).min(packed.length);
        if there == 0 {
            return Err(file.damaged(packed.start, packed.offset, "it is beyond the end of the file"));
        }
        // Two clusters at most, by the bits that tell it: 4 MiB.
        bytes.resize(usize::try_from(there).unwrap_or(0), 0);
        file.read_at(bytes, packed.offset)
    }
}

pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_be_bytes(*word))
}
