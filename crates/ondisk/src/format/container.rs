//! What wraps an image without being a disk format: compressors, LUKS.
//!
//! Sources: RFC 1952 (gzip), the .xz File Format 1.2.1, RFC 8878 (Zstandard), bzip2's manual, LZ4 Frame Format 1.6,
//! LUKS On-Disk Format Specification 1.2.3, LUKS2 On-Disk Format Specification 1.1.1.

use byteorder::{BigEndian as BE, ByteOrder, LittleEndian as LE};

/// First bytes of a gzip member whose method is deflate, the only one defined. RFC 1952, 2.3.1.
pub const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// Flag bits of the byte after [`GZIP_MAGIC`] that must be zero.
pub const GZIP_FLAGS_RESERVED: u8 = 0xe0;

/// First bytes of an xz stream.
pub const XZ_MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// Magic of a Zstandard frame, read as a little-endian number. RFC 8878, 3.1.1.
pub const ZSTD_MAGIC: u32 = 0xfd2f_b528;
/// Magic of a skippable frame with its low four bits, which are free, as zeros. RFC 8878, 3.1.2.
pub const ZSTD_SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
/// The bits of a skippable frame's magic that count.
pub const ZSTD_SKIPPABLE_MASK: u32 = 0xffff_fff0;

/// First bytes of a bzip2 stream; a digit of 1 to 9 follows.
pub const BZIP2_MAGIC: [u8; 3] = *b"BZh";
/// First bytes of a bzip2 block, after the digit.
pub const BZIP2_BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
/// What stands there in a stream without blocks.
pub const BZIP2_END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/// First bytes of an LZ4 frame.
pub const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// First bytes of LZ4's legacy frame, of which `lz4 -l` and Linux kernels are.
pub const LZ4_LEGACY_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
/// Where an LZ4 frame has its flags.
pub const LZ4_FLAGS_OFFSET: usize = 4;
/// Flag of an LZ4 frame: its size unpacked follows the two bytes of the descriptor, as u64.
pub const LZ4_FLAG_SIZE: u8 = 1 << 3;
/// Where that is.
pub const LZ4_SIZE_OFFSET: u64 = 6;

/// The first 8 bytes of a Zstandard frame: all of a skippable frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZstdFrameStart {
    /// [`ZSTD_MAGIC`] or [`ZSTD_SKIPPABLE_MAGIC`].
    pub magic: u32,
    /// Bytes of a skippable frame after this header; in other frames the start of something else.
    pub skippable_size: u32,
}

impl ZstdFrameStart {
    /// Bytes of it.
    pub const SIZE: usize = 8;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: LE::read_u32(&b[..4]), skippable_size: LE::read_u32(&b[4..8]) }
    }
}

/// The window of the Zstandard frame that begins here: bytes that a reader has to keep. `None` if it is no frame, or not
/// enough of it is there. RFC 8878, 3.1.1.1.
pub fn zstd_window(frame: &[u8]) -> Option<u64> {
    let (magic, rest) = frame.split_first_chunk()?;
    let (descriptor, rest) = rest.split_first().filter(|_| u32::from_le_bytes(*magic) == ZSTD_MAGIC)?;
    let is_single_segment = descriptor & 1 << 5 != 0;
    if !is_single_segment {
        let window = rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // The window is all of the content, whose size follows the dictionary's number.
    let content = rest.get(
        match descriptor & 3 {
            3 => 4,
            length => length.into(),
        }..,
    )?;
    Some(match descriptor >> 6 {
        0 => u64::from(*content.first()?),
        1 => 256 + u64::from(u16::from_le_bytes(*content.first_chunk()?)),
        2 => u32::from_le_bytes(*content.first_chunk()?).into(),
        _ => u64::from_le_bytes(*content.first_chunk()?),
    })
}

/// The header of a Zstandard frame. RFC 8878, 3.1.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZstdHeader {
    /// Bytes of the header, from the magic on.
    pub size: u64,
    /// Bytes of the content, where the header has them.
    pub content: Option<u64>,
    /// Whether four bytes with a checksum follow the last block.
    pub has_checksum: bool,
}

impl ZstdHeader {
    /// Bytes of the longest header.
    pub const SIZE_MAX: usize = 18;

