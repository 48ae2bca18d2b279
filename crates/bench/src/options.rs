//! What to measure.

use std::path::PathBuf;

use crate::{CacheState, Case, FileTask};

/// Records of the container that is checked without its content.
pub(crate) const QUICK_RECORDS: u64 = 300_000;

/// Bytes of the image of the row in which learning is measured; nothing reads it.
const LEARN_SIZE: u64 = 2 << 20;

/// What to measure, and how often.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The `imsprep` program to measure.
    pub program: PathBuf,
    /// RAW images to measure on, besides those that are made.
    pub files: Vec<PathBuf>,
    /// What is measured on these, in this order.
    pub files_for: Vec<FileTask>,
    /// Images to make.
    pub cases: Vec<Case>,
    /// Bytes of the images that are made. Sparse ones are larger: see [`image_size`](Self::image_size).
    pub size: u64,
    /// Where to make them, and where rivals that copy put their copies.
    pub folder: PathBuf,
    /// The states of the cache to measure in.
    pub caches: Vec<CacheState>,
    /// Samples of each program in each row.
    pub rounds: usize,
    /// Threads of our own modes; `None` is one for each core.
    pub threads: Option<usize>,
    /// Whether to measure the rivals too.
    pub rivals: Rivals,
}

/// Whether to measure the rivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rivals {
    /// Those that are on this machine.
    Present,
    /// None: only our own modes.
    None,
}

impl BenchOptions {
    /// Bytes of the image that is made for a case: [`size`](Self::size); 12.5 times as much where most of it is holes (100 GiB
    /// for 8 GiB), in whole blocks of 2 MiB; and 1 TiB for [`Case::Empty`]. For ZVHD2 and other formats, bytes of the disk: at most 1 GiB, so that all stays in memory; 300 000
    /// blocks for [`Case::Quick`]; one block for [`Case::Learn`].
    pub fn image_size(&self, case: Case) -> u64 {
        match case {
            Case::Empty => 1 << 40,
            Case::Learn => LEARN_SIZE,
            Case::Convert | Case::Check => self.size.min(1 << 30),
            _ if case.is_foreign() || case.is_wrapped() => self.size.min(1 << 30),
            Case::Quick => QUICK_RECORDS * (2 << 20),
            _ if case.is_sparse() => (self.size / 2).saturating_mul(25).next_multiple_of(2 << 20),
            _ => self.size,
        }
    }
}
