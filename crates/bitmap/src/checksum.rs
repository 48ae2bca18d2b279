//! The checksums that a header or trailer may hold: how they are calculated, and over which bytes.

use std::ops::Range;

use crc::{CRC_32_ISCSI, Crc, Table};

use crate::number::ByteOrder;

static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// How a checksum is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// CRC-32 as in zlib, gzip and ZIP.
    Crc32,
    /// CRC-32C (Castagnoli) as in iSCSI, ext4 and Btrfs.
    Crc32c,
    /// Adler-32 as in zlib.
    Adler32,
}

/// Which bytes of the file a checksum covers. Where these include the checksum's own field, its bytes count as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Covered {
    /// The map as it is stored, without its padding.
    Map,
    /// The map with its padding.
    PaddedMap,
    /// The bytes of the same header or trailer that come before the field.
    Before,
    /// The complete header or trailer that the field is in.
    Section,
    /// The complete header.
    Header,
    /// All bytes of the file that come before the field.
    FileBefore,
    /// The complete file.
    File,
}

impl Algorithm {
    /// Every algorithm, the most common one first.
    pub const ALL: [Self; 3] = [Self::Crc32, Self::Crc32c, Self::Adler32];

    /// The checksum of some bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> u32 {
        let mut sum = RunningSum::new(self);
        sum.update(bytes);
        sum.value()
    }

    /// The checksum of some bytes, of which those in `zeroed` count as zeros.
    pub(crate) fn with_zeros(self, bytes: &[u8], zeroed: Range<usize>) -> u32 {
        let mut sum = RunningSum::new(self);
        let zeroed = zeroed.start.min(bytes.len())..zeroed.end.min(bytes.len());
        sum.update(bytes.get(..zeroed.start).unwrap_or_default());
        sum.update(&vec![0; zeroed.len()]);
        sum.update(bytes.get(zeroed.end..).unwrap_or_default());
        sum.value()
    }

    /// The polynomial of a CRC, least significant coefficient in the highest bit.
    fn polynomial(self) -> Option<u32> {
        match self {
            Self::Crc32 => Some(0xedb8_8320),
            Self::Crc32c => Some(0x82f6_3b78),
            Self::Adler32 => None,
        }
    }
}

/// A checksum of the bytes so far.
#[derive(Clone)]
pub(crate) enum RunningSum {
    Crc32(crc32fast::Hasher),
    Crc32c(crc::Digest<'static, u32, Table<16>>),
    Adler32(Adler),
}

impl RunningSum {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
            Algorithm::Crc32c => Self::Crc32c(CRC_32C.digest()),
            Algorithm::Adler32 => Self::Adler32(Adler { a: 1, b: 0 }),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(sum) => sum.update(bytes),
            Self::Crc32c(sum) => sum.update(bytes),
            Self::Adler32(sum) => sum.update(bytes),
        }
    }

    pub(crate) fn value(&self) -> u32 {
        match self {
            Self::Crc32(sum) => sum.clone().finalize(),
            Self::Crc32c(sum) => sum.clone().finalize(),
            Self::Adler32(sum) => sum.b << 16 | sum.a,
        }
    }
}

/// The two sums of Adler-32 (RFC 1950): of the bytes, and of the first sum after each byte.
#[derive(Clone)]
pub(crate) struct Adler {
    a: u32,
    b: u32,
}

impl Adler {
    const MODULUS: u32 = 65521;
    /// So many bytes can be added before the sums have to be reduced.
    const BYTES_AT_ONCE: usize = 5552;

    fn update(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(Self::BYTES_AT_ONCE) {
            let (eights, rest) = bytes.as_chunks::<8>();
            for eight in eights {
                let [c, d, e, f, g, h, i, j] = eight.map(u32::from);
                self.b += 8 * (self.a + c) + 7 * d + 6 * e + 5 * f + 4 * g + 3 * h + 2 * i + j;
                self.a += c + d + e + f + g + h + i + j;
            }
            for byte in rest {
                self.a += u32::from(*byte);
                self.b += self.a;
            }
            self.a %= Self::MODULUS;
            self.b %= Self::MODULUS;
        }
    }
}

/// Every place within `window` of four bytes that are the checksum of all of `covered`, where they themselves count as zeros.
/// The time is proportional to the length of `covered`: no checksum is calculated twice, and each byte's share of it once.
pub(crate) fn places_of_own_sum(
    algorithm: Algorithm,
    covered: &[u8],
    window: Range<usize>,
) -> Vec<(usize, ByteOrder)> {
    let whole = algorithm.of(covered);
    let end = window.end.min(covered.len());
    let start = window.start.min(end);
    let mut shares = Shares::new(algorithm, covered.len() - end);
    let mut four = 0u32;
    let mut places = Vec::new();
    for (at, byte) in (start..end).zip(covered.get(start..end).unwrap_or_default()).rev() {
        shares.add(*byte);
        four = four << 8 | u32::from(*byte);
        if at + 4 <= end {
            let sum = shares.sum_without(whole);
            if four == sum {
                places.push((at, ByteOrder::Little));
            } else if four.swap_bytes() == sum {
                places.push((at, ByteOrder::Big));
            }
        }
    }
    places.reverse();
    places
}

