//! Reading an initramfs from its file, and what its archives expand to.

use std::io::{self, BufRead, Read};

/// Expanded bytes that are read at a time, and bytes of the file after something was left out.
const CHUNK: usize = 64 << 10;
/// Most bytes of the file that are read at a time. Each read in order is twice as long as the one before, because some readers of file
/// systems go through all extents of a file, and expand the compressed ones, for each read.
const CHUNK_MAX: usize = 1 << 20;

/// A file that is read at any position.
pub trait ArchiveFile {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Fills `buf` from `offset` on, and returns how much of it; fewer only at the end.
    ///
    /// # Errors
    ///
    /// If the bytes can't be read.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ArchiveFile for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let mut rest = rest;
        rest.read(buf)
    }
}

impl ArchiveFile for Vec<u8> {
    fn size(&self) -> u64 {
        self.as_slice().size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buf, offset)
    }
}

/// Bytes in order, of which some can be left out.
pub(super) trait Forward: Read {
    /// Leaves out bytes. `left` is what may still be expanded.
    fn pass(&mut self, count: u64, left: &mut u64) -> io::Result<()>;

    /// Whether reading costs of what may be expanded.
    fn spend(&self, count: u64, left: &mut u64) -> io::Result<()>;
}

/// The file, from a position on. What is left out is not read.
pub(super) struct Cursor<'a> {
    file: &'a dyn ArchiveFile,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins, and what of it is next.
    start: u64,
    next: usize,
    /// Bytes of the next read.
    chunk: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a dyn ArchiveFile) -> Self {
        Self { file, buffer: Vec::new(), start: 0, next: 0, chunk: CHUNK }
    }

    pub(super) fn file(&self) -> &'a dyn ArchiveFile {
        self.file
    }

    pub(super) fn position(&self) -> u64 {
        self.start.saturating_add(self.next as u64)
    }

    /// Goes to a position in the file.
    pub(super) fn seek(&mut self, position: u64) {
        match usize::try_from(position.wrapping_sub(self.start)) {
            Ok(next) if position >= self.start && next <= self.buffer.len() => self.next = next,
            _ => {
                self.buffer.clear();
                self.start = position;
                self.next = 0;
                self.chunk = CHUNK;
            }
        }
    }

    /// Goes to the next byte that is not zero and returns its position; `None` at the end of the file.
    pub(super) fn skip_zeros(&mut self) -> io::Result<Option<u64>> {
        loop {
            let buffer = self.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            if let Some(zeros) = buffer.iter().position(|byte| *byte != 0) {
                self.consume(zeros);
                return Ok(Some(self.position()));
            }
            let all = buffer.len();
            self.consume(all);
        }
    }

    /// The next bytes, fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.buffer.len().saturating_sub(self.next) < count {
            let position = self.position();
            self.buffer.clear();
            self.start = position;
            self.next = 0;
        }
        let buffer = self.fill_buf()?;
        Ok(buffer.get(..count).unwrap_or(buffer))
    }
}

impl BufRead for Cursor<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.next >= self.buffer.len() {
            self.start = self.position();
            self.next = 0;
            self.buffer.resize(self.chunk, 0);
            let count = self.file.read_at(&mut self.buffer, self.start)?;
            self.buffer.truncate(count);
            self.chunk = (2 * self.chunk).min(CHUNK_MAX);
        }
        Ok(self.buffer.get(self.next..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.next = self.next.saturating_add(count).min(self.buffer.len());
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl Forward for Cursor<'_> {
    fn pass(&mut self, count: u64, _: &mut u64) -> io::Result<()> {
        let position = self.position().saturating_add(count);
        if position > self.file.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.seek(position);
        Ok(())
    }

    fn spend(&self, _: u64, _: &mut u64) -> io::Result<()> {
        Ok(())
    }
}

/// What a decompressor yields.
pub(super) struct Expanded<'a> {
    stream: &'a mut dyn Read,
    buffer: Vec<u8>,
    next: usize,
}

impl<'a> Expanded<'a> {
    pub(super) fn new(stream: &'a mut dyn Read) -> Self {
        Self { stream, buffer: Vec::new(), next: 0 }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.next >= self.buffer.len() {
            self.next = 0;
            self.buffer.resize(CHUNK, 0);
            let count = self.stream.read(&mut self.buffer)?;
            self.buffer.truncate(count);
        }
        Ok(self.buffer.get(self.next..).unwrap_or_default())
    }

    /// Goes to the next byte that is not zero; `false` if there is none.
    pub(super) fn skip_zeros(&mut self, left: &mut u64) -> io::Result<bool> {
        loop {
            let buffer = self.fill()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let zeros = buffer.iter().position(|byte| *byte != 0);
            let count = zeros.unwrap_or(buffer.len());
            self.next += count;
            self.spend(count as u64, left)?;
            if zeros.is_some() {
                return Ok(true);
            }
        }
    }

    /// A copy of the next bytes, fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.fill()?.to_vec();
        while bytes.len() < count {
            let mut more = vec![0; CHUNK];
            let read = self.stream.read(&mut more)?;
            if read == 0 {
                break;
            }
            bytes.extend(more.into_iter().take(read));
        }
        self.buffer.clone_from(&bytes);
        self.next = 0;
        bytes.truncate(count);
        Ok(bytes)
    }
}

impl Read for Expanded<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill()?.read(buf)?;
        self.next += count;
        Ok(count)
    }
}

impl Forward for Expanded<'_> {
    fn pass(&mut self, count: u64, left: &mut u64) -> io::Result<()> {
        let mut wanted = count;
        while wanted > 0 {
            let there = self.fill()?.len();
            if there == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let taken = usize::try_from(wanted).map_or(there, |wanted| wanted.min(there));
            self.next += taken;
            self.spend(taken as u64, left)?;
            wanted -= taken as u64;
        }
        Ok(())
    }

    fn spend(&self, count: u64, left: &mut u64) -> io::Result<()> {
        match left.checked_sub(count) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(io::Error::other("it expands to more than is read")),
        }
    }
}
