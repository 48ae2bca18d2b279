//! A RAW that is compressed as a whole.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use imsprep_ondisk::format::Format;
use imsprep_ondisk::format::container::{LZ4_LEGACY_MAGIC, ZstdHeader, zstd_window};
use imsprep_ondisk::format::zip::{MemberData, Method};
use imsprep_source::{Error, ImageFile, ReadAt, Result};
use lzma_rust2::XzReader;

use crate::Slice;
use crate::lz4::Lz4Frames;
use crate::packed::{Bytes, PIECE, Watch, ZSTD_WINDOW_LOG, zstd_decoder};
use crate::slice::damaged;
use crate::xz::{XZ_MEMORY, XzStream};
use crate::zip_member::member_reader;

/// What a file is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// gzip, of one member or several. Zeros behind the last one are passed over, as gzip does it.
    Gzip,
    /// xz, of one stream or several, with padding.
    Xz,
    /// Zstandard, of one frame or several, and skippable ones.
    Zstd,
    /// bzip2, of one stream or several.
    Bzip2,
    /// LZ4, of one frame or several, and skippable ones. Its legacy form has no end that shows, and is not expanded.
    Lz4,
    /// The data of a member of a ZIP archive. Its size and its CRC-32 must be those that the archive has for it.
    Member(MemberData),
}

impl Wrapper {
    /// What a file of this format is compressed with; `None` if that is not expanded.
    pub fn of(format: Format) -> Option<Self> {
        match format {
            Format::Gzip => Some(Self::Gzip),
            Format::Xz => Some(Self::Xz),
            Format::Zstd => Some(Self::Zstd),
            Format::Bzip2 => Some(Self::Bzip2),
            Format::Lz4 => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Whether expanding it takes longer than to compress its content for a ZVHD2.
    fn is_slow(self) -> bool {
        match self {
            Self::Xz | Self::Bzip2 => true,
            Self::Gzip | Self::Zstd | Self::Lz4 => false,
            Self::Member(data) => data.method == Method::Bzip2,
        }
    }
}

/// What [`Error::Damaged`] says of a file that ends before its compressed data does.
pub const ENDS_TOO_EARLY: &str = "the compressed data ends too early";

/// What libzstd says of a larger one.
const ZSTD_TOO_LARGE: &str = "Frame requires too much memory for decoding";
/// Bytes of a frame that have its window.
const ZSTD_START: usize = 18;

/// Expands a file from its first byte to its last. Checksums are verified if the format has them.
pub struct Unwrapped<'a> {
    path: PathBuf,
    /// The first bytes, which have the window of a Zstandard frame.
    start: Vec<u8>,
    /// Where the file begins in the one that errors name.
    offset: u64,
    stream: Box<dyn Read + Send + 'a>,
    /// Bytes of the file that were read.
    at: Arc<AtomicU64>,
    /// Bytes that came out.
    given: u64,
    /// Bytes that come out at least: those that the first frame of a Zstandard file declares. libzstd compares them with what it has
    /// expanded only if the last block is not empty.
    declared: u64,
    is_slow: bool,
}

impl<'a> Unwrapped<'a> {
    /// Whether expanding takes longer than to compress the content for a ZVHD2.
    pub fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// Begins at the start of the file, which is read by the caller's thread alone.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if there is no memory for it; [`Error::NotExpanded`] if it is in the legacy form of LZ4; or if the file can't be
    /// read.
    pub fn open(file: Slice<'a>, wrapper: Wrapper) -> Result<Self> {
        Self::of_file(file, None, wrapper, None)
    }

    /// The same of a complete file, which may be read and expanded by up to `threads` threads of its own: an xz stream of several blocks is.
    /// They end when this value is dropped. Other files are read as by [`open`](Self::open). `watch` sees what one thread reads in order:
    /// all of the file, except where several threads read it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_file(
        file: &'a ImageFile,
        wrapper: Wrapper,
        threads: usize,
        watch: Option<Arc<dyn Watch>>,
    ) -> Result<Self> {
        let is_threaded = wrapper == Wrapper::Xz && threads > 1;
        // Where the file can't be opened once more, one thread reads it.
        let owned = is_threaded.then(|| file.reopen().ok()).flatten();
        Self::of_file(Slice::whole(file), owned.map(|file| (file, threads)), wrapper, watch)
    }

