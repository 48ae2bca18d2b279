//! ZVHD2, Huawei Cloud's compressed container, and the first part of ZVHD version 1, which shares its footer.
//!
//! Source: huaweicloud/ims-qemu-img, commit fc2d885, measured on files that its driver wrote and read. All integers
//! are little-endian. Fields named "lba" there are **byte** offsets.
//!
//! ```text
//! 0            HEAD footer, 4096 bytes
//! 4096         records, each a multiple of 4096, ascending block number, no gaps
//! M            MID footer, 4096 bytes
//! index_lba    index: index_seg_num x 524288 bytes
//! bitmap_lba   bitmap: bitmap_seg_num x 4096 bytes
//! EOF - 4096   END footer, 4096 bytes: the one that counts
//! ```

use byteorder::{ByteOrder, LittleEndian as LE};

/// Cookie of every footer of ZVHD2.
pub const COOKIE: [u8; 8] = *b"z2strm\0\0";
/// Cookie of both footers of ZVHD version 1.
pub const COOKIE_V1: [u8; 8] = *b"stream\0\0";
/// Bytes of a cookie that readers compare.
pub const COOKIE_COMPARED: usize = 6;

/// Everything in the file lies at a multiple of this, and a footer takes this much space.
pub const ALIGN: u64 = 4096;
/// Bytes of a block; readers have it compiled in.
pub const BLOCK_SIZE: u32 = 2 << 20;
/// Smallest block size that the header's rules allow, readable or not.
pub const BLOCK_SIZE_MIN: u32 = 1 << 20;
/// Largest block size that the header's rules allow, readable or not.
pub const BLOCK_SIZE_MAX: u32 = 32 << 20;
/// The disk size that readers expose is a multiple of this: 1 GiB.
pub const DISK_SIZE_STEP: u64 = 1 << 30;
/// The source's size is rounded up to this.
pub const SECTOR: u64 = 512;
/// Seconds from the Unix epoch to 2000-01-01T00:00:00Z, from which timestamps count.
pub const EPOCH_UNIX_SECONDS: u64 = 946_684_800;

/// Blocks that one index segment or one bitmap segment covers: 64 GiB of disk.
pub const BLOCKS_PER_SEGMENT: u32 = 32768;
/// Bytes of one index segment.
pub const INDEX_SEGMENT_SIZE: u32 = BLOCKS_PER_SEGMENT * 16;
/// Bytes of one bitmap segment.
pub const BITMAP_SEGMENT_SIZE: u32 = BLOCKS_PER_SEGMENT / 8;

/// `features` as the reference writes it.
pub const FEATURES: u32 = 2;
/// `ff_version` as the reference writes it.
pub const FF_VERSION: u32 = 0x0001_0000;
/// `data_offset` as the reference writes it.
pub const DATA_OFFSET: u64 = u64::MAX;
/// `crtr_app` as the reference writes it.
pub const CREATOR_APP: [u8; 4] = *b"tap\0";
/// `crtr_ver` as the reference writes it.
pub const CREATOR_VERSION: u32 = 0x0001_0004;
/// An older `crtr_ver` that exists and is read.
pub const CREATOR_VERSION_OLD: u32 = 0x0001_0003;
/// `type` as the reference writes it.
pub const TYPE: u32 = 4;
/// `zvhd2_version` of a file with index and bitmap.
pub const VERSION_INDEXED: u8 = 1;
/// `zvhd2_version` of the plain sequential form, without an index.
pub const VERSION_SEQUENTIAL: u8 = 0;
/// `compress_method` zlib.
pub const METHOD_ZLIB: u8 = 0;
/// `compress_method` zstd.
pub const METHOD_ZSTD: u8 = 1;

/// First bytes of a record.
pub const RECORD_PREFIX: [u8; 12] = *b"hwstream bg\0";
/// Last bytes of a record.
pub const RECORD_POSTFIX: [u8; 4] = *b"end\0";

const _: () = assert!(INDEX_SEGMENT_SIZE == 524_288 && BITMAP_SEGMENT_SIZE == 4096);
const _: () = assert!(IndexEntry::SIZE * BLOCKS_PER_SEGMENT as usize == INDEX_SEGMENT_SIZE as usize);

