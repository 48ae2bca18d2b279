//! Expanding a deflate stream from the middle, without what comes before it.
//!
//! A block of the stream begins at any bit, and copies from the 32 KiB before it. It is expanded after two different texts in
//! their place: where the outputs differ, a byte is a copy of one that is not known yet, and the two values tell of which one. After a few
//! such windows all bytes are known, and one of the two decoders goes on alone. Method: Kerbiriou and Chikhi, "Parallel decompression
//! of gzip-compressed files and random access to DNA sequences", 2019.

use std::hash::{BuildHasher, RandomState};

use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that a block may copy from.
pub(super) const WINDOW: usize = 32 << 10;
/// Bytes of the stream in which the begin of a block is looked for, and begins that are tried.
const SEARCH_MAX: usize = 128 << 10;
const TRIALS_MAX: usize = 512;
/// Bytes that have to expand without an error for a begin to be taken.
const TRIAL: usize = 2 * WINDOW;
/// Bytes that are expanded at once later.
const PIECE: usize = 256 << 10;
/// Most bytes that are expanded twice.
const TWICE_MAX: usize = 4 << 20;
/// Most bytes that are expanded at all.
const OUTPUT_MAX: usize = 8 << 20;
/// Literals that are sent to a decoder, twice, to see that a block ends where another was begun.
const PROBE: usize = 16;

/// What bytes of a stream expand to from the begin of a block on.
pub(super) struct Guess {
    output: Output,
    /// What the first bytes are after the other text.
    other: Vec<u8>,
    /// Goes on after the output.
    decoder: Decompress,
    /// Bytes of the input that were taken.
    pub(super) taken: usize,
}

/// What was expanded, at the begin of memory that is used again without being cleared.
#[derive(Default)]
pub(super) struct Output {
    memory: Vec<u8>,
    length: usize,
}

