//! What the writer makes of the disks that the reference was given, against what the reference made of them.

use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_ondisk::format::zvhd2::{self as disk, Footer};
use imsprep_source::{
    BlockMap, BlockSize, Cancel, DiskReader, Error as SourceError, Extent, MemoryImage, Progress, ReadAt,
    StreamOutput, Work, is_zero,
};
use imsprep_testdata::golden_without_garbage;
use proptest::prelude::*;

use super::builder::BLOCK;
use super::codes;
use super::container::{Payloads, canonical_files};
use crate::{Checksums, Depth, Error, Expander, Label, Level, Method, WriteOptions, Written, check, write};

/// A disk of which some blocks hold data: what was in a golden file, without the gigabytes of zeros. Counts the bytes read.
struct Sparse {
    size: u64,
    blocks: std::collections::BTreeMap<u64, Vec<u8>>,
    /// A block that can't be read.
    bad_block: Option<u64>,
    read: AtomicU64,
}

impl Sparse {
    fn new(size: u64, blocks: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Self {
        Self { size, blocks: blocks.into_iter().collect(), bad_block: None, read: AtomicU64::new(0) }
    }

    /// The disk of a golden file.
    fn expanded(label: &Label, payloads: &Payloads) -> Self {
        let mut expander = Expander::new(label.method, BLOCK);
        Self::new(
            label.orig_size,
            payloads.iter().map(|(number, payload)| {
                let mut block = vec![0; BLOCK];
                expander.expand(payload, &mut block).unwrap();
                (u64::from(*number), block)
            }),
        )
    }

    fn map(&self) -> BlockMap {
        let mut map = BlockMap::zeroed(self.path(), self.size, BlockSize::MIB_2).unwrap();
        self.blocks.keys().for_each(|number| map.set(*number, true));
        map
    }
}

impl ReadAt for Sparse {
    fn path(&self) -> &std::path::Path {
        std::path::Path::new("sparse.raw")
    }

    fn size(&self) -> u64 {
        self.size
    }

