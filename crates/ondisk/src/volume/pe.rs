//! Programs of EFI. Source: Microsoft, "PE Format".

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of a program.
pub const DOS_MAGIC: [u8; 2] = *b"MZ";
/// Where the offset of the real header is.
pub const HEADER_POINTER: usize = 0x3c;
/// First bytes of the real header.
pub const HEADER_MAGIC: [u8; 4] = *b"PE\0\0";
/// Machine: x86, 32 bits.
pub const MACHINE_IA32: u16 = 0x14c;
/// Machine: x86-64.
pub const MACHINE_X64: u16 = 0x8664;
/// Machine: ARM, 64 bits.
pub const MACHINE_AA64: u16 = 0xaa64;
/// Machines: ARM, 32 bits: plain, Thumb, Thumb-2.
pub const MACHINES_ARM: [u16; 3] = [0x1c0, 0x1c2, 0x1c4];

/// The start of the real header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`HEADER_MAGIC`].
    pub magic: [u8; 4],
    /// Values such as [`MACHINE_X64`].
    pub machine: u16,
}

impl Header {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 6;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: [b[0], b[1], b[2], b[3]], machine: LE::read_u16(&b[4..6]) }
    }
}
