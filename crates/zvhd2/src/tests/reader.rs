//! The reader: the right bytes wherever they are asked for, or an error that names the place.

use imsprep_ondisk::format::zvhd2::{self as disk, Footer};
use imsprep_source::{Cancel, DiskReader, Error as SourceError, Extent, MemoryImage, ReadAt, ReadAtExt};
use imsprep_testdata::{golden, verdicts};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::builder::{BLOCK, Image, block, compress, zvhd1};
use super::counting::Counting;
use crate::{Error, Method, Reader, Version};

fn memory(bytes: Vec<u8>) -> MemoryImage {
    MemoryImage::new("test.zvhd2", bytes)
}

fn open(source: &dyn ReadAt) -> Result<Reader<'_>, Error> {
    Reader::open(source, &Cancel::new())
}

/// Every data block with its number, ascending, by way of the stretches that the reader describes.
fn data_blocks(reader: &Reader<'_>) -> Result<Vec<(u64, Vec<u8>)>, SourceError> {
    let (mut at, mut blocks) = (0, Vec::new());
    while let Some(Extent { start, end }) = reader.data_from(at)? {
        assert!(start >= at && start < end && end <= reader.size());
        for number in start / BLOCK as u64..end.div_ceil(BLOCK as u64) {
            // What the disk does not expose of the last block is not there to be read.
            let from = number * BLOCK as u64;
            let mut bytes = vec![0; usize::try_from((reader.size() - from).min(BLOCK as u64)).unwrap()];
            reader.read_at(&mut bytes, from)?;
            blocks.push((number, bytes));
        }
        at = end;
    }
    Ok(blocks)
}

/// The sample image with a disk of no more than its 8 MiB, and what is on it.
fn small(method: Method) -> (Image, Vec<u8>) {
    let image = Image::sample(method).all(|f| f.curr_size = f.orig_size);
    let mut bytes = vec![0; 4 * BLOCK];
    for number in [0, 1, 3] {
        bytes[number * BLOCK..][..BLOCK].copy_from_slice(&block(u8::try_from(number).unwrap() + 1));
    }
    (image, bytes)
}

#[test]
fn reads_what_the_reference_reads_and_refuses_what_it_refuses() {
    let mut hashed = 0;
    for verdict in verdicts() {
        let file = memory(golden(&verdict.file).to_vec());
        let blocks = open(&file).map_err(|e| e.to_string()).and_then(|reader| {
            assert_eq!(
                verdict.orig_size.unwrap_or(reader.orig_size()),
                reader.orig_size(),
                "{}",
                verdict.file
            );
            data_blocks(&reader).map_err(|e| e.to_string())
        });
        // Version 1 has no index, and the sequential reader is its only one.
        let readable = verdict.index_reader.unwrap_or(verdict.sequential_reader);
        assert_eq!(blocks.is_ok(), readable, "{}: {:?}", verdict.file, blocks.err());
        let (Ok(blocks), Some(sha256)) = (blocks, verdict.sha256) else { continue };
        let mut hash = Sha256::new();
        for (number, bytes) in &blocks {
            hash.update(u32::try_from(*number).unwrap().to_le_bytes());
            hash.update(bytes);
        }
        let found = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(found, sha256, "{}", verdict.file);
        hashed += 1;
    }
    assert!(hashed >= 10, "only {hashed} files have a hash");
}

#[test]
fn version_1_holds_what_version_2_of_the_same_image_holds() {
    let (old, new) = (memory(golden("zvhd1_a_8m.zvhd").to_vec()), memory(golden("zstd_a_8m.zvhd2").to_vec()));
    let (old, new) = (open(&old).unwrap(), open(&new).unwrap());
    assert_eq!((old.version(), old.is_parallel()), (Version::Zvhd1, false));
    assert_eq!((new.version(), new.is_parallel()), (Version::Zvhd2, true));
    assert_eq!((old.orig_size(), old.size()), (new.orig_size(), new.size()));
    assert!(data_blocks(&old).unwrap() == data_blocks(&new).unwrap());
    // Backwards, too.
    for (number, bytes) in data_blocks(&new).unwrap().iter().rev() {
        let middle = number * BLOCK as u64 + 100_000;
        assert!(old.read_array::<4096>(middle).unwrap() == bytes[100_000..104_096]);
    }
}

