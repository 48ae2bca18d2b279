//! An xz file of several blocks, read at any place.
//!
//! A few blocks that were expanded are kept. Whoever reads on is read ahead for by threads. What a file is read for may jump about in it, so
//! that blocks are expanded again and again; and a block may be damaged: then the caller unpacks all of the file, once, and it is read there.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use imsprep_source::{DiskReader, Error, Extent, ImageFile, ReadAt, Result};

use super::blocks::{expander_of, start_of};
use super::expander::fits;
use super::index::{OneStream, read};

/// Bytes of blocks that are kept.
struct Room {
    /// At most.
    most: u64,
    /// Even if they are many blocks.
    many: u64,
}

/// Those who convert a disk together are less than the second number apart.
const ROOM: Room = Room { most: 112 << 20, many: 48 << 20 };
/// Blocks that are kept at least: one that is read, the next one, and one that is expanded.
const KEPT_MIN: u64 = 3;
/// Blocks that are expanded ahead, and bytes if these are more blocks.
const AHEAD: u64 = 2;
const AHEAD_BYTES: u64 = 8 << 20;
/// Threads that expand ahead.
const THREADS: usize = 2;
/// Bytes of memory for each decoder.
const MEMORY: u64 = 24 << 20;
/// Blocks beyond half of all that may be expanded more than once before all of the file is unpacked.
const AGAIN: u64 = 8;

/// Unpacks all of the file.
type Unpack = Box<dyn Fn() -> Result<ImageFile> + Send + Sync>;

/// The content of an xz file of several blocks.
pub struct XzAtRandom {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl XzAtRandom {
    /// The content of the file; `None` if it is not one stream of several blocks that fit into memory. It is expanded ahead on as many
    /// threads. `unpack` has to write all of it to a file, if it comes to that; its errors are those of reading.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn open(
        file: &ImageFile,
        threads: usize,
        unpack: impl Fn() -> Result<ImageFile> + Send + Sync + 'static,
    ) -> Result<Option<Self>> {
        Self::open_within(file, threads, &ROOM, Box::new(unpack))
    }

    fn open_within(file: &ImageFile, threads: usize, room: &Room, unpack: Unpack) -> Result<Option<Self>> {
        let Some(stream) = read(file)?.filter(|stream| stream.blocks.len() > 1) else { return Ok(None) };
        let largest = stream.blocks.iter().map(|block| block.content).max().unwrap_or(0).max(1);
        let ahead = AHEAD.max(AHEAD_BYTES / largest);
        let kept = (room.most / largest).min((ahead + 2).max(room.many / largest));
        let ahead = ahead.min(kept / 2);
        let mut ends = Vec::with_capacity(stream.blocks.len());
        let mut size = 0_u64;
        for block in &stream.blocks {
            let Some(end) = size.checked_add(block.content) else { return Ok(None) };
            ends.push(end);
            size = end;
        }
        if kept < KEPT_MIN || !fits(&start_of(file)?, MEMORY) {
            return Ok(None);
        }
        let count = stream.blocks.len() as u64;
        let shared = Arc::new(Shared {
            file: file.reopen()?,
            stream,
            ends,
            kept: usize::try_from(kept).unwrap_or(usize::MAX),
            ahead: usize::try_from(ahead).unwrap_or(usize::MAX),
            expansions_max: count.saturating_add((count / 2).max(AGAIN)),
            unpack,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let mut workers = Vec::new();
        for _ in 0..threads.clamp(1, THREADS) {
            let shared = Arc::clone(&shared);
            // Without threads the one that reads expands.
            let Ok(worker) =
                std::thread::Builder::new().name("xz".into()).spawn(move || shared.expand_wanted())
            else {
                break;
            };
            workers.push(worker);
        }
        Ok(Some(Self { shared, workers }))
    }

    #[cfg(test)]
    pub(super) fn expansions(&self) -> (u64, bool) {
        let state = self.shared.lock();
        (state.expansions, state.unpacked.is_some())
    }
}

impl ReadAt for XzAtRandom {
    fn path(&self) -> &Path {
        self.shared.file.path()
    }

    fn size(&self) -> u64 {
        self.shared.ends.last().copied().unwrap_or(0)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size());
        if end.is_none() {
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() });
        }
        let (mut at, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let number = self.shared.ends.partition_point(|end| *end <= at);
            let bytes = match self.shared.block(number)? {
                Content::Block(bytes) => bytes,
                Content::Unpacked(file) => return file.read_at(rest, at),
            };
            let start = self.shared.ends.get(number).map_or(0, |end| end - bytes.len() as u64);
            let part = bytes.get(usize::try_from(at - start).unwrap_or(usize::MAX)..).unwrap_or_default();
            let length = part.len().min(rest.len());
            let (to, after) = rest.split_at_mut(length);
            to.copy_from_slice(part.get(..length).unwrap_or_default());
            at += length as u64;
            rest = after;
        }
        Ok(())
    }
}

impl DiskReader for XzAtRandom {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let end = self.size();
        Ok((offset < end).then_some(Extent { start: offset, end }))
    }
}

impl Drop for XzAtRandom {
    fn drop(&mut self) {
        self.shared.lock().is_stopped = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // A panic in it is no reason for another one here.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for XzAtRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XzAtRandom").field("path", &self.path()).finish_non_exhaustive()
    }
}

