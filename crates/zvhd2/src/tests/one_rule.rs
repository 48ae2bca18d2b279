//! One thing altered in a canonical image, one rule broken.

use std::collections::BTreeSet;

use flate2::FlushCompress;
use imsprep_findings::{Rule, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, IndexEntry};
use zstd::zstd_safe::CParameter;

use super::builder::{BLOCK, Image, block, compress, zlib};
use super::{codes, look};
use crate::rules::*;
use crate::{Depth, Method};

/// Alters the image, or the file made from it.
type Alter = fn(Image) -> Vec<u8>;

fn zstd_image(payload: Vec<u8>) -> Vec<u8> {
    Image::from_payloads(Method::Zstd, 8 << 20, vec![(2, payload)]).bytes()
}

fn zlib_image(payload: Vec<u8>) -> Vec<u8> {
    Image::from_payloads(Method::Zlib, 8 << 20, vec![(2, payload)]).bytes()
}

fn zstd_with(parameter: CParameter) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.set_parameter(parameter).unwrap();
    compressor.compress(&block(1)).unwrap()
}

/// Leaves record 1 out of index and bitmap, but not out of the file.
fn forget_record_1(i: &mut Image) {
    i.entries.remove(1);
    i.bitmap[0] &= !2;
    i.mid.non_zero_blk_num = 2;
    i.end.non_zero_blk_num = 2;
}

fn bytes_with(i: Image, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = i.bytes();
    change(&mut bytes);
    bytes
}

/// Writes END again at the end of the file.
fn reseal(bytes: &mut [u8], end: &disk::Footer) {
    let at = bytes.len() - 4096;
    bytes[at..at + 512].copy_from_slice(&end.clone().sealed().encode());
}