/// HEAD, MID or END: 512 bytes, stored as 4096 of which the rest may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    /// [`COOKIE`]; readers compare the first 6 bytes.
    pub cookie: [u8; 8],
    /// [`FEATURES`].
    pub features: u32,
    /// [`FF_VERSION`].
    pub ff_version: u32,
    /// [`DATA_OFFSET`].
    pub data_offset: u64,
    /// Seconds since 2000-01-01T00:00:00Z.
    pub timestamp: u32,
    /// [`CREATOR_APP`].
    pub crtr_app: [u8; 4],
    /// [`CREATOR_VERSION`].
    pub crtr_ver: u32,
    /// 0.
    pub crtr_os: u32,
    /// Size of the source in bytes, rounded up to 512.
    pub orig_size: u64,
    /// `orig_size` rounded up to 1 GiB: the virtual disk size that readers expose, in bytes.
    pub curr_size: u64,
    /// VHD CHS of `orig_size`: cylinders << 16 | heads << 8 | sectors per track. See [`geometry`].
    pub geometry: u32,
    /// [`TYPE`].
    pub disk_type: u32,
    /// See [`checksum`].
    pub checksum: u32,
    /// Random.
    pub uuid: [u8; 16],
    /// 0.
    pub saved: u8,
    /// 0.
    pub hidden: u8,
    /// 0.
    pub align_64: u8,
    /// [`VERSION_INDEXED`].
    pub zvhd2_version: u8,
    /// Bytes of a block: [`BLOCK_SIZE`].
    pub block_size: u32,
    /// Blocks of `orig_size`, the last one perhaps in part.
    pub max_blk_num: u32,
    /// Byte offset of the index; 0 in HEAD and MID.
    pub index_lba: u64,
    /// Byte offset of the bitmap; 0 in HEAD and MID.
    pub bitmap_lba: u64,
    /// Bytes of the index: `index_seg_num` x [`INDEX_SEGMENT_SIZE`]; 0 in HEAD and MID.
    pub index_size: u32,
    /// Bytes of the bitmap: `bitmap_seg_num` x [`BITMAP_SEGMENT_SIZE`]; 0 in HEAD and MID.
    pub bitmap_size: u32,
    /// [`INDEX_SEGMENT_SIZE`], also when there is no index; 0 in HEAD and MID.
    pub index_seg_size: u32,
    /// [`BITMAP_SEGMENT_SIZE`]; 0 in HEAD and MID.
    pub bitmap_seg_size: u32,
    /// Segments of the index, one for each 32768 data blocks begun; 0 in HEAD and MID.
    pub index_seg_num: u32,
    /// Segments of the bitmap, one for each 32768 blocks begun; 0 in HEAD and MID.
    pub bitmap_seg_num: u32,
    /// Data blocks, which is records; 0 in HEAD.
    pub non_zero_blk_num: u32,
    /// 0; with 1 the position in the index is the block number itself.
    pub index_contains_zero_blk: u8,
    /// [`METHOD_ZSTD`] or [`METHOD_ZLIB`].
    pub compress_method: u8,
    /// Zeros.
    pub reserved: [u8; 370],
}

