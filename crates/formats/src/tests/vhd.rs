//! VHD.

use imsprep_ondisk::format::vhd::TYPE_FIXED;
use imsprep_source::{Error as SourceError, MemoryImage};
use proptest::prelude::*;

use imsprep_testdata::noise;

use super::assert_holds;
use super::build_vhd::{TABLE, dynamic, footer};
use crate::{Error, Slice, Vhd};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_dynamic_disk_is_its_present_sectors_over_zeros(
        bits in 12u32..15, kinds in prop::collection::vec(0u8..4, 1..20), cut in 0usize..8, seed in any::<u64>()
    ) {
        let block_size = 1_usize << bits;
        let (mut blocks, mut expected) = (Vec::new(), Vec::new());
        for (number, kind) in kinds.iter().enumerate() {
            let content = noise(seed ^ number as u64, block_size);
            let sectors = content.as_chunks::<512>().0;
            // Absent; all there; some there; there and all absent.
            let present = |sector: usize| match kind {
                0 | 3 => false,
                1 => true,
                _ => (seed >> (sector % 60)) & 1 != 0,
            };
            for (sector, bytes) in sectors.iter().enumerate() {
                expected.extend(if present(sector) { *bytes } else { [0; 512] });
            }
            let sectors = sectors.iter().enumerate().map(|(sector, bytes)| (present(sector), *bytes)).collect();
            blocks.push((*kind != 0).then_some(sectors));
        }
        // The disk may end within the last block.
        expected.truncate(expected.len() - cut.min(block_size / 512 - 1) * 512);
        let file = dynamic(1 << bits, &blocks, expected.len() as u64);
        let image = MemoryImage::new("disk.vhd", file);
        assert_holds(&Vhd::open(Slice::whole(&image)).unwrap(), &expected);
    }
}

#[test]
fn a_fixed_disk_is_what_comes_before_its_footer() {
    let disk = noise(3, 10 * 512);
    let footer = footer(TYPE_FIXED, b"win ", 10 * 512);
    for length in [512, 511] {
        let image = MemoryImage::new("disk.vhd", [&disk[..], &footer[..length]].concat());
        assert_holds(&Vhd::open(Slice::whole(&image)).unwrap(), &disk);
    }
    // Some programs leave room before the footer.
    let image = MemoryImage::new("disk.vhd", [&disk[..], &[0; 512], &footer].concat());
    assert_holds(&Vhd::open(Slice::whole(&image)).unwrap(), &disk);
    let image = MemoryImage::new("disk.vhd", [&disk[512..], &footer[..]].concat());
    let error = Vhd::open(Slice::whole(&image)).err().unwrap();
    assert!(error.to_string().contains("a disk of 5120 bytes, but fewer"), "{error}");
}

fn full(count: usize) -> Vec<u8> {
    let block = |number: usize| {
        let content = noise(number as u64, 4096);
        Some(content.as_chunks::<512>().0.iter().map(|sector| (true, *sector)).collect())
    };
    dynamic(4096, &(0..count).map(block).collect::<Vec<_>>(), count as u64 * 4096)
}

fn error_of(file: Vec<u8>) -> Error {
    let image = MemoryImage::new("disk.vhd", file);
    Vhd::open(Slice::whole(&image)).err().unwrap()
}

#[test]
fn blocks_that_are_not_where_they_can_be_are_named() {
    let good = full(4);
    let entry =
        |file: &[u8], block: usize| u32::from_be_bytes(*file[TABLE + block * 4..].first_chunk().unwrap());
    let altered = |block: usize, value: u32| {
        let mut file = good.clone();
        file[TABLE + block * 4..][..4].copy_from_slice(&value.to_be_bytes());
        error_of(file)
    };
    let place = |block: u64| TABLE as u64 + block * 4;
    for (block, value, words) in [
        (1, u32::MAX - 1, "beyond the end of the file"),
        (2, u32::try_from(good.len() / 512 - 3).unwrap(), "beyond the end of the file"),
        (0, 0, "within the headers of the file"),
        (0, 1, "within the headers of the file"),
        (0, 3, "within the headers of the file"),
        (3, entry(&good, 1), "overlaps block"),
        (3, entry(&good, 1) + 1, "overlaps block"),
    ] {
        let error = altered(block, value);
        let Error::Source(SourceError::Damaged { offset, what, .. }) = &error else { panic!("{error}") };
        assert!(what.contains(words), "{value}: {error}");
        assert!(*offset == place(block as u64) || *offset == place(1), "{value}: {error}");
    }
}

#[test]
fn headers_that_can_not_be_are_refused() {
    let good = full(4);
    let altered = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..][..bytes.len()].copy_from_slice(bytes);
        error_of(file).to_string()
    };
    for (at, bytes, words) in [
        (512, &b"x"[..], "the header of the dynamic disk is missing"),
        (16, &[0xff; 8], "beyond the end of the file"),
        (512 + 16, &[0x7f; 8], "table of 4 blocks is beyond the end"),
        (512 + 28, &[0, 0, 0, 3], "its table has 3 entries"),
        (512 + 32, &[0, 0, 0x30, 0], "a block has 12288 bytes"),
        (512 + 32, &[0, 0, 0, 0], "a block has 0 bytes"),
        (48, &[0, 0, 0x10, 0, 0, 0, 0, 0], "entries"),
        (60, &[0, 0, 0, 4], "it is of type 3"),
    ] {
        let error = altered(at, bytes);
        assert!(error.contains(words), "{at}: {error}");
    }
    assert!(error_of(b"too short".to_vec()).to_string().contains("no valid footer"));
    // 16 TiB in blocks of 512 bytes, and a table that would be large enough: no memory is taken for it.
    let mut file = good;
    file[48..56].copy_from_slice(&(16_u64 << 40).to_be_bytes());
    file[512 + 28..][..4].fill(0xff);
    file[512 + 32..][..4].copy_from_slice(&8192_u32.to_be_bytes());
    let error = error_of(file).to_string();
    assert!(error.contains("the limit is 4194304"), "{error}");
}
