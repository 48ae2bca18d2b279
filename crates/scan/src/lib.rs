//! The parallel zero-block scanner: a RAW image in, a [`BlockMap`] out.
//!
//! A block is data if any of its bytes is not zero; nothing else counts. Holes of a sparse file are zeros that need
//! not be read, and never more than that. Within a block that has data the scan looks at a few pages first, since one
//! byte settles it, and reads the whole block only if those were zero. Where this settles few of the blocks, the workers read what
//! follows as one stream instead.
//!
//! The result does not depend on the number of threads, the I/O mode, or where the file system keeps its holes. It runs
//! in the rayon pool that the caller is in, and its memory does not grow with the image, except for the map itself: one
//! bit for each block.
//!
//! ```
//! use imsprep_scan::{ScanOptions, scan};
//! use imsprep_source::{Cancel, ImageFile, Work};
//!
//! let dir = tempfile::tempdir()?;
//! let path = dir.path().join("disk.raw");
//! let mut bytes = vec![0; 5 << 20];
//! bytes[3 << 20] = 1;
//! std::fs::write(&path, &bytes)?;
//!
//! let found = scan(&ImageFile::open(&path)?, &ScanOptions::default(), Work::new(&(), &Cancel::new()))?;
//! assert_eq!(found.map.block_count(), 3);
//! assert_eq!(found.map.data_blocks().collect::<Vec<_>>(), [1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claims;
mod engine;
mod in_order;
mod io;
mod part;
mod worker;

pub use engine::{Scan, ScanOptions, scan};
pub use in_order::{Bytes, scan_in_order};
pub use io::{IoChoice, IoMode};

#[doc(no_inline)]
pub use imsprep_source::BlockMap;
