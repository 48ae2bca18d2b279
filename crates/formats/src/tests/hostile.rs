//! Altered files: an answer or an error, never a panic, and no memory by what the file says.

use imsprep_source::{Cancel, DiskReader, MemoryImage};
use proptest::prelude::*;

use imsprep_testdata::noise;

use super::{build_qcow2, build_vhd, build_vmdk};
use crate::{Qcow2, Slice, Vhd, Vmdk};

/// Whatever disk the file turns out to hold: all of its allocation, up to a bound, and its ends.
fn exercise(disk: &dyn DiskReader) {
    let mut buffer = vec![0; 65536];
    let size = disk.size();
    for at in [0, size / 3, size.saturating_sub(65536)] {
        let length = usize::try_from(size.saturating_sub(at).min(65536)).unwrap();
        let _ = disk.read_at(&mut buffer[..length], at);
    }
    let mut at = 0;
    for _ in 0..64 {
        let Ok(Some(found)) = disk.data_from(at) else { break };
        assert!(found.start >= at && found.end > found.start && found.end <= size, "{at} {found:?} {size}");
        let length = usize::try_from((found.end - found.start).min(65536)).unwrap();
        let _ = disk.read_at(&mut buffer[..length], found.start);
        disk.announce(found.start, u64::MAX);
        at = found.end;
    }
}

fn open_any(file: Vec<u8>) {
    let image = MemoryImage::new("hostile", file);
    let whole = Slice::whole(&image);
    if let Ok(disk) = Vhd::open(whole.clone()) {
        exercise(&disk);
    }
    if let Ok(disk) = Qcow2::open(whole.clone(), &Cancel::new()) {
        exercise(&disk);
    }
    if let Ok(disk) = Vmdk::open(whole.clone(), &Cancel::new()) {
        exercise(&disk);
    }
}

/// One good file of each kind.
fn good(kind: usize) -> Vec<u8> {
    let cluster = |seed| build_qcow2::Kind::Stored(noise(seed, 4096));
    let grain = |seed| build_vmdk::Kind::There(noise(seed, 4096));
    match kind {
        0 => {
            let sectors = || Some(vec![(true, [7; 512]); 8]);
            build_vhd::dynamic(4096, &[sectors(), None, sectors(), sectors()], 4 * 4096)
        }
        1 | 2 => {
            let form = build_qcow2::Form { version: 3, cluster_bits: 12, extended: false, zstd: kind == 2 };
            let kinds = [
                cluster(1),
                build_qcow2::Kind::Packed(vec![5; 4096]),
                build_qcow2::Kind::Zeros(true),
                cluster(2),
            ];
            build_qcow2::build(form, 4 * 4096 - 512, &kinds).bytes
        }
        3 => {
            let form = build_qcow2::Form { version: 3, cluster_bits: 14, extended: true, zstd: false };
            let kinds = [build_qcow2::Kind::Parts(noise(4, 16384), 0xff00, 0xff), build_qcow2::Kind::Absent];
            build_qcow2::build(form, 2 * 16384, &kinds).bytes
        }
        4 => {
            build_vmdk::build(
                build_vmdk::Form::Plain,
                4096,
                24,
                &[grain(1), build_vmdk::Kind::Absent, grain(2)],
            )
            .bytes
        }
        _ => {
            build_vmdk::build(
                build_vmdk::Form::Stream,
                4096,
                24,
                &[grain(1), build_vmdk::Kind::Zeros, grain(2)],
            )
            .bytes
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn altered_bytes(
        kind in 0usize..6, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>())
    ) {
        let mut file = good(kind);
        // Most of the time where the headers and tables are.
        let length = file.len();
        for (number, (place, value)) in changes.iter().enumerate() {
            let within = if number % 3 == 0 { length } else { length.min(2048) };
            file[place.index(within)] = *value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(length));
        }
        open_any(file);
    }

    /// Numbers at their limits, in each place where a number can be.
    #[test]
    fn altered_numbers(kind in 0usize..6, place in any::<prop::sample::Index>(), width in 0usize..3, value in 0usize..6) {
        let mut file = good(kind);
        let width = [2, 4, 8][width];
        let value = [0, 1, u64::MAX, u64::MAX >> 1, 1 << 63, 0x0101_0101_0101_0101][value];
        let at = place.index(file.len() / 2 - 4) * 2;
        file[at..][..width].copy_from_slice(&value.to_be_bytes()[..width]);
        open_any(file);
    }

    #[test]
    fn random_bytes_behind_a_magic(kind in 0usize..3, bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let magic: &[u8] = [&b"QFI\xfb\0\0\0\x03"[..], b"KDMV\x01\0\0\0", b"conectix"][kind];
        open_any([magic, &bytes].concat());
    }
}

/// Tables that point to each other and to themselves are refused.
#[test]
fn tables_that_point_to_themselves() {
    let form = build_qcow2::Form { version: 3, cluster_bits: 12, extended: false, zstd: false };
    let mut built = build_qcow2::build(form, 4096, &[build_qcow2::Kind::Stored(noise(1, 4096))]);
    let l2 = built.l2.unwrap();
    let itself = (l2 as u64 | 1 << 63).to_be_bytes();
    built.bytes[l2..][..8].copy_from_slice(&itself);
    let image = MemoryImage::new("loop", built.bytes);
    let error = Qcow2::open(Slice::whole(&image), &Cancel::new()).err().unwrap().to_string();
    assert!(error.contains("overlaps an L2 table"), "{error}");
}
