//! One connection: one request at a time.

use std::io::{self, Read, Write};

use imsprep_source::Extent;

use super::patient::Patient;
use super::protocol as nbd;

/// Bytes of an answer that are neither a read's data nor a status: names and messages.
const TEXT_MAX: u32 = 64 << 10;
/// Bytes of one status answer: 128 Ki stretches.
const STATUS_MAX: u32 = 1 << 20;
/// Answers to one option at most.
const ANSWERS_MAX: usize = 64;

/// A connection that is past its handshake.
pub(super) struct Connection {
    stream: Patient,
    size: u64,
    /// The number of the context for zeros.
    allocation: u32,
    cookie: u64,
    /// An answer was not what it should be, so that it is unknown where the next one begins.
    broken: bool,
}

/// What the server sent is not what the protocol has there.
fn unexpected(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("qemu-nbd answers with {what}"))
}

/// Reads big-endian numbers.
fn number<const N: usize>(stream: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn short(stream: &mut impl Read) -> io::Result<u16> {
    number::<2>(stream).map(|number| u16::try_from(number).unwrap_or(0))
}

fn word(stream: &mut impl Read) -> io::Result<u32> {
    number::<4>(stream).map(|number| u32::try_from(number).unwrap_or(0))
}

fn long(stream: &mut impl Read) -> io::Result<u64> {
    number::<8>(stream)
}

/// Reads as many bytes as were announced, if they are not too many.
fn bytes(stream: &mut impl Read, length: u32, most: u32) -> io::Result<Vec<u8>> {
    if length > most {
        return Err(unexpected(format_args!("{length} bytes at once")));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl Connection {
    /// The handshake.
    pub(super) fn open(mut stream: Patient) -> io::Result<Self> {
        let greeting = (long(&mut stream)?, long(&mut stream)?);
        let flags = short(&mut stream)?;
        if greeting != (nbd::SERVER_MAGIC, nbd::OPTION_MAGIC) || flags & nbd::FIXED_NEWSTYLE == 0 {
            return Err(unexpected("a greeting of another protocol"));
        }
        let flags = flags & (nbd::FIXED_NEWSTYLE | nbd::NO_ZEROES);
        stream.write_all(&u32::from(flags).to_be_bytes())?;
        let mut connection = Self { stream, size: 0, allocation: 0, cookie: 0, broken: false };
        connection.ask(nbd::OPTION_STRUCTURED, &[])?;
        let name = u32::try_from(nbd::ALLOCATION.len()).unwrap_or(0);
        // No name of an export, one context.
        let query = [&[0; 4][..], &1_u32.to_be_bytes(), &name.to_be_bytes(), nbd::ALLOCATION].concat();
        connection.ask(nbd::OPTION_SET_META_CONTEXT, &query)?;
        // No name, no questions.
        connection.ask(nbd::OPTION_GO, &[0; 6])?;
        Ok(connection)
    }

    /// From now on, the server has so long for each answer.
    pub(super) fn set_patience(&mut self, patience: std::time::Duration) {
        self.stream.set_patience(patience);
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Asks for an option, and takes what is answered until that is done.
    fn ask(&mut self, option: u32, data: &[u8]) -> io::Result<()> {
        self.stream.begin();
        let length = u32::try_from(data.len()).unwrap_or(0);
        let head = [&nbd::OPTION_MAGIC.to_be_bytes()[..], &option.to_be_bytes(), &length.to_be_bytes()];
        self.stream.write_all(&[&head.concat(), data].concat())?;
        for _ in 0..ANSWERS_MAX {
            let stream = &mut self.stream;
            let (magic, to) = (long(stream)?, word(stream)?);
            let (kind, length) = (word(stream)?, word(stream)?);
            if (magic, to) != (nbd::OPTION_REPLY_MAGIC, option) {
                return Err(unexpected("data for another option"));
            }
            let data = bytes(stream, length, TEXT_MAX)?;
            let mut rest = data.as_slice();
            match kind {
                nbd::REPLY_ACK => return Ok(()),
                nbd::REPLY_INFO if short(&mut rest)? == nbd::INFO_EXPORT => self.size = long(&mut rest)?,
                nbd::REPLY_META_CONTEXT => self.allocation = word(&mut rest)?,
                kind if kind & nbd::REPLY_ERROR != 0 => {
                    let said = String::from_utf8_lossy(&data).into_owned();
                    return Err(unexpected(format_args!("error {:#x} to option {option}: {said}", kind)));
                }
                _ => {}
            }
        }
        Err(unexpected("no end"))
    }

    /// Fills `buf` from the disk.
    pub(super) fn read(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let (mut filled, wanted) = (0, buf.len());
        let length = u32::try_from(wanted).unwrap_or(u32::MAX);
        let answer = |stream: &mut Patient, kind: u16, length: u32| {
            let at = long(stream)?.checked_sub(offset).and_then(|at| usize::try_from(at).ok());
            let there = match kind {
                nbd::CHUNK_DATA => length.saturating_sub(8),
                nbd::CHUNK_HOLE if length == 12 => word(stream)?,
                _ => return Err(unexpected(format_args!("a chunk of kind {kind} to a read"))),
            };
            let there = usize::try_from(there).unwrap_or(usize::MAX);
            let part = at.and_then(|at| buf.get_mut(at..)?.get_mut(..there));
            let part = part.ok_or_else(|| unexpected("data outside of the requested range"))?;
            filled += part.len();
            if kind == nbd::CHUNK_HOLE {
                part.fill(0)
            } else {
                stream.read_exact(part)?
            }
            Ok(())
        };
        self.request(nbd::READ, offset, length, answer)?;
        // Each byte comes once: so the server must have it.
        if filled == wanted { Ok(()) } else { Err(unexpected(format_args!("{filled} of {wanted} bytes"))) }
    }

    /// What holds data, from `offset` on: neighbouring stretches, the first of which begins there.
    pub(super) fn status(&mut self, offset: u64, length: u64) -> io::Result<Vec<(Extent, bool)>> {
        let (context, end) = (self.allocation, offset.saturating_add(length));
        let mut found = Vec::new();
        let mut at = offset;
        let answer = |stream: &mut Patient, kind: u16, length: u32| {
            let data = bytes(stream, length, STATUS_MAX)?;
            let mut rest = data.as_slice();
            if kind != nbd::CHUNK_STATUS || word(&mut rest)? != context {
                return Err(unexpected(format_args!("a chunk of kind {kind} to a question on allocation")));
            }
            while !rest.is_empty() && at < end {
                let (length, flags) = (u64::from(word(&mut rest)?), word(&mut rest)?);
                let next = at.saturating_add(length).min(end);
                if next > at {
                    found.push((Extent { start: at, end: next }, flags & nbd::STATE_ZERO == 0));
                }
                at = next;
            }
            Ok(())
        };
        self.request(nbd::BLOCK_STATUS, offset, u32::try_from(length).unwrap_or(u32::MAX), answer)?;
        if found.is_empty() { Err(unexpected("nothing to a question on allocation")) } else { Ok(found) }
    }

    /// Sends a request, and hands each chunk that is answered to `take`, with its kind and length.
    fn request(
        &mut self,
        kind: u16,
        offset: u64,
        length: u32,
        take: impl FnMut(&mut Patient, u16, u32) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.broken {
            return Err(unexpected("nothing, because of an earlier error"));
        }
        let result = self.exchange(kind, offset, length, take);
        // After an error that the server reported, in its whole answer, the next request is as good as any.
        self.broken = matches!(&result, Err(error) if error.kind() != io::ErrorKind::Other);
        result
    }

    fn exchange(
        &mut self,
        kind: u16,
        offset: u64,
        length: u32,
        mut take: impl FnMut(&mut Patient, u16, u32) -> io::Result<()>,
    ) -> io::Result<()> {
        self.cookie += 1;
        self.stream.begin();
        self.send(kind, offset, length)?;
        let mut failed = None;
        loop {
            let stream = &mut self.stream;
            let (magic, flags, kind) = (word(stream)?, short(stream)?, short(stream)?);
            let (cookie, length) = (long(stream)?, word(stream)?);
            if (magic, cookie) != (nbd::CHUNK_MAGIC, self.cookie) {
                return Err(unexpected("a reply to another request"));
            }
            if kind & nbd::CHUNK_ERROR != 0 {
                let data = bytes(stream, length, TEXT_MAX)?;
                failed = Some(reported_error(&data));
            } else if kind == nbd::CHUNK_NONE {
                bytes(stream, length, 0)?;
            } else {
                take(stream, kind, length)?;
            }
            if flags & nbd::CHUNK_DONE != 0 {
                return failed.map_or(Ok(()), Err);
            }
        }
    }

    fn send(&mut self, kind: u16, offset: u64, length: u32) -> io::Result<()> {
        let head = [&nbd::REQUEST_MAGIC.to_be_bytes()[..], &0_u16.to_be_bytes(), &kind.to_be_bytes()];
        let rest = [&self.cookie.to_be_bytes()[..], &offset.to_be_bytes(), &length.to_be_bytes()];
        self.stream.write_all(&[head.concat(), rest.concat()].concat())
    }
}

/// What the server says of its error: a number, and perhaps words.
fn reported_error(data: &[u8]) -> io::Error {
    let mut rest = data;
    let (number, length) = (word(&mut rest).unwrap_or(0), short(&mut rest).unwrap_or(0));
    let said = rest.get(..usize::from(length)).unwrap_or_default();
    let said = String::from_utf8_lossy(said);
    io::Error::other(format!("qemu-nbd cannot read it (error {number}: {})", said.trim()))
}

impl Drop for Connection {
    /// Says goodbye, so that the server does not take it for a fault.
    fn drop(&mut self) {
        self.cookie += 1;
        self.stream.set_patience(std::time::Duration::ZERO);
        self.stream.begin();
        let _ = self.send(nbd::DISCONNECT, 0, 0);
    }
}
