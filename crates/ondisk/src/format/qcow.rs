//! QEMU's formats: qcow (version 1), qcow2 (versions 2 and 3) and QED.
//!
//! Sources: qemu docs/interop/qcow2.rst and docs/interop/qed_spec.rst. qcow and qcow2 are big-endian, QED is
//! little-endian.

use byteorder::{BigEndian as BE, ByteOrder, LittleEndian as LE};

/// First bytes of qcow and of qcow2; the version that follows distinguishes them.
pub const MAGIC: [u8; 4] = *b"QFI\xfb";
/// Largest length of a backing file's name in bytes.
pub const BACKING_NAME_MAX: u32 = 1023;
/// Values of `cluster_bits` that qcow2 readers take: 512 bytes to 2 MiB.
pub const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;

/// `crypt_method`: none.
pub const CRYPT_NONE: u32 = 0;
/// `crypt_method`: AES-CBC, in qcow and qcow2.
pub const CRYPT_AES: u32 = 1;
/// `crypt_method`: LUKS, in qcow2.
pub const CRYPT_LUKS: u32 = 2;

/// Incompatible feature: refcounts may be stale, as the image was not closed.
pub const INCOMPATIBLE_DIRTY: u64 = 1 << 0;
/// Incompatible feature: the image is corrupt and must not be written.
pub const INCOMPATIBLE_CORRUPT: u64 = 1 << 1;
/// Incompatible feature: guest data is in an external file.
pub const INCOMPATIBLE_DATA_FILE: u64 = 1 << 2;
/// Incompatible feature: the compression type field counts.
pub const INCOMPATIBLE_COMPRESSION: u64 = 1 << 3;
/// Incompatible feature: L2 entries are 16 bytes, with subclusters.
pub const INCOMPATIBLE_EXTENDED_L2: u64 = 1 << 4;
/// All incompatible features that the specification names.
pub const INCOMPATIBLE_KNOWN: u64 = INCOMPATIBLE_DIRTY
    | INCOMPATIBLE_CORRUPT
    | INCOMPATIBLE_DATA_FILE
    | INCOMPATIBLE_COMPRESSION
    | INCOMPATIBLE_EXTENDED_L2;

/// Entry of an L1 table: the bits that are the L2 table's byte offset.
pub const L1_OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// Entry of an L1 or L2 table: the cluster is used once, so that a writer may change it in place.
pub const ENTRY_COPIED: u64 = 1 << 63;
/// Entry of a refcount table: the bits that are the refcount block's byte offset.
pub const REFCOUNT_OFFSET: u64 = 0xffff_ffff_ffff_fe00;
/// Bytes of a refcount table at most, as in qemu.
pub const REFCOUNT_TABLE_MAX: u64 = 8 << 20;
/// Entries of a snapshot table at most, as in qemu.
pub const SNAPSHOTS_MAX: u32 = 65536;
/// Bytes of an entry of a snapshot table that all have; extra data, an identity and a name follow, padded to 8 bytes.
pub const SNAPSHOT_SIZE: usize = 40;
/// Entry of an L2 table: the cluster is compressed, and the other bits are those of a compressed cluster.
pub const L2_COMPRESSED: u64 = 1 << 62;
/// Entry of an L2 table, from version 3 on and without subclusters: the cluster reads as zeros, whatever its offset.
pub const L2_ZERO: u64 = 1 << 0;
/// Entry of an L2 table: the bits that are the cluster's byte offset, if it is not compressed.
pub const L2_OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
/// Subclusters of a cluster, where L2 entries are extended.
pub const SUBCLUSTERS: u32 = 32;
/// The least `cluster_bits` with extended L2 entries: subclusters have 512 bytes or more.
pub const EXTENDED_CLUSTER_BITS_MIN: u32 = 14;
/// A compressed cluster takes up sectors of this many bytes, the last one perhaps in part.
pub const COMPRESSED_SECTOR: u64 = 512;
/// Compression type: raw deflate.
pub const COMPRESSION_ZLIB: u8 = 0;
/// Compression type: one Zstandard frame for each cluster.
pub const COMPRESSION_ZSTD: u8 = 1;
/// Where version 3's header has the compression type, one byte, if it is longer than [`Qcow2HeaderV3::SIZE`] shows.
pub const COMPRESSION_TYPE_OFFSET: u64 = 104;

