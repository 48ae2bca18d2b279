//! Emitting a canonical container, record by record.

use imsprep_ondisk::format::zvhd2::{self as disk, Footer, IndexEntry, RecordHeader};
use imsprep_source::Sink;

use crate::{Error, Method};

/// What a container says of itself, apart from the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Bytes of the source image; the footers hold it rounded up to 512.
    pub orig_size: u64,
    /// How the payloads are compressed.
    pub method: Method,
    /// When the container was made, in seconds since 2000-01-01T00:00:00Z.
    pub timestamp: u32,
    /// Its identity, random in the reference.
    pub uuid: [u8; 16],
}

/// A container that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the file.
    pub file_size: u64,
    /// Records, one for each data block.
    pub records: u64,
    /// Bytes of all payloads.
    pub payload_bytes: u64,
}

/// Writes a container as the reference does, byte for byte; where the reference leaves memory uninitialised there are
/// zeros. Nothing is sought back: the output may be a stream.
///
/// ```
/// use imsprep_source::{Cancel, MemoryImage, StreamOutput, Work};
/// use imsprep_zvhd2::{ContainerWriter, Depth, Label, Method, check};
///
/// let label = Label { orig_size: 5 << 30, method: Method::Zstd, timestamp: 0, uuid: [7; 16] };
/// let mut out = StreamOutput::new("disk.zvhd2", Vec::new());
/// let mut container = ContainerWriter::begin(&mut out, &label)?;
/// container.append(2559, &zstd::bulk::compress(&vec![1; 2 << 20], 3).unwrap())?;
/// container.finish()?;
///
/// let file = MemoryImage::new("disk.zvhd2", out.finish()?);
/// let checked = check(&file, Depth::Content, Work::new(&(), &Cancel::new()))?;
/// assert_eq!(checked.report.findings(), []);
/// # Ok::<(), imsprep_zvhd2::Error>(())
/// ```
pub struct ContainerWriter<'a> {
    out: &'a mut dyn Sink,
    label: Label,
    head: Footer,
    /// One for each record so far: 8 MiB for a full disk of 1 TiB.
    entries: Vec<IndexEntry>,
    bitmap: Vec<u8>,
    written: Written,
}

/// The most segments of an index whose size a footer can tell: 511.9 TiB of data.
const MAX_SEGMENTS: u64 = (u32::MAX / disk::INDEX_SEGMENT_SIZE) as u64;

/// What lies between a record's payload and its postfix at most, and the postfix.
const GAP: [u8; 4096] = [0; 4096];
const _: () = assert!(GAP.len() as u64 == disk::ALIGN);

