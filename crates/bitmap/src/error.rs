//! What keeps bytes from being a bitmap, and a map from being written as one.

use std::path::Path;

use imsprep_source::{BlockMap, BlockSize};

/// Longest bitmap file that is read or written: the bits of the largest image that the service takes in blocks of 4 KiB are
/// half of it.
pub const LONGEST: u64 = 64 << 20;

/// Most blocks that a file of text describes, and that a map is converted to: the largest image that the service takes has
/// as many of 4 KiB. A few bytes of text may tell of any number, and each block takes a bit of memory.
pub const MOST_BLOCKS: u64 = 1 << 28;

/// Why bytes are not a bitmap in a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThisLayout {
    /// The length is another than the image's size asks for.
    #[error("the file has {found} bytes; in this layout the bitmap of an image of this size has {expected}")]
    Length {
        /// What the layout takes.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// There is something where the padding should be.
    #[error("the padding is not all the same from byte {offset} on")]
    Padding {
        /// The first byte with a wrong bit of padding.
        offset: u64,
    },
    /// A block has a value that stands neither for data nor for zero.
    #[error("the value at byte {offset} stands neither for data nor for zero")]
    Cell {
        /// The first byte of the value.
        offset: u64,
    },
    /// An entry of a list of runs is none: it does not begin or end with a block, is outside of the image, or does not come after the
    /// run before it, with a gap between the two.
    #[error("the entry at byte {offset} is no run of blocks of this image after the runs before it")]
    Run {
        /// The first byte of the entry.
        offset: u64,
    },
    /// A byte that is the same in every file of this layout is another here.
    #[error("byte {offset} is not the constant of this layout")]
    Constant {
        /// The byte.
        offset: u64,
    },
    /// A number in header or trailer is not what bits and image make it.
    #[error("the {field} at byte {offset} is {found}, and should be {expected}")]
    Field {
        /// Which number.
        field: &'static str,
        /// Its first byte.
        offset: u64,
        /// What it should be.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// The file says that it is of an image of another size.
    #[error("it is for an image of {said} bytes; this image has {expected}")]
    ImageSize {
        /// What the file says.
        said: u64,
        /// The image's size.
        expected: u64,
    },
    /// The file does not contain the size of its image, and no size was given.
    #[error("it does not contain the size of its image")]
    SizeUnknown,
    /// An image size that no map can be made for.
    #[error(
        "an image of {image_size} bytes has more blocks than the {MOST_BLOCKS} that the largest image has in blocks of 4 KiB"
    )]
    TooManyBlocks {
        /// The image's size.
        image_size: u64,
    },
    /// It does not begin as text of this layout does.
    #[error("its first bytes are different")]
    NotSuchText,
    /// It has signs of this layout, and a fault.
    #[error("{what}")]
    Fault {
        /// What is wrong, and where.
        what: String,
    },
}

/// Why a map can't be written in a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEncode {
    /// A header or trailer has no space for a number.
    #[error("the {field} is {number}, and its field has {bytes} bytes")]
    TooNarrow {
        /// Which number.
        field: &'static str,
        /// The number.
        number: u64,
        /// Bytes that there are for it.
        bytes: usize,
    },
    /// The layout has other blocks than the map.
    #[error("it has blocks of {layout} bytes, and the map has blocks of {map}")]
    BlockSize {
        /// The layout's block size.
        layout: BlockSize,
        /// The map's.
        map: BlockSize,
    },
    /// The file would be longer than any that is read.
    #[error("the file would be longer than {LONGEST} bytes, the most that a bitmap file may have")]
    TooLong,
}

/// A map of zero blocks for the size in a file.
pub(crate) fn zeroed(image_size: u64, block_size: BlockSize) -> Result<BlockMap, NotThisLayout> {
    if block_size.blocks_in(image_size) > MOST_BLOCKS {
        return Err(NotThisLayout::TooManyBlocks { image_size });
    }
    BlockMap::zeroed(Path::new(""), image_size, block_size)
        .map_err(|_| NotThisLayout::TooManyBlocks { image_size })
}
