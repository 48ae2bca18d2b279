//! The walk over a sparse file's extents.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imsprep_benches::{BLOCK, Image, noise};

const SIZE: u64 = 10 << 30;
const DATA: u64 = 64 << 20;

fn walk(c: &mut Criterion) {
    let mut group = c.benchmark_group("extents");
    for (name, piece) in [("one piece", 64 << 20), ("2 MiB pieces", BLOCK), ("4 KiB pieces", 4096)] {
        let bytes = noise(1, piece);
        let count = DATA / piece as u64;
        let pieces = (0..count).map(|n| (n * (SIZE / count) / 4096 * 4096, bytes.as_slice()));
        let image = Image::with(SIZE, pieces);
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                let (mut extents, mut at, mut found) = (image.file().extents(), 0, 0);
                while let Some(extent) = extents.data_from(at).expect("the file's extents") {
                    at = extent.end;
                    found += 1;
                }
                assert!(found >= 1 && found <= count);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = walk
}
criterion_main!(benches);
