//! Repair of files that got or lost bytes somewhere, and of records whose data nothing guards but the end marker.

use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{Cancel, DiskReader, Extent, MemoryImage, ReadAt, StreamOutput, Work};
use proptest::prelude::*;
use proptest::sample::Index;
use zstd::zstd_safe::CParameter;

use imsprep_testdata::noise;

use super::builder::{BLOCK, Image, block, compress};
use crate::rules::*;
use crate::{BlockSpan, Error, Method, Missing, Reader, Salvage};

/// An image, and what its blocks hold.
struct Whole {
    image: Image,
    blocks: Vec<(u32, Vec<u8>)>,
}

fn whole(method: Method, blocks: Vec<(u32, Vec<u8>)>) -> Whole {
    let size = (u64::from(blocks.last().map_or(0, |(number, _)| *number)) + 2) * BLOCK as u64;
    let payloads = blocks.iter().map(|(number, bytes)| (*number, compress(method, bytes))).collect();
    Whole { image: Image::from_payloads(method, size, payloads), blocks }
}

/// Data that can't be compressed at all.
fn plain(method: Method) -> Whole {
    whole(method, [0, 1, 2, 4].map(|number| (number, noise(u64::from(number) + 1, BLOCK))).to_vec())
}

/// Data of which half can be compressed.
fn mixed(method: Method) -> Whole {
    let half = |number: u32| {
        let mut bytes = noise(u64::from(number) + 9, BLOCK);
        bytes[BLOCK / 4..BLOCK * 3 / 4].fill(u8::try_from(number).unwrap());
        bytes
    };
    whole(method, [1, 2, 3].map(|number| (number, half(number))).to_vec())
}

/// Many small records, none as long as another.
fn small(method: Method) -> Whole {
    let block = |number: u32| {
        let mut bytes = vec![0; BLOCK];
        let length = 900 + 613 * number as usize;
        bytes[..length].copy_from_slice(&noise(u64::from(number) + 77, length));
        (number, bytes)
    };
    whole(method, (0..19).map(block).collect())
}

/// Blocks by number, and what they hold.
type Blocks = Vec<(u32, Vec<u8>)>;