impl Footer {
    /// Bytes that mean something.
    pub const SIZE: usize = 512;
    /// Where `checksum` is.
    pub const CHECKSUM_OFFSET: usize = 64;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut footer = Self {
            cookie: [0; 8],
            features: LE::read_u32(&b[8..12]),
            ff_version: LE::read_u32(&b[12..16]),
            data_offset: LE::read_u64(&b[16..24]),
            timestamp: LE::read_u32(&b[24..28]),
            crtr_app: [b[28], b[29], b[30], b[31]],
            crtr_ver: LE::read_u32(&b[32..36]),
            crtr_os: LE::read_u32(&b[36..40]),
            orig_size: LE::read_u64(&b[40..48]),
            curr_size: LE::read_u64(&b[48..56]),
            geometry: LE::read_u32(&b[56..60]),
            disk_type: LE::read_u32(&b[60..64]),
            checksum: LE::read_u32(&b[64..68]),
            uuid: [0; 16],
            saved: b[84],
            hidden: b[85],
            align_64: b[86],
            zvhd2_version: b[87],
            block_size: LE::read_u32(&b[88..92]),
            max_blk_num: LE::read_u32(&b[92..96]),
            index_lba: LE::read_u64(&b[96..104]),
            bitmap_lba: LE::read_u64(&b[104..112]),
            index_size: LE::read_u32(&b[112..116]),
            bitmap_size: LE::read_u32(&b[116..120]),
            index_seg_size: LE::read_u32(&b[120..124]),
            bitmap_seg_size: LE::read_u32(&b[124..128]),
            index_seg_num: LE::read_u32(&b[128..132]),
            bitmap_seg_num: LE::read_u32(&b[132..136]),
            non_zero_blk_num: LE::read_u32(&b[136..140]),
            index_contains_zero_blk: b[140],
            compress_method: b[141],
            reserved: [0; 370],
        };
        footer.cookie.copy_from_slice(&b[..8]);
        footer.uuid.copy_from_slice(&b[68..84]);
        footer.reserved.copy_from_slice(&b[142..]);
        footer
    }

    /// The 512 bytes. The checksum is written as it stands in the field; see [`Footer::sealed`].
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut b = [0; Self::SIZE];
        b[..8].copy_from_slice(&self.cookie);
        LE::write_u32(&mut b[8..12], self.features);
        LE::write_u32(&mut b[12..16], self.ff_version);
        LE::write_u64(&mut b[16..24], self.data_offset);
        LE::write_u32(&mut b[24..28], self.timestamp);
        b[28..32].copy_from_slice(&self.crtr_app);
        LE::write_u32(&mut b[32..36], self.crtr_ver);
        LE::write_u32(&mut b[36..40], self.crtr_os);
        LE::write_u64(&mut b[40..48], self.orig_size);
        LE::write_u64(&mut b[48..56], self.curr_size);
        LE::write_u32(&mut b[56..60], self.geometry);
        LE::write_u32(&mut b[60..64], self.disk_type);
        LE::write_u32(&mut b[64..68], self.checksum);
        b[68..84].copy_from_slice(&self.uuid);
        b[84] = self.saved;
        b[85] = self.hidden;
        b[86] = self.align_64;
        b[87] = self.zvhd2_version;
        LE::write_u32(&mut b[88..92], self.block_size);
        LE::write_u32(&mut b[92..96], self.max_blk_num);
        LE::write_u64(&mut b[96..104], self.index_lba);
        LE::write_u64(&mut b[104..112], self.bitmap_lba);
        LE::write_u32(&mut b[112..116], self.index_size);
        LE::write_u32(&mut b[116..120], self.bitmap_size);
        LE::write_u32(&mut b[120..124], self.index_seg_size);
        LE::write_u32(&mut b[124..128], self.bitmap_seg_size);
        LE::write_u32(&mut b[128..132], self.index_seg_num);
        LE::write_u32(&mut b[132..136], self.bitmap_seg_num);
        LE::write_u32(&mut b[136..140], self.non_zero_blk_num);
        b[140] = self.index_contains_zero_blk;
        b[141] = self.compress_method;
        b[142..].copy_from_slice(&self.reserved);
        b
    }

    /// The same footer with the checksum that belongs to it.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.checksum = checksum(&self.encode());
        self
    }

    /// Whether readers take it for a footer of ZVHD2.
    pub fn is_v2(&self) -> bool {
        self.cookie[..COOKIE_COMPARED] == COOKIE[..COOKIE_COMPARED]
    }

    /// Whether readers take it for a footer of ZVHD version 1.
    pub fn is_v1(&self) -> bool {
        self.cookie[..COOKIE_COMPARED] == COOKIE_V1[..COOKIE_COMPARED]
    }
}

/// One's complement of the sum of a footer's bytes, with the checksum field taken as 0.
pub fn checksum(b: &[u8; Footer::SIZE]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    !(sum(&b[..Footer::CHECKSUM_OFFSET]) + sum(&b[Footer::CHECKSUM_OFFSET + 4..]))
}