    fn of_file(
        file: Slice<'a>,
        owned: Option<(ImageFile, usize)>,
        wrapper: Wrapper,
        watch: Option<Arc<dyn Watch>>,
    ) -> Result<Self> {
        let length = usize::try_from(file.size()).unwrap_or(ZSTD_START).min(ZSTD_START);
        let mut start = vec![0; length];
        file.read_at(&mut start, 0)?;
        let at = Arc::new(AtomicU64::new(0));
        let mut unwrapped = Self::begun(file.path().to_owned(), start, file.offset(), Arc::clone(&at));
        unwrapped.is_slow = wrapper.is_slow();
        unwrapped.note_declared(wrapper);
        unwrapped.stream = match wrapper {
            Wrapper::Xz => Box::new(XzStream::new(file, owned, at, watch)),
            _ => unwrapped.decoder(BufReader::with_capacity(PIECE, Bytes { file, watch, at }), wrapper)?,
        };
        Ok(unwrapped)
    }

    /// Begins with something that is read once, in order, of which `start` was read already. Errors call it `path`. Without a wrapper it
    /// comes out as it is. Reads that fail with an error of this project come out with it.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if there is no memory for it; [`Error::NotExpanded`] if it is in the legacy form of LZ4.
    pub fn of_stream(
        path: PathBuf,
        start: Vec<u8>,
        rest: impl Read + Send + 'a,
        wrapper: Option<Wrapper>,
    ) -> Result<Self> {
        let first = start.get(..ZSTD_START).unwrap_or(&start).to_vec();
        let at = Arc::new(AtomicU64::new(0));
        let mut unwrapped = Self::begun(path, first, 0, Arc::clone(&at));
        unwrapped.is_slow = wrapper.is_some_and(Wrapper::is_slow);
        if let Some(wrapper) = wrapper {
            unwrapped.note_declared(wrapper);
        }
        let counted = Counted { reader: io::Cursor::new(start).chain(rest), at };
        unwrapped.stream = match wrapper {
            Some(wrapper) => unwrapped.decoder(BufReader::with_capacity(PIECE, counted), wrapper)?,
            None => Box::new(counted),
        };
        Ok(unwrapped)
    }

    fn begun(path: PathBuf, start: Vec<u8>, offset: u64, at: Arc<AtomicU64>) -> Self {
        Self { path, start, offset, stream: Box::new(io::empty()), at, given: 0, declared: 0, is_slow: false }
    }

    fn note_declared(&mut self, wrapper: Wrapper) {
        if wrapper == Wrapper::Zstd {
            self.declared = ZstdHeader::decode(&self.start).and_then(|header| header.content).unwrap_or(0);
        }
    }

    /// What `stream` makes of the file, which it reads at `at`.
    #[cfg(test)]
    pub(crate) fn over(file: &Slice<'_>, stream: Box<dyn Read + Send + 'a>, at: Arc<AtomicU64>) -> Self {
        Self { stream, ..Self::begun(file.path().to_owned(), Vec::new(), file.offset(), at) }
    }

    /// Expands what is read once, by one thread.
    fn decoder(
        &self,
        packed: impl BufRead + Send + 'a,
        wrapper: Wrapper,
    ) -> Result<Box<dyn Read + Send + 'a>> {
        let no_memory = |error: io::Error| self.damaged(0, 0, error.to_string());
        Ok(match wrapper {
            Wrapper::Gzip => Box::new(Members { decoder: Some(GzDecoder::new(packed)) }),
            Wrapper::Lz4 => {
                if self.start.starts_with(&LZ4_LEGACY_MAGIC) {
                    let what = "it is in the legacy format of LZ4; decompress it with lz4 -d first";
                    return Err(self.not_expanded(what.into()));
                }
                Box::new(Lz4Frames::new(packed))
            }
            Wrapper::Bzip2 => Box::new(Members { decoder: Some(BzDecoder::new(packed)) }),
            Wrapper::Member(data) => member_reader(packed, data).map_err(no_memory)?,
            Wrapper::Xz => Box::new(XzReader::new_mem_limit(packed, true, XZ_MEMORY)),
            Wrapper::Zstd => Box::new(zstd_decoder(packed).map_err(no_memory)?),
        })
    }

    /// Fills `buf` with what comes next, and returns how much of it: less than all only at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] if it cannot be decompressed, with the place in the file that was read last; [`Error::NotExpanded`] if
    /// that takes too much memory; or if the file cannot be read.
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
        if filled < buf.len() && self.given < self.declared {
            let what = format!("it declares {} bytes of content and holds {}", self.declared, self.given);
            return Err(self.damaged(self.given, self.at.load(Ordering::Relaxed), what));
        }
        Ok(filled)
    }

    fn error(&self, error: io::Error, filled: u64) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => self.not_expanded(format!(
                "it needs more memory than the limit of {} MiB; decompress it with xz -dk first",
                XZ_MEMORY >> 10
            )),
            Err(error) if error.to_string() == ZSTD_TOO_LARGE => self.not_expanded(self.window()),
            Err(error) => {
                let at = self.at.load(Ordering::Relaxed);
                let what = match error.kind() {
                    io::ErrorKind::UnexpectedEof => ENDS_TOO_EARLY.to_owned(),
                    _ => format!("it cannot be decompressed, at or shortly before this offset: {error}"),
                };
                self.damaged(self.given + filled, at, what)
            }
        }
    }

    /// The file does not hold what it should for the byte at `at` of what comes out.
    fn damaged(&self, at: u64, offset: u64, what: String) -> Error {
        damaged(&self.path, at, self.offset.saturating_add(offset), what)
    }

    fn not_expanded(&self, what: String) -> Error {
        Error::NotExpanded { path: self.path.clone(), what }
    }

    /// What is wrong with the window of a Zstandard frame, and what to do.
    fn window(&self) -> String {
        // A later frame may be the one.
        let window = match zstd_window(&self.start).filter(|window| *window > 1 << ZSTD_WINDOW_LOG) {
            Some(window) => format!("its window of {} MiB is", window.div_ceil(1 << 20)),
            None => "a frame in it has a window that is".into(),
        };
        format!(
            "{window} larger than the limit of {} MiB; decompress it with zstd -d --long=31 first",
            1 << (ZSTD_WINDOW_LOG - 20)
        )
    }
}

