//! Learning, against a generator of bitmap files that shares no code with the learner or the writer: it draws a layout,
//! writes files in it bit by bit, and the learner has to find a layout that writes the same bytes for images that it has not
//! seen, or to say that it can't. Layouts outside of what is looked for have to be refused, and so have near-misses.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that meets the unexpected should stop there"
)]

mod generator;

use std::path::Path;

use generator::{Drawn, Outside, Picker};
use imsprep_bitmap::Layout;
use imsprep_bitmap::learn::{Learned, Sample, learn};
use imsprep_source::{BlockMap, BlockSize};

/// An image as the generator sees it: its size, and which of its sectors hold data.
struct Image {
    size: u64,
    sectors: Vec<u64>,
}

impl Image {
    /// One of about so many blocks, some of which hold data.
    fn drawn(picker: &mut Picker, block: u64, blocks: u64) -> Self {
        // The last block may be partial, and sizes are whole sectors.
        let size = (blocks - 1) * block + 512 * picker.between(1, block / 512);
        let mut sectors = Vec::new();
        let share = picker.between(2, 8);
        for number in 0..blocks {
            if picker.between(0, 9) < share {
                let there = (size - number * block).min(block) / 512;
                sectors.push(number * block / 512 + picker.between(0, there.max(1) - 1));
            }
        }
        Self { size, sectors }
    }

    fn data(&self, block: u64) -> Vec<bool> {
        let mut data = vec![false; self.size.div_ceil(block) as usize];
        self.sectors.iter().for_each(|sector| data[(sector * 512 / block) as usize] = true);
        data
    }

    fn map(&self, block: u64) -> BlockMap {
        let mut map = BlockMap::zeroed(Path::new("x"), self.size, BlockSize::new(block).unwrap()).unwrap();
        self.sectors.iter().for_each(|sector| map.set(sector * 512 / block, true));
        map
    }
}

/// The content of an image in blocks as fine as a file of this length can hold, as the toolkit scans it.
fn content(image: &Image, length: usize) -> BlockMap {
    let finest = imsprep_bitmap::learn::finest_block_size(length as u64, image.size);
    image.map(finest.unwrap_or(BlockSize::MAX).min(BlockSize::MIB_2).bytes())
}

fn learned(files: &[(&Image, Vec<u8>)]) -> Learned {
    let contents = files.iter().map(|(image, bytes)| content(image, bytes.len())).collect::<Vec<_>>();
    let samples = files.iter().zip(&contents).map(|((_, bytes), content)| Sample { bytes, content });
    learn(&samples.collect::<Vec<_>>())
}

/// The same with the content in sectors, as lists of runs need it.
fn learned_in_sectors(files: &[(&Image, Vec<u8>)]) -> Learned {
    let contents = files.iter().map(|(image, _)| image.map(512)).collect::<Vec<_>>();
    let samples = files.iter().zip(&contents).map(|((_, bytes), content)| Sample { bytes, content });
    learn(&samples.collect::<Vec<_>>())
}

fn summary(learned: &Learned) -> String {
    match learned {
        Learned::One(one) => format!("one: {}; {:?}", one.layout.summary(), one.layout.form),
        Learned::Several { hypotheses, and_more, by_chance, .. } => {
            let all = hypotheses.iter().map(|h| format!("{} {:?}", h.layout.summary(), h.questions));
            format!("several (more: {and_more}, chance: {by_chance}): {:#?}", all.collect::<Vec<_>>())
        }
        Learned::None { nearest, looks_like } => format!("none: {nearest:?} {looks_like:?}"),
    }
}

fn assert_writes_the_same(layout: &Layout, drawn: &Drawn, image: &Image, context: &str) {
    assert_eq!(layout.block_size.bytes(), drawn.block, "{context}");
    let written = layout.encode(&image.map(drawn.block)).unwrap();
    let expected = drawn.write(image.size, &image.data(drawn.block));
    assert!(written == expected, "an image of {} bytes: {context}", image.size);
}

