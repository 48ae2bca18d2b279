//! Repair: what can be saved is saved, in its right place, and what is lost is reported.

use imsprep_findings::Rule;
use imsprep_ondisk::format::zvhd2::Footer;
use imsprep_source::{Cancel, Error as SourceError, MemoryImage, ReadAt, StreamOutput, Work};
use imsprep_testdata::{golden, verdicts};
use proptest::prelude::*;

use super::builder::{BLOCK, Image, block, compress, zvhd1};
use super::{codes, look};
use crate::rules::*;
use crate::{BlockSpan, ContainerWriter, Depth, Error, Label, Method, Missing, Reader, Salvage, SizeFrom};

fn salvage(bytes: &[u8], size: Option<u64>) -> Result<(Salvage, Vec<u8>), Error> {
    let source = MemoryImage::new("broken.zvhd2", bytes.to_vec());
    let salvage = Salvage::look(&source, size, Work::new(&(), &Cancel::new()))?;
    let mut out = StreamOutput::new("memory", Vec::new());
    let written = salvage.write(&source, &mut out, Work::new(&(), &Cancel::new()))?;
    assert_eq!(written.records, salvage.saved());
    Ok((salvage, out.finish()?))
}

/// What the writer makes of these records of an image.
fn canonical(image: &Image, method: Method, blocks: &[u32]) -> Vec<u8> {
    let head = &image.head;
    let label = Label { orig_size: head.orig_size, method, timestamp: head.timestamp, uuid: head.uuid };
    let mut out = StreamOutput::new("memory", Vec::new());
    let mut writer = ContainerWriter::begin(&mut out, &label).unwrap();
    let mut records =
        image.records.iter().filter(|r| blocks.contains(&r.header.curr_blk)).collect::<Vec<_>>();
    records.sort_by_key(|record| record.header.curr_blk);
    for record in records {
        writer.append(record.header.curr_blk, &record.payload).unwrap();
    }
    writer.finish().unwrap();
    out.finish().unwrap()
}

fn span(first: u32, count: u32) -> BlockSpan {
    BlockSpan { first, count }
}

/// Where a part of the sample image begins.
struct Parts {
    records: Vec<usize>,
    mid: usize,
    index: usize,
    bitmap: usize,
    end: usize,
}

fn parts(image: &Image) -> Parts {
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let index = at(image.end.index_lba);
    let bitmap = at(image.end.bitmap_lba);
    let records = image.entries.iter().map(|entry| at(entry.offset)).collect();
    Parts { records, mid: index - 4096, index, bitmap, end: bitmap + 4096 }
}

