//! Input: flags, the size of the image in sectors, and a bitmap file; by the first flag a map instead, which is written and read
//! again; by the second the checksums of the file are put right first.
//!
//! Oracle: a file that is in a layout is exactly what that layout writes of the map in it, but for XML, of which the map comes
//! back; bits are what the naive twin reads one by one; what is written is recognised, as that map in that layout.

use arbitrary::{Result, Unstructured};
use imsprep_bitmap::layout::{BMAP, LAYOUTS, RANGES, SEALED, ZVHD2};
use imsprep_bitmap::{Form, Layout, MapDifference, Recognition, recognise};
use imsprep_source::{BlockMap, BlockSize};
use sha2::{Digest, Sha256};

use crate::naive_bitmap::{self, Image};
use crate::plant::planted;
use crate::random::noise;

/// The largest image, in sectors: 1 TiB.
const SECTORS: u32 = 1 << 31;

/// See the module.
pub fn run(data: &[u8]) {
    let Some(([flags, a, b, c, d], rest)) = data.split_first_chunk() else { return };
    if flags & 1 != 0 {
        // Too few bytes make no map.
        let _ = run_written(*flags, &mut Unstructured::new(rest));
        return;
    }
    let size = u64::from(u32::from_le_bytes([*a, *b, *c, *d]).min(SECTORS)) * 512;
    let mut file = rest.to_vec();
    if flags & 2 != 0 {
        seal(&mut file);
    }
    for image_size in [Some(size), None] {
        let mut known = None;
        for layout in LAYOUTS {
            // The zero blocks taken for data is the bug to be found.
            let found = planted(layout.decode(&file, image_size), |found| {
                if let Ok(map) = found {
                    map.set(0, !map.is_data(0));
                }
            });
            let Ok(map) = found else { continue };
            assert!(image_size.is_none_or(|size| size == map.image_size()));
            assert!(image_size.is_some() || layout.contains_image_size(), "{} told a size", layout.name);
            assert_comes_back(layout, &map, &file);
            known.get_or_insert((layout.name.clone(), map));
        }
        match (recognise(&file, image_size, None), known) {
            (Recognition::Known { layout, map }, Some((name, expected))) => {
                assert_eq!(layout.name, name);
                assert_eq!(map, expected);
            }
            (Recognition::Empty, Some(_)) | (_, None) => {}
            (other, Some((name, _))) => panic!("in {name}, and recognised as {other:?}"),
        }
    }
}

/// A file that was read is the one that is written.
fn assert_comes_back(layout: &Layout, map: &BlockMap, file: &[u8]) {
    let written = layout.encode(map).expect("what was read can be written");
    match &layout.form {
        Form::Bmap => assert_eq!(layout.decode(&written, None).as_ref(), Ok(map)),
        Form::Ranges => assert!(written == file, "not the text that was read"),
        Form::Binary(_) => {
            assert!(written == file, "not the bytes that were read");
            // The twin is slow.
            if map.block_count() <= 1 << 16 {
                let naive = naive_bitmap::encode(layout, &Image::of_map(map));
                assert_eq!(naive.as_deref(), Some(file), "{}", layout.name);
            }
        }
    }
}

fn run_written(flags: u8, u: &mut Unstructured<'_>) -> Result<()> {
    let layout = LAYOUTS[usize::from(flags >> 2) % LAYOUTS.len()];
    let block = layout.block_size_for(BlockSize::new(512 << u.int_in_range(0..=17)?).expect("a block size"));
    let blocks = u.int_in_range(1..=3000)?;
    let image = Image::drawn(u, block.bytes(), blocks)?;
    let map = image.map(block);
    let file = layout.encode(&map).expect("a small map");
    if let Form::Binary(_) = layout.form {
        assert_eq!(naive_bitmap::encode(layout, &image).as_deref(), Some(&file[..]));
    }
    for size in [Some(image.size), None] {
        if size.is_none() && !layout.contains_image_size() {
            continue;
        }
        let found = planted(layout.decode(&file, size), |found| {
            if let Ok(map) = found {
                map.set(0, !map.is_data(0));
            }
        });
        assert_eq!(found.as_ref(), Ok(&map), "{}", layout.name);
        let expected = Recognition::Known { layout: layout.clone(), map: map.clone() };
        assert_eq!(recognise(&file, size, None), expected);
    }
    assert_same_in_other_blocks(u, &map)
}

/// The same map in other blocks, and the difference between two.
fn assert_same_in_other_blocks(u: &mut Unstructured<'_>, map: &BlockMap) -> Result<()> {
    let other = BlockSize::new(512 << u.int_in_range(0..=17)?).expect("a block size");
    let factor = map.block_size().bytes() / other.bytes();
    if factor > 64 {
        return Ok(());
    }
    let resized = map.in_blocks_of(other).expect("not too many blocks");
    for block in 0..resized.block_count() {
        let (start, end) = (block * other.bytes(), ((block + 1) * other.bytes()).min(map.image_size()));
        let covered = start / map.block_size().bytes()..end.div_ceil(map.block_size().bytes());
        assert_eq!(resized.is_data(block), covered.into_iter().any(|b| map.is_data(b)), "block {block}");
    }
    let difference = MapDifference::between(map, &resized).expect("the same disk");
    assert!(difference.is_empty(), "{difference:?}");
    Ok(())
}

/// Puts right the checksums of a sealed bitmap, or of bmaptool's map.
fn seal(file: &mut [u8]) {
    const OPEN: &[u8] = b"<BmapFileChecksum>";
    let digits_at = file.windows(OPEN.len()).position(|window| window == OPEN);
    if let Some(at) = digits_at.map(|at| at + OPEN.len()) {
        let at = at + file[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(place) = file.get_mut(at..at + 64) {
            place.fill(b'0');
            let sum = Sha256::digest(&*file).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            file[at..at + 64].copy_from_slice(sum.as_bytes());
        }
        return;
    }
    let Some(trailer) = file.len().checked_sub(48) else { return };
    let crc = crc32fast::hash(&file[..trailer]);
    file[trailer + 40..][..4].copy_from_slice(&crc.to_le_bytes());
    let crc = crc32fast::hash(&file[trailer..trailer + 44]);
    file[trailer + 44..].copy_from_slice(&crc.to_le_bytes());
}

/// A file in each layout, the bitmap of the small image, and draws.
pub fn seeds() -> Vec<Vec<u8>> {
    let data = noise(3, 40).iter().map(|byte| byte % 3 == 0).collect::<Vec<_>>();
    let seed = |flags: u8, size: u64, file: &[u8]| {
        [&[flags][..], &((size / 512) as u32).to_le_bytes(), file].concat()
    };
    let mut seeds = Vec::new();
    for layout in [&ZVHD2, &SEALED, &BMAP, &RANGES] {
        let image = Image { size: 39 * layout.block_size.bytes() + 512, data: data.clone() };
        let file = layout.encode(&image.map(layout.block_size)).expect("a small map");
        seeds.push(seed(2 * u8::from(layout.form != ZVHD2.form), image.size, &file));
    }
    let small = std::fs::read(imsprep_testdata::folder().join("small.mf")).expect("small.mf");
    seeds.push(seed(0, 512 << 10, &small));
    for number in 0..8 {
        seeds.push(seed(1 | (number as u8 % 4) << 2, 0, &noise(number + 1, 60)));
    }
    seeds
}
