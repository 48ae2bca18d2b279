//! One connection: one request at a time.

use std::io::{self, Read, Write};

use imsprep_source::Extent;

use super::address::AddressError;
use super::patient::Patient;
use super::protocol as nbd;

/// Bytes of one request at most; servers take up to 32 MiB.
const REQUEST_MAX: u64 = 4 << 20;
/// The largest least length of a request: that of the protocol.
const LEAST_MAX: u32 = 64 << 10;
/// Bytes after the size and the flags of an export in the answer to the old option, from servers that do not leave them out.
const PADDING: u32 = 124;
/// Bytes of an answer that are neither a read's data nor a status: names and messages.
const TEXT_MAX: u32 = 64 << 10;
/// Bytes of one status answer: 128 Ki stretches.
const STATUS_MAX: u32 = 1 << 20;
/// Chunks of one answer at most: two for each 512 bytes of the largest request.
const CHUNKS_MAX: usize = 1 << 14;
/// Bytes of a server's message that are passed on.
const SAID_MAX: usize = 500;
/// Answers to one option at most.
const ANSWERS_MAX: usize = 64;

/// A connection that is past its handshake.
pub(super) struct Connection {
    stream: Patient,
    size: u64,
    /// What the lengths and offsets of requests must be.
    limits: Limits,
    /// Whether answers come in chunks.
    is_structured: bool,
    /// The number of the context for zeros, if the server has it.
    allocation: Option<u32>,
    cookie: u64,
    /// An answer was not what it should be, so that it is unknown where the next one begins.
    broken: bool,
}

/// What a server asks of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Offsets and lengths are multiples of this power of two, but at the end of the disk.
    pub(super) least: u64,
    /// Bytes of a read at most, a multiple of [`least`](Self::least).
    pub(super) most: u64,
}

impl Limits {
    /// Of a server that has none.
    pub(super) const NONE: Self = Self { least: 1, most: REQUEST_MAX };

    /// From the server's least, preferred and largest length of a request.
    fn of(mut data: &[u8]) -> io::Result<Self> {
        let (least, _, most) = (word(&mut data)?, word(&mut data)?, word(&mut data)?);
        if !least.is_power_of_two() || least > LEAST_MAX || most < least {
            return Err(unexpected(format_args!("requests of {least} to {most} bytes")));
        }
        let least = u64::from(least);
        let most = REQUEST_MAX.min(u64::from(most));
        Ok(Self { least, most: most - most % least })
    }

    /// The range of whole units around a range of the disk.
    pub(super) fn around(self, start: u64, end: u64, size: u64) -> (u64, u64) {
        let end = end.checked_next_multiple_of(self.least).unwrap_or(size).min(size);
        (start - start % self.least, end)
    }
}