const CASES: &[(&Rule, Alter)] = &[
    (&VERSION_1, |_| {
        let mut bytes = vec![0; 8192];
        bytes[..8].copy_from_slice(b"stream\0\0");
        bytes
    }),
    (&TOO_SHORT, |i| i.bytes()[..4095].to_vec()),
    (&TOO_SHORT, |i| i.bytes()[..6].to_vec()),
    (&END_MISSING, |i| bytes_with(i, |b| b.truncate(b.len() - 4096))),
    (&END_MISSING, |i| bytes_with(i, |b| b.truncate(b.len() - 1))),
    (&TRAILING_BYTES, |i| bytes_with(i, |b| b.push(0))),
    (&TRAILING_BYTES, |i| bytes_with(i, |b| b.extend(vec![7; 500_000]))),
    (&END_CHECKSUM, |i| {
        bytes_with(i, |b| {
            let at = b.len() - 4096 + 64;
            b[at] ^= 1;
        })
    }),
    (&NEVER_WRITTEN, |i| i.bytes()[..4096].to_vec()),
    (&HEAD_COOKIE, |i| bytes_with(i, |b| b[0] = b'Z')),
    (&HEAD_CHECKSUM, |i| bytes_with(i, |b| b[65] ^= 1)),
    (&HEAD_DIFFERS, |i| i.with(|i| i.head.uuid[3] = 0).bytes()),
    (&HEAD_DIFFERS, |i| i.with(|i| i.head.compress_method = 0).bytes()),
    (&HEAD_INDEX, |i| i.with(|i| i.head.bitmap_lba = 5).bytes()),
    (&HEAD_INDEX, |i| i.with(|i| i.head.non_zero_blk_num = 3).bytes()),
    (&MID_MISSING, |i| i.with(|i| i.mid.cookie[0] = 0).bytes()),
    (&MID_DIFFERS, |i| i.with(|i| i.mid.orig_size += 512).bytes()),
    (&MID_DIFFERS, |i| i.with(|i| i.mid.index_seg_num = 1).bytes()),
    (&MID_COUNT, |i| i.with(|i| i.mid.non_zero_blk_num = 2).bytes()),
    (&COOKIE_PADDING, |i| i.with(|i| i.mid.cookie[7] = 1).bytes()),
    (&NO_INDEX, |i| i.all(|f| f.zvhd2_version = 0).bytes()),
    (&VERSION_UNKNOWN, |i| i.all(|f| f.zvhd2_version = 2).bytes()),
    (&METHOD, |i| i.all(|f| f.compress_method = 2).bytes()),
    (&BLOCK_SIZE, |i| i.all(|f| f.block_size = 0).bytes()),
    (&BLOCK_SIZE, |i| i.all(|f| f.block_size = u32::MAX).bytes()),
    (&FEATURES, |i| i.all(|f| f.features = 3).bytes()),
    (&FF_VERSION, |i| i.all(|f| f.ff_version = 0).bytes()),
    (&DATA_OFFSET, |i| i.all(|f| f.data_offset = 512).bytes()),
    (&DISK_TYPE, |i| i.all(|f| f.disk_type = 3).bytes()),
    (&GEOMETRY, |i| i.all(|f| f.geometry += 1).bytes()),
    (&CREATOR, |i| i.all(|f| f.crtr_app = *b"qemu").bytes()),
    (&CREATOR, |i| i.all(|f| f.crtr_ver = 0x0001_0003).bytes()),
    (&CREATOR, |i| i.all(|f| f.crtr_os = 1).bytes()),
    (&FLAGS, |i| i.all(|f| f.saved = 1).bytes()),
    (&RESERVED, |i| i.with(|i| i.end.reserved[369] = 1).bytes()),
    (&RESERVED, |i| i.with(|i| i.mid.reserved[0] = 1).bytes()),
    (&ORIG_SIZE, |i| i.all(|f| f.orig_size -= 1).all(|f| f.geometry = disk::geometry(f.orig_size)).bytes()),
    (&DISK_TOO_SMALL, |i| i.all(|f| f.curr_size = 6 << 20).bytes()),
    (&DISK_SIZE, |i| i.all(|f| f.curr_size = 8 << 20).bytes()),
    (&BLOCK_COUNT, |i| i.all(|f| f.max_blk_num = 5).bytes()),
    (&INDEX_BY_BLOCK, |i| i.by_block().bytes()),
    (&INDEX_BOUNDS, |i| i.with(|i| i.end.index_lba = u64::MAX - 20).bytes()),
    (&INDEX_BOUNDS, |i| i.with(|i| i.end.index_lba = 0).bytes()),
    (&INDEX_BOUNDS, |i| i.with(|i| i.end.index_lba = i.end.bitmap_lba + 4096 - 32).bytes()),
    (&BITMAP_BOUNDS, |i| i.with(|i| i.end.bitmap_lba = u64::MAX).bytes()),
    (&BITMAP_BOUNDS, |i| i.with(|i| i.end.bitmap_lba = 0).bytes()),
    (&REGION_ORDER, |i| {
        let (index, bitmap) = (i.end.index_lba, i.end.bitmap_lba);
        let mut bytes = i.bytes();
        bytes[usize::try_from(index).unwrap()..usize::try_from(bitmap).unwrap() + 4096].rotate_right(4096);
        let mut end = i.end;
        (end.index_lba, end.bitmap_lba) = (index + 4096, index);
        reseal(&mut bytes, &end);
        bytes
    }),
    (&REGION_GAP, |i| {
        bytes_with(i, |b| {
            let at = b.len() - 4096;
            b.splice(at..at, [9; 8192]);
        })
    }),
    (&REGION_ALIGN, |i| {
        bytes_with(i, |b| {
            let at = b.len() - 4096;
            b.splice(at..at, [9; 512]);
        })
    }),
    (&INDEX_SEG_SIZE, |i| i.with(|i| i.end.index_seg_size = 4096).bytes()),
    (&INDEX_SEG_NUM, |i| i.with(|i| i.end.index_seg_num = u32::MAX).bytes()),
    (&INDEX_SIZE, |i| i.with(|i| i.end.index_size = 48).bytes()),
    (&BITMAP_SEG_SIZE, |i| i.with(|i| i.end.bitmap_seg_size = 0).bytes()),
    (&BITMAP_SEG_NUM, |i| i.with(|i| i.end.bitmap_seg_num = 2).bytes()),
    (&BITMAP_SIZE, |i| i.with(|i| i.end.bitmap_size = 1).bytes()),
    (&STRAY_BITS, |i| i.with(|i| i.bitmap[0] |= 0x10).bytes()),
    (&STRAY_BITS, |i| i.with(|i| i.bitmap[4095] = 0x80).bytes()),
    (&DATA_COUNT, |i| i.with(|i| i.end.non_zero_blk_num = 0).bytes()),
    (&INDEX_ORDER, |i| i.with(|i| i.entries.swap(0, 1)).bytes()),
    (&INDEX_BLOCK, |i| i.with(|i| i.entries[1].block = 2).bytes()),
    (&INDEX_DUPLICATE, |i| i.with(|i| i.entries[1].block = 0).bytes()),
    (&RECORD_GAP, |i| {
        i.with(|i| {
            forget_record_1(i);
            i.records[1].header.prefix[0] = b'H';
        })
        .bytes()
    }),
    (&RECORD_ORDER, |mut i| {
        i.records.swap(0, 1);
        i.lay_out();
        i.entries.swap(0, 1);
        i.bytes()
    }),
    (&RECORD_PREFIX, |i| i.with(|i| i.records[1].header.prefix[11] = b'!').bytes()),
    (&RECORD_POSTFIX, |i| i.with(|i| i.records[1].postfix = [0; 4]).bytes()),
    (&RECORD_POSTFIX, |i| i.with(|i| i.records[2].postfix[3] = b'!').bytes()),
    (&RECORD_BLOCK, |i| i.with(|i| i.records[1].header.curr_blk = 2).bytes()),
    (&RECORD_LENGTH, |i| i.with(|i| i.entries[1].length = 16).bytes()),
    (&RECORD_LENGTH, |i| i.with(|i| i.entries[2].length += 4096).bytes()),
    (&RECORD_LENGTH, |i| i.with(|i| i.entries[0].length = 0).bytes()),
    (&PAYLOAD_SIZE, |i| i.with(|i| i.records[1].header.size = 0).bytes()),
    (&RECORD_RESERVED, |i| i.with(|i| i.records[0].header.reserved[27] = 1).bytes()),
    (&PAYLOAD_CORRUPT, |i| i.with(|i| i.records[0].payload[0] ^= 1).bytes()),
    (&PAYLOAD_CORRUPT, |_| zlib_image(zlib(&block(1), false, FlushCompress::Sync))),
    (&PAYLOAD_CORRUPT, |_| zstd_image(compress(Method::Zlib, &block(1)))),
    (&PAYLOAD_LENGTH, |_| zstd_image(compress(Method::Zstd, &block(1)[1..]))),
    (&PAYLOAD_LENGTH, |_| zstd_image(compress(Method::Zstd, &[block(1), vec![1]].concat()))),
    (&PAYLOAD_LENGTH, |_| zlib_image(compress(Method::Zlib, &block(1)[1..]))),
    (&PAYLOAD_LENGTH, |_| zlib_image(compress(Method::Zlib, &[block(1), vec![1]].concat()))),
    (&ZLIB_FINISHED, |_| zlib_image(zlib(&block(1), true, FlushCompress::Finish))),
    (&ZSTD_FORM, |_| zstd_image(zstd_with(CParameter::ChecksumFlag(true)))),
    (&ZSTD_FORM, |_| zstd_image(zstd_with(CParameter::ContentSizeFlag(false)))),
    (&ZSTD_FORM, |_| {
        let (a, b) = (&block(1)[..BLOCK / 2], &block(1)[BLOCK / 2..]);
        zstd_image([compress(Method::Zstd, a), compress(Method::Zstd, b)].concat())
    }),
    (&ZSTD_FORM, |_| {
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0xff];
        zstd_image([skippable.to_vec(), compress(Method::Zstd, &block(1))].concat())
    }),
    (&ZLIB_FORM, |_| zlib_image(zlib(&block(1), true, FlushCompress::Partial))),
    (&ZLIB_FORM, |_| {
        // The same stream under the header of level 9.
        let mut payload = compress(Method::Zlib, &block(1));
        payload[..2].copy_from_slice(&[0x78, 0xda]);
        zlib_image(payload)
    }),
    (&ZERO_BLOCK, |_| zstd_image(compress(Method::Zstd, &vec![0; BLOCK]))),
    (&PADDING, |_| {
        let payload = compress(Method::Zstd, &vec![1; BLOCK]);
        Image::from_payloads(Method::Zstd, 512, vec![(0, payload)]).bytes()
    }),
];

