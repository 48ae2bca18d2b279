//! Files that want to cost memory or time, and files that are broken anywhere.

use std::sync::atomic::{AtomicU64, Ordering};

use flate2::{Compress, Compression, FlushCompress};
use imsprep_ondisk::format::zvhd2::{IndexEntry, RecordHeader};
use imsprep_source::{Cancel, Error as SourceError, MemoryImage, ReadAt, Work};
use proptest::prelude::*;
use std::path::Path;

use super::builder::{BLOCK, Image, block, compress};
use super::counting::Counting;
use super::look;
use crate::rules::*;
use crate::{Depth, Error, ExpandError, Expander, Method, check};

/// Reads that a small file takes at most, far fewer than what a hostile one asks for.
const READS: u64 = 200_000;

/// Checks with few reads, and finds an error.
fn refused_soon(bytes: &[u8]) -> crate::CheckedContainer {
    let image = Counting::new(bytes.to_vec());
    let checked = check(&image, Depth::Content, Work::new(&(), &Cancel::new())).unwrap();
    let (reads, _) = image.take();
    assert!(reads < READS, "{reads} reads");
    assert!(checked.report.has_errors());
    checked
}

#[test]
fn counts_near_the_limits_are_refused() {
    let sample = || Image::sample(Method::Zstd);
    let max = |change: fn(&mut imsprep_ondisk::format::zvhd2::Footer)| sample().all(change).bytes();
    let files = [
        max(|f| f.max_blk_num = u32::MAX),
        max(|f| (f.orig_size, f.curr_size) = (u64::MAX, u64::MAX - 1)),
        max(|f| (f.orig_size, f.curr_size, f.max_blk_num) = (u64::MAX, u64::MAX, u32::MAX)),
        sample().with(|i| i.end.index_lba = u64::MAX).bytes(),
        sample().with(|i| (i.end.index_lba, i.end.index_contains_zero_blk) = (u64::MAX - 4095, 1)).bytes(),
        sample().with(|i| i.entries[0].offset = u64::MAX).bytes(),
        sample().with(|i| i.entries[0].length = u32::MAX).bytes(),
        sample().with(|i| i.entries[0].block = u32::MAX).bytes(),
        sample().with(|i| i.records[2].header.size = u32::MAX).bytes(),
    ];
    for file in files {
        refused_soon(&file);
    }
    // Numbers that no reader uses.
    let all = sample().with(|i| {
        let end = &mut i.end;
        (end.index_size, end.index_seg_num, end.index_seg_size) = (u32::MAX, u32::MAX, u32::MAX);
        (end.bitmap_size, end.bitmap_seg_num, end.bitmap_seg_size) = (u32::MAX, u32::MAX, u32::MAX);
    });
    assert!(!look(&all.bytes(), Depth::Content).report.has_errors());
}

#[test]
fn a_record_that_lies_about_its_length_leads_no_finding_out_of_the_file() {
    let file = Image::sample(Method::Zstd).with(|i| i.records[2].header.size = u32::MAX).bytes();
    let checked = refused_soon(&file);
    let beyond =
        |finding: &&imsprep_findings::Finding| finding.offset.is_some_and(|at| at > file.len() as u64);
    assert_eq!(checked.report.count_of(&MID_MISSING), 1);
    assert_eq!(checked.report.findings().iter().find(beyond), None);
}

/// Many index entries that all point to one record, with the lengths that might hide it.
#[test]
fn entries_with_one_offset_are_expanded_once() {
    for length in [0, 4096, 8192] {
        let count = 40_000_u32;
        let payload = compress(Method::Zstd, &block(3));
        let mut image = Image::from_payloads(Method::Zstd, 128 << 30, vec![(0, payload)]);
        let first = IndexEntry { length, ..image.entries[0] };
        image.entries = (0..count).map(|block| IndexEntry { block, ..first }).collect();
        image.bitmap[..count as usize / 8].fill(0xff);
        image.end.bitmap_lba = image.end.index_lba + 2 * 524_288;
        let checked = refused_soon(&image.bytes());
        assert_eq!(checked.report.count_of(&RECORD_OVERLAP), u64::from(count) - 1);
        assert!(checked.report.findings().len() < 1000);
    }
}

