//! Expanding one payload into a caller's buffer, and what its form says about who wrote it.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe;

use crate::Method;

/// Expands payloads of records. Holds the decompressor's memory, so use one for many payloads.
pub struct Expander {
    codec: Codec,
    block_size: usize,
}

enum Codec {
    Zlib(Box<Decompress>),
    Zstd(zstd_safe::DCtx<'static>),
}

/// Why a payload is not one block of data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// It is not a stream of this method.
    #[error("not a valid {} stream: {detail}", method.as_str())]
    Corrupt {
        /// The method that was requested.
        method: Method,
        /// What the decompressor said.
        detail: String,
    },
    /// It holds less than a block.
    #[error("decompresses to only {bytes} bytes")]
    Short {
        /// Bytes that it expands to.
        bytes: usize,
    },
    /// It holds more than a block.
    #[error("decompresses to more than {block_size} bytes")]
    Long {
        /// Bytes of a block.
        block_size: usize,
    },
    /// A zlib stream that has its final block, which the reference's readers reject.
    #[error("the zlib stream is finished: it has a final block")]
    Finished,
}

/// Something about a payload that readers accept and the reference does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Quirk {
    /// More than one zstd frame, or bytes in skippable frames.
    #[error("more than one frame")]
    SeveralFrames,
    /// A zstd frame that can be skipped stands first.
    #[error("a skippable frame")]
    SkippableFrame,
    /// The zstd frame has a checksum.
    #[error("a frame checksum")]
    FrameChecksum,
    /// The zstd frame does not say how much it holds.
    #[error("no content size")]
    NoContentSize,
    /// The zlib header (RFC 1950, 2.2) is not the one of level 1 with a window of 32 KiB.
    #[error("a zlib header of another level than 1")]
    ZlibLevel,
    /// The zstd frame has a field for a dictionary.
    #[error("a dictionary id")]
    DictionaryId,
    /// The zlib stream does not end in the four bytes of a sync flush.
    #[error("no sync flush at the end")]
    NoSyncFlush,
}

impl Expander {
    /// An expander for blocks of `block_size` bytes.
    pub fn new(method: Method, block_size: usize) -> Self {
        let codec = match method {
            Method::Zlib => Codec::Zlib(Box::new(Decompress::new(true))),
            Method::Zstd => Codec::Zstd(zstd_safe::DCtx::create()),
        };
        Self { codec, block_size }
    }

    /// Expands a payload into the first `block_size` bytes of `block`, never writing more. What `block` holds after
    /// an error is not defined.
    ///
    /// # Errors
    ///
    /// Whatever makes the reference's readers reject the payload.
    ///
    /// # Panics
    ///
    /// If `block` is shorter than the block size.
    pub fn expand(&mut self, payload: &[u8], block: &mut [u8]) -> Result<Vec<Quirk>, ExpandError> {
        let available = block.len();
        let Some(block) = block.get_mut(..self.block_size) else {
            panic!("a buffer of {available} bytes for a block of {}", self.block_size)
        };
        match &mut self.codec {
            Codec::Zlib(stream) => expand_zlib(stream, payload, block),
            Codec::Zstd(context) => expand_zstd(context, payload, block),
        }
    }
}

/// In one call into the caller's buffer: no window is allocated, whatever size the frame asks for.
fn expand_zstd(
    context: &mut zstd_safe::DCtx<'static>,
    payload: &[u8],
    block: &mut [u8],
) -> Result<Vec<Quirk>, ExpandError> {
    let written = context.decompress(&mut *block, payload).map_err(|code| {
        // ZSTD_error_dstSize_tooSmall; the result of a failed call is the code's negative.
        const DESTINATION_TOO_SMALL: usize = 70_usize.wrapping_neg();
        if code == DESTINATION_TOO_SMALL {
            ExpandError::Long { block_size: block.len() }
        } else {
            let detail = zstd_safe::get_error_name(code).to_owned();
            ExpandError::Corrupt { method: Method::Zstd, detail }
        }
    })?;
    if written < block.len() {
        return Err(ExpandError::Short { bytes: written });
    }
    Ok(zstd_quirks(payload))
}

/// Reads the first frame's header (RFC 8878, 3.1.1.1) of a payload that is known to expand.
fn zstd_quirks(payload: &[u8]) -> Vec<Quirk> {
    const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
    let mut quirks = Vec::new();
    let frame = zstd_safe::find_frame_compressed_size(payload).unwrap_or(payload.len());
    if frame < payload.len() {
        quirks.push(Quirk::SeveralFrames);
    }
    let Some((MAGIC, &[descriptor, ..])) = payload.split_first_chunk().map(|(magic, rest)| (*magic, rest))
    else {
        quirks.push(Quirk::SkippableFrame);
        return quirks;
    };
    let (size_flag, single_segment) = (descriptor >> 6, descriptor & 0x20 != 0);
    if size_flag == 0 && !single_segment {
        quirks.push(Quirk::NoContentSize);
    }
    if descriptor & 0x04 != 0 {
        quirks.push(Quirk::FrameChecksum);
    }
    if descriptor & 0x03 != 0 {
        quirks.push(Quirk::DictionaryId);
    }
    quirks
}

/// How a zlib stream of level 1 begins: deflate with a window of 32 KiB, "fastest".
pub(crate) const ZLIB_LEVEL_1: [u8; 2] = [0x78, 0x01];
/// How a flushed deflate stream ends: an empty stored block.
const SYNC_FLUSH: [u8; 4] = [0, 0, 0xff, 0xff];

/// Expands a payload from where the stream stands into exactly one block.
pub(crate) fn inflate(stream: &mut Decompress, payload: &[u8], block: &mut [u8]) -> Result<(), ExpandError> {
    let block_size = block.len();
    let (start_in, start_out) = (stream.total_in(), stream.total_out());
    // What does not fit into the block: one byte is enough to know that there is too much.
    let mut spill = [0; 1];
    loop {
        let consumed = usize::try_from(stream.total_in() - start_in).unwrap_or(usize::MAX);
        let produced = usize::try_from(stream.total_out() - start_out).unwrap_or(usize::MAX);
        if produced > block_size {
            return Err(ExpandError::Long { block_size });
        }
        let input = payload.get(consumed..).unwrap_or_default();
        let output = match block.get_mut(produced..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => &mut spill,
        };
        let status = stream
            .decompress(input, output, FlushDecompress::None)
            .map_err(|error| ExpandError::Corrupt { method: Method::Zlib, detail: error.to_string() })?;
        if status == Status::StreamEnd {
            return Err(ExpandError::Finished);
        }
        let moved = (stream.total_in() - start_in, stream.total_out() - start_out);
        if moved == (consumed as u64, produced as u64) {
            return if produced < block_size { Err(ExpandError::Short { bytes: produced }) } else { Ok(()) };
        }
    }
}

fn expand_zlib(stream: &mut Decompress, payload: &[u8], block: &mut [u8]) -> Result<Vec<Quirk>, ExpandError> {
    stream.reset(true);
    inflate(stream, payload, block)?;
    let mut quirks = Vec::new();
    if !payload.starts_with(&ZLIB_LEVEL_1) {
        quirks.push(Quirk::ZlibLevel);
    }
    if !payload.ends_with(&SYNC_FLUSH) {
        quirks.push(Quirk::NoSyncFlush);
    }
    Ok(quirks)
}
