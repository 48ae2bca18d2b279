//! Compressed files and archives. What is in them is not looked at.

use imsprep_ondisk::container::{
    BZIP2_BLOCK, BZIP2_END, BZIP2_MAGIC, GZIP_FLAGS_RESERVED, GZIP_MAGIC, TarHeader, XZ_MAGIC, ZIP_MAGICS,
    ZSTD_MAGIC, ZSTD_SKIPPABLE_MAGIC, ZSTD_SKIPPABLE_MASK, ZstdFrameStart,
};
use imsprep_source::Result;

use crate::candidate::{Candidate, Place};
use crate::input::Input;
use crate::{Format, text};

/// Skippable frames that may come before the first Zstandard frame; pzstd writes one.
const SKIPPABLE_MAX: usize = 4;

/// Compressors and ZIP, all by their first bytes.
pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let format = if is_gzip(input.head()) {
        Format::Gzip
    } else if input.starts_with(&XZ_MAGIC) {
        Format::Xz
    } else if is_zstd(input)? {
        Format::Zstd
    } else if is_bzip2(input.head()) {
        Format::Bzip2
    } else if ZIP_MAGICS.iter().any(|magic| input.starts_with(magic)) {
        Format::Zip
    } else {
        return Ok(None);
    };
    Ok(Some(Candidate::new(format)))
}

/// A tar archive: the magic is in the middle of a header, so its checksum has to be right.
pub(crate) fn probe_tar(input: &Input<'_>) -> Result<Option<Candidate>> {
    let header = input.head_array(0).map(|bytes| TarHeader::decode(&bytes));
    let header = header.filter(|h| h.magic == TarHeader::MAGIC && octal(h.checksum) == Some(h.sum));
    Ok(header.map(|header| {
        let mut found = Candidate::new(Format::Tar);
        found.place = Place::Inside;
        // The OVF specification has the descriptor first.
        if text::utf8(&header.name).to_ascii_lowercase().ends_with(".ovf") {
            found.variant = Some("ova");
        }
        found
    }))
}

fn octal(digits: [u8; 8]) -> Option<u32> {
    let text = str::from_utf8(&digits).ok()?;
    u32::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}

fn is_gzip(head: &[u8]) -> bool {
    let flags = head.strip_prefix(&GZIP_MAGIC).and_then(<[u8]>::first);
    flags.is_some_and(|flags| flags & GZIP_FLAGS_RESERVED == 0)
}

fn is_bzip2(head: &[u8]) -> bool {
    let rest = head.strip_prefix(&BZIP2_MAGIC).and_then(<[u8]>::split_first);
    rest.is_some_and(|(level, rest)| {
        matches!(level, b'1'..=b'9') && (rest.starts_with(&BZIP2_BLOCK) || rest.starts_with(&BZIP2_END))
    })
}

fn is_zstd(input: &Input<'_>) -> Result<bool> {
    let mut at = 0;
    for _ in 0..=SKIPPABLE_MAX {
        let Some(bytes) = input.array(at)? else { break };
        let frame = ZstdFrameStart::decode(&bytes);
        if frame.magic == ZSTD_MAGIC {
            return Ok(true);
        }
        if frame.magic & ZSTD_SKIPPABLE_MASK != ZSTD_SKIPPABLE_MAGIC {
            break;
        }
        at += ZstdFrameStart::SIZE as u64 + u64::from(frame.skippable_size);
    }
    Ok(false)
}
