//! Which layout a bitmap file is in.

use imsprep_source::BlockMap;

use crate::Layout;
use crate::layout::LAYOUTS;

/// What a bitmap file looks like, given the size of its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// In a known layout, as far as length and padding show.
    Known {
        /// The layout.
        layout: &'static Layout,
        /// What it says.
        map: BlockMap,
    },
    /// In no known layout: perhaps the vendor's own, of which nothing can be said.
    Unrecognised {
        /// Why it is not the default layout, in words.
        why: String,
    },
    /// No bytes at all: in whatever layout, that says nothing of any block.
    Empty,
}

/// Tries every known layout on the bytes of a bitmap file.
pub fn recognise(bytes: &[u8], image_size: u64) -> Recognition {
    if bytes.is_empty() && image_size > 0 {
        return Recognition::Empty;
    }
    let mut whys = Vec::new();
    for layout in LAYOUTS {
        match layout.decode(bytes, image_size) {
            Ok(map) => return Recognition::Known { layout, map },
            Err(why) => whys.push(format!("not {}: {why}", layout.name)),
        }
    }
    Recognition::Unrecognised { why: whys.join("; ") }
}
