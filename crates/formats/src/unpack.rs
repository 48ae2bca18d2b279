//! Expanding one compressed cluster or grain.

use flate2::{Decompress, FlushDecompress, Status};
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
    Inflate { tool: Decompress, header: bool },
    Zstd(DCtx<'static>),
}

impl Unpacker {
    /// `None` if there is no memory for it.
    pub(crate) fn new(method: Method) -> Option<Self> {
        Some(match method {
            Method::Deflate => Self::Inflate { tool: Decompress::new(false), header: false },
            Method::Zlib => Self::Inflate { tool: Decompress::new(true), header: true },
            Method::Zstd => Self::Zstd(DCtx::try_create()?),
        })
    }

    /// Expands into `out` until it is full or the data ends, and returns how much of it was filled. What follows in
    /// `packed` is not looked at: the formats tell lengths in whole sectors.
    pub(crate) fn expand(&mut self, packed: &[u8], out: &mut [u8]) -> Result<usize, String> {
        match self {
            Self::Inflate { tool, header } => {
                tool.reset(*header);
                let status = tool.decompress(packed, out, FlushDecompress::Finish);
                let filled = usize::try_from(tool.total_out()).unwrap_or(out.len());
                match status {
                    Ok(Status::StreamEnd) => Ok(filled),
                    Ok(_) if filled == out.len() => Ok(filled),
                    Ok(_) => Err(format!("the compressed data ends after {filled} bytes")),
                    Err(error) => Err(error.to_string()),
                }
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
    }
}