/// Records that begin within each other's payload.
#[test]
fn records_within_records_are_expanded_once() {
    let mut image = Image::from_payloads(Method::Zstd, 8 << 30, vec![(0, vec![0x11; 3 << 20])]);
    let end = image.entries[0].length;
    let mut header = image.records[0].header.clone();
    let mut entries = image.entries.clone();
    for (page, block) in image.records[0].payload.chunks_exact_mut(4096).zip(1..=700) {
        header.curr_blk = block;
        header.size = 2 << 20;
        page[4048..].copy_from_slice(&header.encode());
        entries.push(IndexEntry { offset: 4096 * (u64::from(block) + 1), block, length: end });
    }
    image.entries = entries;
    image.bitmap[..88].fill(0xff);
    let checked = refused_soon(&image.bytes());
    assert!(checked.report.count_of(&RECORD_OVERLAP) + checked.report.count_of(&ENTRY_BOUNDS) >= 700);
}

#[test]
fn bombs_stop_after_one_block() {
    let zeros = vec![0; 64 << 20];
    let zstd = compress(Method::Zstd, &zeros);
    let mut zlib = Vec::with_capacity(1 << 20);
    Compress::new(Compression::new(9), true).compress_vec(&zeros, &mut zlib, FlushCompress::Sync).unwrap();
    for (method, payload) in [(Method::Zstd, zstd), (Method::Zlib, zlib)] {
        let mut block = vec![0; BLOCK + 1];
        block[BLOCK] = 0xaa;
        let error = Expander::new(method, BLOCK).expand(&payload, &mut block).unwrap_err();
        assert_eq!(error, ExpandError::Long { block_size: BLOCK });
        assert_eq!(block[BLOCK], 0xaa, "wrote past the block");
    }
}

#[test]
fn an_expander_is_as_good_after_an_error() {
    for method in [Method::Zstd, Method::Zlib] {
        let mut expander = Expander::new(method, BLOCK);
        let mut out = vec![0; BLOCK];
        let good = compress(method, &block(8));
        for bad in [&[][..], &good[..good.len() / 2], &[0xff; 100], &[good.clone(), good.clone()].concat()] {
            assert!(expander.expand(bad, &mut out).is_err());
            assert_eq!(expander.expand(&good, &mut out), Ok(vec![]));
            assert!(out == block(8));
        }
    }
}

#[test]
fn cut_off_anywhere_it_is_refused() {
    let bytes = Image::sample(Method::Zstd).bytes();
    let end = bytes.len();
    let near = [1, 4096, 8192, 12288, 16384, 20480, end - 540_672, end - 4096, end - 8192, end - 1];
    for cut in near.into_iter().flat_map(|at| [at - 1, at, at + 1]).filter(|at| (6..end).contains(at)) {
        refused_soon(&bytes[..cut]);
    }
    for cut in 0..6 {
        let image = MemoryImage::new("x", bytes[..cut].to_vec());
        let error = check(&image, Depth::Content, Work::new(&(), &Cancel::new())).unwrap_err();
        assert!(matches!(error, Error::NotZvhd2 { .. }), "{error}");
    }
}

#[test]
fn cancelling_stops_the_check() {
    let cancel = Cancel::new();
    cancel.cancel();
    let image = MemoryImage::new("x", Image::sample(Method::Zstd).bytes());
    let error = check(&image, Depth::Content, Work::new(&(), &cancel)).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::Cancelled)), "{error}");
}

