//! Bytes that don't repeat, the same for the same seed: content of disks, and seeds of the targets that draw their inputs.

/// So many of them.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Inputs for a target that draws structures from its bytes: `count` of them, of growing length.
pub fn drawn_seeds(count: u64, step: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| noise(number + 1, step * (number as usize + 1))).collect()
}
