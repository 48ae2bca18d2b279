//! XFS. Source: "XFS Algorithms & Data Structures", 3rd edition; big-endian.

use byteorder::{BigEndian as BE, ByteOrder};

use super::first;
use crate::disk::XfsSuperblock;

/// The superblock, at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Magic and block size.
    pub basic: XfsSuperblock,
    /// Blocks of the data part.
    pub blocks: u64,
    /// The file system's UUID.
    pub uuid: [u8; 16],
    /// Where the log begins: a group's number above `group_log` bits, a block in it below; 0 = on another device.
    pub log_start: u64,
    /// Blocks of an allocation group.
    pub group_blocks: u32,
    /// Blocks of the log.
    pub log_blocks: u32,
    /// Version in the low four bits.
    pub version: u16,
    /// Label, padded with NULs.
    pub label: [u8; 12],
    /// log2 of `group_blocks`, rounded up.
    pub group_log: u8,
    /// Not 0 while mkfs is at work, or if it was stopped.
    pub in_progress: u8,
    /// Incompatible features of version 5.
    pub incompatible: u32,
}

impl Superblock {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 264;
    /// Incompatible feature: the file system has to be repaired before it can be mounted.
    pub const INCOMPATIBLE_NEEDS_REPAIR: u32 = 0x10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: XfsSuperblock::decode(&first(b)),
            blocks: BE::read_u64(&b[8..16]),
            uuid: first(&b[32..]),
            log_start: BE::read_u64(&b[48..56]),
            group_blocks: BE::read_u32(&b[84..88]),
            log_blocks: BE::read_u32(&b[96..100]),
            version: BE::read_u16(&b[100..102]),
            label: first(&b[108..]),
            group_log: b[124],
            in_progress: b[126],
            incompatible: BE::read_u32(&b[216..220]),
        }
    }
}

/// Bytes of a block of the log, whatever the file system's.
pub const LOG_BLOCK: u64 = 512;
/// Most bytes of one record of the log without its header, and most that one is padded to.
pub const LOG_RECORD_MAX: u64 = 256 << 10;
/// Most records that are written at once, and so in no order.
pub const LOG_RECORDS_AT_ONCE: u64 = 8;

/// The first bytes of a block of the log: the header of a record, or the cycle in place of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBlock {
    /// [`LogBlock::MAGIC`] in a record's header; in other blocks the cycle in which they were written.
    pub magic_or_cycle: u32,
    /// Header: the cycle.
    pub cycle: u32,
    /// Header: version of the log.
    pub version: u32,
    /// Header: bytes of the record after the header.
    pub length: u32,
    /// Header: operations in the record.
    pub operations: u32,
    /// Header of version 2: bytes of the buffer that the record was written from.
    pub buffer: u32,
}

impl LogBlock {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 324;
    /// `magic_or_cycle` of a header.
    pub const MAGIC: u32 = 0xfeed_babe;
    /// Bytes of a record that one block of header is for.
    pub const HEADER_COVERS: u32 = 32 << 10;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            magic_or_cycle: BE::read_u32(&b[..4]),
            cycle: BE::read_u32(&b[4..8]),
            version: BE::read_u32(&b[8..12]),
            length: BE::read_u32(&b[12..16]),
            operations: BE::read_u32(&b[40..44]),
            buffer: BE::read_u32(&b[320..324]),
        }
    }
}

/// Where an operation's flags are, from the start of its header.
pub const OPERATION_FLAGS_OFFSET: usize = 9;
/// Flag of an operation: the file system was unmounted.
pub const OPERATION_UNMOUNT: u8 = 0x20;
