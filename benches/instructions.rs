//! Instructions of the engines, each in one thread. `.ci/instructions` runs them under valgrind and compares them with what is stored.
//!
//! What is measured does no input or output: an instruction count says nothing about a disk.

#![expect(missing_docs, reason = "the macros make items without any")]

use std::hint::black_box;
use std::path::Path;

use gungraun::{library_benchmark, library_benchmark_group, main};
use imsprep_benches::{BLOCK, container, mixed_block, noise, zlib_payload, zstd_payload};
use imsprep_bitmap::layout;
use imsprep_bitmap::learn::{Learned, Sample, learn};
use imsprep_source::{BlockMap, BlockSize, Cancel, MemoryImage, Work, is_zero};
use imsprep_zvhd2::{Compressor, Depth, Expander, Level, Method, check};

const TIB: u64 = 1 << 40;

/// A disk of `size` bytes of whose blocks two of three hold data.
fn map(size: u64, block_size: BlockSize) -> BlockMap {
    let mut map = BlockMap::zeroed(Path::new("disk"), size, block_size).expect("a map");
    (0..map.block_count()).filter(|block| block % 3 != 0).for_each(|block| map.set(block, true));
    map
}

fn zeros() -> Vec<u8> {
    vec![0; BLOCK]
}

#[library_benchmark]
#[bench::zeros(zeros())]
fn zero_test(block: Vec<u8>) -> bool {
    is_zero(black_box(&block))
}

fn bitmap() -> Vec<u8> {
    layout::ZVHD2.encode(&map(TIB, BlockSize::MIB_2)).expect("a bitmap")
}

#[library_benchmark]
#[bench::tebibyte(map(TIB, BlockSize::MIB_2))]
fn bitmap_encode(map: BlockMap) -> Vec<u8> {
    layout::ZVHD2.encode(black_box(&map)).expect("a bitmap")
}

#[library_benchmark]
#[bench::tebibyte(bitmap())]
fn bitmap_decode(bytes: Vec<u8>) -> BlockMap {
    layout::ZVHD2.decode(black_box(&bytes), Some(TIB)).expect("a map")
}

/// Images of a few blocks, in a pattern without a period, and what the layout makes of them.
fn samples() -> Vec<(Vec<u8>, BlockMap)> {
    let sample = |number: u64| {
        let size = (300 + 77 * number) * BLOCK as u64;
        let mut content = BlockMap::zeroed(Path::new("disk"), size, BlockSize::MIB_2).expect("a map");
        let drawn = (0..content.block_count()).zip(noise(number, 1000));
        drawn.filter(|(_, byte)| byte % 2 == 0).for_each(|(block, _)| content.set(block, true));
        (layout::ZVHD2.encode(&content).expect("a bitmap"), content)
    };
    (1..=3).map(sample).collect()
}

#[library_benchmark]
#[bench::three_samples(samples())]
fn bitmap_learn(samples: Vec<(Vec<u8>, BlockMap)>) -> bool {
    let samples = samples.iter().map(|(bytes, content)| Sample { bytes, content }).collect::<Vec<_>>();
    !matches!(learn(black_box(&samples)), Learned::None { .. })
}

#[library_benchmark]
#[bench::thousand_records(container(1000))]
fn zvhd2_structure(image: MemoryImage) -> bool {
    check(black_box(&image), Depth::Structure, Work::new(&(), &Cancel::new()))
        .expect("a check")
        .report
        .has_errors()
}

fn zlib() -> (Expander, Vec<u8>) {
    (Expander::new(Method::Zlib, BLOCK), zlib_payload(&mixed_block()))
}

fn zstd() -> (Expander, Vec<u8>) {
    (Expander::new(Method::Zstd, BLOCK), zstd_payload(&mixed_block()))
}

#[library_benchmark]
#[bench::zlib(zlib())]
#[bench::zstd(zstd())]
fn zvhd2_expand((mut expander, payload): (Expander, Vec<u8>)) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    expander.expand(black_box(&payload), &mut block).expect("a block");
    block
}

fn compressor() -> (Compressor, Vec<u8>) {
    (Compressor::new(Level::REFERENCE).expect("a compressor"), mixed_block())
}

#[library_benchmark]
#[bench::zstd(compressor())]
fn zvhd2_compress((mut compressor, block): (Compressor, Vec<u8>)) -> Vec<u8> {
    let mut payload = Vec::new();
    compressor.compress(black_box(&block), &mut payload).expect("a payload");
    payload
}

fn disk() -> MemoryImage {
    let qcow2 = std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).expect("the file");
    MemoryImage::new("disk.qcow2", qcow2)
}

#[library_benchmark]
#[bench::qcow2(disk())]
fn detection(image: MemoryImage) -> bool {
    imsprep_detect::detect(black_box(&image)).is_ok()
}

fn initramfs() -> Vec<u8> {
    let names = (0..2000).map(|number| format!("block/module{number}")).collect::<Vec<_>>();
    imsprep_testdata::systems::initramfs(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[library_benchmark]
#[bench::two_thousand_modules(initramfs())]
fn guest_initramfs(bytes: Vec<u8>) -> u64 {
    imsprep_guest::read_initramfs(black_box(&bytes)).members
}

library_benchmark_group!(
    name = engines;
    benchmarks = zero_test, bitmap_encode, bitmap_decode, bitmap_learn, zvhd2_structure, zvhd2_expand, zvhd2_compress, detection,
        guest_initramfs
);
main!(library_benchmark_groups = engines);