/// Alterations that can't break one rule alone, with all the rules that they break; the first is the one meant.
const CASES_OF_SEVERAL: &[(&[&Rule], Alter)] = &[
    (&[&DATA_COUNT], |i| i.with(|i| i.end.non_zero_blk_num = u32::MAX).bytes()),
    (&[&NO_INDEX, &HEAD_DIFFERS], |i| i.with(|i| i.head.zvhd2_version = 0).bytes()),
    (&[&FILE_LENGTH, &REGION_ALIGN], |i| {
        bytes_with(i, |b| {
            let at = b.len() - 4096;
            b.splice(at..at, [9; 16]);
        })
    }),
    (&[&TOO_FEW_SEGMENTS, &DISK_SIZE], |i| i.all(|f| f.curr_size = 65 << 30).bytes()),
    (&[&READERS_DIFFER, &RECORD_GAP], |i| i.with(forget_record_1).bytes()),
    (&[&INDEX_BITMAP, &INDEX_BY_BLOCK, &RECORD_GAP], |i| {
        i.by_block()
            .with(|i| {
                i.bitmap[0] &= !8;
                (i.mid.non_zero_blk_num, i.end.non_zero_blk_num) = (2, 2);
            })
            .bytes()
    }),
    // Where the second record should be is a hole now.
    (&[&ENTRY_BOUNDS, &RECORD_GAP], |i| i.with(|i| i.entries[1].offset = u64::MAX - 3).bytes()),
    (&[&ENTRY_BOUNDS, &RECORD_GAP], |i| i.with(|i| i.entries[1].offset = 0).bytes()),
    (&[&ENTRY_BOUNDS, &RECORD_GAP], |i| i.with(|i| i.entries[1].offset = i.end.index_lba).bytes()),
    (&[&RECORD_OVERLAP, &RECORD_GAP, &RECORD_BLOCK], |i| i.with(|i| i.entries[1].offset = 4096).bytes()),
    (&[&DISK_TOO_SMALL, &DISK_SIZE], |_| {
        // 7 MiB end within block 3.
        let payload = compress(Method::Zstd, &block(1));
        Image::from_payloads(Method::Zstd, 7 << 20, vec![(3, payload)]).all(|f| f.curr_size = 7 << 20).bytes()
    }),
    (&[&REGION_OVERLAP, &STRAY_BITS, &REGION_GAP], |_| {
        // The entry's bytes, taken for the bitmap: the offset 0x1000 of block 12's record has the bit of block 12.
        let payload = compress(Method::Zstd, &block(1));
        let mut image = Image::from_payloads(Method::Zstd, 32 << 20, vec![(12, payload)]);
        image.end.bitmap_lba = image.end.index_lba;
        image.bytes()
    }),
    (&[&RECORD_OVERLAP, &PAYLOAD_CORRUPT], |i| {
        // A record within the payload of the one before it, which goes on to where the next one begins.
        let payload = vec![0; 4096 * 3];
        let mut image = Image::from_payloads(Method::Zstd, 8 << 20, vec![(0, payload)]);
        let mut inner = i.records[0].header.clone();
        inner.curr_blk = 1;
        inner.size = 4096;
        image.records[0].payload[8192 - 48..8192].copy_from_slice(&inner.encode());
        image.records[0].payload[16384 - 4096 - 52..][..4].copy_from_slice(b"end\0");
        image.entries.push(IndexEntry { offset: 4096 + 8192, block: 1, length: 8192 });
        image.bitmap[0] |= 2;
        image.mid.non_zero_blk_num = 2;
        image.end.non_zero_blk_num = 2;
        image.bytes()
    }),
];