impl Output {
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// Memory for so many bytes more.
    fn room(&mut self, count: usize) -> &mut [u8] {
        let end = self.length.saturating_add(count);
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        self.memory.get_mut(self.length..end).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Output {
    fn from(memory: Vec<u8>) -> Self {
        Self { length: memory.len(), memory }
    }
}

impl Guess {
    /// Looks for the begin of a block after the first part of `bytes`, tells `found` of its bit, and expands from there. `None` if there is
    /// none, or it can't be expanded without what is before. The memory of `output` is used.
    pub(super) fn make(bytes: &[u8], mut output: Output, found: impl FnOnce(usize)) -> Option<Self> {
        let mut decoder = Decompress::new(false);
        let texts = [false, true].map(text);
        let [text, other_text] = &texts;
        let from = first_part(bytes.len());
        let bits = from * 8..(from + SEARCH_MAX).min(bytes.len()) * 8;
        output.length = 0;
        let mut taken = 0;
        let mut begins = bits.filter(|bit| may_begin(bytes, *bit)).take(TRIALS_MAX);
        let begin = begins.find(|bit| {
            let Some(start) = enter(&mut decoder, bytes, *bit, text) else { return false };
            taken = start;
            matches!(expand(&mut decoder, bytes, &mut taken, output.room(TRIAL)), Some((TRIAL, false)))
        })?;
        output.length = TRIAL;
        found(begin);
        let mut second = Decompress::new(false);
        let mut taken_second = enter(&mut second, bytes, begin, other_text)?;
        let mut other = Output::default();
        loop {
            let count = output.length - other.length;
            if expand(&mut second, bytes, &mut taken_second, other.room(count))? != (count, false) {
                return None;
            }
            other.length += count;
            let last = output.length - WINDOW..;
            if output.bytes().get(last.clone()) == other.bytes().get(last) {
                break;
            }
            if output.length > TWICE_MAX
                || expand(&mut decoder, bytes, &mut taken, output.room(WINDOW))? != (WINDOW, false)
            {
                return None;
            }
            output.length += WINDOW;
        }
        while output.length < OUTPUT_MAX {
            let (count, has_ended) = expand(&mut decoder, bytes, &mut taken, output.room(PIECE))?;
            output.length += count;
            if has_ended {
                return None;
            }
            if count < PIECE {
                break;
            }
        }
        Some(Self { output, other: other.memory, decoder, taken })
    }

    /// The output, by what is before it, and the decoder that goes on after it.
    pub(super) fn resolve(mut self, window: &[u8]) -> Option<(Output, Decompress)> {
        // By how much the two values differ, and the first of them: a byte that is known, or one of those before.
        let known: Vec<u8> = (0..=u8::MAX).chain(window.iter().copied()).collect();
        for (byte, other) in self.output.memory.iter_mut().zip(&self.other) {
            *byte = *known.get(usize::from(other.wrapping_sub(*byte)) << 8 | usize::from(*byte))?;
        }
        Some((self.output, self.decoder))
    }
}

/// How many bytes are left to who knows what is before them. It also reads the file, sums up the output and takes it; the other one
/// expands some of it twice.
pub(super) fn first_part(bytes: usize) -> usize {
    bytes / 2
}

/// What stands for the unknown bytes: their number modulo 256; or that plus 1 and the number divided by 256, which is less than 128.
fn text(is_other: bool) -> Vec<u8> {
    let byte = |number: usize| {
        let [low, high, ..] = number.to_le_bytes();
        if is_other { low.wrapping_add(high + 1) } else { low }
    };
    (0..WINDOW).map(byte).collect()
}

/// Whether a bit may begin a block with codes of its own that is not the last one: what RFC 1951 asks of its first numbers.
fn may_begin(bytes: &[u8], bit: usize) -> bool {
    let peek = |bit: usize| {
        let eight =
            bytes.get(bit / 8..).and_then(|rest| rest.first_chunk()).map_or(0, |it| u64::from_le_bytes(*it));
        eight >> (bit % 8)
    };
    let head = peek(bit);
    if head & 7 != 4 || head >> 3 & 31 > 29 || head >> 8 & 31 > 29 {
        return false;
    }
    let lengths = (head >> 13 & 15) + 4;
    let (first, rest) = (peek(bit + 17), peek(bit + 17 + 48));
    let length =
        |number: u64| if number < 16 { first >> (3 * number) & 7 } else { rest >> (3 * (number - 16)) & 7 };
    // The codes of lengths fill all there is to be told apart.
    (0..lengths).map(length).filter(|length| *length > 0).map(|length| 128 >> length).sum::<u64>() == 128
}

/// Lets a decoder begin at a bit, after a text. Returns where the bytes are that it takes next.
fn enter(decoder: &mut Decompress, bytes: &[u8], bit: usize, text: &[u8]) -> Option<usize> {
    decoder.reset(false);
    decoder.set_dictionary(text).ok()?;
    let mut before = Bits::default();
    let odd = bit % 2;
    if odd == 1 {
        before.odd_block();
    }
    // Each has 10 bits, and the odd one 95, which is one less than a number of bytes.
    for _ in 0..(bit + odd) % 8 / 2 {
        before.block(false, &[]);
    }
    let next = bit.div_ceil(8);
    before.put(u32::from(bytes.get(bit / 8)? >> (bit % 8)), next * 8 - bit);
    let mut nothing = [0; 1];
    let mut taken = 0;
    let (count, has_ended) = expand(decoder, &before.bytes, &mut taken, &mut nothing)?;
    (count == 0 && !has_ended && taken == before.bytes.len()).then_some(next)
}

/// Lets a decoder go on to the begin of a block at `bit`, after `taken` bytes of the input. Returns the rest of the output; `None` if no
/// block begins there. The decoder is spent.
pub(super) fn leave(decoder: &mut Decompress, bytes: &[u8], bit: usize) -> Option<Vec<u8>> {
    /// Most bytes that the bits of one byte expand to, and more.
    const REST_MAX: usize = 16 << 10;

    // In the middle of a block the bits of a last block with random literals mean something else: nobody can foresee what, since a
    // literal that is there twice would need two codes.
    let random = RandomState::new();
    let literals: Vec<u8> = (0..PROBE).map(|number| (random.hash_one(number) % 144) as u8).collect();
    let literals = literals.repeat(2);
    let mut probe = Bits::default();
    probe.put(u32::from(*bytes.get(bit / 8)?), bit % 8);
    probe.block(true, &literals);
    let mut rest = vec![0; REST_MAX + literals.len()];
    let mut taken = 0;
    let (count, has_ended) = expand(decoder, &probe.bytes, &mut taken, &mut rest)?;
    rest.truncate(count);
    if !has_ended || taken != probe.bytes.len() || !rest.ends_with(&literals) {
        return None;
    }
    rest.truncate(count - literals.len());
    Some(rest)
}

/// Expands until the output is full, the input is used up, or the stream ends: bytes of output, and whether it ended. `None` for an
/// error.
pub(super) fn expand(
    decoder: &mut Decompress,
    bytes: &[u8],
    taken: &mut usize,
    output: &mut [u8],
) -> Option<(usize, bool)> {
    let mut count = 0;
    while count < output.len() {
        let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
        let (input, room) = (bytes.get(*taken..)?, output.get_mut(count..)?);
        let status = decoder.decompress(input, room, FlushDecompress::None).ok()?;
        let read = decoder.total_in() - before_in;
        let written = decoder.total_out() - before_out;
        *taken += usize::try_from(read).ok()?;
        count += usize::try_from(written).ok()?;
        if status == Status::StreamEnd {
            return Some((count, true));
        }
        if read == 0 && written == 0 {
            break;
        }
    }
    Some((count, false))
}

/// Bits in the order of deflate.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are in use, unless all are.
    used: usize,
}

impl Bits {
    /// The lowest `count` bits of a number, the lowest first.
    fn put(&mut self, number: u32, count: usize) {
        for bit in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((number >> bit & 1) as u8) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// A code of `count` bits, the highest first.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count as usize);
    }

    /// A block with the fixed codes, and these literals less than 144.
    fn block(&mut self, is_last: bool, literals: &[u8]) {
        self.put(u32::from(is_last), 1);
        self.put(1, 2);
        for literal in literals {
            self.code(0x30 + u32::from(*literal), 8);
        }
        self.code(0, 7);
    }

    /// An empty block with codes of its own, which has 95 bits: those of one literal and of the end have a bit each, and no distance has one.
    fn odd_block(&mut self) {
        const ORDER: [u32; 18] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1];
        const ZEROS: u32 = 18;

        self.put(0, 1);
        self.put(2, 2);
        self.put(0, 5);
        self.put(0, 5);
        self.put(14, 4);
        for length in ORDER {
            self.put(
                match length {
                    ZEROS | 1 => 2,
                    0 => 1,
                    _ => 0,
                },
                3,
            );
        }
        // 138 and 117 zeros, 1 twice, and one zero.
        for zeros in [138, 117] {
            self.code(3, 2);
            self.put(zeros - 11, 7);
        }
        self.code(2, 2);
        self.code(2, 2);
        self.code(0, 1);
        // Its end.
        self.code(1, 1);
    }
}
