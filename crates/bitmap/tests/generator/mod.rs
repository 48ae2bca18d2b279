//! Layouts drawn at random, and the files in them: written with nothing of the crate that is tested.

/// A generator of numbers, so that a seed names a case.
pub(crate) struct Picker(u64);

impl Picker {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x9e37_79b9)
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 = self.0.max(1);
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    fn coin(&mut self) -> bool {
        self.between(0, 1) == 1
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.between(0, choices.len() as u64 - 1) as usize]
    }
}

#[derive(Clone, Debug)]
enum Part {
    Bytes(Vec<u8>),
    Number { what: What, wide: bool, big: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    ImageSize,
    BlockSize,
    Blocks,
    DataBlocks,
    BitBytes,
    PaddedBytes,
    BitsCrc,
    PaddedCrc,
    CrcOfBefore,
    CrcOfAll,
}

/// A layout within what is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) block: u64,
    most_first: bool,
    set_is_zero: bool,
    unit: usize,
    fill: bool,
    header: Vec<Part>,
    trailer: Vec<Part>,
}

impl Drawn {
    pub(crate) fn inside(picker: &mut Picker) -> Self {
        Self {
            // Images stay below 4 GiB, where a size of four bytes and one of eight are the same.
            block: 512 << picker.between(0, 12),
            most_first: picker.coin(),
            set_is_zero: picker.coin(),
            unit: 1 << picker.of(&[0, 0, 0, 1, 2, 3, 4, 9, 9, 12, 12, 12]),
            fill: picker.between(0, 3) == 0,
            header: section(picker),
            trailer: section(picker),
        }
    }

    pub(crate) fn header_length(&self) -> usize {
        length(&self.header)
    }

    /// Whether nothing but a few bytes of padding follows the bits.
    pub(crate) fn ends_in_short_padding(&self) -> bool {
        self.trailer.is_empty() && (2..=16).contains(&self.unit)
    }

    /// The mask of a block's bit within its byte.
    pub(crate) fn bit(&self, block: u64) -> u8 {
        if self.most_first { 0x80 >> (block % 8) } else { 1 << (block % 8) }
    }

    /// The file of an image of this size, whose blocks are so.
    pub(crate) fn write(&self, size: u64, data: &[bool]) -> Vec<u8> {
        let mut bits = vec![0u8; data.len().div_ceil(8)];
        let bit_bytes = bits.len();
        for block in 0..bits.len() * 8 {
            let set = data.get(block).map_or(self.fill, |data| *data != self.set_is_zero);
            if set {
                bits[block / 8] |= self.bit(block as u64);
            }
        }
        while !bits.len().is_multiple_of(self.unit) {
            bits.push(if self.fill { 0xff } else { 0 });
        }
        let number = |what| match what {
            What::ImageSize => size,
            What::BlockSize => self.block,
            What::Blocks => data.len() as u64,
            What::DataBlocks => data.iter().filter(|data| **data).count() as u64,
            What::BitBytes => bit_bytes as u64,
            What::PaddedBytes => bits.len() as u64,
            What::BitsCrc => u64::from(crc(&bits[..bit_bytes])),
            What::PaddedCrc => u64::from(crc(&bits)),
            What::CrcOfBefore | What::CrcOfAll => 0,
        };
        let header = write_section(&self.header, &number);
        let trailer = write_section(&self.trailer, &number);
        [header, bits, trailer].concat()
    }
}

fn length(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Bytes(bytes) => bytes.len(),
            Part::Number { wide, .. } => {
                if *wide {
                    8
                } else {
                    4
                }
            }
        })
        .sum()
}

fn write_section(parts: &[Part], number: &dyn Fn(What) -> u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut own = None;
    for part in parts {
        match part {
            Part::Bytes(constant) => bytes.extend(constant),
            Part::Number { what, wide, big } => {
                if matches!(what, What::CrcOfBefore | What::CrcOfAll) {
                    own = Some((bytes.len(), *what, *wide, *big));
                }
                bytes.extend(encoded(number(*what), *wide, *big));
            }
        }
    }
    if let Some((at, what, wide, big)) = own {
        let crc = if what == What::CrcOfBefore { crc(&bytes[..at]) } else { crc(&bytes) };
        let crc = encoded(u64::from(crc), wide, big);
        bytes[at..at + crc.len()].copy_from_slice(&crc);
    }
    bytes
}

fn encoded(number: u64, wide: bool, big: bool) -> Vec<u8> {
    let mut bytes = number.to_le_bytes()[..if wide { 8 } else { 4 }].to_vec();
    if big {
        bytes.reverse();
    }
    bytes
}