fn altered(image: &Image, change: impl FnOnce(&Parts, &mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = image.bytes();
    change(&parts(image), &mut bytes);
    bytes
}

#[test]
fn a_file_whose_tail_is_lost_or_damaged_comes_out_whole() {
    for method in [Method::Zstd, Method::Zlib] {
        let image = Image::sample(method);
        let with = |change: &dyn Fn(&mut Image)| image.clone().with(|i| change(i)).bytes();
        let files = [
            ("sound", image.bytes()),
            ("trailing bytes", altered(&image, |_, b| b.extend([7; 5000]))),
            ("no END", altered(&image, |p, b| b.truncate(p.end))),
            ("half an END", altered(&image, |p, b| b.truncate(p.end + 100))),
            ("END with a wrong checksum", altered(&image, |p, b| b[p.end + 64] ^= 1)),
            ("END of zeros", altered(&image, |p, b| b[p.end..].fill(0))),
            ("no bitmap", altered(&image, |p, b| b.truncate(p.bitmap))),
            ("no index", altered(&image, |p, b| b.truncate(p.index))),
            ("half an index", altered(&image, |p, b| b.truncate(p.index + 40))),
            ("an index of zeros", altered(&image, |p, b| b[p.index..p.bitmap].fill(0))),
            ("index and bitmap of zeros", altered(&image, |p, b| b[p.index..p.end].fill(0))),
            ("a bitmap of ones", altered(&image, |p, b| b[p.bitmap..p.end].fill(0xff))),
            ("a bit that is lost", altered(&image, |p, b| b[p.bitmap] = 3)),
            ("a MID of zeros", altered(&image, |p, b| b[p.mid..p.index].fill(0))),
            ("a HEAD of zeros", altered(&image, |_, b| b[..4096].fill(0))),
            ("index out of order", with(&|i| i.entries.reverse())),
            ("an entry of another block", with(&|i| i.entries[1].block = 2)),
            ("a block twice in the index", with(&|i| i.entries[1].block = 0)),
            ("an entry to nowhere", with(&|i| i.entries[1].offset = u64::MAX)),
            ("a wrong count in END", with(&|i| i.end.non_zero_blk_num = 9)),
            ("a wrong count in MID", with(&|i| i.mid.non_zero_blk_num = 2)),
            ("bad sizes in END", with(&|i| (i.end.index_size, i.end.bitmap_size) = (5, u32::MAX))),
            ("a bad index_lba", with(&|i| i.end.index_lba = 4096)),
            ("a bad bitmap_lba", with(&|i| i.end.bitmap_lba = 4096)),
            ("a small curr_size", image.clone().all(|f| f.curr_size = 0).bytes()),
            ("version 0", image.clone().all(|f| f.zvhd2_version = 0).bytes()),
            ("an unknown method", image.clone().all(|f| f.compress_method = 7).bytes()),
            ("a lost postfix", with(&|i| i.records[1].postfix = [0; 4])),
            ("a damaged prefix", with(&|i| i.records[1].header.prefix[3] = b'!')),
        ];
        let expected = canonical(&image, method, &[0, 1, 3]);
        for (name, file) in files {
            let (salvage, out) = salvage(&file, None).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!((salvage.saved(), &salvage.missing), (3, &Missing::Nothing), "{name}");
            assert!(out == expected, "{name}");
        }
    }
}

#[test]
fn what_is_lost_is_told_by_the_best_that_is_known() {
    let image = Image::sample(Method::Zstd);
    let with = |change: &dyn Fn(&mut Image)| image.clone().with(|i| change(i)).bytes();
    let corrupt: &dyn Fn(&mut Image) = &|i| i.records[1].payload[0] ^= 1;
    type Case<'a> = (&'a str, Vec<u8>, &'a [u32], Missing, &'a [&'a Rule]);
    let cases: [Case<'_>; 9] = [
        ("a damaged payload", with(corrupt), &[0, 3], Missing::Blocks(vec![span(1, 1)]), &[&PAYLOAD_CORRUPT]),
        (
            "zeros over a record",
            altered(&image, |p, b| b[p.records[1]..p.records[2]].fill(0)),
            &[0, 3],
            Missing::Blocks(vec![span(1, 1)]),
            &[&RECORD_GAP],
        ),
        (
            "zeros over a record and an END that is lost",
            altered(&image, |p, b| {
                b[p.records[1]..p.records[2]].fill(0);
                b.truncate(p.end);
            }),
            &[0, 3],
            Missing::Blocks(vec![span(1, 1)]),
            &[&RECORD_GAP],
        ),
        (
            "zeros over a record, and nothing after MID",
            altered(&image, |p, b| {
                b[p.records[1]..p.records[2]].fill(0);
                b.truncate(p.index);
            }),
            &[0, 3],
            Missing::Count(1),
            &[&RECORD_GAP],
        ),
        (
            "cut off at a record",
            altered(&image, |p, b| b.truncate(p.records[2])),
            &[0, 1],
            Missing::Unknown { after: Some(1) },
            &[],
        ),
        (
            "cut off in a record",
            altered(&image, |p, b| b.truncate(p.records[2] + 100)),
            &[0, 1],
            Missing::Unknown { after: Some(1) },
            &[&END_MISSING],
        ),
        (
            "cut off before MID",
            altered(&image, |p, b| b.truncate(p.mid)),
            &[0, 1, 3],
            Missing::Unknown { after: Some(3) },
            &[],
        ),
        (
            "a header with the block of another record",
            with(&|i| i.records[1].header.curr_blk = 3),
            &[0, 3],
            Missing::Blocks(vec![span(1, 1)]),
            &[&RECORD_BLOCK],
        ),
        (
            "a record of a block beyond the disk",
            with(&|i| i.records[2].header.curr_blk = 4),
            &[0, 1],
            Missing::Blocks(vec![span(3, 1)]),
            &[&RECORD_BLOCK],
        ),
    ];
    for (name, file, saved, missing, rules) in cases {
        let (salvage, out) = salvage(&file, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(salvage.missing, missing, "{name}");
        assert!(out == canonical(&image, Method::Zstd, saved), "{name}: {:?}", salvage.saved_blocks());
        let found = salvage.report.findings().iter().map(|f| f.rule.code).collect::<Vec<_>>();
        assert_eq!(found, rules.iter().map(|rule| rule.code).collect::<Vec<_>>(), "{name}");
        assert!(codes(&look(&out, Depth::Content)).is_empty(), "{name}");
    }
}

#[test]
fn of_two_records_for_one_block_the_index_decides_and_without_it_neither_is_taken() {
    let mut image = Image::sample(Method::Zstd);
    let mut second = image.records[1].clone();
    second.payload = compress(Method::Zstd, &block(77));
    second.header.size = u32::try_from(second.payload.len()).unwrap();
    image.records.insert(2, second);
    image.lay_out();
    // The index has the first of the two, or the second.
    for (removed, expected) in [(2, 2), (1, 77)] {
        let mut image = image.clone();
        image.entries.remove(removed);
        image.mid.non_zero_blk_num = 3;
        image.end.non_zero_blk_num = 3;
        let (salvage, out) = salvage(&image.bytes(), None).unwrap();
        assert_eq!((salvage.saved(), salvage.dropped, &salvage.missing), (3, 1, &Missing::Nothing));
        let out = MemoryImage::new("out", out);
        let mut bytes = vec![0; BLOCK];
        let reader = Reader::open(&out, &Cancel::new()).unwrap();
        reader.read_at(&mut bytes, BLOCK as u64).unwrap();
        assert!(bytes == block(expected));
    }
    let cut = altered(&image, |p, b| b.truncate(p.index));
    let (salvage, _) = salvage(&cut, None).unwrap();
    assert_eq!(salvage.saved_blocks(), [span(0, 1), span(3, 1)]);
    assert_eq!((salvage.dropped, &salvage.missing), (2, &Missing::Count(2)));
    assert_eq!(salvage.report.count_of(&RECORD_BLOCK), 2);
}

#[test]
fn a_record_out_of_order_is_taken_only_if_the_index_confirms_it() {
    let mut image = Image::sample(Method::Zstd);
    image.records.swap(0, 2);
    image.records.swap(1, 2);
    image.lay_out();
    // In the file 3, 0, 1; the index by block.
    image.entries.sort_by_key(|entry| entry.block);
    let (whole, out) = salvage(&image.bytes(), None).unwrap();
    assert_eq!((whole.saved(), &whole.missing), (3, &Missing::Nothing));
    assert!(out == canonical(&image, Method::Zstd, &[0, 1, 3]));
    let cut = altered(&image, |p, b| b.truncate(p.index));
    let (part, _) = salvage(&cut, None).unwrap();
    assert_eq!((part.saved_blocks(), &part.missing), (vec![span(0, 2)], &Missing::Count(1)));
    assert_eq!(part.report.count_of(&RECORD_ORDER), 1);
}

#[test]
fn what_a_sound_index_does_not_have_is_no_record() {
    let image = Image::sample(Method::Zstd).with(|i| {
        i.entries.remove(1);
        i.bitmap[0] &= !2;
        (i.mid.non_zero_blk_num, i.end.non_zero_blk_num) = (2, 2);
    });
    let (salvage, out) = salvage(&image.bytes(), None).unwrap();
    assert_eq!((salvage.dropped, &salvage.missing), (1, &Missing::Nothing));
    assert!(out == canonical(&image, Method::Zstd, &[0, 3]));
}

#[test]
fn the_size_comes_from_a_sound_footer_or_from_the_caller() {
    let image = Image::sample(Method::Zstd);
    let head_lost = altered(&image, |_, b| b[20] ^= 1);
    assert_eq!(salvage(&head_lost, None).unwrap().0.size_from, SizeFrom::Footer("END"));
    let end_lost = altered(&image, |p, b| b.truncate(p.end));
    assert_eq!(salvage(&end_lost, None).unwrap().0.size_from, SizeFrom::Footer("HEAD"));
    let only_mid = altered(&image, |p, b| {
        b.truncate(p.end);
        b[..4096].fill(0);
    });
    assert_eq!(salvage(&only_mid, None).unwrap().0.size_from, SizeFrom::Footer("MID"));

    let none = altered(&image, |p, b| {
        b.truncate(p.mid);
        b[..4096].fill(0);
    });
    let error = salvage(&none, None).unwrap_err();
    assert!(matches!(error, Error::SizeUnknown { .. }), "{error}");
    let (told, out) = salvage(&none, Some(8 << 20)).unwrap();
    assert_eq!((told.size_from, told.saved()), (SizeFrom::Caller, 3));
    assert_eq!((told.label.timestamp, told.label.uuid, told.label.method), (0, [0; 16], Method::Zstd));
    assert_eq!(look(&out, Depth::Content).report.findings(), []);
    // With a size that cuts records off these are not taken.
    assert_eq!(salvage(&none, Some(4 << 20)).unwrap().0.saved(), 2);

    let zlib = altered(&Image::sample(Method::Zlib), |p, b| {
        b.truncate(p.mid);
        b[..4096].fill(0);
    });
    assert_eq!(salvage(&zlib, Some(8 << 20)).unwrap().0.label.method, Method::Zlib);

    salvage(&image.bytes(), Some(8 << 20)).unwrap();
    let error = salvage(&image.bytes(), Some(9 << 20)).unwrap_err();
    assert!(matches!(error, Error::SizeContradicted { given: 9_437_184, size: 8_388_608, .. }), "{error}");
}

#[test]
fn where_there_is_nothing_to_save_nothing_is_written() {
    let image = Image::sample(Method::Zstd);
    let head = image.bytes()[..4096].to_vec();
    for file in [head.clone(), altered(&image, |p, b| b[4096..p.mid].fill(0))] {
        assert!(matches!(salvage(&file, None).unwrap_err(), Error::NothingToSave { .. }));
    }
    for file in [vec![], b"not at all".to_vec(), vec![0; 100_000]] {
        assert!(matches!(salvage(&file, None).unwrap_err(), Error::NotZvhd2 { .. }));
    }
    let old = zvhd1(8 << 20, &[(1, block(1))]);
    let error = salvage(&old, None).unwrap_err();
    assert!(error.to_string().contains("ZV-001"), "{error}");
    // A disk of zeros and a disk of size 0 have no records, and lack none.
    let zeros = Image::from_payloads(Method::Zstd, 64 << 20, vec![]);
    let lost = altered(&zeros, |p, b| b.truncate(p.end));
    let (none, out) = salvage(&lost, None).unwrap();
    assert!(none.missing == Missing::Nothing && out == canonical(&zeros, Method::Zstd, &[]));
    let empty = Image::from_payloads(Method::Zstd, 0, vec![]).bytes()[..4096].to_vec();
    assert_eq!(salvage(&empty, None).unwrap().0.missing, Missing::Nothing);
}

#[test]
fn every_altered_golden_file_is_repaired_or_was_no_container_of_whole_blocks() {
    let base = golden("variant_00_base.zvhd2");
    let expected = salvage(base, None).unwrap().1;
    assert!(Footer::decode(expected[..512].try_into().unwrap()).is_v2());
    for row in verdicts().into_iter().filter(|row| row.form == "-") {
        let (name, bytes) = (row.file.as_str(), golden(&row.file));
        match salvage(bytes, None) {
            Ok((salvage, out)) => {
                assert_eq!(salvage.missing, Missing::Nothing, "{name}");
                assert!(!look(&out, Depth::Content).report.has_errors(), "{name}");
                let (out, original) = (MemoryImage::new(name, out), MemoryImage::new(name, bytes.to_vec()));
                if let Ok(original) = Reader::open(&original, &Cancel::new()) {
                    // What could be read reads the same.
                    let repaired = Reader::open(&out, &Cancel::new()).unwrap();
                    assert_eq!(original.block_map().unwrap(), repaired.block_map().unwrap(), "{name}");
                }
            }
            // Raw deflate, stored blocks, blocks of 1 MiB: nothing in them is one whole block.
            Err(Error::NothingToSave { .. }) => {
                assert!(
                    ["variant_23", "variant_29", "variant_46"].iter().any(|v| name.starts_with(v)),
                    "{name}"
                );
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[test]
fn cancelling_stops_it() {
    let cancel = Cancel::new();
    cancel.cancel();
    let source = MemoryImage::new("x", Image::sample(Method::Zstd).bytes());
    let error = Salvage::look(&source, None, Work::new(&(), &cancel)).unwrap_err();
    assert!(matches!(error, Error::Source(SourceError::Cancelled)), "{error}");
}

/// A beginning of a record in every page, each of which says that it goes on for 2 MiB.
#[test]
fn false_beginnings_are_not_read_over_and_over() {
    let mut image = Image::sample(Method::Zstd);
    let mut header = image.records[0].header.clone();
    header.size = 2 << 20;
    let mut file = image.bytes()[..4096].to_vec();
    let pages = 8192;
    for page in 0..pages {
        header.curr_blk = page;
        let start = file.len();
        file.extend(header.encode());
        // A frame that goes on being one until its end.
        let mut payload = compress(Method::Zstd, &block(1));
        payload.truncate(4096 - 48);
        file.extend(payload);
        file.resize(start + 4096, 0);
    }
    image.records.clear();
    let source = super::counting::Counting::new(file);
    assert!(Salvage::look(&source, None, Work::new(&(), &Cancel::new())).is_err());
    let (_, bytes) = source.take();
    assert!(bytes < 3 * 4096 * u64::from(pages), "read {bytes} bytes");
}

/// Blocks 0, 1 and 3 as they should be, wherever they are.
fn assert_never_other_data(out: &[u8]) -> Result<Vec<u32>, TestCaseError> {
    let found = look(out, Depth::Content).report;
    prop_assert!(!found.has_errors(), "{:#?}", found.findings());
    let out = MemoryImage::new("out", out.to_vec());
    let reader = Reader::open(&out, &Cancel::new()).unwrap();
    let map = reader.block_map().unwrap();
    for number in map.data_blocks() {
        let mut bytes = vec![0; BLOCK];
        reader.read_at(&mut bytes, number * BLOCK as u64).unwrap();
        let right = [0, 1, 3].contains(&number) && bytes == block(u8::try_from(number).unwrap() + 1);
        prop_assert!(right, "block {number}");
    }
    Ok(map.data_blocks().map(|b| u32::try_from(b).unwrap()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn cut_off_anywhere_the_records_before_the_cut_are_saved(zlib in any::<bool>(), cut in any::<prop::sample::Index>()) {
        let image = Image::sample(if zlib { Method::Zlib } else { Method::Zstd });
        let parts = parts(&image);
        let cut = 4096 + cut.index(parts.end + 4096 - 4096);
        let bytes = altered(&image, |_, b| b.truncate(cut));
        // A payload that is complete counts, postfix or not.
        let payload_end = |i: usize| parts.records[i] + 48 + image.records[i].payload.len();
        let whole = [0, 1, 3].into_iter().enumerate().filter(|(i, _)| payload_end(*i) <= cut).map(|(_, b)| b);
        match salvage(&bytes, None) {
            Ok((salvage, out)) => {
                prop_assert_eq!(assert_never_other_data(&out)?, whole.collect::<Vec<_>>());
                let complete = cut >= parts.mid + 512;
                prop_assert_eq!(salvage.missing == Missing::Nothing, complete);
            }
            Err(Error::NothingToSave { .. }) => prop_assert_eq!(whole.count(), 0),
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    /// Whatever is damaged but payloads: what is saved is what it was.
    #[test]
    fn damaged_structures_never_give_other_data(zlib in any::<bool>(),
            flips in prop::collection::vec((0..6_usize, any::<prop::sample::Index>(), 1_u8..), 1..5)) {
        let image = Image::sample(if zlib { Method::Zlib } else { Method::Zstd });
        let p = parts(&image);
        // Of the headers of records what is before and behind the block's number, for which there may be no evidence.
        let regions = [(0, 4096), (p.records[1], 16), (p.records[2] - 4, 16), (p.mid - 4, 600), (p.index, 48), (p.bitmap, 8)];
        let bytes = altered(&image, |_, b| {
            for (region, place, value) in flips {
                let (start, length) = regions[region];
                b[start + place.index(length)] ^= value;
            }
        });
        match salvage(&bytes, None) {
            Ok((salvage, out)) => {
                let saved = assert_never_other_data(&out)?;
                prop_assert_eq!(salvage.missing == Missing::Nothing, saved == [0, 1, 3]);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

/// A bitmap in which one bit is set and another cleared agrees with the count, and names blocks that were never there.
#[test]
fn a_bitmap_that_an_intact_list_of_entries_contradicts_is_not_believed() {
    let image = Image::sample(Method::Zstd);
    let bitmap = parts(&image).bitmap;
    for cleared in [0, 1, 3] {
        let bytes = altered(&image, |_, b| b[bitmap] ^= (1 << cleared) | (1 << 2));
        let (salvage, out) = salvage(&bytes, None).unwrap();
        assert_eq!(assert_never_other_data(&out).unwrap(), [0, 1, 3], "{cleared}");
        assert_eq!(salvage.missing, Missing::Nothing, "{cleared}");
    }
}

/// The block's number of a record has no checksum: a sound index shows that it is wrong.
#[test]
fn a_wrong_block_number_is_found_by_the_index() {
    let image = Image::sample(Method::Zstd);
    for number in [0, 1, 2] {
        for wrong in (0..9).filter(|wrong| *wrong != image.records[number].header.curr_blk) {
            let bytes = image.clone().with(|i| i.records[number].header.curr_blk = wrong).bytes();
            let (salvage, out) = salvage(&bytes, None).unwrap();
            assert_eq!(salvage.saved(), 2, "{number} {wrong}");
            assert_never_other_data(&out).unwrap();
            assert_ne!(salvage.missing, Missing::Nothing);
        }
    }
}