/// Header extension that ends the list.
pub const EXTENSION_END: u32 = 0;
/// Header extension with the external data file's name.
pub const EXTENSION_DATA_FILE: u32 = 0x4441_5441;

/// qcow2's header, as far as both versions have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qcow2Header {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// 2 or 3.
    pub version: u32,
    /// Byte offset of the backing file's name; 0 = none.
    pub backing_file_offset: u64,
    /// Bytes of that name, which has no NUL.
    pub backing_file_size: u32,
    /// log2 of the cluster size in bytes.
    pub cluster_bits: u32,
    /// Virtual disk size in bytes.
    pub size: u64,
    /// [`CRYPT_NONE`], [`CRYPT_AES`] or [`CRYPT_LUKS`].
    pub crypt_method: u32,
    /// Entries of the active L1 table.
    pub l1_size: u32,
    /// Byte offset of the active L1 table.
    pub l1_table_offset: u64,
    /// Byte offset of the refcount table.
    pub refcount_table_offset: u64,
    /// Clusters of the refcount table.
    pub refcount_table_clusters: u32,
    /// Internal snapshots.
    pub nb_snapshots: u32,
    /// Byte offset of the snapshot table.
    pub snapshots_offset: u64,
}

impl Qcow2Header {
    /// Bytes of version 2's header, with which version 3's begins.
    pub const SIZE: usize = 72;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            version: BE::read_u32(&b[4..8]),
            backing_file_offset: BE::read_u64(&b[8..16]),
            backing_file_size: BE::read_u32(&b[16..20]),
            cluster_bits: BE::read_u32(&b[20..24]),
            size: BE::read_u64(&b[24..32]),
            crypt_method: BE::read_u32(&b[32..36]),
            l1_size: BE::read_u32(&b[36..40]),
            l1_table_offset: BE::read_u64(&b[40..48]),
            refcount_table_offset: BE::read_u64(&b[48..56]),
            refcount_table_clusters: BE::read_u32(&b[56..60]),
            nb_snapshots: BE::read_u32(&b[60..64]),
            snapshots_offset: BE::read_u64(&b[64..72]),
        }
    }
}

/// What version 3 adds to qcow2's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qcow2HeaderV3 {
    /// Features without which a reader must refuse; see [`INCOMPATIBLE_KNOWN`].
    pub incompatible_features: u64,
    /// Features that a reader may ignore.
    pub compatible_features: u64,
    /// Features that a writer clears if it doesn't know them.
    pub autoclear_features: u64,
    /// log2 of the bits of a refcount.
    pub refcount_order: u32,
    /// Bytes of the whole header, from the file's start; extensions follow. At least 104.
    pub header_length: u32,
}

impl Qcow2HeaderV3 {
    /// Where it is.
    pub const OFFSET: u64 = Qcow2Header::SIZE as u64;
    /// Bytes of it.
    pub const SIZE: usize = 32;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            incompatible_features: BE::read_u64(&b[..8]),
            compatible_features: BE::read_u64(&b[8..16]),
            autoclear_features: BE::read_u64(&b[16..24]),
            refcount_order: BE::read_u32(&b[24..28]),
            header_length: BE::read_u32(&b[28..32]),
        }
    }
}

/// The first compression type that the specification does not name: 0 = zlib, 1 = zstd.
pub const COMPRESSION_TYPE_UNKNOWN: u8 = 2;
/// The bits of an entry of an L1 table that are a byte offset in the file; the others are flags and reserved.
pub const L1_OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;

/// The start of a header extension; its data follows, padded to a multiple of 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qcow2Extension {
    /// Which it is.
    pub kind: u32,
    /// Bytes of data, without the padding.
    pub length: u32,
}

impl Qcow2Extension {
    /// Bytes before the data.
    pub const SIZE: usize = 8;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { kind: BE::read_u32(&b[..4]), length: BE::read_u32(&b[4..8]) }
    }
}

/// The start of an entry of a snapshot table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Qcow2Snapshot {
    /// Byte offset of the snapshot's L1 table.
    pub l1_table_offset: u64,
    /// Entries of that table.
    pub l1_size: u32,
    /// Bytes of the entry, padding included.
    pub length: u64,
}