#[test]
fn a_drawn_layout_is_learned_or_said_to_be_open_and_never_learned_wrongly() {
    let (mut settled, mut wrong_sizes) = (0, 0);
    let rounds = 300;
    for seed in 0..rounds {
        let mut picker = Picker::new(seed);
        let drawn = Drawn::inside(&mut picker);
        let mut images = Vec::new();
        let mut one = None;
        // Images of many sizes, until one layout is left.
        for turn in 0..7 {
            let blocks = match turn {
                0 => picker.between(60, 700),
                // Bits of 256 bytes: until then their number has one byte, which between zeros is one of either byte order.
                5 => picker.between(2041, 2047),
                // Some MiB also in small blocks, for sizes in MiB.
                6 => picker.between(8200, 9000).min((2 << 30) / drawn.block),
                _ => picker.between(1, 900),
            };
            images.push(Image::drawn(&mut picker, drawn.block, blocks));
            let files = images.iter().map(|image| (image, drawn.write(image.size, &image.data(drawn.block))));
            let files = files.collect::<Vec<_>>();
            let result = learned(&files);
            match result {
                Learned::One(hypothesis) => {
                    one = Some(hypothesis);
                    // Assumptions may be wrong, and are said; more samples put that right.
                    let unproven = one.as_ref().is_some_and(|h| !h.assumptions.is_empty());
                    if !unproven {
                        break;
                    }
                }
                Learned::Several { hypotheses, and_more, .. } => {
                    one = None;
                    assert!(!hypotheses.is_empty() || and_more, "seed {seed}");
                    let true_block = hypotheses.iter().any(|h| h.layout.block_size.bytes() == drawn.block);
                    if !true_block && !and_more {
                        wrong_sizes += 1;
                    }
                }
                none @ Learned::None { .. } => panic!("seed {seed}: {drawn:?}\n{}", summary(&none)),
            }
        }
        let Some(hypothesis) = one else { continue };
        settled += 1;
        for turn in 0..8 {
            let blocks = if turn == 0 { picker.between(2041, 2047) } else { picker.between(1, 2000) };
            let unseen = Image::drawn(&mut picker, drawn.block, blocks);
            let context = format!("seed {seed}: {drawn:?}\nlearned {:?}", hypothesis.layout);
            assert_writes_the_same(&hypothesis.layout, &drawn, &unseen, &context);
        }
    }
    assert_eq!(wrong_sizes, 0, "the layout that was drawn is always among the several");
    assert!(settled * 10 >= rounds * 8, "{settled} of {rounds} were settled");
}

#[test]
fn a_drawn_list_of_runs_is_learned_or_said_to_be_open_and_never_learned_wrongly() {
    let (mut settled, rounds) = (0, 100);
    for seed in 0..rounds {
        let mut picker = Picker::new(40_000 + seed);
        let drawn = Drawn::listing(&mut picker);
        let mut images = Vec::new();
        let mut one = None;
        for turn in 0..6 {
            let blocks = if turn == 5 { 4100 } else { picker.between(60, 700) };
            images.push(Image::drawn(&mut picker, drawn.block, blocks));
            let files = images.iter().map(|image| (image, drawn.write(image.size, &image.data(drawn.block))));
            let files = files.collect::<Vec<_>>();
            match learned_in_sectors(&files) {
                Learned::One(hypothesis) => {
                    let proven = hypothesis.assumptions.is_empty();
                    one = Some(hypothesis);
                    if proven {
                        break;
                    }
                }
                Learned::Several { hypotheses, and_more, .. } => {
                    one = None;
                    let is_drawn = |layout: &Layout| {
                        files.iter().all(|(image, file)| {
                            layout.encode(&image.map(layout.block_size.bytes())).as_ref() == Ok(file)
                        })
                    };
                    assert!(and_more || hypotheses.iter().all(|h| is_drawn(&h.layout)), "seed {seed}");
                }
                none @ Learned::None { .. } => panic!("seed {seed}: {drawn:?}\n{}", summary(&none)),
            }
        }
        let Some(hypothesis) = one else { continue };
        settled += 1;
        for _ in 0..8 {
            let blocks = picker.between(1, 3000);
            let unseen = Image::drawn(&mut picker, drawn.block, blocks);
            let context = format!("seed {seed}: {drawn:?}\nlearned {:?}", hypothesis.layout);
            assert_writes_the_same(&hypothesis.layout, &drawn, &unseen, &context);
        }
    }
    assert!(settled * 10 >= rounds * 8, "{settled} of {rounds} were settled");
}

