//! The virtual disk in a container.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imsprep_findings::Report;
use imsprep_ondisk::format::zvhd2::RecordHeader;
use imsprep_source::{BlockMap, BlockSize, Cancel, DiskReader, Extent, ReadAt};

use crate::contents::{Contents, read_indexed, refuse_errors};
use crate::expand::Expander;
use crate::footer::{self, Footers};
use crate::index::{BLOCK, RecordLocation};
use crate::stream::{self, Stream};
use crate::{Error, Method, Version, record};

/// Expanded blocks that are kept, so that small reads one after the other expand each block once: 16 MiB.
const KEPT: usize = 8;

/// Reads the disk in a ZVHD2 or ZVHD file at any offset, from several threads at once.
///
/// A ZVHD2 is read by its index. What the vendor's index reader would silently read wrongly is refused: when the
/// container is opened ([`Error::Unreadable`]), or, where it lies in one record, when that is read
/// ([`imsprep_source::Error::Damaged`]). Where [`check`](crate::check()) finds no error every block can be read.
///
/// ZVHD version 1 has one compressed stream for all blocks. Reading on is as fast as in ZVHD2, on one thread; reading
/// back begins at the first block again.
///
/// ```
/// use imsprep_source::{Cancel, MemoryImage, ReadAtExt};
/// use imsprep_zvhd2::Reader;
///
/// # let file = imsprep_testdata::golden("zstd_a_8m.zvhd2").to_vec();
/// let container = MemoryImage::new("disk.zvhd2", file);
/// let disk = Reader::open(&container, &Cancel::new())?;
/// assert_eq!((disk.orig_size(), disk.data_blocks()), (8 << 20, 3));
/// let boot_sector = disk.read_array::<512>(0)?;
/// # let _ = boot_sector;
/// # Ok::<(), imsprep_zvhd2::Error>(())
/// ```
pub struct Reader<'a> {
    source: &'a dyn ReadAt,
    contents: Contents,
    recent: Mutex<Recent>,
    idle: Mutex<Vec<Tool>>,
    /// Version 1 alone has it.
    stream: Option<Mutex<Stream>>,
}

/// What a thread needs to expand a record; made when more threads read at once than ever before.
struct Tool {
    expander: Expander,
    buffer: Vec<u8>,
}

/// Blocks that were expanded last, the latest first.
#[derive(Default)]
struct Recent(VecDeque<(u32, Arc<Vec<u8>>)>);

impl Recent {
    fn get(&mut self, block: u32) -> Option<Arc<Vec<u8>>> {
        let found = self.0.iter().position(|(kept, _)| *kept == block)?;
        let entry = self.0.remove(found)?;
        let bytes = Arc::clone(&entry.1);
        self.0.push_front(entry);
        Some(bytes)
    }

    fn put(&mut self, block: u32, bytes: Arc<Vec<u8>>) {
        self.0.push_front((block, bytes));
        self.0.truncate(KEPT);
    }
}

/// A thread that panicked left nothing half done: values are put in whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads footers, bitmap and index; of version 1 the header and postfix of every record. Refuses whatever of these
/// [`check`](crate::check()) calls an error.
fn read_contents(source: &dyn ReadAt, cancel: &Cancel) -> Result<Contents, Error> {
    match &Footers::find(source)? {
        Footers::V1 { head, .. } => stream::read_contents(source, head, cancel),
        Footers::V2 { end: None, .. } => {
            let mut report = Report::new();
            footer::report_no_end(source, &mut report);
            refuse_errors(source, &report)?;
            Err(Error::NotZvhd2 { path: source.path().to_owned() })
        }
        Footers::V2 { head, end: Some(end) } => read_indexed(source, head, end, cancel),
    }
}

fn new_block() -> Vec<u8> {
    vec![0; usize::try_from(BLOCK).unwrap_or(0)]
}

impl<'a> Reader<'a> {
    /// Opens the container: reads footers, bitmap and index, and holds them against what reading needs.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if it is not sound enough to be read without doubt; [`Error::NotZvhd2`]; or if the file
    /// can't be read.
    pub fn open(source: &'a dyn ReadAt, cancel: &Cancel) -> Result<Self, Error> {
        let contents = read_contents(source, cancel)?;
        let stream = (contents.version == Version::Zvhd1).then(|| Mutex::new(Stream::new()));
        Ok(Self { source, contents, recent: Mutex::default(), idle: Mutex::default(), stream })
    }

    /// The format.
    pub fn version(&self) -> Version {
        self.contents.version
    }

    /// How the payloads are compressed.
    pub fn method(&self) -> Method {
        self.contents.method
    }

    /// Bytes of the source image, rounded up to 512 by whoever wrote the container. The disk goes on after it, as far
    /// as [`size`](ReadAt::size).
    pub fn orig_size(&self) -> u64 {
        self.contents.orig_size
    }

    /// Blocks that have a record.
    pub fn data_blocks(&self) -> u64 {
        self.contents.places.len() as u64
    }

    /// Whether reads from several threads are faster than from one: not in version 1, where each waits for the one
    /// before.
    pub fn is_parallel(&self) -> bool {
        self.stream.is_none()
    }

    /// The container's own bitmap, over the source image: what a scan of that image finds.
    ///
    /// # Errors
    ///
    /// [`imsprep_source::Error::TooManyBlocks`].
    pub fn block_map(&self) -> imsprep_source::Result<BlockMap> {
        let mut map = BlockMap::zeroed(self.path(), self.contents.orig_size, BlockSize::MIB_2)?;
        for place in &self.contents.places {
            map.set(place.block.into(), true);
        }
        Ok(map)
    }