    /// Only within one block, and only where there is data: the writer has no business elsewhere.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), SourceError> {
        assert!(offset + buf.len() as u64 <= self.size);
        let number = offset / BLOCK as u64;
        if self.bad_block == Some(number) {
            return Err(SourceError::UnexpectedEnd { path: self.path().to_owned(), offset });
        }
        let block = &self.blocks[&number];
        let start = usize::try_from(offset % BLOCK as u64).unwrap();
        buf.copy_from_slice(&block[start..start + buf.len()]);
        self.read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl DiskReader for Sparse {
    fn data_from(&self, _offset: u64) -> Result<Option<Extent>, SourceError> {
        unreachable!("the map says where data is")
    }
}

fn write_to_memory(disk: &Sparse, options: &WriteOptions, threads: usize) -> (Vec<u8>, Written) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut out = StreamOutput::new("memory", Vec::new());
    let write = || write(disk, &disk.map(), options, &mut out, Work::new(&(), &Cancel::new()));
    let (written, checksums) = pool.install(write).unwrap();
    let sums = checksums.unwrap();
    assert_eq!(sums.blocks().count() as u64, written.records);
    for (number, block) in disk.blocks.iter().filter(|(_, block)| !is_zero(block)) {
        assert_eq!(sums.get(*number), Some(Checksums::of_block(block)), "{number}");
    }
    (out.finish().unwrap(), written)
}

const OPTIONS: WriteOptions =
    WriteOptions { level: Level::REFERENCE, timestamp: 0, uuid: [0; 16], checksums: true };

fn options_of(label: &Label) -> WriteOptions {
    WriteOptions { timestamp: label.timestamp, uuid: label.uuid, ..OPTIONS }
}

/// Whether the libzstd in use makes the payloads that the reference's made.
fn libzstd_is_the_references() -> bool {
    (10502..=10505).contains(&zstd::zstd_safe::version_number())
}

/// With a libzstd of the reference's versions, all bytes; else, all but the payloads' bytes and lengths and what follows
/// from their lengths. CI runs this with both.
#[test]
fn the_disks_of_the_reference_become_the_files_of_the_reference() {
    let exact = std::env::var_os("IMSPREP_EXACT_LIBZSTD").is_some();
    assert!(!exact || libzstd_is_the_references(), "libzstd {}", zstd::zstd_safe::version_number());
    let mut compared = 0;
    for (name, label, payloads) in canonical_files().into_iter().filter(|(_, l, _)| l.method == Method::Zstd)
    {
        let disk = Sparse::expanded(&label, &payloads);
        for threads in [1, 4] {
            let (ours, written) = write_to_memory(&disk, &options_of(&label), threads);
            assert_eq!(written.file_size, ours.len() as u64, "{name}");
            let theirs = golden_without_garbage(&name);
            if libzstd_is_the_references() {
                let first = ours.iter().zip(&theirs).position(|(a, b)| a != b);
                assert_eq!((first, ours.len()), (None, theirs.len()), "{name}: the first byte that differs");
            } else {
                assert_same_but_payloads(&name, &ours, &theirs);
            }
        }
        compared += 1;
    }
    assert!(compared >= 13, "{compared}");
}

/// A canonical file with each payload replaced by the block it holds, and zeros for what follows from payloads' lengths,
/// once that was seen to be right.
fn with_blocks_for_payloads(name: &str, file: &[u8]) -> Vec<u8> {
    let number = |bytes: usize| u64::try_from(bytes).unwrap();
    let mut rest = &file[4096..];
    let mut form = file[..4096].to_vec();
    let mut places = Vec::new();
    if let Some(end_at) = file.len().checked_sub(4096).filter(|end_at| *end_at > 0) {
        let end = Footer::decode(file[end_at..].first_chunk().unwrap());
        let method = if end.compress_method == disk::METHOD_ZSTD { Method::Zstd } else { Method::Zlib };
        let mut expander = Expander::new(method, BLOCK);
        let mut block = vec![0; BLOCK];
        for _ in 0..end.non_zero_blk_num {
            let mut header = disk::RecordHeader::decode(rest.first_chunk().unwrap());
            let length = usize::try_from(header.record_length()).unwrap();
            let (record, after) = rest.split_at(length);
            let (payload, gap) = record[48..length - 4].split_at(header.size as usize);
            assert!(gap.iter().all(|byte| *byte == 0), "{name}");
            assert_eq!(expander.expand(payload, &mut block), Ok(vec![]), "{name}");
            places.push((number(file.len() - rest.len()), header.curr_blk, number(length)));
            header.size = 0;
            form.extend(header.encode());
            form.extend(&block);
            form.extend(&record[length - 4..]);
            rest = after;
        }
        form.extend(&rest[..4096]);
        assert_eq!(end.index_lba, number(file.len() - rest.len()) + 4096, "{name}");
        assert_eq!(end.bitmap_lba, end.index_lba + u64::from(end.index_size), "{name}");
        let (mut index, after) = rest[4096..].split_at(end.index_size as usize);
        for (offset, block, length) in places {
            let (entry, others) = index.split_first_chunk().unwrap();
            let entry = disk::IndexEntry::decode(entry);
            assert_eq!((entry.offset, entry.block, entry.length.into()), (offset, block, length), "{name}");
            index = others;
        }
        form.extend(index);
        form.extend(&after[..after.len() - 4096]);
        assert_eq!(end.clone().sealed(), end, "{name}");
        let same = Footer { index_lba: 0, bitmap_lba: 0, checksum: 0, ..end };
        form.extend(same.encode());
        form.extend(&after[after.len() - 4096 + Footer::SIZE..]);
    }
    form
}

fn assert_same_but_payloads(name: &str, ours: &[u8], theirs: &[u8]) {
    let (ours, theirs) = (with_blocks_for_payloads(name, ours), with_blocks_for_payloads(name, theirs));
    let first = ours.iter().zip(&theirs).position(|(a, b)| a != b);
    assert_eq!((first, ours.len()), (None, theirs.len()), "{name}: the first byte that differs");
}

#[test]
fn a_disk_that_comes_from_a_zlib_file_becomes_the_zstd_file() {
    let files = canonical_files();
    let mut compared = 0;
    for (name, label, payloads) in files.iter().filter(|(_, label, _)| label.method == Method::Zlib) {
        let twin = name.replace("zlib_", "zstd_");
        let Some((_, twin_label, _)) = files.iter().find(|(n, l, _)| *n == twin && l.method == Method::Zstd)
        else {
            continue;
        };
        let (ours, _) = write_to_memory(&Sparse::expanded(label, payloads), &options_of(twin_label), 2);
        assert_same_but_payloads(name, &ours, &golden_without_garbage(&twin));
        compared += 1;
    }
    assert_eq!(compared, 3);
}

/// A block of bytes that do not repeat, or of few that do.
fn block_of(seed: u64, noisy: bool) -> Vec<u8> {
    let mut state = seed | 1;
    let byte = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 56) as u8
    };
    if noisy {
        (0..BLOCK).map(|_| byte(&mut state)).collect()
    } else {
        [byte(&mut state) | 1, 0].repeat(BLOCK / 2)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_is_written_has_no_fault_and_does_not_depend_on_the_threads(
        blocks in prop::collection::btree_map(0u64..40, (any::<u64>(), any::<bool>()), 0..12),
        level in prop::sample::select(vec![1, 3, 6]),
        tail in 0u64..(2 << 20),
    ) {
        let last = blocks.keys().last().copied().unwrap_or(0);
        let mut disk = Sparse::new(
            (last + 1) * BLOCK as u64 + tail,
            blocks.iter().map(|(number, (seed, noisy))| (*number, block_of(*seed, *noisy))),
        );
        let options = WriteOptions { level: Level::new(level).unwrap(), timestamp: 5, uuid: [9; 16], ..OPTIONS };
        let (file, written) = write_to_memory(&disk, &options, 3);
        prop_assert_eq!(written.records, blocks.len() as u64);
        prop_assert_eq!(disk.read.swap(0, Ordering::Relaxed), (blocks.len() * BLOCK) as u64);
        prop_assert!(write_to_memory(&disk, &options, 1).0 == file);
        let checked = check(&MemoryImage::new("x", file.clone()), Depth::Content, Work::new(&(), &Cancel::new())).unwrap();
        prop_assert_eq!(codes(&checked), [""; 0]);

        // What the records hold is what was on the disk.
        let mut expander = Expander::new(Method::Zstd, BLOCK);
        let mut at = 4096;
        for (number, block) in &disk.blocks {
            let header = disk::RecordHeader::decode(file[at..].first_chunk().unwrap());
            let mut again = vec![0; BLOCK];
            expander.expand(&file[at + 48..][..header.size as usize], &mut again).unwrap();
            prop_assert!(u64::from(header.curr_blk) == *number && again == *block);
            at += usize::try_from(header.record_length()).unwrap();
        }

        // A map that has zero blocks as data makes the same file.
        for number in 0..=last {
            disk.blocks.entry(number).or_insert_with(|| vec![0; BLOCK]);
        }
        prop_assert!(write_to_memory(&disk, &options, 2).0 == file);
    }
}