/// A list of finer blocks is none of coarser ones whose runs happen to be the same: it needs the content in sectors.
#[test]
fn a_list_of_runs_is_not_claimed_of_content_in_coarse_blocks() {
    let image = image_with(900, 300);
    let runs = image.map(2 << 20).runs().filter(|run| run.data).collect::<Vec<_>>();
    let file = runs.iter().flat_map(|run| [run.first << 21, run.count << 21]).flat_map(u64::to_le_bytes);
    let file = file.collect::<Vec<_>>();
    assert!(matches!(learned(&[(&image, file)]), Learned::None { .. }));
}

/// An image of this many blocks of 2 MiB, every third of which holds data, and so do the first ones until there are so many.
fn image_with(blocks: u64, data: u64) -> Image {
    let thirds = (0..blocks).step_by(3).take(usize::try_from(data).unwrap()).collect::<Vec<_>>();
    let others = (0..blocks).filter(|block| block % 3 != 0).take(data as usize - thirds.len());
    let sectors = thirds.iter().copied().chain(others).map(|block| block * 4096).collect();
    Image { size: blocks << 21, sectors }
}

/// Of a number of one byte between zeros nobody knows whether the zeros before it or those after it are its own: larger numbers
/// would be written differently.
#[test]
fn a_small_number_between_zeros_has_both_byte_orders_until_a_larger_one_tells() {
    // What comes before the number, its own bytes and what comes after; how it is read, and how else.
    type Encode = fn(u64) -> Vec<u8>;
    type Case = (&'static [u8], Encode, &'static [u8], &'static str, &'static str);
    let cases: [Case; 4] = [
        (
            b"MAPS\0\0\0\0\0\0\0",
            |n| (n as u32).to_le_bytes().to_vec(),
            b"END",
            "4 bytes, little",
            "8 bytes, big",
        ),
        (b"MAPS\0\0\0", |n| n.to_le_bytes().to_vec(), b"END", "8 bytes, little", "4 bytes, big"),
        (
            b"MAPS",
            |n| (n as u32).to_be_bytes().to_vec(),
            b"\0\0\0\0\0\0\0END",
            "4 bytes, big",
            "8 bytes, little",
        ),
        (b"MAPS", |n| n.to_be_bytes().to_vec(), b"\0\0\0END", "8 bytes, big", "4 bytes, little"),
    ];
    let images = [(390, 100), (430, 200), (700, 255)].map(|(blocks, data)| image_with(blocks, data));
    let larger = image_with(900, 0x123);
    for (before, encode, after, own, other) in cases {
        let file = |image: &Image| {
            let map = image.map(2 << 20);
            [before, &encode(map.data_count()), after, map.as_lsb_bytes()].concat()
        };
        let mut files = images.iter().map(|image| (image, file(image))).collect::<Vec<_>>();
        let result = learned(&files);
        let Learned::Several { hypotheses, further, .. } = &result else {
            panic!("{own}: {}", summary(&result))
        };
        assert_eq!(hypotheses.len(), 1, "{own}: {}", summary(&result));
        let readings = &hypotheses[0].questions[0].readings;
        assert_eq!(readings.len(), 2, "{own}: {readings:?}");
        for way in [own, other] {
            let named = format!("number of data blocks ({way}-endian)");
            assert!(readings.iter().any(|reading| reading.contains(&named)), "{named}: {readings:?}");
        }
        let further = further.unwrap();
        assert_eq!((further.told_apart, further.of), (2, 2), "{own}");

        files.push((&larger, file(&larger)));
        let result = learned(&files);
        let Learned::One(one) = &result else { panic!("{own}: {}", summary(&result)) };
        assert_eq!(one.assumptions, [""; 0], "{own}");
        let unseen = image_with(3000, 0x567);
        assert!(one.layout.encode(&unseen.map(2 << 20)).unwrap() == file(&unseen), "{own}: {:?}", one.layout);
    }
}

