//! VHD: fixed and dynamic disks.
//!
//! A sector of a dynamic disk that its block's bitmap calls absent reads as zeros, as the specification has it and as
//! Virtual PC, Hyper-V and Xen do. qemu does not look at these bitmaps; it writes them so that it makes no difference.

use std::path::Path;
use std::sync::Arc;

use imsprep_ondisk::format::vhd::{
    BLOCK_ABSENT, DynamicHeader, Footer, SECTOR, SHORT_FOOTER_SIZE, TYPE_DYNAMIC, TYPE_FIXED,
};
use imsprep_source::{Cancel, DiskReader, Extent, ReadAt, ReadAtExt, Result};

use crate::cache::Cache;
use crate::claims::{Claim, Claims, Flaw, Scope, See, Stop, check, see};
use crate::pieces::{DiskMap, Mapping, Packed, Piece, Pieces};
use crate::{Error, Slice};

const FORMAT: &str = "VHD";

/// Blocks of a disk at most: 16 MiB of table. 2 TiB, the most that the format's other fields can tell of, in blocks of 512
/// KiB, the smallest that its own tools make, are as many.
const MAX_BLOCKS: u64 = 4 << 20;

/// Reads the disk in a fixed or dynamic VHD.
pub struct Vhd<'a>(Body<'a>);

enum Body<'a> {
    Fixed(Slice<'a>),
    Dynamic(Box<Pieces<'a, Blocks<'a>>>),
}

impl<'a> Vhd<'a> {
    /// Opens the disk: reads the footer, and of a dynamic disk its header and its table of blocks, all of which must lie in
    /// the file, apart from each other.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if it is no such disk, or holds the difference to a parent; or if the file cannot be read or
    /// its table is damaged.
    pub fn open(file: Slice<'a>) -> Result<Self, Error> {
        let first = footer_at(&file, Some(0), Footer::SIZE as u64)?;
        if let Some(footer) = first.filter(|footer| footer.disk_type == TYPE_DYNAMIC) {
            return Ok(Self(Body::Dynamic(Box::new(dynamic(file, &footer)?))));
        }
        for length in [Footer::SIZE as u64, SHORT_FOOTER_SIZE] {
            let at = file.size().checked_sub(length);
            let Some(footer) = footer_at(&file, at, length)? else { continue };
            let at = at.unwrap_or(0);
            if footer.disk_type != TYPE_FIXED {
                return Err(file.unreadable(
                    FORMAT,
                    at,
                    format!("it is of type {}, not fixed or dynamic", footer.disk_type),
                ));
            }
            let size = footer.virtual_size();
            let what = || format!("its footer describes a disk of {size} bytes, but fewer bytes precede it");
            let body = file.part(0, size).filter(|_| size <= at);
            return Ok(Self(Body::Fixed(body.ok_or_else(|| file.unreadable(FORMAT, at, what()))?)));
        }
        Err(file.unreadable(FORMAT, 0, "there is no valid footer"))
    }

    /// What is wrong with the places in its table.
    pub(crate) fn flaws(file: Slice<'a>, cancel: &Cancel) -> Result<Vec<Flaw>, Error> {
        let first = footer_at(&file, Some(0), Footer::SIZE as u64)?;
        let Some(footer) = first.filter(|footer| footer.disk_type == TYPE_DYNAMIC) else {
            Self::open(file)?;
            return Ok(Vec::new());
        };
        let (blocks, places) = blocks(file.clone(), &footer)?;
        Ok(check(&file, &Table { blocks, places }, &|_| Ok(true), cancel)?)
    }

    fn disk(&self) -> &dyn DiskReader {
        match &self.0 {
            Body::Fixed(slice) => slice,
            Body::Dynamic(pieces) => &**pieces,
        }
    }
}

impl ReadAt for Vhd<'_> {
    fn path(&self) -> &Path {
        self.disk().path()
    }
    fn size(&self) -> u64 {
        self.disk().size()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.disk().read_at(buf, offset)
    }
}

impl DiskReader for Vhd<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        self.disk().data_from(offset)
    }
    fn announce(&self, offset: u64, length: u64) {
        self.disk().announce(offset, length);
    }
}

/// The footer of `length` bytes at that offset, if there is one.
fn footer_at(file: &Slice<'_>, at: Option<u64>, length: u64) -> Result<Option<Footer>> {
    let Some(at) = at.filter(|at| file.holds(*at, length)) else { return Ok(None) };
    let mut bytes = [0; Footer::SIZE];
    let there = usize::try_from(length).ok().and_then(|length| bytes.get_mut(..length));
    file.read_at(there.unwrap_or_default(), at)?;
    let footer = Footer::decode(&bytes);
    Ok((footer.cookie == Footer::COOKIE).then_some(footer))
}

