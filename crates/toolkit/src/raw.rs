//! The disk in an image, written as a RAW.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use imsprep_detect::Format;
use imsprep_source::{Cancel, DiskReader, OutputFile, ReadAt, Sink, Stage, Work, is_zero};
use imsprep_zvhd2::Checksums;
use rayon::prelude::*;

use crate::bitmap_beside::{BitmapBeside, BitmapWritten};
use crate::chunks::{CHUNK, Chunks, on_threads};
use crate::data_bits::{DataBits, data_blocks};
use crate::holes::{HOLE, write_data};
use crate::saving::SeenBlocks;
use crate::verify::verify;
use crate::wrapped::{Blocks, Unpacked, to_raw};
use crate::{ConversionSource, ConvertOptions, Disk, DiskLength, Plan, Result, Saving};

/// A RAW that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawWritten {
    /// The image that it was made from.
    pub image: PathBuf,
    /// That image's format.
    pub format: Format,
    /// Bytes of the RAW.
    pub length: u64,
    /// Bytes of it that were written; the rest are zeros, in a file holes.
    pub data_bytes: u64,
    /// Offset on the disk of a byte that is not zero and lies beyond `length`, so that it was left out.
    pub left_out: Option<u64>,
    /// Whether it was read back and held what the disk held.
    pub verified: bool,
    /// What would have been saved without the bytes that no file holds, if they were not left out and it is known.
    pub saving: Option<Saving>,
    /// Its bitmap file, if one was written.
    pub bitmap: Option<BitmapWritten>,
}

/// Writes the disk in the image to a sparse file at `output`, and its bitmap beside it, in the same pass. Both are finished before
/// the RAW gets its name; the bitmap gets its own next.
///
/// `None` if the disk, once it was unpacked, refuses the plan.
pub(crate) fn write(plan: &mut Plan, output: &Path, work: Work<'_>) -> Result<Option<RawWritten>> {
    OutputFile::create_from(output, plan.options.overwrite, &plan.source.inputs())?;
    let Some(blocks) = plan.source.blocks()? else {
        return write_disk(plan, output, work).map(Some);
    };
    let begun = unpack(&plan.source, &plan.options, blocks, output, work)?;
    finish(plan, begun, work)
}

fn write_disk(plan: &Plan, output: &Path, work: Work<'_>) -> Result<RawWritten> {
    let Plan { source, options, .. } = plan;
    let disk = plan.source_disk(work.cancel)?;
    let inputs = source.inputs();
    let mut file = OutputFile::create_from(output, options.overwrite, &inputs)?;
    let length = length_of(&disk, options.length);
    let bitmap = BitmapBeside::begin(output, options, &inputs)?;
    bitmap.check_length(length)?;
    file.set_len(length)?;
    let written = AtomicU64::new(0);
    let checksums = Mutex::new(Vec::new());
    let block_size = bitmap.layout.block_size;
    let bits = Mutex::new(DataBits::new(block_size));
    let seen = SeenBlocks::new();
    {
        let stage = Stage::begin(work.progress, "writing", length);
        let chunks = Chunks::new([&disk], length, &stage);
        on_threads(disk.readers(rayon::current_num_threads()), &chunks, || {
            let mut buffer = Vec::new();
            while let Some(chunk) = chunks.next(work.cancel)? {
                let bytes = fill(&disk, chunk.start, length, &mut buffer)?;
                let block = chunk.start / CHUNK;
                if !is_zero(bytes) {
                    seen.saw_data(chunk.start);
                    let blocks = data_blocks(bytes, chunk.start, block_size);
                    bits.lock().unwrap_or_else(PoisonError::into_inner).mark(blocks);
                    if options.verify {
                        let checksum = (block, Checksums::of_block(bytes));
                        checksums.lock().unwrap_or_else(PoisonError::into_inner).push(checksum);
                    }
                }
                written.fetch_add(write_data(&file, bytes, chunk.start)?, Ordering::Relaxed);
            }
            Ok(())
        })?;
    }
    let left_out = first_data_beyond(&disk, length, work.cancel)?;
    source.verify(&options.checksums, work)?;
    let saving = plan.saving(seen, &disk, length, work.cancel);
    if options.verify {
        let checksums = Checksums::new(checksums.into_inner().unwrap_or_else(PoisonError::into_inner));
        verify(&Disk::raw(&file.read_back()?), &checksums, work)?;
    }
    let bits = bits.into_inner().unwrap_or_else(PoisonError::into_inner);
    let bitmap = bitmap.commit(file, bits, length)?;
    let (image, format, data_bytes) = (source.path().to_owned(), disk.format(), written.into_inner());
    Ok(RawWritten { image, format, length, data_bytes, left_out, verified: options.verify, saving, bitmap })
}

