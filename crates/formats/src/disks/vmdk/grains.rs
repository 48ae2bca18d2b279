//! Grain directory and grain tables: the two levels between the disk and the file.

use std::sync::Arc;

use imsprep_ondisk::format::vmdk::{ENTRY_ABSENT, ENTRY_ZEROS, GRAIN_TABLE_ENTRIES, GrainMarker, SECTOR};
use imsprep_source::{ReadAt, ReadAtExt, Result};

use super::header::Header;
use crate::Slice;
use crate::cache::Cache;
use crate::pieces::{DiskMap, Mapping, Packed, Piece};

/// Grain tables that are kept, of 2 KiB each.
const KEPT: usize = 1024;
/// Bytes of a grain table.
pub(super) const TABLE_SIZE: usize = GRAIN_TABLE_ENTRIES as usize * 4;

/// Finds the grains of a disk.
pub(crate) struct Grains<'a> {
    pub(super) file: Slice<'a>,
    pub(super) header: Header,
    /// Sectors of the grain tables.
    pub(super) directory: Vec<u32>,
    tables: Cache<Vec<u32>>,
}

impl<'a> Grains<'a> {
    pub(crate) fn read(file: Slice<'a>, header: Header) -> Result<Self> {
        // The header bounds it to 16 MiB, and says that it lies in the file.
        let mut bytes = vec![0; usize::try_from(header.directory_entries * 4).unwrap_or(0)];
        file.read_at(&mut bytes, header.directory_offset)?;
        Ok(Self { file, header, directory: numbers(&bytes), tables: Cache::new(KEPT) })
    }

    /// Bytes of the disk that one grain table covers: 1 GiB at most.
    pub(super) fn reach(&self) -> u64 {
        self.header.grain_size * u64::from(GRAIN_TABLE_ENTRIES)
    }

    /// Bytes of the grain table of this number that the disk takes: those of the last one may be fewer than all.
    pub(super) fn table_wanted(&self, number: u64) -> u64 {
        let left = self.header.disk_size.saturating_sub(number.saturating_mul(self.reach()));
        left.min(self.reach()).div_ceil(self.header.grain_size) * 4
    }

    pub(super) fn table_offset(&self, number: u64) -> Option<u64> {
        let sector = usize::try_from(number).ok().and_then(|number| self.directory.get(number)).copied();
        sector.filter(|sector| *sector != ENTRY_ABSENT).map(|sector| u64::from(sector) * SECTOR)
    }

    /// The grain table for this offset of the disk; `None` if it is not there.
    fn table(&self, at: u64) -> Result<Option<Arc<Vec<u32>>>> {
        let number = at / self.reach();
        let Some(offset) = self.table_offset(number) else { return Ok(None) };
        let wanted = self.table_wanted(number);
        if !self.file.holds(offset, wanted) {
            let entry = self.header.directory_offset + number * 4;
            let what = format!("the grain table has the offset {offset}, beyond the end of the file");
            return Err(self.file.damaged(at, entry, what));
        }
        let read = || {
            let mut bytes = [0; TABLE_SIZE];
            let there = usize::try_from(wanted).ok().and_then(|wanted| bytes.get_mut(..wanted));
            self.file.read_at(there.unwrap_or_default(), offset)?;
            Ok(numbers(&bytes))
        };
        // By its place: a table that is named twice is read once.
        self.tables.get(offset / SECTOR, read).map(Some)
    }
}

impl DiskMap for Grains<'_> {
    /// The number of a grain table, and it.
    type Held = Option<(u64, Option<Arc<Vec<u32>>>)>;

    fn disk_size(&self) -> u64 {
        self.header.disk_size
    }

    fn piece_at(&self, at: u64, held: &mut Self::Held) -> Result<Piece> {
        let (reach, size) = (self.reach(), self.header.grain_size);
        let number = at / reach;
        let table = match held {
            Some((kept, table)) if *kept == number => table,
            held => &held.insert((number, self.table(at)?)).1,
        };
        let Some(table) = table else {
            return Ok(Piece { place: Mapping::Zeros, length: reach - at % reach });
        };
        let within = at % size;
        let index = usize::try_from(at % reach / size).ok();
        let entries = index.and_then(|index| table.get(index..)).unwrap_or_default();
        let sector = entries.first().copied().unwrap_or(ENTRY_ABSENT);
        if sector == ENTRY_ABSENT {
            let absent = entries.iter().take_while(|entry| **entry == ENTRY_ABSENT).count().max(1);
            return Ok(Piece { place: Mapping::Zeros, length: absent as u64 * size - within });
        }
        let offset = u64::from(sector) * SECTOR;
        let place = match sector {
            ENTRY_ZEROS if self.header.zero_grains => Mapping::Zeros,
            _ if self.header.compressed => {
                Mapping::Packed(Packed { start: at - within, offset, length: size })
            }
            _ => Mapping::Stored(offset + within),
        };
        Ok(Piece { place, length: size - within })
    }

    fn read_packed(&self, file: &Slice<'_>, packed: Packed, bytes: &mut Vec<u8>) -> Result<()> {
        let damaged = |what: String| Err(file.damaged(packed.start, packed.offset, what));
        // Compressed, a grain may have grown by a little; twice its size is what qemu reads.
        let most = self.header.grain_size * 2;
        let (from, length) = if self.header.markers {
            if !file.holds(packed.offset, GrainMarker::SIZE as u64) {
                return damaged("its grain is beyond the end of the file".into());
            }
            let marker = GrainMarker::decode(&file.read_array(packed.offset)?);
            if marker.sector != packed.start / SECTOR {
                return damaged(format!("its grain is marked as that of sector {}", marker.sector));
            }
            if u64::from(marker.size) > most {
                return damaged(format!(
                    "its grain has {} compressed bytes according to its marker",
                    marker.size
                ));
            }
            (packed.offset + GrainMarker::SIZE as u64, u64::from(marker.size))
        } else {
            (packed.offset, file.size().saturating_sub(packed.offset).min(most))
        };
        if length == 0 || !file.holds(from, length) {
            return damaged(format!(
                "its grain of {length} compressed bytes ends beyond the end of the file"
            ));
        }
        bytes.resize(usize::try_from(length).unwrap_or(0), 0);
        file.read_at(bytes, from)
    }
}

pub(super) fn numbers(bytes: &[u8]) -> Vec<u32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| u32::from_le_bytes(*word)).collect()
}
