//! The ZVHD2 container: a checker for every rule of the format, a reader of the disk in it, a writer, and repair.
//!
//! [`check`] checks a file by [`RULES`] and never stops at the first fault. [`info`] shows what the footers say,
//! unchecked. [`write()`] makes a container of a disk, in parallel; [`ContainerWriter`] emits one from payloads that are
//! there already. [`Reader`] reads the disk in a sound container, [`Salvage`] saves the records of a damaged one.
//! [`Expander`] turns one record's payload into a block, [`Compressor`] a block into a payload.
//!
//! ```
//! use imsprep_source::{Cancel, MemoryImage, Work};
//! use imsprep_zvhd2::{Depth, check};
//!
//! let image = MemoryImage::new("cut.zvhd2", b"z2strm\0\0, and then the download broke off".to_vec());
//! let checked = check(&image, Depth::Content, Work::new(&(), &Cancel::new()))?;
//! assert!(checked.report.has_errors());
//! assert_eq!(checked.report.findings()[0].rule.code, "ZV-002");
//! # Ok::<(), imsprep_zvhd2::Error>(())
//! ```

mod bitmap;
mod body;
mod check;
mod checksums;
mod comparison;
mod compress;
mod container;
mod contents;
mod error;
mod evidence;
mod expand;
mod footer;
mod guard;
mod index;
mod info;
mod layout;
mod occupancy;
mod ordered;
mod payload;
mod reader;
mod record;
mod rules;
mod salvage;
mod scanner;
mod select;
mod sequence;
mod span;
mod stream;
#[cfg(test)]
mod tests;
mod timestamp;
mod walk;
mod write;

pub use check::{CheckedContainer, Depth, check, check_against};
pub use checksums::Checksums;
pub use compress::{Compressor, Level, libzstd_version};
pub use container::{ContainerWriter, Label, Written, size_without_records};
pub use error::Error;
pub use expand::{ExpandError, Expander, Quirk};
pub use footer::Method;
pub use info::{Info, Region, Version, info};
pub use occupancy::Occupancy;
pub use reader::Reader;
pub use rules::RULES;
pub use salvage::{BlockSpan, Missing, Salvage, SizeFrom};
pub use timestamp::{timestamp_now, timestamp_of};
pub use write::{WriteOptions, write, write_in_sequence};
