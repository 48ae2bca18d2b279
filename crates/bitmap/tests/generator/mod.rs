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
    /// In so many bytes, rounded up or not.
    ImageUnits(u64, bool),
    BlockSize,
    Blocks,
    DataBlocks,
    BitBytes,
    PaddedBytes,
    Sum(Sum, Over),
}

/// A kind of checksum.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sum {
    Crc,
    Castagnoli,
    Adler,
}

const SUMS: [Sum; 4] = [Sum::Crc, Sum::Crc, Sum::Castagnoli, Sum::Adler];

/// What a checksum is of, with zeros in its own place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Over {
    Bits,
    Padded,
    Before,
    Section,
    Header,
    FileBefore,
    File,
}

/// How the blocks are written.
#[derive(Clone, Debug)]
enum Map {
    Bits {
        most_first: bool,
    },
    /// A value for each block: one and the other.
    Cells([Vec<u8>; 2]),
    /// Two numbers for each run of data.
    List(List),
}

/// How runs are listed.
#[derive(Clone, Debug)]
struct List {
    /// Bytes that a number counts; 0 for blocks.
    unit: u64,
    second: Second,
    wide: bool,
    big: bool,
    clipped: bool,
}

/// What the second number is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Second {
    Length,
    Last,
    End,
}

impl List {
    fn write(&self, size: u64, block: u64, data: &[bool]) -> Vec<u8> {
        let unit = if self.unit == 0 { block } else { self.unit };
        let mut bytes = Vec::new();
        let mut number = 0;
        while number < data.len() {
            let first = number;
            while number < data.len() && data[number] {
                number += 1;
            }
            if number > first {
                let start = first as u64 * block / unit;
                let end = number as u64 * block;
                let end = if self.clipped && end > size { size } else { end };
                let end = end / unit + u64::from(end % unit > 0);
                let second = match self.second {
                    Second::Length => end - start,
                    Second::Last => end - 1,
                    Second::End => end,
                };
                bytes.extend(encoded(start, self.wide, self.big));
                bytes.extend(encoded(second, self.wide, self.big));
            }
            number += 1;
        }
        bytes
    }
}

impl Map {
    fn drawn(picker: &mut Picker) -> Self {
        if picker.coin() {
            return Self::Bits { most_first: picker.coin() };
        }
        let pairs: [[&[u8]; 2]; 8] = [
            [&[1], &[0]],
            [&[0xff], &[0]],
            [b"1", b"0"],
            [&[0, 1], &[0, 0]],
            [&[1, 0], &[0, 0]],
            [&[0xff, 0xff], &[0, 0]],
            [&[1, 0, 0, 0], &[0; 4]],
            [&[0, 0, 0, 1], &[0; 4]],
        ];
        Self::Cells(picker.of(&pairs).map(<[u8]>::to_vec))
    }

    /// Without padding, but for the bits that fill the last byte.
    fn write(&self, set: &[bool], fill: bool) -> Vec<u8> {
        match self {
            Self::Bits { .. } => {
                let mut bits = vec![0u8; set.len().div_ceil(8)];
                for block in 0..bits.len() * 8 {
                    if set.get(block).copied().unwrap_or(fill) {
                        bits[block / 8] |= self.bit(block as u64);
                    }
                }
                bits
            }
            Self::List(_) => unreachable!("it needs the size"),
            Self::Cells([one, zero]) => {
                set.iter().flat_map(|set| if *set { one.clone() } else { zero.clone() }).collect()
            }
        }
    }

    /// What has to be xored into the byte at [`Self::place`] so that a block is another.
    fn bit(&self, block: u64) -> u8 {
        match self {
            Self::Bits { most_first: true } => 0x80 >> (block % 8),
            Self::Bits { most_first: false } => 1 << (block % 8),
            Self::Cells(_) | Self::List(_) => 1,
        }
    }

    /// A byte of a block.
    fn place(&self, block: u64) -> usize {
        match self {
            Self::Bits { .. } => (block / 8) as usize,
            Self::Cells([one, _]) => block as usize * one.len(),
            Self::List(_) => 0,
        }
    }
}