impl Qcow2Snapshot {
    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; SNAPSHOT_SIZE]) -> Self {
        let (identity, name) = (BE::read_u16(&b[12..14]), BE::read_u16(&b[14..16]));
        let variable = u64::from(identity) + u64::from(name) + u64::from(BE::read_u32(&b[36..40]));
        Self {
            l1_table_offset: BE::read_u64(&b[..8]),
            l1_size: BE::read_u32(&b[8..12]),
            length: (SNAPSHOT_SIZE as u64 + variable).next_multiple_of(8),
        }
    }
}

/// The header of qcow, version 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QcowHeader {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// 1.
    pub version: u32,
    /// Byte offset of the backing file's name; 0 = none.
    pub backing_file_offset: u64,
    /// Bytes of that name.
    pub backing_file_size: u32,
    /// Virtual disk size in bytes.
    pub size: u64,
    /// log2 of the cluster size in bytes.
    pub cluster_bits: u8,
    /// log2 of the entries of an L2 table.
    pub l2_bits: u8,
    /// [`CRYPT_NONE`] or [`CRYPT_AES`].
    pub crypt_method: u32,
    /// Byte offset of the L1 table.
    pub l1_table_offset: u64,
}

impl QcowHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 48;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            version: BE::read_u32(&b[4..8]),
            backing_file_offset: BE::read_u64(&b[8..16]),
            backing_file_size: BE::read_u32(&b[16..20]),
            size: BE::read_u64(&b[24..32]),
            cluster_bits: b[32],
            l2_bits: b[33],
            crypt_method: BE::read_u32(&b[36..40]),
            l1_table_offset: BE::read_u64(&b[40..48]),
        }
    }
}

/// First bytes of QED.
pub const QED_MAGIC: [u8; 4] = *b"QED\0";
/// QED feature: there is a backing file.
pub const QED_BACKING_FILE: u64 = 1 << 0;
/// QED feature: the image was not closed and needs a check.
pub const QED_NEED_CHECK: u64 = 1 << 1;
/// QED feature: the backing file is raw and is not to be probed.
pub const QED_BACKING_RAW: u64 = 1 << 2;
/// All QED features that the specification names.
pub const QED_KNOWN: u64 = QED_BACKING_FILE | QED_NEED_CHECK | QED_BACKING_RAW;

/// QED's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QedHeader {
    /// [`QED_MAGIC`].
    pub magic: [u8; 4],
    /// Bytes of a cluster: a power of two from 4 KiB to 64 MiB.
    pub cluster_size: u32,
    /// Clusters of an L1 or L2 table.
    pub table_size: u32,
    /// Clusters of the header.
    pub header_size: u32,
    /// See [`QED_KNOWN`].
    pub features: u64,
    /// Byte offset of the L1 table.
    pub l1_table_offset: u64,
    /// Virtual disk size in bytes.
    pub image_size: u64,
    /// Byte offset of the backing file's name.
    pub backing_name_offset: u32,
    /// Bytes of that name.
    pub backing_name_size: u32,
}

impl QedHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 64;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic: [b[0], b[1], b[2], b[3]],
            cluster_size: LE::read_u32(&b[4..8]),
            table_size: LE::read_u32(&b[8..12]),
            header_size: LE::read_u32(&b[12..16]),
            features: LE::read_u64(&b[16..24]),
            l1_table_offset: LE::read_u64(&b[40..48]),
            image_size: LE::read_u64(&b[48..56]),
            backing_name_offset: LE::read_u32(&b[56..60]),
            backing_name_size: LE::read_u32(&b[60..64]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qcow_is_big_endian_and_qed_is_little_endian() {
        let mut b = [0; Qcow2Header::SIZE];
        b[7] = 3;
        b[31] = 9;
        b[63] = 2;
        let header = Qcow2Header::decode(&b);
        assert_eq!((header.version, header.size, header.nb_snapshots), (3, 9, 2));
        let mut b = [0; QedHeader::SIZE];
        b[16] = 3;
        b[48] = 8;
        let header = QedHeader::decode(&b);
        assert_eq!((header.features, header.image_size), (QED_BACKING_FILE | QED_NEED_CHECK, 8));
        assert_eq!(Qcow2HeaderV3::OFFSET + Qcow2HeaderV3::SIZE as u64, 104);
    }
}
