//! Every rule of the container, in one table.
//!
//! Error: the index reader cannot read the file, or reads other data than was written. Warning: only the index reader can
//! read the file, or the reference does not write such a file. Bytes that the reference leaves uninitialised have no rule.

use imsprep_findings::rules;

const WRITER: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its driver writes";
const READER: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its index reader reads";
const BOTH: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what both of its readers accept";
const SEQUENTIAL: &str =
    "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its sequential reader accepts";

const AGAIN: &str = "convert the source image to ZVHD2 again";
const FIX_TOOL: &str =
    "convert the image to ZVHD2 again with a tool that writes what the vendor's driver writes";
const COPY_AGAIN: &str = "copy or download the file again and compare the sizes; if they are equal, convert the source again, or \
     recover the intact blocks of the file into a new file with imsprep zvhd2 repair";

rules! {
    /// Every rule of this crate, by code.
    pub static RULES: convertible = false;

    // The file as a whole.
    pub(crate) VERSION_1 = "ZV-001", Error, "the file is ZVHD version 1", {
        why: "version 1 has no index: quick import takes ZVHD2 only",
        source: WRITER,
        fix: "convert it to ZVHD2 or RAW with the tool that made it; or use the common import, for files up to 128 GiB",
    }
    pub(crate) TOO_SHORT = "ZV-002", Error, "the file is shorter than one footer", {
        why: "a footer takes 4096 bytes, and the smallest file has one",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) END_MISSING = "ZV-003", Error, "the file has no END footer", {
        why: "readers expect END in the last 4096 bytes; it has the offsets of index and bitmap",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) TRAILING_BYTES = "ZV-004", Error, "there are bytes after the END footer", {
        why: "readers expect END in the last 4096 bytes",
        source: BOTH,
        fix: "truncate the file at the end of its END footer",
    }
    pub(crate) END_CHECKSUM = "ZV-005", Error, "the checksum of END is wrong", {
        why: "readers refuse the file; a byte of END was changed",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) NEVER_WRITTEN = "ZV-006", Error, "the file was created and never written", {
        why: "it has only a HEAD, for a disk that is not empty",
        source: BOTH,
        fix: "run the conversion again and let it finish",
    }

    // HEAD and MID.
    pub(crate) HEAD_COOKIE = "ZV-007", Error, "HEAD is not a footer", {
        why: "programs recognise ZVHD2 by the first bytes; without them the file is taken for a RAW image",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) HEAD_CHECKSUM = "ZV-008", Warning, "the checksum of HEAD is wrong", {
        why: "the index reader ignores it; the reference writes a correct one, so HEAD was changed",
        source: WRITER,
        fix: COPY_AGAIN,
    }
    pub(crate) HEAD_DIFFERS = "ZV-009", Warning, "HEAD and END disagree", {
        why: "they describe the same disk; the readers use END",
        source: WRITER,
        fix: AGAIN,
    }
    pub(crate) HEAD_INDEX = "ZV-010", Warning, "HEAD has fields that only END has", {
        why: "the reference writes zeros, because index, bitmap and record count do not exist when it writes HEAD",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) MID_MISSING = "ZV-011", Warning, "there is no MID footer after the records", {
        why: "a sequential reader cannot find the end of the records",
        source: SEQUENTIAL,
        fix: FIX_TOOL,
    }
    pub(crate) MID_DIFFERS = "ZV-012", Warning, "MID and END disagree", {
        why: "they describe the same disk, and MID has no index fields",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) MID_COUNT = "ZV-013", Warning, "MID and the bitmap have different counts of data blocks", {
        why: "the reference writes the number of records into MID",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) COOKIE_PADDING = "ZV-014", Warning, "a footer's cookie is not padded with zeros", {
        why: "readers compare the first 6 bytes only; the reference pads with 2 zero bytes",
        source: WRITER,
        fix: FIX_TOOL,
    }

    // Fields of the footers.
    pub(crate) NO_INDEX = "ZV-015", Error, "the file says that it has no index", {
        why: "zvhd2_version 0 is the sequential form, which the index reader refuses; with 0 in HEAD it does not read END",
        source: READER,
        fix: FIX_TOOL,
    }
    pub(crate) VERSION_UNKNOWN = "ZV-016", Error, "zvhd2_version is unknown", {
        why: "only 1 (with an index) and 0 (without) exist",
        source: READER,
        fix: COPY_AGAIN,
    }
    pub(crate) METHOD = "ZV-017", Error, "the compression method is unknown", {
        why: "only 1 (zstd) and 0 (zlib) exist",
        source: BOTH,
        fix: FIX_TOOL,
    }
    pub(crate) BLOCK_SIZE = "ZV-018", Error, "the block size is not 2 MiB", {
        why: "readers use a constant of 2 MiB and ignore the field",
        source: BOTH,
        fix: "convert the image to ZVHD2 again with blocks of 2 MiB",
    }
    pub(crate) FEATURES = "ZV-019", Warning, "features is not 2", {
        why: "the reference always writes 2",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) FF_VERSION = "ZV-020", Warning, "ff_version is not 0x00010000", {
        why: "the reference always writes it",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) DATA_OFFSET = "ZV-021", Warning, "data_offset is not all ones", {
        why: "the reference always writes it",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) DISK_TYPE = "ZV-022", Warning, "type is not 4", {
        why: "the reference always writes 4",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) GEOMETRY = "ZV-023", Warning, "the geometry does not match orig_size", {
        why: "the reference writes the CHS geometry that VHD gives a disk of orig_size bytes",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) CREATOR = "ZV-024", Warning, "the creator is not the reference's", {
        why: "crtr_app is \"tap\", crtr_ver 1.4 (1.3 in older files) and crtr_os 0",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) FLAGS = "ZV-025", Warning, "saved, hidden or align_64 is set", {
        why: "the reference always writes 0",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) RESERVED = "ZV-026", Warning, "reserved bytes of a footer are not zero", {
        why: "the reference writes zeros from 142 to 511",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) ORIG_SIZE = "ZV-027", Warning, "orig_size is not a multiple of 512", {
        why: "the reference rounds the source's size up to whole sectors",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) DISK_TOO_SMALL = "ZV-028", Error, "the disk that readers expose is too small for its data", {
        why: "readers expose curr_size bytes, and decompress only blocks that are completely within them",
        source: READER,
        fix: "convert the image to ZVHD2 again: curr_size must be orig_size rounded up to 1 GiB",
    }
    pub(crate) DISK_SIZE = "ZV-029", Warning, "curr_size is not orig_size rounded up to 1 GiB", {
        why: "the reference rounds up; the size of the volume follows from curr_size",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) BLOCK_COUNT = "ZV-030", Warning, "max_blk_num does not match orig_size", {
        why: "it is orig_size / block_size, rounded up",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) INDEX_BY_BLOCK = "ZV-031", Warning, "the index also has entries for zero blocks", {
        why: "the index reader can read index_contains_zero_blk = 1; the reference never writes it",
        source: WRITER,
        fix: FIX_TOOL,
    }

    // Where the regions are.
    pub(crate) INDEX_BOUNDS = "ZV-032", Error, "the index extends beyond the file", {
        why: "the index reader cannot read the missing entries",
        source: READER,
        fix: COPY_AGAIN,
    }
    pub(crate) BITMAP_BOUNDS = "ZV-033", Error, "the bitmap extends beyond the file", {
        why: "the index reader cannot determine which blocks have records",
        source: READER,
        fix: COPY_AGAIN,
    }
    pub(crate) REGION_OVERLAP = "ZV-034", Error, "index and bitmap overlap", {
        why: "a byte cannot be part of both; one of them is wrong",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) REGION_ORDER = "ZV-035", Warning, "the bitmap is before the index", {
        why: "the reference writes the index first; the index reader uses the offsets in END",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) REGION_GAP = "ZV-036", Warning, "regions of the file do not follow one another", {
        why: "MID, index, bitmap and END have no gaps between them in files of the reference",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) REGION_ALIGN = "ZV-037", Warning, "a region does not begin at a multiple of 4096", {
        why: "all regions in files of the reference do",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) INDEX_SEG_SIZE = "ZV-038", Warning, "index_seg_size is not 524288", {
        why: "the reference always writes it",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) INDEX_SEG_NUM = "ZV-039", Warning, "index_seg_num does not match the number of data blocks", {
        why: "one segment for each 32768 data blocks, rounded up",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) INDEX_SIZE = "ZV-040", Warning, "index_size does not match the number of data blocks", {
        why: "524288 bytes for each 32768 data blocks, rounded up",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) BITMAP_SEG_SIZE = "ZV-041", Warning, "bitmap_seg_size is not 4096", {
        why: "the reference always writes it",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) BITMAP_SEG_NUM = "ZV-042", Warning, "bitmap_seg_num does not match max_blk_num", {
        why: "one segment for each 32768 blocks, rounded up",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) BITMAP_SIZE = "ZV-043", Warning, "bitmap_size does not match max_blk_num", {
        why: "4096 bytes for each 32768 blocks, rounded up",
        source: WRITER,
        fix: FIX_TOOL,
    }

    // Bitmap and index.
    pub(crate) STRAY_BITS = "ZV-044", Error, "the bitmap marks blocks past the last one", {
        why: "the index reader expects records for all marked blocks within curr_size, even past max_blk_num",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) DATA_COUNT = "ZV-045", Warning, "non_zero_blk_num in END is not the count of the bitmap", {
        why: "the reference writes the number of bits, which the index reader counts; it is an error if END counts more: bits of blocks \
              are lost, or the bitmap is not at the offset in END, and the index reader returns zeros for these blocks",
        source: WRITER,
        fix: AGAIN,
    }
    pub(crate) INDEX_ORDER = "ZV-046", Error, "the index is not in block order", {
        why: "the index reader uses the i-th entry for the i-th data block: it silently returns wrong data",
        source: READER,
        fix: "sort the index by block number, or convert the source image again",
    }
    pub(crate) INDEX_BLOCK = "ZV-047", Error, "an index entry and the bitmap have different blocks", {
        why: "the index reader uses the i-th entry for the i-th data block: it silently returns wrong data",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) INDEX_DUPLICATE = "ZV-048", Error, "two index entries have the same block", {
        why: "one of them replaces the entry of another block, whose data is lost",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) ENTRY_BOUNDS = "ZV-049", Error, "an index entry points to an impossible offset", {
        why: "a record is after HEAD, before END, and not in the index or the bitmap",
        source: READER,
        fix: COPY_AGAIN,
    }
    pub(crate) ENTRY_ALIGN = "ZV-050", Warning, "a record does not begin at a multiple of 4096", {
        why: "the sequential reader requires this alignment",
        source: SEQUENTIAL,
        fix: FIX_TOOL,
    }

    // Records.
    pub(crate) RECORD_OVERLAP = "ZV-051", Error, "two records overlap", {
        why: "the same bytes cannot be the data of two blocks",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) RECORD_GAP = "ZV-052", Warning, "there are bytes between the records that no index entry points to", {
        why: "the sequential reader stops there, or finds a record that is not in the index",
        source: SEQUENTIAL,
        fix: FIX_TOOL,
    }
    pub(crate) RECORD_ORDER = "ZV-053", Warning, "the records are not in block order in the file", {
        why: "the sequential reader requires ascending blocks",
        source: SEQUENTIAL,
        fix: FIX_TOOL,
    }
    pub(crate) RECORD_PREFIX = "ZV-054", Warning, "a record does not begin with \"hwstream bg\"", {
        why: "the sequential reader stops there; the index reader continues",
        source: SEQUENTIAL,
        fix: COPY_AGAIN,
    }
    pub(crate) RECORD_POSTFIX = "ZV-055", Warning, "a record does not end with \"end\"", {
        why: "the sequential reader stops there; the index reader continues",
        source: SEQUENTIAL,
        fix: COPY_AGAIN,
    }
    pub(crate) RECORD_BLOCK = "ZV-056", Error, "a record and its index entry have different blocks", {
        why: "the index reader would return the data of another block",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) RECORD_LENGTH = "ZV-057", Error, "a record and its index entry have different lengths", {
        why: "if the length in the entry is too short, the payload is truncated",
        source: READER,
        fix: AGAIN,
    }
    pub(crate) PAYLOAD_SIZE = "ZV-058", Error, "a record's payload has an impossible size", {
        why: "a compressed block is not empty, and is smaller than two blocks",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) RECORD_RESERVED = "ZV-059", Warning, "reserved bytes in the header of a record are not zero", {
        why: "the reference writes zeros from 20 to 47 and does not read them",
        source: WRITER,
        fix: FIX_TOOL,
    }

    // Payloads.
    pub(crate) PAYLOAD_CORRUPT = "ZV-060", Error, "a payload cannot be decompressed", {
        why: "the data of the block is lost, or was compressed by another method than that in the footer",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) PAYLOAD_LENGTH = "ZV-061", Error, "a payload does not decompress to exactly one block", {
        why: "readers refuse it; the last, partial block is also padded with zeros",
        source: BOTH,
        fix: AGAIN,
    }
    pub(crate) ZLIB_FINISHED = "ZV-062", Error, "a zlib payload is a finished stream", {
        why: "readers require a stream that ends with a sync flush, without final block and checksum",
        source: BOTH,
        fix: "compress the records again with Z_SYNC_FLUSH instead of Z_FINISH",
    }
    pub(crate) ZSTD_FORM = "ZV-063", Warning, "a zstd payload has an unusual form", {
        why: "the reference writes one frame with its content size, without checksum or dictionary, and nothing else",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) ZLIB_FORM = "ZV-064", Warning, "a zlib payload does not have the form of the reference", {
        why: "the reference compresses at level 1 and ends every payload with a sync flush",
        source: WRITER,
        fix: FIX_TOOL,
    }
    pub(crate) ZERO_BLOCK = "ZV-065", Warning, "a record holds a block of zeros", {
        why: "the reference does not store zero blocks; the file is larger than necessary",
        source: WRITER,
        fix: AGAIN,
    }
    pub(crate) PADDING = "ZV-066", Warning, "there is data beyond the end of the source image", {
        why: "the reference pads the last block with zeros; readers expose this data",
        source: WRITER,
        fix: AGAIN,
    }

    // Where the readers of the reference fail, or differ.
    pub(crate) FILE_LENGTH = "ZV-067", Error, "the file's length is not a multiple of 512", {
        why: "the readers of the reference round the length up to a multiple of 512 and expect END before that offset",
        source: BOTH,
        fix: COPY_AGAIN,
    }
    pub(crate) TOO_FEW_SEGMENTS = "ZV-068", Error, "the disk is larger than its bitmap covers", {
        why: "the index reader has one bitmap segment for each 32768 blocks of max_blk_num, and fails on blocks beyond them",
        source: READER,
        fix: "convert the image to ZVHD2 again: curr_size must be orig_size rounded up to 1 GiB",
    }
    pub(crate) READERS_DIFFER = "ZV-069", Error, "the sequential reader reads another disk than the index reader", {
        why: "a record that is not in the index, or a footer between the records, gives one of the two readers other data",
        source: BOTH,
        fix: AGAIN,
    }
    pub(crate) INDEX_BITMAP = "ZV-070", Error, "index and bitmap disagree on which blocks have a record", {
        why: "with index_contains_zero_blk = 1 the index reader uses only the index; other readers use the bitmap",
        source: READER,
        fix: AGAIN,
    }
}