/// What the last four of the bytes that were added contribute to a checksum, from the end of the bytes to their beginning.
enum Shares {
    /// A CRC is linear: a byte changes it by its polynomial times a power of x.
    Crc {
        polynomial: u32,
        /// That of the next byte.
        power: u32,
        four: [u32; 4],
    },
    Adler {
        /// How often the second sum has the next byte: once for each byte from it on.
        times: u64,
        /// The shares of the first and of the second sum.
        four: [(u64, u64); 4],
    },
}

impl Shares {
    /// Where so many bytes follow the first one that is added.
    fn new(algorithm: Algorithm, after: usize) -> Self {
        match algorithm.polynomial() {
            Some(polynomial) => {
                let power = power_of_x8(after as u64 + 4, polynomial);
                Self::Crc { polynomial, power, four: [0; 4] }
            }
            None => Self::Adler { times: after as u64 + 1, four: [(0, 0); 4] },
        }
    }

    /// Adds the byte before the one of the last call.
    fn add(&mut self, byte: u8) {
        match self {
            Self::Crc { polynomial, power, four: [_, b, c, d] } => {
                // Its bits are no branches, which would be taken at random; and they are written out, because a loop would take as
                // long as what it does.
                let mut take = |bit: u32| {
                    let share = *power & (u32::from(byte) >> bit & 1).wrapping_neg();
                    *power = times_x(*power, *polynomial);
                    share
                };
                let share = take(7) ^ take(6) ^ take(5) ^ take(4) ^ take(3) ^ take(2) ^ take(1) ^ take(0);
                let four = [*b, *c, *d, share];
                *self = Self::Crc { polynomial: *polynomial, power: *power, four };
            }
            Self::Adler { times, four: [_, b, c, d] } => {
                let byte = u64::from(byte);
                let share = (byte, *times * byte % u64::from(Adler::MODULUS));
                let four = [*b, *c, *d, share];
                *self = Self::Adler { times: *times + 1, four };
            }
        }
    }

    /// The checksum with zeros in place of the last four bytes.
    fn sum_without(&self, whole: u32) -> u32 {
        match self {
            Self::Crc { four: [a, b, c, d], .. } => whole ^ a ^ b ^ c ^ d,
            Self::Adler { four: [a, b, c, d], .. } => {
                let modulus = u64::from(Adler::MODULUS);
                let first = u64::from(whole & 0xffff) + 4 * modulus - (a.0 + b.0 + c.0 + d.0);
                let second = u64::from(whole >> 16) + 4 * modulus - (a.1 + b.1 + c.1 + d.1);
                u32::try_from((second % modulus) << 16 | (first % modulus)).unwrap_or(0)
            }
        }
    }
}

/// x^8 as a remainder: the highest bit is x^0.
const X8: u32 = 1 << 23;

/// The product of two polynomials, reduced.
fn multiply(a: u32, mut b: u32, polynomial: u32) -> u32 {
    let mut product = 0;
    for bit in (0..32).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = times_x(b, polynomial);
    }
    product
}

/// The product of a polynomial and x, reduced.
fn times_x(a: u32, polynomial: u32) -> u32 {
    a >> 1 ^ polynomial & (a & 1).wrapping_neg()
}

/// x^(8 * bytes), reduced.
fn power_of_x8(mut bytes: u64, polynomial: u32) -> u32 {
    let (mut power, mut square) = (1 << 31, X8);
    while bytes > 0 {
        if bytes & 1 == 1 {
            power = multiply(power, square, polynomial);
        }
        square = multiply(square, square, polynomial);
        bytes >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        for (algorithm, sum, of_nothing) in [
            (Algorithm::Crc32, 0xcbf4_3926, 0),
            (Algorithm::Crc32c, 0xe306_9283, 0),
            (Algorithm::Adler32, 0x091e_01de, 1),
        ] {
            assert_eq!(algorithm.of(b"123456789"), sum, "{algorithm:?}");
            assert_eq!(algorithm.of(b""), of_nothing, "{algorithm:?}");
        }
        let long = vec![0xff; 100_000];
        let (mut a, mut b) = (1u64, 0u64);
        for byte in &long {
            a = (a + u64::from(*byte)) % 65521;
            b = (b + a) % 65521;
        }
        assert_eq!(u64::from(Algorithm::Adler32.of(&long)), b << 16 | a);
    }

    proptest! {
        #[test]
        fn own_sums_are_found_where_a_direct_calculation_finds_them(
            bytes in prop::collection::vec(any::<u8>(), 4..300),
            ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
            places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..2),
            algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
        ) {
            let mut bytes = bytes;
            for (place, big) in places {
                let at = place.index(bytes.len() - 3);
                let sum = algorithm.with_zeros(&bytes, at..at + 4);
                let sum = if big { sum.to_be_bytes() } else { sum.to_le_bytes() };
                bytes[at..at + 4].copy_from_slice(&sum);
            }
            let (a, b) = (ends.0.index(bytes.len() + 1), ends.1.index(bytes.len() + 1));
            for window in [0..bytes.len(), a.min(b)..a.max(b)] {
                let mut naive = Vec::new();
                for at in window.start..window.end.saturating_sub(3).max(window.start) {
                    let sum = algorithm.with_zeros(&bytes, at..at + 4);
                    let there = &bytes[at..at + 4];
                    if there == sum.to_le_bytes() {
                        naive.push((at, ByteOrder::Little));
                    } else if there == sum.to_be_bytes() {
                        naive.push((at, ByteOrder::Big));
                    }
                }
                prop_assert_eq!(places_of_own_sum(algorithm, &bytes, window), naive);
            }
        }
    }
}
