//! The zero test: the scanner's inner loop.

/// Bytes folded together before the next look at the result. Long enough for the compiler's vector code to run at the
/// memory's rate, short enough to stop early.
const CHUNK: usize = 4096;

/// Whether every byte is zero. Stops within 4 KiB of the first that is not.
///
/// Plain Rust: the compiler turns the fold into vector instructions, and the memory, not the code, is the limit.
pub fn is_zero(bytes: &[u8]) -> bool {
    let (chunks, tail) = bytes.as_chunks::<CHUNK>();
    chunks.iter().all(|chunk| fold(chunk) == 0) && fold(tail) == 0
}

fn fold(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |seen, byte| seen | byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_is_found() {
        for len in [0, 1, 2, 511, 4095, 4096, 4097, 8192, 10_000] {
            let mut bytes = vec![0u8; len];
            assert!(is_zero(&bytes), "{len}");
            for place in 0..len {
                for value in [1, 0x80] {
                    bytes[place] = value;
                    assert!(!is_zero(&bytes), "{len} {place}");
                }
                bytes[place] = 0;
            }
        }
    }
}