    /// The header that begins here; `None` if it is none, or not all of it is there.
    pub fn decode(frame: &[u8]) -> Option<Self> {
        let (magic, rest) = frame.split_first_chunk()?;
        let (descriptor, rest) = rest.split_first().filter(|_| u32::from_le_bytes(*magic) == ZSTD_MAGIC)?;
        let is_single_segment = descriptor & 1 << 5 != 0;
        let dictionary = match descriptor & 3 {
            3 => 4,
            length => usize::from(length),
        };
        let before = usize::from(!is_single_segment) + dictionary;
        let length = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            power => 1 << power,
        };
        let field = rest.get(before..before + length)?;
        let content = match field.len() {
            0 => None,
            2 => Some(256 + LE::read_uint(field, 2)),
            _ => Some(LE::read_uint(field, length)),
        };
        let size = 5 + before as u64 + length as u64;
        Some(Self { size, content, has_checksum: descriptor & 1 << 2 != 0 })
    }
}

/// The header of a block in a Zstandard frame. RFC 8878, 3.1.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZstdBlock {
    /// Whether the frame ends with it.
    pub is_last: bool,
    /// Bytes of it that follow this header; `None` if its type is reserved.
    pub size: Option<u64>,
}

impl ZstdBlock {
    /// Bytes of the header.
    pub const SIZE: usize = 3;

    /// The fields, whatever they hold.
    pub fn decode(b: [u8; Self::SIZE]) -> Self {
        let bits = LE::read_u24(&b);
        let size = match bits >> 1 & 3 {
            // Raw and compressed blocks.
            0 | 2 => Some(u64::from(bits >> 3)),
            // One byte, and how often it is repeated.
            1 => Some(1),
            _ => None,
        };
        Self { is_last: bits & 1 != 0, size }
    }
}

/// The descriptor of an LZ4 frame, behind its magic. LZ4 Frame Format 1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lz4Descriptor {
    /// Bytes of it.
    pub size: u64,
    /// Bytes of the content, where it has them.
    pub content: Option<u64>,
    /// Bytes of the checksum that follows each block.
    pub block_checksum: u64,
    /// Bytes of the checksum that follows the end mark.
    pub content_checksum: u64,
}

/// The bit of the length of an LZ4 block that says that the block is not compressed.
pub const LZ4_NOT_COMPRESSED: u32 = 1 << 31;

impl Lz4Descriptor {
    /// Bytes of the longest one.
    pub const SIZE_MAX: usize = 15;

    /// The descriptor that begins here; `None` if its version is unknown, or not all of it is there.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let flags = *bytes.first().filter(|flags| **flags >> 6 == 1)?;
        let content = match flags & LZ4_FLAG_SIZE {
            0 => None,
            _ => Some(u64::from_le_bytes(*bytes.get(2..)?.first_chunk()?)),
        };
        let size = 3 + if content.is_some() { 8 } else { 0 } + u64::from(flags & 1) * 4;
        Some(Self {
            size,
            content,
            block_checksum: u64::from(flags >> 4 & 1) * 4,
            content_checksum: u64::from(flags >> 2 & 1) * 4,
        })
    }
}

/// Bytes of the header and of the footer of an xz stream. The .xz File Format 1.2.1, 2.1.
pub const XZ_ENDS: u64 = 12;

/// Takes a number of an index or a block header from the front: seven bits in a byte, the lowest first; the highest bit says that another
/// byte follows. `None` if the bytes end within it, or if it takes more than nine bytes or more than it needs, which no reader of xz accepts.
pub fn take_xz_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return (*byte != 0 || shift == 0).then_some(number);
        }
    }
    None
}

/// Last bytes of an xz stream.
pub const XZ_FOOTER_MAGIC: [u8; 2] = *b"YZ";

/// The footer of an xz stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XzFooter {
    /// CRC-32 of what follows, without the magic.
    pub checksum: u32,
    /// Bytes of the index before the footer, as a number of four bytes less one.
    pub backward_size: u32,
    /// The same as in the header.
    pub flags: [u8; 2],
    /// [`XZ_FOOTER_MAGIC`].
    pub magic: [u8; 2],
}

impl XzFooter {
    /// Bytes of it.
    pub const SIZE: usize = 12;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            checksum: LE::read_u32(&b[..4]),
            backward_size: LE::read_u32(&b[4..8]),
            flags: [b[8], b[9]],
            magic: [b[10], b[11]],
        }
    }

    /// Bytes of the index before the footer.
    pub fn index_size(&self) -> u64 {
        (u64::from(self.backward_size) + 1) * 4
    }
}