/// A layout within what is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) block: u64,
    map: Map,
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
            map: Map::drawn(picker),
            set_is_zero: picker.coin(),
            unit: 1 << picker.of(&[0, 0, 0, 1, 2, 3, 4, 9, 9, 12, 12, 12]),
            fill: picker.between(0, 3) == 0,
            header: section(picker),
            trailer: section(picker),
        }
        .with_sums(picker)
    }

    /// One with a list of runs.
    pub(crate) fn listing(picker: &mut Picker) -> Self {
        let unit = picker.of(&[0, 512, 1]);
        let list = List {
            unit,
            second: picker.of(&[Second::Length, Second::Last, Second::End]),
            wide: picker.coin(),
            big: picker.coin(),
            clipped: unit > 0 && picker.coin(),
        };
        let block = 512 << picker.between(0, 5);
        Self { block, map: Map::List(list), unit: 1, fill: false, set_is_zero: false, ..Self::inside(picker) }
    }

    /// At most one checksum in each section of the section itself or of more, so that none covers the other.
    fn with_sums(mut self, picker: &mut Picker) -> Self {
        if picker.between(0, 2) == 0 && !self.trailer.is_empty() {
            let over = picker.of(&[Over::Before, Over::Section, Over::FileBefore, Over::File, Over::Header]);
            if over != Over::Header || !self.header.is_empty() {
                let sum = picker.of(&SUMS);
                self.trailer.push(drawn_number(picker, What::Sum(sum, over)));
            }
        }
        if picker.between(0, 2) == 0 && !self.header.is_empty() {
            let over = picker.of(&[Over::Before, Over::Section, Over::File]);
            if over != Over::File || self.trailer.is_empty() {
                let sum = picker.of(&SUMS);
                self.header.push(drawn_number(picker, What::Sum(sum, over)));
            }
        }
        self
    }

    pub(crate) fn header_length(&self) -> usize {
        length(&self.header)
    }

    /// Whether nothing but a few bytes of padding follows the bits.
    pub(crate) fn ends_in_short_padding(&self) -> bool {
        self.trailer.is_empty() && (2..=64).contains(&self.unit)
    }

    /// A byte of the map, and what has to be xored into it so that it is wrong for a block.
    pub(crate) fn place(&self, block: u64) -> (usize, u8) {
        (self.map.place(block), self.map.bit(block))
    }

    /// The file of an image of this size, whose blocks are so.
    pub(crate) fn write(&self, size: u64, data: &[bool]) -> Vec<u8> {
        let set = data.iter().map(|data| *data != self.set_is_zero).collect::<Vec<_>>();
        let mut bits = match &self.map {
            Map::List(list) => list.write(size, self.block, data),
            map => map.write(&set, self.fill),
        };
        let bit_bytes = bits.len();
        while !bits.len().is_multiple_of(self.unit) {
            bits.push(if self.fill { 0xff } else { 0 });
        }
        let number = |what| match what {
            What::ImageSize => size,
            What::ImageUnits(unit, up) => (size + if up { unit - 1 } else { 0 }) / unit,
            What::BlockSize => self.block,
            What::Blocks => data.len() as u64,
            What::DataBlocks => data.iter().filter(|data| **data).count() as u64,
            What::BitBytes => bit_bytes as u64,
            What::PaddedBytes => bits.len() as u64,
            What::Sum(..) => 0,
        };
        let header = write_section(&self.header, &number);
        let trailer = write_section(&self.trailer, &number);
        let (map, after) = (header.len(), header.len() + bits.len());
        let mut file = [header, bits, trailer].concat();
        let length = file.len();
        // Those of the map and the header first, then those of more: twice is enough for both.
        for _ in 0..3 {
            for (start, end, parts) in [(0, map, &self.header), (after, length, &self.trailer)] {
                let mut at = start;
                for part in parts {
                    if let Part::Number { what: What::Sum(sum, over), wide, big } = part {
                        let width = if *wide { 8 } else { 4 };
                        let own = at..at + width;
                        file[own.clone()].fill(0);
                        let covered = match over {
                            Over::Bits => &file[map..map + bit_bytes],
                            Over::Padded => &file[map..after],
                            Over::Before => &file[start..at],
                            Over::Section => &file[start..end],
                            Over::Header => &file[..map],
                            Over::FileBefore => &file[..at],
                            Over::File => &file[..],
                        };
                        let bytes = encoded(u64::from(sum.of(covered)), *wide, *big);
                        file[own].copy_from_slice(&bytes);
                    }
                    at += part.length();
                }
            }
        }
        file
    }
}

impl Part {
    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Number { wide: true, .. } => 8,
            Self::Number { wide: false, .. } => 4,
        }
    }
}

impl Sum {
    fn of(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Crc => crc(bytes, 0xedb8_8320),
            Self::Castagnoli => crc(bytes, 0x82f6_3b78),
            Self::Adler => {
                let (mut a, mut b) = (1u32, 0u32);
                for byte in bytes {
                    a = (a + u32::from(*byte)) % 65521;
                    b = (b + a) % 65521;
                }
                (b << 16) + a
            }
        }
    }
}

fn length(parts: &[Part]) -> usize {
    parts.iter().map(Part::length).sum()
}

fn write_section(parts: &[Part], number: &dyn Fn(What) -> u64) -> Vec<u8> {
    let bytes = parts.iter().map(|part| match part {
        Part::Bytes(constant) => constant.clone(),
        Part::Number { what, wide, big } => encoded(number(*what), *wide, *big),
    });
    bytes.collect::<Vec<_>>().concat()
}

fn drawn_number(picker: &mut Picker, what: What) -> Part {
    Part::Number { what, wide: picker.coin(), big: picker.coin() }
}

fn encoded(number: u64, wide: bool, big: bool) -> Vec<u8> {
    let mut bytes = number.to_le_bytes()[..if wide { 8 } else { 4 }].to_vec();
    if big {
        bytes.reverse();
    }
    bytes
}

/// A CRC of 32 bits, bit by bit.
fn crc(bytes: &[u8], polynomial: u32) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ polynomial } else { crc >> 1 };
        }
    }
    !crc
}

/// A header or trailer: magic, numbers, constants in between.
fn section(picker: &mut Picker) -> Vec<Part> {
    const PLAIN: [What; 16] = [
        What::ImageSize,
        What::ImageUnits(512, false),
        What::ImageUnits(1 << 10, true),
        What::ImageUnits(1 << 20, false),
        What::ImageUnits(1 << 20, true),
        What::BlockSize,
        What::Blocks,
        What::DataBlocks,
        What::BitBytes,
        What::PaddedBytes,
        What::Sum(Sum::Crc, Over::Bits),
        What::Sum(Sum::Crc, Over::Padded),
        What::Sum(Sum::Castagnoli, Over::Bits),
        What::Sum(Sum::Castagnoli, Over::Padded),
        What::Sum(Sum::Adler, Over::Bits),
        What::Sum(Sum::Adler, Over::Padded),
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
            let what = picker.of(&PLAIN);
            parts.push(drawn_number(picker, what));
        }
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
        let map = Map::Bits { most_first: picker.coin() };
        Self { inner: Drawn { map, ..Drawn::inside(picker) }, twist: TWISTS[(number % 12) as usize] }
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