/// What the threads have in common.
struct Shared {
    file: ImageFile,
    stream: OneStream,
    /// Where the content of each block ends.
    ends: Vec<u64>,
    /// Blocks that are kept, or being expanded.
    kept: usize,
    /// Blocks that are expanded ahead.
    ahead: usize,
    /// Expansions after which all of the file is unpacked.
    expansions_max: u64,
    unpack: Unpack,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    blocks: BTreeMap<usize, Block>,
    /// Blocks to be expanded ahead.
    wanted: VecDeque<usize>,
    /// The block that was read last.
    last: usize,
    /// Counts what is read.
    clock: u64,
    expansions: u64,
    /// Memory of blocks that are not kept any more.
    spare: Vec<Vec<u8>>,
    /// A block could not be expanded.
    has_failed: bool,
    is_being_unpacked: bool,
    unpacked: Option<Arc<ImageFile>>,
    is_stopped: bool,
}

/// A block in memory.
enum Block {
    /// A thread expands it.
    Expanding,
    /// Its content, and when it was read last.
    Kept { bytes: Arc<Vec<u8>>, used: u64 },
}

/// Where the bytes of a block are.
enum Content {
    Block(Arc<Vec<u8>>),
    /// In the file that all was unpacked to.
    Unpacked(Arc<ImageFile>),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of a block, which is expanded by this thread if no other one does.
    fn block(&self, number: usize) -> Result<Content> {
        let mut state = self.lock();
        loop {
            if let Some(file) = &state.unpacked {
                return Ok(Content::Unpacked(Arc::clone(file)));
            }
            if state.is_being_unpacked || matches!(state.blocks.get(&number), Some(Block::Expanding)) {
                state = self.wait(state);
                continue;
            }
            let clock = state.clock + 1;
            if let Some(Block::Kept { bytes, used }) = state.blocks.get_mut(&number) {
                *used = clock;
                let bytes = Arc::clone(bytes);
                state.clock = clock;
                self.look_ahead(&mut state, number);
                return Ok(Content::Block(bytes));
            }
            if state.has_failed || state.expansions >= self.expansions_max {
                state = self.unpack_all(state)?;
                continue;
            }
            let memory = self.begin(&mut state, number);
            drop(state);
            self.expand(number, memory);
            state = self.lock();
        }
    }

    /// Has the blocks after this one expanded if the one before it was read as well.
    fn look_ahead(&self, state: &mut State, number: usize) {
        let before = std::mem::replace(&mut state.last, number);
        if number != before + 1 {
            return;
        }
        let end = (number + 1).saturating_add(self.ahead);
        let ahead = number + 1..self.stream.blocks.len().min(end);
        state.wanted = ahead.filter(|number| !state.blocks.contains_key(number)).collect();
        self.changed.notify_all();
    }

    /// Makes room for a block that is going to be expanded, and returns memory that may be used for it.
    fn begin(&self, state: &mut State, number: usize) -> Vec<u8> {
        while state.blocks.len() >= self.kept {
            let oldest = state.blocks.iter().filter_map(|(number, block)| match block {
                Block::Kept { used, .. } => Some((*used, *number)),
                Block::Expanding => None,
            });
            let Some((_, oldest)) = oldest.min() else { break };
            if let Some(Block::Kept { bytes, .. }) = state.blocks.remove(&oldest) {
                // Unless someone reads it just now.
                state.spare.extend(Arc::into_inner(bytes));
            }
        }
        state.expansions += 1;
        state.blocks.insert(number, Block::Expanding);
        let memory = state.spare.pop().unwrap_or_default();
        state.spare.clear();
        memory
    }

    /// Expands a block that was begun.
    fn expand(&self, number: usize, memory: Vec<u8>) {
        let mut done = Done { shared: self, number, bytes: None };
        done.bytes = self.content_of(number, memory).ok();
    }

    fn content_of(&self, number: usize, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let block = self.stream.blocks.get(number).ok_or(io::ErrorKind::InvalidInput)?;
        let mut expander = expander_of(&self.file, &self.stream, block, MEMORY)
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        bytes.resize(usize::try_from(block.content).unwrap_or(0), 0);
        expander.read_exact(&mut bytes)?;
        // Its checksum, and that there is no more of it.
        match expander.read(&mut [0])? {
            0 => Ok(bytes),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// What a thread does that expands ahead.
    fn expand_wanted(&self) {
        let mut state = self.lock();
        while !state.is_stopped && state.unpacked.is_none() {
            let is_allowed = !state.is_being_unpacked && state.expansions < self.expansions_max;
            match state.wanted.pop_front() {
                Some(number) if is_allowed && !state.blocks.contains_key(&number) => {
                    let memory = self.begin(&mut state, number);
                    drop(state);
                    self.expand(number, memory);
                    state = self.lock();
                }
                Some(_) => {}
                None => state = self.wait(state),
            }
        }
    }

    /// Unpacks all of the file.
    fn unpack_all<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>> {
        state.is_being_unpacked = true;
        state.blocks.retain(|_, block| matches!(block, Block::Expanding));
        drop(state);
        let file = (self.unpack)();
        let mut state = self.lock();
        state.is_being_unpacked = false;
        self.changed.notify_all();
        state.unpacked = Some(Arc::new(file?));
        state.blocks.clear();
        Ok(state)
    }
}

/// Ends the expansion of a block, also if it panics: others wait for it.
struct Done<'a> {
    shared: &'a Shared,
    number: usize,
    /// `None` if it failed.
    bytes: Option<Vec<u8>>,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match self.bytes.take().map(Arc::new) {
            Some(bytes) => {
                let used = state.clock;
                state.blocks.insert(self.number, Block::Kept { bytes, used });
            }
            None => {
                state.has_failed = true;
                state.blocks.remove(&self.number);
            }
        }
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
