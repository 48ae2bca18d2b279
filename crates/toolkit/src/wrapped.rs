//! A RAW that is compressed as a whole, written as another image.

use std::sync::{Arc, Mutex, PoisonError};

use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::Finding;
use imsprep_formats::{Unwrapped, Wrapper};
use imsprep_rules::{HUAWEI, other_advice};
use imsprep_source::{Cancel, MemoryImage, OutputFile, Stage, Work, is_zero};
use imsprep_zvhd2::{Checksums, WriteOptions, Written, write_in_sequence};

use crate::bitmap_beside::BitmapBeside;
use crate::chunks::CHUNK;
use crate::data_bits::{DataBits, data_blocks};
use crate::holes::write_data;
use crate::no_disk::why_no_disk;
use crate::{Error, OpenedImage, Result};

/// The most bytes that are unpacked: no import takes a larger disk.
const MOST: u64 = HUAWEI.max_disk;
/// Bytes at the end of the disk that may tell of another format.
const TAIL: usize = 4096;

/// The blocks of a RAW as they come, and its beginning and its end.
pub(crate) struct Blocks<'a> {
    stream: Unwrapped<'a>,
    ends: Arc<Mutex<Ends>>,
    spare: Arc<Spare>,
    over: bool,
}

/// Memory of blocks that are done, for those that come.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, block: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(block);
    }
}

/// The first block, and the last bytes of all.
#[derive(Default)]
struct Ends {
    first: Option<Vec<u8>>,
    last: Vec<u8>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn open(image: &'a OpenedImage, wrapper: Wrapper) -> Result<Self> {
        let stream = Unwrapped::open_file(image.file(), wrapper, rayon::current_num_threads())?;
        Ok(Self { stream, ends: Arc::default(), spare: Arc::default(), over: false })
    }

    /// Refuses what was unpacked if its beginning, or its end as far as it was read, shows that it is no RAW.
    pub(crate) fn refuse_unless_raw(&self, image: &OpenedImage) -> Result<()> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).refuse_unless_raw(image)?;
        Ok(())
    }

    fn read(&mut self) -> imsprep_source::Result<Option<Vec<u8>>> {
        let mut block = self.spare.take();
        block.resize(usize::try_from(CHUNK).unwrap_or(0), 0);
        let filled = self.stream.fill(&mut block)?;
        self.over = filled < block.len();
        block.truncate(filled);
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if ends.first.is_none() {
            ends.first = Some(block.clone());
        } else {
            ends.last.extend(block.get(block.len().saturating_sub(TAIL)..).unwrap_or_default());
            let extra = ends.last.len().saturating_sub(TAIL);
            ends.last.drain(..extra);
        }
        Ok((filled > 0).then_some(block))
    }
}

impl Iterator for Blocks<'_> {
    type Item = imsprep_source::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over |= !matches!(next, Some(Ok(_)));
        next
    }
}

impl Ends {
    /// What was unpacked must be a RAW: what its beginning shows, and, once there is all of it, its end.
    fn refuse_unless_raw(&self, image: &OpenedImage) -> Result<(MemoryImage, Detection)> {
        let first = self.first.clone().unwrap_or_default();
        let disk = MemoryImage::new(image.path(), [first, self.last.clone()].concat());
        let found = detect(&disk)?;
        let is_plain = matches!(found.format, Format::Raw | Format::Empty) && found.also.is_empty();
        if is_plain {
            return Ok((disk, found));
        }
        let advice = match found.format {
            Format::Other(other) => {
                format!("and its content is {}: decompress it first; {}", other.title, other_advice(other))
            }
            format => {
                format!("and its content is {format}, not RAW: decompress it first, and convert the result")
            }
        };
        Err(Error::NotConvertible { path: image.path().to_owned(), format: image.format(), advice })
    }
}

/// Refuses a compressed file of which the beginning shows that it holds no RAW. Returns why a RAW in it is no disk, as far as
/// its beginning shows.
pub(crate) fn refuse_unless_raw(
    image: &OpenedImage,
    wrapper: Wrapper,
    cancel: &Cancel,
) -> Result<Option<Finding>> {
    let mut blocks = Blocks::open(image, wrapper)?;
    blocks.read()?;
    let ends = blocks.ends.lock().unwrap_or_else(PoisonError::into_inner);
    let (disk, found) = ends.refuse_unless_raw(image)?;
    // `disk.raw.gz` holds what is called `disk.raw`.
    why_no_disk(&image.path().with_extension(""), &disk, &found, cancel)
}

/// Writes the RAW in a compressed file as a ZVHD2. Returns the bytes of the disk, too.
pub(crate) fn to_zvhd2(
    image: &OpenedImage,
    wrapper: Wrapper,
    options: &WriteOptions,
    out: &mut OutputFile,
    work: Work<'_>,
) -> Result<(Written, u64, Option<Checksums>)> {
    let blocks = Blocks::open(image, wrapper)?;
    let (ends, spare) = (Arc::clone(&blocks.ends), Arc::clone(&blocks.spare));
    let written = write_in_sequence(blocks, |block| spare.give_back(block), MOST, options, out, work)?;
    ends.lock().unwrap_or_else(PoisonError::into_inner).refuse_unless_raw(image)?;
    Ok(written)
}

/// A RAW that was unpacked into a file.
pub(crate) struct Unpacked {
    pub(crate) length: u64,
    pub(crate) data_bytes: u64,
    pub(crate) bits: DataBits,
    pub(crate) checksums: Checksums,
}

/// Writes the RAW in a compressed file to a sparse file.
pub(crate) fn to_raw(
    image: &OpenedImage,
    wrapper: Wrapper,
    out: &mut OutputFile,
    bitmap: &BitmapBeside,
    work: Work<'_>,
) -> Result<Unpacked> {
    let mut blocks = Blocks::open(image, wrapper)?;
    let stage = Stage::begin(work.progress, "unpacking", 0);
    let (mut length, mut data_bytes, mut sums) = (0, 0, Vec::new());
    let (block_size, spare) = (bitmap.layout.block_size, Arc::clone(&blocks.spare));
    let mut bits = DataBits::new(block_size);
    for block in blocks.by_ref() {
        work.cancel.check()?;
        let block = block?;
        if length + block.len() as u64 > MOST {
            let (path, size) = (out.path().to_owned(), length + block.len() as u64);
            return Err(imsprep_zvhd2::Error::DiskTooLarge { path, size }.into());
        }
        if !is_zero(&block) {
            sums.push((length / CHUNK, Checksums::of_block(&block)));
            bits.mark(data_blocks(&block, length, block_size));
            data_bytes += write_data(out, &block, length)?;
        }
        length += block.len() as u64;
        bitmap.check_length(length)?;
        stage.advance(block.len() as u64);
        spare.give_back(block);
    }
    blocks.refuse_unless_raw(image)?;
    out.set_len(length)?;
    Ok(Unpacked { length, data_bytes, bits, checksums: Checksums::new(sums) })
}
