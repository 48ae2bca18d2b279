//! The blocks of one xz stream, expanded on several threads.
//!
//! Each block is given to liblzma as a stream of its own: with the header of the real one, and with an index and a footer made for it.
//! So a block is accepted only if its checksum is right and its sizes are those in the index of the file.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use imsprep_source::{Error, ImageFile, ReadAt};

use super::expander::{Expander, fits};
use super::index::{Block, OneStream, read};
use crate::packed::PIECE;

/// Bytes of expanded data that may wait for their turn. The block that is being given may always add to it.
const WAITING_MAX: usize = 48 << 20;
/// Bytes that a thread expands at once.
const PART: usize = 1 << 20;
/// Bytes of memory for all decoders together.
const MEMORY: u64 = 72 << 20;
/// Bytes of a stream in which the header of its first block is.
const START: u64 = 12 + 1024;

/// Begins to expand the file; `None` if it is not one stream of several blocks that several threads can expand in the memory there is.
pub(super) fn open(file: &Arc<ImageFile>, threads: usize) -> io::Result<Option<Blocks>> {
    if threads < 2 {
        return Ok(None);
    }
    let Some(stream) = read(&**file).map_err(io::Error::other)?.filter(|stream| stream.blocks.len() > 1)
    else {
        return Ok(None);
    };
    let start = start_of(file).map_err(io::Error::other)?;
    let most = threads.min(stream.blocks.len());
    let Some(threads) = (2..=most).rev().find(|threads| fits(&start, MEMORY / *threads as u64)) else {
        return Ok(None);
    };
    let queue = Arc::new(Queue::new(stream, Arc::clone(file), MEMORY / threads as u64));
    let mut blocks = Blocks { queue: Arc::clone(&queue), workers: Vec::new(), part: Vec::new(), at: 0 };
    for _ in 0..threads {
        let queue = Arc::clone(&queue);
        let name = std::thread::Builder::new().name("xz".into());
        match name.spawn(move || queue.work()) {
            Ok(worker) => blocks.workers.push(worker),
            // Those that there are will do.
            Err(_) if !blocks.workers.is_empty() => break,
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(blocks))
}

/// The start of the file, with the header of its first block.
pub(super) fn start_of(file: &ImageFile) -> Result<Vec<u8>, Error> {
    let mut start = vec![0; usize::try_from(file.size().min(START)).unwrap_or(0)];
    file.read_at(&mut start, 0)?;
    Ok(start)
}

/// Expands one block. `None` if there is no memory for it.
pub(super) fn expander_of<'a>(
    file: &'a ImageFile,
    stream: &OneStream,
    block: &Block,
    memory: u64,
) -> Option<Expander<impl BufRead + 'a>> {
    let tail = block.tail([stream.header[6], stream.header[7]]);
    let range = Range { file, at: block.start, end: block.start + block.length() };
    let packed = Cursor::new(stream.header).chain(BufReader::with_capacity(PIECE, range));
    Expander::of_stream(packed.chain(Cursor::new(tail)), memory)
}

/// The content of the blocks, in their order.
pub(super) struct Blocks {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
    /// What is given next, from `at` on.
    part: Vec<u8>,
    at: usize,
}

#[cfg(test)]
impl Blocks {
    /// Bytes that wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.queue.lock().waiting
    }
}

impl Read for Blocks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.part.len() && !buf.is_empty() {
            let Some(part) = self.queue.next_part(std::mem::take(&mut self.part))? else { return Ok(0) };
            (self.part, self.at) = (part, 0);
        }
        let rest = self.part.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buf.len());
        let (from, to) = (rest.get(..length).unwrap_or_default(), buf.get_mut(..length).unwrap_or_default());
        to.copy_from_slice(from);
        self.at += length;
        Ok(length)
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.queue.lock().is_stopped = true;
        self.queue.changed.notify_all();
        for worker in self.workers.drain(..) {
            // It panics nowhere; and if it does, the block that is missing was an error.
            let _ = worker.join();
        }
    }
}

/// What the threads have in common.
struct Queue {
    file: Arc<ImageFile>,
    stream: OneStream,
    /// Bytes of memory for one decoder.
    memory: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The first block that no thread has taken.
    free: usize,
    /// The block that is given now.
    front: usize,
    /// Blocks that were taken, and not given to their end.
    taken: BTreeMap<usize, Expanded>,
    /// Bytes that wait in them.
    waiting: usize,
    /// Memory for parts that was used before.
    spare: Vec<Vec<u8>>,
    is_stopped: bool,
}

