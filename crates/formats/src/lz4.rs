//! LZ4 frames one after the other.
//!
//! lz4_flex reads one frame, and takes the end of the file for the end of a frame: whether all of it is there is watched here.

use std::io::{self, BufRead, Read};

use imsprep_ondisk::format::container::{LZ4_MAGIC, ZSTD_SKIPPABLE_MAGIC, ZSTD_SKIPPABLE_MASK};
use lz4_flex::frame::FrameDecoder;

/// The content of all frames; skippable frames are passed over.
pub(crate) struct Lz4Frames<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    /// Much larger than the others.
    Within(Box<FrameDecoder<Watched<R>>>),
    Over,
}

impl<R: BufRead> Lz4Frames<R> {
    pub(crate) fn new(packed: R) -> Self {
        Self { state: State::Between(packed) }
    }
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !buf.is_empty() {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(packed) => self.state = begin(packed)?,
                State::Within(mut decoder) => {
                    let length = decoder.read(buf)?;
                    if length > 0 {
                        self.state = State::Within(decoder);
                        return Ok(length);
                    }
                    let Watched { packed, is_at_end, .. } = decoder.into_inner();
                    if is_at_end {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.state = State::Between(packed);
                }
            }
        }
        Ok(0)
    }
}

/// Begins the next frame, if there is one.
fn begin<R: BufRead>(mut packed: R) -> io::Result<State<R>> {
    if packed.fill_buf()?.is_empty() {
        return Ok(State::Over);
    }
    let mut magic = [0; 4];
    packed.read_exact(&mut magic)?;
    if magic == LZ4_MAGIC {
        let watched = Watched { magic, given: 0, packed, is_at_end: false };
        return Ok(State::Within(Box::new(FrameDecoder::new(watched))));
    }
    if u32::from_le_bytes(magic) & ZSTD_SKIPPABLE_MASK != ZSTD_SKIPPABLE_MAGIC {
        let what = "what follows a frame is no frame";
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let mut size = [0; 4];
    packed.read_exact(&mut size)?;
    let size = u64::from(u32::from_le_bytes(size));
    if io::copy(&mut packed.by_ref().take(size), &mut io::sink())? < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(State::Between(packed))
}

/// A frame of which the magic was read already; and whether more was wanted than there is.
struct Watched<R> {
    magic: [u8; 4],
    /// Bytes of the magic that were given.
    given: usize,
    packed: R,
    is_at_end: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.magic.get(self.given..).unwrap_or_default();
        let length = left.len().min(buf.len());
        if length > 0 {
            let to = buf.get_mut(..length).unwrap_or_default();
            to.copy_from_slice(left.get(..length).unwrap_or_default());
            self.given += length;
            return Ok(length);
        }
        let length = self.packed.read(buf)?;
        self.is_at_end |= length == 0 && !buf.is_empty();
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use proptest::prelude::*;

    use super::*;

    fn frame(bytes: &[u8], linked: bool, checksums: bool, size: bool) -> Vec<u8> {
        let info = FrameInfo::new()
            .block_mode(if linked { BlockMode::Linked } else { BlockMode::Independent })
            .block_size(BlockSize::Max64KB)
            .block_checksums(checksums)
            .content_checksum(checksums)
            .content_size(size.then_some(bytes.len() as u64));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn expand(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Lz4Frames::new(packed).read_to_end(&mut bytes).map(|_| bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn all_frames_are_given_and_every_cut_is_found(
            parts in prop::collection::vec((prop::collection::vec(0u8..5, 0..150_000), any::<[bool; 4]>()), 1..4), cut in 0usize..1000
        ) {
            let mut packed = Vec::new();
            let mut ends = vec![0];
            for (bytes, [linked, checksums, size, is_skippable]) in &parts {
                if *is_skippable {
                    packed.extend(b"\x5a\x2a\x4d\x18\x05\0\0\0other");
                    ends.push(packed.len());
                }
                packed.extend(frame(bytes, *linked, *checksums, *size));
                ends.push(packed.len());
            }
            let content = parts.iter().flat_map(|(bytes, _)| bytes.clone()).collect::<Vec<_>>();
            prop_assert!(expand(&packed).unwrap() == content);
            let place = packed.len() * cut / 1000;
            // The last bytes of a frame are its end mark and its checksum.
            for length in [place, packed.len() - 1, packed.len() - 4, packed.len() - 5] {
                prop_assert_eq!(expand(&packed[..length]).is_ok(), ends.contains(&length), "{}", length);
            }
            for other in [&[0][..], &[0; 4], b"other", b"\x02\x21\x4c\x18legacy"] {
                prop_assert!(expand(&[&packed[..], other].concat()).is_err());
            }
        }
    }

    #[test]
    fn a_frame_that_lies_about_its_content_is_refused() {
        let mut packed = frame(&[7; 3000], false, false, true);
        // The checksum of the header is right: the size is that of another one.
        let longer = frame(&[7; 3001], false, false, true);
        packed[..15].copy_from_slice(&longer[..15]);
        assert!(expand(&packed).is_err());
    }
}
