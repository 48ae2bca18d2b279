//! The journal of ext3 and ext4 (JBD and JBD2). Source: kernel Documentation/filesystems/ext4/journal.rst; big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

use super::first;

/// The start of each block of the journal that is not a copy of one of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`Header::MAGIC`].
    pub magic: u32,
    /// [`Header::DESCRIPTOR`] and others.
    pub kind: u32,
    /// Number of the transaction.
    pub sequence: u32,
}

impl Header {
    /// Bytes of it.
    pub const SIZE: usize = 12;
    /// Value of `magic`.
    pub const MAGIC: u32 = 0xc03b_3998;
    /// `kind`: describes the copies of blocks that follow.
    pub const DESCRIPTOR: u32 = 1;
    /// `kind`: ends a transaction.
    pub const COMMIT: u32 = 2;
    /// `kind`: superblock, version 1.
    pub const SUPERBLOCK_1: u32 = 3;
    /// `kind`: superblock, version 2.
    pub const SUPERBLOCK_2: u32 = 4;
    /// `kind`: lists blocks of which copies up to this transaction are not to be used.
    pub const REVOKE: u32 = 5;
    /// Where a block of the kind [`Header::COMMIT`] has its checksum.
    pub const COMMIT_CHECKSUM: usize = 16;
    /// Where a block of the kind [`Header::REVOKE`] has the bytes that are used in it.
    pub const REVOKE_COUNT: usize = 12;
    /// Where the list of blocks begins in it.
    pub const REVOKE_LIST: usize = 16;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { magic: BE::read_u32(&b[..4]), kind: BE::read_u32(&b[4..8]), sequence: BE::read_u32(&b[8..12]) }
    }
}

/// The first block of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Magic and kind.
    pub header: Header,
    /// Bytes of a block: those of a block of the file system.
    pub block_size: u32,
    /// Blocks of the journal.
    pub blocks: u32,
    /// First block that transactions are written to.
    pub first: u32,
    /// Number of the first transaction that counts.
    pub sequence: u32,
    /// Where it begins; 0 = there is none.
    pub start: u32,
    /// Features that a reader has to know; none in version 1.
    pub incompatible: u32,
    /// UUID of the journal, which checksums begin with.
    pub uuid: [u8; 16],
}

impl Superblock {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 64;
    /// Feature: there are blocks of the kind [`Header::REVOKE`].
    pub const REVOKES: u32 = 0x1;
    /// Feature: blocks have numbers of 64 bits.
    pub const BITS_64: u32 = 0x2;
    /// Feature: a transaction may be ended before all of it is written.
    pub const ASYNC_COMMIT: u32 = 0x4;
    /// Feature: checksums, of which tags have 16 bits.
    pub const CHECKSUM_2: u32 = 0x8;
    /// Feature: checksums, of which tags have 32 bits.
    pub const CHECKSUM_3: u32 = 0x10;
    /// Feature: small changes stand at the end, in a form of their own.
    pub const FAST_COMMIT: u32 = 0x20;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let header = Header::decode(&first(b));
        let has_features = header.kind != Header::SUPERBLOCK_1;
        Self {
            header,
            block_size: BE::read_u32(&b[12..16]),
            blocks: BE::read_u32(&b[16..20]),
            first: BE::read_u32(&b[20..24]),
            sequence: BE::read_u32(&b[24..28]),
            start: BE::read_u32(&b[28..32]),
            incompatible: if has_features { BE::read_u32(&b[40..44]) } else { 0 },
            uuid: first(&b[48..]),
        }
    }
}

/// A tag: which block of the file system a copy in the journal is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Block of the file system.
    pub block: u64,
    /// [`Tag::ESCAPED`] and others.
    pub flags: u32,
    /// The checksum of the copy, where there are checksums: all of it, or the lower 16 bits.
    pub checksum: u32,
}

impl Tag {
    /// Flag: the copy began with [`Header::MAGIC`], which was replaced by zeros.
    pub const ESCAPED: u32 = 1;
    /// Flag: no UUID follows.
    pub const SAME_UUID: u32 = 2;
    /// Flag: the last tag of the block.
    pub const LAST: u32 = 8;
    /// Bytes of the largest tag, which decoding takes.
    pub const SIZE_MAX: usize = 16;
    /// Bytes of a UUID.
    pub const UUID: usize = 16;

    /// Bytes of a tag in a journal with these features.
    pub fn size(incompatible: u32) -> usize {
        if incompatible & Superblock::CHECKSUM_3 != 0 {
            return 16;
        }
        let checksum = if incompatible & Superblock::CHECKSUM_2 != 0 { 2 } else { 0 };
        let high = if incompatible & Superblock::BITS_64 != 0 { 4 } else { 0 };
        8 + checksum + high
    }

    /// The fields, whatever they hold. What comes after a shorter tag is not looked at.
    pub fn decode(b: &[u8; Self::SIZE_MAX], incompatible: u32) -> Self {
        let has_high = incompatible & Superblock::BITS_64 != 0;
        let high = if has_high { u64::from(BE::read_u32(&b[8..12])) << 32 } else { 0 };
        let block = high | u64::from(BE::read_u32(&b[..4]));
        if incompatible & Superblock::CHECKSUM_3 != 0 {
            return Self { block, flags: BE::read_u32(&b[4..8]), checksum: BE::read_u32(&b[12..16]) };
        }
        Self { block, flags: BE::read_u16(&b[6..8]).into(), checksum: BE::read_u16(&b[4..6]).into() }
    }
}
