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
    // The window is all of the content, whose size is told behind the dictionary's number.
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

/// Bytes of the header and of the footer of an xz stream. The .xz File Format 1.2.1, 2.1.
pub const XZ_ENDS: u64 = 12;
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
    fn a_luks_header_is_big_endian() {
        let mut b = [0; LuksHeader::SIZE];
        b[..6].copy_from_slice(&LUKS_MAGIC);
        b[7] = 1;
        b[106] = 0x10;
        let header = LuksHeader::decode(&b);
        assert_eq!((header.magic, header.version, header.payload_offset), (LUKS_MAGIC, 1, 0x1000));
    }
}
