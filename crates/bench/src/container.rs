//! Making ZVHD2 containers, and the payloads in one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use imsprep_ondisk::format::zvhd2::{ALIGN, RECORD_PREFIX, RecordHeader};
use imsprep_source::{BlockMap, Cancel, ImageFile, ReadAt, ReadAtExt, Stage, StreamOutput, Work};
use imsprep_zvhd2::{ContainerWriter, Label, Level, Method, WriteOptions, write};
use zstd::bulk::Compressor;

use crate::content::BLOCK;
use crate::{Error, Result};

/// The level of the vendor's driver.
const LEVEL: i32 = 3;

type Output = StreamOutput<BufWriter<File>>;

/// Fills the buffer with the block of this number and this many bytes, and says whether it holds data.
type ReadBlock<'a> = dyn Fn(u64, &mut [u8], u64) -> Result<bool> + 'a;

fn create(path: &Path) -> Result<Output> {
    let file = File::create(path).map_err(|source| write_error(path, source))?;
    Ok(StreamOutput::new(path, BufWriter::with_capacity(1 << 20, file)))
}

/// Brings it to the disk, so that its writing does not go on while something is measured.
fn finish(path: &Path, out: Output) -> Result<()> {
    let mut buffered = out.finish()?;
    buffered.flush().and_then(|()| buffered.get_ref().sync_all()).map_err(|source| write_error(path, source))
}

/// Converts a RAW whose data blocks are known.
pub(crate) fn convert(raw: &Path, map: &BlockMap, path: &Path, work: Work<'_>) -> Result<()> {
    let image = ImageFile::open(raw)?;
    let mut out = create(path)?;
    let options = WriteOptions { level: Level::REFERENCE, timestamp: 0, uuid: [7; 16], checksums: false };
    write(&image, map, &options, &mut out, work)?;
    finish(path, out)
}

/// Makes a container of a disk of which each block holds the same, and a payload of it is tiny.
pub(crate) fn of_equal_blocks(path: &Path, blocks: u64, stage: &Stage<'_>, cancel: &Cancel) -> Result<()> {
    let block = vec![1; usize::try_from(BLOCK).unwrap_or(0)];
    let payload = zstd::bulk::compress(&block, LEVEL).map_err(|source| write_error(path, source))?;
    let label =
        Label { orig_size: blocks.saturating_mul(BLOCK), method: Method::Zstd, timestamp: 0, uuid: [7; 16] };
    let mut out = create(path)?;
    let mut container = ContainerWriter::begin(&mut out, &label)?;
    // A label of more blocks than there are numbers was refused just now.
    for number in 0..u32::try_from(blocks).unwrap_or(u32::MAX) {
        container.append(number, &payload)?;
        stage.advance(BLOCK);
        cancel.check()?;
    }
    container.finish()?;
    finish(path, out)
}

/// Makes a container of a disk of which `next` reads a block of this number and size and says whether it holds data.
pub(crate) fn write_in_order(size: u64, next: &ReadBlock<'_>, path: &Path, cancel: &Cancel) -> Result<()> {
    let mut out = create(path)?;
    let label = Label { orig_size: size, method: Method::Zstd, timestamp: 0, uuid: [7; 16] };
    let mut container = ContainerWriter::begin(&mut out, &label)?;
    let mut compressor = Compressor::new(LEVEL).map_err(|source| write_error(path, source))?;
    let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(0)];
    let mut payload = Vec::with_capacity(zstd::zstd_safe::compress_bound(block.len()));
    for number in 0..u32::try_from(size.div_ceil(BLOCK)).unwrap_or(u32::MAX) {
        cancel.check()?;
        if next(number.into(), &mut block, BLOCK)? {
            payload.clear();
            compressor
                .compress_to_buffer(&block, &mut payload)
                .map_err(|source| write_error(path, source))?;
            container.append(number, &payload)?;
        }
    }
    container.finish()?;
    finish(path, out)
}

/// The payloads of the container's records, in the file's order.
pub(crate) fn payloads(path: &Path, cancel: &Cancel) -> Result<Vec<Vec<u8>>> {
    let file = ImageFile::open(path)?;
    let mut payloads = Vec::new();
    // HEAD fills the first unit; the records stand one after the other behind it.
    let mut at = ALIGN;
    loop {
        cancel.check()?;
        let header = RecordHeader::decode(&file.read_array::<{ RecordHeader::SIZE }>(at)?);
        if header.prefix != RECORD_PREFIX {
            return Ok(payloads);
        }
        let mut payload = vec![0; usize::try_from(header.size).unwrap_or(0)];
        file.read_at(&mut payload, at + RecordHeader::SIZE as u64)?;
        payloads.push(payload);
        at += header.record_length();
    }
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), what: "write the container", source }
}