/// What the server sent is not what the protocol has there.
fn unexpected(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the NBD server answers with {what}"))
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
    /// The handshake, for the export of this name.
    pub(super) fn open(mut stream: Patient, export: &str) -> io::Result<Self> {
        let greeting = (long(&mut stream)?, long(&mut stream)?);
        match greeting {
            (nbd::SERVER_MAGIC, nbd::OPTION_MAGIC) => {}
            (nbd::SERVER_MAGIC, nbd::OLDSTYLE_MAGIC) => {
                let what = "the NBD server uses the old form of the protocol, without names of exports, which is not supported";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            _ => return Err(unexpected("a greeting of another protocol")),
        }
        let flags = short(&mut stream)?;
        let flags = flags & (nbd::FIXED_NEWSTYLE | nbd::NO_ZEROES);
        stream.write_all(&u32::from(flags).to_be_bytes())?;
        let mut connection = Self {
            stream,
            size: 0,
            limits: Limits::NONE,
            is_structured: false,
            allocation: None,
            cookie: 0,
            broken: false,
        };
        if flags & nbd::FIXED_NEWSTYLE == 0 {
            // Such a server closes the connection at any other option.
            connection.go_as_of_old(export, flags & nbd::NO_ZEROES != 0)?;
            return connection.with_possible_size();
        }
        let name = [&length_of(export.as_bytes())[..], export.as_bytes()].concat();
        connection.is_structured = connection.ask(nbd::OPTION_STRUCTURED, &[])?.is_ok();
        if connection.is_structured {
            // One context. A server without it shows no zeros.
            let context = [&length_of(nbd::ALLOCATION)[..], nbd::ALLOCATION].concat();
            let query = [&name, &1_u32.to_be_bytes()[..], &context].concat();
            if connection.ask(nbd::OPTION_SET_META_CONTEXT, &query)?.is_err() {
                connection.allocation = None;
            }
        }
        // One question. Who does not ask it may be refused.
        let query = [&name[..], &1_u16.to_be_bytes(), &nbd::INFO_BLOCK_SIZE.to_be_bytes()].concat();
        match connection.ask(nbd::OPTION_GO, &query)? {
            Err(refusal) if refusal.kind() == io::ErrorKind::NotFound => {
                connection.go_as_of_old(export, flags & nbd::NO_ZEROES != 0)?;
            }
            result => result?,
        }
        connection.with_possible_size()
    }

    /// Refuses what is beyond the protocol's own limit.
    fn with_possible_size(self) -> io::Result<Self> {
        if i64::try_from(self.size).is_err() {
            return Err(unexpected(format_args!("a disk of {} bytes", self.size)));
        }
        Ok(self)
    }

    /// The same for a server that does not know the option for it.
    fn go_as_of_old(&mut self, export: &str, leaves_padding_out: bool) -> io::Result<()> {
        self.stream.begin();
        self.send_option(nbd::OPTION_EXPORT_NAME, export.as_bytes())?;
        // A server without this export closes the connection.
        self.size = long(&mut self.stream)?;
        short(&mut self.stream)?;
        if !leaves_padding_out {
            bytes(&mut self.stream, PADDING, PADDING)?;
        }
        Ok(())
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// From now on, the server has so long for each answer.
    pub(super) fn set_patience(&mut self, patience: std::time::Duration) {
        self.stream.set_patience(patience);
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whether the server shows what holds data.
    pub(super) fn has_status(&self) -> bool {
        self.allocation.is_some()
    }

    /// Asks for an option, and takes what is answered until that is done. The inner error is a refusal.
    fn ask(&mut self, option: u32, data: &[u8]) -> io::Result<io::Result<()>> {
        self.stream.begin();
        self.send_option(option, data)?;
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
                nbd::REPLY_ACK => return Ok(Ok(())),
                nbd::REPLY_INFO => match short(&mut rest)? {
                    nbd::INFO_EXPORT => self.size = long(&mut rest)?,
                    nbd::INFO_BLOCK_SIZE => self.limits = Limits::of(rest)?,
                    _ => {}
                },
                nbd::REPLY_META_CONTEXT => self.allocation = Some(word(&mut rest)?),
                kind if kind & nbd::REPLY_ERROR != 0 => {
                    return Ok(Err(refusal(kind, option, &data)));
                }
                _ => {}
            }
        }
        Err(unexpected("no end"))
    }

    fn send_option(&mut self, option: u32, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).unwrap_or(0);
        let head = [&nbd::OPTION_MAGIC.to_be_bytes()[..], &option.to_be_bytes(), &length.to_be_bytes()];
        self.stream.write_all(&[&head.concat(), data].concat())
    }

    /// Fills `buf` from the disk, within the [limits](Self::limits).
    pub(super) fn read(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        if !self.is_structured {
            return self.unless_broken(|connection| connection.read_simply(offset, buf));
        }
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
        let (context, end) = (self.allocation.unwrap_or(0), offset.saturating_add(length));
        let mut found = Vec::new();
        let mut at = offset;
        let answer = |stream: &mut Patient, kind: u16, length: u32| {
            if !found.is_empty() {
                return Err(unexpected("two answers to a question on allocation"));
            }
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
        self.unless_broken(|connection| connection.exchange(kind, offset, length, take))
    }

    /// Does what needs to know where the next answer begins.
    fn unless_broken(&mut self, work: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if self.broken {
            return Err(unexpected("nothing, because of an earlier error"));
        }
        let result = work(self);
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
        for _ in 0..CHUNKS_MAX {
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
        Err(unexpected("chunks without end"))
    }

    /// Reads from a server whose answers have no chunks.
    fn read_simply(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.cookie += 1;
        self.stream.begin();
        self.send(nbd::READ, offset, u32::try_from(buf.len()).unwrap_or(u32::MAX))?;
        let stream = &mut self.stream;
        let (magic, error, cookie) = (word(stream)?, word(stream)?, long(stream)?);
        if (magic, cookie) != (nbd::SIMPLE_MAGIC, self.cookie) {
            return Err(unexpected("a reply to another request"));
        }
        if error != 0 {
            return Err(io::Error::other(format!("the NBD server cannot read it (error {error})")));
        }
        stream.read_exact(buf)
    }

    fn send(&mut self, kind: u16, offset: u64, length: u32) -> io::Result<()> {
        let head = [&nbd::REQUEST_MAGIC.to_be_bytes()[..], &0_u16.to_be_bytes(), &kind.to_be_bytes()];
        let rest = [&self.cookie.to_be_bytes()[..], &offset.to_be_bytes(), &length.to_be_bytes()];
        self.stream.write_all(&[head.concat(), rest.concat()].concat())
    }
}

/// The length of a name, as it comes before it.
fn length_of(name: &[u8]) -> [u8; 4] {
    u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// What a server says of an option that it refuses.
fn refusal(kind: u32, option: u32, said: &[u8]) -> io::Error {
    let said = said.get(..SAID_MAX).unwrap_or(said);
    let said = String::from_utf8_lossy(said);
    let why = match kind & !nbd::REPLY_ERROR {
        nbd::ERROR_TLS_REQUIRED => {
            return io::Error::new(io::ErrorKind::Unsupported, AddressError::Tls);
        }
        nbd::ERROR_UNSUPPORTED if option == nbd::OPTION_GO => {
            return io::Error::new(io::ErrorKind::NotFound, "the NBD server is too old");
        }
        nbd::ERROR_UNKNOWN => "it has no export of this name".to_owned(),
        nbd::ERROR_FORBIDDEN => "its settings do not permit it".to_owned(),
        error => format!("error {error} to option {option}"),
    };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    io::Error::new(io::ErrorKind::InvalidInput, format!("the NBD server refuses: {why}{said}"))
}

/// What the server says of its error: a number, and perhaps words.
fn reported_error(data: &[u8]) -> io::Error {
    let mut rest = data;
    let (number, length) = (word(&mut rest).unwrap_or(0), short(&mut rest).unwrap_or(0));
    let said = rest.get(..usize::from(length).min(SAID_MAX)).unwrap_or_default();
    let said = String::from_utf8_lossy(said);
    let said = said.trim();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    io::Error::other(format!("the NBD server cannot read it (error {number}{said})"))
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
