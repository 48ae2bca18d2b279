//! The whole scan of a warm image: in each I/O mode, block size, and number of threads.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imsprep_benches::{BLOCK, Image};
use imsprep_scan::{IoMode, ScanOptions, scan};
use imsprep_source::{BlockSize, Cancel, Work, install_bus_error_guard};

const BLOCKS: usize = 128;

fn run(image: &Image, options: &ScanOptions, data: u64) {
    let found = scan(image.file(), options, Work::new(&(), &Cancel::new())).expect("a scan");
    assert_eq!(found.map.data_count(), data);
}

fn modes(c: &mut Criterion) {
    install_bus_error_guard().expect("a guard for maps");
    // Each block whose number the step divides is data.
    for (name, step) in [("zeros", BLOCKS + 1), ("half", 2), ("data", 1)] {
        let blocks = (1..=BLOCKS).map(|number| number.is_multiple_of(step)).collect::<Vec<_>>();
        let image = Image::of_blocks(&blocks);
        let data = blocks.iter().filter(|data| **data).count() as u64;
        let mut group = c.benchmark_group(format!("scan/{name}"));
        group.throughput(Throughput::Bytes((BLOCKS * BLOCK) as u64));
        for io in [IoMode::Auto, IoMode::Map, IoMode::Read, IoMode::Direct] {
            let options = ScanOptions { io, ..ScanOptions::default() };
            group.bench_function(BenchmarkId::from_parameter(io), |b| b.iter(|| run(&image, &options, data)));
        }
        group.finish();
    }
}

fn sizes_and_threads(c: &mut Criterion) {
    let image = Image::of_blocks(&[false; BLOCKS]);
    let mut group = c.benchmark_group("scan/zeros by block size");
    group.throughput(Throughput::Bytes((BLOCKS * BLOCK) as u64));
    for size in [4 << 10, 64 << 10, 2 << 20, 64 << 20] {
        let block_size = BlockSize::new(size).expect("a block size");
        let options = ScanOptions { block_size, io: IoMode::Map };
        group.bench_function(BenchmarkId::from_parameter(size), |b| b.iter(|| run(&image, &options, 0)));
    }
    group.finish();

    let mut group = c.benchmark_group("scan/zeros by threads");
    group.throughput(Throughput::Bytes((BLOCKS * BLOCK) as u64));
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let options = ScanOptions { io: IoMode::Map, ..ScanOptions::default() };
        group.bench_function(BenchmarkId::from_parameter(threads), |b| {
            b.iter(|| pool.install(|| run(&image, &options, 0)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = modes, sizes_and_threads
}
criterion_main!(benches);
