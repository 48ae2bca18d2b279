//! Input: a description of a layout as TOML, with the bits of a map before it.
//!
//! Oracle: a description that is taken is printed as one that means the same; the layout's files are what the naive twin
//! writes bit by bit, and say what they were made of.

use std::path::Path;

use arbitrary::{Result, Unstructured};
use imsprep_bitmap::{Layout, describe_layout, parse_layout};
use imsprep_source::BlockSize;

use crate::naive_bitmap::{self, Image};
use crate::plant::planted;
use crate::random::noise;

/// Bytes before the text: they are drawn from.
const DRAWN: usize = 16;
/// The longest file that the twin writes.
const LONGEST: u64 = 256 << 10;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((drawn, text)) = data.split_at_checked(DRAWN) else { return };
    let path = Path::new("layout.toml");
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(layout) = parse_layout(path, text) else { return };
    let described = describe_layout(&layout, &[]).expect("a layout of bytes");
    let again = parse_layout(path, &described).expect("our own description");
    // A description that loses the value of the padding is the bug to be found.
    let again = planted(again, |again| {
        if let imsprep_bitmap::Form::Binary(binary) = &mut again.form {
            binary.padding.bit = !binary.padding.bit;
        }
    });
    assert_eq!(again, layout, "{described}");
    // Too few bytes make no map.
    let _ = assert_writes_as_described(&layout, &mut Unstructured::new(drawn));
}

fn assert_writes_as_described(layout: &Layout, u: &mut Unstructured<'_>) -> Result<()> {
    let blocks = u.int_in_range(1..=200)?;
    let image = Image::drawn(u, layout.block_size.bytes(), blocks)?;
    if layout.encoded_len(image.size).is_some_and(|length| length > LONGEST) {
        return Ok(());
    }
    let map = image.map(layout.block_size);
    let written = layout.encode(&map).ok();
    assert_eq!(written, naive_bitmap::encode(layout, &image));
    let Some(file) = written else { return Ok(()) };
    let length = layout.encoded_len(image.size);
    assert!(length.is_none_or(|length| length == file.len() as u64), "{length:?} and {}", file.len());
    assert_eq!(layout.decode(&file, Some(image.size)), Ok(map.clone()));
    if layout.contains_image_size() {
        assert_eq!(layout.decode(&file, None), Ok(map));
    }
    Ok(())
}

/// Descriptions of drawn layouts, and one with everything in it.
pub fn seeds() -> Vec<Vec<u8>> {
    const FULL: &str = r#"
name = "full"
title = "one of each"
block-size = 1048576
bit-order = "most-significant-first"
set-bit = "zero"
padding = { unit = 8, bit = 1 }
header = [
  { constant = "4d46 0100" }, { repeat = "ff", times = 20 }, { number = "image-size", bytes = 8, order = "big" },
  { number = "block-size", bytes = 4, order = "little" }, { number = "block-count", bytes = 8, order = "little" },
  { number = "crc32-section", bytes = 4, order = "little" }, { number = "bits-adler32", bytes = 8, order = "big" },
]
trailer = [
  { number = "image-mib-up", bytes = 4, order = "big" }, { number = "image-sectors", bytes = 8, order = "little" },
  { number = "data-blocks", bytes = 4, order = "big" }, { number = "bits-length", bytes = 4, order = "big" },
  { number = "padded-length", bytes = 8, order = "big" }, { number = "bits-crc32", bytes = 4, order = "big" },
  { number = "padded-crc32", bytes = 4, order = "big" }, { number = "crc32-header", bytes = 4, order = "big" },
  { number = "crc32-before", bytes = 4, order = "big" }, { number = "crc32c-file-before", bytes = 8, order = "little" },
  { number = "adler32-file", bytes = 4, order = "little" },
]
learned = { samples = 3 }
"#;
    const LIST: &str = r#"
name = "list"
block-size = 4096
runs = { numbers = "offset-length", unit = "bytes", bytes = 8, order = "big", clipped = true }
header = [{ number = "run-count", bytes = 4, order = "little" }]
trailer = [{ number = "bits-crc32c", bytes = 4, order = "big" }]
"#;
    let mut seeds = [FULL, LIST].map(|text| [noise(1, DRAWN), text.as_bytes().to_vec()].concat()).to_vec();
    for number in 0..8_u64 {
        let bytes = noise(number + 2, 200);
        let block = BlockSize::new(4096 << number).expect("a block size");
        let layout = naive_bitmap::drawn_layout(&mut Unstructured::new(&bytes), block).expect("bytes enough");
        let text = describe_layout(&layout, &[]).expect("a layout of bytes");
        seeds.push([&bytes[..DRAWN], text.as_bytes()].concat());
    }
    seeds
}
