//! A gzip stream, expanded by two threads.
//!
//! Whatever is not as it should be, be it a guess of the other thread, the stream or its checksum, is left to one thread, which begins
//! again: so the bytes and the errors are those of [`GzDecoder`].

use std::collections::VecDeque;
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle, available_parallelism};

use crc32fast::Hasher;
use flate2::Decompress;
use flate2::bufread::GzDecoder;

use crate::initramfs::joint::{Guess, Output, WINDOW, expand, first_part, leave};
use crate::initramfs::stream::Cursor;

/// Bytes of the file from which on two threads expand it.
const LARGE: u64 = 8 << 20;
/// Bytes of the file for a round: this thread expands the first part of them, the other one the second. With less, too much of what the other
/// thread does is the search for a block and what it expands twice; with more, one waits longer for the other at the end.
const ROUND: usize = 3 << 20;
/// Rounds that are read ahead, for the other thread never to wait.
const ROUNDS: usize = 2;
/// Rounds in a row without a guess after which none is made any more.
const MISSES_MAX: u32 = 2;
/// Bytes of a header without a name and other fields, and what it begins with.
const HEADER: usize = 10;
const PLAIN: [u8; 4] = [0x1f, 0x8b, 8, 0];
/// Bytes of the trailer.
const TRAILER: usize = 8;
/// Bytes at the end of a file that the other thread leaves, so as not to come to the end of the stream.
const LEFT: usize = 64;

/// Expands the stream that begins at the cursor, which is behind it when all was read. A small one is expanded by one thread.
pub(super) fn open<'a>(cursor: &'a mut Cursor<'_>) -> Box<dyn Read + 'a> {
    let is_large = cursor.file().size().saturating_sub(cursor.position()) >= LARGE;
    let is_plain = |cursor: &mut Cursor<'_>| cursor.peek(HEADER).is_ok_and(|head| head.starts_with(&PLAIN));
    if is_large
        && is_plain(cursor)
        && available_parallelism().is_ok_and(|threads| threads.get() > 1)
        && let Ok(helper) = Helper::start()
    {
        return Box::new(Expander::new(cursor, helper, ROUND));
    }
    Box::new(GzDecoder::new(cursor))
}

/// A stream that is expanded by both threads.
struct Expander<'a, 'f> {
    /// `None` once one thread has it.
    cursor: Option<&'a mut Cursor<'f>>,
    /// Bytes of a round.
    round: usize,
    alone: Option<GzDecoder<&'a mut Cursor<'f>>>,
    /// Where the stream begins in the file, and what of it is read next.
    start: u64,
    next: u64,
    /// Whether the file may have more than was read.
    has_more: bool,
    has_ended: bool,
    helper: Helper,
    /// What is being expanded, and what was read ahead.
    rounds: VecDeque<Round>,
    /// Goes on from where the first of the rounds was expanded to.
    decoder: Decompress,
    /// What was expanded and not yet handed over, and how much of the first of it was.
    pending: VecDeque<Output>,
    pending_next: usize,
    /// Memory to be used again: of a round, and of what the other thread has expanded.
    spare_bytes: Vec<u8>,
    spare_output: Output,
    /// Bytes that were handed over.
    passed: u64,
    /// The last bytes that were expanded.
    window: Vec<u8>,
    crc: Hasher,
    /// Bytes that were summed up, modulo 2^32.
    amount: u32,
    /// Rounds in a row without a guess.
    misses: u32,
}

/// Bytes of the file that both threads expand.
struct Round {
    /// Where they begin in the file.
    at: u64,
    bytes: Arc<Vec<u8>>,
    /// How many of them the other thread has.
    asked: usize,
    /// Bytes that were expanded.
    taken: usize,
    guess: Expected,
}

/// What is known of the other thread's part of a round.
#[derive(Clone, Copy)]
enum Expected {
    /// It was asked for.
    Asked,
    /// It begins at this bit.
    Begins(usize),
    /// There is none, or it is done.
    Nothing,
}

