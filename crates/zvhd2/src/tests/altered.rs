//! Altered files of kinds that the golden set lacks, each with the verdict that the format implies: what the checker
//! finds, and what the reader makes of it.

use flate2::{Compress, Compression, FlushCompress};
use imsprep_ondisk::format::zvhd2::IndexEntry;
use imsprep_source::{Cancel, DiskReader, MemoryImage, ReadAt, Work};
use proptest::prelude::*;

use super::builder::{BLOCK, Image, block, compress, zlib};
use super::{codes, look};
use crate::{Depth, Error, Method, Reader};

/// What the reader makes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It reads every block.
    Reads,
    /// It does not open it.
    Refuses,
    /// It reads all but these blocks.
    AllBut(&'static [u64]),
}

use Reading::{AllBut, Reads, Refuses};

fn reading(bytes: &[u8]) -> (Reading, Vec<u64>) {
    let source = MemoryImage::new("altered.zvhd2", bytes.to_vec());
    let reader = match Reader::open(&source, &Cancel::new()) {
        Ok(reader) => reader,
        Err(Error::Unreadable { .. }) => return (Refuses, vec![]),
        Err(error) => panic!("{error}"),
    };
    let mut damaged = Vec::new();
    for (number, result) in each_block(&reader) {
        match result {
            Ok(_) => {}
            Err(imsprep_source::Error::Damaged { block, .. }) => {
                assert_eq!(block, number);
                damaged.push(number);
            }
            Err(error) => panic!("{error}"),
        }
    }
    (Reads, damaged)
}

/// Every data block on the disk.
fn each_block<'a>(
    reader: &'a Reader<'_>,
) -> impl Iterator<Item = (u64, imsprep_source::Result<Vec<u8>>)> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = reader.data_from(at).unwrap()?.start;
        let mut bytes = vec![0; usize::try_from((reader.size() - start).min(BLOCK as u64)).unwrap()];
        at = start + bytes.len() as u64;
        let result = reader.read_at(&mut bytes, start);
        Some((start / BLOCK as u64, result.map(|()| bytes)))
    })
}

fn one(method: Method, payload: Vec<u8>) -> Vec<u8> {
    Image::from_payloads(method, 8 << 20, vec![(2, payload)]).bytes()
}

/// 64 MiB of zeros, compressed to a few KiB.
fn bomb(method: Method) -> Vec<u8> {
    let zeros = vec![0; 64 << 20];
    match method {
        Method::Zstd => compress(method, &zeros),
        Method::Zlib => {
            let mut payload = Vec::with_capacity(1 << 20);
            let mut stream = Compress::new(Compression::new(9), true);
            stream.compress_vec(&zeros, &mut payload, FlushCompress::Sync).unwrap();
            payload
        }
    }
}

fn sample(change: impl FnOnce(&mut Image)) -> Vec<u8> {
    Image::sample(Method::Zstd).with(change).bytes()
}

/// A record whole within the payload of another.
fn record_in_record() -> Vec<u8> {
    let inner = Image::from_payloads(Method::Zstd, 8 << 20, vec![(1, compress(Method::Zstd, &block(1)))]);
    let record = inner.bytes()[4096..][..inner.entries[0].length as usize].to_vec();
    let payload = [vec![0; 4096 - 48], record, vec![0; 4096]].concat();
    let mut image = Image::from_payloads(Method::Zstd, 8 << 20, vec![(0, payload)]);
    let length = inner.entries[0].length;
    image.entries.push(IndexEntry { offset: 8192, block: 1, length });
    image.bitmap[0] |= 2;
    (image.mid.non_zero_blk_num, image.end.non_zero_blk_num) = (2, 2);
    image.bytes()
}

/// Takes a record out of index and bitmap, and leaves it in the file.
fn forget(i: &mut Image, number: usize) {
    let entry = i.entries.remove(number);
    i.bitmap[entry.block as usize / 8] &= !(1 << (entry.block % 8));
    (i.mid.non_zero_blk_num, i.end.non_zero_blk_num) = (2, 2);
}

