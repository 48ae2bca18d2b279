//! ZVHD version 1: records without an index, whose payloads are one deflate stream from the first to the last.

use flate2::Decompress;
use imsprep_ondisk::format::zvhd2::{self as disk, Footer, RecordHeader};
use imsprep_source::{Cancel, ReadAt, ReadAtExt};

use crate::contents::{Contents, source_size};
use crate::expand::{ExpandError, inflate};
use crate::footer::{Method, Placed};
use crate::index::{BLOCK, RecordLocation};
use crate::record::{self, POSTFIX};
use crate::{Error, Version, bitmap};

/// Walks the records from HEAD to END, as the reference's reader does: each with prefix and postfix, blocks ascending,
/// no gaps. Bytes after END mean nothing.
pub(crate) fn read_contents(source: &dyn ReadAt, head: &Placed, cancel: &Cancel) -> Result<Contents, Error> {
    let refuse = |offset: u64, what: &str| {
        Err(Error::Unreadable { path: source.path().to_owned(), offset, what: what.to_owned() })
    };
    let f = &head.footer;
    if !f.is_v1() {
        return refuse(0, "the file does not begin with a footer of ZVHD");
    }
    if !head.checksum_ok() {
        return refuse(head.at("checksum"), "the checksum of HEAD is wrong");
    }
    if f.curr_size < f.orig_size {
        return refuse(head.at("curr_size"), "the disk is smaller than the source image");
    }
    let mut places: Vec<RecordLocation> = Vec::new();
    let mut offset = disk::ALIGN;
    loop {
        cancel.check()?;
        // A footer is longer than a header, and both begin with what distinguishes them.
        if source.size().saturating_sub(offset) < RecordHeader::SIZE as u64 {
            return refuse(offset, "the file ends without an END footer");
        }
        let bytes = source.read_array::<{ RecordHeader::SIZE }>(offset)?;
        let header = RecordHeader::decode(&bytes);
        if header.prefix != disk::RECORD_PREFIX {
            break;
        }
        let length = header.record_length();
        let end = offset.checked_add(length).filter(|end| *end <= source.size());
        let (Some(end), true) = (end, record::is_possible(header.size, BLOCK)) else {
            return refuse(
                offset + 12,
                "a record's payload has an impossible size, or the file is truncated in it",
            );
        };
        if source.read_array(end - POSTFIX as u64)? != disk::RECORD_POSTFIX {
            return refuse(end - POSTFIX as u64, "a record does not end with \"end\"");
        }
        let block = header.curr_blk;
        if places.last().is_some_and(|last| last.block >= block) || u64::from(block) * BLOCK >= f.curr_size {
            return refuse(offset + 16, "a record's block is not above the previous one, or beyond the disk");
        }
        if places.len() == bitmap::MAX_RECORDS {
            return refuse(offset, "it has too many records");
        }
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        places.push(RecordLocation { block, length, offset });
        offset = end;
    }
    let end = source.read_array::<8>(offset)?;
    if !disk::COOKIE_V1.starts_with(end.get(..disk::COOKIE_COMPARED).unwrap_or(&end)) {
        return refuse(offset, "there is neither a record nor an END footer");
    }
    if source.size() - offset < Footer::SIZE as u64 {
        return refuse(offset, "the END footer is truncated");
    }
    let mut contents = Contents {
        version: Version::Zvhd1,
        method: Method::Zlib,
        orig_size: f.orig_size,
        disk_size: f.curr_size,
        places,
        starts: Vec::new(),
    };
    contents.orig_size = source_size(&contents);
    Ok(contents)
}

/// Expands the records one after the other. Going back means to begin again.
pub(crate) struct Stream {
    inflate: Decompress,
    /// The record that comes next, by its position among the places.
    next: usize,
    /// The record that cannot be decompressed, and why: nothing after it can be, either.
    failed: Option<(usize, ExpandError)>,
    buffer: Vec<u8>,
}

impl Stream {
    pub(crate) fn new() -> Self {
        Self { inflate: Decompress::new(true), next: 0, failed: None, buffer: Vec::new() }
    }

    /// The block of the record `wanted` among `places`. Those that it comes by are handed to `pass`.
    pub(crate) fn expand(
        &mut self,
        source: &dyn ReadAt,
        places: &[RecordLocation],
        wanted: usize,
        mut pass: impl FnMut(u32, Vec<u8>),
    ) -> imsprep_source::Result<Vec<u8>> {
        if wanted < self.next {
            self.inflate.reset(true);
            self.next = 0;
        }
        loop {
            let number = self.next;
            let Some(place) = places.get(number) else {
                return Err(imsprep_source::Error::UnexpectedEnd {
                    path: source.path().to_owned(),
                    offset: source.size(),
                });
            };
            if let Some((failed, error)) = self.failed.as_ref().filter(|(failed, _)| number >= *failed) {
                let place = places.get(*failed).unwrap_or(place);
                return Err(record::damaged(source, place, RecordHeader::SIZE as u64, error));
            }
            let payload = record::read_payload(source, place, &mut self.buffer)?;
            let mut block = vec![0; usize::try_from(BLOCK).unwrap_or(0)];
            if let Err(error) = inflate(&mut self.inflate, payload, &mut block) {
                let damaged = record::damaged(source, place, RecordHeader::SIZE as u64, &error);
                self.failed = Some((number, error));
                return Err(damaged);
            }
            self.next = number + 1;
            if number == wanted {
                return Ok(block);
            }
            pass(place.block, block);
        }
    }
}