/// First bytes of a LUKS volume, both versions.
pub const LUKS_MAGIC: [u8; 6] = *b"LUKS\xba\xbe";

/// The part of a LUKS header that both versions, or version 1, have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LuksHeader {
    /// [`LUKS_MAGIC`].
    pub magic: [u8; 6],
    /// 1 or 2.
    pub version: u16,
    /// Version 1: where the encrypted data starts, in sectors of 512 bytes.
    pub payload_offset: u32,
    /// Version 1: bytes of the master key.
    pub key_bytes: u32,
    /// Version 2: bytes of the binary header and the JSON area.
    pub header_size: u64,
}

/// Version 2: bytes of the binary header, after which the JSON area begins.
pub const LUKS2_BINARY_SIZE: u64 = 4096;

impl LuksHeader {
    /// Bytes that are decoded here, of 592 in version 1 and 4096 in version 2.
    pub const SIZE: usize = 112;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3], b[4], b[5]],
            version: BE::read_u16(&b[6..8]),
            payload_offset: BE::read_u32(&b[104..108]),
            key_bytes: BE::read_u32(&b[108..112]),
            header_size: BE::read_u64(&b[8..16]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zstd_window_is_a_power_with_eighths_or_the_content() {
        let frame = |rest: &[u8]| [&ZSTD_MAGIC.to_le_bytes()[..], rest].concat();
        assert_eq!(zstd_window(&frame(&[0, 0x50 | 3])), Some((1 << 20) + 3 * (1 << 17)));
        assert_eq!(zstd_window(&frame(&[0x00, 21 << 3])), Some(1 << 31));
        assert_eq!(zstd_window(&frame(&[0x20, 9])), Some(9));
        assert_eq!(zstd_window(&frame(&[0x62, 1, 2, 0, 1])), Some(256 + 256));
        assert_eq!(zstd_window(&frame(&[0xe0, 0, 0, 0, 0, 1, 0, 0, 0])), Some(1 << 32));
        for bad in [&frame(&[0])[..], &frame(&[0xe0, 1]), b"other", b""] {
            assert_eq!(zstd_window(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn headers_of_frames() {
        let frame = |rest: &[u8]| [&ZSTD_MAGIC.to_le_bytes()[..], rest].concat();
        let header = |size, content, has_checksum| Some(ZstdHeader { size, content, has_checksum });
        assert_eq!(ZstdHeader::decode(&frame(&[0, 0x50])), header(6, None, false));
        assert_eq!(ZstdHeader::decode(&frame(&[0x24, 9])), header(6, Some(9), true));
        assert_eq!(ZstdHeader::decode(&frame(&[0x62, 1, 2, 0, 1])), header(9, Some(512), false));
        assert_eq!(
            ZstdHeader::decode(&frame(&[0xc3, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0])),
            header(18, Some(5), false)
        );
        assert_eq!(ZstdHeader::decode(&frame(&[0x62, 1, 2, 0])), None);
        let block = |is_last, size| ZstdBlock { is_last, size };
        assert_eq!(ZstdBlock::decode([1, 0, 0]), block(true, Some(0)));
        assert_eq!(ZstdBlock::decode([0x12, 0, 0]), block(false, Some(1)));
        assert_eq!(ZstdBlock::decode([0x15, 0, 1]), block(true, Some(0x2002)));
        assert_eq!(ZstdBlock::decode([0x16, 0, 0]), block(false, None));
        let lz4 = Lz4Descriptor::decode(&[0x40, 0x40, 0]);
        let plain = Lz4Descriptor { size: 3, content: None, block_checksum: 0, content_checksum: 0 };
        assert_eq!(lz4, Some(plain));
        let all = Lz4Descriptor { size: 15, content: Some(7), block_checksum: 4, content_checksum: 4 };
        assert_eq!(Lz4Descriptor::decode(&[0x5d, 0x40, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0]), Some(all));
        assert_eq!(Lz4Descriptor::decode(&[0x80, 0x40, 0]), None);
    }

    #[test]
    fn a_luks_header_is_big_endian() {
        let mut b = [0; LuksHeader::SIZE];
        b[..6].copy_from_slice(&LUKS_MAGIC);
        b[7] = 1;
        b[106] = 0x10;
        let header = LuksHeader::decode(&b);
        assert_eq!((header.magic, header.version, header.payload_offset), (LUKS_MAGIC, 1, 0x1000));
    }
}
