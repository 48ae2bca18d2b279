//! Files of all kinds, altered in every way: what the check calls an error the reader refuses, and where there is no error it
//! reads what the reference's index reader reads, and its sequential reader as well, unless that fails.

use std::sync::LazyLock;

use imsprep_ondisk::format::zvhd2::{Footer, IndexEntry, RecordHeader};
use imsprep_source::{Cancel, DiskReader, MemoryImage, ReadAt, Work};
use imsprep_testdata::{golden, verdicts};
use proptest::prelude::*;
use proptest::sample::Index;

use imsprep_testdata::noise;

use super::builder::{BLOCK, Image, block, compress};
use super::vendor::{Disk, index_reader, sequential_reader};
use crate::{Depth, Error, Method, Reader, Version, check};

/// What our reader reads.
fn read(source: &MemoryImage) -> Result<Disk, String> {
    let reader = Reader::open(source, &Cancel::new()).map_err(|error| error.to_string())?;
    let (mut disk, mut at) = (Disk::new(), 0);
    while let Some(extent) = reader.data_from(at).map_err(|error| error.to_string())? {
        let start = extent.start;
        let mut bytes = vec![0; usize::try_from((reader.size() - start).min(BLOCK as u64)).unwrap()];
        reader.read_at(&mut bytes, start).map_err(|error| error.to_string())?;
        at = start + bytes.len() as u64;
        if bytes.iter().any(|byte| *byte != 0) {
            disk.insert(start / BLOCK as u64, bytes);
        }
    }
    Ok(disk)
}

