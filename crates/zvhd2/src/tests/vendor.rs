//! Slow and simple twins of the two readers in the reference, as they were measured: what each makes of a file, right or
//! wrong. Nothing of the crate's own code is in them but the field tables.

use std::collections::BTreeMap;

use flate2::{Decompress, FlushDecompress, Status};
use imsprep_ondisk::format::zvhd2::{self as disk, Footer, IndexEntry, RecordHeader};

const BLOCK: u64 = 2 << 20;
/// Bytes that a record is read into.
const BUFFER_SIZE: usize = 4_202_496;

/// The blocks that are not zero, by number.
pub(super) type Disk = BTreeMap<u64, Vec<u8>>;

/// What `qemu-img-hw` reads.
pub(super) fn index_reader(file: &[u8]) -> Result<Disk, String> {
    let vendor = Vendor::open(file)?;
    let end = &vendor.end;
    let mut disk = Disk::new();
    let mut room = vec![0; BUFFER_SIZE];
    let mut marked = 0_u64;
    for block in 0..vendor.blocks {
        if block >= vendor.segments * 32768 {
            return Err(format!("no segment for block {block}"));
        }
        let mut position = block;
        if end.index_contains_zero_blk == 0 {
            let byte = vendor.read(end.bitmap_lba.wrapping_add(block / 8), 1)?[0];
            if byte >> (block % 8) & 1 == 0 {
                continue;
            }
            position = marked;
            marked += 1;
        }
        let bytes = vendor.read(end.index_lba.wrapping_add(position * 16), 16)?;
        let entry = IndexEntry::decode(bytes.as_slice().try_into().unwrap());
        if entry.offset == 0 {
            continue;
        }
        if end.index_contains_zero_blk != 0 && u64::from(entry.block) != block {
            return Err(format!("the entry of block {block} names {}", entry.block));
        }
        if entry.length == 0 {
            continue;
        }
        let length = entry.length as usize;
        if length > BUFFER_SIZE {
            return Err(format!("{length} bytes overflow the buffer"));
        }
        // What an earlier record left behind it stays there.
        room[..length].copy_from_slice(&vendor.read(entry.offset, length)?);
        let header = RecordHeader::decode(room.first_chunk().unwrap());
        let payload = room.get(48..).and_then(|rest| rest.get(..header.size as usize));
        let bytes = vendor.expand(block, payload.filter(|p| !p.is_empty()).ok_or("no such payload")?)?;
        keep(&mut disk, block, bytes);
    }
    Ok(disk)
}

/// What the same driver reads when it is built without an index.
pub(super) fn sequential_reader(file: &[u8]) -> Result<Disk, String> {
    let vendor = Vendor::open(file)?;
    let mut disk = Disk::new();
    let mut at = 4096;
    let mut held: Option<(u64, Vec<u8>)> = None;
    for block in 0..vendor.blocks {
        if let Some((number, bytes)) = held.take() {
            if block > number {
                return Err(format!("block {number} comes after its turn"));
            }
            if block == number {
                keep(&mut disk, block, bytes);
            } else {
                held = Some((number, bytes));
            }
            continue;
        }
        let header = RecordHeader::decode(vendor.read(at, 48)?.as_slice().try_into().unwrap());
        if header.prefix != disk::RECORD_PREFIX {
            if header.prefix.starts_with(b"z2strm") {
                break;
            }
            return Err(format!("neither record nor footer at {at}"));
        }
        let length = header.record_length();
        if length > 1 << 24 || vendor.read(at + length - 4, 4)? != *b"end\0" {
            return Err(format!("no postfix after {at}"));
        }
        let payload = vendor.read(at + 48, header.size as usize)?;
        let bytes = vendor.expand(block, &payload)?;
        at += length;
        match u64::from(header.curr_blk) {
            number if number == block => keep(&mut disk, block, bytes),
            number => held = Some((number, bytes)),
        }
    }
    Ok(disk)
}

fn keep(disk: &mut Disk, block: u64, bytes: Vec<u8>) {
    if bytes.iter().any(|byte| *byte != 0) {
        disk.insert(block, bytes);
    }
}

struct Vendor<'a> {
    file: &'a [u8],
    end: Footer,
    size: u64,
    blocks: u64,
    segments: u64,
}

impl<'a> Vendor<'a> {
    fn open(file: &'a [u8]) -> Result<Self, String> {
        let footer_at = |at: usize| {
            let mut bytes = [0; 512];
            let there = file.get(at..).unwrap_or_default();
            let there = &there[..there.len().min(512)];
            bytes[..there.len()].copy_from_slice(there);
            (bytes, Footer::decode(&bytes))
        };
        let (mut bytes, mut end) = footer_at(0);
        if end.zvhd2_version != 0 {
            // The length is rounded up to whole sectors.
            let last = file.len().next_multiple_of(512).checked_sub(4096).ok_or("too short")?;
            (bytes, end) = footer_at(last);
        }
        if !bytes.starts_with(b"z2strm") || disk::checksum(&bytes) != end.checksum {
            return Err("wrong cookie or checksum".into());
        }
        if end.block_size != disk::BLOCK_SIZE || end.compress_method > 1 || end.zvhd2_version != 1 {
            return Err("another block size, method or version".into());
        }
        let size = end.curr_size >> 9 << 9;
        let segments = u64::from(end.max_blk_num.wrapping_add(32767) / 32768);
        Ok(Self { file, size, blocks: size.div_ceil(BLOCK), segments, end })
    }

    /// Beyond the end of a file are zeros.
    fn read(&self, at: u64, length: usize) -> Result<Vec<u8>, String> {
        if at > i64::MAX as u64 {
            return Err(format!("an offset of {at}"));
        }
        let start = usize::try_from(at).unwrap().min(self.file.len());
        let there = &self.file[start..self.file.len().min(start + length)];
        let mut bytes = there.to_vec();
        bytes.resize(length, 0);
        Ok(bytes)
    }

    fn expand(&self, block: u64, payload: &[u8]) -> Result<Vec<u8>, String> {
        let wanted = usize::try_from((self.size - block * BLOCK).min(BLOCK)).unwrap();
        let mut bytes = vec![0; wanted];
        let expanded = if self.end.compress_method == disk::METHOD_ZSTD {
            zstd::bulk::decompress_to_buffer(payload, &mut bytes).map_err(|error| error.to_string())?
        } else {
            let mut stream = Decompress::new(true);
            match stream.decompress(payload, &mut bytes, FlushDecompress::Sync) {
                Ok(Status::Ok) => usize::try_from(stream.total_out()).unwrap(),
                other => return Err(format!("{other:?}")),
            }
        };
        if expanded == wanted { Ok(bytes) } else { Err(format!("{expanded} bytes of {wanted}")) }
    }
}