/// A decoder of one part of a file that may have several.
trait Member: Read {
    type Packed: BufRead;
    /// Whether zeros may follow on the last part.
    const ZEROS_MAY_FOLLOW: bool;
    fn begin(packed: Self::Packed) -> Self;
    fn rest(self) -> Self::Packed;
}

impl<R: BufRead> Member for GzDecoder<R> {
    type Packed = R;
    const ZEROS_MAY_FOLLOW: bool = true;

    fn begin(packed: R) -> Self {
        Self::new(packed)
    }

    fn rest(self) -> R {
        self.into_inner()
    }
}

impl<R: BufRead> Member for BzDecoder<R> {
    type Packed = R;
    const ZEROS_MAY_FOLLOW: bool = false;

    fn begin(packed: R) -> Self {
        Self::new(packed)
    }

    fn rest(self) -> R {
        self.into_inner()
    }
}

/// The parts of a file, one after the other.
struct Members<D> {
    /// `None` at the end.
    decoder: Option<D>,
}

impl<D: Member> Read for Members<D> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = self.decoder.as_mut().filter(|_| !buf.is_empty()) {
            let length = decoder.read(buf)?;
            if length > 0 {
                return Ok(length);
            }
            let Some(mut packed) = self.decoder.take().map(D::rest) else { break };
            if D::ZEROS_MAY_FOLLOW && packed.fill_buf()?.first() == Some(&0) {
                pass_zeros(&mut packed)?;
            } else if !packed.fill_buf()?.is_empty() {
                self.decoder = Some(D::begin(packed));
            }
        }
        Ok(0)
    }
}

/// Reads zeros to the end.
fn pass_zeros(packed: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = packed.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            let what = "its last member is followed by zeros and then by other data";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let length = bytes.len();
        packed.consume(length);
    }
}