/// What was made of a RAW that is read once, from its first byte to its last.
struct Begun {
    file: OutputFile,
    bitmap: BitmapBeside,
    unpacked: Unpacked,
}

/// The same for a RAW that is read once, from its first byte to its last.
fn unpack(
    source: &ConversionSource,
    options: &ConvertOptions,
    blocks: Blocks<'_>,
    output: &Path,
    work: Work<'_>,
) -> Result<Begun> {
    let inputs = source.inputs();
    let mut file = OutputFile::create_from(output, options.overwrite, &inputs)?;
    let bitmap = BitmapBeside::begin(output, options, &inputs)?;
    let unpacked = to_raw(blocks, options.profile.max_disk, &mut file, &bitmap, work)?;
    source.verify(&options.checksums, work)?;
    Ok(Begun { file, bitmap, unpacked })
}

/// Judges the disk that came out, and puts the RAW in its place. `None` if the disk refuses the plan.
fn finish(plan: &mut Plan, begun: Begun, work: Work<'_>) -> Result<Option<RawWritten>> {
    let Begun { file, bitmap, unpacked: Unpacked { length, data_bytes, bits, checksums } } = begun;
    if !plan.judge_unpacked(&Disk::raw(&file.reopen()?), work.cancel)? {
        return Ok(None);
    }
    let verified = plan.options.verify;
    if verified {
        verify(&Disk::raw(&file.read_back()?), &checksums, work)?;
    }
    let bitmap = bitmap.commit(file, bits, length)?;
    Ok(Some(RawWritten {
        image: plan.source.path().to_owned(),
        format: plan.source.format(),
        length,
        data_bytes,
        left_out: None,
        verified,
        saving: None,
        bitmap,
    }))
}

/// Writes the disk in the image into a stream, with its zeros.
pub(crate) fn stream(plan: &Plan, out: &mut dyn Sink, work: Work<'_>) -> Result<RawWritten> {
    let Plan { source, options, .. } = plan;
    let disk = plan.source_disk(work.cancel)?;
    let length = length_of(&disk, options.length);
    let stage = Stage::begin(work.progress, "writing", length);
    let chunks = Chunks::new([&disk], length, &stage);
    // While one round is written the next one is read.
    let readers = disk.readers(rayon::current_num_threads());
    let mut rounds = [Round::default(), Round::default()];
    let mut zeros = Zeros { at: 0, data_bytes: 0, seen: SeenBlocks::new(), out };
    rounds[0].read(&disk, &chunks, readers, length, work.cancel)?;
    while !rounds[0].starts.is_empty() {
        let [current, next] = &mut rounds;
        let mut read = Ok(());
        // The stream is written by the caller's thread, in order; it may be the slow side.
        let wrote = rayon::in_place_scope(|scope| {
            scope.spawn(|_| read = next.read(&disk, &chunks, readers, length, work.cancel));
            zeros.write_round(current, work.cancel)
        });
        wrote?;
        read?;
        rounds.swap(0, 1);
    }
    zeros.write_up_to(length, work.cancel)?;
    let Zeros { data_bytes, seen, .. } = zeros;
    let left_out = first_data_beyond(&disk, length, work.cancel)?;
    source.verify(&options.checksums, work)?;
    let saving = plan.saving(seen, &disk, length, work.cancel);
    let (image, format) = (source.path().to_owned(), disk.format());
    Ok(RawWritten { image, format, length, data_bytes, left_out, verified: false, saving, bitmap: None })
}