/// The file with zeros put in so many bytes before its end.
fn put_in(file: &[u8], before_end: isize, count: usize) -> Vec<u8> {
    let (front, tail) = file.split_at(file.len().checked_add_signed(before_end).unwrap());
    [front, &vec![0; count], tail].concat()
}

type Case = (&'static str, fn() -> Vec<u8>, &'static [&'static str], Reading);

const CASES: &[Case] = &[
    ("index out of block order", || sample(|i| i.entries.swap(0, 2)), &["ZV-046"], Refuses),
    ("index in reverse", || sample(|i| i.entries.reverse()), &["ZV-046"], Refuses),
    (
        "finished zlib",
        || one(Method::Zlib, zlib(&block(1), true, FlushCompress::Finish)),
        &["ZV-062"],
        AllBut(&[2]),
    ),
    (
        "raw deflate",
        || one(Method::Zlib, zlib(&block(1), false, FlushCompress::Sync)),
        &["ZV-060"],
        AllBut(&[2]),
    ),
    ("index by block number", || Image::sample(Method::Zstd).by_block().bytes(), &["ZV-031"], Reads),
    (
        "index by block number, with a record that the bitmap does not mark",
        || Image::sample(Method::Zstd).by_block().with(|i| i.bitmap[0] &= !8).bytes(),
        &["ZV-013", "ZV-031", "ZV-045", "ZV-052", "ZV-070"],
        Refuses,
    ),
    (
        "index by block number, with an entry for a zero block that names another",
        || {
            let entry = IndexEntry { offset: 7, block: 9, length: 0 };
            Image::sample(Method::Zstd).by_block().with(|i| i.entries[2] = entry).bytes()
        },
        &["ZV-031", "ZV-047"],
        Refuses,
    ),
    (
        "index by block number, with entries for blocks that are exposed and not in the bitmap",
        || Image::sample(Method::Zstd).by_block().with(|i| i.entries.push(i.entries[3])).bytes(),
        &["ZV-031", "ZV-047", "ZV-070"],
        Refuses,
    ),
    (
        // The third data block is looked for where no entry is any more.
        "index by position that says by block number",
        || sample(|i| i.end.index_contains_zero_blk = 1),
        &["ZV-031", "ZV-047", "ZV-048", "ZV-049", "ZV-052", "ZV-070"],
        Refuses,
    ),
    (
        "index by block number that does not say so",
        || Image::sample(Method::Zstd).by_block().with(|i| i.end.index_contains_zero_blk = 0).bytes(),
        &["ZV-048", "ZV-049", "ZV-052"],
        Refuses,
    ),
    (
        "several frames",
        || {
            let parts =
                block(1).chunks(BLOCK / 8).map(|part| compress(Method::Zstd, part)).collect::<Vec<_>>();
            one(Method::Zstd, parts.concat())
        },
        &["ZV-063"],
        Reads,
    ),
    (
        "several frames, one of them empty",
        || one(Method::Zstd, [compress(Method::Zstd, &[]), compress(Method::Zstd, &block(1))].concat()),
        &["ZV-063"],
        Reads,
    ),
    (
        "a short zstd",
        || one(Method::Zstd, compress(Method::Zstd, &block(1)[..BLOCK - 1])),
        &["ZV-061"],
        AllBut(&[2]),
    ),
    (
        "a long zstd",
        || one(Method::Zstd, compress(Method::Zstd, &[block(1), vec![0]].concat())),
        &["ZV-061"],
        AllBut(&[2]),
    ),
    (
        "a short zlib",
        || one(Method::Zlib, compress(Method::Zlib, &block(1)[..BLOCK - 1])),
        &["ZV-061"],
        AllBut(&[2]),
    ),
    (
        "a long zlib",
        || one(Method::Zlib, compress(Method::Zlib, &[block(1), vec![0]].concat())),
        &["ZV-061"],
        AllBut(&[2]),
    ),
    ("nothing in zstd", || one(Method::Zstd, compress(Method::Zstd, &[])), &["ZV-061"], AllBut(&[2])),
    ("a zstd bomb", || one(Method::Zstd, bomb(Method::Zstd)), &["ZV-061"], AllBut(&[2])),
    ("a zlib bomb", || one(Method::Zlib, bomb(Method::Zlib)), &["ZV-061"], AllBut(&[2])),
    (
        "an entry that points to another's record",
        || sample(|i| i.entries[1].offset = i.entries[0].offset),
        &["ZV-051", "ZV-052", "ZV-056"],
        AllBut(&[1]),
    ),
    // Its data is whole, but so might be that of the record that it hides in.
    ("a record in a record", record_in_record, &["ZV-051", "ZV-060"], AllBut(&[0])),
    (
        "an entry that points to the index",
        || sample(|i| i.entries[1].offset = i.end.index_lba),
        &["ZV-049", "ZV-052"],
        Refuses,
    ),
    (
        "an entry that points to itself",
        || sample(|i| i.entries[1].offset = i.end.index_lba + 16),
        &["ZV-049", "ZV-052"],
        Refuses,
    ),
    (
        "an entry that points to the bitmap",
        || sample(|i| i.entries[1].offset = i.end.bitmap_lba),
        &["ZV-049", "ZV-052"],
        Refuses,
    ),
    (
        "an entry that points to END",
        || sample(|i| i.entries[1].offset = i.end.bitmap_lba + 4096),
        &["ZV-049", "ZV-052"],
        Refuses,
    ),
    ("an entry that points to HEAD", || sample(|i| i.entries[1].offset = 0), &["ZV-049", "ZV-052"], Refuses),
    ("index_lba near 2^64", || sample(|i| i.end.index_lba = u64::MAX - 47), &["ZV-032"], Refuses),
    ("bitmap_lba near 2^64", || sample(|i| i.end.bitmap_lba = u64::MAX), &["ZV-033"], Refuses),
    (
        "an entry near 2^64",
        || sample(|i| i.entries[2].offset = u64::MAX - 4096),
        &["ZV-049", "ZV-052"],
        Refuses,
    ),
    ("an entry of 4 GiB", || sample(|i| i.entries[2].length = u32::MAX), &["ZV-049", "ZV-052"], Refuses),
    (
        "a payload of 4 GiB",
        // MID lies within what the record claims to be.
        || sample(|i| i.records[2].header.size = u32::MAX),
        &["ZV-011", "ZV-057", "ZV-058"],
        AllBut(&[3]),
    ),
    // Two footers against the bitmap: the data of a block would be read as zeros.
    ("a bit that is lost", || sample(|i| i.bitmap[0] &= !8), &["ZV-013", "ZV-045", "ZV-052"], Refuses),
    (
        "a bitmap of zeros",
        || sample(|i| i.bitmap.fill(0)),
        &["ZV-013", "ZV-039", "ZV-040", "ZV-045", "ZV-052"],
        Refuses,
    ),
    ("a count of 2^32 - 1", || sample(|i| i.end.non_zero_blk_num = u32::MAX), &["ZV-045"], Refuses),
    ("a count of 4, in END alone", || sample(|i| i.end.non_zero_blk_num = 4), &["ZV-045"], Refuses),
    ("a count of 2", || sample(|i| i.end.non_zero_blk_num = 2), &["ZV-045"], Reads),
    ("HEAD without its cookie", || sample(|i| i.head.cookie[0] = 0), &["ZV-007"], Refuses),
    (
        "HEAD says that there is no index",
        || sample(|i| i.head.zvhd2_version = 0),
        &["ZV-009", "ZV-015"],
        Refuses,
    ),
    ("HEAD of an unknown version", || sample(|i| i.head.zvhd2_version = 2), &["ZV-009"], Reads),
    (
        "HEAD twice",
        || {
            let file = sample(|_| {});
            [&file[..4096], &file].concat()
        },
        &["ZV-013", "ZV-036", "ZV-044", "ZV-045", "ZV-047", "ZV-049"],
        Refuses,
    ),
    (
        "a footer between the records",
        || {
            let mut image = Image::sample(Method::Zstd);
            let at = usize::try_from(image.entries[1].offset).unwrap();
            image.entries.iter_mut().skip(1).for_each(|entry| entry.offset += 4096);
            (image.end.index_lba, image.end.bitmap_lba) =
                (image.end.index_lba + 4096, image.end.bitmap_lba + 4096);
            let mut file = image.bytes();
            let head = file[..4096].to_vec();
            file.splice(at..at, head);
            file
        },
        &["ZV-052", "ZV-069"],
        Refuses,
    ),
    (
        "a record that begins as a footer does",
        || sample(|i| i.records[1].header.prefix = *b"z2strm\0\0\0\0\0\0"),
        &["ZV-054"],
        AllBut(&[1]),
    ),
    (
        "a record that only a sequential reader finds",
        || sample(|i| forget(i, 1)),
        &["ZV-052", "ZV-069"],
        Refuses,
    ),
    (
        "the last record, that only a sequential reader finds",
        || sample(|i| forget(i, 2)),
        &["ZV-052", "ZV-069"],
        Refuses,
    ),
    (
        "a record that no reader finds",
        || {
            sample(|i| {
                forget(i, 1);
                i.records[1].postfix = [0; 4];
            })
        },
        &["ZV-052"],
        Reads,
    ),
    (
        "a record that only a sequential reader finds, hidden by the length of the one before it",
        || {
            sample(|i| {
                i.entries[0].length += i.entries[1].length;
                forget(i, 1);
            })
        },
        &["ZV-057", "ZV-069"],
        AllBut(&[0]),
    ),
    (
        "an entry longer than the index reader has room for",
        || {
            let noise = imsprep_testdata::noise(5, BLOCK);
            let payloads = [0, 1, 2, 3].map(|block| (block, compress(Method::Zstd, &noise))).to_vec();
            let image = Image::from_payloads(Method::Zstd, 8 << 20, payloads);
            image.with(|i| i.entries[0].length = 4_202_497).bytes()
        },
        &["ZV-057"],
        Refuses,
    ),
    ("511 bytes before END", || put_in(&sample(|_| {}), -4096, 511), &["ZV-037", "ZV-067"], Refuses),
    (
        "a disk of 65 GiB with one bitmap segment",
        || Image::sample(Method::Zstd).all(|f| f.curr_size = 65 << 30).bytes(),
        &["ZV-029", "ZV-068"],
        Refuses,
    ),
    (
        "a disk of 2^60 bytes",
        || Image::sample(Method::Zstd).all(|f| f.curr_size = 1 << 60).bytes(),
        &["ZV-029", "ZV-068"],
        Refuses,
    ),
    (
        "a disk of 64 GiB",
        || Image::sample(Method::Zstd).all(|f| f.curr_size = 64 << 30).bytes(),
        &["ZV-029"],
        Reads,
    ),
    (
        "2^32 - 1 blocks",
        || Image::sample(Method::Zstd).all(|f| f.max_blk_num = u32::MAX).bytes(),
        &["ZV-030", "ZV-033", "ZV-068"],
        Refuses,
    ),
    (
        "a disk of 2^64 - 1 bytes",
        || Image::sample(Method::Zstd).all(|f| (f.orig_size, f.curr_size) = (u64::MAX, u64::MAX)).bytes(),
        &["ZV-023", "ZV-027", "ZV-028", "ZV-030", "ZV-068"],
        Refuses,
    ),
];

#[test]
fn each_has_the_verdict_that_the_format_implies() {
    let mut wrong = Vec::new();
    for (name, build, expected, reads) in CASES {
        let bytes = build();
        let checked = look(&bytes, Depth::Content);
        if codes(&checked) != *expected {
            wrong.push(format!("{name}: {:?}", codes(&checked)));
        }
        let (opened, damaged) = reading(&bytes);
        let agrees = match *reads {
            AllBut(blocks) => opened == Reads && damaged == blocks,
            other => opened == other && damaged.is_empty(),
        };
        if !agrees {
            wrong.push(format!("{name}: {opened:?} all but {damaged:?}"));
        }
        // The reader never takes what the checker calls whole to be damaged, or the other way round.
        if *reads == Reads {
            assert!(!checked.report.has_errors(), "{name}: {:#?}", checked.report.findings());
        } else {
            assert!(checked.report.has_errors(), "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The parts of a sample image that a flip may fall on, as offset and length.
fn regions(image: &Image) -> [(usize, usize); 6] {
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let last = image.entries[2];
    let records_end = at(last.offset) + last.length as usize;
    [
        (0, 512),
        (at(image.entries[0].offset), 48),
        (at(last.offset) - 8, 56),
        (records_end - 4, 4 + 512),
        (at(image.end.index_lba), 48),
        (at(image.end.bitmap_lba), 8),
    ]
}

type Flips = Vec<(usize, prop::sample::Index, u8)>;

fn flips(regions: usize) -> impl Strategy<Value = Flips> {
    prop::collection::vec((0..regions, any::<prop::sample::Index>(), 1_u8..), 1..6)
}

fn flip(bytes: &mut [u8], regions: &[(usize, usize)], flips: Flips) {
    for (region, place, value) in flips {
        let (start, length) = regions[region];
        bytes[start + place.index(length)] ^= value;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever is altered but payloads and END: a block is what it was, or an error. (A payload has no checksum in
    /// this format, and END's is a plain sum.)
    #[test]
    fn altered_structures_never_give_other_data(zlib in any::<bool>(), changes in flips(6)) {
        let image = Image::sample(if zlib { Method::Zlib } else { Method::Zstd });
        let mut bytes = image.bytes();
        flip(&mut bytes, &regions(&image), changes);
        let source = MemoryImage::new("x", bytes);
        if let Ok(reader) = Reader::open(&source, &Cancel::new()) {
            let mut numbers = Vec::new();
            for (number, result) in each_block(&reader) {
                numbers.push(number);
                if let Ok(bytes) = result {
                    prop_assert!(bytes == block(u8::try_from(number).unwrap() + 1), "block {number}");
                }
            }
            prop_assert_eq!(numbers, [0, 1, 3]);
        }
    }

    /// END is altered as well, and its checksum fixed, so that nothing may rely on it.
    #[test]
    fn what_has_no_error_is_read_whole_and_twice_the_same(zlib in any::<bool>(), changes in flips(8)) {
        let image = Image::sample(if zlib { Method::Zlib } else { Method::Zstd });
        let mut bytes = image.bytes();
        let end = bytes.len() - 4096;
        let payload = usize::try_from(image.entries[1].offset).unwrap() + 48;
        let regions = [&regions(&image)[..], &[(end, 142), (payload, 4000)]].concat();
        flip(&mut bytes, &regions, changes);
        let sum = imsprep_ondisk::format::zvhd2::checksum(bytes[end..].first_chunk().unwrap());
        bytes[end + 64..end + 68].copy_from_slice(&sum.to_le_bytes());
        let source = MemoryImage::new("x", bytes);
        let Ok(checked) = crate::check(&source, Depth::Content, Work::new(&(), &Cancel::new())) else { return Ok(()) };
        if checked.report.has_errors() {
            return Ok(());
        }
        let reader = Reader::open(&source, &Cancel::new())
            .map_err(|e| TestCaseError::fail(format!("{e}: {:#?}", checked.report.findings())))?;
        prop_assert_eq!(Some(reader.data_blocks()), checked.info.data_blocks);
        let whole = |reader: &Reader<'_>| {
            each_block(reader).map(|(number, bytes)| (number, bytes.map_err(|e| e.to_string()))).collect::<Vec<_>>()
        };
        let first = whole(&reader);
        prop_assert!(first.iter().all(|(_, bytes)| bytes.is_ok()), "{:#?}", checked.report.findings());
        prop_assert!(whole(&reader) == first && whole(&Reader::open(&source, &Cancel::new()).unwrap()) == first);
    }
}

/// So that the property above is not one about nothing: a good part of such files has no error.
#[test]
fn altered_files_without_errors_are_not_rare() {
    let image = Image::sample(Method::Zstd);
    let good = image.bytes();
    let clean = (0..200_usize).filter(|seed| {
        let mut bytes = good.clone();
        let regions = regions(&image);
        let (start, length) = regions[seed % regions.len()];
        bytes[start + seed * 37 % length] ^= u8::try_from(seed % 255).unwrap() + 1;
        crate::check(&MemoryImage::new("x", bytes), Depth::Structure, Work::new(&(), &Cancel::new()))
            .is_ok_and(|checked| !checked.report.has_errors())
    });
    assert!(clean.count() > 60);
}
