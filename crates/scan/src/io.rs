//! How the bytes of whole blocks are brought in, and why so.

use std::fmt;

use imsprep_source::{FileKind, ImageFile};

use crate::part::BUFFER;

/// How the bytes of whole blocks are brought in. What the scan finds is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IoMode {
    /// Chosen by what the file is and whether it is in memory already.
    #[default]
    Auto,
    /// Maps windows of the file: no copying. Needs the bus error guard, without which it reads.
    Map,
    /// Reads into buffers, several requests at a time.
    Read,
    /// Reads past the page cache, several requests at a time.
    Direct,
}

impl fmt::Display for IoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Map => "map",
            Self::Read => "read",
            Self::Direct => "direct",
        })
    }
}

/// The mode of a scan, and why it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IoChoice {
    /// The mode; never [`IoMode::Auto`].
    pub mode: IoMode,
    /// Why, in words.
    pub reason: String,
}

/// From this share of its data in memory on, a file is mapped: mapping is about twice as fast as reading what is in
/// memory, and no faster than reading what is not.
const WARM: f64 = 0.5;

/// Requests in flight while a disk is waited for. It may exceed the number of cores, since waiting takes none.
const IN_FLIGHT: usize = 8;

/// Decides on the mode for this image.
pub(crate) fn choose(image: &ImageFile, asked: IoMode) -> IoChoice {
    let choice = |mode, reason: &str| IoChoice { mode, reason: reason.into() };
    match asked {
        IoMode::Map | IoMode::Read | IoMode::Direct => choice(asked, "as requested"),
        IoMode::Auto if image.kind() == FileKind::BlockDevice => {
            choice(IoMode::Read, "a block device, which may fail under a map")
        }
        IoMode::Auto => match (image.remote_file_system(), image.resident_share()) {
            (Some(name), _) => choice(IoMode::Read, &format!("on {name}, where a map may fail or wait")),
            (None, Some(share)) if share >= WARM => {
                choice(IoMode::Map, &format!("{:.0} % of its data is in memory", share * 100.0))
            }
            (None, Some(share)) => {
                choice(IoMode::Read, &format!("only {:.0} % of its data is in memory", share * 100.0))
            }
            (None, None) if has_no_data(image) => choice(IoMode::Map, "it has no data"),
            (None, None) => choice(IoMode::Read, "the system does not report which pages are in memory"),
        },
    }
}

/// Whether the file is one hole, or empty. A failure shows when it is scanned.
fn has_no_data(image: &ImageFile) -> bool {
    matches!(image.extents().data_from(0), Ok(None))
}

impl IoChoice {
    /// How many workers serve this mode best, where the pool has `threads`.
    pub(crate) fn workers(&self, threads: usize) -> usize {
        match self.mode {
            IoMode::Map | IoMode::Auto => threads,
            IoMode::Read | IoMode::Direct => threads.max(IN_FLIGHT),
        }
    }

    /// How many of them read the stream, where the system reads so many bytes ahead; none if there is to be no stream. If the system keeps the disk busy by
    /// itself, more threads than processors only get in its way.
    pub(crate) fn streaming_workers(&self, threads: usize, read_ahead: Option<u64>) -> usize {
        match self.mode {
            IoMode::Map | IoMode::Auto => 0,
            IoMode::Read if read_ahead.is_some_and(|bytes| bytes >= BUFFER) => threads,
            IoMode::Read | IoMode::Direct => self.workers(threads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_read_by_few_where_the_system_reads_far_ahead() {
        let workers = |mode, read_ahead| {
            let choice = IoChoice { mode, reason: String::new() };
            choice.streaming_workers(2, read_ahead)
        };
        assert_eq!(workers(IoMode::Read, Some(BUFFER)), 2);
        assert_eq!(workers(IoMode::Read, Some(BUFFER - 1)), IN_FLIGHT);
        assert_eq!(workers(IoMode::Read, None), IN_FLIGHT);
        assert_eq!(workers(IoMode::Direct, Some(BUFFER)), IN_FLIGHT);
        assert_eq!(workers(IoMode::Map, Some(BUFFER)), 0);
    }
}
