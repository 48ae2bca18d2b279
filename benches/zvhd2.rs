//! ZVHD2: the structural check of many records, and single records packed and expanded.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imsprep_benches::{BLOCK, container, mixed_block, zlib_payload, zstd_payload};
use imsprep_source::{Cancel, Work};
use imsprep_zvhd2::{Compressor, Depth, Expander, Level, Method, check};

const RECORDS: u32 = 30_000;

fn structure(c: &mut Criterion) {
    let image = container(RECORDS);
    let mut group = c.benchmark_group("zvhd2 check");
    group.throughput(Throughput::Elements(RECORDS.into()));
    group.bench_function("structure of 30000 records", |b| {
        b.iter(|| {
            let checked = check(&image, Depth::Structure, Work::new(&(), &Cancel::new())).expect("a check");
            assert!(!checked.report.has_errors());
        });
    });
    group.finish();
}

fn records(c: &mut Criterion) {
    let block = mixed_block();
    let mut group = c.benchmark_group("zvhd2 record");
    group.throughput(Throughput::Bytes(BLOCK as u64));
    let payload = zstd_payload(&block);
    let mut expander = Expander::new(Method::Zstd, BLOCK);
    let mut expanded = vec![0; BLOCK];
    group.bench_function(BenchmarkId::new("expand", "zstd"), |b| {
        b.iter(|| expander.expand(black_box(&payload), &mut expanded).expect("a block"));
    });
    assert!(expanded == block);

    let zlib = zlib_payload(&block);
    let mut expander = Expander::new(Method::Zlib, BLOCK);
    group.bench_function(BenchmarkId::new("expand", "zlib"), |b| {
        b.iter(|| expander.expand(black_box(&zlib), &mut expanded).expect("a block"));
    });
    assert!(expanded == block);

    let mut compressor = Compressor::new(Level::REFERENCE).expect("a compressor");
    let mut payload = Vec::new();
    group.bench_function(BenchmarkId::new("compress", "zstd 3"), |b| {
        b.iter(|| compressor.compress(black_box(&block), &mut payload).expect("a payload"));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = structure, records
}
criterion_main!(benches);
