//! Bytes that don't repeat, the same for the same seed: content of disks, and seeds of the targets that draw their inputs.

pub use imsprep_testdata::noise;

/// Inputs for a target that draws structures from its bytes: `count` of them, of growing length.
pub fn drawn_seeds(count: u64, step: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| noise(number + 1, step * (number as usize + 1))).collect()
}
