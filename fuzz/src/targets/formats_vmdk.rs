//! Input: a first byte that chooses. Even: a sparse file, read as a VMDK whatever it holds. Odd: grains to build one of.
//!
//! Oracle: as for qcow2.

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_formats::{Slice, Vmdk};
use imsprep_source::{Cancel, MemoryImage};

use super::build_vmdk::{Form, Kind, build};
use crate::disk::{assert_consistent, assert_holds};
use crate::plant::{DiskBug, Planted};
use crate::random::{drawn_seeds, noise};
use crate::sparse::SparseFile;

/// Bytes of a built disk at most.
const MOST: usize = 64 << 10;
const FORMS: [Form; 3] = [Form::Plain, Form::Compressed, Form::Stream];

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    if choice % 2 == 1 {
        // Too few bytes make no disk.
        let _ = run_built(&mut Unstructured::new(rest));
        return;
    }
    let file = SparseFile::decode(rest, 1 << 40);
    if let Ok(disk) = Vmdk::open(Slice::whole(&file), &Cancel::new()) {
        assert_consistent(&Planted::new(&disk, DiskBug::End));
    }
}

fn run_built(u: &mut Unstructured<'_>) -> Result<()> {
    let form = *u.choose(&FORMS)?;
    // The largest that the reader takes, seldom.
    let grain = 1_usize << *u.choose(&[9, 9, 10, 11, 12, 12, 13, 16])?;
    let (mut kinds, mut expected) = (Vec::new(), Vec::new());
    while expected.len() < MOST && (kinds.is_empty() || !u.is_empty()) {
        let content = noise(u64::arbitrary(u)?, grain);
        let (kind, content) = match u.int_in_range(0..=3)? {
            0 => (Kind::Absent, vec![0; grain]),
            1 => (Kind::Zeros, vec![0; grain]),
            2 => {
                let content = content[..16].iter().copied().cycle().take(grain).collect::<Vec<_>>();
                (Kind::There(content.clone()), content)
            }
            _ => (Kind::There(content.clone()), content),
        };
        kinds.push(kind);
        expected.extend(content);
    }
    expected.truncate(expected.len() - 512 * u.int_in_range(0..=grain / 512 - 1)?);
    let built = build(form, grain, expected.len() as u64 / 512, &kinds);
    let image = MemoryImage::new("built", built.bytes);
    let disk = Vmdk::open(Slice::whole(&image), &Cancel::new()).expect("a sound VMDK");
    let disk = Planted::new(&disk, DiskBug::End);
    assert_holds(&disk, &expected);
    assert_consistent(&disk);
    Ok(())
}

/// One small file of each form, and draws.
pub fn seeds() -> Vec<Vec<u8>> {
    let kinds = [Kind::There(noise(1, 4096)), Kind::Absent, Kind::Zeros, Kind::There(vec![7; 4096])];
    let files =
        FORMS.map(|form| [vec![0], SparseFile::encode_bytes(&build(form, 4096, 31, &kinds).bytes)].concat());
    let draws = drawn_seeds(6, 24).into_iter().map(|draw| [vec![1], draw].concat());
    files.into_iter().chain(draws).collect()
}