/// Rules that come with others by their nature.
#[test]
fn a_record_that_is_not_aligned_leaves_gaps() {
    let mut image = Image::sample(Method::Zstd);
    let last = image.entries[2].offset;
    image.entries[2].offset += 16;
    let mut bytes = image.bytes();
    let (from, length) = (usize::try_from(last).unwrap(), image.entries[2].length as usize);
    bytes.copy_within(from..from + length - 20, from + 16);
    let checked = look(&bytes, Depth::Content);
    assert!(codes(&checked).contains(&ENTRY_ALIGN.code), "{:#?}", checked.report.findings());
}

#[test]
fn a_canonical_image_breaks_no_rule() {
    for image in [
        Image::sample(Method::Zstd),
        Image::sample(Method::Zlib),
        Image::from_payloads(Method::Zstd, 200 << 30, vec![(99_999, compress(Method::Zstd, &block(9)))]),
        Image::from_payloads(Method::Zlib, 1 << 40, vec![]),
    ] {
        for depth in [Depth::Structure, Depth::Content] {
            assert_eq!(look(&image.bytes(), depth).report.findings(), []);
        }
    }
    let empty = Image::from_payloads(Method::Zstd, 0, vec![]).bytes();
    assert_eq!(look(&empty[..4096], Depth::Content).report.findings(), []);
}

