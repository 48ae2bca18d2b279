//! The engine against its naive twin, over images, block sizes, thread counts and I/O modes.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

#[macro_use]
extern crate imsprep_testdata;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use imsprep_scan::IoChoice;
use imsprep_scan::{Bytes, IoMode, ScanOptions, scan, scan_in_order};
use imsprep_source::{BlockSize, Cancel, Error, ImageFile, Work};
use proptest::prelude::*;

/// Reads the whole file and looks at each byte.
fn naive(path: &Path, block_size: u64) -> Vec<bool> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks(usize::try_from(block_size).unwrap()).map(|block| block.iter().any(|b| *b != 0)).collect()
}

fn fast(path: &Path, block_size: u64, io: IoMode, threads: usize) -> Vec<bool> {
    imsprep_source::install_bus_error_guard().unwrap();
    let options = ScanOptions { block_size: BlockSize::new(block_size).unwrap(), io };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let image = ImageFile::open(path).unwrap();
    let found = pool.install(|| scan(&image, &options, Work::new(&(), &Cancel::new()))).unwrap();
    (0..found.map.block_count()).map(|block| found.map.is_data(block)).collect()
}

/// One stretch of an image.
#[derive(Clone, Debug)]
enum Piece {
    Hole(u64),
    Zeros(u64),
    Data(u64, u8),
    /// Zeros with one byte somewhere.
    OneByte(u64, u64),
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let length = prop_oneof![1u64..5000, 4000u64..300_000, Just(1 << 20), 1_000_000u64..3_000_000];
    let piece = length.prop_flat_map(|n| {
        prop_oneof![
            Just(Piece::Hole(n)),
            Just(Piece::Zeros(n)),
            any::<u8>().prop_map(move |b| Piece::Data(n, b)),
            (0..n).prop_map(move |at| Piece::OneByte(n, at)),
        ]
    });
    prop::collection::vec(piece, 0..8)
}

fn write(dir: &Path, pieces: &[Piece]) -> PathBuf {
    let path = dir.join("image.raw");
    let file = File::create(&path).unwrap();
    let mut at = 0;
    for piece in pieces {
        let length = match piece {
            Piece::Hole(n) => *n,
            Piece::Zeros(n) | Piece::OneByte(n, _) => {
                file.write_all_at(&vec![0; usize::try_from(*n).unwrap()], at).unwrap();
                *n
            }
            Piece::Data(n, byte) => {
                file.write_all_at(&vec![*byte; usize::try_from(*n).unwrap()], at).unwrap();
                *n
            }
        };
        if let Piece::OneByte(_, place) = piece {
            file.write_all_at(&[0x40], at + place).unwrap();
        }
        at += length;
    }
    file.set_len(at).unwrap();
    path
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn finds_the_same_blocks(
        pieces in pieces(),
        shift in 9u32..=26,
        threads in prop::sample::select(vec![1usize, 2, 7]),
        io in prop::sample::select(vec![IoMode::Auto, IoMode::Map, IoMode::Read, IoMode::Direct]),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = write(dir.path(), &pieces);
        let block_size = 1u64 << shift;
        prop_assert_eq!(fast(&path, block_size, io, threads), naive(&path, block_size));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn in_order_it_finds_the_same_blocks_and_gives_every_byte(pieces in pieces(), shift in 12u32..=26) {
        let dir = tempfile::tempdir().unwrap();
        let path = write(dir.path(), &pieces);
        let block_size = 1u64 << shift;
        let (map, bytes) = in_order(&path, block_size);
        prop_assert_eq!(map, naive(&path, block_size));
        prop_assert!(bytes == std::fs::read(&path).unwrap());
    }
}

fn in_order(path: &Path, block_size: u64) -> (Vec<bool>, Vec<u8>) {
    let image = ImageFile::open(path).unwrap();
    let mut bytes = Vec::new();
    let mut take = |piece: Bytes<'_>| {
        match piece {
            Bytes::Data(data) => bytes.extend_from_slice(data),
            Bytes::Zeros(count) => bytes.resize(bytes.len() + usize::try_from(count).unwrap(), 0),
        }
        Ok(())
    };
    let found =
        scan_in_order(&image, BlockSize::new(block_size).unwrap(), &mut take, Work::new(&(), &Cancel::new()))
            .unwrap();
    ((0..found.map.block_count()).map(|block| found.map.is_data(block)).collect(), bytes)
}

