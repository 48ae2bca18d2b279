//! Zeros of a RAW that become holes.

use imsprep_source::{OutputFile, ScratchFile, is_zero};

use crate::Result;

/// Zeros of at least this many bytes, and at a multiple of it, become a hole.
pub(crate) const HOLE: usize = 64 << 10;

/// A file that is written at any place, and reads as zeros where it is not.
pub(crate) trait WriteAt {
    fn write_at(&self, bytes: &[u8], offset: u64) -> imsprep_source::Result<()>;
}

impl WriteAt for OutputFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> imsprep_source::Result<()> {
        Self::write_at(self, bytes, offset)
    }
}

impl WriteAt for ScratchFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> imsprep_source::Result<()> {
        Self::write_at(self, bytes, offset)
    }
}

/// Writes what is not zero, neighbouring pieces at once. Returns the bytes written.
pub(crate) fn write_data(file: &impl WriteAt, bytes: &[u8], offset: u64) -> Result<u64> {
    let mut written = 0;
    let mut rest = bytes;
    let length = |rest: &[u8], zero: bool| {
        rest.chunks(HOLE).take_while(|piece| is_zero(piece) == zero).map(<[u8]>::len).sum::<usize>()
    };
    loop {
        rest = rest.split_at(length(rest, true)).1;
        if rest.is_empty() {
            return Ok(written);
        }
        let (data, after) = rest.split_at(length(rest, false));
        file.write_at(data, offset + (bytes.len() - rest.len()) as u64)?;
        written += data.len() as u64;
        rest = after;
    }
}
