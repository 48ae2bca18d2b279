//! Input: a first byte that chooses. Even: a sparse file, read as a qcow2 whatever it holds. Odd: clusters to build one of.
//!
//! Oracle: a disk reads the same in whatever pieces, describes its data without leaving any out, and ends where it ends; of a
//! file that was built it holds what was put in.

use arbitrary::{Arbitrary, Result, Unstructured};
use imsprep_formats::{Qcow2, Slice};
use imsprep_source::{Cancel, MemoryImage};

use super::build_qcow2::{Form, Kind, build};
use crate::disk::{assert_consistent, assert_holds};
use crate::plant::{DiskBug, Planted};
use crate::random::{drawn_seeds, noise};
use crate::sparse::SparseFile;

/// Bytes of a built disk at most.
const MOST: usize = 256 << 10;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    if choice % 2 == 1 {
        // Too few bytes make no disk.
        let _ = run_built(&mut Unstructured::new(rest));
        return;
    }
    let file = SparseFile::decode(rest, 1 << 40);
    if let Ok(disk) = Qcow2::open(Slice::whole(&file), &Cancel::new()) {
        assert_consistent(&Planted::new(&disk, DiskBug::Cache));
    }
}

fn run_built(u: &mut Unstructured<'_>) -> Result<()> {
    let kind = u.int_in_range(0..=3)?;
    let bits = u.int_in_range(9..=16)?;
    let form = Form {
        version: if kind == 0 { 2 } else { 3 },
        cluster_bits: if kind == 3 { bits.max(14) } else { bits },
        extended: kind == 3,
        zstd: kind == 2,
    };
    let (mut kinds, mut expected) = (Vec::new(), Vec::new());
    while expected.len() < MOST && (kinds.is_empty() || !u.is_empty()) {
        let (kind, content) = cluster(u, form)?;
        kinds.push(kind);
        expected.extend(content);
    }
    expected.truncate(expected.len() - 512 * u.int_in_range(0..=form.cluster() / 512 - 1)?);
    let built = build(form, expected.len() as u64, &kinds);
    let image = MemoryImage::new("built", built.bytes);
    let disk = Qcow2::open(Slice::whole(&image), &Cancel::new()).expect("a sound qcow2");
    let disk = Planted::new(&disk, DiskBug::Cache);
    assert_holds(&disk, &expected);
    assert_consistent(&disk);
    Ok(())
}

/// A cluster, and what the disk holds there.
fn cluster(u: &mut Unstructured<'_>, form: Form) -> Result<(Kind, Vec<u8>)> {
    let size = form.cluster();
    let zeros = vec![0; size];
    let content = noise(u64::arbitrary(u)?, size);
    Ok(match u.int_in_range(0..=5)? {
        0 => (Kind::Absent, zeros),
        1 if form.version == 3 => (Kind::Zeros(bool::arbitrary(u)?), zeros),
        2 => {
            let content = content[..16].iter().copied().cycle().take(size).collect::<Vec<_>>();
            (Kind::Packed(content.clone()), content)
        }
        3 if form.extended => {
            let (stored, zeros) = (u32::arbitrary(u)?, u32::arbitrary(u)?);
            let mut disk = content.clone();
            for (part, bytes) in disk.chunks_mut(size / 32).enumerate() {
                if stored >> part & 1 == 0 {
                    bytes.fill(0);
                }
            }
            (Kind::Parts(content, stored, zeros & !stored), disk)
        }
        _ => (Kind::Stored(content.clone()), content),
    })
}

/// One small file of each form, the empty one that qemu-img made, and draws.
pub fn seeds() -> Vec<Vec<u8>> {
    let forms = [(2, 12, false, false), (3, 12, false, false), (3, 9, false, true), (3, 14, true, false)];
    let files = forms.map(|(version, cluster_bits, extended, zstd)| {
        let form = Form { version, cluster_bits, extended, zstd };
        let size = form.cluster();
        let kinds = [
            Kind::Stored(noise(1, size)),
            Kind::Packed(vec![5; size]),
            Kind::Absent,
            Kind::Stored(vec![7; size]),
        ];
        build(form, 4 * size as u64 - 512, &kinds).bytes
    });
    let empty = std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).expect("disk.qcow2");
    let files =
        files.into_iter().chain([empty]).map(|file| [vec![0], SparseFile::encode_bytes(&file)].concat());
    files.chain(drawn_seeds(6, 24).into_iter().map(|draw| [vec![1], draw].concat())).collect()
}
