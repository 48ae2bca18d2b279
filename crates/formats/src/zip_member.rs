//! The data of a member of a ZIP archive.

use std::io::{self, BufRead, Read};

use bzip2::bufread::BzDecoder;
use crc32fast::Hasher;
use flate2::bufread::DeflateDecoder;
use imsprep_ondisk::format::zip::{MemberData, Method};

use crate::packed::zstd_decoder;

/// Expands the data, which is all of `packed`. At its end it must have had the size and the CRC-32 of the archive's directory.
pub(crate) fn member_reader<'a>(
    packed: impl BufRead + Send + 'a,
    data: MemberData,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match data.method {
        Method::Stored => Box::new(Verified::new(Plain(packed), data)),
        Method::Deflate => Box::new(Verified::new(DeflateDecoder::new(packed), data)),
        Method::Bzip2 => Box::new(Verified::new(BzDecoder::new(packed), data)),
        Method::Zstd => Box::new(Verified::new(zstd_decoder(packed)?, data)),
    })
}

/// A decoder that shows what it reads from.
trait Decoder: Read {
    type Packed: BufRead;
    fn packed(&mut self) -> &mut Self::Packed;
}

/// What is not compressed.
struct Plain<R>(R);

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: BufRead> Decoder for Plain<R> {
    type Packed = R;
    fn packed(&mut self) -> &mut R {
        &mut self.0
    }
}

impl<R: BufRead> Decoder for DeflateDecoder<R> {
    type Packed = R;
    fn packed(&mut self) -> &mut R {
        self.get_mut()
    }
}

impl<R: BufRead> Decoder for BzDecoder<R> {
    type Packed = R;
    fn packed(&mut self) -> &mut R {
        self.get_mut()
    }
}

impl<R: BufRead> Decoder for zstd::stream::read::Decoder<'_, R> {
    type Packed = R;
    fn packed(&mut self) -> &mut R {
        self.get_mut()
    }
}

/// A decoder whose output must be what the directory says.
struct Verified<D> {
    decoder: D,
    /// Bytes that are still to come.
    left: u64,
    hash: Hasher,
    expected: MemberData,
}

impl<D: Decoder> Verified<D> {
    fn new(decoder: D, expected: MemberData) -> Self {
        Self { decoder, left: expected.size, hash: Hasher::new(), expected }
    }

    /// Whether what came is what should have come.
    fn check_end(&mut self) -> io::Result<()> {
        let MemberData { size, crc, .. } = self.expected;
        if self.left > 0 {
            let found = size - self.left;
            return Err(invalid(format!("it holds {found} bytes, and the directory says {size}")));
        }
        if !self.decoder.packed().fill_buf()?.is_empty() {
            return Err(invalid("its compressed data ends before the member does".into()));
        }
        let found = self.hash.clone().finalize();
        if found != crc {
            return Err(invalid(format!("its CRC-32 is {found:08x}, and the directory says {crc:08x}")));
        }
        Ok(())
    }
}

impl<D: Decoder> Read for Verified<D> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let length = self.decoder.read(buf)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            invalid(format!("it holds more than the {} bytes that the directory says", self.expected.size))
        })?;
        if length == 0 {
            self.check_end()?;
        }
        self.hash.update(buf.get(..length).unwrap_or_default());
        Ok(length)
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use imsprep_source::{Error, MemoryImage};
    use proptest::prelude::*;

    use crate::{Slice, Unwrapped, Wrapper};

    use super::*;

    fn pack(method: Method, bytes: &[u8]) -> Vec<u8> {
        match method {
            Method::Stored => bytes.to_vec(),
            Method::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Method::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Method::Zstd => zstd::bulk::compress(bytes, 1).unwrap(),
        }
    }

    fn unpack(packed: Vec<u8>, data: MemberData, step: usize) -> imsprep_source::Result<Vec<u8>> {
        let image = MemoryImage::new("a.zip", packed);
        let mut stream = Unwrapped::open(Slice::whole(&image), Wrapper::Member(data))?;
        let mut bytes = Vec::new();
        loop {
            let mut piece = vec![0; step];
            let filled = stream.fill(&mut piece)?;
            bytes.extend(&piece[..filled]);
            if filled < step {
                return Ok(bytes);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_comes_is_what_the_directory_says_or_an_error(
            bytes in prop::collection::vec(0u8..4, 0..30_000), step in 1usize..50_000, more in 1u64..9, cut in 1usize..40, bit in 0usize..8,
        ) {
            for method in [Method::Stored, Method::Deflate, Method::Bzip2, Method::Zstd] {
                let packed = pack(method, &bytes);
                let data = MemberData { method, size: bytes.len() as u64, crc: crc32fast::hash(&bytes) };
                prop_assert!(unpack(packed.clone(), data, step).unwrap() == bytes, "{:?}", method);
                let lies = [
                    MemberData { size: data.size + more, ..data },
                    MemberData { size: data.size.saturating_sub(more), ..data },
                    MemberData { crc: data.crc ^ 1 << bit, ..data },
                ];
                for lie in lies.into_iter().filter(|lie| *lie != data) {
                    let is_damage = matches!(unpack(packed.clone(), lie, step), Err(Error::Damaged { .. }));
                    prop_assert!(is_damage, "{:?}", lie);
                }
                let short = packed[..packed.len().saturating_sub(cut)].to_vec();
                prop_assert!(short == packed || unpack(short, data, step).is_err());
                let long = [&packed[..], b"and what does not belong to it"].concat();
                prop_assert!(unpack(long, data, step).is_err(), "{:?}", method);
            }
        }
    }
}
