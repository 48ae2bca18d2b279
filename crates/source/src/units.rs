//! Numbers that must not be mixed.

use std::fmt;

/// A byte position in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

/// The number of a block on the virtual disk, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockIndex(pub u64);

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(pub u64);

impl FileOffset {
    /// The position `count` bytes further on, or `None` beyond 2^64.
    pub fn checked_add(self, count: ByteCount) -> Option<Self> {
        self.0.checked_add(count.0).map(Self)
    }
}

impl fmt::Display for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BlockIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The decimal digits alone: scripts and scaled units are the printer's business.
impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The size of a block in bytes: a power of two from 512 bytes to 64 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockSize(u32);

impl BlockSize {
    /// The smallest block, one sector.
    pub const MIN: Self = Self(512);
    /// One page, the unit of bmaptool's block maps.
    pub const KIB_4: Self = Self(4 << 10);
    /// The largest block that bmaptool copies.
    pub const MIB_1: Self = Self(1 << 20);
    /// The unit of ZVHD2 and of the bitmap file.
    pub const MIB_2: Self = Self(2 << 20);
    /// The largest block.
    pub const MAX: Self = Self(64 << 20);

    /// `None` unless `bytes` is a power of two from 512 to 64 MiB.
    pub fn new(bytes: u64) -> Option<Self> {
        let size = Self(u32::try_from(bytes).ok()?);
        (bytes.is_power_of_two() && (Self::MIN..=Self::MAX).contains(&size)).then_some(size)
    }

    /// The size in bytes.
    pub fn bytes(self) -> u64 {
        u64::from(self.0)
    }

    /// The block twice as large, if there is one.
    pub fn doubled(self) -> Option<Self> {
        Self::new(self.bytes() * 2)
    }

    /// How many blocks hold `bytes`, the last one perhaps in part.
    pub fn blocks_in(self, bytes: u64) -> u64 {
        bytes.div_ceil(self.bytes())
    }
}

impl fmt::Display for BlockSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_are_powers_of_two_from_512_to_64_mib() {
        for bytes in [0, 1, 256, 511, 4095, 4097, 6 << 20, 128 << 20, 1 << 32, u64::MAX] {
            assert_eq!(BlockSize::new(bytes), None, "{bytes}");
        }
        let valid = (0..64).filter(|shift| BlockSize::new(1 << shift).is_some()).collect::<Vec<_>>();
        assert_eq!(valid, (9..=26).collect::<Vec<_>>());
        assert_eq!(BlockSize::MIN.doubled(), BlockSize::new(1024));
        assert_eq!(BlockSize::MAX.doubled(), None);
    }

    #[test]
    fn the_last_block_may_be_partial() {
        let size = BlockSize::MIB_2;
        assert_eq!([0, 1, 2 << 20, (2 << 20) + 1].map(|n| size.blocks_in(n)), [0, 1, 1, 2]);
        assert_eq!(size.blocks_in(u64::MAX), 1 << 43);
    }
}