/// 256 TiB of disk whose every block is data, with an index of zeros: a sparse file could claim that.
struct Endless {
    image: Image,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl ReadAt for Endless {
    fn path(&self) -> &Path {
        Path::new("endless")
    }

    fn size(&self) -> u64 {
        let end = &self.image.end;
        end.bitmap_lba + u64::from(end.bitmap_size) + 4096
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), SourceError> {
        assert!(buf.len() <= 1 << 20, "asked for {} bytes at once", buf.len());
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        buf.fill(if offset >= self.image.end.bitmap_lba { 0xff } else { 0 });
        let footer = match offset {
            0 => &self.image.head,
            _ if offset + 4096 == self.size() => &self.image.end,
            _ => return Ok(()),
        };
        let encoded = footer.clone().sealed().encode();
        buf.copy_from_slice(&encoded[..buf.len()]);
        Ok(())
    }
}

#[test]
fn a_disk_of_data_without_end_is_looked_at_in_part() {
    let mut image = Image::from_payloads(Method::Zstd, 256 << 40, vec![]);
    let end = &mut image.end;
    end.index_seg_num = end.bitmap_seg_num;
    // More than u32 bytes would be needed; the index reader does not look at it.
    end.index_size = 0;
    end.bitmap_lba = end.index_lba + u64::from(end.max_blk_num) * 16;
    end.non_zero_blk_num = end.max_blk_num;
    let bitmap = u64::from(end.bitmap_size);
    let source = Endless { image, reads: AtomicU64::new(0), bytes: AtomicU64::new(0) };
    let checked = check(&source, Depth::Content, Work::new(&(), &Cancel::new())).unwrap();
    // The bitmap a few times, and of the entries and records a bounded number.
    let (reads, bytes) = (source.reads.into_inner(), source.bytes.into_inner());
    assert!(reads < 1 << 22 && bytes < 4 * bitmap + (1 << 28), "{reads} reads, {bytes} bytes of {bitmap}");
    assert!(checked.report.has_errors());
    assert!(checked.report.not_checked()[0].what.contains("records"), "{:?}", checked.report.not_checked());
    assert_eq!(checked.info.data_blocks, Some(128 << 20));
}

fn many_records(count: u32) -> Image {
    let payload = compress(Method::Zstd, &block(5));
    let payloads = (0..count).map(|block| (block, payload.clone())).collect();
    Image::from_payloads(Method::Zstd, u64::from(count) * BLOCK as u64, payloads)
}

#[test]
fn structure_reads_52_bytes_of_a_record_and_16_of_its_entry() {
    let read = |records| {
        let image = Counting::new(many_records(records).bytes());
        assert_eq!(
            check(&image, Depth::Structure, Work::new(&(), &Cancel::new())).unwrap().report.findings(),
            []
        );
        image.take()
    };
    let ((reads, bytes), (more_reads, more_bytes)) = (read(100), read(300));
    assert_eq!((more_reads - reads, more_bytes - bytes), (200, 200 * (52 + 16)));
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let mut image = many_records(150);
    for (i, record) in image.records.iter_mut().enumerate().filter(|(i, _)| i % 3 != 0) {
        record.payload[i % 20] ^= 0x55;
        record.header.reserved[i % 28] = 1;
    }
    image.end.features = 9;
    let bytes = image.bytes();
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| look(&bytes, Depth::Content).report)
    };
    let one = with_threads(1);
    for threads in [2, 3, 8] {
        assert_eq!(with_threads(threads), one);
    }
    assert!(one.findings().is_sorted_by_key(|f| f.offset));
    assert_eq!(one.count_of(&RECORD_RESERVED), 100);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Half of the flips go where structures are; everywhere else is mostly unused index.
    #[test]
    fn flipped_bytes_never_panic(zlib in any::<bool>(),
                                 flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..6_u8), 1..6)) {
        let method = if zlib { Method::Zlib } else { Method::Zstd };
        let image = Image::sample(method);
        let (index, bitmap) = (image.end.index_lba, image.end.bitmap_lba);
        let mut bytes = image.bytes();
        let end = bytes.len() - 4096;
        for (place, value, region) in flips {
            let (start, length) = match region {
                0 => (0, 142),
                1 => (end, 142),
                2 => (usize::try_from(index).unwrap(), 48),
                3 => (usize::try_from(bitmap).unwrap(), 2),
                4 => (4096, 3 * 4096 + RecordHeader::SIZE),
                _ => (0, bytes.len()),
            };
            bytes[start + place.index(length)] = value;
        }
        // With the checksum fixed, so that no check may rely on it.
        let sum = imsprep_ondisk::format::zvhd2::checksum(bytes[end..].first_chunk().unwrap());
        bytes[end + 64..end + 68].copy_from_slice(&sum.to_le_bytes());
        let image = Counting::new(bytes);
        for depth in [Depth::Structure, Depth::Content] {
            match check(&image, depth, Work::new(&(), &Cancel::new())) {
                Ok(_) | Err(Error::NotZvhd2 { .. }) => {}
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
        prop_assert!(image.take().0 < READS);
    }
}
