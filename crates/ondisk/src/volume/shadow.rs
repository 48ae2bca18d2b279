//! Shadow copies of a Windows volume: what earlier states of an NTFS are kept by. Source: libvshadow, "Volume Shadow Snapshot
//! (VSS) format".

use byteorder::{ByteOrder, LittleEndian as LE};

use super::first;

/// Where the header is on the volume.
pub const HEADER_AT: u64 = 0x1e00;
/// First bytes of the header and of each block of the catalog: the GUID 3808876b-c176-4e48-b7ae-04046e6cc752.
pub const IDENTIFIER: [u8; 16] =
    [0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52];

/// The header on the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`IDENTIFIER`].
    pub identifier: [u8; 16],
    /// Where the catalog is on the volume, in bytes; 0 = there is none.
    pub catalog: u64,
    /// The volume's GUID.
    pub volume: [u8; 16],
    /// GUID of the volume that the earlier states are kept on.
    pub storage: [u8; 16],
}

impl Header {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 96;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            identifier: first(b),
            catalog: LE::read_u64(&b[48..56]),
            volume: first(&b[64..]),
            storage: first(&b[80..]),
        }
    }
}

/// Bytes of a block of the catalog.
pub const CATALOG_BLOCK: usize = 16 << 10;
/// Where the place of the next block is in one, in bytes on the volume; 0 after the last one.
pub const CATALOG_NEXT: usize = 40;
/// Bytes of the head of a block of the catalog, and of each entry after it. An entry begins with a number of 64 bits.
pub const CATALOG_ENTRY: usize = 128;
/// The number that an entry begins with that describes nothing: never used, or used no more.
pub const CATALOG_UNUSED: [u64; 2] = [0, 1];
