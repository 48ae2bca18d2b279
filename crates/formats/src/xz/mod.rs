//! Expanding xz: fast where that is possible, with the results and the errors of one decoder.
//!
//! The fast ways are liblzma on the blocks of one stream, on several threads, and liblzma on all of the file. Where they fail, lzma-rust2
//! begins again, passes over what was given already, and goes on: so lzma-rust2 alone decides with which error a file is refused. A file
//! without a footer at its end was cut off, and is not expanded twice.

mod at_random;
mod blocks;
mod expander;
mod index;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{Error, ImageFile};
use lzma_rust2::XzReader;

pub use at_random::XzAtRandom;

use crate::Slice;
use crate::packed::{Bytes, PIECE, Watch};
use expander::Expander;

/// KiB of memory that expanding xz may take: `xz -9` makes files that take 65 MiB.
pub(crate) const XZ_MEMORY: u32 = 160 << 10;

/// An xz file as a stream of what it holds.
pub(crate) struct XzStream<'a> {
    file: Slice<'a>,
    /// A descriptor of the same file, for so many threads.
    for_threads: Option<(ImageFile, usize)>,
    /// Where the file is read next.
    at: Arc<AtomicU64>,
    watch: Option<Arc<dyn Watch>>,
    decoder: Decoder<'a>,
    /// Bytes that were given.
    given: u64,
}

enum Decoder<'a> {
    NotBegun,
    /// What fails here may not fail elsewhere.
    Fast(Box<dyn Read + Send + 'a>),
    /// Has the last word.
    Plain(Box<XzReader<Packed<'a>>>),
}

/// The file, read in pieces.
type Packed<'a> = BufReader<Bytes<'a>>;

impl<'a> XzStream<'a> {
    /// Begins at the start of the file. `for_threads` is the same file, if so many threads may read it.
    pub(crate) fn new(
        file: Slice<'a>,
        for_threads: Option<(ImageFile, usize)>,
        at: Arc<AtomicU64>,
        watch: Option<Arc<dyn Watch>>,
    ) -> Self {
        Self { file, for_threads, at, watch, decoder: Decoder::NotBegun, given: 0 }
    }

    fn packed(&self) -> Packed<'a> {
        self.at.store(0, Ordering::Relaxed);
        let (file, watch) = (self.file.clone(), self.watch.clone());
        BufReader::with_capacity(PIECE, Bytes { file, watch, at: Arc::clone(&self.at) })
    }

    fn fast(&mut self) -> io::Result<Option<Box<dyn Read + Send + 'a>>> {
        if let Some((file, threads)) = self.for_threads.take()
            && let Some(blocks) = blocks::open(&Arc::new(file), threads)?
        {
            return Ok(Some(Box::new(blocks)));
        }
        if !index::ends_in_footer(&self.file).map_err(io::Error::other)? {
            return Ok(None);
        }
        let expander = Expander::of_file(self.packed(), u64::from(XZ_MEMORY) << 10);
        Ok(expander.map(|expander| Box::new(expander) as _))
    }

    /// Begins again, and passes over what was given.
    fn plain(&self) -> io::Result<Decoder<'a>> {
        let mut reader = XzReader::new_mem_limit(self.packed(), true, XZ_MEMORY);
        let passed = io::copy(&mut reader.by_ref().take(self.given), &mut io::sink())?;
        if passed < self.given {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "two decoders do not agree on it"));
        }
        Ok(Decoder::Plain(Box::new(reader)))
    }
}

impl Read for XzStream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match &mut self.decoder {
                Decoder::NotBegun => {
                    self.decoder = match self.fast()? {
                        Some(fast) => Decoder::Fast(fast),
                        None => self.plain()?,
                    };
                }
                Decoder::Fast(fast) => match fast.read(buf) {
                    Err(error) if !is_of_the_source(&error) => {
                        // Its memory is free before other memory is taken.
                        self.decoder = Decoder::NotBegun;
                        self.decoder = self.plain()?;
                    }
                    result => {
                        self.given += *result.as_ref().unwrap_or(&0) as u64;
                        return result;
                    }
                },
                Decoder::Plain(reader) => return reader.read(buf),
            }
        }
    }
}

/// Whether the file could not be read, which no decoder makes up for.
fn is_of_the_source(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}
