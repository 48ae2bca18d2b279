//! The first bytes of what is compressed, under limits that no file can move.

use std::io::{BufReader, Read};

use imsprep_ondisk::format::container::zstd_window;
use imsprep_ondisk::text;
use imsprep_source::{Error, ReadAt, Result};

use crate::input::{HEAD, Input, Level};
use crate::inside::look_at_head;
use crate::{Access, Content, Format};

/// Bytes that are read of the file at a time.
const CHUNK: usize = 16 << 10;
/// KiB of memory for expanding xz and lzma: `xz -9` needs 65 MiB, and files that want more are not inspected.
const XZ_MEMORY: u32 = 96 << 10;
/// log2 of the largest window for Zstandard, `zstd --ultra -22`'s and `--long`'s. Only what is filled takes memory.
const ZSTD_WINDOW_LOG: u32 = 27;
/// What libzstd says of a larger one.
const ZSTD_TOO_LARGE: &str = "Frame requires too much memory for decoding";
/// Bytes from the start of a Zstandard frame that have all of its header.
pub(crate) const ZSTD_HEADER_MAX: u64 = 18;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Deflate,
    Zlib,
    Lzma,
    Xz,
    Zstd,
    Bzip2,
    Lz4,
}

impl Codec {
    /// Compressed bytes that are read: enough for one block of the largest kind, however badly it compresses, plus a
    /// little. What takes more to yield the first bytes is not expanded.
    fn work(self) -> u64 {
        match self {
            Self::Gzip | Self::Deflate | Self::Zlib | Self::Lzma | Self::Xz => 256 << 10,
            // pzstd's skippable frames come on top of a block of 128 KiB.
            Self::Zstd => 512 << 10,
            Self::Bzip2 => 1 << 20,
            Self::Lz4 => (4 << 20) + (64 << 10),
        }
    }
}

/// What the compressed bytes from the start on hold, and its name where the compressor wrote it down.
pub(crate) fn look_inside(input: &Input<'_>, codec: Codec) -> Result<(Option<String>, Content)> {
    let (name, bytes) = expanded(input, codec)?;
    Ok((name, bytes.map_or_else(|why| Ok(Content::NotLookedAt(why)), look_at_head)?))
}

/// The first bytes of what a member of an archive holds that is stored compressed, or why there are none.
pub(crate) fn first_bytes(packed: &dyn ReadAt, codec: Codec) -> Result<std::result::Result<Vec<u8>, String>> {
    Ok(expanded(&Input::new(packed, Level::Inside)?, codec)?.1)
}

/// The name that the compressor wrote down, and the first bytes or why there are none.
type Expansion = (Option<String>, std::result::Result<Vec<u8>, String>);

fn expanded(input: &Input<'_>, codec: Codec) -> Result<Expansion> {
    let mut work = Work { input, at: 0, left: codec.work(), failure: None };
    let mut expanded = Expanded { bytes: Vec::new(), name: None };
    let result = expand(codec, BufReader::with_capacity(CHUNK, &mut work), &mut expanded);
    let Work { left, failure, .. } = work;
    if let Some(error) = failure {
        return Err(error);
    }
    let Expanded { bytes, name } = expanded;
    // Whatever came out counts, be it that the rest is damaged.
    let content = match result {
        _ if !bytes.is_empty() => Ok(bytes),
        Ok(()) => Err("it is empty".into()),
        Err(_) if left == 0 => Err(format!("its first {} bytes decompress to no data", codec.work())),
        Err(error) if error.to_string() == ZSTD_TOO_LARGE => {
            Err(window_text(zstd_window(&input.read(0, ZSTD_HEADER_MAX)?)))
        }
        Err(error) => Err(format!("it cannot be decompressed: {error}")),
    };
    Ok((name, content))
}

/// Whether a file of this format is expanded wherever it is: alone, or in an archive.
pub(crate) fn may_expand(format: Format) -> bool {
    format.access() == Access::Stream
}

/// What is said of a file whose window is larger than what is given to it.
fn window_text(window: Option<u64>) -> String {
    let limit = 1 << (ZSTD_WINDOW_LOG - 20);
    let window = window.filter(|window| *window > 1 << ZSTD_WINDOW_LOG);
    let window =
        window.map_or("a window".into(), |bytes| format!("a window of {} MiB", bytes.div_ceil(1 << 20)));
    format!("it needs {window}, and the limit is {limit} MiB; zstd -d --long=31 decompresses it")
}

/// Whether the bytes from the start on are a stream of this kind: it expands to its end, or to as many bytes as detection
/// takes of a file. Where less is at hand than all of it, half of that suffices.
pub(crate) fn is_stream(input: &Input<'_>, codec: Codec) -> Result<bool> {
    let mut work = Work { input, at: 0, left: codec.work(), failure: None };
    let mut expanded = Expanded { bytes: Vec::new(), name: None };
    let result = expand(codec, BufReader::with_capacity(CHUNK, &mut work), &mut expanded);
    match work.failure {
        Some(error) => Err(error),
        None => Ok(result.is_ok() || expanded.bytes.len() as u64 >= HEAD / 2),
    }
}

struct Expanded {
    bytes: Vec<u8>,
    name: Option<String>,
}

fn expand(codec: Codec, reader: impl std::io::BufRead, into: &mut Expanded) -> std::io::Result<()> {
    match codec {
        Codec::Gzip => {
            let mut decoder = flate2::bufread::GzDecoder::new(reader);
            let result = fill(&mut decoder, &mut into.bytes);
            let name = decoder.header().and_then(|header| header.filename());
            into.name = name.map(text::utf8).filter(|name| !name.is_empty());
            result
        }
        Codec::Deflate => fill(flate2::bufread::DeflateDecoder::new(reader), &mut into.bytes),
        Codec::Zlib => fill(flate2::bufread::ZlibDecoder::new(reader), &mut into.bytes),
        Codec::Lzma => fill(lzma_rust2::LzmaReader::new_mem_limit(reader, XZ_MEMORY, None)?, &mut into.bytes),
        Codec::Xz => fill(lzma_rust2::XzReader::new_mem_limit(reader, false, XZ_MEMORY), &mut into.bytes),
        Codec::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            fill(decoder, &mut into.bytes)
        }
        Codec::Bzip2 => fill(bzip2::bufread::BzDecoder::new(reader), &mut into.bytes),
        Codec::Lz4 => fill(lz4_flex::frame::FrameDecoder::new(reader), &mut into.bytes),
    }
}

/// Reads until there are as many bytes as detection takes of a file, or no more. What came before an error stays.
fn fill(mut reader: impl Read, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    reader.by_ref().take(HEAD).read_to_end(bytes).map(|_| ())
}

/// The compressed bytes, as many as are given to the work. Beyond them the file seems to end.
struct Work<'a, 'b> {
    input: &'a Input<'b>,
    at: u64,
    left: u64,
    /// Why the file could not be read. Decoders make of it what they like, so it is kept here.
    failure: Option<Error>,
}

impl Read for Work<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let wanted = self.left.min(buf.len() as u64);
        let bytes = match self.input.read(self.at, wanted) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.failure = Some(error);
                return Err(std::io::Error::other("the file cannot be read"));
            }
        };
        let count = bytes.len();
        if let Some(target) = buf.get_mut(..count) {
            target.copy_from_slice(&bytes);
        }
        self.at = self.at.saturating_add(count as u64);
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}