impl<'a, 'f> Expander<'a, 'f> {
    fn new(cursor: &'a mut Cursor<'f>, helper: Helper, round: usize) -> Self {
        let start = cursor.position();
        Self {
            cursor: Some(cursor),
            alone: None,
            start,
            next: start.saturating_add(HEADER as u64),
            has_more: true,
            has_ended: false,
            helper,
            rounds: VecDeque::new(),
            decoder: Decompress::new(false),
            pending: VecDeque::new(),
            pending_next: 0,
            spare_bytes: Vec::new(),
            spare_output: Output::default(),
            round,
            passed: 0,
            window: Vec::new(),
            crc: Hasher::new(),
            amount: 0,
            misses: 0,
        }
    }

    /// Reads rounds ahead, as far as they can be read, and asks the other thread for its part.
    fn read_ahead(&mut self) {
        let Some(cursor) = &self.cursor else { return };
        let file = cursor.file();
        while self.has_more && self.rounds.len() < ROUNDS {
            let mut bytes = std::mem::take(&mut self.spare_bytes);
            bytes.resize(self.round, 0);
            let mut count = 0;
            while let Some(rest) = bytes.get_mut(count..).filter(|rest| !rest.is_empty()) {
                match file.read_at(rest, self.next.saturating_add(count as u64)) {
                    Ok(read) if read > 0 => count += read,
                    _ => break,
                }
            }
            bytes.truncate(count);
            self.has_more = count == self.round;
            let bytes = Arc::new(bytes);
            let asked = if self.has_more { count } else { count.saturating_sub(LEFT) };
            let is_asked = asked >= self.round / 4
                && self.misses < MISSES_MAX
                && self.helper.ask(Job {
                    bytes: Arc::clone(&bytes),
                    count: asked,
                    spare: std::mem::take(&mut self.spare_output),
                });
            let guess = if is_asked { Expected::Asked } else { Expected::Nothing };
            self.rounds.push_back(Round { at: self.next, bytes, asked, taken: 0, guess });
            self.next = self.next.saturating_add(count as u64);
        }
    }

    /// Goes one step on. Returns how many bytes of the buffer it has filled; `None` if this way leads no further.
    fn step(&mut self, buf: &mut [u8]) -> Option<usize> {
        self.read_ahead();
        let round = self.rounds.front_mut()?;
        let limit = match round.guess {
            Expected::Asked => first_part(round.asked),
            Expected::Begins(bit) => bit / 8,
            Expected::Nothing => round.bytes.len(),
        };
        if round.taken < limit {
            let bytes = round.bytes.get(..limit)?;
            let (count, has_ended) = expand(&mut self.decoder, bytes, &mut round.taken, buf)?;
            let end = round.at.saturating_add(round.taken as u64);
            self.note(buf.get(..count)?);
            if has_ended {
                self.finish(end)?;
            }
            return Some(count);
        }
        match round.guess {
            Expected::Nothing => {
                // The other thread has let go of it.
                let bytes = self.rounds.pop_front().and_then(|round| Arc::into_inner(round.bytes));
                self.spare_bytes = bytes.unwrap_or_default();
            }
            Expected::Asked => match self.helper.hear() {
                Said::Begins(bit) => round.guess = Expected::Begins(bit),
                Said::Guess(_) => {
                    round.guess = Expected::Nothing;
                    self.misses += 1;
                }
            },
            Expected::Begins(bit) => {
                round.guess = Expected::Nothing;
                match self.helper.hear() {
                    Said::Guess(Some(guess)) if self.window.len() == WINDOW => {
                        let rest = leave(&mut self.decoder, &round.bytes, bit)?;
                        round.taken = guess.taken;
                        self.note(&rest);
                        let (output, decoder) = guess.resolve(&self.window)?;
                        self.note(output.bytes());
                        self.decoder = decoder;
                        self.pending = VecDeque::from([rest.into(), output]);
                        self.misses = 0;
                    }
                    _ => self.misses += 1,
                }
            }
        }
        Some(0)
    }