fn dynamic<'a>(file: Slice<'a>, footer: &Footer) -> Result<Pieces<'a, Blocks<'a>>, Error> {
    let (blocks, places) = blocks(file.clone(), footer)?;
    blocks.check_table(places.table, places.header)?;
    Ok(Pieces::new(file, blocks, None))
}

/// Where the file of a dynamic disk has its header and its table.
#[derive(Clone, Copy)]
struct Places {
    header: u64,
    table: u64,
}

fn blocks<'a>(file: Slice<'a>, footer: &Footer) -> Result<(Blocks<'a>, Places), Error> {
    let at = footer.data_offset;
    if !file.holds(at, DynamicHeader::SIZE as u64) {
        return Err(file.unreadable(
            FORMAT,
            at,
            "the header of the dynamic disk is beyond the end of the file",
        ));
    }
    let header = DynamicHeader::decode(&file.read_array(at)?);
    let wrong = |what: String| file.unreadable(FORMAT, at, what);
    if header.cookie != DynamicHeader::COOKIE {
        return Err(wrong("the header of the dynamic disk is missing".into()));
    }
    let block_size = u64::from(header.block_size);
    if !block_size.is_power_of_two() || block_size < SECTOR {
        return Err(wrong(format!("a block has {block_size} bytes, not a power of two of at least 512")));
    }
    let disk_size = footer.virtual_size();
    let blocks = disk_size.div_ceil(block_size);
    if blocks > u64::from(header.max_table_entries) {
        let entries = header.max_table_entries;
        return Err(wrong(format!("the disk needs {blocks} blocks, but its table has {entries} entries")));
    }
    if blocks > MAX_BLOCKS {
        return Err(wrong(format!("the disk needs {blocks} blocks; the limit is {MAX_BLOCKS}")));
    }
    let table_size = blocks * 4;
    if !file.holds(header.table_offset, table_size) {
        let what = format!("the table of {blocks} blocks is beyond the end of the file");
        return Err(file.unreadable(FORMAT, header.table_offset, what));
    }
    let mut bytes = vec![0; usize::try_from(table_size).unwrap_or(0)];
    file.read_at(&mut bytes, header.table_offset)?;
    let (entries, _) = bytes.as_chunks::<4>();
    let table = entries.iter().map(|entry| u32::from_be_bytes(*entry)).collect::<Vec<_>>();
    let bitmap_size = (block_size / SECTOR).div_ceil(8).next_multiple_of(SECTOR);
    let blocks = Blocks {
        file: file.clone(),
        disk_size,
        block_size,
        bitmap_size,
        table,
        bitmaps: Cache::new(BITMAPS),
    };
    Ok((blocks, Places { header: at, table: header.table_offset }))
}

/// Bitmaps of blocks that are kept; each has 512 bytes with blocks of 2 MiB.
const BITMAPS: usize = 64;

/// Absent blocks that one answer describes at most, so that none takes long.
const TOLD: usize = 4096;

/// The blocks of a dynamic disk, and where the table that names them is.
struct Table<'a> {
    blocks: Blocks<'a>,
    places: Places,
}

impl Claims for Table<'_> {
    fn walk(&self, _: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let Self { blocks, places } = self;
        see(Claim::new("the copy of the footer", 0, Footer::SIZE as u64, 0), seen)?;
        see(Claim::new("the header", places.header, DynamicHeader::SIZE as u64, 16), seen)?;
        let table = blocks.table.len() as u64 * 4;
        see(Claim::new("the table of blocks", places.table, table, places.header.saturating_add(16)), seen)?;
        for (entry, block) in blocks.table.iter().zip(0_u64..).filter(|(entry, _)| **entry != BLOCK_ABSENT) {
            let (named_at, at) = (places.table + block * 4, block * blocks.block_size);
            let offset = u64::from(*entry) * SECTOR;
            let claim =
                Claim::new("a block of the disk", offset, blocks.bitmap_size + blocks.block_size, named_at);
            see(claim.of_disk(at), seen)?;
        }
        Ok(())
    }
}

/// The blocks of a dynamic disk.
struct Blocks<'a> {
    file: Slice<'a>,
    disk_size: u64,
    /// Bytes of a block, a power of two.
    block_size: u64,
    /// Bytes of the bitmap in front of it.
    bitmap_size: u64,
    /// Where each block is, in sectors.
    table: Vec<u32>,
    bitmaps: Cache<Vec<u8>>,
}

