//! Files of lzop: LZO1X in blocks.
//!
//! Source: the kernel's lib/decompress_unlzo.c.

use std::io::{self, BufRead, Read};

/// Bytes of a block at most; lzop makes 256 KiB.
const BLOCK_MAX: usize = 8 << 20;
/// The version of lzop whose headers have more fields.
const VERSION_LEVEL: u16 = 0x0940;
/// Flags: checksums of expanded and of packed blocks (Adler-32 and CRC-32 each), extra field, filter.
const ADLER_EXPANDED: u32 = 1;
const ADLER_PACKED: u32 = 2;
const EXTRA: u32 = 0x40;
const CRC_EXPANDED: u32 = 0x100;
const CRC_PACKED: u32 = 0x200;
const FILTER: u32 = 0x800;

/// Expands a file.
pub(super) struct Lzop<R> {
    from: R,
    flags: Option<u32>,
    block: Vec<u8>,
    next: usize,
    ended: bool,
}

impl<R: BufRead> Lzop<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, flags: None, block: Vec::new(), next: 0, ended: false }
    }

    fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.from.by_ref().take(count), &mut io::sink())?;
        if passed < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads the header and returns the flags.
    fn header(&mut self) -> io::Result<u32> {
        // The magic and the version of the library.
        let _: [u8; 9] = self.array()?;
        let version = u16::from_be_bytes(self.array()?);
        let _: [u8; 2] = self.array()?;
        let is_new = version >= VERSION_LEVEL;
        if is_new {
            let _: [u8; 2] = self.array()?;
        }
        let [_method] = self.array()?;
        if is_new {
            let [_level] = self.array()?;
        }
        let flags = self.number()?;
        if flags & FILTER != 0 {
            return Err(io::Error::other("it uses a filter"));
        }
        // Mode and time.
        self.pass(if is_new { 12 } else { 8 })?;
        let [name] = self.array()?;
        self.pass(u64::from(name) + 4)?;
        if flags & EXTRA != 0 {
            let length = self.number()?;
            self.pass(u64::from(length) + 4)?;
        }
        Ok(flags)
    }

    /// Expands the next block; `false` if there is none.
    fn fill(&mut self) -> io::Result<bool> {
        let flags = match self.flags {
            Some(flags) => flags,
            None => {
                let flags = self.header()?;
                *self.flags.insert(flags)
            }
        };
        let expanded = self.number()?;
        if expanded == 0 {
            return Ok(false);
        }
        let packed = self.number()?;
        let checksums = |flag: u32| if flags & flag != 0 { 4 } else { 0 };
        self.pass(checksums(ADLER_EXPANDED) + checksums(CRC_EXPANDED))?;
        let (expanded, packed) =
            (usize::try_from(expanded).unwrap_or(usize::MAX), usize::try_from(packed).unwrap_or(usize::MAX));
        if expanded > BLOCK_MAX || packed > expanded {
            return Err(io::Error::other("a block is larger than lzop allows"));
        }
        if packed < expanded {
            self.pass(checksums(ADLER_PACKED) + checksums(CRC_PACKED))?;
        }
        let mut bytes = Vec::new();
        if self.from.by_ref().take(packed as u64).read_to_end(&mut bytes)? < packed {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.next = 0;
        if packed == expanded {
            self.block = bytes;
            return Ok(true);
        }
        self.block.resize(expanded, 0);
        let length = lzokay::decompress::decompress(&bytes, &mut self.block)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("LZO: {error:?}")))?;
        self.block.truncate(length);
        Ok(true)
    }
}

impl<R: BufRead> Read for Lzop<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !self.ended && self.next >= self.block.len() {
            self.ended = !self.fill()?;
        }
        let count = self.block.get(self.next..).unwrap_or_default().read(buf)?;
        self.next += count;
        Ok(count)
    }
}