fn salvage(bytes: &[u8]) -> Result<(Salvage, Blocks), Error> {
    let source = MemoryImage::new("broken.zvhd2", bytes.to_vec());
    let salvage = Salvage::look(&source, None, Work::new(&(), &Cancel::new()))?;
    let mut out = StreamOutput::new("memory", Vec::new());
    salvage.write(&source, &mut out, Work::new(&(), &Cancel::new()))?;
    let out = MemoryImage::new("out.zvhd2", out.finish()?);
    let reader = Reader::open(&out, &Cancel::new())?;
    let map = reader.block_map()?;
    let mut blocks = Vec::new();
    for number in map.data_blocks() {
        let mut bytes = vec![0; BLOCK];
        reader.read_at(&mut bytes, number * BLOCK as u64)?;
        blocks.push((u32::try_from(number).unwrap(), bytes));
    }
    Ok((salvage, blocks))
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

#[test]
fn plain_data_without_its_end_marker_is_lost_and_told() {
    for method in [Method::Zstd, Method::Zlib] {
        for (kind, whole) in [("plain", plain(method)), ("mixed", mixed(method))] {
            let number = whole.blocks[1].0;
            let file = whole.image.clone().with(|i| i.records[1].postfix = [0; 4]).bytes();
            let (salvage, blocks) = salvage(&file).unwrap();
            let expected = whole.blocks.iter().filter(|(block, _)| *block != number).cloned();
            assert!(blocks == expected.collect::<Vec<_>>(), "{kind}");
            assert_eq!(
                salvage.missing,
                Missing::Blocks(vec![BlockSpan { first: number, count: 1 }]),
                "{kind}"
            );
            assert_eq!((salvage.report.count_of(&RECORD_POSTFIX), salvage.dropped), (1, 1), "{kind}");
            // So it is where the prefix is damaged as well, and only the index describes the record.
            let file = whole.image.with(|i| {
                i.records[1].postfix = [0; 4];
                i.records[1].header.prefix[0] = 0;
            });
            assert_eq!(self::salvage(&file.bytes()).unwrap().0.missing, salvage.missing, "{kind}");
        }
    }
}

#[test]
fn plain_data_with_a_checksum_needs_no_marker() {
    let mut summing = zstd::bulk::Compressor::new(3).unwrap();
    summing.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
    let blocks = [0, 1, 2].map(|number| (number, noise(u64::from(number) + 5, BLOCK)));
    let payloads = blocks.iter().map(|(number, bytes)| (*number, summing.compress(bytes).unwrap()));
    let image = Image::from_payloads(Method::Zstd, 8 << 20, payloads.collect());
    let good = image.clone().with(|i| i.records[1].postfix = [0; 4]);
    assert!(salvage(&good.bytes()).unwrap().1 == blocks);
    let bad = image.with(|i| {
        i.records[1].postfix = [0; 4];
        i.records[1].payload[500_000] ^= 1;
    });
    assert_eq!(salvage(&bad.bytes()).unwrap().0.saved_blocks().len(), 2);
}

#[test]
fn compressed_data_without_its_marker_is_saved_where_the_file_goes_on_in_its_place() {
    for method in [Method::Zstd, Method::Zlib] {
        let Whole { image, blocks } =
            whole(method, [0, 1, 3].map(|n| (n, block(7 + u8::try_from(n).unwrap()))).to_vec());
        for number in 0..3 {
            let file = image.clone().with(|i| i.records[number].postfix = [0; 4]).bytes();
            assert!(salvage(&file).unwrap().1 == blocks, "{number}");
        }
        // Behind it nothing is in its place.
        let place = at(image.entries[2].offset);
        let mut file = image.clone().with(|i| i.records[1].postfix = [0; 4]).bytes();
        file.splice(place..place, [0xa5; 100]);
        assert_eq!(
            salvage(&file).unwrap().0.missing,
            Missing::Blocks(vec![BlockSpan { first: 1, count: 1 }])
        );
    }
}

/// A piece of a plain record, written twice near its end: what zstd reads is one block, and not the one that was written.
#[test]
fn a_piece_that_stands_twice_in_a_plain_record() {
    let Whole { image, blocks } = plain(Method::Zstd);
    let mut file = image.bytes();
    let place = at(image.entries[1].offset) + 2000 * 1024;
    let piece = file[place - 4096..place].to_vec();
    file.splice(place..place, piece);
    let (salvage, saved) = salvage(&file).unwrap();
    assert_eq!(salvage.missing, Missing::Blocks(vec![BlockSpan { first: 1, count: 1 }]));
    assert!(saved == blocks.into_iter().filter(|(number, _)| *number != 1).collect::<Vec<_>>());
}

/// As many bytes as a plain record has: what is left of two records looks like one.
#[test]
fn two_halves_of_plain_records_are_not_taken_for_one() {
    let Whole { image, blocks } = plain(Method::Zstd);
    let length = image.entries[0].length as usize;
    let file = image.bytes();
    for within in [100, 1 << 20, 2_000_000] {
        for records in [1, 2] {
            let place = at(image.entries[1].offset) + within;
            let mut less = file.clone();
            less.drain(place..place + records * length);
            let mut more = file.clone();
            let piece = more[place - length..place].to_vec();
            more.splice(place..place, piece);
            for altered in [less, more] {
                let (salvage, saved) = salvage(&altered).unwrap();
                for (number, bytes) in &saved {
                    let original = blocks.iter().find(|(block, _)| block == number);
                    assert!(original.is_some_and(|(_, original)| original == bytes), "block {number}");
                }
                // Of two records that are lost the second half of the last one is gone as well.
                assert_eq!(
                    saved.iter().any(|(number, _)| *number == 4),
                    records == 1 || altered.len() > file.len()
                );
                assert_eq!(salvage.missing == Missing::Nothing, saved.len() == 4);
            }
        }
    }
}

#[test]
fn all_records_lie_further_on() {
    for method in [Method::Zstd, Method::Zlib] {
        let Whole { image, blocks } = small(method);
        for count in [1, 100, 512, 4096, 5000, 1 << 20] {
            for start in [512, 3000, 4096] {
                let mut file = image.bytes();
                file.splice(start..start, vec![0x11; count]);
                let (salvage, saved) = salvage(&file).unwrap_or_else(|e| panic!("{count} {start}: {e}"));
                assert_eq!(
                    salvage.missing,
                    Missing::Nothing,
                    "{count} {start}: {:#?}",
                    salvage.report.findings()
                );
                assert!(saved == blocks, "{count} {start}");
            }
        }
        // HEAD twice, and no HEAD.
        let file = image.bytes();
        for file in [[&file[..4096], &file].concat(), file[4096..].to_vec(), file[100..].to_vec()] {
            let (salvage, saved) = salvage(&file).unwrap();
            assert!(salvage.missing == Missing::Nothing && saved == blocks);
        }
    }
}

/// A container within the plain data of a record that is damaged.
#[test]
fn records_of_a_container_on_the_disk_are_not_taken_for_its_own() {
    let inner = small(Method::Zstd).image.bytes();
    let blocks = [0, 1, 2].map(|number| {
        let mut bytes = noise(number + 1, BLOCK);
        let length = (inner.len() - 8192).min(BLOCK - 9000);
        bytes[5000..5000 + length].copy_from_slice(&inner[..length]);
        (u32::try_from(number).unwrap(), bytes)
    });
    let Whole { image, blocks } = whole(Method::Zstd, blocks.to_vec());
    let mut file = image.bytes();
    let place = at(image.entries[1].offset) + 70;
    file.splice(place..place, [0; 3]);
    let (salvage, saved) = salvage(&file).unwrap();
    assert!(saved == blocks.into_iter().filter(|(number, _)| *number != 1).collect::<Vec<_>>());
    assert_eq!(salvage.missing, Missing::Blocks(vec![BlockSpan { first: 1, count: 1 }]));
}

static WHOLES: LazyLock<[Whole; 6]> = LazyLock::new(|| {
    let (zstd, zlib) = (Method::Zstd, Method::Zlib);
    [plain(zstd), plain(zlib), mixed(zstd), mixed(zlib), small(zstd), small(zlib)]
});

/// A file with a hole of 64 GiB in it.
struct Holed {
    front: Vec<u8>,
    back: Vec<u8>,
    read: AtomicU64,
}

impl Holed {
    const HOLE: u64 = 64 << 30;

    fn back_at(&self) -> u64 {
        self.front.len() as u64 + Self::HOLE
    }
}

impl ReadAt for Holed {
    fn path(&self) -> &Path {
        Path::new("holed.zvhd2")
    }

    fn size(&self) -> u64 {
        self.back_at() + self.back.len() as u64
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
        self.read.fetch_add(buf.len() as u64, Ordering::Relaxed);
        assert!(offset + buf.len() as u64 <= self.size());
        for (byte, at) in buf.iter_mut().zip(offset..) {
            let there = match at.checked_sub(self.back_at()) {
                Some(within) => self.back.get(self::at(within)),
                None => self.front.get(self::at(at)),
            };
            *byte = there.copied().unwrap_or(0);
        }
        Ok(())
    }
}

impl DiskReader for Holed {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        let front = self.front.len() as u64;
        Ok(if offset < front {
            Some(Extent { start: offset, end: front })
        } else {
            (offset < self.size()).then(|| Extent { start: offset.max(self.back_at()), end: self.size() })
        })
    }
}

