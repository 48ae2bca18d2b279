//! Whether a compressed file is complete, as far as that shows without expanding it.

use imsprep_ondisk::format::container::{
    BZIP2_END, BZIP2_MAGIC, LZ4_LEGACY_MAGIC, LZ4_MAGIC, LZ4_NOT_COMPRESSED, Lz4Descriptor, ZSTD_MAGIC,
    ZSTD_SKIPPABLE_MAGIC, ZSTD_SKIPPABLE_MASK, ZstdBlock, ZstdFrameStart, ZstdHeader,
};
use imsprep_source::{Cancel, ReadAt, ReadAtExt, Result};

use crate::Slice;

/// A compressor whose files show their end without being expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    /// Zstandard: each block is preceded by its length.
    Zstd,
    /// LZ4: the same.
    Lz4,
    /// bzip2: the last block is followed by a mark.
    Bzip2,
}

/// What the end of a compressed file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// All of the compressed data is there; bytes of the content, where the file has them.
    Complete(Option<u64>),
    /// The file ends before its compressed data does: where it lacks bytes, in words.
    Cut(String),
    /// The end was not found within the limits, or something unknown is in the file.
    Unknown,
}

/// Blocks that are looked at: 64 GiB of content in blocks of the usual size.
const BLOCKS_MAX: u32 = 1 << 19;
/// Bytes at the end of a bzip2 file in which the mark is looked for.
const BZIP2_TAIL: u64 = 8192;
/// Bits of the mark, and of the checksum behind it.
const BZIP2_END_BITS: usize = 48;
const BZIP2_CHECKSUM_BITS: usize = 32;

/// Whether the file ends where its compressed data does. Reads the headers of all blocks, a bounded number, and nothing else.
///
/// # Errors
///
/// If the file can't be read, or at a stop.
pub fn stream_end(file: &Slice<'_>, format: Framed, cancel: &Cancel) -> Result<StreamEnd> {
    match format {
        Framed::Bzip2 => bzip2(file),
        Framed::Zstd | Framed::Lz4 => Frames { file, at: 0, blocks: 0 }.walk(cancel),
    }
}

/// Frames one after the other.
struct Frames<'a> {
    file: &'a Slice<'a>,
    at: u64,
    blocks: u32,
}

/// Why a walk over the blocks ends before the last one.
enum Stop {
    Cut(&'static str),
    Unknown,
}

type Walked<T> = Result<std::result::Result<T, Stop>>;

/// Returns early with what stops the walk.
macro_rules! go {
    ($walked:expr) => {
        match $walked? {
            Ok(value) => value,
            Err(stop) => return Ok(Err(stop)),
        }
    };
}

impl Frames<'_> {
    fn walk(mut self, cancel: &Cancel) -> Result<StreamEnd> {
        let mut sum = Some(0_u64);
        while self.at < self.file.size() {
            let begin = self.at;
            match self.frame(cancel)? {
                Ok(content) => sum = sum.zip(content).and_then(|(sum, content)| sum.checked_add(content)),
                Err(Stop::Cut(what)) => {
                    let size = self.file.size();
                    return Ok(StreamEnd::Cut(format!(
                        "{what} of the frame at offset {begin}, which the file of {size} bytes lacks in part"
                    )));
                }
                Err(Stop::Unknown) => return Ok(StreamEnd::Unknown),
            }
        }
        Ok(StreamEnd::Complete(sum))
    }

    /// Goes behind the next frame; returns the bytes of its content.
    fn frame(&mut self, cancel: &Cancel) -> Walked<Option<u64>> {
        let begin = self.up_to(self.at, 4)?;
        if begin.len() < 4 {
            // Or something that follows.
            let is_cut = [ZSTD_MAGIC.to_le_bytes(), LZ4_MAGIC].iter().any(|magic| magic.starts_with(&begin));
            return Ok(Err(if is_cut { Stop::Cut("the first bytes") } else { Stop::Unknown }));
        }
        let magic: [u8; 4] = go!(self.take("the first bytes"));
        let number = u32::from_le_bytes(magic);
        if number & ZSTD_SKIPPABLE_MASK == ZSTD_SKIPPABLE_MAGIC {
            let size: [u8; ZstdFrameStart::SIZE - 4] = go!(self.take("the header"));
            go!(self.pass(u32::from_le_bytes(size).into(), "the content"));
            return Ok(Ok(Some(0)));
        }
        if number == ZSTD_MAGIC {
            return self.zstd(cancel);
        }
        match magic {
            LZ4_MAGIC => self.lz4(cancel),
            LZ4_LEGACY_MAGIC => self.lz4_legacy(cancel),
            _ => Ok(Err(Stop::Unknown)),
        }
    }

