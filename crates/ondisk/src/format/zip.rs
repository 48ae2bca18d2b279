//! ZIP and 7z archives.
//!
//! Sources: PKWARE APPNOTE 6.3.10; 7zFormat.txt. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of a ZIP archive: a local file header, the end of an empty archive, or a spanning marker.
pub const MAGICS: [[u8; 4]; 3] = [LocalHeader::MAGIC, EndOfDirectory::MAGIC, *b"PK\x07\x08"];
/// First bytes of a 7z archive.
pub const SEVEN_ZIP_MAGIC: [u8; 6] = [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c];
/// Bytes of a 7z archive's header.
pub const SEVEN_ZIP_HEADER_SIZE: u64 = 32;
/// Where in it stand the place of the list of members, counted from the header's end, and its length, of 8 bytes each.
pub const SEVEN_ZIP_LIST_OFFSET: u64 = 12;

/// `method`: stored as it is.
pub const METHOD_STORED: u16 = 0;
/// `method`: deflate.
pub const METHOD_DEFLATE: u16 = 8;
/// `flags`: the member is encrypted.
pub const FLAG_ENCRYPTED: u16 = 1 << 0;
/// `flags`: sizes and CRC follow the data, as they were not known before.
pub const FLAG_SIZES_FOLLOW: u16 = 1 << 3;
/// A size that is in the extra field of ZIP64.
pub const SIZE_IN_EXTRA: u32 = u32::MAX;
/// Identifier of the extra field of ZIP64; its first number is the size unpacked.
pub const EXTRA_ZIP64: u16 = 1;

/// What a member begins with; its name, extra fields and data follow. APPNOTE, 4.3.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalHeader {
    /// [`LocalHeader::MAGIC`].
    pub magic: [u8; 4],
    /// Values such as [`FLAG_ENCRYPTED`].
    pub flags: u16,
    /// Values such as [`METHOD_STORED`].
    pub method: u16,
    /// Bytes of the data.
    pub compressed_size: u32,
    /// Bytes unpacked, or [`SIZE_IN_EXTRA`].
    pub size: u32,
    /// Bytes of the name.
    pub name_length: u16,
    /// Bytes of the extra fields.
    pub extra_length: u16,
}

impl LocalHeader {
    /// Bytes before the name.
    pub const SIZE: usize = 30;
    /// First bytes of the header.
    pub const MAGIC: [u8; 4] = *b"PK\x03\x04";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            flags: LE::read_u16(&b[6..8]),
            method: LE::read_u16(&b[8..10]),
            compressed_size: LE::read_u32(&b[18..22]),
            size: LE::read_u32(&b[22..26]),
            name_length: LE::read_u16(&b[26..28]),
            extra_length: LE::read_u16(&b[28..30]),
        }
    }
}

/// The last structure of an archive, as long as no comment follows it. APPNOTE, 4.3.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndOfDirectory {
    /// [`EndOfDirectory::MAGIC`].
    pub magic: [u8; 4],
    /// Members of the archive; all ones if ZIP64's own structure has the number.
    pub members: u16,
}

impl EndOfDirectory {
    /// Bytes without the comment.
    pub const SIZE: usize = 22;
    /// First bytes of it.
    pub const MAGIC: [u8; 4] = *b"PK\x05\x06";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: [b[0], b[1], b[2], b[3]], members: LE::read_u16(&b[10..12]) }
    }
}
