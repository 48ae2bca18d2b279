//! Input: block size, mode, and the stretches of an image: holes, zeros, data, one byte among zeros.
//!
//! Oracle: the naive twin, which reads the file and looks at each byte. The scan in order gives every byte as well.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_scan::{Bytes, IoMode, ScanOptions, scan, scan_in_order};
use imsprep_source::{BlockSize, Cancel, ImageFile, Work};

use crate::plant::planted;
use crate::random::drawn_seeds;

/// Bytes of an image at most.
const MOST: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// See the module.
pub fn run(data: &[u8]) {
    crate::pool::single();
    // Too few bytes make no image.
    let _ = run_drawn(&mut Unstructured::new(data));
}

/// The image's file, written again each time, in a folder of its own.
fn path() -> &'static PathBuf {
    static FOLDER: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = FOLDER.get_or_init(|| {
        let _ = imsprep_source::install_bus_error_guard();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("image.raw");
        (folder, path)
    });
    path
}

fn run_drawn(u: &mut Unstructured<'_>) -> Result<()> {
    let block = BlockSize::new(512 << u.int_in_range(0..=12)?).expect("a block size");
    let io = *u.choose(&[IoMode::Auto, IoMode::Map, IoMode::Map, IoMode::Read, IoMode::Direct])?;
    let bytes = draw_image(u)?;
    let image = ImageFile::open(path()).expect("the file was written");
    let found = scan(&image, &ScanOptions { block_size: block, io }, Work::new(&(), &Cancel::new()))
        .expect("a sound file");
    let map = planted(found.map, |map| {
        // A scan that overlooks the last block.
        map.set(map.block_count().saturating_sub(1), false);
    });
    let blocks = bytes.chunks(block.bytes() as usize);
    let naive = blocks.map(|block| block.iter().any(|byte| *byte != 0)).collect::<Vec<_>>();
    let told = (0..map.block_count()).map(|block| map.is_data(block)).collect::<Vec<_>>();
    assert_eq!(told, naive, "blocks of {block}, {io}");

    let mut given = Vec::new();
    let mut take = |piece: Bytes<'_>| {
        match piece {
            Bytes::Data(data) => given.extend_from_slice(data),
            Bytes::Zeros(count) => given.resize(given.len() + count as usize, 0),
        }
        Ok(())
    };
    let in_order =
        scan_in_order(&image, block, &mut take, Work::new(&(), &Cancel::new())).expect("a sound file");
    assert!(given == bytes, "the bytes in order");
    let told = (0..in_order.map.block_count()).map(|block| in_order.map.is_data(block)).collect::<Vec<_>>();
    assert_eq!(told, naive, "in order, blocks of {block}");
    Ok(())
}

/// Writes an image and returns its bytes.
fn draw_image(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let file = File::create(path()).expect("a file");
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 0..u.int_in_range(1..=8)? {
        let start = bytes.len();
        let left = MOST - start as u64;
        // Around pages, and anywhere.
        let length =
            if u.ratio(1, 2)? { PAGE * u.int_in_range(1..=64)? } else { u.int_in_range(1..=200_000)? };
        let length = length.min(left);
        bytes.resize(start + length as usize, 0);
        let kind = u.int_in_range(0..=3)?;
        match kind {
            2 => bytes[start..].fill(u8::arbitrary(u)?),
            3 if length > 0 => bytes[start + u.int_in_range(0..=length as usize - 1)?] = 0x40,
            _ => {}
        }
        if kind > 0 {
            file.write_all_at(&bytes[start..], start as u64).expect("room for a small file");
        }
    }
    file.set_len(bytes.len() as u64).expect("room for a small file");
    Ok(bytes)
}

/// Draws.
pub fn seeds() -> Vec<Vec<u8>> {
    drawn_seeds(16, 16)
}
