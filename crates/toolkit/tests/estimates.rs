//! Estimates of the sizes of outputs, compared with the outputs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use imsprep_toolkit::{Cancel, ConvertOptions, Converted, Estimate, FreeSpaceBytes, Work, plan_conversion};

const BLOCK: u64 = 2 << 20;

/// Bytes without a pattern, from a generator that is the same each time.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(count);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// A block of one of four kinds: half zeros, text, bytes that can't be compressed, and a few bytes in zeros.
fn block(number: u64) -> Vec<u8> {
    let size = usize::try_from(BLOCK).unwrap();
    let mut bytes = vec![0; size];
    match noise(number, 1)[0] % 4 {
        0 => bytes[..size / 2].copy_from_slice(&noise(number, size / 2)),
        1 => bytes.iter_mut().zip(noise(number, size)).for_each(|(byte, random)| *byte = b'a' + random % 16),
        2 => bytes = noise(number, size),
        _ => bytes[..64].copy_from_slice(&noise(number, 64)),
    }
    bytes
}

/// A RAW in which two of three blocks hold data, and the others are holes or written zeros.
fn disk(path: &Path, blocks: u64) {
    let mut file = File::create(path).unwrap();
    file.set_len(blocks * BLOCK).unwrap();
    for number in 0..blocks {
        file.seek(SeekFrom::Start(number * BLOCK)).unwrap();
        match number % 6 {
            0 => {}
            3 => file.write_all(&vec![0; usize::try_from(BLOCK).unwrap()]).unwrap(),
            _ => file.write_all(&block(number)).unwrap(),
        }
    }
}

/// The estimate of a conversion, and what it makes.
fn compared(source: &Path, output: &Path, most: u64, options: &ConvertOptions) -> (Estimate, Converted) {
    let cancel = Cancel::new();
    let work = Work::new(&(), &cancel);
    let options = ConvertOptions { output: Some(output.to_owned()), ..options.clone() };
    let plan = plan_conversion(source, options, work).unwrap();
    let before = std::fs::read_dir(source.parent().unwrap()).unwrap().count();
    let estimate = plan.estimate(most, work).unwrap().unwrap();
    assert_eq!(plan.estimate(most, work).unwrap(), Some(estimate), "it is the same each time");
    assert_eq!(std::fs::read_dir(source.parent().unwrap()).unwrap().count(), before, "nothing is written");
    (estimate, plan.convert(work).unwrap().made.unwrap())
}

fn is_within(estimate: u64, truth: u64, percent: u64) -> bool {
    estimate.abs_diff(truth) * 100 <= truth * percent
}

#[test]
fn a_sample_gives_the_size_of_a_zvhd2_and_all_blocks_give_it_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let (source, output) = (dir.path().join("disk.raw"), dir.path().join("disk.zvhd2"));
    disk(&source, 150);
    for (most, percent) in [(40, 15), (100, 0), (u64::MAX, 0)] {
        let options =
            ConvertOptions { overwrite: imsprep_toolkit::Overwrite::Replace, ..ConvertOptions::default() };
        let (estimate, made) = compared(&source, &output, most, &options);
        let Converted::Zvhd2(made) = made else { panic!("a ZVHD2") };
        assert_eq!((estimate.blocks, estimate.sampled_blocks), (100, most.min(100)));
        assert_eq!(estimate.is_exact(), percent == 0);
        let truth = made.written.file_size;
        assert_eq!(truth, std::fs::metadata(&output).unwrap().len());
        assert!(is_within(estimate.output_size, truth, percent), "{estimate:?} {truth}");
        assert_eq!(estimate.data_bytes, made.written.records * BLOCK);
    }
}

#[test]
fn of_a_raw_the_size_is_exact_and_the_data_is_estimated() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("disk.raw");
    disk(&source, 150);
    // With the free space left out a RAW is made of a RAW.
    for (name, most, percent) in [("a.raw", 40, 20), ("b.raw", u64::MAX, 0)] {
        let options = ConvertOptions { free_space: FreeSpaceBytes::LeaveOut, ..ConvertOptions::default() };
        let (estimate, made) = compared(&source, &dir.path().join(name), most, &options);
        let Converted::Raw(made) = made else { panic!("a RAW") };
        assert_eq!(estimate.output_size, made.length);
        assert!(is_within(estimate.data_bytes, made.data_bytes, percent), "{estimate:?} {}", made.data_bytes);
    }
}
