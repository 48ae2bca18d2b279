//! Parts of an image, and what is found in them.

use imsprep_source::Extent;

/// What one read of a buffer brings in.
pub(crate) const BUFFER: u64 = 2 << 20;
/// From this size on, probing a block before reading it saves more than it costs.
pub(crate) const PROBED_FROM: u64 = 128 << 10;

/// A part of the image for one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its first byte.
    pub(crate) start: u64,
    /// The byte after its last.
    pub(crate) end: u64,
    /// Whether it is a piece of the stream: everything in it is going to be read, and the workers read pieces next to one
    /// another at a time, so that the disk sees one sequential read. Otherwise a batch, whose blocks are probed first.
    pub(crate) is_streamed: bool,
    /// What was found when it was claimed: the first data at or after the offset.
    pub(crate) data: (u64, Extent),
}

/// What a worker found in parts of the image.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Blocks that hold data: the first of a run, and how many.
    pub(crate) runs: Vec<(u64, u64)>,
    /// Blocks of which one page showed that they hold data, or would have if it had been read alone.
    pub(crate) settled: u32,
    /// Blocks that had to be read whole.
    pub(crate) read_whole: u32,
}

impl Found {
    /// Notes a block that holds data.
    pub(crate) fn data(&mut self, block: u64) {
        match self.runs.last_mut() {
            Some((first, count)) if *first + *count == block => *count += 1,
            Some((first, count)) if (*first..*first + *count).contains(&block) => {}
            _ => self.runs.push((block, 1)),
        }
    }
}