/// CRC-32, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A header or trailer: magic, numbers, constants in between; at most one checksum of its own.
fn section(picker: &mut Picker) -> Vec<Part> {
    const PLAIN: [What; 8] = [
        What::ImageSize,
        What::BlockSize,
        What::Blocks,
        What::DataBlocks,
        What::BitBytes,
        What::PaddedBytes,
        What::BitsCrc,
        What::PaddedCrc,
    ];
    let mut parts = Vec::new();
    if picker.between(0, 2) == 0 {
        return parts;
    }
    if picker.between(0, 4) > 0 {
        let magic = (0..picker.of(&[4, 4, 8])).map(|_| picker.between(0x41, 0x5a) as u8).collect();
        parts.push(Part::Bytes(magic));
    }
    for _ in 0..picker.between(0, 5) {
        if picker.between(0, 4) == 0 {
            // Versions, flags, reserved bytes.
            // A trailer that begins with many zeros is not looked for: they would be padding.
            let length = if parts.is_empty() { picker.of(&[1, 2, 4]) } else { picker.of(&[1, 2, 4, 8, 32]) };
            let value = picker.of(&[0, 0, 1, 0x80]);
            let mut bytes = vec![0; length];
            bytes[0] = value;
            parts.push(Part::Bytes(bytes));
        } else {
            let (what, wide, big) = (picker.of(&PLAIN), picker.coin(), picker.coin());
            parts.push(Part::Number { what, wide, big });
        }
    }
    if picker.between(0, 2) == 0 && !parts.is_empty() {
        let what = picker.of(&[What::CrcOfBefore, What::CrcOfAll]);
        parts.push(Part::Number { what, wide: picker.coin(), big: picker.coin() });
    }
    parts
}

/// A way of writing a bitmap that is not looked for.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    inner: Drawn,
    twist: Twist,
}

#[derive(Clone, Copy, Debug)]
enum Twist {
    /// Blocks of three times a power of two.
    OddBlocks,
    /// Two bits for each block.
    TwoBits,
    /// The blocks from the last to the first.
    Backwards,
    /// All bits but the first one step on.
    Shifted,
    /// Words of 32 bits in the wrong byte order.
    SwappedWords,
    /// A checksum of another kind in the header.
    OtherChecksum,
    /// The time in the header.
    Time,
    /// A header whose length is not the same in all files.
    LongerHeader,
    /// Padding that is neither zeros nor ones.
    OddPadding,
    /// Every byte xored with its place.
    Masked,
    /// Bits and trailer the other way round, by a trailer of their own length.
    Doubled,
    /// A number of zero blocks, which is none of the numbers.
    ZeroBlocks,
}

const TWISTS: [Twist; 12] = [
    Twist::OddBlocks,
    Twist::TwoBits,
    Twist::Backwards,
    Twist::Shifted,
    Twist::SwappedWords,
    Twist::OtherChecksum,
    Twist::Time,
    Twist::LongerHeader,
    Twist::OddPadding,
    Twist::Masked,
    Twist::Doubled,
    Twist::ZeroBlocks,
];

impl Outside {
    pub(crate) fn drawn(picker: &mut Picker, number: u64) -> Self {
        Self { inner: Drawn::inside(picker), twist: TWISTS[(number % 12) as usize] }
    }

    /// The blocks that images are to be drawn in.
    pub(crate) fn block(&self) -> u64 {
        self.inner.block
    }

    pub(crate) fn write(&self, size: u64, data: &[bool]) -> Vec<u8> {
        let plain = self.inner.write(size, data);
        let (from, bits) = (self.inner.header_length(), data.len().div_ceil(8));
        let mut file = plain.clone();
        match self.twist {
            Twist::OddBlocks => {
                let threes = data.chunks(3).map(|three| three.contains(&true)).collect::<Vec<_>>();
                self.inner.write(size, &threes)
            }
            Twist::TwoBits => {
                let twice = data.iter().flat_map(|data| [*data, *data]).collect::<Vec<_>>();
                self.inner.write(size, &twice)
            }
            Twist::Backwards => {
                let back = data.iter().rev().copied().collect::<Vec<_>>();
                self.inner.write(size, &back)
            }
            Twist::Shifted => {
                let shifted = std::iter::once(true).chain(data.iter().copied()).collect::<Vec<_>>();
                self.inner.write(size, &shifted)
            }
            Twist::SwappedWords => {
                file[from..from + bits / 4 * 4].chunks_mut(4).for_each(<[u8]>::reverse);
                file
            }
            Twist::OtherChecksum => {
                let sum =
                    plain.iter().fold(1u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
                [&sum.to_le_bytes()[..], &plain].concat()
            }
            Twist::Time => {
                let time = (1_700_000_000 + size % 1_000_003 + plain.len() as u64) as u32;
                [b"TIME", &time.to_le_bytes()[..], &plain].concat()
            }
            Twist::LongerHeader => [&vec![7; 1 + bits % 29][..], &plain].concat(),
            Twist::OddPadding => {
                let pad = (0..5 + bits % 7).map(|i| 0x30 + i as u8).collect::<Vec<_>>();
                [&plain[..from + bits], &pad, b"\x5a\x5b"].concat()
            }
            Twist::Masked => {
                file.iter_mut().zip(1u8..=250).for_each(|(byte, place)| *byte ^= place);
                file.iter_mut().skip(250).for_each(|byte| *byte ^= 0x6b);
                file
            }
            Twist::Doubled => [&plain[from..from + bits], &[0xee; 5000][..], &plain].concat(),
            Twist::ZeroBlocks => {
                let zeros = data.iter().filter(|data| !**data).count() as u32;
                [b"ZERO", &zeros.to_be_bytes()[..], &plain].concat()
            }
        }
    }
}