    /// Notes what was expanded.
    fn note(&mut self, output: &[u8]) {
        self.crc.update(output);
        // As the trailer counts them.
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        let count = output.len() as u32;
        self.amount = self.amount.wrapping_add(count);
        let last = output.get(output.len().saturating_sub(WINDOW)..).unwrap_or_default();
        let kept = self.window.len().min(WINDOW - last.len());
        self.window.drain(..self.window.len() - kept);
        self.window.extend(last);
    }

    /// Checks the trailer at the end of the stream.
    fn finish(&mut self, end: u64) -> Option<()> {
        let cursor = self.cursor.as_mut()?;
        cursor.seek(end);
        let (sum, size) = cursor.peek(TRAILER).ok()?.split_at_checked(TRAILER / 2)?;
        if sum != self.crc.clone().finalize().to_le_bytes() || size != self.amount.to_le_bytes() {
            return None;
        }
        cursor.seek(end.saturating_add(TRAILER as u64));
        self.has_ended = true;
        Some(())
    }

    /// Leaves the stream to this thread alone, which begins again and passes over what was handed over.
    fn go_alone(&mut self) -> io::Result<()> {
        if let Some(cursor) = self.cursor.take() {
            cursor.seek(self.start);
            self.rounds.clear();
            self.pending.clear();
            let alone = self.alone.insert(GzDecoder::new(cursor));
            io::copy(&mut alone.take(self.passed), &mut io::sink())?;
        }
        Ok(())
    }
}

impl Read for Expander<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !buf.is_empty() {
            if let Some(alone) = &mut self.alone {
                return alone.read(buf);
            }
            let count = if let Some(pending) = self.pending.front() {
                let count = pending.bytes().get(self.pending_next..).unwrap_or_default().read(buf)?;
                self.pending_next += count;
                if self.pending_next == pending.bytes().len() {
                    self.spare_output = self.pending.pop_front().unwrap_or_default();
                    self.pending_next = 0;
                }
                Some(count)
            } else if self.has_ended || buf.is_empty() {
                return Ok(0);
            } else {
                self.step(buf)
            };
            match count {
                // Not an end: there was something else to do.
                Some(0) => {}
                Some(count) => {
                    self.passed += count as u64;
                    return Ok(count);
                }
                None => self.go_alone()?,
            }
        }
        Ok(0)
    }
}

/// What the other thread says: first where its part begins, then what it is.
enum Said {
    Begins(usize),
    Guess(Option<Box<Guess>>),
}

/// What the other thread is asked for.
struct Job {
    bytes: Arc<Vec<u8>>,
    /// How many of them it may use.
    count: usize,
    /// Memory for its output.
    spare: Output,
}

/// The other thread.
struct Helper {
    asked: Option<Sender<Job>>,
    said: Receiver<Said>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    fn start() -> io::Result<Self> {
        let (asked, jobs) = channel::<Job>();
        let (answers, said) = channel();
        let work = move || {
            for Job { bytes, count, spare } in jobs {
                let begins = |bit| drop(answers.send(Said::Begins(bit)));
                let guess = Guess::make(bytes.get(..count).unwrap_or_default(), spare, begins).map(Box::new);
                drop(bytes);
                if answers.send(Said::Guess(guess)).is_err() {
                    break;
                }
            }
        };
        let thread = Builder::new().name("inflate".into()).spawn(work)?;
        Ok(Self { asked: Some(asked), said, thread: Some(thread) })
    }

    /// Asks for its part of a round. Returns whether there will be an answer.
    fn ask(&self, job: Job) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.send(job).is_ok())
    }

    /// Waits for what it says next.
    fn hear(&mut self) -> Said {
        if let Ok(said) = self.said.recv() {
            return said;
        }
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
        Said::Guess(None)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
