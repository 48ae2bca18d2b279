//! The writer: a disk in, a canonical container out.

use imsprep_ondisk::format::zvhd2::BLOCK_SIZE;
use imsprep_source::{BlockMap, BlockSize, DiskReader, OutputFile, Sink, Stage, Work, is_zero};

use crate::ordered::in_order;
use crate::{Checksums, Compressor, ContainerWriter, Error, Label, Level, Method, Written};

/// How to write a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// How hard to compress.
    pub level: Level,
    /// When the container was made, in seconds since 2000-01-01T00:00:00Z.
    pub timestamp: u32,
    /// Its identity, random in the reference.
    pub uuid: [u8; 16],
    /// Whether to take down what the blocks held.
    pub checksums: bool,
}

/// Compressed blocks for each thread that may wait for their turn to be written. Each takes up to 2 MiB.
const AHEAD: usize = 4;

/// A worker's memory, made when it has its first block.
#[derive(Default)]
struct Worker {
    compressor: Option<Compressor>,
    block: Vec<u8>,
}

/// A block on its way into the file.
#[derive(Default)]
struct Packed {
    number: u32,
    /// Empty for a block of zeros, which gets no record.
    payload: Vec<u8>,
    checksum: u32,
}

/// Writes the disk's data blocks, as `map` has them, compressed by zstd on the threads of the current rayon pool.
///
/// Only those blocks are read, each once; a block of which the map promises that it is zero is not looked at, and one
/// that is zero although the map has it gets no record. Memory is bounded by the number of threads, except for the index:
/// 16 bytes for each data block. Returns the checksums of the data blocks, if they were asked for.
///
/// # Errors
///
/// [`Error::DiskTooLarge`]; what reading and writing brings; [`Error::Compress`]. What was written until then is no
/// container.
///
/// # Panics
///
/// If the map is not of this disk, in blocks of 2 MiB.
pub fn write(
    disk: &dyn DiskReader,
    map: &BlockMap,
    options: &WriteOptions,
    out: &mut dyn Sink,
    work: Work<'_>,
) -> Result<(Written, Option<Checksums>), Error> {
    assert_eq!(
        (map.image_size(), map.block_size()),
        (disk.size(), BlockSize::MIB_2),
        "a map of another disk"
    );
    let WriteOptions { timestamp, uuid, checksums, .. } = *options;
    let label = Label { orig_size: disk.size(), method: Method::Zstd, timestamp, uuid };
    let mut container = ContainerWriter::begin(out, &label)?;

    let block_size = BlockSize::MIB_2.bytes();
    let stage = Stage::begin(work.progress, "compressing", map.data_count().saturating_mul(block_size));
    let ahead = AHEAD * rayon::current_num_threads();
    // With each block goes the one that will be wanted soon: a cold disk then works on many while others are compressed.
    let soon = map.data_blocks().skip(ahead).map(Some).chain(std::iter::repeat(None));
    let blocks = map.data_blocks().zip(soon);
    let make = |worker: &mut Worker, (number, soon): (u64, Option<u64>), packed: &mut Packed| {
        work.cancel.check()?;
        if let Some(soon) = soon {
            disk.announce(soon.saturating_mul(block_size), block_size);
        }
        read_and_pack(disk, number, options, worker, packed)
    };
    let mut sums = Vec::new();
    let take = |packed: &mut Packed| {
        if !packed.payload.is_empty() {
            container.append(packed.number, &packed.payload)?;
            if checksums {
                sums.push((packed.number.into(), packed.checksum));
            }
        }
        stage.advance(block_size);
        Ok::<_, Error>(())
    };
    in_order(blocks, ahead, Worker::default, make, take)?;
    drop(stage);
    work.cancel.check()?;
    Ok((container.finish()?, checksums.then(|| Checksums::new(sums))))
}