/// What there is of a block.
#[derive(Default)]
struct Expanded {
    parts: VecDeque<Vec<u8>>,
    /// How it ended.
    end: Option<io::Result<()>>,
}

/// The one who reads wants no more.
struct Stopped;

impl Queue {
    fn new(stream: OneStream, file: Arc<ImageFile>, memory: u64) -> Self {
        Self { file, stream, memory, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes next; `None` at the end. `used` is memory that is not used any more.
    fn next_part(&self, used: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.lock();
        if used.capacity() > 0 {
            state.spare.push(used);
        }
        loop {
            let front = state.front;
            if front == self.stream.blocks.len() {
                return Ok(None);
            }
            let Some(block) = state.taken.get_mut(&front) else {
                state = self.wait(state);
                continue;
            };
            if let Some(part) = block.parts.pop_front() {
                state.waiting -= part.len();
                self.changed.notify_all();
                return Ok(Some(part));
            }
            match block.end.take() {
                Some(result) => {
                    result?;
                    state.taken.remove(&front);
                    state.front += 1;
                    self.changed.notify_all();
                }
                None => state = self.wait(state),
            }
        }
    }

    /// What a thread does: expands one block after the other.
    fn work(&self) {
        while let Some(number) = self.take() {
            let guard = EndIfPanicking { queue: self, number };
            let Some(block) = self.stream.blocks.get(number) else { return };
            match self.expand(number, block) {
                Ok(Ok(())) => self.end(number, Ok(())),
                Ok(Err(Stopped)) => return,
                Err(error) => {
                    // Those behind it are not wanted.
                    self.end(number, Err(error));
                    return;
                }
            }
            drop(guard);
        }
    }

    fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        if state.is_stopped || state.free == self.stream.blocks.len() {
            return None;
        }
        let number = state.free;
        state.free += 1;
        state.taken.insert(number, Expanded::default());
        Some(number)
    }

    fn end(&self, number: usize, result: io::Result<()>) {
        if let Some(block) = self.lock().taken.get_mut(&number) {
            block.end.get_or_insert(result);
        }
        self.changed.notify_all();
    }

    fn expand(&self, number: usize, block: &Block) -> io::Result<Result<(), Stopped>> {
        let mut expander = expander_of(&self.file, &self.stream, block, self.memory)
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        loop {
            let Some(mut part) = self.room(number) else { return Ok(Err(Stopped)) };
            part.resize(PART, 0);
            let mut filled = 0;
            while let Some(rest) = part.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match expander.read(rest)? {
                    0 => break,
                    length => filled += length,
                }
            }
            part.truncate(filled);
            let is_end = filled < PART;
            self.put(number, part);
            if is_end {
                return Ok(Ok(()));
            }
        }
    }

    /// Waits until there is room for a part of the block, and returns memory for it; `None` if it is not wanted any more.
    fn room(&self, number: usize) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            let waits_itself = state.taken.get(&number).map_or(0, |block| block.parts.len());
            let is_front = state.front == number && waits_itself < 2;
            if is_front || state.waiting < WAITING_MAX {
                return Some(state.spare.pop().unwrap_or_default());
            }
            state = self.wait(state);
        }
    }

    fn put(&self, number: usize, part: Vec<u8>) {
        let mut state = self.lock();
        let length = part.len();
        if let Some(block) = state.taken.get_mut(&number).filter(|_| length > 0) {
            block.parts.push_back(part);
            state.waiting += length;
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// Makes an error of a block whose thread panics: the reader would wait for it for ever.
struct EndIfPanicking<'a> {
    queue: &'a Queue,
    number: usize,
}

impl Drop for EndIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.queue.end(self.number, Err(io::Error::other("the thread that expands it panicked")));
        }
    }
}

/// Bytes of the file as a stream.
struct Range<'a> {
    file: &'a ImageFile,
    at: u64,
    end: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        // The error comes out of the decoder as it went in.
        self.file.read_at(buf.get_mut(..length).unwrap_or_default(), self.at).map_err(io::Error::other)?;
        self.at += length as u64;
        Ok(length)
    }
}
