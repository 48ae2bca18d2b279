//! Which disk image format a file has, how big the disk in it is, and what in it matters to an import.
mod detection;

pub use detection::{Detection, Evidence, Fact, Format};
