//! Files of very many records and very many segments, which are made up as they are read.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use imsprep_ondisk::format::zvhd2::{self as disk, Footer, IndexEntry, RecordHeader};
use imsprep_source::{Cancel, DiskReader, Error as SourceError, Extent, ReadAt, Work};
use imsprep_testdata::thread_time;

use super::builder::{BLOCK, Image, block, compress};
use crate::{Depth, Method, Reader, check};

/// A canonical file of records that all take 4096 bytes, block after block.
struct Generated {
    image: Image,
    record: Vec<u8>,
    records: u64,
    reads: AtomicU64,
    bytes: AtomicU64,
    payload_bytes: AtomicU64,
}

const RECORD: u64 = 4096;

impl Generated {
    fn new(records: u32) -> Self {
        let payload = compress(Method::Zstd, &block(5));
        let one = Image::from_payloads(Method::Zstd, 2 << 20, vec![(0, payload)]);
        assert_eq!(u64::from(one.entries[0].length), RECORD);
        let record = one.bytes()[4096..8192].to_vec();

        let mut image = Image::from_payloads(Method::Zstd, u64::from(records) * BLOCK as u64, vec![]);
        image.mid.non_zero_blk_num = records;
        let segments = records.div_ceil(disk::BLOCKS_PER_SEGMENT);
        let end = &mut image.end;
        end.non_zero_blk_num = records;
        end.index_seg_num = segments;
        end.index_size = segments * disk::INDEX_SEGMENT_SIZE;
        end.index_lba = 4096 + u64::from(records) * RECORD + 4096;
        end.bitmap_lba = end.index_lba + u64::from(end.index_size);
        let zero = || AtomicU64::new(0);
        Self { image, record, records: records.into(), reads: zero(), bytes: zero(), payload_bytes: zero() }
    }

    /// The bytes from `offset` to the end of what begins there; zeros where nothing does.
    fn piece(&self, offset: u64) -> Vec<u8> {
        let end = &self.image.end;
        let records_end = 4096 + self.records * RECORD;
        let footer = |footer: &Footer, within: u64| {
            let mut bytes = footer.clone().sealed().encode().to_vec();
            bytes.resize(4096, 0);
            bytes.split_off(usize::try_from(within).unwrap())
        };
        if offset < 4096 {
            footer(&self.image.head, offset)
        } else if offset < records_end {
            let (number, within) = ((offset - 4096) / RECORD, (offset - 4096) % RECORD);
            let mut record = self.record.clone();
            record[16..20].copy_from_slice(&u32::try_from(number).unwrap().to_le_bytes());
            record.split_off(usize::try_from(within).unwrap())
        } else if offset < end.index_lba {
            footer(&self.image.mid, offset - records_end)
        } else if offset < end.bitmap_lba {
            let number = (offset - end.index_lba) / IndexEntry::SIZE as u64;
            let block = u32::try_from(number).unwrap();
            let entry = IndexEntry { offset: 4096 + number * RECORD, block, length: 4096 };
            let entry = if number < self.records { entry.encode() } else { [0; IndexEntry::SIZE] };
            entry[usize::try_from((offset - end.index_lba) % 16).unwrap()..].to_vec()
        } else if offset + 4096 < self.size() {
            let first = (offset - end.bitmap_lba) * 8;
            vec![(0..8).fold(0, |byte, bit| byte | u8::from(first + bit < self.records) << bit)]
        } else {
            footer(end, offset + 4096 - self.size())
        }
    }

    /// Bytes of a read that are neither a record's header nor its postfix, but in a record.
    fn payload_in(&self, offset: u64, length: u64) -> u64 {
        let records_end = 4096 + self.records * RECORD;
        (offset..offset + length)
            .filter(|at| (4096..records_end).contains(at))
            .filter(|at| (RecordHeader::SIZE as u64..RECORD - 4).contains(&((at - 4096) % RECORD)))
            .count() as u64
    }
}

impl ReadAt for Generated {
    fn path(&self) -> &Path {
        Path::new("generated.zvhd2")
    }

    fn size(&self) -> u64 {
        let end = &self.image.end;
        end.bitmap_lba + u64::from(end.bitmap_size) + 4096
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), SourceError> {
        let length = buf.len() as u64;
        assert!(offset + length <= self.size());
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(length, Ordering::Relaxed);
        if length <= 4096 {
            self.payload_bytes.fetch_add(self.payload_in(offset, length), Ordering::Relaxed);
        } else {
            assert!(offset >= self.image.end.index_lba, "a long read among the records");
        }
        let mut filled = 0;
        while filled < buf.len() {
            let piece = self.piece(offset + filled as u64);
            let there = piece.len().min(buf.len() - filled);
            buf[filled..filled + there].copy_from_slice(&piece[..there]);
            filled += there;
        }
        Ok(())
    }
}