impl<'a> ContainerWriter<'a> {
    /// Begins a container: writes HEAD.
    ///
    /// # Errors
    ///
    /// [`Error::DiskTooLarge`], or what writing brings.
    pub fn begin(out: &'a mut dyn Sink, label: &Label) -> Result<Self, Error> {
        let too_large = || Error::DiskTooLarge { path: out.path().to_owned(), size: label.orig_size };
        let head = canonical_head(label).ok_or_else(too_large)?;
        let segments = head.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT);
        let bitmap = vec![0; to_usize(segments) * to_usize(disk::BITMAP_SEGMENT_SIZE)];
        let written = Written { file_size: 0, records: 0, payload_bytes: 0 };
        let mut container = Self { out, label: *label, head, entries: Vec::new(), bitmap, written };
        container.write_footer(&container.head.clone())?;
        Ok(container)
    }

    /// Appends the record of a data block: `payload` is the block of 2 MiB, compressed.
    ///
    /// # Errors
    ///
    /// What writing brings.
    ///
    /// # Panics
    ///
    /// If the block is not above the one before, lies beyond the disk, or the payload is longer than any of a block can
    /// be: whoever copies records from a file that may be damaged must look at them first.
    pub fn append(&mut self, block: u32, payload: &[u8]) -> Result<(), Error> {
        let before = self.entries.last().map(|entry| entry.block);
        assert!(before < Some(block), "block {block} after block {before:?}");
        assert!(block < self.head.max_blk_num, "block {block} of {}", self.head.max_blk_num);
        let limit = 2 * to_usize(disk::BLOCK_SIZE);
        let size = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= limit);
        let Some(size) = size else { panic!("a payload of {} bytes", payload.len()) };
        let header = RecordHeader { prefix: disk::RECORD_PREFIX, size, curr_blk: block, reserved: [0; 28] };
        let length = u32::try_from(header.record_length()).unwrap_or(u32::MAX);
        self.entries.push(IndexEntry { offset: self.written.file_size, block, length });
        if let Some(byte) = self.bitmap.get_mut(to_usize(block / 8)) {
            *byte |= 1 << (block % 8);
        }
        self.written.records += 1;
        self.written.payload_bytes += u64::from(size);
        let filled = RecordHeader::SIZE + payload.len() + disk::RECORD_POSTFIX.len();
        let gap = GAP.get(..to_usize(length) - filled).unwrap_or_default();
        self.write(&header.encode())?;
        self.write(payload)?;
        self.write(&[gap, &disk::RECORD_POSTFIX].concat())
    }

    /// Ends the container: writes MID, index, bitmap and END.
    ///
    /// # Errors
    ///
    /// What writing brings.
    pub fn finish(mut self) -> Result<Written, Error> {
        // A disk of size 0 is HEAD alone.
        if self.head.max_blk_num == 0 {
            return Ok(self.written);
        }
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        // The checksum stays HEAD's, as in the reference, which sets the count after it made the checksum.
        let mid = Footer { non_zero_blk_num: count, ..self.head.clone() };
        self.write_footer(&mid)?;

        let index_lba = self.written.file_size;
        let index_seg_num = count.div_ceil(disk::BLOCKS_PER_SEGMENT);
        let entries = std::mem::take(&mut self.entries);
        for segment in entries.chunks(to_usize(disk::BLOCKS_PER_SEGMENT)) {
            let mut bytes = segment.iter().flat_map(IndexEntry::encode).collect::<Vec<_>>();
            bytes.resize(to_usize(disk::INDEX_SEGMENT_SIZE), 0);
            self.write(&bytes)?;
        }
        let bitmap_lba = self.written.file_size;
        let bitmap = std::mem::take(&mut self.bitmap);
        self.write(&bitmap)?;

        let bitmap_seg_num = self.head.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT);
        let end = Footer {
            index_lba,
            bitmap_lba,
            index_size: index_seg_num * disk::INDEX_SEGMENT_SIZE,
            bitmap_size: bitmap_seg_num * disk::BITMAP_SEGMENT_SIZE,
            index_seg_size: disk::INDEX_SEGMENT_SIZE,
            bitmap_seg_size: disk::BITMAP_SEGMENT_SIZE,
            index_seg_num,
            bitmap_seg_num,
            ..mid
        };
        self.write_footer(&end.sealed())?;
        Ok(self.written)
    }

    /// Ends a container of a disk that turned out to have only `orig_size` bytes of those in the label. Returns the
    /// HEAD that goes with it as well, which has to be written over the one at the file's start.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    ///
    /// # Panics
    ///
    /// If that is more than the label has, or a block beyond it was appended.
    pub fn finish_with_size(mut self, orig_size: u64) -> Result<(Written, Vec<u8>), Error> {
        assert!(orig_size <= self.label.orig_size, "a disk of {orig_size} bytes under {:?}", self.label);
        let too_large = || Error::DiskTooLarge { path: self.out.path().to_owned(), size: orig_size };
        self.head = canonical_head(&Label { orig_size, ..self.label }).ok_or_else(too_large)?;
        let last = self.entries.last().map(|entry| entry.block);
        assert!(last < Some(self.head.max_blk_num), "block {last:?} of {}", self.head.max_blk_num);
        let segments = self.head.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT);
        self.bitmap.truncate(to_usize(segments) * to_usize(disk::BITMAP_SEGMENT_SIZE));
        let head = footer_unit(&self.head);
        Ok((self.finish()?, head))
    }

    fn write_footer(&mut self, footer: &Footer) -> Result<(), Error> {
        self.write(&footer_unit(footer))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes)?;
        self.written.file_size += bytes.len() as u64;
        Ok(())
    }
}

