//! Requests and their answers, one at a time.

use std::io::{self, Read, Write};

use imsprep_source::{DiskReader, Extent, is_zero};

use super::super::protocol as nbd;
use super::handshake::{CONTEXT, READ_MAX};
use super::replies::Replies;
use super::{Agreed, Export, broken, long, short, word};

/// Bytes that are read and sent at a time, where replies consist of chunks.
const PIECE: u64 = 1 << 20;
/// Stretches in one answer; the client asks again for the rest.
const STRETCHES_MAX: usize = 32 << 10;

struct Request {
    flags: u16,
    kind: u16,
    cookie: u64,
    offset: u64,
    length: u32,
}

impl Request {
    fn read(stream: &mut impl Read) -> io::Result<Self> {
        let magic = word(stream)?;
        if magic != nbd::REQUEST_MAGIC {
            return Err(broken(format_args!("a request with the magic {magic:#x}")));
        }
        Ok(Self {
            flags: short(stream)?,
            kind: short(stream)?,
            cookie: long(stream)?,
            offset: long(stream)?,
            length: word(stream)?,
        })
    }

    /// The bytes that it asks for, if all of them are on the disk and there are any.
    fn extent(&self, size: u64) -> Option<Extent> {
        let end = self.offset.checked_add(u64::from(self.length))?;
        (self.length > 0 && end <= size).then_some(Extent { start: self.offset, end })
    }
}

/// Answers until the client says goodbye or closes the connection.
pub(super) fn answer_requests(
    export: &Export<'_>,
    stream: &mut (impl Read + Write),
    agreed: &Agreed,
) -> io::Result<()> {
    let mut known = Known { disk: export.disk, last: None };
    loop {
        let request = match Request::read(stream) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            request => request?,
        };
        if request.kind == nbd::WRITE {
            // Its data comes in any case.
            let length = u64::from(request.length);
            if io::copy(&mut stream.take(length), &mut io::sink())? != length {
                return Ok(());
            }
        }
        let extent = request.extent(export.disk.size());
        let mut replies = Replies { stream: &mut *stream, agreed: *agreed, cookie: request.cookie };
        // Flags that change nothing for who only reads: forced unit access, no hole, fast zero.
        let df = request.flags & nbd::COMMAND_DF != 0;
        match (request.kind, extent) {
            (nbd::DISCONNECT, _) => return Ok(()),
            (nbd::WRITE | nbd::TRIM | nbd::WRITE_ZEROES, _) => {
                replies.error(nbd::EPERM, "the export is read-only")?
            }
            (nbd::FLUSH, _) => replies.done()?,
            (nbd::READ | nbd::BLOCK_STATUS | nbd::CACHE, None) => {
                replies.error(nbd::EINVAL, "no bytes, or bytes beyond the end of the disk")?;
            }
            (nbd::READ, Some(_)) if request.length > READ_MAX => {
                replies.error(nbd::EINVAL, "one read is 32 MiB at most")?;
            }
            (nbd::READ, Some(extent)) if agreed.structured && !df => {
                read_in_pieces(export, &mut replies, extent, &mut known)?;
            }
            (nbd::READ, Some(extent)) => read_at_once(export, &mut replies, extent)?,
            (nbd::CACHE, Some(extent)) => {
                export.disk.announce(extent.start, extent.end - extent.start);
                replies.done()?;
            }
            (nbd::BLOCK_STATUS, Some(extent)) if agreed.allocation => {
                let one = request.flags & nbd::COMMAND_REQ_ONE != 0;
                block_status(export, &mut replies, extent, if one { 1 } else { STRETCHES_MAX }, &mut known)?;
            }
            _ => replies.error(nbd::EINVAL, "this request is not supported")?,
        }
    }
}

/// What the disk told last of what holds data.
struct Known<'a> {
    disk: &'a dyn DiskReader,
    /// Where the question began, and the answer.
    last: Option<(u64, Option<Extent>)>,
}

impl Known<'_> {
    /// The first stretch with data from `offset` on, cut to begin there.
    fn data_from(&mut self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        match self.last {
            Some((from, None)) if offset >= from => return Ok(None),
            Some((from, Some(extent))) if offset >= from && offset < extent.end => {
                return Ok(Some(Extent { start: extent.start.max(offset), end: extent.end }));
            }
            _ => {}
        }
        let answer = self.disk.data_from(offset)?;
        self.last = Some((offset, answer));
        Ok(answer)
    }
}

fn read_in_pieces<S: Write>(
    export: &Export<'_>,
    replies: &mut Replies<'_, S>,
    extent: Extent,
    known: &mut Known<'_>,
) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(PIECE.min(extent.end - extent.start)).unwrap_or(0)];
    let mut at = extent.start;
    while at < extent.end {
        let next = at.saturating_add(PIECE).min(extent.end);
        let (length, is_last) = (next - at, next == extent.end);
        let piece = buffer.get_mut(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
        let read = known.data_from(at).and_then(|data| {
            let is_hole = data.is_none_or(|data| data.start >= next);
            if !is_hole {
                export.disk.read_at(piece, at)?;
            }
            Ok(is_hole || is_zero(piece))
        });
        match read {
            Err(error) => return replies.error(nbd::EIO, &error.to_string()),
            Ok(_) if !export.check() => return ended(replies),
            Ok(true) => replies.hole(at, u32::try_from(length).unwrap_or(0), is_last)?,
            Ok(false) => replies.data(at, piece, is_last)?,
        }
        at = next;
    }
    Ok(())
}

/// Where the reply says first whether the read succeeds, or has to be one chunk.
fn read_at_once<S: Write>(
    export: &Export<'_>,
    replies: &mut Replies<'_, S>,
    extent: Extent,
) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(extent.end - extent.start).unwrap_or(0)];
    match export.disk.read_at(&mut buffer, extent.start) {
        Err(error) => replies.error(nbd::EIO, &error.to_string()),
        Ok(()) if !export.check() => ended(replies),
        Ok(()) if replies.agreed.structured => replies.data(extent.start, &buffer, true),
        Ok(()) => replies.simple(0, &buffer),
    }
}

fn block_status<S: Write>(
    export: &Export<'_>,
    replies: &mut Replies<'_, S>,
    extent: Extent,
    most: usize,
    known: &mut Known<'_>,
) -> io::Result<()> {
    let mut stretches = Vec::<(u32, u32)>::new();
    let mut add = |from: u64, to: u64, flags: u32| {
        let length = u32::try_from(to - from).unwrap_or(0);
        match stretches.last_mut() {
            Some((before, same)) if *same == flags => *before += length,
            _ if length == 0 => {}
            _ => stretches.push((length, flags)),
        }
        stretches.len()
    };
    let mut at = extent.start;
    while at < extent.end {
        let data = match known.data_from(at) {
            Err(error) => return replies.error(nbd::EIO, &error.to_string()),
            Ok(data) => data.unwrap_or(Extent { start: extent.end, end: extent.end }),
        };
        let (start, end) = (data.start.min(extent.end), data.end.min(extent.end));
        add(at, start, nbd::STATE_HOLE | nbd::STATE_ZERO);
        if add(start, end, 0) > most {
            break;
        }
        at = end.max(at + 1);
    }
    if !export.check() {
        return ended(replies);
    }
    stretches.truncate(most);
    replies.status(CONTEXT, &stretches)
}

fn ended<S: Write>(replies: &mut Replies<'_, S>) -> io::Result<()> {
    replies.error(nbd::EIO, "the image changed while it was served")?;
    Err(io::Error::other("the image changed while it was served"))
}
