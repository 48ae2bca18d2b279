//! Comparing while checking, against a check and then a comparison of every block that a reader gives.

use std::collections::BTreeSet;

use imsprep_source::{Cancel, MemoryImage, ReadAt, Work, is_zero};
use proptest::prelude::*;

use super::builder::{BLOCK, Image, block, compress};
use super::look;
use crate::{Checksums, Depth, Method, Reader, check_against};

const BLOCKS: u32 = 9;

/// What differs, one block after the other.
fn naive(file: &MemoryImage, expected: &Checksums) -> BTreeSet<u64> {
    let disk = Reader::open(file, &Cancel::new()).unwrap();
    let mut bytes = vec![0; BLOCK];
    let differs = |number: &u64| {
        disk.read_at(&mut bytes, number * BLOCK as u64).unwrap();
        expected.get(*number).map_or(!is_zero(&bytes), |sum| sum != Checksums::of_block(&bytes))
    };
    (0..BLOCKS.into()).filter(differs).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn differences_are_those_of_a_comparison_of_its_own(
        records in prop::collection::btree_map(0..BLOCKS, 1u8..4, 0..6), expected in prop::collection::btree_map(0..BLOCKS, 1u8..4, 0..6),
        agrees in any::<bool>()
    ) {
        let expected = if agrees { &records } else { &expected };
        let payloads = records.iter().map(|(number, seed)| (*number, compress(Method::Zstd, &block(*seed)))).collect();
        let bytes = Image::from_payloads(Method::Zstd, u64::from(BLOCKS) * BLOCK as u64, payloads).bytes();
        let sums = expected.iter().map(|(number, seed)| ((*number).into(), Checksums::of_block(&block(*seed))));
        let sums = Checksums::new(sums.collect());
        let file = MemoryImage::new("test.zvhd2", bytes.clone());
        let (checked, differing) = check_against(&file, &sums, Work::new(&(), &Cancel::new())).unwrap();
        let alone = look(&bytes, Depth::Content);
        prop_assert_eq!(checked.report.findings(), alone.report.findings());
        prop_assert_eq!(&differing, &naive(&file, &sums));
        prop_assert!(!agrees || differing.is_empty());
    }
}

#[test]
fn a_block_that_cannot_be_expanded_differs() {
    let mut image = Image::from_payloads(
        Method::Zstd,
        u64::from(BLOCKS) * BLOCK as u64,
        vec![(1, compress(Method::Zstd, &block(1))), (4, compress(Method::Zstd, &block(2)))],
    );
    if let Some(record) = image.records.last_mut() {
        record.payload.fill(0x55);
    }
    let sums = Checksums::new(vec![(1, Checksums::of_block(&block(1))), (4, Checksums::of_block(&block(2)))]);
    let file = MemoryImage::new("test.zvhd2", image.bytes());
    let (checked, differing) = check_against(&file, &sums, Work::new(&(), &Cancel::new())).unwrap();
    assert!(checked.report.has_errors());
    assert_eq!(differing, BTreeSet::from([4]));
}
