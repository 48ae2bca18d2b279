//! A compressed file as a stream.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::ReadAt;

use crate::Slice;

/// Bytes that are read at once.
pub(crate) const PIECE: usize = 256 << 10;

/// log2 of the largest window that Zstandard may take: what `zstd` takes by default.
pub(crate) const ZSTD_WINDOW_LOG: u32 = 27;

/// Sees the bytes of a file as they are read, for what has to be known of all of them, such as a hash.
pub trait Watch: Send + Sync {
    /// These bytes of the file were read, at this offset. Bytes may be read more than once, and some not at all.
    fn saw(&self, offset: u64, bytes: &[u8]);
}

/// The file as a stream.
pub(crate) struct Bytes<'a> {
    pub(crate) file: Slice<'a>,
    pub(crate) watch: Option<Arc<dyn Watch>>,
    /// Where it is read next.
    pub(crate) at: Arc<AtomicU64>,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.at.load(Ordering::Relaxed);
        let left = usize::try_from(self.file.size().saturating_sub(at)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let part = buf.get_mut(..length).unwrap_or_default();
        // The error comes out of the decoder as it went in.
        self.file.read_at(part, at).map_err(io::Error::other)?;
        if let Some(watch) = &self.watch {
            watch.saw(at, part);
        }
        self.at.store(at + length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Expands Zstandard, as far as the window is within the limit.
pub(crate) fn zstd_decoder<R: BufRead>(packed: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}