/// The CHS geometry that VHD gives a disk of `size` bytes, packed as in [`Footer::geometry`].
pub fn geometry(size: u64) -> u32 {
    const MAX_CYLINDERS: u64 = 65535;
    let sectors = (size / SECTOR).min(MAX_CYLINDERS * 16 * 255);
    let (tracks, heads, per_track) = if sectors >= MAX_CYLINDERS * 16 * 63 {
        (sectors / 255, 16, 255)
    } else {
        let tracks = sectors / 17;
        let heads = tracks.div_ceil(1024).max(4);
        if tracks < heads * 1024 && heads <= 16 {
            (tracks, heads, 17)
        } else if sectors / 31 < 16 * 1024 {
            (sectors / 31, 16, 31)
        } else {
            (sectors / 63, 16, 63)
        }
    };
    u32::try_from((tracks / heads) << 16 | heads << 8 | per_track).unwrap_or(u32::MAX)
}

/// What stands before the payload of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// [`RECORD_PREFIX`].
    pub prefix: [u8; 12],
    /// Bytes of payload.
    pub size: u32,
    /// Number of the block on the virtual disk.
    pub curr_blk: u32,
    /// Zeros. `compressed` (u8 at 20) and `orig_size` (u32 at 24) exist in the reference, never set and never read.
    pub reserved: [u8; 28],
}

impl RecordHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 48;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut header = Self {
            prefix: [0; 12],
            size: LE::read_u32(&b[12..16]),
            curr_blk: LE::read_u32(&b[16..20]),
            reserved: [0; 28],
        };
        header.prefix.copy_from_slice(&b[..12]);
        header.reserved.copy_from_slice(&b[20..]);
        header
    }

    /// The 48 bytes.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut b = [0; Self::SIZE];
        b[..12].copy_from_slice(&self.prefix);
        LE::write_u32(&mut b[12..16], self.size);
        LE::write_u32(&mut b[16..20], self.curr_blk);
        b[20..].copy_from_slice(&self.reserved);
        b
    }

    /// Bytes of the whole record in the file: header, payload and postfix, rounded up to [`ALIGN`].
    pub fn record_length(&self) -> u64 {
        (Self::SIZE as u64 + u64::from(self.size) + RECORD_POSTFIX.len() as u64).next_multiple_of(ALIGN)
    }
}

/// One entry of the index. The i-th entry belongs to the i-th set bit of the bitmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Byte offset of the record in the file.
    pub offset: u64,
    /// Number of the block on the virtual disk.
    pub block: u32,
    /// Bytes of the whole record; see [`RecordHeader::record_length`].
    pub length: u32,
}

impl IndexEntry {
    /// Bytes of an entry.
    pub const SIZE: usize = 16;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            offset: LE::read_u64(&b[..8]),
            block: LE::read_u32(&b[8..12]),
            length: LE::read_u32(&b[12..16]),
        }
    }

    /// The 16 bytes.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut b = [0; Self::SIZE];
        LE::write_u64(&mut b[..8], self.offset);
        LE::write_u32(&mut b[8..12], self.block);
        LE::write_u32(&mut b[12..16], self.length);
        b
    }
}

/// One field of the [`Footer`], for printing and for naming what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Byte offset in the footer.
    pub offset: usize,
    /// Bytes of the field.
    pub size: usize,
    /// Name in the reference.
    pub name: &'static str,
    /// Meaning, and the value that the reference writes.
    pub doc: &'static str,
}

impl Field {
    /// The field's bytes in an encoded footer.
    pub fn bytes<'a>(&self, footer: &'a [u8; Footer::SIZE]) -> &'a [u8] {
        footer.get(self.offset..).and_then(|tail| tail.get(..self.size)).unwrap_or_default()
    }

    /// The value as a number, for fields of up to 8 bytes.
    pub fn value(&self, footer: &[u8; Footer::SIZE]) -> Option<u64> {
        (self.size <= 8).then(|| LE::read_uint(self.bytes(footer), self.size))
    }
}

const fn field(offset: usize, size: usize, name: &'static str, doc: &'static str) -> Field {
    Field { offset, size, name, doc }
}

