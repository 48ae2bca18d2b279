//! Bytes as disks hold them: compressible in part, the same in every run.

use crate::random;

/// Bytes of a block of the bitmap.
pub(crate) const BLOCK: u64 = 2 << 20;
/// Words of the made-up language.
const WORDS: usize = 4096;
/// Bytes of one kind in a row: text, a table, or random ones.
const PIECE: usize = 64 << 10;

/// Makes blocks of text, tables and random bytes, which zstd's level 3 makes two to three times smaller.
pub(crate) struct Content {
    words: Vec<Vec<u8>>,
    seed: u64,
}

impl Content {
    pub(crate) fn new() -> Self {
        let mut seed = 11;
        let words = (0..WORDS).map(|_| word(&mut seed)).collect();
        Self { words, seed }
    }

    /// Fills `block`.
    pub(crate) fn fill(&mut self, block: &mut [u8]) {
        for piece in block.chunks_mut(PIECE) {
            match random::next(&mut self.seed) % 10 {
                0..6 => self.text(piece),
                6..8 => table(piece, &mut self.seed),
                _ => random::fill(piece, &mut self.seed),
            }
        }
    }

    /// Fills a block of a disk of which a quarter is zeros, half is text and a quarter noise.
    pub(crate) fn fill_mixed(&mut self, block: &mut [u8], number: u64) {
        match number % 4 {
            0 => block.fill(0),
            1 | 2 => self.text(block),
            _ => random::fill(block, &mut self.seed),
        }
    }

    fn text(&mut self, mut piece: &mut [u8]) {
        while !piece.is_empty() {
            let number = random::next(&mut self.seed);
            // Of two random places the product: common words and rare ones, as in a language.
            let place = ((number & 0xffff) * ((number >> 16) & 0xffff) * WORDS as u64) >> 32;
            let Some(word) = usize::try_from(place).ok().and_then(|place| self.words.get(place)) else {
                return;
            };
            let length = word.len().min(piece.len());
            let (here, rest) = piece.split_at_mut(length);
            here.copy_from_slice(word.get(..length).unwrap_or_default());
            piece = rest;
        }
    }
}

/// Two to ten letters and a space.
fn word(seed: &mut u64) -> Vec<u8> {
    let mut number = random::next(seed);
    let length = 2 + number % 9;
    let letters = (0..length).map(|_| {
        number = number.rotate_right(7).wrapping_add(0x9e37_79b9);
        b'a' + u8::try_from(number % 26).unwrap_or(0)
    });
    letters.chain([b' ']).collect()
}

/// Rows of 16 bytes: a counter, a measurement that wanders, and a constant.
fn table(piece: &mut [u8], seed: &mut u64) {
    let mut counter = random::next(seed) >> 40;
    let mut value = random::next(seed) >> 48;
    for row in piece.chunks_mut(16) {
        counter += 1;
        value = value.wrapping_add(random::next(seed) % 1000);
        let bytes = [&counter.to_le_bytes()[..], &value.to_le_bytes()[..4], &[0, 1, 0, 0]].concat();
        for (to, from) in row.iter_mut().zip(bytes) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_two_to_three_times_smaller_when_compressed_and_always_the_same() {
        let mut block = vec![0; 8 << 20];
        Content::new().fill(&mut block);
        let ratio = block.len() as f64 / zstd::bulk::compress(&block, 3).unwrap().len() as f64;
        assert!((2.0..3.0).contains(&ratio), "{ratio}");
        let mut again = vec![0; 8 << 20];
        Content::new().fill(&mut again);
        assert!(again == block);
    }
}