#[test]
fn each_block_is_expanded_once_by_small_reads_one_after_the_other() {
    let payloads = [0, 1, 3].map(|b| (b, block(u8::try_from(b).unwrap() + 1)));
    let old = zvhd1(8 << 20, &payloads);
    for file in [small(Method::Zstd).0.bytes(), small(Method::Zlib).0.bytes(), old] {
        let source = Counting::new(file);
        let reader = open(&source).unwrap();
        source.take();
        let mut read = Vec::new();
        for at in (0..8 << 20).step_by(4096) {
            read.extend(reader.read_array::<4096>(at).unwrap());
        }
        assert!(read == small(Method::Zstd).1);
        assert_eq!(source.take().0, 3, "one read for each record");
    }
}

#[test]
fn many_threads_read_the_same_as_one() {
    let payloads = [0, 1, 3].map(|b| (b, block(u8::try_from(b).unwrap() + 1)));
    for file in [small(Method::Zstd).0.bytes(), zvhd1(8 << 20, &payloads)] {
        let (source, expected) = (memory(file), small(Method::Zstd).1);
        let reader = open(&source).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (reader, expected) = (&reader, &expected);
                scope.spawn(move || {
                    for turn in 0..24 {
                        let at = (turn * 7 + thread * 5) % 16 * (BLOCK / 4);
                        let mut bytes = vec![0xff; (8 << 20) - at];
                        reader.read_at(&mut bytes, at as u64).unwrap();
                        assert!(bytes == expected[at..]);
                    }
                });
            }
        });
    }
}

#[test]
fn the_containers_bitmap_becomes_the_block_map() {
    for row in verdicts().into_iter().filter(|row| row.index_reader == Some(true) && row.form == "canonical")
    {
        let bytes = golden(&row.file);
        let source = memory(bytes.to_vec());
        let map = open(&source).unwrap().block_map().unwrap();
        let end = Footer::decode(bytes[bytes.len() - 4096..].first_chunk().unwrap());
        assert_eq!(map.block_count(), u64::from(end.max_blk_num), "{}", row.file);
        let there = &bytes[usize::try_from(end.bitmap_lba).unwrap()..][..map.as_lsb_bytes().len()];
        assert_eq!(map.as_lsb_bytes(), there, "{}", row.file);
    }
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_read() {
    type Alter = fn(&mut Image);
    let cases: [(Alter, u64, &str); 6] = [
        (|i| i.records[1].payload[0] ^= 1, 48, "not a valid zstd stream"),
        (|i| i.records[1].payload.truncate(50), 48, "not a valid zstd stream"),
        (|i| i.records[1].header.curr_blk = 2, 16, "that of block 2"),
        (|i| i.records[1].header.size = 0, 12, "0 bytes is impossible"),
        (|i| i.records[1].header.size = u32::MAX, 12, "impossible"),
        (|i| i.entries[1].length = 60, 12, "does not fit into the record of 60 bytes"),
    ];
    for (number, (alter, within, what)) in cases.into_iter().enumerate() {
        let (image, expected) = small(Method::Zstd);
        let place = image.entries[1].offset;
        let source = memory(image.with(alter).bytes());
        let reader = open(&source).unwrap();
        // In part, whole, and in one read with others.
        for (at, length) in [(BLOCK + 5, 10), (BLOCK, BLOCK), (0, 4 * BLOCK)] {
            let error = reader.read_at(&mut vec![0; length], at as u64).unwrap_err();
            let SourceError::Damaged { path, offset, block, .. } = &error else {
                panic!("{number}: {error}")
            };
            assert_eq!((path.to_str(), *offset, *block), (Some("test.zvhd2"), place + within, 1), "{number}");
            assert!(error.to_string().contains(what), "{number}: {error}");
        }
        for good in [0, 3] {
            let mut bytes = vec![0; BLOCK];
            reader.read_at(&mut bytes, (good * BLOCK) as u64).unwrap();
            assert!(bytes == expected[good * BLOCK..][..BLOCK]);
        }
    }
}

#[test]
fn a_container_that_would_be_read_wrongly_is_not_opened() {
    type Alter = fn(Image) -> Vec<u8>;
    let cases: [(Alter, &str); 12] = [
        (|i| i.with(|i| i.entries.swap(0, 1)).bytes(), "ZV-046"),
        (|i| i.with(|i| i.entries[1].block = 2).bytes(), "ZV-047"),
        (|i| i.with(|i| i.entries[1].block = 0).bytes(), "ZV-048"),
        (|i| i.with(|i| i.entries[1].offset = u64::MAX).bytes(), "ZV-049"),
        (|i| i.with(|i| i.end.index_lba = u64::MAX).bytes(), "ZV-032"),
        (|i| i.with(|i| i.end.bitmap_lba = 0).bytes(), "ZV-033"),
        (|i| i.with(|i| i.bitmap[0] |= 0x10).bytes(), "ZV-044"),
        (|i| i.all(|f| f.compress_method = 7).bytes(), "ZV-017"),
        (|i| i.all(|f| f.block_size = 1 << 20).bytes(), "ZV-018"),
        (|i| i.all(|f| f.curr_size = 6 << 20).bytes(), "ZV-028"),
        (|i| [i.bytes(), vec![0; 4096]].concat(), "ZV-004"),
        (|i| i.bytes()[..70_000].to_vec(), "ZV-003"),
    ];
    for (alter, code) in cases {
        let source = memory(alter(Image::sample(Method::Zstd)));
        let error = open(&source).err().unwrap_or_else(|| panic!("{code}"));
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("test.zvhd2: ") && text.contains(code) && text.contains("offset"), "{text}");
    }
    let source = memory(b"not at all".to_vec());
    assert!(matches!(open(&source).err(), Some(Error::NotZvhd2 { .. })));
}

