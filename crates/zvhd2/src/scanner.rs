//! Finding where a record or a footer may begin, at whatever byte.

use imsprep_ondisk::format::zvhd2 as disk;
use imsprep_source::DiskReader;
use memchr::memmem::Finder;

use crate::Error;

/// The prefix of a record without the zero that ends it, which some writer forgot.
pub(crate) const PREFIX: &[u8] = b"hwstream bg";

/// Bytes that are read at once.
const CHUNK: u64 = 1 << 20;

/// Reads each byte of a file once, as long as it is asked for places that ascend. Holes are passed over.
pub(crate) struct Scanner<'a> {
    source: &'a dyn DiskReader,
    record: Finder<'static>,
    footer: Finder<'static>,
    chunk: Vec<u8>,
    chunk_at: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(source: &'a dyn DiskReader) -> Self {
        Self {
            source,
            record: Finder::new(PREFIX),
            footer: Finder::new(&disk::COOKIE[..disk::COOKIE_COMPARED]),
            chunk: Vec::new(),
            chunk_at: 0,
        }
    }

    /// The first place from `from` on where a prefix or a cookie stands; `advance` is called with the progress of the search, and
    /// stops it by its error.
    pub(crate) fn next(
        &mut self,
        from: u64,
        advance: &mut dyn FnMut(u64) -> Result<(), Error>,
    ) -> Result<Option<u64>, Error> {
        let mut at = from;
        // What is sought may lie across the end of a chunk.
        let overlap = PREFIX.len() as u64 - 1;
        loop {
            let end = self.chunk_at + self.chunk.len() as u64;
            let known = usize::try_from(at.wrapping_sub(self.chunk_at)).ok();
            let known = known.filter(|_| at >= self.chunk_at).and_then(|start| self.chunk.get(start..));
            if let Some(known) = known {
                let found =
                    [&self.record, &self.footer].into_iter().filter_map(|finder| finder.find(known)).min();
                if let Some(found) = found {
                    return Ok(Some(at + found as u64));
                }
                if end >= self.source.size() {
                    return Ok(None);
                }
                at = at.max(end.saturating_sub(overlap));
            }
            advance(at)?;
            // No hole holds any part of what is sought.
            let Some(extent) = self.source.data_from(at)? else { return Ok(None) };
            at = extent.start;
            self.chunk_at = at;
            let length = CHUNK.min(self.source.size() - at);
            self.chunk.resize(usize::try_from(length).unwrap_or(0), 0);
            self.source.read_at(&mut self.chunk, at)?;
        }
    }
}
