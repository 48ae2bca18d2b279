//! Small volumes of `fuzz/volumes` with some of their bytes altered.

use std::path::Path;

use imsprep_source::{Error, ReadAt, Result};

/// Unpacks a volume.
pub fn unpacked(packed: &[u8]) -> Vec<u8> {
    zstd::stream::decode_all(packed).expect("a volume")
}

/// A volume with bytes over it.
pub struct Altered<'a> {
    base: &'a [u8],
    over: Vec<(usize, &'a [u8])>,
}

impl<'a> Altered<'a> {
    /// Lays pieces of the fuzzer's bytes over a volume: offset (u32, modulo its size), length (u8) and as many bytes, again and again.
    pub fn new(base: &'a [u8], mut pieces: &'a [u8]) -> Self {
        let mut over = Vec::new();
        while let Some(([a, b, c, d, length], after)) = pieces.split_first_chunk() {
            let (bytes, after) = after.split_at(usize::from(*length).min(after.len()));
            let at = u32::from_le_bytes([*a, *b, *c, *d]) as usize % base.len();
            over.push((at, &bytes[..bytes.len().min(base.len() - at)]));
            pieces = after;
        }
        Self { base, over }
    }
}

impl ReadAt for Altered<'_> {
    fn path(&self) -> &Path {
        Path::new("fuzzed")
    }

    fn size(&self) -> u64 {
        self.base.len() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = || Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() };
        let start = usize::try_from(offset).map_err(|_| end())?;
        let until = start.checked_add(buf.len()).ok_or_else(end)?;
        buf.copy_from_slice(self.base.get(start..until).ok_or_else(end)?);
        for (at, bytes) in &self.over {
            let (from, to) = (start.max(*at), until.min(at + bytes.len()));
            if from < to {
                buf[from - start..to - start].copy_from_slice(&bytes[from - at..to - at]);
            }
        }
        Ok(())
    }
}