/// Whether the file is without an error; fails where check, reader and the reference's readers disagree.
fn hold(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let source = MemoryImage::new("altered.zvhd2", bytes.to_vec());
    let checked = match check(&source, Depth::Content, Work::new(&(), &Cancel::new())) {
        Ok(checked) => checked,
        Err(Error::NotZvhd2 { .. }) => {
            prop_assert!(read(&source).is_err());
            return Ok(false);
        }
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    if checked.info.version == Version::Zvhd1 {
        return Ok(false);
    }
    let findings = checked.report.findings();
    let ours = read(&source);
    if checked.report.has_errors() {
        prop_assert!(ours.is_err(), "errors, and it is read: {findings:#?}");
        return Ok(false);
    }
    let ours = ours.map_err(|error| TestCaseError::fail(format!("no error, and {error}: {findings:#?}")))?;
    let theirs = index_reader(bytes)
        .map_err(|error| TestCaseError::fail(format!("the index reader fails, {error}: {findings:#?}")))?;
    prop_assert!(ours == theirs, "the index reader reads another disk: {findings:#?}");
    if let Ok(sequential) = sequential_reader(bytes) {
        prop_assert!(ours == sequential, "the sequential reader reads another disk: {findings:#?}");
    }
    Ok(true)
}

/// Files to alter, each with where its parts begin.
static FILES: LazyLock<Vec<(Vec<u8>, Vec<usize>)>> = LazyLock::new(|| {
    let raw = |blocks: &[u32]| {
        let payloads = blocks.iter().map(|b| (*b, compress(Method::Zstd, &noise(u64::from(*b) + 1, BLOCK))));
        Image::from_payloads(Method::Zstd, 8 << 20, payloads.collect())
    };
    let small = |payloads: &[u32]| {
        let payloads =
            payloads.iter().map(|b| (*b, compress(Method::Zstd, &block(u8::try_from(b % 250).unwrap() + 1))));
        Image::from_payloads(Method::Zstd, 8 << 20, payloads.collect())
    };
    let images = [
        Image::sample(Method::Zstd),
        Image::sample(Method::Zlib),
        Image::sample(Method::Zstd).by_block(),
        small(&[0, 1, 2, 3]),
        small(&[]),
        raw(&[1, 2]),
        Image::from_payloads(
            Method::Zstd,
            70 << 30,
            [0, 5, 33_000].map(|b| (b, compress(Method::Zstd, &block(9)))).to_vec(),
        ),
    ];
    let mut files = images
        .map(|image| {
            let at = |offset: u64| usize::try_from(offset).unwrap();
            let mut parts =
                vec![0, at(image.end.index_lba) - 4096, at(image.end.index_lba), at(image.end.bitmap_lba)];
            parts
                .extend(image.entries.iter().filter(|entry| entry.offset != 0).map(|entry| at(entry.offset)));
            let file = image.bytes();
            parts.push(file.len() - 4096);
            (file, parts)
        })
        .to_vec();
    for row in verdicts() {
        let file = golden(&row.file);
        if row.index_reader.is_some() && file.len() < 1 << 20 && file.len() > 4096 {
            let end = Footer::decode(file[file.len() - 4096..].first_chunk().unwrap());
            let parts = [
                0,
                4096,
                usize::try_from(end.index_lba).unwrap(),
                usize::try_from(end.bitmap_lba).unwrap(),
                file.len() - 4096,
            ];
            files.push((file.to_vec(), parts.into_iter().filter(|at| *at < file.len()).collect()));
        }
    }
    files
});

#[derive(Clone, Debug)]
enum Change {
    /// A byte near the beginning of a part.
    Flip {
        part: Index,
        within: Index,
        value: u8,
    },
    /// A field of a footer, by number, in HEAD or END.
    Field {
        head: bool,
        field: Index,
        value: u64,
    },
    /// A number in the index or in a record's header.
    Number {
        part: Index,
        within: Index,
        value: u64,
    },
    Cut {
        part: Index,
        by: i64,
    },
    PutIn {
        part: Index,
        within: Index,
        count: usize,
        byte: u8,
    },
    TakeOut {
        part: Index,
        within: Index,
        count: usize,
    },
    /// A part once more.
    Double {
        part: Index,
        end: Index,
    },
    /// A part over another.
    Over {
        from: Index,
        to: Index,
        count: usize,
    },
}

const COUNTS: [usize; 12] = [1, 4, 16, 100, 511, 512, 1024, 4096, 4097, 8192, 524_288, 1 << 20];

fn change() -> impl Strategy<Value = Change> {
    let numbers = prop_oneof![
        Just(0),
        Just(1),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(48),
        Just(511),
        Just(512),
        Just(4096),
        Just(8192),
        Just(2 << 20),
        Just(8 << 20),
        Just(1 << 30),
        Just(64 << 30),
        Just(65 << 30),
        Just(1_u64 << 60),
        Just(u64::MAX),
        Just(u64::from(u32::MAX)),
        Just(4_202_496),
        Just(4_202_497),
        any::<u64>(),
        0_u64..1 << 22
    ];
    let index = any::<Index>;
    let count = || prop::sample::select(COUNTS.to_vec());
    prop_oneof![
        4 => (index(), index(), 1_u8..).prop_map(|(part, within, value)| Change::Flip { part, within, value }),
        4 => (any::<bool>(), index(), numbers.clone()).prop_map(|(head, field, value)| Change::Field { head, field, value }),
        3 => (index(), index(), numbers).prop_map(|(part, within, value)| Change::Number { part, within, value }),
        1 => (index(), -5000_i64..5000).prop_map(|(part, by)| Change::Cut { part, by }),
        3 => (index(), index(), count(), prop::sample::select(vec![0, 0x5a, 0xff]))
            .prop_map(|(part, within, count, byte)| Change::PutIn { part, within, count, byte }),
        3 => (index(), index(), count()).prop_map(|(part, within, count)| Change::TakeOut { part, within, count }),
        2 => (index(), index()).prop_map(|(part, end)| Change::Double { part, end }),
        2 => (index(), index(), count()).prop_map(|(from, to, count)| Change::Over { from, to, count }),
    ]
}

fn apply(file: &mut Vec<u8>, parts: &[usize], change: &Change) {
    let part = |index: &Index| parts[index.index(parts.len())].min(file.len().saturating_sub(1));
    let near = |part_of: &Index, within: &Index| {
        (part(part_of) + within.index(600)).min(file.len().saturating_sub(1))
    };
    if file.len() < 8192 {
        return;
    }
    match change {
        Change::Flip { part, within, value } => {
            let at = near(part, within);
            file[at] ^= value;
        }
        Change::Field { head, field, value } => {
            let at = if *head { 0 } else { file.len() - 4096 };
            let field = &imsprep_ondisk::format::zvhd2::FIELDS[field.index(31)];
            let bytes = value.to_le_bytes();
            let size = field.size.min(8);
            file[at + field.offset..at + field.offset + size].copy_from_slice(&bytes[..size]);
        }
        Change::Number { part, within, value } => {
            let fields = [0_usize, 8, 12, 16, 24, 28, 32, 40, 44, 48, 56];
            let at =
                (self::part_at(file, parts, part) + fields[within.index(fields.len())]).min(file.len() - 8);
            file[at..at + 4].copy_from_slice(&value.to_le_bytes()[..4]);
        }
        Change::Cut { part, by } => {
            let at = i64::try_from(part_at(file, parts, part)).unwrap() + by;
            file.truncate(usize::try_from(at.max(0)).unwrap());
        }
        Change::PutIn { part, within, count, byte } => {
            let at = if *byte == 0x5a { near(part, within) } else { self::part_at(file, parts, part) };
            file.splice(at..at, vec![*byte; *count]);
        }
        Change::TakeOut { part, within, count } => {
            let at = if count % 512 == 0 { self::part_at(file, parts, part) } else { near(part, within) };
            file.drain(at..(at + count).min(file.len()));
        }
        Change::Double { part, end } => {
            let (a, b) = (self::part_at(file, parts, part), self::part_at(file, parts, end));
            let piece = file[a.min(b)..a.max(b)].to_vec();
            file.splice(a.max(b)..a.max(b), piece);
        }
        Change::Over { from, to, count } => {
            let (from, to) = (part_at(file, parts, from), part_at(file, parts, to));
            let count = *count.min(&(file.len() - from.max(to)));
            file.copy_within(from..from + count, to);
        }
    }
}

fn part_at(file: &[u8], parts: &[usize], part: &Index) -> usize {
    parts[part.index(parts.len())].min(file.len().saturating_sub(1))
}

/// Puts the checksums of HEAD and END right.
fn seal(file: &mut [u8]) {
    for at in [Some(0), file.len().checked_sub(4096)].into_iter().flatten() {
        if let Some(bytes) = file[at..].first_chunk::<512>() {
            let sealed = Footer::decode(bytes).sealed().encode();
            file[at..at + 512].copy_from_slice(&sealed);
        }
    }
}

#[test]
fn of_files_that_nobody_altered() {
    for row in verdicts().into_iter().filter(|row| row.index_reader.is_some()) {
        let sound = hold(golden(&row.file)).unwrap_or_else(|error| panic!("{}: {error}", row.file));
        assert_eq!(Some(sound), row.index_reader, "{}", row.file);
        // The twins say what the reference's own readers were seen to say.
        assert_eq!(Some(index_reader(golden(&row.file)).is_ok()), row.index_reader, "{}", row.file);
        if row.file != "variant_30_version0.zvhd2" {
            assert_eq!(sequential_reader(golden(&row.file)).is_ok(), row.sequential_reader, "{}", row.file);
        }
    }
    for (file, _) in FILES.iter().take(7) {
        assert!(hold(file).unwrap());
    }
}

/// One alteration of each size at each part of each file, so that no kind is left to chance.
#[test]
fn of_files_with_bytes_put_in_taken_out_or_doubled() {
    let mut sound = 0;
    for (file, parts) in FILES.iter().take(5) {
        for at in parts.iter().flat_map(|at| [*at, at + 40, at + 4096]).filter(|at| *at < file.len()) {
            for count in [1, 100, 511, 512, 4096, 4097] {
                let mut more = file.clone();
                more.splice(at..at, vec![0; count]);
                let mut less = file.clone();
                less.drain(at..(at + count).min(file.len()));
                let mut twice = file.clone();
                let piece = file[at.saturating_sub(count)..at].to_vec();
                twice.splice(at..at, piece);
                for altered in [more, less, twice] {
                    sound +=
                        u32::from(hold(&altered).unwrap_or_else(|error| panic!("{at} {count}: {error}")));
                }
            }
        }
    }
    assert!(sound > 0, "not one of them is readable");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn of_altered_files(file in any::<Index>(), changes in prop::collection::vec(change(), 1..4), sealed in any::<bool>()) {
        let (file, parts) = &FILES[file.index(FILES.len())];
        let mut bytes = file.clone();
        for change in &changes {
            apply(&mut bytes, parts, change);
        }
        if sealed {
            seal(&mut bytes);
        }
        hold(&bytes)?;
    }
}

/// So that the property is not one about nothing.
#[test]
fn altered_files_without_errors_are_not_rare() {
    let (file, _) = &FILES[0];
    let end = file.len() - 4096;
    let sound = (0..142).filter(|at| {
        let mut bytes = file.clone();
        bytes[end + at] ^= 1;
        seal(&mut bytes);
        hold(&bytes).unwrap()
    });
    let sound = sound.count();
    assert!((40..142).contains(&sound), "{sound}");
    assert_eq!(IndexEntry::SIZE + RecordHeader::SIZE, 64);
}