/// A stream that shows how far it was read.
struct Counted<R> {
    reader: R,
    at: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buf)?;
        self.at.fetch_add(length as u64, Ordering::Relaxed);
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

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
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

    /// libzstd takes the second and the third file, as their last block is empty, and refuses the fourth.
    #[test]
    fn a_frame_that_holds_less_than_it_declares_is_damaged() {
        let frame = |declared: u32, blocks: &[u32]| {
            let mut frame = [&b"\x28\xb5\x2f\xfd\xa0"[..], &declared.to_le_bytes()].concat();
            for (n, length) in blocks.iter().enumerate() {
                let is_last = u32::from(n + 1 == blocks.len());
                frame.extend(&(length << 3 | is_last).to_le_bytes()[..3]);
                frame.extend(vec![7; *length as usize]);
            }
            frame
        };
        assert_eq!(unwrap(frame(150_000, &[100_000, 50_000, 0]), Wrapper::Zstd).unwrap().len(), 150_000);
        for (declared, blocks) in [(200_000, &[100_000, 0][..]), (200_000, &[0]), (200_000, &[100_000])] {
            let error = unwrap(frame(declared, blocks), Wrapper::Zstd).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
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
        let streams = [bzip2(a), bzip2(b)].concat();
        assert!(unwrap(streams.clone(), Wrapper::Bzip2).unwrap() == bytes);
        for (file, wrapper) in [(packed, Wrapper::Gzip), (frames, Wrapper::Zstd), (streams, Wrapper::Bzip2)] {
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
    fn what_may_follow_is_passed_over_and_what_may_not_is_damage() {
        const EMPTY_XZ: [u8; 32] = [
            0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46, 0, 0, 0, 0, 0x1c, 0xdf, 0x44,
            0x21, 0x1f, 0xb6, 0xf3, 0x7d, 1, 0, 0, 0, 0, 4, b'Y', b'Z',
        ];
        let bytes = b"what is in it".repeat(50);
        let zstd = zstd::bulk::compress(&bytes, 3).unwrap();
        let skippable = [&0x184d_2a5f_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"other"].concat();
        for (parts, wrapper, times) in [
            (vec![gzip(&bytes), vec![0; 1]], Wrapper::Gzip, 1),
            (vec![gzip(&bytes), gzip(&[]), gzip(&bytes), vec![0; PIECE + 5]], Wrapper::Gzip, 2),
            (
                vec![skippable.clone(), zstd.clone(), skippable.clone(), zstd.clone(), skippable.clone()],
                Wrapper::Zstd,
                2,
            ),
            (vec![EMPTY_XZ.to_vec(), vec![0; 8], EMPTY_XZ.to_vec(), vec![0; 4]], Wrapper::Xz, 0),
            (vec![bzip2(&bytes), bzip2(&[]), bzip2(&bytes)], Wrapper::Bzip2, 2),
        ] {
            assert!(unwrap(parts.concat(), wrapper).unwrap() == bytes.repeat(times), "{wrapper:?}");
        }
        for (parts, wrapper) in [
            (vec![gzip(&bytes), b"rubbish".to_vec()], Wrapper::Gzip),
            (vec![gzip(&bytes), vec![0; 9], b"rubbish".to_vec()], Wrapper::Gzip),
            // gzip itself takes no member behind zeros.
            (vec![gzip(&bytes), vec![0; 9], gzip(&bytes)], Wrapper::Gzip),
            (vec![gzip(&bytes), gzip(&bytes)[..9].to_vec()], Wrapper::Gzip),
            (vec![zstd.clone(), vec![0; 4]], Wrapper::Zstd),
            (vec![zstd.clone(), b"rubbish".to_vec()], Wrapper::Zstd),
            (vec![zstd.clone(), b"ru".to_vec()], Wrapper::Zstd),
            (vec![zstd.clone(), skippable[..10].to_vec()], Wrapper::Zstd),
            (vec![EMPTY_XZ.to_vec(), vec![0; 3]], Wrapper::Xz),
            (vec![EMPTY_XZ.to_vec(), b"rubbish".to_vec()], Wrapper::Xz),
            (vec![bzip2(&bytes), b"rubbish".to_vec()], Wrapper::Bzip2),
            (vec![bzip2(&bytes), vec![0; 4]], Wrapper::Bzip2),
            (vec![bzip2(&bytes), bzip2(&bytes)[..9].to_vec()], Wrapper::Bzip2),
            (vec![bzip2(&bytes), b"BZ".to_vec()], Wrapper::Bzip2),
        ] {
            let came = unwrap(parts.concat(), wrapper);
            assert!(
                matches!(came, Err(Error::Damaged { .. })),
                "{wrapper:?} {parts:?} {:?}",
                came.map(|b| b.len())
            );
        }
    }

    #[test]
    fn what_takes_too_much_memory_is_no_damage() {
        // A window of 2 GiB, alone and behind a small frame; a dictionary of 4 GiB.
        let window = b"\x28\xb5\x2f\xfd\x00\xa8\x21\0\0data".to_vec();
        let second = [zstd::bulk::compress(b"first", 3).unwrap(), window.clone()].concat();
        let mut xz = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x28\0\0\0".to_vec();
        xz.extend(crc32(&xz[12..20]).to_le_bytes());
        for (file, wrapper, words) in [
            (window, Wrapper::Zstd, &["2048 MiB", "zstd -d --long=31"][..]),
            (second, Wrapper::Zstd, &["a frame in it", "zstd -d --long=31"]),
            (xz, Wrapper::Xz, &["160 MiB", "xz -dk"]),
        ] {
            let error = unwrap(file, wrapper).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::NotExpanded { .. }), "{text}");
            assert!(words.iter().all(|word| text.contains(word)) && !text.contains("damage"), "{text}");
        }
    }

    /// Bit by bit.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        })
    }

    #[test]
    fn rubbish_behind_a_magic_is_damage() {
        for (magic, wrapper) in [
            (&b"\x1f\x8b\x08\0\0\0\0\0\0\0rubbish"[..], Wrapper::Gzip),
            (b"\xfd7zXZ\0rubbish that goes on", Wrapper::Xz),
            (b"\x28\xb5\x2f\xfd rubbish", Wrapper::Zstd),
            (b"BZh9 rubbish that goes on", Wrapper::Bzip2),
        ] {
            assert!(matches!(unwrap(magic.to_vec(), wrapper), Err(Error::Damaged { .. })), "{wrapper:?}");
        }
    }
}