/// Writes a container of blocks that come one after the other, of a disk whose size shows when they end: each has 2 MiB, the
/// last one perhaps less. Compressed on the threads of the current rayon pool; one of them at a time asks for the next block.
/// `give_back` gets the memory of blocks that are done. HEAD is written again at the end, with the size. Returns the bytes of the disk, too.
///
/// # Errors
///
/// As [`write()`], and what the blocks bring; [`Error::DiskTooLarge`] if there are more than `most` bytes.
pub fn write_in_sequence(
    blocks: impl Iterator<Item = imsprep_source::Result<Vec<u8>>> + Send,
    give_back: impl Fn(Vec<u8>) + Sync,
    most: u64,
    options: &WriteOptions,
    out: &mut OutputFile,
    work: Work<'_>,
) -> Result<(Written, u64, Option<Checksums>), Error> {
    let path = out.path().to_owned();
    let WriteOptions { timestamp, uuid, checksums, .. } = *options;
    let label = Label { orig_size: most, method: Method::Zstd, timestamp, uuid };
    let mut container = ContainerWriter::begin(out, &label)?;
    // The total is not known in advance.
    let stage = Stage::begin(work.progress, "reading and compressing", 0);
    let ahead = AHEAD * rayon::current_num_threads();
    let make = |worker: &mut Worker,
                (number, block): (usize, imsprep_source::Result<Vec<u8>>),
                packed: &mut Counted| {
        work.cancel.check()?;
        give_back(std::mem::replace(&mut worker.block, block?));
        let start = (number as u64).saturating_mul(BLOCK_SIZE.into());
        packed.length = worker.block.len() as u64;
        let size = start.saturating_add(packed.length);
        if size > most {
            return Err(Error::DiskTooLarge { path: path.clone(), size });
        }
        worker.block.resize(usize::try_from(BLOCK_SIZE).unwrap_or(usize::MAX), 0);
        pack(number as u64, options, worker, &mut packed.packed)
    };
    let (mut sums, mut size) = (Vec::new(), 0);
    let take = |Counted { packed, length }: &mut Counted| {
        if !packed.payload.is_empty() {
            container.append(packed.number, &packed.payload)?;
            if checksums {
                sums.push((packed.number.into(), packed.checksum));
            }
        }
        size += *length;
        stage.advance(*length);
        Ok::<_, Error>(())
    };
    in_order(blocks.enumerate(), ahead, Worker::default, make, take)?;
    drop(stage);
    work.cancel.check()?;
    let (written, head) = container.finish_with_size(size)?;
    out.write_at(&head, 0)?;
    Ok((written, size, checksums.then(|| Checksums::new(sums))))
}

/// A block with the bytes of the disk that it has.
#[derive(Default)]
struct Counted {
    packed: Packed,
    length: u64,
}

/// Reads one block, padded with zeros if it is the last and partial, and compresses it.
fn read_and_pack(
    disk: &dyn DiskReader,
    number: u64,
    options: &WriteOptions,
    worker: &mut Worker,
    packed: &mut Packed,
) -> Result<(), Error> {
    let block_size = usize::try_from(BLOCK_SIZE).unwrap_or(usize::MAX);
    let start = number.saturating_mul(BLOCK_SIZE.into());
    let there = usize::try_from(disk.size().saturating_sub(start)).unwrap_or(usize::MAX).min(block_size);
    worker.block.resize(block_size, 0);
    let (data, padding) = worker.block.split_at_mut(there);
    disk.read_at(data, start)?;
    padding.fill(0);
    pack(number, options, worker, packed)
}

/// Compresses the worker's block.
fn pack(number: u64, options: &WriteOptions, worker: &mut Worker, packed: &mut Packed) -> Result<(), Error> {
    packed.number = u32::try_from(number).unwrap_or(u32::MAX);
    packed.payload.clear();
    if is_zero(&worker.block) {
        return Ok(());
    }
    if options.checksums {
        packed.checksum = Checksums::of_block(&worker.block);
    }
    let compressor = match &mut worker.compressor {
        Some(compressor) => compressor,
        none => none.insert(Compressor::new(options.level)?),
    };
    compressor.compress(&worker.block, &mut packed.payload)
}
