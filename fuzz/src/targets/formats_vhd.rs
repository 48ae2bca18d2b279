//! Input: a first byte that chooses. Even: a sparse file, read as a VHD whatever it holds; by the byte's other bits the
//! checksum of its last footer is put right. Odd: blocks to build a dynamic one of.
//!
//! Oracle: as for qcow2.

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_formats::{Slice, Vhd};
use imsprep_ondisk::format::vhd::{Footer, TYPE_FIXED, checksum};
use imsprep_source::{MemoryImage, ReadAt};

use super::build_vhd::{dynamic, footer};
use crate::disk::{assert_consistent, assert_holds};
use crate::plant::{DiskBug, Planted};
use crate::random::{drawn_seeds, noise};
use crate::sparse::SparseFile;

/// Bytes of a built disk at most.
const MOST: usize = 256 << 10;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    if choice % 2 == 1 {
        // Too few bytes make no disk.
        let _ = run_built(&mut Unstructured::new(rest));
        return;
    }
    let mut file = SparseFile::decode(rest, 1 << 40);
    if choice & 2 != 0 {
        seal(&mut file);
    }
    if let Ok(disk) = Vhd::open(Slice::whole(&file)) {
        assert_consistent(&Planted::new(&disk, DiskBug::Allocation));
    }
}

/// Puts the checksums of the footers at both ends right.
fn seal(file: &mut SparseFile) {
    for at in [Some(0), file.size().checked_sub(512)].into_iter().flatten() {
        let Some(bytes) = file.peek::<512>(at).filter(|bytes| bytes.starts_with(&Footer::COOKIE)) else {
            continue;
        };
        let sum = checksum(&bytes, Footer::CHECKSUM_OFFSET).to_be_bytes();
        file.write(at + Footer::CHECKSUM_OFFSET as u64, sum.to_vec());
    }
}

fn run_built(u: &mut Unstructured<'_>) -> Result<()> {
    let block = 512_u32 << u.int_in_range(0..=6)?;
    let (mut blocks, mut expected) = (Vec::new(), Vec::new());
    while expected.len() < MOST && (blocks.is_empty() || !u.is_empty()) {
        if u.ratio(1, 3)? {
            blocks.push(None);
            expected.resize(expected.len() + block as usize, 0);
            continue;
        }
        let content = noise(u64::arbitrary(u)?, block as usize);
        let mut sectors = Vec::new();
        for sector in content.as_chunks::<512>().0 {
            let present = !u.ratio(1, 4)?;
            expected.extend(if present { *sector } else { [0; 512] });
            sectors.push((present, *sector));
        }
        blocks.push(Some(sectors));
    }
    let image = MemoryImage::new("built", dynamic(block, &blocks, expected.len() as u64));
    let disk = Vhd::open(Slice::whole(&image)).expect("a sound VHD");
    let disk = Planted::new(&disk, DiskBug::Allocation);
    assert_holds(&disk, &expected);
    assert_consistent(&disk);
    Ok(())
}

/// A fixed and two dynamic ones, and draws.
pub fn seeds() -> Vec<Vec<u8>> {
    let sectors = |count| Some(vec![(true, [7; 512]); count]);
    let fixed = [noise(1, 4096), footer(TYPE_FIXED, b"win ", 4096).to_vec()].concat();
    let small = dynamic(4096, &[sectors(8), None, sectors(8)], 3 * 4096);
    let sparse = dynamic(512, &[None, None, sectors(1), None], 4 * 512);
    let files = [fixed, small, sparse].map(|file| [vec![2], SparseFile::encode_bytes(&file)].concat());
    let draws = drawn_seeds(6, 24).into_iter().map(|draw| [vec![1], draw].concat());
    files.into_iter().chain(draws).collect()
}
