//! ZVHD2: the structural check of many records, and single records packed and expanded.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imsprep_benches::{BLOCK, mixed_block};
use imsprep_source::{Cancel, MemoryImage, StreamOutput, Work};
use imsprep_zvhd2::{Compressor, ContainerWriter, Depth, Expander, Label, Level, Method, check};

const RECORDS: u32 = 30_000;

fn packed(block: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut compressor = Compressor::new(Level::REFERENCE).expect("a compressor");
    compressor.compress(block, &mut payload).expect("a payload");
    payload
}

fn container() -> MemoryImage {
    let payload = packed(&vec![1; BLOCK]);
    let orig_size = u64::from(RECORDS) * BLOCK as u64;
    let label = Label { orig_size, method: Method::Zstd, timestamp: 0, uuid: [0; 16] };
    let mut out = StreamOutput::new("container", Vec::new());
    let mut writer = ContainerWriter::begin(&mut out, &label).expect("a container");
    for block in 0..RECORDS {
        writer.append(block, &payload).expect("a record");
    }
    writer.finish().expect("its end");
    MemoryImage::new("container", out.finish().expect("its bytes"))
}

fn structure(c: &mut Criterion) {
    let image = container();
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
    let payload = packed(&block);
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

/// As the reference writes it: level 1, ended by a sync flush.
fn zlib_payload(block: &[u8]) -> Vec<u8> {
    let mut stream = flate2::Compress::new(flate2::Compression::new(1), true);
    let mut payload = Vec::with_capacity(2 * block.len());
    stream.compress_vec(block, &mut payload, flate2::FlushCompress::Sync).expect("a payload");
    payload
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = structure, records
}
criterion_main!(benches);
