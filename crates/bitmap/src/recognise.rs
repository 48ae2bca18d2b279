//! Which layout a bitmap file is in.

use imsprep_source::BlockMap;

use crate::Layout;
use crate::layout::{LAYOUTS, NotThisLayout};
use crate::other_file::kind_of;

/// What a bitmap file looks like, given the size of its image, if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// In a known layout, as far as length and padding show.
    Known {
        /// The layout.
        layout: Layout,
        /// What it says.
        map: BlockMap,
    },
    /// In a known layout that contains the size of its image, which is not the size of this one.
    OtherSize {
        /// The layout.
        layout: Layout,
        /// The size that it contains.
        said: u64,
    },
    /// It has the signs of a known layout, and a fault.
    Damaged {
        /// The layout.
        layout: Layout,
        /// What is wrong.
        why: NotThisLayout,
    },
    /// A file of another kind that bears the same extension, such as the manifest of an OVF package.
    Other {
        /// What it is, to follow on "the file is".
        what: &'static str,
    },
    /// In no known layout: perhaps the vendor's own, of which nothing can be said.
    Unrecognised {
        /// Why it is in none, in words.
        why: String,
    },
    /// No bytes at all: in whatever layout, that says nothing of any block.
    Empty,
}

/// Tries `first`, if there is one, and then every built-in layout on the bytes of a bitmap file.
pub fn recognise(bytes: &[u8], image_size: Option<u64>, first: Option<&Layout>) -> Recognition {
    if bytes.is_empty() && image_size != Some(0) {
        return Recognition::Empty;
    }
    let mut whys = Vec::new();
    let mut signs = None;
    for layout in first.into_iter().chain(LAYOUTS.iter().copied()) {
        let why = match layout.decode(bytes, image_size) {
            Ok(map) => return Recognition::Known { layout: layout.clone(), map },
            Err(why) => why,
        };
        if signs.is_none() && layout.is_claimed_by(bytes) {
            let layout = layout.clone();
            signs = Some(match why {
                NotThisLayout::ImageSize { said, .. } => Recognition::OtherSize { layout, said },
                why => Recognition::Damaged { layout, why },
            });
        } else {
            whys.push(format!("not {}: {why}", layout.name));
        }
    }
    if let Some(signs) = signs {
        return signs;
    }
    match kind_of(bytes) {
        Some(what) => Recognition::Other { what },
        None => Recognition::Unrecognised { why: whys.join("; ") },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_source::BlockSize;

    use super::*;

    #[test]
    fn each_built_in_layout_is_known_and_its_damage_is_no_other_layout() {
        let mut map = BlockMap::zeroed(Path::new("x"), (9 << 20) + 1, BlockSize::MIB_2).unwrap();
        map.set(3, true);
        for layout in LAYOUTS {
            let map = map.in_blocks_of(layout.block_size_for(BlockSize::MIB_2)).unwrap();
            let bytes = layout.encode(&map).unwrap();
            let size = Some(map.image_size());
            let known = Recognition::Known { layout: (*layout).clone(), map: map.clone() };
            assert_eq!(recognise(&bytes, size, None), known);
            if !layout.contains_image_size() {
                continue;
            }
            assert_eq!(recognise(&bytes, None, None), known);
            let other = recognise(&bytes, Some(7), None);
            assert_eq!(other, Recognition::OtherSize { layout: (*layout).clone(), said: map.image_size() });
            let mut broken = bytes.clone();
            let at = if layout.name == "sealed" { 0 } else { bytes.len() - 10 };
            broken[at] ^= 1;
            let found = recognise(&broken, size, None);
            assert!(matches!(&found, Recognition::Damaged { layout: l, .. } if l == *layout), "{found:?}");
        }
        assert_eq!(recognise(b"", None, None), Recognition::Empty);
        let why = recognise(b"MF\x01 something else", Some(5 << 20), None);
        assert!(matches!(why, Recognition::Unrecognised { .. }), "{why:?}");
        let other = recognise(b"<html></html>", Some(5 << 20), None);
        assert_eq!(other, Recognition::Other { what: "an HTML page" });
    }
}