/// More numbers overlap here than are weighed against each other: that is a question, and no reason to find nothing.
#[test]
fn a_row_of_the_same_number_is_open_and_not_refused() {
    let images = [(390, 100), (430, 200), (700, 255)].map(|(blocks, data)| image_with(blocks, data));
    type Encode = fn(&BlockMap) -> Vec<u8>;
    let cases: [Encode; 2] = [
        |map| map.block_size().bytes().to_be_bytes().repeat(8),
        |map| map.data_count().to_le_bytes().repeat(8),
    ];
    for encode in cases {
        let files = images.iter().map(|image| {
            let map = image.map(2 << 20);
            (image, [b"MAPS", &encode(&map)[..], map.as_lsb_bytes()].concat())
        });
        let files = files.collect::<Vec<_>>();
        let result = learned(&files);
        let Learned::Several { hypotheses, .. } = &result else { panic!("{}", summary(&result)) };
        assert_eq!(hypotheses.len(), 1, "{}", summary(&result));
        assert!(hypotheses[0].questions.iter().any(|question| question.readings.is_empty()));
        for (image, file) in &files {
            assert!(hypotheses[0].layout.encode(&image.map(2 << 20)).unwrap() == *file);
        }
    }
}

/// Rows of numbers, zeros and noise across a header of the greatest length: seconds, where quadratic time would be hours.
#[test]
fn long_headers_are_explained_in_little_time() {
    let images = [(390, 100), (430, 200), (700, 255)].map(|(blocks, data)| image_with(blocks, data));
    type Encode = fn(&BlockMap) -> Vec<u8>;
    let cases: [Encode; 5] = [
        |_| vec![0; 65_536],
        |_| (0..65_536u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        |map| map.data_count().to_le_bytes().repeat(8192),
        |map| map.image_size().to_be_bytes().repeat(8192),
        |map| [map.block_count().to_le_bytes(), map.data_count().to_be_bytes()].concat().repeat(4096),
    ];
    for (number, encode) in cases.into_iter().enumerate() {
        let files = images.iter().map(|image| {
            let map = image.map(2 << 20);
            (image, [&encode(&map)[..], map.as_lsb_bytes()].concat())
        });
        let files = files.collect::<Vec<_>>();
        let result = learned(&files);
        assert!(!matches!(result, Learned::None { .. }), "{number}: {}", summary(&result));
        for layout in result.layouts().into_iter().take(3) {
            for (image, file) in &files {
                assert!(layout.encode(&image.map(layout.block_size.bytes())).unwrap() == *file, "{number}");
            }
        }
    }
}

#[test]
fn layouts_outside_of_what_is_looked_for_are_refused() {
    for seed in 0..150 {
        let mut picker = Picker::new(10_000 + seed);
        let outside = Outside::drawn(&mut picker, seed);
        let images = (0..3).map(|_| {
            let blocks = picker.between(60, 700);
            Image::drawn(&mut picker, outside.block(), blocks)
        });
        let images = images.collect::<Vec<_>>();
        let files =
            images.iter().map(|image| (image, outside.write(image.size, &image.data(outside.block()))));
        let files = files.collect::<Vec<_>>();
        let result = learned(&files);
        assert!(matches!(result, Learned::None { .. }), "seed {seed}: {outside:?}: {}", summary(&result));
    }
}

#[test]
fn near_misses_are_refused() {
    for seed in 0..60 {
        let mut picker = Picker::new(20_000 + seed);
        let drawn = Drawn::inside(&mut picker);
        let images = (0..2).map(|_| {
            let blocks = picker.between(200, 700);
            Image::drawn(&mut picker, drawn.block, blocks)
        });
        let images = images.collect::<Vec<_>>();
        let files = images.iter().map(|image| (image, drawn.write(image.size, &image.data(drawn.block))));
        let files = files.collect::<Vec<_>>();
        let not_none = |result: &Learned| !matches!(result, Learned::None { .. });
        assert!(not_none(&learned(&files)), "seed {seed}");

        // One byte altered, anywhere: in the bits it fits no image any more, in what surrounds them not the other sample.
        let mut altered = files.clone();
        let at = picker.between(0, altered[1].1.len() as u64 - 1) as usize;
        altered[1].1[at] ^= 1 << picker.between(0, 7);
        let result = learned(&altered);
        assert!(!not_none(&result), "seed {seed}, byte {at} altered: {drawn:?}: {}", summary(&result));

        // The other's image.
        let swapped = vec![(files[0].0, files[1].1.clone()), (files[1].0, files[0].1.clone())];
        let result = learned(&swapped);
        assert!(!not_none(&result), "seed {seed}, swapped: {drawn:?}: {}", summary(&result));

        // Cut off, and with a byte more.
        let length = files[1].1.len();
        for changed in [length - 1, length + 1, length / 2] {
            // A file without its last byte of padding may be one of a smaller unit.
            if changed + 1 == length && drawn.ends_in_short_padding() {
                continue;
            }
            let mut resized = files.clone();
            resized[1].1.resize(changed, 0x77);
            let result = learned(&resized);
            assert!(!not_none(&result), "seed {seed}, {changed} bytes: {drawn:?}: {}", summary(&result));
        }
    }
}

#[test]
fn one_sample_alone_with_an_altered_bit_or_another_image_is_refused() {
    for seed in 0..60 {
        let mut picker = Picker::new(30_000 + seed);
        let drawn = Drawn::inside(&mut picker);
        let blocks = picker.between(200, 700);
        let image = Image::drawn(&mut picker, drawn.block, blocks);
        let file = drawn.write(image.size, &image.data(drawn.block));
        let mut altered = file.clone();
        let bits = drawn.header_length();
        let block = picker.between(0, image.data(drawn.block).len() as u64 - 1);
        let (place, wrong) = drawn.place(block);
        altered[bits + place] ^= wrong;
        let Learned::None { nearest, .. } = learned(&[(&image, altered)]) else {
            panic!("seed {seed}: {drawn:?}")
        };
        let nearest = nearest.unwrap();
        assert_eq!(nearest.offset, (bits + place) as u64, "seed {seed}: {drawn:?}: {nearest:?}");
        let other = Image::drawn(&mut picker, drawn.block, blocks);
        let result = learned(&[(&other, file)]);
        assert!(matches!(result, Learned::None { .. }), "seed {seed}: {}", summary(&result));
    }
}

#[test]
fn a_plain_image_tells_nothing_and_the_tool_says_so() {
    for data in [vec![], vec![0], (0..100).collect::<Vec<u64>>()] {
        let image = Image { size: 100 * (2 << 20), sectors: data.iter().map(|block| block * 4096).collect() };
        let file = imsprep_bitmap::layout::ZVHD2.encode(&image.map(2 << 20)).unwrap();
        let result = learned(&[(&image, file)]);
        let Learned::Several { by_chance, .. } = result else { panic!("{data:?}: {}", summary(&result)) };
        assert!(by_chance, "{data:?}");
    }
}

#[test]
fn known_forms_that_are_not_learned_are_named() {
    let mut picker = Picker::new(77);
    let image = Image::drawn(&mut picker, 2 << 20, 300);
    let runs = image.map(2 << 20).runs().filter(|run| run.data).collect::<Vec<_>>();
    let pairs = runs.iter().flat_map(|run| [run.first, run.first + run.count - 1]).collect::<Vec<_>>();
    let binary = pairs.iter().flat_map(|n| (*n as u32).to_be_bytes()).collect::<Vec<_>>();
    let text =
        runs.iter().map(|run| format!("{};{}\n", run.first * 4096, run.count * 4096)).collect::<String>();
    let bmap = imsprep_bitmap::layout::BMAP.encode(&image.map(1 << 20)).unwrap();
    for (file, words) in [
        (binary, ["4 bytes, big-endian", "first and last"]),
        (text.into_bytes(), ["text with numbers", "first and number"]),
        (bmap, ["layout bmap", "matches the content of the image"]),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0".to_vec(), ["compressed", "gzip"]),
    ] {
        let result = learned(&[(&image, file)]);
        let Learned::None { looks_like: Some(found), .. } = &result else { panic!("{}", summary(&result)) };
        assert!(words.iter().all(|word| found.contains(word)), "{found}: {words:?}");
    }
}
