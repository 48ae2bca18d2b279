//! Reading at a position.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Bytes that can be read at any position, from several threads at once.
pub trait ReadAt: Sync {
    /// What errors call it: the file's path, or a name.
    fn path(&self) -> &Path;

    /// The number of bytes, as it was when the source was opened.
    fn size(&self) -> u64;

    /// Fills `buf` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// [`Error::UnexpectedEnd`] if there are fewer, [`Error::Read`] if the system fails.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()>;
}

/// Reading structures of a fixed size, for everything that is [`ReadAt`].
pub trait ReadAtExt: ReadAt {
    /// Reads `N` bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// As [`read_at`](ReadAt::read_at).
    fn read_array<const N: usize>(&self, offset: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl<T: ReadAt + ?Sized> ReadAtExt for T {}

/// An image in memory: for tests, fuzzing, and programs that have the bytes already.
#[derive(Clone, Debug)]
pub struct MemoryImage {
    name: PathBuf,
    bytes: Vec<u8>,
}

impl MemoryImage {
    /// An image that errors call `name`.
    pub fn new(name: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }
}

impl ReadAt for MemoryImage {
    fn path(&self) -> &Path {
        &self.name
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = || Error::UnexpectedEnd { path: self.name.clone(), offset: self.size() };
        let start = usize::try_from(offset).map_err(|_| end())?;
        let there = self.bytes.get(start..).and_then(|tail| tail.get(..buf.len())).ok_or_else(end)?;
        buf.copy_from_slice(there);
        Ok(())
    }
}