/// Bytes of a container of a disk of `orig_size` bytes with so many records, without the records themselves: footers, index and bitmap.
pub fn size_without_records(orig_size: u64, records: u64) -> u64 {
    let blocks = orig_size.div_ceil(disk::BLOCK_SIZE.into());
    let segments =
        |count: u64, size: u32| count.div_ceil(disk::BLOCKS_PER_SEGMENT.into()).saturating_mul(size.into());
    let footers = if blocks == 0 { 1 } else { 3 };
    let tables = segments(records, disk::INDEX_SEGMENT_SIZE) + segments(blocks, disk::BITMAP_SEGMENT_SIZE);
    footers * GAP.len() as u64 + tables
}

/// A footer as it is stored.
fn footer_unit(footer: &Footer) -> Vec<u8> {
    let mut bytes = footer.encode().to_vec();
    bytes.resize(GAP.len(), 0);
    bytes
}

/// HEAD as the reference writes it; `None` if its fields can't hold the disk's size.
fn canonical_head(label: &Label) -> Option<Footer> {
    let orig_size = label.orig_size.checked_next_multiple_of(disk::SECTOR)?;
    let blocks = orig_size.div_ceil(disk::BLOCK_SIZE.into());
    if blocks.div_ceil(disk::BLOCKS_PER_SEGMENT.into()) > MAX_SEGMENTS {
        return None;
    }
    let mut head = Footer::decode(&[0; Footer::SIZE]);
    head.cookie = disk::COOKIE;
    head.features = disk::FEATURES;
    head.ff_version = disk::FF_VERSION;
    head.data_offset = disk::DATA_OFFSET;
    head.timestamp = label.timestamp;
    head.crtr_app = disk::CREATOR_APP;
    head.crtr_ver = disk::CREATOR_VERSION;
    head.orig_size = orig_size;
    head.curr_size = orig_size.checked_next_multiple_of(disk::DISK_SIZE_STEP)?;
    head.geometry = disk::geometry(orig_size);
    head.disk_type = disk::TYPE;
    head.uuid = label.uuid;
    head.zvhd2_version = disk::VERSION_INDEXED;
    head.block_size = disk::BLOCK_SIZE;
    head.max_blk_num = u32::try_from(blocks).ok()?;
    head.compress_method = match label.method {
        Method::Zlib => disk::METHOD_ZLIB,
        Method::Zstd => disk::METHOD_ZSTD,
    };
    Some(head.sealed())
}

/// A u32 always fits on the machines that this builds for; the bounds above keep the products small, too.
fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use imsprep_source::StreamOutput;

    use super::*;

    #[test]
    fn all_but_the_records_has_the_size_that_was_foretold() {
        let per_segment = u64::from(disk::BLOCKS_PER_SEGMENT);
        let block = u64::from(disk::BLOCK_SIZE);
        for (size, records) in [
            (0, 0),
            (1, 0),
            (512, 1),
            (block + 1, 2),
            (per_segment * block, per_segment),
            (per_segment * block + 1, 1),
            (per_segment * block + 1, per_segment + 1),
            (1 << 40, 0),
        ] {
            let label = Label { orig_size: size, method: Method::Zstd, timestamp: 0, uuid: [7; 16] };
            let mut out = StreamOutput::new("disk.zvhd2", Vec::new());
            let mut container = ContainerWriter::begin(&mut out, &label).unwrap();
            (0..u32::try_from(records).unwrap())
                .for_each(|block| container.append(block, b"payload").unwrap());
            let written = container.finish().unwrap();
            let of_record =
                RecordHeader { prefix: disk::RECORD_PREFIX, size: 7, curr_blk: 0, reserved: [0; 28] };
            let of_records = records * of_record.record_length();
            assert_eq!(
                written.file_size - of_records,
                size_without_records(size, records),
                "{size} {records}"
            );
        }
    }
}