/// Stops the work when so many bytes are done.
struct StopAt<'a>(AtomicU64, u64, &'a Cancel);

impl Progress for StopAt<'_> {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, bytes: u64) {
        if self.0.fetch_add(bytes, Ordering::SeqCst) + bytes >= self.1 {
            self.2.cancel();
        }
    }
    fn finish(&self) {}
}

#[test]
fn a_stop_a_bad_read_and_a_full_output_end_the_work() {
    let blocks = (0..40).map(|number| (number, block_of(number, true)));
    let mut disk = Sparse::new(80 << 20, blocks);
    let map = disk.map();

    let cancel = Cancel::new();
    let stop = StopAt(AtomicU64::new(0), 6 << 20, &cancel);
    let mut out = StreamOutput::new("memory", Vec::new());
    let error = write(&disk, &map, &OPTIONS, &mut out, Work::new(&stop, &cancel)).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::Cancelled)), "{error}");
    // So does a stop that comes with the last block.
    let cancel = Cancel::new();
    let stop = StopAt(AtomicU64::new(0), 80 << 20, &cancel);
    let error = write(&disk, &map, &OPTIONS, &mut out, Work::new(&stop, &cancel)).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::Cancelled)), "{error}");

    let mut room = vec![0; 9 << 20];
    let mut out = StreamOutput::new("a small device", &mut room[..]);
    let error = write(&disk, &map, &OPTIONS, &mut out, Work::new(&(), &Cancel::new())).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::Stream { .. })), "{error}");

    disk.bad_block = Some(30);
    let mut out = StreamOutput::new("memory", Vec::new());
    let error = write(&disk, &map, &OPTIONS, &mut out, Work::new(&(), &Cancel::new())).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::UnexpectedEnd { offset: 62_914_560, .. })), "{error}");
}
