//! The NBD protocol's numbers, as far as a client that reads and a server of such clients need them.
//!
//! Source: the NBD project's doc/proto.md. All integers are big-endian.

/// What a server says first.
pub(super) const SERVER_MAGIC: u64 = u64::from_be_bytes(*b"NBDMAGIC");
/// Before each option, and second in the newstyle greeting.
pub(super) const OPTION_MAGIC: u64 = u64::from_be_bytes(*b"IHAVEOPT");
/// Second in the greeting of servers before newstyle.
pub(super) const OLDSTYLE_MAGIC: u64 = 0x0000_4202_8186_1253;
/// Before each answer to an option.
pub(super) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;

/// Server's and client's handshake flag: fixed newstyle.
pub(super) const FIXED_NEWSTYLE: u16 = 1 << 0;
/// The same for no padding after the old export option.
pub(super) const NO_ZEROES: u16 = 1 << 1;

/// Option: enter transmission; the old one, without an answer that could say no.
pub(super) const OPTION_EXPORT_NAME: u32 = 1;
/// Option: leave.
pub(super) const OPTION_ABORT: u32 = 2;
/// Option: list the exports.
pub(super) const OPTION_LIST: u32 = 3;
/// Option: information on an export.
pub(super) const OPTION_INFO: u32 = 6;
/// Option: enter transmission.
pub(super) const OPTION_GO: u32 = 7;
/// Option: structured replies.
pub(super) const OPTION_STRUCTURED: u32 = 8;
/// Option: list the contexts of block status.
pub(super) const OPTION_LIST_META_CONTEXT: u32 = 9;
/// Option: select the context of block status.
pub(super) const OPTION_SET_META_CONTEXT: u32 = 10;

/// Answer to an option: done.
pub(super) const REPLY_ACK: u32 = 1;
/// Answer to [`OPTION_LIST`]: an export.
pub(super) const REPLY_SERVER: u32 = 2;
/// Answer to [`OPTION_GO`]: some information.
pub(super) const REPLY_INFO: u32 = 3;
/// Answer to [`OPTION_SET_META_CONTEXT`]: number and name of a context.
pub(super) const REPLY_META_CONTEXT: u32 = 4;
/// Answers with this bit are errors.
pub(super) const REPLY_ERROR: u32 = 1 << 31;
/// With [`REPLY_ERROR`]: the option is not supported.
pub(super) const ERROR_UNSUPPORTED: u32 = 1;
/// With [`REPLY_ERROR`]: the data of the option is invalid.
pub(super) const ERROR_INVALID: u32 = 3;
/// With [`REPLY_ERROR`]: the settings of the server forbid it.
pub(super) const ERROR_FORBIDDEN: u32 = 2;
/// With [`REPLY_ERROR`]: the server wants TLS first.
pub(super) const ERROR_TLS_REQUIRED: u32 = 5;
/// With [`REPLY_ERROR`]: there is no such export.
pub(super) const ERROR_UNKNOWN: u32 = 6;
/// Information on the export: size and flags.
pub(super) const INFO_EXPORT: u16 = 0;
/// Information on the export: the least, the preferred and the largest length of a request.
pub(super) const INFO_BLOCK_SIZE: u16 = 3;

/// Flag of an export: there are flags.
pub(super) const HAS_FLAGS: u16 = 1 << 0;
/// Flag of an export: it can't be written.
pub(super) const READ_ONLY: u16 = 1 << 1;
/// Flag of an export: [`COMMAND_DF`] is understood.
pub(super) const SEND_DF: u16 = 1 << 7;
/// Flag of an export: several connections see the same.
pub(super) const CAN_MULTI_CONN: u16 = 1 << 8;
/// Flag of an export: [`CACHE`] is understood.
pub(super) const SEND_CACHE: u16 = 1 << 10;

/// The context for holes and zeros.
pub(super) const ALLOCATION: &[u8] = b"base:allocation";
/// Flag of a stretch in that context: nothing is stored for it.
pub(super) const STATE_HOLE: u32 = 1 << 0;
/// Flag of a stretch in that context: it reads as zeros.
pub(super) const STATE_ZERO: u32 = 1 << 1;

/// Before each request.
pub(super) const REQUEST_MAGIC: u32 = 0x2560_9513;
/// Before each reply that has no chunks.
pub(super) const SIMPLE_MAGIC: u32 = 0x6744_6698;
/// Before each chunk of a structured reply.
pub(super) const CHUNK_MAGIC: u32 = 0x668e_33ef;
/// Request: read.
pub(super) const READ: u16 = 0;
/// Request: write.
pub(super) const WRITE: u16 = 1;
/// Request: goodbye.
pub(super) const DISCONNECT: u16 = 2;
/// Request: what was written is to be on the disk.
pub(super) const FLUSH: u16 = 3;
/// Request: discard.
pub(super) const TRIM: u16 = 4;
/// Request: these bytes are wanted soon.
pub(super) const CACHE: u16 = 5;
/// Request: write zeros.
pub(super) const WRITE_ZEROES: u16 = 6;
/// Request: block status.
pub(super) const BLOCK_STATUS: u16 = 7;

/// Flag of a read: its data comes in one chunk.
pub(super) const COMMAND_DF: u16 = 1 << 2;
/// Flag of a question on block status: one stretch is enough.
pub(super) const COMMAND_REQ_ONE: u16 = 1 << 3;

/// Error: the request would write.
pub(super) const EPERM: u32 = 1;
/// Error: the disk can't be read.
pub(super) const EIO: u32 = 5;
/// Error: the request is invalid.
pub(super) const EINVAL: u32 = 22;

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
/// Chunk: an error's number and message.
pub(super) const CHUNK_ERROR_ANY: u16 = CHUNK_ERROR | 1;
