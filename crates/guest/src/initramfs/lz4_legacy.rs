//! The legacy frames of LZ4 (`lz4 -l`), the only ones that the kernel reads.

use std::io::{self, BufRead, Read};

/// What begins a frame.
const MAGIC: u32 = 0x184c_2102;
/// Bytes that a block expands to at most.
const BLOCK_MAX: usize = 8 << 20;
/// Bytes of a compressed block at most: what does not compress grows by a 255th and a little.
const PACKED_MAX: usize = BLOCK_MAX + BLOCK_MAX / 255 + 16;

/// Expands frames one after the other, up to the end or to what is no block.
pub(super) struct Lz4Legacy<R> {
    from: R,
    /// Room for a block, of which so much is filled.
    block: Vec<u8>,
    filled: usize,
    next: usize,
    ended: bool,
}

impl<R: BufRead> Lz4Legacy<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, block: Vec::new(), filled: 0, next: 0, ended: false }
    }

    /// Expands the next block; `false` if there is none.
    fn fill(&mut self) -> io::Result<bool> {
        // A frame begins with its magic, and may follow another; a size of 0 is padding.
        let size = loop {
            let mut bytes = Vec::new();
            self.from.by_ref().take(4).read_to_end(&mut bytes)?;
            let Some(bytes) = bytes.first_chunk().copied() else {
                // Fewer bytes are padding, or a cut.
                let is_end = bytes.iter().all(|byte| *byte == 0);
                return if is_end { Ok(false) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            };
            match u32::from_le_bytes(bytes) {
                MAGIC => {}
                0 => return Ok(false),
                size => break size,
            }
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > PACKED_MAX {
            return Err(io::Error::other("a block is larger than LZ4 allows"));
        }
        let mut packed = Vec::new();
        let count = self.from.by_ref().take(size as u64).read_to_end(&mut packed)?;
        if count < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.block.resize(BLOCK_MAX, 0);
        self.filled = lz4_flex::block::decompress_into(&packed, &mut self.block)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.next = 0;
        Ok(true)
    }
}

impl<R: BufRead> Read for Lz4Legacy<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !self.ended && self.next >= self.filled {
            self.ended = !self.fill()?;
        }
        let count = self.block.get(self.next..self.filled).unwrap_or_default().read(buf)?;
        self.next += count;
        Ok(count)
    }
}