#[test]
fn in_order_a_stop_is_heard_on_both_sides_and_in_a_hole() {
    let dir = tempfile::tempdir().unwrap();
    let (full, hole) = (dir.path().join("full.raw"), dir.path().join("hole.raw"));
    std::fs::write(&full, vec![1; 64 << 20]).unwrap();
    File::create(&hole).unwrap().set_len(1 << 42).unwrap();
    for path in [full, hole] {
        let image = ImageFile::open(&path).unwrap();
        let cancel = Cancel::new();
        let mut calls = 0;
        let mut take = |_: Bytes<'_>| {
            calls += 1;
            cancel.cancel();
            Ok(())
        };
        let error = scan_in_order(&image, BlockSize::MAX, &mut take, Work::new(&(), &cancel)).unwrap_err();
        assert!(matches!(error, Error::Cancelled), "{error}");
        assert_eq!(calls, 1);
    }
}

#[test]
fn every_size_around_block_and_page_borders() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.raw");
    let block = 2u64 << 20;
    for size in [0, 1, 511, 512, 4095, 4096, 4097, block - 1, block, block + 1, 8 * block, 9 * block + 100] {
        // The last byte alone: in the last, perhaps partial block.
        let file = File::create(&path).unwrap();
        file.set_len(size).unwrap();
        if let Some(last) = size.checked_sub(1) {
            file.write_all_at(&[1], last).unwrap();
        }
        for io in [IoMode::Map, IoMode::Read, IoMode::Direct] {
            assert_eq!(fast(&path, block, io, 2), naive(&path, block), "{size} {io:?}");
        }
    }
}

#[test]
fn a_byte_that_no_probe_sees_is_found_in_every_block_of_many_batches() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.raw");
    let file = File::create(&path).unwrap();
    // 300 MiB are five batches; the bytes lie off every probed page, in allocated zeros around them.
    file.set_len(300 << 20).unwrap();
    for block in 0..150u64 {
        file.write_all_at(&[0; 8192], (block << 21) + 100_000).unwrap();
        if block % 3 != 0 {
            file.write_all_at(&[9], (block << 21) + 104_321).unwrap();
        }
    }
    let expected = (0..150).map(|block| block % 3 != 0).collect::<Vec<_>>();
    for threads in [1, 3, 16] {
        for io in [IoMode::Map, IoMode::Read, IoMode::Direct] {
            assert_eq!(fast(&path, 2 << 20, io, threads), expected);
        }
    }
}

/// Long stretches of zeros, in which blocks are streamed after the first ones, and of data, in which they are probed again.
#[test]
fn stretches_of_zeros_and_of_data_are_found_as_by_the_naive_twin() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.raw");
    let file = File::create(&path).unwrap();
    let mib = |count: usize, byte: u8| vec![byte; count << 20];
    for (at, bytes) in
        [(0, mib(120, 0)), (120, mib(50, 1)), (170, mib(90, 0)), (291, mib(40, 0)), (331, mib(1, 3))]
    {
        file.write_all_at(&bytes, at << 20).unwrap();
    }
    // At the ends of blocks and pieces, and off every page that is probed.
    for place in
        [(50 << 20) + 100_001, (64 << 20) - 1, 90 << 20, (200 << 20) + 5000, (300 << 20) + 1, (313 << 20) - 1]
    {
        file.write_all_at(&[9], place).unwrap();
    }
    for shift in [12, 17, 19, 21, 23, 26] {
        let expected = naive(&path, 1 << shift);
        for threads in [1, 2, 7] {
            for io in [IoMode::Map, IoMode::Read, IoMode::Direct] {
                assert!(fast(&path, 1 << shift, io, threads) == expected, "{shift} {threads} {io}");
            }
        }
    }
}

