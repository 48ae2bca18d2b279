//! ZFS. Sources: "ZFS On-Disk Specification"; RFC 4506 (XDR) for the lists of names and values.

/// Where the list of names and values of the first label is.
pub const LIST_OFFSET: u64 = 16 << 10;
/// Bytes of that list.
pub const LIST_SIZE: u64 = 112 << 10;
/// First bytes of the list: XDR, and zeros in what is reserved. The byte between is the byte order of the writer.
pub const LIST_XDR: u8 = 1;
/// Where the uberblocks of the first label are.
pub const UBERBLOCKS_OFFSET: u64 = 128 << 10;
/// Bytes from one to the next, at least.
pub const UBERBLOCK_STEP: usize = 1024;
/// Bytes of all.
pub const UBERBLOCKS_SIZE: u64 = 128 << 10;
/// First number of an uberblock, in the byte order of who wrote it.
pub const UBERBLOCK_MAGIC: u64 = 0x00ba_b10c;
/// Type of a value: a number of 64 bits.
pub const VALUE_U64: u32 = 8;
/// Type of a value: a string.
pub const VALUE_STRING: u32 = 9;
