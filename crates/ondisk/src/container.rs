//! What wraps an image without being a disk format: compressors, archives, LUKS.
//!
//! Sources: RFC 1952 (gzip), the .xz File Format 1.2.1, RFC 8878 (Zstandard), bzip2's manual, PKWARE APPNOTE 6.3.10
//! (ZIP), POSIX.1-2017 pax (ustar), LUKS On-Disk Format Specification 1.2.3, LUKS2 On-Disk Format Specification 1.1.1.

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

/// First bytes of a ZIP archive: a local file header, the end of an empty archive, or a spanning marker.
pub const ZIP_MAGICS: [[u8; 4]; 3] = [*b"PK\x03\x04", *b"PK\x05\x06", *b"PK\x07\x08"];

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

/// The header of a tar member, as POSIX has it. Source: POSIX.1-2017, pax, "ustar Interchange Format".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarHeader {
    /// The member's name, padded with NULs.
    pub name: [u8; 100],
    /// Bytes of the member: in octal digits, or, with the highest bit of the first byte set, as a big-endian number (GNU).
    pub size: [u8; 12],
    /// Sum of the header's bytes with this field as spaces, in octal digits.
    pub checksum: [u8; 8],
    /// What the member is: see [`TarHeader::is_file`].
    pub kind: u8,
    /// [`TarHeader::MAGIC`], followed by a NUL and version 00, or in GNU's older form by two spaces and a NUL.
    pub magic: [u8; 5],
    /// What the bytes add up to.
    pub sum: u32,
}

impl TarHeader {
    /// Bytes of a header.
    pub const SIZE: usize = 512;
    /// Value of `magic`.
    pub const MAGIC: [u8; 5] = *b"ustar";

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let mut header = Self {
            name: [0; 100],
            size: [0; 12],
            checksum: [0; 8],
            kind: b[156],
            magic: [0; 5],
            sum: sum(&b[..148]) + 8 * u32::from(b' ') + sum(&b[156..]),
        };
        header.name.copy_from_slice(&b[..100]);
        header.size.copy_from_slice(&b[124..136]);
        header.checksum.copy_from_slice(&b[148..156]);
        header.magic.copy_from_slice(&b[257..262]);
        header
    }
}

impl TarHeader {
    /// Whether the member is a regular file; others are links, folders, and more on the member that follows.
    pub fn is_file(&self) -> bool {
        matches!(self.kind, 0 | b'0' | b'7')
    }

    /// Whether the sum of the bytes is the one that the header has.
    pub fn is_sound(&self) -> bool {
        octal(&self.checksum) == Some(self.sum.into())
    }

    /// Bytes of the member; `None` if that is no number, or more than 64 bits have.
    pub fn member_size(&self) -> Option<u64> {
        let [first, rest @ ..] = &self.size;
        if first & 0x80 == 0 {
            return octal(&self.size);
        }
        let bytes = std::iter::once(first & 0x7f).chain(rest.iter().copied());
        bytes.into_iter().try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(byte.into()))
    }
}

fn octal(digits: &[u8]) -> Option<u64> {
    let text = str::from_utf8(digits).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
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

/// Image formats that are only recognised, by their first bytes, with the name that people use.
///
/// Sources: the Parallels expandable format as described in qemu docs/interop/parallels.rst; Bochs' and cloop's own
/// documentation; LZ4 Frame Format 1.6; 7zFormat.txt; AOSP libsparse; libewf's and AFFLIB's format documents; Microsoft
/// "Windows Imaging File Format".
pub const FOREIGN_MAGICS: &[(&str, &[u8])] = &[
    ("parallels", b"WithoutFreeSpace"),
    ("parallels", b"WithouFreSpacExt"),
    ("bochs", b"Bochs Virtual HD Image"),
    ("cloop", b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop"),
    ("lz4", &[0x04, 0x22, 0x4d, 0x18]),
    ("7z", &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c]),
    ("android-sparse", &[0x3a, 0xff, 0x26, 0xed]),
    ("ewf", b"EVF\x09\x0d\x0a\xff\x00"),
    ("ewf", b"EVF2\x0d\x0a\x81\x00"),
    ("aff", b"AFF10\r\n\0"),
    ("wim", b"MSWIM\0\0\0"),
];

/// First bytes of the trailer in the last 512 bytes of an Apple disk image.
pub const DMG_TRAILER_MAGIC: [u8; 4] = *b"koly";
/// Bytes of that trailer, which the trailer itself says big-endian at its offset 8.
pub const DMG_TRAILER_SIZE: u32 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tar_checksum_counts_its_own_field_as_spaces() {
        let mut b = [0; TarHeader::SIZE];
        b[0] = 5;
        b[148..156].copy_from_slice(b"0000405\0");
        b[257..262].copy_from_slice(b"ustar");
        let header = TarHeader::decode(&b);
        assert_eq!(header.sum, 5 + 8 * 32 + b"ustar".iter().map(|c| u32::from(*c)).sum::<u32>());
        assert_eq!((&header.checksum, &header.magic), (b"0000405\0", b"ustar"));
    }

    #[test]
    fn a_tar_size_is_octal_or_a_number() {
        let mut b = [0; TarHeader::SIZE];
        b[124..136].copy_from_slice(b"00000001750\0");
        assert_eq!(TarHeader::decode(&b).member_size(), Some(1000));
        b[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(TarHeader::decode(&b).member_size(), Some((2 << 32) + 1));
        b[124..136].fill(0xff);
        assert_eq!(TarHeader::decode(&b).member_size(), None);
        b[124..136].copy_from_slice(b"eight       ");
        assert_eq!(TarHeader::decode(&b).member_size(), None);
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