/// Every field of the footer, in order and without gaps.
pub const FIELDS: &[Field] = &[
    field(0, 8, "cookie", "z2strm in ZVHD2, stream in ZVHD version 1"),
    field(8, 4, "features", "always 2"),
    field(12, 4, "ff_version", "always 0x00010000"),
    field(16, 8, "data_offset", "always all ones"),
    field(24, 4, "timestamp", "seconds since 2000-01-01T00:00:00Z"),
    field(28, 4, "crtr_app", "always tap"),
    field(32, 4, "crtr_ver", "0x00010004; 0x00010003 in older files"),
    field(36, 4, "crtr_os", "always 0"),
    field(40, 8, "orig_size", "bytes of the source, rounded up to 512"),
    field(48, 8, "curr_size", "bytes of the virtual disk: orig_size rounded up to 1 GiB"),
    field(56, 4, "geometry", "VHD CHS of orig_size: cylinders << 16 | heads << 8 | sectors per track"),
    field(60, 4, "type", "always 4"),
    field(64, 4, "checksum", "one's complement of the byte sum of the footer"),
    field(68, 16, "uuid", "random"),
    field(84, 1, "saved", "always 0"),
    field(85, 1, "hidden", "always 0"),
    field(86, 1, "align_64", "always 0"),
    field(87, 1, "zvhd2_version", "1 = with an index, 0 = sequential only"),
    field(88, 4, "block_size", "bytes of a block, always 2097152"),
    field(92, 4, "max_blk_num", "blocks of the disk: orig_size / block_size, rounded up"),
    field(96, 8, "index_lba", "byte offset of the index; END only"),
    field(104, 8, "bitmap_lba", "byte offset of the bitmap; END only"),
    field(112, 4, "index_size", "bytes of the index; END only"),
    field(116, 4, "bitmap_size", "bytes of the bitmap; END only"),
    field(120, 4, "index_seg_size", "bytes of an index segment, 524288; END only"),
    field(124, 4, "bitmap_seg_size", "bytes of a bitmap segment, 4096; END only"),
    field(128, 4, "index_seg_num", "segments of the index; END only"),
    field(132, 4, "bitmap_seg_num", "segments of the bitmap; END only"),
    field(136, 4, "non_zero_blk_num", "data blocks; 0 in HEAD"),
    field(140, 1, "index_contains_zero_blk", "always 0; 1 = the position in the index is the block number"),
    field(141, 1, "compress_method", "1 = zstd, 0 = zlib"),
    field(142, 370, "reserved", "zeros"),
];

const _: () = {
    let (mut at, mut rest) = (0, FIELDS);
    while let [first, tail @ ..] = rest {
        assert!(first.offset == at, "a gap in the field table");
        at += first.size;
        rest = tail;
    }
    assert!(at == Footer::SIZE);
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_bytes_are_decoded_are_encoded_again(bytes in prop::collection::vec(any::<u8>(), Footer::SIZE)) {
            let footer = bytes.first_chunk().unwrap();
            prop_assert_eq!(&Footer::decode(footer).encode(), footer);
            let header = bytes.first_chunk().unwrap();
            prop_assert_eq!(&RecordHeader::decode(header).encode(), header);
            let entry = bytes.first_chunk().unwrap();
            prop_assert_eq!(&IndexEntry::decode(entry).encode(), entry);
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        let mut footer = [0; Footer::SIZE];
        let mut header = [0; RecordHeader::SIZE];
        let mut entry = [0; IndexEntry::SIZE];
        for (i, byte) in footer.iter_mut().chain(&mut header).chain(&mut entry).enumerate() {
            *byte = u8::try_from((i * 7 + 3) % 256).unwrap();
        }
        assert_eq!(Footer::decode(&footer).encode(), footer);
        assert_eq!(RecordHeader::decode(&header).encode(), header);
        assert_eq!(IndexEntry::decode(&entry).encode(), entry);
    }

    #[test]
    fn geometry_agrees_with_files_of_the_reference() {
        assert_eq!(geometry(0), 0x0000_0411);
        assert_eq!(geometry(8 << 20), 0x00f0_0411);
        assert_eq!(geometry(64 << 20), 0x03c3_0811);
    }

    #[test]
    fn a_record_is_rounded_up_with_its_postfix() {
        let length = |size| {
            let mut header = RecordHeader::decode(&[0; RecordHeader::SIZE]);
            header.size = size;
            header.record_length()
        };
        assert_eq!([0, 4044, 4045, u32::MAX].map(length), [4096, 4096, 8192, (1 << 32) + 4096]);
    }

    #[test]
    fn a_sealed_footer_has_its_checksum() {
        let footer = Footer::decode(&[7; Footer::SIZE]).sealed();
        assert_eq!(footer.checksum, !(7 * 508));
        assert_eq!(checksum(&footer.encode()), footer.checksum);
    }
}
