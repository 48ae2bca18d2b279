//! Compressed files. The first bytes of what is in them are read.

use byteorder::{ByteOrder, LittleEndian as LE};
use imsprep_ondisk::format::container::{
    BZIP2_BLOCK, BZIP2_END, BZIP2_MAGIC, GZIP_FLAGS_RESERVED, GZIP_MAGIC, LZ4_FLAG_SIZE, LZ4_FLAGS_OFFSET,
    LZ4_LEGACY_MAGIC, LZ4_MAGIC, LZ4_SIZE_OFFSET, XZ_FOOTER_MAGIC, XZ_MAGIC, ZSTD_MAGIC,
    ZSTD_SKIPPABLE_MAGIC, ZSTD_SKIPPABLE_MASK, ZstdFrameStart,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::expand::{Codec, ZSTD_HEADER_MAX, look_inside};
use crate::input::{Input, Level};
use crate::{Fact, Format, Inside, xz_index};

/// Skippable frames that may come before the first Zstandard frame; pzstd writes one.
const SKIPPABLE_MAX: usize = 4;
/// Bytes at the end of an xz file in which the footer of its last stream is looked for.
const XZ_PADDING_MAX: u64 = 4096;

/// Compressors, all by their first bytes.
pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let (format, codec, size) = if is_gzip(input.head()) {
        (Format::Gzip, Codec::Gzip, None)
    } else if input.starts_with(&XZ_MAGIC) {
        (Format::Xz, Codec::Xz, xz_index::content_size(input)?)
    } else if let Some(frame) = zstd_frame(input)? {
        (Format::Zstd, Codec::Zstd, zstd_size(input, frame)?)
    } else if is_bzip2(input.head()) {
        (Format::Bzip2, Codec::Bzip2, None)
    } else if input.starts_with(&LZ4_MAGIC) {
        (Format::Lz4, Codec::Lz4, lz4_size(input))
    } else if input.starts_with(&LZ4_LEGACY_MAGIC) {
        (Format::Lz4, Codec::Lz4, None)
    } else {
        return Ok(None);
    };
    let mut found = Candidate::new(format);
    found.variant = input.starts_with(&LZ4_LEGACY_MAGIC).then_some("legacy");
    if format == Format::Xz && !ends_as_xz(input)? {
        found.outside("the footer of its last stream is not at the end of the file");
    }
    if matches!(input.level(), Level::File | Level::Compressed) {
        let (name, content) = look_inside(input, codec)?;
        found.facts.push(Fact::Inside(Inside { name, size, content }));
    }
    Ok(Some(found))
}

fn is_gzip(head: &[u8]) -> bool {
    let flags = head.strip_prefix(&GZIP_MAGIC).and_then(<[u8]>::first);
    flags.is_some_and(|flags| flags & GZIP_FLAGS_RESERVED == 0)
}

/// Whether the file ends in the footer of a stream, behind which there may be padding. A part of a file has no end.
fn ends_as_xz(input: &Input<'_>) -> Result<bool> {
    let Some(size) = input.known_size() else { return Ok(true) };
    let start = size.saturating_sub(XZ_PADDING_MAX);
    let tail = input.read(start, XZ_PADDING_MAX)?;
    let content = tail.iter().rposition(|byte| *byte != 0).map(|last| tail.get(..=last).unwrap_or_default());
    // Whatever lies before so much padding was not looked at.
    Ok(content.is_none_or(|content| content.ends_with(&XZ_FOOTER_MAGIC)))
}

fn is_bzip2(head: &[u8]) -> bool {
    let rest = head.strip_prefix(&BZIP2_MAGIC).and_then(<[u8]>::split_first);
    rest.is_some_and(|(level, rest)| {
        matches!(level, b'1'..=b'9') && (rest.starts_with(&BZIP2_BLOCK) || rest.starts_with(&BZIP2_END))
    })
}

/// Where the first Zstandard frame is.
fn zstd_frame(input: &Input<'_>) -> Result<Option<u64>> {
    let mut at = 0;
    for _ in 0..=SKIPPABLE_MAX {
        let Some(bytes) = input.array(at)? else { break };
        let frame = ZstdFrameStart::decode(&bytes);
        if frame.magic == ZSTD_MAGIC {
            return Ok(Some(at));
        }
        if frame.magic & ZSTD_SKIPPABLE_MASK != ZSTD_SKIPPABLE_MAGIC {
            break;
        }
        at += ZstdFrameStart::SIZE as u64 + u64::from(frame.skippable_size);
    }
    Ok(None)
}

/// What the first frame says that it holds. A file of several frames holds more than that, so pzstd's frame in front,
/// which describes several, makes the number useless.
fn zstd_size(input: &Input<'_>, frame: u64) -> Result<Option<u64>> {
    if frame > 0 {
        return Ok(None);
    }
    let header = input.read(frame, ZSTD_HEADER_MAX)?;
    Ok(zstd::zstd_safe::get_frame_content_size(&header).ok().flatten())
}

fn lz4_size(input: &Input<'_>) -> Option<u64> {
    let flags = *input.head().get(LZ4_FLAGS_OFFSET)?;
    let bytes = input.head_array::<8>(LZ4_SIZE_OFFSET)?;
    (flags & LZ4_FLAG_SIZE != 0).then(|| LE::read_u64(&bytes))
}