pub(crate) fn length_of(disk: &Disk<'_>, length: DiskLength) -> u64 {
    match length {
        DiskLength::Source => disk.orig_size(),
        DiskLength::Disk => disk.size(),
    }
}

/// Reads the chunk at `start` as far as the disk is wanted.
fn fill<'b>(disk: &Disk<'_>, start: u64, limit: u64, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    let wanted = CHUNK.min(limit.saturating_sub(start));
    buffer.resize(usize::try_from(wanted).unwrap_or(0), 0);
    disk.read_at(buffer, start)?;
    Ok(buffer)
}

/// The first byte at or after `length` that is not zero.
fn first_data_beyond(disk: &Disk<'_>, length: u64, cancel: &Cancel) -> Result<Option<u64>> {
    let mut at = length;
    let mut buffer = Vec::new();
    while let Some(extent) = disk.data_from(at)? {
        cancel.check()?;
        // Up to the end of the block, so that each is expanded once.
        let end = (extent.start / CHUNK + 1).saturating_mul(CHUNK).min(extent.end);
        buffer.resize(usize::try_from(end - extent.start).unwrap_or(0), 0);
        disk.read_at(&mut buffer, extent.start)?;
        if let Some(found) = buffer.iter().position(|byte| *byte != 0) {
            return Ok(Some(extent.start + found as u64));
        }
        at = end;
    }
    Ok(None)
}

/// Chunks that are read together and written one after the other.
#[derive(Default)]
struct Round {
    starts: Vec<u64>,
    buffers: Vec<Vec<u8>>,
}

impl Round {
    fn read(
        &mut self,
        disk: &Disk<'_>,
        chunks: &Chunks<'_, 1>,
        readers: usize,
        limit: u64,
        cancel: &Cancel,
    ) -> Result<()> {
        self.starts.clear();
        // Two for each reader, so that one slow block does not leave the others idle for long.
        while self.starts.len() < 2 * readers {
            let Some(chunk) = chunks.next(cancel)? else { break };
            self.starts.push(chunk.start);
        }
        self.buffers.resize(self.starts.len().max(self.buffers.len()), Vec::new());
        let pairs = self.starts.iter().zip(&mut self.buffers);
        if readers == 1 {
            return pairs
                .into_iter()
                .try_for_each(|(start, buffer)| fill(disk, *start, limit, buffer).map(|_| ()));
        }
        let pairs = pairs.collect::<Vec<_>>();
        pairs.into_par_iter().try_for_each(|(start, buffer)| fill(disk, *start, limit, buffer).map(|_| ()))
    }
}

/// A stream that is filled with zeros between the chunks.
struct Zeros<'a> {
    at: u64,
    data_bytes: u64,
    seen: SeenBlocks,
    out: &'a mut dyn Sink,
}

impl Zeros<'_> {
    fn write_round(&mut self, round: &Round, cancel: &Cancel) -> Result<()> {
        for (start, bytes) in round.starts.iter().zip(&round.buffers) {
            self.write_up_to(*start, cancel)?;
            self.out.write_all(bytes)?;
            self.seen.saw(bytes, *start);
            self.at += bytes.len() as u64;
            self.data_bytes += bytes.len() as u64;
        }
        Ok(())
    }

    fn write_up_to(&mut self, end: u64, cancel: &Cancel) -> Result<()> {
        static ZEROS: [u8; HOLE] = [0; HOLE];
        while self.at < end {
            cancel.check()?;
            let piece = usize::try_from(end - self.at).unwrap_or(HOLE).min(HOLE);
            self.out.write_all(ZEROS.get(..piece).unwrap_or_default())?;
            self.at += piece as u64;
        }
        Ok(())
    }
}
