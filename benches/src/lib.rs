//! The images that the benches measure on, made at run time and gone afterwards.
//!
//! Whole programs against their rivals are measured by `imsprep bench`; these benches are for who changes an engine.

mod container;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

pub use container::{container, zlib_payload, zstd_payload};
use imsprep_source::ImageFile;
pub use imsprep_testdata::noise;
use tempfile::TempDir;

/// Bytes of a block.
pub const BLOCK: usize = 2 << 20;

/// An image in a folder of its own, on the disk that the sources are on.
pub struct Image {
    file: ImageFile,
    _folder: TempDir,
}

impl Image {
    /// An image of `size` bytes, of which each piece `(offset, bytes)` is written and the rest is a hole.
    ///
    /// # Panics
    ///
    /// If it can't be made: there is nothing to measure then.
    pub fn with<'a>(size: u64, pieces: impl IntoIterator<Item = (u64, &'a [u8])>) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a temporary folder");
        let path = folder.path().join("image.raw");
        let mut file = File::create(&path).expect("create the image");
        file.set_len(size).expect("set its length");
        for (offset, bytes) in pieces {
            file.seek(SeekFrom::Start(offset))
                .and_then(|_| file.write_all(bytes))
                .expect("write to the image");
        }
        Self { file: ImageFile::open(path).expect("open the image"), _folder: folder }
    }

    /// Blocks one after the other; `true` is data, `false` zeros that the file system keeps.
    pub fn of_blocks(blocks: &[bool]) -> Self {
        let (zeros, data) = (vec![0; BLOCK], noise(1, BLOCK));
        let at = |block: usize| (block * BLOCK) as u64;
        let pieces = blocks.iter().enumerate();
        let pieces =
            pieces.map(|(block, is_data)| (at(block), if *is_data { data.as_slice() } else { &zeros }));
        Self::with(at(blocks.len()), pieces)
    }

    /// The open image.
    pub fn file(&self) -> &ImageFile {
        &self.file
    }
}

/// A block as of a disk with files: every second page text, the others noise.
pub fn mixed_block() -> Vec<u8> {
    let mut block = noise(1, BLOCK);
    for page in block.chunks_mut(8192) {
        let text = b"The quick brown fox jumps over the lazy dog; 0123456789.\n".iter().cycle();
        page.iter_mut().take(4096).zip(text).for_each(|(byte, letter)| *byte = *letter);
    }
    block
}
