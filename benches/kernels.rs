//! The zero test: ours beside plainer ones, in the cache and in memory.

use std::hint::black_box;
use std::time::Duration;

use bitvec::order::Lsb0;
use bitvec::view::BitView;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use imsprep_source::is_zero;

fn byte_by_byte(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn word_by_word(bytes: &[u8]) -> bool {
    let (words, tail) = bytes.as_chunks::<8>();
    words.iter().all(|word| u64::from_ne_bytes(*word) == 0) && byte_by_byte(tail)
}

fn by_bitvec(bytes: &[u8]) -> bool {
    bytes.view_bits::<Lsb0>().not_any()
}

type Kernel = (&'static str, fn(&[u8]) -> bool);

const KERNELS: [Kernel; 4] =
    [("ours", is_zero), ("bytes", byte_by_byte), ("u64", word_by_word), ("bitvec", by_bitvec)];

fn kernels(c: &mut Criterion) {
    for (place, size) in [("cache", 512 << 10), ("memory", 128 << 20)] {
        // Written, so that the pages are there.
        let mut bytes = vec![1u8; size];
        black_box(&mut bytes).fill(0);
        let mut group = c.benchmark_group(format!("zero test/{place}"));
        group.throughput(Throughput::Bytes(size as u64));
        for (name, kernel) in KERNELS {
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter(|| assert!(kernel(black_box(&bytes))));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(benches);
