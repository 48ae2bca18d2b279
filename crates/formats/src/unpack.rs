//! Expanding one compressed cluster or grain.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, get_error_name};

/// How the clusters of a file are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Deflate without a header: qcow2.
    Deflate,
    /// zlib streams: VMDK.
    Zlib,
    /// One Zstandard frame each: qcow2.
    Zstd,
}

/// Holds a decompressor's memory; for one thread, and one method.
pub(crate) enum Unpacker {
    Inflate { fast: Box<Decompressor>, tool: Decompress, header: bool },
    Zstd(DCtx<'static>),
}

impl Unpacker {
    /// `None` if there is no memory for it.
    pub(crate) fn new(method: Method) -> Option<Self> {
        Some(match method {
            Method::Deflate => Self::inflate(false),
            Method::Zlib => Self::inflate(true),
            Method::Zstd => Self::Zstd(DCtx::try_create()?),
        })
    }

    fn inflate(header: bool) -> Self {
        Self::Inflate { fast: Box::new(Decompressor::new()), tool: Decompress::new(header), header }
    }

    /// Expands into `out` until it is full or the data ends, and returns how much of it was filled. What follows in
    /// `packed` is not looked at: the formats tell lengths in whole sectors.
    pub(crate) fn expand(&mut self, packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
        match self {
            Self::Inflate { fast, tool, header } => {
                let filled = match header {
                    true => fast.zlib_decompress(packed, out),
                    false => fast.deflate_decompress(packed, out),
                };
                // What is not complete, or holds more than a cluster, is for the slower one to judge.
                filled.or_else(|_| inflate(tool, *header, packed, out))
            }
            Self::Zstd(tool) => {
                // A context that failed before has to begin again.
                let _ = tool.reset(zstd::zstd_safe::ResetDirective::SessionOnly);
                let length = out.len();
                let mut input = InBuffer::around(packed);
                let mut output = OutBuffer::around(out);
                loop {
                    let before = (input.pos(), output.pos());
                    let left = tool.decompress_stream(&mut output, &mut input);
                    match left.map_err(|code| get_error_name(code).to_owned())? {
                        0 => return Ok(output.pos()),
                        _ if output.pos() == length => return Ok(length),
                        _ if before == (input.pos(), output.pos()) => {
                            return Err(format!("the compressed data ends after {} bytes", output.pos()));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// By zlib-rs, which also expands data that has no final block.
fn inflate(tool: &mut Decompress, header: bool, packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
    tool.reset(header);
    let status = tool.decompress(packed, out, FlushDecompress::Finish);
    let filled = usize::try_from(tool.total_out()).unwrap_or(out.len());
    match status {
        Ok(Status::StreamEnd) => Ok(filled),
        Ok(_) if filled == out.len() => Ok(filled),
        Ok(_) => Err(format!("the compressed data ends after {filled} bytes")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn pack(method: Method, bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match method {
            Method::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Method::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Method::Zstd => zstd::bulk::compress(bytes, 3).unwrap(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_was_packed_comes_out_whatever_follows_it(
            bytes in prop::collection::vec(0u8..4, 1..20_000), tail in prop::collection::vec(any::<u8>(), 0..600),
            junk in prop::collection::vec(any::<u8>(), 0..600)
        ) {
            for method in [Method::Deflate, Method::Zlib, Method::Zstd] {
                let mut unpacker = Unpacker::new(method).unwrap();
                // What fails in between leaves nothing behind.
                let _ = unpacker.expand(&junk, &mut vec![0; 4096]);
                let packed = [pack(method, &bytes), tail.clone()].concat();
                let mut out = vec![9; bytes.len()];
                prop_assert_eq!(unpacker.expand(&packed, &mut out), Ok(bytes.len()), "{:?}", method);
                prop_assert!(out == bytes);
                let cut = unpacker.expand(&packed[..pack(method, &bytes).len() / 2], &mut out);
                prop_assert!(cut.is_err() || cut.is_ok_and(|filled| filled < bytes.len() || bytes.len() < 64));
                let mut longer = vec![9; bytes.len() + 50];
                prop_assert_eq!(unpacker.expand(&packed, &mut longer), Ok(bytes.len()));
            }
        }

        #[test]
        fn libdeflate_and_zlib_agree_on_every_cluster(
            bytes in prop::collection::vec(0u8..4, 1..9000), length in 1usize..12_000, cut in 0usize..1200, altered in 0usize..1500,
            bits in 1u8.., is_flushed in any::<bool>(), header in any::<bool>()
        ) {
            let mut packed = Vec::with_capacity(20_000);
            let mut encoder = flate2::Compress::new(flate2::Compression::default(), header);
            let end = if is_flushed { flate2::FlushCompress::Sync } else { flate2::FlushCompress::Finish };
            encoder.compress_vec(&bytes, &mut packed, end).unwrap();
            packed.truncate(packed.len() * cut / 1000 + 1);
            let place = packed.len() * altered / 1000;
            if let Some(byte) = packed.get_mut(place) {
                *byte ^= bits;
            }
            let mut unpacker = Unpacker::inflate(header);
            let (mut out, mut expected) = (vec![7; length], vec![7; length]);
            let filled = unpacker.expand(&packed, &mut out);
            let naive = inflate(&mut Decompress::new(header), header, &packed, &mut expected);
            prop_assert_eq!(&filled, &naive);
            if let Ok(filled) = filled {
                prop_assert!(out[..filled] == expected[..filled]);
            }
        }
    }
}
