//! A RAW that is read once, from its first byte to its last, written as another image: one that is compressed as a whole, or a stream.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::Finding;
use imsprep_formats::{Unwrapped, Watch, Wrapper};
use imsprep_rules::other_advice;
use imsprep_source::{Cancel, MemoryImage, OutputFile, Stage, Work, is_zero};
use imsprep_zvhd2::{Checksums, WriteOptions, Written, write_in_sequence};

use crate::archive::{Member, Packed};
use crate::bitmap_beside::BitmapBeside;
use crate::chunks::CHUNK;
use crate::data_bits::{DataBits, data_blocks};
use crate::holes::write_data;
use crate::no_disk::why_no_disk;
use crate::{Error, OpenedImage, Result};

/// Bytes at the end of the disk that may tell of another format.
const TAIL: usize = 4096;
/// Blocks that may wait for the one who takes them. A thread that has to wait for the next block could compress one instead.
const AHEAD: usize = 4;

/// The blocks of a RAW as they come, and its beginning and its end.
pub(crate) struct Blocks<'a> {
    stream: Unwrapped<'a>,
    path: PathBuf,
    /// What a file of the RAW would be called.
    name: PathBuf,
    /// The format of the file or stream: that of what it is compressed with, or RAW.
    format: Format,
    /// The first block, if it was looked at before its turn.
    first: Option<imsprep_source::Result<Vec<u8>>>,
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
    /// Those of the RAW in a compressed file, or of the selected disk of an archive, which is compressed. `None` if the disk is not compressed,
    /// or was unpacked.
    pub(crate) fn open(image: &'a OpenedImage) -> Result<Option<Self>> {
        if let Some(member) = image.member() {
            return if image.is_stream() { Self::of_member(image, member) } else { Ok(None) };
        }
        let Some(wrapper) = Wrapper::of(image.format()) else { return Ok(None) };
        let watch = image.hash().map(|hash| hash as Arc<dyn Watch>);
        let stream = Unwrapped::open_file(image.file(), wrapper, rayon::current_num_threads(), watch)?;
        Ok(Some(Self::new(stream, image.path(), image.format())))
    }

    /// Those of the RAW in a member of an archive; `None` if it is not compressed.
    pub(crate) fn of_member(image: &'a OpenedImage, member: &Member) -> Result<Option<Self>> {
        let Some(Packed { bytes, wrapper, then: None, .. }) = member.packed(image.content())? else {
            return Ok(None);
        };
        let stream = Unwrapped::open(bytes, wrapper)?;
        let name = PathBuf::from(&member.name);
        Ok(Some(Self { name, ..Self::new(stream, image.path(), image.format()) }))
    }

    /// Those of a RAW that is read once, from its first byte to its last: `stream` has this format, and errors call it `path`.
    pub(crate) fn new(stream: Unwrapped<'a>, path: &Path, format: Format) -> Self {
        let path = path.to_owned();
        // `disk.raw.gz` holds what is called `disk.raw`.
        let name = if format == Format::Raw { path.clone() } else { path.with_extension("") };
        Self {
            stream,
            path,
            name,
            format,
            first: None,
            ends: Arc::default(),
            spare: Arc::default(),
            over: false,
        }
    }

    /// Reads the first block before its turn. Refuses what that shows to be no RAW; returns why a RAW is no disk, as far as it shows that.
    pub(crate) fn judge_first(&mut self, cancel: &Cancel) -> Result<Option<Finding>> {
        match self.next() {
            Some(Err(error)) => return Err(error.into()),
            first => self.first = first,
        }
        let (disk, found) = self.ends().refuse_unless_raw()?;
        why_no_disk(&self.name, &disk, &found, cancel)
    }

    /// What is done while they are read, for the user.
    fn what_is_done(&self) -> &'static str {
        if self.format == Format::Raw { "writing" } else { "unpacking" }
    }

    /// Whether a thread of its own should expand them. It keeps what expands slowly from ever waiting, and what expands fast ahead of several
    /// threads that compress. Two threads that expand in turn what expands fast are never idle, and what each of them compresses is still in
    /// its cache: 2 to 5 % less processor time with gzip and Zstandard.
    fn is_worth_a_thread(&self) -> bool {
        self.stream.is_slow() || rayon::current_num_threads() > 2
    }

    /// Hands the blocks to `take` while a thread of its own reads those that follow: what expands them is one thread however many take
    /// them, and it should never wait. `take` need not take all; the thread ends with it.
    fn read_ahead<T>(mut self, take: impl FnOnce(AheadBlocks) -> Result<T>) -> Result<T> {
        let path = self.path.clone();
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            let read = move || {
                // Sending fails if the other side ended early, because of an error; this thread then ends, too.
                let _ = self.try_for_each(|block| sender.send(block));
            };
            let reading = thread::Builder::new().name("expand".into()).spawn_scoped(scope, read);
            reading.map_err(|source| imsprep_source::Error::NoThread { path, source })?;
            take(AheadBlocks(receiver))
        })
    }

    /// What has come so far of the beginning and the end; it goes on to show what comes.
    pub(crate) fn ends(&self) -> DiskEnds {
        DiskEnds { ends: Arc::clone(&self.ends), path: self.path.clone(), format: self.format }
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
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over |= !matches!(next, Some(Ok(_)));
        next
    }
}

