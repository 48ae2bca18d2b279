//! The NBD protocol's numbers, as far as a reader needs them.
//!
//! Source: the NBD project's doc/proto.md. All integers are big-endian.

/// What a server says first.
pub(super) const SERVER_MAGIC: u64 = u64::from_be_bytes(*b"NBDMAGIC");
/// Before each option, and second in the newstyle greeting.
pub(super) const OPTION_MAGIC: u64 = u64::from_be_bytes(*b"IHAVEOPT");
/// Before each answer to an option.
pub(super) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;

/// Server's and client's handshake flag: fixed newstyle.
pub(super) const FIXED_NEWSTYLE: u16 = 1 << 0;
/// The same for no padding after the old export option.
pub(super) const NO_ZEROES: u16 = 1 << 1;

/// Option: enter transmission.
pub(super) const OPTION_GO: u32 = 7;
/// Option: structured replies.
pub(super) const OPTION_STRUCTURED: u32 = 8;
/// Option: select what block status tells.
pub(super) const OPTION_SET_META_CONTEXT: u32 = 10;

/// Answer to an option: done.
pub(super) const REPLY_ACK: u32 = 1;
/// Answer to [`OPTION_GO`]: some information.
pub(super) const REPLY_INFO: u32 = 3;
/// Answer to [`OPTION_SET_META_CONTEXT`]: number and name of a context.
pub(super) const REPLY_META_CONTEXT: u32 = 4;
/// Answers with this bit are errors.
pub(super) const REPLY_ERROR: u32 = 1 << 31;
/// Information on the export: size and flags.
pub(super) const INFO_EXPORT: u16 = 0;

/// The context that tells of holes and zeros.
pub(super) const ALLOCATION: &[u8] = b"base:allocation";
/// Flag of a stretch in that context: it reads as zeros.
pub(super) const STATE_ZERO: u32 = 1 << 1;

/// Before each request.
pub(super) const REQUEST_MAGIC: u32 = 0x2560_9513;
/// Before each chunk of a structured reply.
pub(super) const CHUNK_MAGIC: u32 = 0x668e_33ef;
/// Request: read.
pub(super) const READ: u16 = 0;
/// Request: goodbye.
pub(super) const DISCONNECT: u16 = 2;
/// Request: block status.
pub(super) const BLOCK_STATUS: u16 = 7;

/// Flag of a chunk: the last one.
pub(super) const CHUNK_DONE: u16 = 1 << 0;
/// Chunk without content.
pub(super) const CHUNK_NONE: u16 = 0;
/// Chunk: an offset and data.
pub(super) const CHUNK_DATA: u16 = 1;
/// Chunk: an offset and the length of a hole.
pub(super) const CHUNK_HOLE: u16 = 2;
/// Chunk: a context's number, and stretches of length and flags.
pub(super) const CHUNK_STATUS: u16 = 5;
/// Chunks with this bit are errors.
pub(super) const CHUNK_ERROR: u16 = 1 << 15;
