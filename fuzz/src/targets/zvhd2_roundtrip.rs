//! Input: the size of a disk and what to write where on it.
//!
//! Oracle: the writer makes a container in which the checker finds nothing at all, and in which the reader finds the same
//! disk: its size, its data blocks, its bytes.

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_source::{BlockMap, BlockSize, Cancel, MemoryImage, ReadAt, StreamOutput, Work};
use imsprep_zvhd2::{Checksums, Depth, Level, Reader, WriteOptions, check, write};

use crate::plant::planted;
use crate::random::{drawn_seeds, noise};

const BLOCK: usize = 2 << 20;
/// Blocks of a disk at most.
const BLOCKS: usize = 4;

/// See the module.
pub fn run(data: &[u8]) {
    crate::pool::single();
    // Too few bytes make no disk.
    let _ = run_drawn(&mut Unstructured::new(data));
}

fn run_drawn(u: &mut Unstructured<'_>) -> Result<()> {
    let level = Level::new(*u.choose(&[1, 1, 1, 3])?).expect("a level");
    let disk = drawn_disk(u)?;
    let image = MemoryImage::new("disk", disk.clone());
    let mut map = BlockMap::zeroed(image.path(), image.size(), BlockSize::MIB_2).expect("a small disk");
    for (number, block) in disk.chunks(BLOCK).enumerate() {
        // A map may call data what is zero, never the other way round.
        map.set(number as u64, holds_data(block) || u.ratio(1, 8)?);
    }
    let options =
        WriteOptions { level, timestamp: u32::arbitrary(u)?, uuid: u.arbitrary()?, checksums: true };
    let mut out = StreamOutput::new("container", Vec::new());
    let given = planted(map.clone(), |map| {
        // A writer that leaves out the last block.
        let last = map.data_blocks().last();
        last.into_iter().for_each(|block| map.set(block, false));
    });
    let (written, sums) =
        write(&image, &given, &options, &mut out, Work::new(&(), &Cancel::new())).expect("a sound disk");
    let file = MemoryImage::new("container", out.finish().expect("into memory"));
    assert_eq!(written.file_size, file.size());

    let checked = check(&file, Depth::Content, Work::new(&(), &Cancel::new())).expect("a container");
    assert!(checked.report.findings().is_empty(), "{:#?}", checked.report.findings());
    let reader = Reader::open(&file, &Cancel::new()).expect("a sound container");
    let found = reader.block_map().expect("a small disk");
    assert_eq!((reader.orig_size(), found.image_size()), (image.size(), image.size()));
    let sums = sums.expect("they were asked for");
    let mut bytes = vec![0; BLOCK];
    for (number, expected) in disk.chunks(BLOCK).enumerate() {
        let number = number as u64;
        let is_data = holds_data(expected);
        assert_eq!(found.is_data(number), is_data, "block {number}");
        assert_eq!(
            sums.get(number),
            is_data.then(|| Checksums::of_block(expected)),
            "the checksum of block {number}"
        );
        reader.read_at(&mut bytes[..expected.len()], number * BLOCK as u64).expect("a sound container");
        assert!(bytes[..expected.len()] == *expected, "block {number} holds something else");
    }
    // Small reads, across blocks and up to the end of the disk that is shown.
    for _ in 0..4 {
        let length = u.int_in_range(1..=5000_usize)?;
        let at = u.int_in_range(0..=reader.size() - length as u64)?;
        reader.read_at(&mut bytes[..length], at).expect("a sound container");
        for (place, byte) in bytes[..length].iter().enumerate() {
            assert_eq!(
                *byte,
                disk.get(at as usize + place).copied().unwrap_or(0),
                "byte {}",
                at as usize + place
            );
        }
    }
    Ok(())
}

/// Whether a block holds anything, by comparing it with zeros: byte by byte, this would be most of the target's time.
fn holds_data(block: &[u8]) -> bool {
    const ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    block.chunks(ZEROS.len()).any(|part| *part != ZEROS[..part.len()])
}

/// A disk of whole sectors.
fn drawn_disk(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    // Few blocks, as each costs two megabytes in every step: most disks are part of one.
    let blocks = *u.choose(&[1, 1, 1, 1, 2, 2, 3, BLOCKS])?;
    let sectors = (blocks - 1) * (BLOCK / 512) + u.int_in_range(1..=BLOCK / 512)?;
    let mut disk = vec![0; sectors * 512];
    for _ in 0..u.int_in_range(0..=8)? {
        let at = u.int_in_range(0..=disk.len() - 1)?;
        let length = u.int_in_range(1..=disk.len() - at)?.min(16 << 10);
        let part = &mut disk[at..at + length];
        if u.ratio(1, 2)? {
            part.fill(u8::arbitrary(u)?);
        } else {
            part.copy_from_slice(&noise(u64::arbitrary(u)?, length));
        }
    }
    Ok(disk)
}

/// Draws.
pub fn seeds() -> Vec<Vec<u8>> {
    drawn_seeds(12, 24)
}