#[test]
fn the_structure_of_300_000_records_is_read_and_nothing_else() {
    let records = 300_000;
    let file = Generated::new(records);
    let checked = check(&file, Depth::Structure, Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!(checked.report.findings(), []);
    assert_eq!(checked.info.data_blocks, Some(records.into()));
    assert!(checked.info.payload_bytes.unwrap().0 > 0);

    // HEAD, END, and MID twice: for what it says of itself, and to be compared with END.
    let footers = 4;
    let bitmap = u64::from(records).div_ceil(32768) * 4096;
    let index = u64::from(records) * 16;
    let headers_and_postfixes = u64::from(records) * (48 + 4);
    // Before the first record stand bytes of HEAD; behind the last one its postfix, and what a sequential reader goes on to.
    let bytes = footers * 512 + bitmap + index + headers_and_postfixes + 4 + 48;
    let reads = footers + 1 + index.div_ceil(64 << 10) + u64::from(records) + 2;
    assert_eq!(file.bytes.into_inner(), bytes);
    assert_eq!(file.reads.into_inner(), reads);
    assert_eq!(file.payload_bytes.into_inner(), 0);
}

#[test]
fn opening_300_000_records_reads_footers_bitmap_and_index() {
    let file = Generated::new(300_000);
    let reader = Reader::open(&file, &Cancel::new()).unwrap();
    // Of the records the last one's header, and what is behind it.
    assert_eq!(file.bytes.swap(0, Ordering::Relaxed), 2 * 512 + 10 * 4096 + 300_000 * 16 + 2 * 48);
    assert_eq!(file.payload_bytes.load(Ordering::Relaxed), 0);
    // One stretch, found without a look at each block of it, from anywhere in it.
    let begun = thread_time();
    for at in (0..reader.size()).step_by(BLOCK) {
        let end = 300_000 * BLOCK as u64;
        assert_eq!(reader.data_from(at).unwrap(), (at < end).then_some(Extent { start: at, end }));
    }
    let took = thread_time().saturating_sub(begun);
    assert!(took < Duration::from_secs(20), "took {took:?} of processor time");
    let mut bytes = vec![0; BLOCK];
    reader.read_at(&mut bytes, 299_999 * BLOCK as u64).unwrap();
    assert!(bytes == block(5));
}

/// A few bytes in a very large file of zeros.
struct Sparse {
    size: u64,
    pieces: Vec<(u64, Vec<u8>)>,
    bytes: AtomicU64,
}

impl ReadAt for Sparse {
    fn path(&self) -> &Path {
        Path::new("sparse.zvhd2")
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), SourceError> {
        assert!(offset + buf.len() as u64 <= self.size && buf.len() <= 1 << 20);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        buf.fill(0);
        let end = offset + buf.len() as u64;
        for (start, piece) in &self.pieces {
            let (from, to) = (offset.max(*start), end.min(start + piece.len() as u64));
            if from < to {
                let within = |at: u64, base: u64| usize::try_from(at - base).unwrap();
                buf[within(from, offset)..within(to, offset)]
                    .copy_from_slice(&piece[within(from, *start)..within(to, *start)]);
            }
        }
        Ok(())
    }
}

/// The most blocks for which the index reader, which counts segments in 32 bits, has any.
const MOST_BLOCKS: u32 = u32::MAX - 32_767;

/// 8 PiB in 131 071 segments of bitmap, with data at both ends.
#[test]
fn the_most_segments_that_the_fields_can_tell_of_are_looked_through() {
    let payload = compress(Method::Zstd, &block(6));
    let last = MOST_BLOCKS - 1;
    let small = Image::from_payloads(Method::Zstd, 8 << 20, vec![(0, payload.clone()), (3, payload)]);
    let mut image = small.clone().all(|f| {
        f.orig_size = u64::from(MOST_BLOCKS) * BLOCK as u64;
        f.curr_size = f.orig_size.next_multiple_of(1 << 30);
        f.geometry = disk::geometry(f.orig_size);
        f.max_blk_num = MOST_BLOCKS;
    });
    (image.records[1].header.curr_blk, image.entries[1].block) = (last, last);
    image.bitmap[0] = 1;
    image.end.bitmap_seg_num = 131_071;
    image.end.bitmap_size = 131_071 * 4096;
    let bytes = image.bytes();
    let end = bytes.len() - 4096;
    let bitmap = image.end.bitmap_lba;
    let size = bitmap + u64::from(image.end.bitmap_size) + 4096;
    let file = Sparse {
        size,
        pieces: vec![
            (0, bytes[..end].to_vec()),
            (bitmap + u64::from(last / 8), vec![1 << (last % 8)]),
            (size - 4096, bytes[end..].to_vec()),
        ],
        bytes: AtomicU64::new(0),
    };
    let checked = check(&file, Depth::Content, Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!(checked.report.findings(), []);
    let reader = Reader::open(&file, &Cancel::new()).unwrap();
    assert_eq!(reader.data_from(BLOCK as u64).unwrap().unwrap().start, u64::from(last) * BLOCK as u64);
    let mut bytes = vec![0; BLOCK];
    reader.read_at(&mut bytes, u64::from(last) * BLOCK as u64).unwrap();
    assert!(bytes == block(6));
    // The bitmap of 512 MiB by the checker, a few times, and by the reader.
    let bytes = file.bytes.into_inner();
    assert!(bytes < 4 << 30, "{bytes} bytes");
}
