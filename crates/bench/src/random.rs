//! Bytes that no compressor makes smaller, the same in every run.

/// The next number of the sequence that `state` stands in (SplitMix64).
pub(crate) fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Fills `bytes` with the numbers that follow.
pub(crate) fn fill(bytes: &mut [u8], state: &mut u64) {
    for chunk in bytes.chunks_mut(8) {
        let number = next(state).to_le_bytes();
        for (byte, random) in chunk.iter_mut().zip(number) {
            *byte = random;
        }
    }
}