#[test]
fn holes_are_not_read() {
    let Whole { image, blocks } = small(Method::Zstd);
    let file = image.bytes();
    let (front, back) = file.split_at(at(image.entries[7].offset));
    let source = Holed { front: front.to_vec(), back: back.to_vec(), read: AtomicU64::new(0) };
    let salvage = Salvage::look(&source, None, Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!((salvage.saved(), &salvage.missing), (blocks.len() as u64, &Missing::Nothing));
    assert!(source.read.into_inner() < 32 << 20);
}

const COUNTS: [usize; 9] = [1, 4, 100, 511, 512, 4096, 4097, 8192, 1 << 20];

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Bytes put in, taken out, or written twice, anywhere: what is saved is right, what is whole is saved, and what is lost
    /// is reported.
    #[test]
    fn bytes_put_in_or_lost_anywhere(kind in 0..6_usize, place in any::<Index>(), near in prop::option::of(any::<Index>()),
                                     count in prop::sample::select(COUNTS.to_vec()), how in 0..4_u8) {
        let Whole { image, blocks } = &WHOLES[kind];
        let mut file = image.bytes();
        let place = match near {
            // Within the records, or near where one begins.
            Some(near) => {
                let entry = image.entries[near.index(image.entries.len())];
                (at(entry.offset) + place.index(200)).saturating_sub(100)
            }
            None => 512 + place.index(file.len() - 4096 - 1024),
        };
        let (mut lost_from, mut lost_to) = (place, place);
        match how {
            0 => drop(file.splice(place..place, vec![0; count])),
            1 => drop(file.splice(place..place, noise(99, count))),
            2 => {
                let piece = file[place.saturating_sub(count)..place].to_vec();
                file.splice(place..place, piece);
            }
            _ => {
                lost_to = (place + count).min(file.len() - 4096);
                lost_from = lost_from.min(lost_to);
                file.drain(lost_from..lost_to);
            }
        }
        let whole = image.entries.iter().zip(blocks).filter(|(entry, _)| {
            let (start, end) = (at(entry.offset), at(entry.offset) + entry.length as usize);
            end <= lost_from || start >= lost_to
        });
        let whole = whole.map(|(_, (number, _))| *number).collect::<Vec<_>>();
        let (salvage, saved) = match salvage(&file) {
            Ok(done) => done,
            Err(Error::NothingToSave { .. }) => {
                prop_assert!(whole.is_empty());
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        for (number, bytes) in &saved {
            let original = blocks.iter().find(|(block, _)| block == number);
            prop_assert!(original.is_some_and(|(_, original)| original == bytes), "block {number} is another");
        }
        let numbers = saved.iter().map(|(number, _)| *number).collect::<Vec<_>>();
        for number in &whole {
            prop_assert!(numbers.contains(number), "{number} is whole, saved are {numbers:?}: {:#?}", salvage.report.findings());
        }
        prop_assert_eq!(salvage.missing == Missing::Nothing, numbers.len() == blocks.len(), "{:?}", salvage.missing);
    }
}