impl Blocks<'_> {
    /// Every block lies in the file, over no other one, nor over the headers.
    fn check_table(&self, table_offset: u64, header_offset: u64) -> Result<()> {
        let place = |block: usize| table_offset + block as u64 * 4;
        let damaged = |block: usize, what: String| {
            self.file.damaged(block as u64 * self.block_size, place(block), what)
        };
        let length = self.bitmap_size + self.block_size;
        let present = self.table.iter().enumerate().filter(|(_, entry)| **entry != BLOCK_ABSENT);
        let mut present =
            present.map(|(block, entry)| (u64::from(*entry) * SECTOR, block)).collect::<Vec<_>>();
        for (offset, block) in &present {
            if !self.file.holds(*offset, length) {
                let what = format!("its {length} bytes at {offset} extend beyond the end of the file");
                return Err(damaged(*block, what));
            }
            let table = (table_offset, self.table.len() as u64 * 4);
            let headers = [(0, Footer::SIZE as u64), (header_offset, DynamicHeader::SIZE as u64), table];
            if headers.iter().any(|(start, size)| *offset < start + size && *start < offset + length) {
                return Err(damaged(
                    *block,
                    format!("its offset {offset} is within the headers of the file"),
                ));
            }
        }
        present.sort_unstable();
        for pair in present.windows(2) {
            if let [(first, one), (second, other)] = pair
                && first + length > *second
            {
                let what = format!("at offset {second} it overlaps block {one} of the file at {first}");
                return Err(damaged(*other, what));
            }
        }
        Ok(())
    }

    /// The block's number, and where it is; `None` if it is absent.
    fn block_at(&self, at: u64) -> (u64, Option<u64>) {
        let block = at / self.block_size;
        let entry = usize::try_from(block).ok().and_then(|block| self.table.get(block)).copied();
        (block, entry.filter(|entry| *entry != BLOCK_ABSENT).map(|entry| u64::from(entry) * SECTOR))
    }
}

impl DiskMap for Blocks<'_> {
    type Held = Option<(u64, Arc<Vec<u8>>)>;

    fn disk_size(&self) -> u64 {
        self.disk_size
    }

    fn piece_at(&self, at: u64, held: &mut Self::Held) -> Result<Piece> {
        let (block, place) = self.block_at(at);
        let Some(offset) = place else { return self.allocated_at(at, held) };
        let bitmap = match held {
            Some((number, bitmap)) if *number == block => bitmap,
            held => {
                let bitmap = self.bitmaps.get(block, || {
                    let mut bitmap = vec![0; usize::try_from(self.bitmap_size).unwrap_or(0)];
                    self.file.read_at(&mut bitmap, offset)?;
                    Ok(bitmap)
                })?;
                &held.insert((block, bitmap)).1
            }
        };
        let within = at % self.block_size;
        let first = within / SECTOR;
        let present = is_present(bitmap, first);
        let mut sector = first + 1;
        let sectors = self.block_size / SECTOR;
        while sector < sectors && is_present(bitmap, sector) == present {
            // A byte at a time, as most bitmaps are all ones.
            let byte = usize::try_from(sector / 8).ok().and_then(|byte| bitmap.get(byte));
            let same = byte.is_some_and(|byte| *byte == if present { 0xff } else { 0 });
            sector += if sector.is_multiple_of(8) && same { 8 } else { 1 };
        }
        let length = sector.min(sectors) * SECTOR - within;
        let place =
            if present { Mapping::Stored(offset + self.bitmap_size + within) } else { Mapping::Zeros };
        Ok(Piece { place, length })
    }

    fn allocated_at(&self, at: u64, _: &mut Self::Held) -> Result<Piece> {
        let (block, place) = self.block_at(at);
        let left = self.block_size - at % self.block_size;
        let Some(offset) = place else {
            let after =
                usize::try_from(block + 1).ok().and_then(|after| self.table.get(after..)).unwrap_or_default();
            let absent = after.iter().take(TOLD).take_while(|entry| **entry == BLOCK_ABSENT).count() as u64;
            return Ok(Piece { place: Mapping::Zeros, length: left + absent * self.block_size });
        };
        let place = Mapping::Stored(offset + self.bitmap_size + at % self.block_size);
        Ok(Piece { place, length: left })
    }

    fn read_packed(&self, file: &Slice<'_>, packed: Packed, _: &mut Vec<u8>) -> Result<()> {
        Err(file.damaged(packed.start, packed.offset, "compressed, which is impossible in a VHD"))
    }
}

/// Whether the sector is in the file: the bits of a byte count from the most significant one.
fn is_present(bitmap: &[u8], sector: u64) -> bool {
    let byte = usize::try_from(sector / 8).ok().and_then(|byte| bitmap.get(byte));
    byte.is_some_and(|byte| byte & (0x80 >> (sector % 8)) != 0)
}