    fn zstd(&mut self, cancel: &Cancel) -> Walked<Option<u64>> {
        const HEADER: &str = "the header";
        let begin = self.at - 4;
        let Some(header) = ZstdHeader::decode(&self.up_to(begin, ZstdHeader::SIZE_MAX)?) else {
            return Ok(Err(Stop::Cut(HEADER)));
        };
        self.at = begin;
        go!(self.pass(header.size, HEADER));
        loop {
            go!(self.count(cancel));
            let block = ZstdBlock::decode(go!(self.take("a block's header")));
            let Some(size) = block.size else { return Ok(Err(Stop::Unknown)) };
            go!(self.pass(size, "a block"));
            if block.is_last {
                break;
            }
        }
        go!(self.pass(if header.has_checksum { 4 } else { 0 }, "the checksum"));
        Ok(Ok(header.content))
    }

    fn lz4(&mut self, cancel: &Cancel) -> Walked<Option<u64>> {
        const HEADER: &str = "the header";
        let bytes = self.up_to(self.at, Lz4Descriptor::SIZE_MAX)?;
        let Some(header) = Lz4Descriptor::decode(&bytes) else {
            let is_all = bytes.len() == Lz4Descriptor::SIZE_MAX;
            return Ok(Err(if is_all { Stop::Unknown } else { Stop::Cut(HEADER) }));
        };
        go!(self.pass(header.size, HEADER));
        loop {
            go!(self.count(cancel));
            let size = u32::from_le_bytes(go!(self.take("a block's length"))) & !LZ4_NOT_COMPRESSED;
            if size == 0 {
                break;
            }
            go!(self.pass(u64::from(size) + header.block_checksum, "a block"));
        }
        go!(self.pass(header.content_checksum, "the checksum"));
        Ok(Ok(header.content))
    }

    /// Has no end mark: ends with the file, or where another frame begins.
    fn lz4_legacy(&mut self, cancel: &Cancel) -> Walked<Option<u64>> {
        while self.at < self.file.size() {
            go!(self.count(cancel));
            let size: [u8; 4] = go!(self.take("a block's length"));
            let number = u32::from_le_bytes(size);
            let is_frame = size == LZ4_MAGIC || number & ZSTD_SKIPPABLE_MASK == ZSTD_SKIPPABLE_MAGIC;
            if is_frame || size == LZ4_LEGACY_MAGIC {
                self.at -= 4;
                break;
            }
            go!(self.pass(number.into(), "a block"));
        }
        Ok(Ok(None))
    }

    fn count(&mut self, cancel: &Cancel) -> Walked<()> {
        self.blocks += 1;
        if self.blocks.is_multiple_of(1024) {
            cancel.check()?;
        }
        Ok(if self.blocks > BLOCKS_MAX { Err(Stop::Unknown) } else { Ok(()) })
    }

    /// As many bytes as there are from `at` on, at most `most`.
    fn up_to(&self, at: u64, most: usize) -> Result<Vec<u8>> {
        let left = usize::try_from(self.file.size().saturating_sub(at)).unwrap_or(most);
        let mut bytes = vec![0; left.min(most)];
        self.file.read_at(&mut bytes, at)?;
        Ok(bytes)
    }

    fn take<const N: usize>(&mut self, what: &'static str) -> Walked<[u8; N]> {
        let at = self.at;
        go!(self.pass(N as u64, what));
        Ok(Ok(self.file.read_array(at)?))
    }

    fn pass(&mut self, length: u64, what: &'static str) -> Walked<()> {
        match self.at.checked_add(length).filter(|end| *end <= self.file.size()) {
            Some(end) => {
                self.at = end;
                Ok(Ok(()))
            }
            None => Ok(Err(Stop::Cut(what))),
        }
    }
}