#[test]
fn one_thing_altered_breaks_one_rule() {
    let mut wrong = Vec::new();
    for (number, (rule, alter)) in CASES.iter().enumerate() {
        let report = look(&alter(Image::sample(Method::Zstd)), Depth::Content).report;
        let others = report.findings().iter().filter(|f| f.rule != *rule).collect::<Vec<_>>();
        if report.count_of(rule) == 0 || !others.is_empty() || report.worst() > Some(rule.severity) {
            wrong.push(format!(
                "case {number}, {}, breaks also {:#?}",
                rule.code,
                others.iter().map(|f| (f.rule.code, &f.message)).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_breaks_several_rules() {
    for (number, (rules, alter)) in CASES_OF_SEVERAL.iter().enumerate() {
        let checked = look(&alter(Image::sample(Method::Zstd)), Depth::Content);
        let expected = rules.iter().map(|r| r.code).collect::<BTreeSet<_>>();
        assert_eq!(
            codes(&checked),
            Vec::from_iter(expected),
            "case {number}: {:#?}",
            checked.report.findings()
        );
    }
}

#[test]
fn every_rule_has_a_case() {
    let tried = CASES.iter().map(|(rule, _)| rule.code);
    let several = CASES_OF_SEVERAL.iter().map(|(rules, _)| rules[0].code);
    let tried = tried.chain(several).chain([ENTRY_ALIGN.code]).collect::<BTreeSet<_>>();
    let all = RULES.iter().map(|rule| rule.code).collect::<Vec<_>>();
    assert_eq!(Vec::from_iter(tried), all, "a rule without a case, or codes out of order");
    for (number, rule) in RULES.iter().enumerate() {
        assert_eq!(rule.code, format!("ZV-{:03}", number + 1));
    }
}

#[test]
fn severity_says_whether_the_index_reader_is_harmed() {
    let worst = |alter: Alter| look(&alter(Image::sample(Method::Zstd)), Depth::Content).report.worst();
    assert_eq!(worst(|i| i.with(|i| i.bitmap[4095] = 0x80).bytes()), Some(Severity::Warning));
    assert_eq!(worst(|i| i.with(|i| i.bitmap[0] |= 0x10).bytes()), Some(Severity::Error));
    assert_eq!(worst(|i| i.with(|i| i.entries[2].length += 4096).bytes()), Some(Severity::Warning));
    assert_eq!(worst(|i| i.with(|i| i.entries[1].length = 16).bytes()), Some(Severity::Error));
    assert_eq!(worst(|i| i.all(|f| f.crtr_ver = 0x0001_0003).bytes()), Some(Severity::Note));
}