    /// The position among the places of a block, if it is a data block.
    fn find(&self, block: u64) -> Option<usize> {
        self.contents.places.binary_search_by_key(&block, |place| place.block.into()).ok()
    }

    fn end_of_disk(&self) -> imsprep_source::Error {
        imsprep_source::Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() }
    }

    /// Expands a record straight into a whole block's buffer.
    fn expand_into(&self, place: &RecordLocation, block: &mut [u8]) -> imsprep_source::Result<()> {
        let idle = lock(&self.idle).pop();
        let mut tool = idle.unwrap_or_else(|| Tool {
            expander: Expander::new(self.contents.method, usize::try_from(BLOCK).unwrap_or(0)),
            buffer: Vec::new(),
        });
        let result =
            record::read_record(self.source, place, &mut tool.buffer).and_then(|(header, payload)| {
                self.refuse_hidden(place, &header)?;
                let expanded = tool.expander.expand(payload, block);
                expanded
                    .map_err(|error| record::damaged(self.source, place, RecordHeader::SIZE as u64, &error))
            });
        lock(&self.idle).push(tool);
        result.map(|_| ())
    }

    /// Refuses a record that another one begins in, and one that ends before its entry says, with a record behind it that
    /// only a sequential reader finds.
    fn refuse_hidden(&self, place: &RecordLocation, header: &RecordHeader) -> imsprep_source::Result<()> {
        let starts = &self.contents.starts;
        let next = starts.get(starts.partition_point(|start| *start <= place.offset));
        let distance = next.map(|next| next - place.offset);
        let length = record::extent(header, place.length, distance);
        if distance.is_some_and(|distance| distance < length) {
            return Err(record::damaged(self.source, place, 0, "another record begins in it (ZV-051)"));
        }
        if header.record_length() == place.length.into() {
            return Ok(());
        }
        let from = place.offset.saturating_add(header.record_length());
        let number = self.find(place.block.into());
        match self.contents.sequence().check_after(self.source, number, from)? {
            None => Ok(()),
            Some(finding) => {
                let what = format!("{} ({})", finding.message, finding.rule.code);
                Err(record::damaged(self.source, place, 0, what))
            }
        }
    }

    /// The block at this position among the places, expanded now or lately.
    fn block(&self, number: usize, place: &RecordLocation) -> imsprep_source::Result<Arc<Vec<u8>>> {
        if let Some(bytes) = lock(&self.recent).get(place.block) {
            return Ok(bytes);
        }
        let Some(stream) = &self.stream else {
            let mut bytes = new_block();
            self.expand_into(place, &mut bytes)?;
            let bytes = Arc::new(bytes);
            lock(&self.recent).put(place.block, Arc::clone(&bytes));
            return Ok(bytes);
        };
        let mut stream = lock(stream);
        // Another thread may have come by while this one waited.
        if let Some(bytes) = lock(&self.recent).get(place.block) {
            return Ok(bytes);
        }
        let bytes = stream.expand(self.source, &self.contents.places, number, |block, bytes| {
            lock(&self.recent).put(block, Arc::new(bytes));
        })?;
        let bytes = Arc::new(bytes);
        lock(&self.recent).put(place.block, Arc::clone(&bytes));
        Ok(bytes)
    }

    /// Fills a piece of one block from `within` on.
    fn read_piece(&self, block: u64, within: usize, piece: &mut [u8]) -> imsprep_source::Result<()> {
        let found = self.find(block).and_then(|number| Some((number, self.contents.places.get(number)?)));
        let Some((number, place)) = found else {
            piece.fill(0);
            return Ok(());
        };
        // A whole block need not be kept: who reads it has it.
        if piece.len() as u64 == BLOCK && self.stream.is_none() {
            return self.expand_into(place, piece);
        }
        let bytes = self.block(number, place)?;
        let there = bytes.get(within..).and_then(|tail| tail.get(..piece.len()));
        piece.copy_from_slice(there.ok_or_else(|| self.end_of_disk())?);
        Ok(())
    }
}

impl ReadAt for Reader<'_> {
    fn path(&self) -> &Path {
        self.source.path()
    }

    fn size(&self) -> u64 {
        self.contents.disk_size
    }

    fn read_at(&self, mut buf: &mut [u8], mut offset: u64) -> imsprep_source::Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size());
        end.ok_or_else(|| self.end_of_disk())?;
        while !buf.is_empty() {
            let within = offset % BLOCK;
            let left = usize::try_from(BLOCK - within).unwrap_or(usize::MAX).min(buf.len());
            let (piece, rest) = buf.split_at_mut(left);
            self.read_piece(offset / BLOCK, usize::try_from(within).unwrap_or(0), piece)?;
            offset += piece.len() as u64;
            buf = rest;
        }
        Ok(())
    }
}

impl DiskReader for Reader<'_> {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        let places = &self.contents.places;
        let first = places.partition_point(|place| (u64::from(place.block) + 1) * BLOCK <= offset);
        let ahead = places.get(first..).unwrap_or_default();
        let Some(RecordLocation { block, .. }) = ahead.first().copied() else { return Ok(None) };
        // In neighbouring blocks the number grows as the position does; elsewhere it grows faster, and never less.
        let in_run = |(number, place): (u32, &RecordLocation)| place.block - block == number;
        let (mut low, mut high) = (0, ahead.len());
        while low < high {
            let middle = low.midpoint(high);
            let number = u32::try_from(middle).unwrap_or(u32::MAX);
            if ahead.get(middle).is_some_and(|place| in_run((number, place))) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let start = offset.max(u64::from(block) * BLOCK);
        let end = (u64::from(block) + low as u64).saturating_mul(BLOCK).min(self.size());
        Ok((start < end).then_some(Extent { start, end }))
    }
}
