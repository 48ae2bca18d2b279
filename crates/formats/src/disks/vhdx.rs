//! VHDX.

use imsprep_ondisk::format::vhdx::{
    BLOCK_FULLY_PRESENT, BLOCK_STATE_MASK, CHUNK_SECTORS, FILE_SIGNATURE, HEADER_OFFSETS, Header,
    ITEM_DISK_SIZE, ITEM_FILE_PARAMETERS, ITEM_LOGICAL_SECTOR, MIB, MetadataEntry, MetadataHeader,
    REGION_BAT, REGION_METADATA, REGION_TABLE_OFFSETS, RegionEntry, RegionTableHeader, checksum,
};
use imsprep_source::{ReadAt, ReadAtExt};

use super::entries::each;
use super::header::{header, power_of_two};
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "VHDX";
/// Regions and metadata items that are read.
const ITEMS_MAX: usize = 64;

pub(super) struct Blocks<'a> {
    file: Slice<'a>,
    bat: RegionEntry,
    metadata: RegionEntry,
    /// Where the log is, and its bytes.
    log: (u64, u64),
    disk_size: u64,
    block_size: u64,
    /// After so many blocks the table has one entry for a bitmap of sectors.
    chunk: u64,
}

impl<'a> Blocks<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let wrong = |at: u64, what: &str| file.unreadable(FORMAT, at, what);
        if header::<8>(&file, FORMAT, 0)? != FILE_SIGNATURE {
            return Err(wrong(0, "there is no signature of the file"));
        }
        let regions = regions(&file)?;
        let region = |guid| regions.iter().find(|region| region.guid == guid).cloned();
        let at = REGION_TABLE_OFFSETS[0];
        let bat = region(REGION_BAT)
            .ok_or_else(|| wrong(at, "no region table has an entry for the block table"))?;
        let metadata = region(REGION_METADATA)
            .ok_or_else(|| wrong(at, "no region table has an entry for the metadata"))?;
        let items = items(&file, metadata.offset)?;
        let item = |guid, what| {
            let entry = items.iter().find(|item| item.guid == guid);
            let place = entry.and_then(|item| metadata.offset.checked_add(item.offset.into()));
            place.ok_or_else(|| wrong(metadata.offset, what))
        };
        let size_at = item(ITEM_DISK_SIZE, "the metadata lacks the size of the disk")?;
        let disk_size = u64::from_le_bytes(header(&file, FORMAT, size_at)?);
        let block_at = item(ITEM_FILE_PARAMETERS, "the metadata lacks the file parameters")?;
        let block_size = u32::from_le_bytes(header(&file, FORMAT, block_at)?).into();
        let block_size =
            power_of_two(&file, FORMAT, block_at, "the size of a block", block_size, MIB..=256 * MIB)?;
        let sector_at = item(ITEM_LOGICAL_SECTOR, "the metadata lacks the size of a sector")?;
        let sector = u32::from_le_bytes(header(&file, FORMAT, sector_at)?).into();
        let sector = power_of_two(&file, FORMAT, sector_at, "the size of a sector", sector, 512..=4096)?;
        let chunk = CHUNK_SECTORS * sector / block_size;
        let log = log(&file)?;
        Ok(Self { file, bat, metadata, log, disk_size, block_size, chunk })
    }
}

impl Claims for Blocks<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let region = |what, region: &RegionEntry| {
            Claim::new(what, region.offset, region.length.into(), REGION_TABLE_OFFSETS[0])
        };
        see(Claim::new("the headers", 0, MIB, 0).needing(REGION_TABLE_OFFSETS[0]), seen)?;
        see(region("the metadata", &self.metadata), seen)?;
        let blocks = self.disk_size.div_ceil(self.block_size);
        let entries = blocks + blocks.saturating_sub(1) / self.chunk;
        if entries.saturating_mul(8) > self.bat.length.into() {
            let what =
                format!("the block table has {} bytes, too few for {entries} entries", self.bat.length);
            return Err(Stop::Damaged { offset: REGION_TABLE_OFFSETS[0], at: 0, what });
        }
        see(region("the block table", &self.bat).needing(entries * 8), seen)?;
        see(Claim::new("the log", self.log.0, self.log.1, HEADER_OFFSETS[0]).needing(0), seen)?;
        each(&self.file, self.bat.offset, entries, |index, named_at, entry| {
            let entry = u64::from_le_bytes(entry);
            let is_bitmap = index % (self.chunk + 1) == self.chunk;
            if is_bitmap || entry & BLOCK_STATE_MASK != BLOCK_FULLY_PRESENT {
                return Ok(());
            }
            let at = (index - index / (self.chunk + 1)) * self.block_size;
            let offset = entry / MIB * MIB;
            let left = self.disk_size.saturating_sub(at).min(self.block_size);
            let claim = Claim::new("a block of the disk", offset, self.block_size, named_at);
            see(claim.needing(left).of_disk(at), seen)
        })
    }
}

/// The regions, from the first region table that is valid.
fn regions(file: &Slice<'_>) -> Result<Vec<RegionEntry>> {
    for offset in REGION_TABLE_OFFSETS {
        if !file.holds(offset, RegionTableHeader::TABLE_SIZE as u64) {
            continue;
        }
        let mut table = vec![0; RegionTableHeader::TABLE_SIZE];
        file.read_at(&mut table, offset)?;
        let Some((first, rest)) = table.split_first_chunk() else { continue };
        let first = RegionTableHeader::decode(first);
        if first.signature == RegionTableHeader::SIGNATURE && checksum(&table) == first.checksum {
            let count = usize::try_from(first.entry_count).unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
            let (entries, _) = rest.as_chunks::<{ RegionEntry::SIZE }>();
            return Ok(entries.iter().take(count).map(RegionEntry::decode).collect());
        }
    }
    Err(file.unreadable(FORMAT, REGION_TABLE_OFFSETS[0], "neither of its two region tables is valid"))
}

fn items(file: &Slice<'_>, region: u64) -> Result<Vec<MetadataEntry>> {
    let first = MetadataHeader::decode(&header(file, FORMAT, region)?);
    if first.signature != MetadataHeader::SIGNATURE {
        return Err(file.unreadable(FORMAT, region, "the metadata is not where the region table says"));
    }
    let mut items = Vec::new();
    let mut at = region;
    for _ in 0..usize::from(first.entry_count).min(ITEMS_MAX) {
        at = at.saturating_add(MetadataEntry::SIZE as u64);
        items.push(MetadataEntry::decode(&header(file, FORMAT, at)?));
    }
    Ok(items)
}

/// Where the log is by the header that was written last.
fn log(file: &Slice<'_>) -> Result<(u64, u64)> {
    let mut current: Option<Header> = None;
    for offset in HEADER_OFFSETS {
        if !file.holds(offset, Header::SIZE as u64) {
            continue;
        }
        let bytes = file.read_array::<{ Header::SIZE }>(offset)?;
        let found = Header::decode(&bytes);
        let is_valid = found.signature == Header::SIGNATURE && checksum(&bytes) == found.checksum;
        if is_valid && current.as_ref().is_none_or(|other| found.sequence_number > other.sequence_number) {
            current = Some(found);
        }
    }
    let current = current
        .ok_or_else(|| file.unreadable(FORMAT, HEADER_OFFSETS[0], "neither of its two headers is valid"))?;
    Ok((current.log_offset, current.log_length.into()))
}
