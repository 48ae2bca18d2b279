//! What a check reports about the blocks that have records.

use super::builder::Image;
use super::look;
use crate::{Depth, Method};

#[test]
fn marked_blocks_and_their_payloads_are_told_at_any_depth() {
    let image = Image::sample(Method::Zstd);
    let sizes = image.records.iter().map(|record| (record.header.curr_blk, record.header.size));
    let sizes = sizes.collect::<Vec<_>>();
    let bytes = image.bytes();
    for depth in [Depth::Structure, Depth::Content] {
        let occupancy = look(&bytes, depth).occupancy.unwrap();
        assert_eq!((occupancy.marked(), occupancy.is_cut()), (&[0, 1, 3][..], false));
        assert_eq!(occupancy.payloads().collect::<Vec<_>>(), sizes);
    }
}

#[test]
fn a_marked_block_whose_record_is_nowhere_has_no_payload() {
    let mut image = Image::sample(Method::Zstd);
    image.entries[1].offset = 1 << 40;
    let occupancy = look(&image.bytes(), Depth::Content).occupancy.unwrap();
    assert_eq!(occupancy.marked(), [0, 1, 3]);
    assert_eq!(occupancy.payloads().map(|(block, _)| block).collect::<Vec<_>>(), [0, 3]);
}

#[test]
fn without_a_bitmap_nothing_is_told() {
    let mut image = Image::sample(Method::Zstd);
    image.end.bitmap_lba = u64::MAX - 4095;
    assert!(look(&image.bytes(), Depth::Content).occupancy.is_none());
}
