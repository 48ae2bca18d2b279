//! Bitmap files of a disk of 1 TiB: encoding and recognising.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use imsprep_bitmap::layout;
use imsprep_source::{BlockMap, BlockSize};

const SIZE: u64 = 1 << 40;

fn bitmaps(c: &mut Criterion) {
    let mut map = BlockMap::zeroed(Path::new("disk"), SIZE, BlockSize::MIB_2).expect("a map");
    for block in (0..map.block_count()).filter(|block| block % 3 != 0) {
        map.set(block, true);
    }
    let bytes = layout::ZVHD2.encode(&map).expect("a bitmap");
    assert!(layout::ZVHD2.decode(&bytes, Some(SIZE)).is_ok_and(|again| again == map));
    let mut group = c.benchmark_group("bitmap of 1 TiB");
    group.bench_function("encode", |b| b.iter(|| layout::ZVHD2.encode(black_box(&map))));
    group
        .bench_function("decode", |b| b.iter(|| layout::ZVHD2.decode(black_box(&bytes), Some(SIZE)).is_ok()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = bitmaps
}
criterion_main!(benches);
