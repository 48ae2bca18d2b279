//! One worker: the blocks of a part of the image, one after the other.

use imsprep_source::{
    AlignedBuffer, BlockSize, DIRECT_ALIGN, Error, ImageFile, ReadAt, Result, WINDOW_ALIGN, Window, is_zero,
};

use crate::part::{BUFFER, Claim, Found, PROBED_FROM};

/// One page: what a probe looks at.
const PAGE_BYTES: usize = 4 << 10;
const PAGE: u64 = PAGE_BYTES as u64;
/// What is mapped at a time, at multiples of itself. Mapping and unmapping costs every core a pause, so a window for each
/// block of 2 MiB takes almost twice as long as one for sixteen.
const WINDOW: u64 = 32 << 20;
const _: () = assert!(WINDOW.is_multiple_of(WINDOW_ALIGN));
/// Up to this size, what lies between two holes is read like a probe: mapping it, or reading ahead of it, would bring in
/// more of the holes around it than there is of it.
const SHORT: u64 = 64 << 10;

/// The image's descriptors, shared by the workers.
pub(crate) struct Files<'a> {
    /// For single pages here and there, without read-ahead.
    pub(crate) probes: Option<ImageFile>,
    /// The image as it was opened, for maps.
    pub(crate) image: &'a ImageFile,
    /// For pieces of the stream: the workers share the system's read-ahead of this one.
    pub(crate) stream: Option<ImageFile>,
    /// For whole blocks past the page cache.
    pub(crate) direct: Option<ImageFile>,
    /// Whether to map whole blocks where possible.
    pub(crate) map: bool,
}

impl Files<'_> {
    fn probes(&self) -> &ImageFile {
        self.probes.as_ref().unwrap_or(self.image)
    }
}

/// A worker's own state: its buffer and its place in the file's extents.
pub(crate) struct Worker<'a> {
    files: &'a Files<'a>,
    /// For whole blocks.
    whole: &'a ImageFile,
    extents: imsprep_source::ExtentCursor<'a>,
    block_size: u64,
    size: u64,
    buffer: AlignedBuffer,
    /// The part of the file that is mapped, and where it begins.
    window: Option<(u64, Window<'a>)>,
    bytes_read: u64,
}

impl<'a> Worker<'a> {
    /// A worker that reads whole blocks through `whole`, which no other worker uses.
    pub(crate) fn new(files: &'a Files<'a>, whole: &'a ImageFile, block_size: BlockSize) -> Self {
        Self {
            files,
            whole,
            extents: whole.extents(),
            block_size: block_size.bytes(),
            size: whole.size(),
            buffer: AlignedBuffer::zeroed(0),
            window: None,
            bytes_read: 0,
        }
    }

    /// Bytes looked at since the last call.
    pub(crate) fn take_bytes_read(&mut self) -> u64 {
        std::mem::take(&mut self.bytes_read)
    }

    /// Finds the data blocks of a part of the image. Returns the bytes of the image that it stands for. `go_on` is asked often
    /// and ends the scan with its error.
    pub(crate) fn scan(
        &mut self,
        claim: Claim,
        found: &mut Found,
        go_on: &dyn Fn() -> Result<()>,
    ) -> Result<u64> {
        let Claim { start, end, is_streamed, data: (asked, extent) } = claim;
        self.extents.remember(asked, extent);
        if !is_streamed {
            self.announce_probes(start, end)?;
        }
        let mut at = start;
        while at < end {
            go_on()?;
            let Some(extent) = self.extents.data_from(at)? else { break };
            if extent.start >= end {
                break;
            }
            let block = extent.start / self.block_size;
            let block_end = (block + 1).saturating_mul(self.block_size).min(end);
            at = if is_streamed {
                self.scan_stream(extent.start, extent.end.min(end), found)?
            } else if self.block_size < PROBED_FROM {
                self.scan_small_blocks(extent.start, extent.end.min(end), found)?
            } else if self.has_data(extent.start, extent.end.min(block_end), found)? {
                found.data(block);
                block_end
            } else {
                extent.end.min(block_end)
            };
        }
        Ok(end - start)
    }

    /// Tells the kernel of the first page of each block to come, so that a cold disk works on many at once.
    fn announce_probes(&mut self, start: u64, end: u64) -> Result<()> {
        if self.files.map || self.block_size < PROBED_FROM {
            return Ok(());
        }
        let mut at = start;
        while at < end {
            let Some(extent) = self.extents.data_from(at)? else { break };
            if extent.start >= end {
                break;
            }
            self.files.probes().announce(extent.start, PAGE);
            at = (extent.start / self.block_size + 1).saturating_mul(self.block_size);
        }
        Ok(())
    }

    /// Whether a stretch within one block has a byte that is not zero.
    fn has_data(&mut self, start: u64, end: u64, found: &mut Found) -> Result<bool> {
        if end - start > 2 * PAGE {
            for place in probed(start, end) {
                let mut page = [0; PAGE_BYTES];
                self.files.probes().read_at(&mut page, place)?;
                self.bytes_read += PAGE;
                if !is_zero(&page) {
                    found.settled += 1;
                    return Ok(true);
                }
            }
        }
        found.read_whole += 1;
        if self.files.map
            && end - start > SHORT
            && let Some(answer) = self.has_data_mapped(start, end)?
        {
            return Ok(answer);
        }
        let mut at = start;
        while at < end {
            let piece = self.read(at, end.min(at + BUFFER))?;
            if !is_zero(piece) {
                return Ok(true);
            }
            at += piece.len() as u64;
        }
        Ok(false)
    }