/// Blocks that a thread reads.
struct AheadBlocks(Receiver<imsprep_source::Result<Vec<u8>>>);

impl Iterator for AheadBlocks {
    type Item = imsprep_source::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.recv().ok()
    }
}

/// The beginning and the end of a disk that comes as blocks.
pub(crate) struct DiskEnds {
    ends: Arc<Mutex<Ends>>,
    path: PathBuf,
    format: Format,
}

impl DiskEnds {
    /// What came must be a RAW: what its beginning shows, and, once there is all of it, its end.
    pub(crate) fn refuse_unless_raw(&self) -> Result<(MemoryImage, Detection)> {
        let disk = {
            let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let first = ends.first.clone().unwrap_or_default();
            MemoryImage::new(&self.path, [first, ends.last.clone()].concat())
        };
        let found = detect(&disk)?;
        let is_plain = matches!(found.format, Format::Raw | Format::Empty) && found.also.is_empty();
        if is_plain {
            return Ok((disk, found));
        }
        let (path, format) = (self.path.clone(), self.format);
        if format == Format::Raw {
            return Err(Error::NotFromStream { path, format: found.format });
        }
        let advice = match found.format {
            Format::Other(other) => {
                format!("and its content is {}: decompress it first; {}", other.title, other_advice(other))
            }
            format => {
                format!("and its content is {format}, not RAW: decompress it first, and convert the result")
            }
        };
        Err(Error::NotConvertible { path, format, advice })
    }

    fn too_large(&self, most: u64) -> Error {
        Error::StreamTooLarge { path: self.path.clone(), most }
    }
}

/// Writes the RAW in the blocks, of at most `most` bytes, as a ZVHD2. Returns the bytes of the disk, too.
pub(crate) fn to_zvhd2(
    blocks: Blocks<'_>,
    most: u64,
    options: &WriteOptions,
    out: &mut OutputFile,
    work: Work<'_>,
) -> Result<(Written, u64, Option<Checksums>)> {
    let (ends, spare) = (blocks.ends(), Arc::clone(&blocks.spare));
    let give_back = |block| spare.give_back(block);
    let error = |error| match error {
        imsprep_zvhd2::Error::DiskTooLarge { .. } => ends.too_large(most),
        error => error.into(),
    };
    let written = if blocks.is_worth_a_thread() {
        blocks.read_ahead(|blocks| {
            write_in_sequence(blocks, give_back, most, options, out, work).map_err(error)
        })
    } else {
        write_in_sequence(blocks, give_back, most, options, out, work).map_err(error)
    }?;
    ends.refuse_unless_raw()?;
    Ok(written)
}

/// A RAW that was unpacked into a file.
pub(crate) struct Unpacked {
    pub(crate) length: u64,
    pub(crate) data_bytes: u64,
    pub(crate) bits: DataBits,
    pub(crate) checksums: Checksums,
}

/// Writes the RAW in the blocks, of at most `most` bytes, to a sparse file.
pub(crate) fn to_raw(
    blocks: Blocks<'_>,
    most: u64,
    out: &mut OutputFile,
    bitmap: &BitmapBeside,
    work: Work<'_>,
) -> Result<Unpacked> {
    let ends = blocks.ends();
    let stage = Stage::begin(work.progress, blocks.what_is_done(), 0);
    let (mut length, mut data_bytes, mut sums) = (0, 0, Vec::new());
    let (block_size, spare) = (bitmap.layout.block_size, Arc::clone(&blocks.spare));
    let mut bits = DataBits::new(block_size);
    for block in blocks {
        work.cancel.check()?;
        let block = block?;
        if length + block.len() as u64 > most {
            return Err(ends.too_large(most));
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
    ends.refuse_unless_raw()?;
    out.set_len(length)?;
    Ok(Unpacked { length, data_bytes, bits, checksums: Checksums::new(sums) })
}
