//! Every rule of the container, in one table.
//!
//! Error: the index reader can't read it, or reads other data than was written. Warning: only the index reader can
//! read it, or the reference does not write it so. Bytes that the reference leaves uninitialised have no rule.

use imsprep_findings::{Rule, Severity};

const WRITER: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its driver writes";
const READER: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its index reader reads";
const BOTH: &str = "huaweicloud/ims-qemu-img, commit fc2d885, measured: what both of its readers accept";
const SEQUENTIAL: &str =
    "huaweicloud/ims-qemu-img, commit fc2d885, measured: what its sequential reader accepts";

const AGAIN: &str = "convert the source image to ZVHD2 again";
const FIX_TOOL: &str =
    "convert the image to ZVHD2 again with a tool that writes what the vendor's driver writes";
const COPY_AGAIN: &str = "copy or download the file again and compare sizes; if it is the same, convert the source again, or save what is \
     there with imsprep zvhd2 repair";

macro_rules! rules {
    ($($name:ident, $code:literal, $severity:ident, $title:expr, $why:expr, $source:expr, $fix:expr;)+) => {
        $(pub(crate) static $name: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            convertible: false,
            service_code: None,
            title: $title,
            why: $why,
            source: $source,
            fix: $fix,
        };)+

        /// Every rule of this crate, by code.
        pub static RULES: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    // The file as a whole.
    VERSION_1, "ZV-001", Error, "the file is ZVHD version 1",
        "version 1 has no index: quick import takes ZVHD2 only", WRITER,
        "convert it to ZVHD2 or RAW with the tool that made it; or use the common import, for files up to 128 GiB";
    TOO_SHORT, "ZV-002", Error, "the file is shorter than one footer",
        "a footer takes 4096 bytes, and the smallest file has one", BOTH, COPY_AGAIN;
    END_MISSING, "ZV-003", Error, "the file has no END footer",
        "readers take the last 4096 bytes for END, which says where index and bitmap are", BOTH, COPY_AGAIN;
    TRAILING_BYTES, "ZV-004", Error, "there are bytes after the END footer",
        "readers look for END in the very last 4096 bytes", BOTH,
        "cut the file at the end of its END footer";
    END_CHECKSUM, "ZV-005", Error, "the checksum of END is wrong",
        "readers refuse the file; a byte of END was changed", BOTH, COPY_AGAIN;
    NEVER_WRITTEN, "ZV-006", Error, "the file was created and never written",
        "it has a HEAD for a disk that is not empty, and nothing else", BOTH,
        "run the conversion again and let it finish";

    // HEAD and MID.
    HEAD_COOKIE, "ZV-007", Error, "HEAD is not a footer",
        "the first bytes tell programs that the file is ZVHD2; without them it is taken for a RAW image", BOTH,
        COPY_AGAIN;
    HEAD_CHECKSUM, "ZV-008", Warning, "the checksum of HEAD is wrong",
        "the index reader does not look at it; the reference writes it right, so something changed HEAD", WRITER,
        COPY_AGAIN;
    HEAD_DIFFERS, "ZV-009", Warning, "HEAD and END disagree",
        "they describe one disk; the readers look at END", WRITER, AGAIN;
    HEAD_INDEX, "ZV-010", Warning, "HEAD has fields that only END has",
        "when the reference writes HEAD, neither index, bitmap nor record count exist; it writes zeros", WRITER,
        FIX_TOOL;
    MID_MISSING, "ZV-011", Warning, "there is no MID footer after the records",
        "a sequential reader does not know that the records are over", SEQUENTIAL, FIX_TOOL;
    MID_DIFFERS, "ZV-012", Warning, "MID and END disagree",
        "they describe one disk, and MID has no index fields", WRITER, FIX_TOOL;
    MID_COUNT, "ZV-013", Warning, "MID has another count of data blocks than the bitmap",
        "the reference writes the number of records into MID", WRITER, FIX_TOOL;
    COOKIE_PADDING, "ZV-014", Warning, "a footer's cookie is not padded with zeros",
        "readers compare the first 6 bytes only; the reference pads with 2 zero bytes", WRITER, FIX_TOOL;

    // Fields of the footers.
    NO_INDEX, "ZV-015", Error, "the file says that it has no index",
        "zvhd2_version 0 is the sequential form, which the index reader refuses; with 0 in HEAD it never looks at END", READER,
        FIX_TOOL;
    VERSION_UNKNOWN, "ZV-016", Error, "zvhd2_version is unknown",
        "only 1 (with an index) and 0 (without) exist", READER, COPY_AGAIN;
    METHOD, "ZV-017", Error, "the compression method is unknown",
        "only 1 (zstd) and 0 (zlib) exist", BOTH, FIX_TOOL;
    BLOCK_SIZE, "ZV-018", Error, "the block size is not 2 MiB",
        "readers have 2 MiB compiled in; the field has no effect on them", BOTH,
        "convert the image to ZVHD2 again with blocks of 2 MiB";
    FEATURES, "ZV-019", Warning, "features is not 2", "the reference always writes 2", WRITER, FIX_TOOL;
    FF_VERSION, "ZV-020", Warning, "ff_version is not 0x00010000", "the reference always writes it", WRITER, FIX_TOOL;
    DATA_OFFSET, "ZV-021", Warning, "data_offset is not all ones", "the reference always writes it", WRITER, FIX_TOOL;
    DISK_TYPE, "ZV-022", Warning, "type is not 4", "the reference always writes 4", WRITER, FIX_TOOL;
    GEOMETRY, "ZV-023", Warning, "the geometry does not belong to orig_size",
        "the reference writes the CHS geometry that VHD gives a disk of orig_size bytes", WRITER, FIX_TOOL;
    CREATOR, "ZV-024", Warning, "the creator is not the reference's",
        "crtr_app is \"tap\", crtr_ver 1.4 (1.3 in older files) and crtr_os 0", WRITER, FIX_TOOL;
    FLAGS, "ZV-025", Warning, "saved, hidden or align_64 is set", "the reference always writes 0", WRITER, FIX_TOOL;
    RESERVED, "ZV-026", Warning, "reserved bytes of a footer are not zero",
        "the reference writes zeros from 142 to 511", WRITER, FIX_TOOL;
    ORIG_SIZE, "ZV-027", Warning, "orig_size is not a multiple of 512",
        "the reference rounds the source's size up to whole sectors", WRITER, FIX_TOOL;
    DISK_TOO_SMALL, "ZV-028", Error, "the disk that readers expose cuts data off",
        "readers expose curr_size bytes, and expand whole blocks within them only", READER,
        "convert the image to ZVHD2 again: curr_size must be orig_size rounded up to 1 GiB";
    DISK_SIZE, "ZV-029", Warning, "curr_size is not orig_size rounded up to 1 GiB",
        "the reference rounds up; the size of the volume follows from curr_size", WRITER, FIX_TOOL;
    BLOCK_COUNT, "ZV-030", Warning, "max_blk_num does not belong to orig_size",
        "it is orig_size / block_size, rounded up", WRITER, FIX_TOOL;
    INDEX_BY_BLOCK, "ZV-031", Warning, "the index has entries for zero blocks as well",
        "the index reader can read index_contains_zero_blk = 1; the reference never writes it", WRITER, FIX_TOOL;

    // Where the regions are.
    INDEX_BOUNDS, "ZV-032", Error, "the index reaches out of the file",
        "the index reader can't read the entries that are not there", READER, COPY_AGAIN;
    BITMAP_BOUNDS, "ZV-033", Error, "the bitmap reaches out of the file",
        "the index reader can't tell which blocks have records", READER, COPY_AGAIN;
    REGION_OVERLAP, "ZV-034", Error, "index and bitmap overlap",
        "one byte can't be part of both; one of them is wrong", READER, AGAIN;
    REGION_ORDER, "ZV-035", Warning, "the bitmap lies before the index",
        "the reference writes the index first; the index reader goes by the offsets in END", WRITER, FIX_TOOL;
    REGION_GAP, "ZV-036", Warning, "regions of the file do not follow one another",
        "MID, index, bitmap and END stand without gaps in files of the reference", WRITER, FIX_TOOL;
    REGION_ALIGN, "ZV-037", Warning, "a region does not begin at a multiple of 4096",
        "everything in files of the reference does", WRITER, FIX_TOOL;
    INDEX_SEG_SIZE, "ZV-038", Warning, "index_seg_size is not 524288", "the reference always writes it", WRITER,
        FIX_TOOL;
    INDEX_SEG_NUM, "ZV-039", Warning, "index_seg_num does not belong to the number of data blocks",
        "one segment for each 32768 data blocks begun", WRITER, FIX_TOOL;
    INDEX_SIZE, "ZV-040", Warning, "index_size does not belong to the number of data blocks",
        "524288 bytes for each 32768 data blocks begun", WRITER, FIX_TOOL;
    BITMAP_SEG_SIZE, "ZV-041", Warning, "bitmap_seg_size is not 4096", "the reference always writes it", WRITER,
        FIX_TOOL;
    BITMAP_SEG_NUM, "ZV-042", Warning, "bitmap_seg_num does not belong to max_blk_num",
        "one segment for each 32768 blocks begun", WRITER, FIX_TOOL;
    BITMAP_SIZE, "ZV-043", Warning, "bitmap_size does not belong to max_blk_num",
        "4096 bytes for each 32768 blocks begun", WRITER, FIX_TOOL;

    // Bitmap and index.
    STRAY_BITS, "ZV-044", Error, "the bitmap marks blocks past the last one",
        "the index reader looks for records of blocks within curr_size, even past max_blk_num", READER, AGAIN;
    DATA_COUNT, "ZV-045", Warning, "non_zero_blk_num in END is not the bitmap's count",
        "the index reader counts bits, and the reference writes their number; it is an error where END counts more: blocks have \
         lost their bits, or the bitmap is not where END says, and the index reader returns zeros for them", WRITER, AGAIN;
    INDEX_ORDER, "ZV-046", Error, "the index is not in block order",
        "the index reader takes the i-th entry for the i-th data block: it returns wrong data without a word", READER,
        "sort the index by block number, or convert the source image again";
    INDEX_BLOCK, "ZV-047", Error, "an index entry names another block than the bitmap",
        "the index reader takes the i-th entry for the i-th data block: it returns wrong data without a word", READER,
        AGAIN;
    INDEX_DUPLICATE, "ZV-048", Error, "two index entries name the same block",
        "one of them is in the place of another block, whose data is lost", READER, AGAIN;
    ENTRY_BOUNDS, "ZV-049", Error, "an index entry points to where no record can be",
        "a record lies after HEAD, before END, and not in the index or the bitmap", READER, COPY_AGAIN;
    ENTRY_ALIGN, "ZV-050", Warning, "a record does not begin at a multiple of 4096",
        "the sequential reader needs it to", SEQUENTIAL, FIX_TOOL;

    // Records.
    RECORD_OVERLAP, "ZV-051", Error, "two records overlap",
        "one place in the file can't hold the data of two blocks", READER, AGAIN;
    RECORD_GAP, "ZV-052", Warning, "there are bytes between the records that no index entry points to",
        "the sequential reader stops there, or finds a record that the index does not have", SEQUENTIAL, FIX_TOOL;
    RECORD_ORDER, "ZV-053", Warning, "the records are not in block order in the file",
        "the sequential reader needs ascending blocks", SEQUENTIAL, FIX_TOOL;
    RECORD_PREFIX, "ZV-054", Warning, "a record does not begin with \"hwstream bg\"",
        "the sequential reader stops there; the index reader goes on", SEQUENTIAL, COPY_AGAIN;
    RECORD_POSTFIX, "ZV-055", Warning, "a record does not end with \"end\"",
        "the sequential reader stops there; the index reader goes on", SEQUENTIAL, COPY_AGAIN;
    RECORD_BLOCK, "ZV-056", Error, "a record belongs to another block than its index entry says",
        "the index reader would return the data of another block", READER, AGAIN;
    RECORD_LENGTH, "ZV-057", Error, "a record and its index entry disagree about its length",
        "where the entry is too short, the payload is cut off", READER, AGAIN;
    PAYLOAD_SIZE, "ZV-058", Error, "a record's payload has an impossible size",
        "no compressor makes nothing, or twice as much, of a block", BOTH, COPY_AGAIN;
    RECORD_RESERVED, "ZV-059", Warning, "a record's header has bytes set that are always zero",
        "the reference writes zeros from 20 to 47 and does not read them", WRITER, FIX_TOOL;

    // Payloads.
    PAYLOAD_CORRUPT, "ZV-060", Error, "a payload can't be expanded",
        "the block's data is lost, or was compressed by something else than the footer says", BOTH, COPY_AGAIN;
    PAYLOAD_LENGTH, "ZV-061", Error, "a payload does not expand to one whole block",
        "readers refuse it; the last, partial block is padded with zeros too", BOTH, AGAIN;
    ZLIB_FINISHED, "ZV-062", Error, "a zlib payload is a finished stream",
        "readers expect a stream that ends in a sync flush, without final block and checksum, and reject this one",
        BOTH, "compress the records again with Z_SYNC_FLUSH in place of Z_FINISH";
    ZSTD_FORM, "ZV-063", Warning, "a zstd payload is in an unusual form",
        "the reference writes one frame with its content size, without checksum, dictionary or anything else",
        WRITER, FIX_TOOL;
    ZLIB_FORM, "ZV-064", Warning, "a zlib payload is not in the reference's form",
        "the reference compresses at level 1 and ends every payload with a sync flush", WRITER, FIX_TOOL;
    ZERO_BLOCK, "ZV-065", Warning, "a record holds a block of zeros",
        "the reference leaves zero blocks out; the file is larger than it need be", WRITER, AGAIN;
    PADDING, "ZV-066", Warning, "there is data beyond the end of the source image",
        "the reference pads the last block with zeros; readers expose what is there", WRITER, AGAIN;

    // Where the readers of the reference fail, or differ.
    FILE_LENGTH, "ZV-067", Error, "the file's length is not a multiple of 512",
        "the reference's readers round the length up to whole sectors and look for END there, where it is not", BOTH,
        COPY_AGAIN;
    TOO_FEW_SEGMENTS, "ZV-068", Error, "the disk is larger than its bitmap can cover",
        "the index reader has one bitmap segment for each 32768 blocks of max_blk_num, and fails on blocks beyond them", READER,
        "convert the image to ZVHD2 again: curr_size must be orig_size rounded up to 1 GiB";
    READERS_DIFFER, "ZV-069", Error, "the sequential reader reads another disk than the index reader",
        "a record that the index does not have, or a footer among the records, gives one of the two readers other data", BOTH,
        AGAIN;
    INDEX_BITMAP, "ZV-070", Error, "index and bitmap disagree on which blocks have a record",
        "with index_contains_zero_blk = 1 the index reader goes by the index alone; other readers go by the bitmap", READER,
        AGAIN;
}