#[test]
fn an_index_by_block_number_is_read() {
    let (image, expected) = small(Method::Zstd);
    let source = memory(image.by_block().bytes());
    let mut bytes = vec![0xff; 8 << 20];
    open(&source).unwrap().read_at(&mut bytes, 0).unwrap();
    assert!(bytes == expected);
}

#[test]
fn what_is_beyond_the_disk_is_not_read() {
    let source = memory(small(Method::Zstd).0.bytes());
    let reader = open(&source).unwrap();
    assert_eq!(reader.read_array::<1>((8 << 20) - 1).unwrap(), [0]);
    for (offset, length) in [(8 << 20, 1), ((8 << 20) - 1, 2), (u64::MAX, 1), (u64::MAX - 1, 5)] {
        let error = reader.read_at(&mut vec![0; length], offset).unwrap_err();
        assert!(matches!(error, SourceError::UnexpectedEnd { offset: 8_388_608, .. }), "{error}");
    }
    reader.read_at(&mut [], 8 << 20).unwrap();
    assert_eq!(reader.data_from(8 << 20).unwrap(), None);
}

/// The last block of a disk that ends within it.
#[test]
fn the_last_block_is_cut_where_the_disk_ends() {
    let payload = compress(Method::Zstd, &block(7));
    let image =
        Image::from_payloads(Method::Zstd, 3 << 20, vec![(0, payload)]).all(|f| f.curr_size = 3 << 20);
    let source = memory(image.bytes());
    let reader = open(&source).unwrap();
    assert_eq!(reader.data_from(100).unwrap(), Some(Extent { start: 100, end: 2 << 20 }));
    let old = memory(zvhd1(1 << 30, &[(511, block(7))]));
    assert_eq!(open(&old).unwrap().data_from(0).unwrap(), Some(Extent { start: 1022 << 20, end: 1 << 30 }));
}