    /// The same through memory maps, or `None` where the file can't be mapped.
    fn has_data_mapped(&mut self, start: u64, end: u64) -> Result<Option<bool>> {
        let mut at = start;
        while at < end {
            let Some((begins, window)) = self.window_at(at) else { return Ok(None) };
            let to = end.min(begins + window.bytes().len() as u64);
            let range = within(at - begins, to - begins);
            let Some(piece) = range.and_then(|range| window.bytes().get(range)) else { return Ok(None) };
            let is_zero = is_zero(piece);
            window.verify()?;
            self.bytes_read += to - at;
            if !is_zero {
                return Ok(Some(true));
            }
            at = to;
        }
        Ok(Some(false))
    }

    /// The window that `at` lies in, and where it begins; mapped if it is another than the last.
    fn window_at(&mut self, at: u64) -> Option<(u64, &Window<'a>)> {
        let begins = at / WINDOW * WINDOW;
        if self.window.as_ref().is_none_or(|(mapped, _)| *mapped != begins) {
            // The old one goes first: two at a time would need twice the memory.
            self.window = None;
            let length = usize::try_from(WINDOW.min(self.size - begins)).ok()?;
            self.window = Some((begins, self.files.image.map(begins, length)?));
        }
        self.window.as_ref().map(|(begins, window)| (*begins, window))
    }

    /// Small blocks are read many at a time. Returns where it stopped: at `end`, or after one buffer.
    fn scan_small_blocks(&mut self, start: u64, end: u64, found: &mut Found) -> Result<u64> {
        let block_size = self.block_size;
        let end = end.min(start + BUFFER);
        let piece = self.read(start, end)?;
        for (at, part) in by_blocks(piece, start, block_size) {
            if !is_zero(part) {
                found.data(at / block_size);
            }
        }
        Ok(end)
    }

    /// The same for blocks of any size, through the descriptor of the stream; and what probes would have seen.
    fn scan_stream(&mut self, start: u64, end: u64, found: &mut Found) -> Result<u64> {
        let block_size = self.block_size;
        let end = end.min(start + BUFFER);
        let piece = self.read_from(start, end, true)?;
        for (at, part) in by_blocks(piece, start, block_size) {
            let part_end = at + part.len() as u64;
            let is_page_data = |place: u64| {
                let page = within(place - at, place - at + PAGE).and_then(|range| part.get(range));
                page.is_some_and(|page| !is_zero(page))
            };
            let is_settled =
                part.len() > 2 * PAGE_BYTES && probed(at, part_end).into_iter().any(is_page_data);
            if is_settled || !is_zero(part) {
                found.data(at / block_size);
            }
            match is_settled {
                true => found.settled += 1,
                false => found.read_whole += 1,
            }
        }
        Ok(end)
    }

    /// Reads a stretch of at most [`BUFFER`] bytes into the worker's buffer.
    fn read(&mut self, start: u64, end: u64) -> Result<&[u8]> {
        self.read_from(start, end, false)
    }

    /// The same, as a piece of the stream or not.
    fn read_from(&mut self, start: u64, end: u64, is_streamed: bool) -> Result<&[u8]> {
        let length = usize::try_from((end - start).min(BUFFER)).unwrap_or(0);
        // A direct read begins and ends at multiples of a page around what is wanted.
        let skip = usize::try_from(start % DIRECT_ALIGN as u64).unwrap_or(0);
        let around = (skip + length).next_multiple_of(DIRECT_ALIGN);
        if self.buffer.bytes_mut().len() < around {
            // In one go to what most reads take: growing step by step would copy for nothing.
            let most = usize::try_from(BUFFER.min(self.size)).unwrap_or(0);
            self.buffer = AlignedBuffer::zeroed(around.max(most.next_multiple_of(DIRECT_ALIGN)));
        }
        self.bytes_read += length as u64;
        let buffer = self.buffer.bytes_mut();
        if let Some(direct) = &self.files.direct {
            let begin = start - skip as u64;
            let mut got = 0;
            // The system may give less than was requested; less than a page it gives only at the end of the file.
            while got < skip + length && got.is_multiple_of(DIRECT_ALIGN) {
                let rest = buffer.get_mut(got..around).unwrap_or_default();
                match direct.read_once(rest, begin + got as u64)? {
                    0 => break,
                    more => got += more,
                }
            }
            if got < skip + length {
                return Err(Error::UnexpectedEnd {
                    path: direct.path().to_owned(),
                    offset: begin + got as u64,
                });
            }
            return Ok(buffer.get(skip..skip + length).unwrap_or_default());
        }
        let piece = buffer.get_mut(..length).unwrap_or_default();
        let file = match &self.files.stream {
            Some(stream) if is_streamed => stream,
            _ if length as u64 <= SHORT => self.files.probes(),
            _ => self.whole,
        };
        file.read_at(piece, start)?;
        Ok(piece)
    }
}

/// The pages of a stretch that are looked at first.
fn probed(start: u64, end: u64) -> [u64; 3] {
    [start, start + (end - start) / 2 / PAGE * PAGE, end - PAGE]
}

/// The parts of what was read from `start` on that lie in one block each, and where they begin.
fn by_blocks(mut piece: &[u8], start: u64, block_size: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = start;
    std::iter::from_fn(move || {
        let in_block = usize::try_from((at / block_size + 1) * block_size - at).unwrap_or(usize::MAX);
        let (part, rest) = piece.split_at(in_block.min(piece.len()));
        let begins = at;
        at += part.len() as u64;
        piece = rest;
        (!part.is_empty()).then_some((begins, part))
    })
}

fn within(start: u64, end: u64) -> Option<std::ops::Range<usize>> {
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}
