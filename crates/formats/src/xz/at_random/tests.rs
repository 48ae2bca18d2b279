use std::sync::atomic::{AtomicUsize, Ordering};

use imsprep_testdata::noise;
use liblzma::stream::Check;
use proptest::prelude::*;

use super::*;
use crate::xz::tests::{stream, write};

/// Opens the file, and keeps four blocks of this size. What it is unpacked to holds `content`, and the number of times is counted.
fn open(file: &ImageFile, content: &[u8], size: u64, threads: usize) -> (XzAtRandom, Arc<AtomicUsize>) {
    let times = Arc::new(AtomicUsize::new(0));
    let (count, content) = (Arc::clone(&times), content.to_vec());
    let unpack = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content");
        std::fs::write(&path, &content).unwrap();
        ImageFile::open(path)
    };
    let room = Room { most: 4 * size, many: 0 };
    (XzAtRandom::open_within(file, threads, &room, Box::new(unpack)).unwrap().unwrap(), times)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_part_is_what_the_content_has_there(
        blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5000), 3..9), threads in 1usize..4,
        reads in prop::collection::vec((0usize..1000, 0usize..9000), 1..60)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path(), &stream(&blocks, Check::Crc64));
        let content = blocks.concat();
        prop_assume!(blocks.iter().filter(|block| !block.is_empty()).count() > 1);
        let (disk, times) = open(&file, &content, 5000, threads);
        prop_assert_eq!(disk.size(), content.len() as u64);
        for (share, length) in reads {
            let start = content.len() * share / 1000;
            let end = content.len().min(start + length);
            let mut part = vec![7; end - start];
            disk.read_at(&mut part, start as u64).unwrap();
            prop_assert!(part == content[start..end]);
        }
        prop_assert!(disk.read_at(&mut [0; 2], content.len() as u64 - 1).is_err());
        prop_assert!(disk.expansions().0 <= (blocks.len() + 8) as u64 && times.load(Ordering::SeqCst) <= 1);
    }
}

#[test]
fn what_is_read_in_order_is_expanded_once() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = (0..30).map(|number| noise(number, 100_000)).collect::<Vec<_>>();
    let file = write(folder.path(), &stream(&blocks, Check::Crc32));
    let content = blocks.concat();
    for threads in [1, 2] {
        let (disk, times) = open(&file, &[], 100_000, threads);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::SeqCst));
                    for (number, expected) in
                        numbers.map_while(|n| content.chunks(7000).nth(n).map(|c| (n, c)))
                    {
                        let mut part = vec![0; expected.len()];
                        disk.read_at(&mut part, number as u64 * 7000).unwrap();
                        assert!(part == expected);
                    }
                });
            }
        });
        assert_eq!(times.load(Ordering::SeqCst), 0);
        assert!(disk.expansions().0 < 40, "{:?}", disk.expansions());
    }
}

#[test]
fn who_jumps_about_gets_all_of_it_unpacked_once() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = (0..40).map(|number| noise(number, 5000)).collect::<Vec<_>>();
    let file = write(folder.path(), &stream(&blocks, Check::Sha256));
    let content = blocks.concat();
    let (disk, times) = open(&file, &content, 5000, 2);
    for turn in 0..5 {
        for number in 0..40 {
            let at = (number * 17 % 40) * 5000 + turn;
            let mut part = [0; 9];
            disk.read_at(&mut part, at as u64).unwrap();
            assert_eq!(part, content[at..at + 9]);
        }
    }
    assert_eq!((times.load(Ordering::SeqCst), disk.expansions()), (1, (60, true)));
}

#[test]
fn of_a_damaged_block_the_one_who_unpacks_it_has_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = (0..5).map(|number| noise(number, 50_000)).collect::<Vec<_>>();
    let mut bytes = stream(&blocks, Check::Crc64);
    bytes[120_000] ^= 1;
    let file = write(folder.path(), &bytes);
    let (disk, times) = open(&file, &vec![1; 250_000], 50_000, 2);
    let mut part = [0; 3];
    disk.read_at(&mut part, 120_000).unwrap();
    assert_eq!((part, times.load(Ordering::SeqCst)), ([1; 3], 1));

    let path = file.path().to_owned();
    let refuse = move || Err(Error::UnexpectedEnd { path: path.clone(), offset: 5 });
    let disk = XzAtRandom::open(&file, 2, refuse).unwrap().unwrap();
    for _ in 0..2 {
        assert!(matches!(disk.read_at(&mut part, 120_000), Err(Error::UnexpectedEnd { offset: 5, .. })));
    }
}

#[test]
fn blocks_that_do_not_fit_into_memory_and_single_ones_are_left_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let none = || panic!("nothing is unpacked");
    for blocks in [vec![noise(1, 5000)], vec![vec![1; 40 << 20], vec![2; 10]]] {
        let file = write(folder.path(), &stream(&blocks, Check::None));
        assert!(XzAtRandom::open(&file, 2, none).unwrap().is_none());
    }
}