/// The mark stands at any bit; a checksum and less than a byte of zeros follow. Other streams or padding may come next.
fn bzip2(file: &Slice<'_>) -> Result<StreamEnd> {
    let start = file.size().saturating_sub(BZIP2_TAIL);
    let mut tail = vec![0; usize::try_from(file.size() - start).unwrap_or(0)];
    file.read_at(&mut tail, start)?;
    let mark = BZIP2_END.iter().fold(0_u64, |mark, byte| mark << 8 | u64::from(*byte));
    let mask = (1 << BZIP2_END_BITS) - 1;
    let (mut window, mut bits, mut last) = (0_u64, 0_usize, None);
    for byte in &tail {
        for shift in (0..8).rev() {
            window = (window << 1 | u64::from(byte >> shift & 1)) & mask;
            bits += 1;
            if bits >= BZIP2_END_BITS && window == mark {
                last = Some(bits);
            }
        }
    }
    let cut = |what: &str| Ok(StreamEnd::Cut(format!("{what}, which the file lacks")));
    let rest = last.map(|end| tail.get((end + BZIP2_CHECKSUM_BITS).div_ceil(8)..));
    match rest {
        Some(Some(rest)) if rest.iter().all(|byte| *byte == 0) => Ok(StreamEnd::Complete(None)),
        Some(Some(rest)) if !rest.starts_with(&BZIP2_MAGIC) => Ok(StreamEnd::Unknown),
        Some(None) => cut("the checksum at the end of the bzip2 data"),
        // A mark before much padding is not seen.
        None if tail.iter().rev().take(64).all(|byte| *byte == 0) => Ok(StreamEnd::Unknown),
        _ => cut("the mark at the end of the bzip2 data"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use imsprep_source::MemoryImage;

    use super::*;

    fn end(bytes: &[u8], format: Framed) -> StreamEnd {
        let image = MemoryImage::new("disk.raw.x", bytes.to_vec());
        stream_end(&Slice::whole(&image), format, &Cancel::new()).unwrap()
    }

    fn zstd(bytes: &[u8], checksum: bool, size: bool) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(checksum).unwrap();
        encoder.set_pledged_src_size(size.then_some(bytes.len() as u64)).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_zstd_file_ends_where_its_last_block_does_and_not_before() {
        let bytes =
            (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>();
        let skippable = [&0x184d_2a5f_u32.to_le_bytes()[..], &5_u32.to_le_bytes(), b"other"].concat();
        for (frames, content) in [
            (vec![zstd(&bytes, true, true)], Some(800_000)),
            (vec![zstd(&bytes, false, false)], None),
            (vec![zstd(&bytes, false, true), skippable, zstd(&[0; 100_000], true, true)], Some(900_000)),
        ] {
            let last = frames.last().unwrap().len();
            let file = frames.concat();
            assert_eq!(end(&file, Framed::Zstd), StreamEnd::Complete(content));
            for length in (file.len() - last + 1..file.len()).rev().step_by(997).chain([file.len() - 1]) {
                let cut = end(&file[..length], Framed::Zstd);
                assert!(matches!(cut, StreamEnd::Cut(_)), "{length} of {}: {cut:?}", file.len());
            }
            assert_eq!(end(&[&file[..], b"others"].concat(), Framed::Zstd), StreamEnd::Unknown);
        }
    }

    /// Frames of stored blocks, by the LZ4 frame format's description.
    #[test]
    fn an_lz4_file_ends_with_its_mark() {
        let block = |bytes: &[u8], sum: &[u8]| {
            [&(u32::try_from(bytes.len()).unwrap() | LZ4_NOT_COMPRESSED).to_le_bytes()[..], bytes, sum]
                .concat()
        };
        let frame = [
            &LZ4_MAGIC[..],
            &[0x5c, 0x40],
            &300_u64.to_le_bytes(),
            &[0],
            &block(&[7; 200], b"sum1"),
            &block(&[8; 100], b"sum2"),
            &[0; 4],
            b"sumx",
        ]
        .concat();
        assert_eq!(end(&frame, Framed::Lz4), StreamEnd::Complete(Some(300)));
        assert_eq!(end(&[&frame[..], &frame].concat(), Framed::Lz4), StreamEnd::Complete(Some(600)));
        for length in 4..frame.len() {
            assert!(matches!(end(&frame[..length], Framed::Lz4), StreamEnd::Cut(_)), "{length}");
        }
        let legacy = [&LZ4_LEGACY_MAGIC[..], &9_u32.to_le_bytes(), b"some data"].concat();
        assert_eq!(end(&[&legacy[..], &legacy].concat(), Framed::Lz4), StreamEnd::Complete(None));
        for length in 9..legacy.len() {
            assert!(matches!(end(&legacy[..length], Framed::Lz4), StreamEnd::Cut(_)), "{length}");
        }
    }

    #[test]
    fn altered_frames_end_the_walk() {
        let file = [zstd(&[5; 1000], true, true), zstd(b"some more", true, false)].concat();
        for at in 0..file.len() {
            for value in [0, 0xff, file[at] ^ 0x10] {
                let mut altered = file.clone();
                altered[at] = value;
                end(&altered, Framed::Zstd);
                end(&altered, Framed::Lz4);
            }
        }
    }
}
