//! Linux swap space. Source: kernel include/linux/swap.h, kernel/power/swap.c, and the documentation of userland software
//! suspend and of TuxOnIce.

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// Where the header is.
pub const OFFSET: u64 = 1024;
/// Sizes of a page, at whose end the magic is.
pub const PAGES: [u64; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
/// Bytes of the magic.
pub const MAGIC_SIZE: u64 = 10;
/// The magic.
pub const MAGIC: [u8; 10] = *b"SWAPSPACE2";
/// What stands in its place while the memory of a hibernated system is in it.
pub const HIBERNATION_MAGICS: [&[u8]; 4] = [b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND", b"LINHIB0001"];

/// Where the numbers of bad pages are, 32 bits each.
pub const BAD_PAGES_AT: u64 = 1536;

/// The header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1.
    pub version: u32,
    /// Number of the last page.
    pub last_page: u32,
    /// Pages that can't be used.
    pub bad_pages: u32,
    /// UUID.
    pub uuid: [u8; 16],
    /// Label, padded with NULs.
    pub label: [u8; 16],
}

impl Header {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 44;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            version: LE::read_u32(&b[..4]),
            last_page: LE::read_u32(&b[4..8]),
            bad_pages: LE::read_u32(&b[8..12]),
            uuid: first(&b[12..]),
            label: first(&b[28..]),
        }
    }
}
