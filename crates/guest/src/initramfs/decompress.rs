//! The compressors that the kernel knows.

use std::io::{self, Read};

use crate::initramfs::gzip;
use crate::initramfs::lz4_legacy::Lz4Legacy;
use crate::initramfs::lzop::Lzop;
use crate::initramfs::stream::Cursor;

/// KiB of memory for expanding xz and lzma: `xz -9` needs 65 MiB.
const XZ_MEMORY: u32 = 96 << 10;
/// log2 of the largest window for Zstandard, which is the kernel's limit.
const ZSTD_WINDOW_LOG: u32 = 27;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Lzo,
    Lz4,
    Zstd,
}

/// The first bytes, as in the kernel's lib/decompress.c.
const MAGICS: &[(&[u8], Kind)] = &[
    (b"\x1f\x8b", Kind::Gzip),
    (b"\x1f\x9e", Kind::Gzip),
    (b"BZh", Kind::Bzip2),
    (b"\x5d\x00", Kind::Lzma),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"\x89LZO", Kind::Lzo),
    (b"\x02\x21\x4c\x18", Kind::Lz4),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
];

/// The compressor that bytes begin a stream of.
pub(super) fn kind(head: &[u8]) -> Option<Kind> {
    MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind)
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Lzma => "lzma",
            Self::Xz => "xz",
            Self::Lzo => "lzo",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Expands one stream from here on. What follows it stays in `from`, except for lzma, which may not tell where it ends.
    pub(super) fn open<'a>(self, from: &'a mut Cursor<'_>) -> Box<dyn Read + 'a> {
        match self {
            Self::Gzip => gzip::open(from),
            Self::Bzip2 => Box::new(bzip2::bufread::BzDecoder::new(from)),
            Self::Lzma => match lzma_rust2::LzmaReader::new_mem_limit(from, XZ_MEMORY, None) {
                Ok(reader) => Box::new(reader),
                Err(error) => Box::new(Failed(Some(error))),
            },
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(from, false, XZ_MEMORY)),
            Self::Lzo => Box::new(Lzop::new(from)),
            Self::Lz4 => Box::new(Lz4Legacy::new(from)),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(from).and_then(|mut decoder| {
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    Ok(decoder.single_frame())
                });
                match decoder {
                    Ok(decoder) => Box::new(decoder),
                    Err(error) => Box::new(Failed(Some(error))),
                }
            }
        }
    }
}

/// A stream that could not be opened.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::InvalidData.into()))
    }
}
