//! Bitmap files: the `.mf` that must accompany a RAW image.
//!
//! The layout of the vendor's own bitmap file is published nowhere. So a layout is data here ([`Layout`]), not code:
//! block size, bit order, polarity, padding, the fields of header and trailer. [`layout::ZVHD2`] is the default, taken from
//! the one bitmap layout that the vendor did publish, the one inside ZVHD2. A file in no known layout is
//! [`Recognition::Unrecognised`]: perhaps the genuine thing, never "malformed".
//!
//! ```
//! use std::path::Path;
//! use imsprep_bitmap::{Recognition, layout, recognise};
//! use imsprep_source::{BlockMap, BlockSize};
//!
//! let image_size = 9 << 20;
//! let mut map = BlockMap::zeroed(Path::new("disk.raw"), image_size, BlockSize::MIB_2)?;
//! map.set(0, true);
//! map.set(4, true);
//! let bytes = layout::ZVHD2.encode(&map)?;
//! assert_eq!((bytes.len(), bytes[0]), (4096, 0b1_0001));
//! let known = Recognition::Known { layout: layout::ZVHD2.clone(), map };
//! assert_eq!(recognise(&bytes, Some(image_size), None), known);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binary;
mod bits;
mod bmap;
mod cells;
mod checksum;
mod compare;
mod diff;
mod error;
mod field;
mod file;
mod frame;
pub mod layout;
mod layout_file;
pub mod learn;
mod number;
mod other_file;
mod proof;
mod ranges;
mod recognise;
mod rules;
mod runs;
mod specimen;
mod summary;

pub use binary::{Binary, MapForm, Padding};
pub use bits::{BitOrder, Bits, Polarity};
pub use cells::{Cell, Cells};
pub use checksum::{Algorithm, Covered};
pub use compare::{check_against_content, check_unrecognised_against_content};
pub use diff::MapDifference;
pub use field::{Field, Rounding, SizeUnit, Value};
pub use file::{BitmapFile, bitmap_path, read_bitmap, write_bitmap};
pub use layout::{CannotEncode, Form, Layout, NotThisLayout, Origin};
pub use layout_file::{LayoutFileError, describe_layout, parse_layout, read_layout};
pub use number::{ByteOrder, Width};
pub use proof::{Proof, ProvenFile};
pub use recognise::{Recognition, recognise};
pub use rules::{
    BITMAP_DAMAGED, BITMAP_EMPTY, BITMAP_MISSING, BITMAP_NONE, BITMAP_OLDER, BITMAP_OTHER_LAYOUT,
    BITMAP_SHARED, BITMAP_UNRECOGNISED, BITMAP_WRONG_SIZE, DATA_MARKED_ZERO, LAYOUT_UNPROVEN, RULES,
    ZERO_MARKED_DATA,
};
pub use runs::{RunNumbers, RunUnit, Runs};
pub use specimen::{SPECIMEN_SIZE, Specimen};