#[test]
fn version_1_is_walked_as_the_reference_walks_it() {
    let blocks = [1, 4, 5].map(|b| (b, block(u8::try_from(b).unwrap())));
    let good = zvhd1(20 << 20, &blocks);
    let records = good.windows(12).enumerate().filter(|(_, w)| *w == disk::RECORD_PREFIX).map(|(at, _)| at);
    let records = records.collect::<Vec<_>>();
    assert_eq!(records.len(), 3);
    let end = good.len() - 4096;
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = good.clone();
        change(&mut file);
        memory(file)
    };
    let refused = [
        (with(&|f| f[65] ^= 1), 64, "checksum"),
        (with(&|f| f.truncate(end)), end, "without an END footer"),
        (with(&|f| f.truncate(end + 500)), end, "truncated"),
        (with(&|f| f[end] = b'S'), end, "neither a record nor"),
        (with(&|f| f[records[1]] = 0), records[1], "neither a record nor"),
        (with(&|f| f[records[1] + 16] = 1), records[1] + 16, "not above"),
        (with(&|f| f[records[2] + 17] = 0xff), records[2] + 16, "beyond the disk"),
        (with(&|f| f[records[1] + 15] = 0xff), records[1] + 12, "impossible"),
        (with(&|f| f[records[2] - 4] = 0), records[2] - 4, "does not end"),
    ];
    for (source, at, what) in refused {
        let error = open(&source).err().unwrap_or_else(|| panic!("{what}"));
        let Error::Unreadable { offset, .. } = error else { panic!("{error}") };
        assert_eq!(offset, at as u64, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    // Bytes after END mean nothing to it, and END's own checksum neither.
    for source in [with(&|f| f.extend([7; 5000])), with(&|f| f[end + 64] ^= 1)] {
        assert_eq!(data_blocks(&open(&source).unwrap()).unwrap().len(), 3);
    }
}

#[test]
fn of_version_1_everything_before_the_damage_is_read_and_nothing_after_it() {
    let blocks = [1, 4, 5].map(|b| (b, block(u8::try_from(b).unwrap())));
    let mut file = zvhd1(20 << 20, &blocks);
    let second = file.windows(12).enumerate().filter(|(_, w)| *w == disk::RECORD_PREFIX).nth(1).unwrap().0;
    file[second + 60] ^= 0xff;
    file[second + 61] ^= 0xff;
    let source = memory(file);
    let reader = open(&source).unwrap();
    let read = |number: u64| {
        let mut bytes = vec![0; BLOCK];
        reader.read_at(&mut bytes, number * BLOCK as u64).map(|()| bytes)
    };
    for number in [4, 1, 5, 4, 2, 1] {
        match read(number) {
            Ok(bytes) => assert!(bytes == if number == 1 { block(1) } else { vec![0; BLOCK] }, "{number}"),
            Err(SourceError::Damaged { block: 4, offset, .. }) => {
                assert_eq!(offset, second as u64 + 48);
                assert!(number >= 4, "{number}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(read(4).is_err() && read(5).is_err());
    // A fresh stream for each record is no version 1.
    let mut file = zvhd1(20 << 20, &blocks[..1]);
    let again = zvhd1(20 << 20, &[(2, block(2))]);
    file.splice(file.len() - 4096.., again[4096..].iter().copied());
    let source = memory(file);
    assert!(data_blocks(&open(&source).unwrap()).is_err());
}

#[test]
fn cancelling_stops_the_opening() {
    let cancel = Cancel::new();
    cancel.cancel();
    let source = memory(Image::sample(Method::Zstd).bytes());
    let error = Reader::open(&source, &cancel).err().unwrap();
    assert!(matches!(error, Error::Source(SourceError::Cancelled)), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_read_anywhere_agrees_with_the_whole_disk(zlib in any::<bool>(),
            reads in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..8)) {
        let (image, expected) = small(if zlib { Method::Zlib } else { Method::Zstd });
        let source = memory(image.bytes());
        let reader = open(&source).unwrap();
        for (start, length) in reads {
            let start = start.index(expected.len() + 1);
            let mut bytes = vec![0xff; length.index(expected.len() - start + 1)];
            reader.read_at(&mut bytes, start as u64).unwrap();
            prop_assert!(bytes == expected[start..][..bytes.len()]);
        }
    }

    #[test]
    fn stretches_agree_with_a_list_of_blocks(bits in prop::collection::vec(any::<bool>(), 1..60)) {
        let payload = compress(Method::Zstd, &block(1));
        let numbers = (0_u32..).zip(&bits).filter(|(_, data)| **data).map(|(number, _)| (number, payload.clone()));
        let size = (bits.len() * BLOCK) as u64;
        let image = Image::from_payloads(Method::Zstd, size, numbers.collect()).all(|f| f.curr_size = size);
        let source = memory(image.bytes());
        let reader = open(&source).unwrap();
        for at in (0..size).step_by(BLOCK / 2) {
            let first = usize::try_from(at).unwrap() / BLOCK;
            let start = (first..bits.len()).find(|b| bits[*b]);
            let expected = start.map(|start| Extent {
                start: at.max((start * BLOCK) as u64),
                end: ((start..bits.len()).find(|b| !bits[*b]).unwrap_or(bits.len()) * BLOCK) as u64,
            });
            prop_assert_eq!(reader.data_from(at).unwrap(), expected);
        }
    }
}
