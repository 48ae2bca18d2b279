//! Replies to one request, in the form that was agreed on.

use std::io::{self, Write};

use super::super::protocol as nbd;
use super::Agreed;

/// Bytes of a message to the client.
const MESSAGE_MAX: usize = 1024;

pub(super) struct Replies<'s, S> {
    pub(super) stream: &'s mut S,
    pub(super) agreed: Agreed,
    pub(super) cookie: u64,
}

impl<S: Write> Replies<'_, S> {
    /// The request was done, and there is no more to send.
    pub(super) fn done(&mut self) -> io::Result<()> {
        if self.agreed.structured { self.chunk(nbd::CHUNK_NONE, true, &[], &[]) } else { self.simple(0, &[]) }
    }

    /// The request failed, or was refused.
    pub(super) fn error(&mut self, number: u32, text: &str) -> io::Result<()> {
        if !self.agreed.structured {
            return self.simple(number, &[]);
        }
        let mut end = text.len().min(MESSAGE_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        let length = u16::try_from(text.len()).unwrap_or(0);
        let head = [&number.to_be_bytes()[..], &length.to_be_bytes()].concat();
        self.chunk(nbd::CHUNK_ERROR_ANY, true, &head, text.as_bytes())
    }

    /// All data of a read.
    pub(super) fn simple(&mut self, number: u32, data: &[u8]) -> io::Result<()> {
        let head = [&nbd::SIMPLE_MAGIC.to_be_bytes()[..], &number.to_be_bytes(), &self.cookie.to_be_bytes()];
        self.stream.write_all(&head.concat())?;
        self.stream.write_all(data)
    }

    /// A part of a read.
    pub(super) fn data(&mut self, offset: u64, data: &[u8], is_last: bool) -> io::Result<()> {
        self.chunk(nbd::CHUNK_DATA, is_last, &offset.to_be_bytes(), data)
    }

    /// A part of a read that is zero.
    pub(super) fn hole(&mut self, offset: u64, length: u32, is_last: bool) -> io::Result<()> {
        let hole = [&offset.to_be_bytes()[..], &length.to_be_bytes()].concat();
        self.chunk(nbd::CHUNK_HOLE, is_last, &hole, &[])
    }

    /// What holds data: lengths and flags.
    pub(super) fn status(&mut self, context: u32, stretches: &[(u32, u32)]) -> io::Result<()> {
        let stretches = stretches
            .iter()
            .flat_map(|(length, flags)| [length.to_be_bytes(), flags.to_be_bytes()].concat())
            .collect::<Vec<_>>();
        self.chunk(nbd::CHUNK_STATUS, true, &context.to_be_bytes(), &stretches)
    }

    fn chunk(&mut self, kind: u16, is_last: bool, head: &[u8], data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(head.len() + data.len()).map_err(io::Error::other)?;
        let flags = if is_last { nbd::CHUNK_DONE } else { 0 };
        let start = [
            &nbd::CHUNK_MAGIC.to_be_bytes()[..],
            &flags.to_be_bytes(),
            &kind.to_be_bytes(),
            &self.cookie.to_be_bytes(),
            &length.to_be_bytes(),
            head,
        ];
        self.stream.write_all(&start.concat())?;
        self.stream.write_all(data)
    }
}
