//! A RAW that is compressed as a whole.

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use imsprep_source::{Error, ReadAt, Result};
use lzma_rust2::XzReader;

use crate::Slice;

/// What a file is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// gzip, of one member or several.
    Gzip,
    /// xz, of one stream or several.
    Xz,
    /// Zstandard, of one frame or several.
    Zstd,
}

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// KiB of memory that expanding xz may take: `xz -9` makes files that take 65 MiB.
const XZ_MEMORY: u32 = 160 << 10;

/// Expands a file from its first byte to its last. Checksums are looked at where the format has them.
pub struct Unwrapped<'a> {
    file: Slice<'a>,
    stream: Box<dyn Read + Send + 'a>,
    /// Where the file is read next.
    at: Arc<AtomicU64>,
    /// Bytes that came out.
    given: u64,
}

impl<'a> Unwrapped<'a> {
    /// Begins at the start of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if there is no memory for it.
    pub fn open(file: Slice<'a>, wrapper: Wrapper) -> Result<Self> {
        let at = Arc::new(AtomicU64::new(0));
        let packed = BufReader::with_capacity(PIECE, Bytes { file, at: Arc::clone(&at) });
        let stream: Box<dyn Read + Send + 'a> = match wrapper {
            Wrapper::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Wrapper::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY)),
            Wrapper::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(packed);
                Box::new(decoder.map_err(|error| file.damaged(0, 0, error.to_string()))?)
            }
        };
        Ok(Self { file, stream, at, given: 0 })
    }

    /// Fills `buf` with what comes next, and returns how much of it: less than all only at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if it can't be expanded, with the place in the file that was read last; or if the file can't be
    /// read.
    pub fn fill(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.stream.read(rest) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.error(error, filled as u64)),
            }
        }
        self.given += filled as u64;
        Ok(filled)
    }

    fn error(&self, error: io::Error, filled: u64) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => {
                let at = self.at.load(Ordering::Relaxed);
                let what = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "the compressed data ends too early".to_owned(),
                    _ => format!("it can't be expanded, at or somewhat before that place: {error}"),
                };
                self.file.damaged(self.given + filled, at, what)
            }
        }
    }
}

/// The file as a stream.
struct Bytes<'a> {
    file: Slice<'a>,
    at: Arc<AtomicU64>,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.at.load(Ordering::Relaxed);
        let left = usize::try_from(self.file.size().saturating_sub(at)).unwrap_or(usize::MAX);
        let length = left.min(buf.len());
        let part = buf.get_mut(..length).unwrap_or_default();
        // The error comes out of the decoder as it went in.
        self.file.read_at(part, at).map_err(io::Error::other)?;
        self.at.store(at + length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use imsprep_source::MemoryImage;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unwrap(file: Vec<u8>, wrapper: Wrapper) -> Result<Vec<u8>> {
        let image = MemoryImage::new("disk.raw.gz", file);
        let mut stream = Unwrapped::open(Slice::whole(&image), wrapper)?;
        let mut bytes = Vec::new();
        loop {
            let mut piece = vec![0; 100_000];
            let filled = stream.fill(&mut piece)?;
            bytes.extend(&piece[..filled]);
            if filled < piece.len() {
                return Ok(bytes);
            }
        }
    }

    #[test]
    fn members_and_frames_one_after_the_other_are_one_stream() {
        let bytes = (0..300_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect::<Vec<_>>();
        let (a, b) = bytes.split_at(777_777);
        let packed = [gzip(a), gzip(b)].concat();
        assert!(unwrap(packed.clone(), Wrapper::Gzip).unwrap() == bytes);
        let frames = [zstd::bulk::compress(a, 1).unwrap(), zstd::bulk::compress(b, 1).unwrap()].concat();
        assert!(unwrap(frames.clone(), Wrapper::Zstd).unwrap() == bytes);
        for (file, wrapper) in [(packed, Wrapper::Gzip), (frames, Wrapper::Zstd)] {
            // Cut off, and altered in the middle.
            let error = unwrap(file[..file.len() - 3].to_vec(), wrapper).unwrap_err();
            let Error::Damaged { offset, .. } = &error else { panic!("{error}") };
            assert_eq!(*offset, file.len() as u64 - 3);
            let mut altered = file.clone();
            altered[file.len() / 2] ^= 0x55;
            let came = unwrap(altered, wrapper);
            assert!(wrapper == Wrapper::Zstd || matches!(came, Err(Error::Damaged { .. })), "{came:?}");
        }
    }

    #[test]
    fn rubbish_behind_a_magic_is_damage() {
        for (magic, wrapper) in [
            (&b"\x1f\x8b\x08\0\0\0\0\0\0\0rubbish"[..], Wrapper::Gzip),
            (b"\xfd7zXZ\0rubbish that goes on", Wrapper::Xz),
            (b"\x28\xb5\x2f\xfd rubbish", Wrapper::Zstd),
        ] {
            assert!(matches!(unwrap(magic.to_vec(), wrapper), Err(Error::Damaged { .. })), "{wrapper:?}");
        }
    }
}