#[test]
fn the_same_on_tmpfs() {
    let dir = tempfile::tempdir_in("/dev/shm")
        .unwrap_or_else(|error| imsprep_testdata::missing(format!("no folder in /dev/shm: {error}")));
    let pieces =
        [Piece::Hole(5 << 20), Piece::Data(100, 1), Piece::Zeros(3 << 20), Piece::OneByte(4 << 20, 77)];
    let path = write(dir.path(), &pieces);
    for io in [IoMode::Map, IoMode::Read, IoMode::Direct] {
        assert_eq!(fast(&path, 2 << 20, io, 2), naive(&path, 2 << 20));
    }
}

#[test]
fn a_file_cut_while_it_is_scanned_gives_an_error_and_no_map() {
    imsprep_source::install_bus_error_guard().unwrap();
    for io in [IoMode::Map, IoMode::Read, IoMode::Direct] {
        let dir = tempfile::tempdir().unwrap();
        let path = write(dir.path(), &[Piece::Zeros(6 << 20)]);
        let image = ImageFile::open(&path).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(1 << 20).unwrap();
        let options = ScanOptions { io, ..ScanOptions::default() };
        let error = scan(&image, &options, Work::new(&(), &Cancel::new())).unwrap_err();
        let about_the_cut =
            matches!(error, Error::UnexpectedEnd { .. } | Error::BusError { .. } | Error::Changed { .. });
        assert!(about_the_cut, "{error}");
    }
}

#[test]
fn a_file_written_to_while_it_is_scanned_gives_an_error_and_no_map() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), &[Piece::Hole(6 << 20)]);
    // Two writes within one tick of the clock would bear the same time.
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(hour_ago).unwrap();
    let image = ImageFile::open(&path).unwrap();
    File::options().write(true).open(&path).unwrap().write_all_at(&[1], 5 << 20).unwrap();
    let error = scan(&image, &ScanOptions::default(), Work::new(&(), &Cancel::new())).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[test]
fn a_raised_flag_ends_the_scan() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), &[Piece::Zeros(6 << 20)]);
    let cancel = Cancel::new();
    cancel.cancel();
    let error =
        scan(&ImageFile::open(&path).unwrap(), &ScanOptions::default(), Work::new(&(), &cancel)).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");
}

// Where holes are not believed, a terabyte of them is read.
#[cfg(target_os = "linux")]
#[test]
fn a_terabyte_of_holes_takes_no_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.raw");
    let file = File::create(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    file.write_all_at(&[1], (1 << 40) - 1).unwrap();
    let image = ImageFile::open(&path).unwrap();
    let found = scan(&image, &ScanOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
    assert_eq!(found.map.data_blocks().collect::<Vec<_>>(), [(1 << 19) - 1]);
    assert!(found.bytes_read <= 2 << 20, "{} bytes", found.bytes_read);
}

#[cfg(target_os = "linux")]
#[test]
fn each_mode_is_chosen_and_says_why() {
    imsprep_source::install_bus_error_guard().unwrap();
    // Beside the sources and not in /tmp, which may be a tmpfs.
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let path = write(dir.path(), &[Piece::Zeros(6 << 20)]);
    let choice = |io, path: &Path| {
        let options = ScanOptions { io, ..ScanOptions::default() };
        scan(&ImageFile::open(path).unwrap(), &options, Work::new(&(), &Cancel::new())).unwrap().io
    };
    for io in [IoMode::Map, IoMode::Read] {
        assert_eq!(choice(io, &path), IoChoice { mode: io, reason: "as requested".into() });
    }
    let warm = choice(IoMode::Auto, &path);
    assert_eq!(warm.mode, IoMode::Map);
    assert!(warm.reason.contains("100 % of its data is in memory"), "{}", warm.reason);

    let file = File::open(&path).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let cold = choice(IoMode::Auto, &path);
    assert_eq!(cold.mode, IoMode::Read);
    assert!(cold.reason.contains("only 0 % of its data is in memory"), "{}", cold.reason);

    let holes = write(dir.path(), &[Piece::Hole(6 << 20)]);
    assert_eq!(choice(IoMode::Auto, &holes).reason, "it has no data");
    let direct = choice(IoMode::Direct, &path);
    assert!(
        direct.mode == IoMode::Direct || direct.reason.contains("direct reads are not supported here"),
        "{direct:?}"
    );
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
