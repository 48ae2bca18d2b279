//! ZIP and 7z archives.
//!
//! Sources: PKWARE APPNOTE 6.3.10; 7zFormat.txt. Little-endian.

use byteorder::{ByteOrder, LittleEndian as LE};

/// First bytes of a ZIP archive: a local file header, the end of an empty archive, or a spanning marker.
pub const MAGICS: [[u8; 4]; 3] = [LOCAL_HEADER_MAGIC, EndOfDirectory::MAGIC, SPLIT];
/// What a member begins with. APPNOTE, 4.3.7.
pub const LOCAL_HEADER_MAGIC: [u8; 4] = *b"PK\x03\x04";
/// First bytes of a 7z archive.
pub const SEVEN_ZIP_MAGIC: [u8; 6] = [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c];
/// Bytes of a 7z archive's header.
pub const SEVEN_ZIP_HEADER_SIZE: u64 = 32;
/// Where in it stand the place of the list of members, counted from the header's end, and its length, of 8 bytes each.
pub const SEVEN_ZIP_LIST_OFFSET: u64 = 12;

/// `flags`: the member is patched data, which is no file by itself.
pub const FLAG_PATCHED: u16 = 1 << 5;
/// What a whole archive begins with that a program meant to split: four bytes before its first member.
pub const NOT_SPLIT: [u8; 4] = *b"PK00";
/// What a split archive begins with.
pub const SPLIT: [u8; 4] = *b"PK\x07\x08";
/// What may stand before the fields of a data descriptor. APPNOTE, 4.3.9.3.
pub const DESCRIPTOR_MAGIC: [u8; 4] = *b"PK\x07\x08";
/// First bytes of an entry of the directory. APPNOTE, 4.3.12.
pub const ENTRY_MAGIC: [u8; 4] = *b"PK\x01\x02";
/// Most bytes that deflate makes of one.
pub const DEFLATE_RATIO_MAX: u64 = 1032;

/// How the data of a member is compressed, of those ways that are read. APPNOTE, 4.4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As it is.
    Stored,
    /// Deflate.
    Deflate,
    /// bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
}

impl Method {
    /// The method of this number; `None` if it is not read.
    pub fn of(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::Stored,
            8 => Self::Deflate,
            12 => Self::Bzip2,
            93 => Self::Zstd,
            _ => return None,
        })
    }
}

/// What the directory has on the data of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberData {
    /// How it is compressed.
    pub method: Method,
    /// Its bytes, unpacked.
    pub size: u64,
    /// CRC-32 of these.
    pub crc: u32,
}

/// The last structure of an archive, as long as no comment follows it. APPNOTE, 4.3.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndOfDirectory {
    /// [`EndOfDirectory::MAGIC`].
    pub magic: [u8; 4],
    /// The number of the file of a split archive that this is, counted from 0; all ones if ZIP64's own structure has it.
    pub disk: u16,
    /// Members that begin in this file.
    pub members_here: u16,
    /// Members of the archive; all ones if ZIP64's own structure has the number.
    pub members: u16,
    /// Bytes of the directory; all ones if ZIP64's own structure has the number.
    pub directory_size: u32,
    /// Bytes of the comment that follows.
    pub comment_length: u16,
}

impl EndOfDirectory {
    /// Bytes without the comment.
    pub const SIZE: usize = 22;
    /// First bytes of it.
    pub const MAGIC: [u8; 4] = *b"PK\x05\x06";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            disk: LE::read_u16(&b[4..6]),
            members_here: LE::read_u16(&b[8..10]),
            members: LE::read_u16(&b[10..12]),
            directory_size: LE::read_u32(&b[12..16]),
            comment_length: LE::read_u16(&b[20..22]),
        }
    }
}

/// What stands before [`EndOfDirectory`] in an archive of ZIP64. APPNOTE, 4.3.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zip64Locator {
    /// [`Zip64Locator::MAGIC`].
    pub magic: [u8; 4],
    /// Files of the archive.
    pub disks: u32,
}

impl Zip64Locator {
    /// Bytes of it.
    pub const SIZE: usize = 20;
    /// First bytes of it.
    pub const MAGIC: [u8; 4] = *b"PK\x06\x07";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: [b[0], b[1], b[2], b[3]], disks: LE::read_u32(&b[16..20]) }
    }
}
