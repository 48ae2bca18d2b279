//! qcow2.

use imsprep_source::{Cancel, DiskReader, Error as SourceError, Extent, MemoryImage, ReadAt};
use proptest::prelude::*;

use imsprep_testdata::noise;

use super::assert_holds;
use super::build_qcow2::{Form, Kind, build};
use crate::{Error, Qcow2, Slice};

const PLAIN: Form = Form { version: 3, cluster_bits: 12, extended: false, zstd: false };

fn form() -> impl Strategy<Value = Form> {
    (9u32..17, 0u8..4).prop_map(|(cluster_bits, kind)| Form {
        version: if kind == 0 { 2 } else { 3 },
        cluster_bits: if kind == 3 { cluster_bits.max(14) } else { cluster_bits },
        extended: kind == 3,
        zstd: kind == 2,
    })
}

/// A cluster of some kind, and what the disk holds there.
fn cluster(form: Form, kind: u8, seed: u64) -> (Kind, Vec<u8>) {
    let size = form.cluster();
    let zeros = vec![0; size];
    let content = noise(seed, size);
    match kind {
        0 | 1 => (Kind::Absent, zeros),
        // Version 2 has none.
        2 | 3 if form.version == 3 => (Kind::Zeros(kind == 2), zeros),
        4 | 5 => {
            // Compresses well.
            let content = noise(seed, 16).into_iter().cycle().take(size).collect::<Vec<_>>();
            (Kind::Packed(content.clone()), content)
        }
        6 if form.extended => {
            let stored = u32::try_from(seed & 0xffff_ffff).unwrap();
            let zeros = !stored & u32::try_from(seed >> 32).unwrap();
            let mut disk = content.clone();
            for (part, bytes) in disk.chunks_mut(size / 32).enumerate() {
                if stored >> part & 1 == 0 {
                    bytes.fill(0);
                }
            }
            (Kind::Parts(content, stored, zeros), disk)
        }
        _ => (Kind::Stored(content.clone()), content),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_disk_is_its_clusters(
        form in form(), kinds in prop::collection::vec((0u8..9, any::<u64>()), 1..150), cut in 0usize..4096
    ) {
        // A few of large clusters, enough of small ones for several L2 tables.
        let count = kinds.len().min((1 << 20) / form.cluster()).max(2);
        let clusters = kinds.iter().take(count).map(|(kind, seed)| cluster(form, *kind, *seed));
        let (kinds, contents): (Vec<_>, Vec<_>) = clusters.unzip();
        let mut expected = contents.concat();
        expected.truncate(expected.len() - cut.min(form.cluster() - 1) / 512 * 512);
        let built = build(form, expected.len() as u64, &kinds);
        let image = MemoryImage::new("disk.qcow2", built.bytes);
        assert_holds(&Qcow2::open(Slice::whole(&image), &Cancel::new()).unwrap(), &expected);
    }
}

#[test]
fn clusters_far_apart_are_found_and_nothing_between_them_is_walked() {
    let form = Form { cluster_bits: 16, ..PLAIN };
    // 8192 clusters to a table: 512 MiB.
    let mut kinds = vec![Kind::Absent; 4 * 8192];
    kinds[3 * 8192 + 5] = Kind::Stored(noise(1, 65536));
    let built = build(form, 4 * 8192 * 65536, &kinds);
    let image = MemoryImage::new("disk.qcow2", built.bytes);
    let disk = Qcow2::open(Slice::whole(&image), &Cancel::new()).unwrap();
    let start = (3 * 8192 + 5) * 65536;
    assert_eq!(disk.data_from(7).unwrap(), Some(Extent { start, end: start + 65536 }));
    assert_eq!(disk.data_from(start + 65536).unwrap(), None);
}

fn open_error(file: Vec<u8>) -> Error {
    let image = MemoryImage::new("disk.qcow2", file);
    Qcow2::open(Slice::whole(&image), &Cancel::new()).err().unwrap()
}

#[test]
fn what_can_not_be_read_without_doubt_is_refused() {
    let good = build(PLAIN, 8192, &[Kind::Stored(noise(1, 4096)), Kind::Absent]).bytes;
    for (at, bytes, words) in [
        (0, &b"X"[..], "no header of version 2 or 3"),
        (4, &[0, 0, 0, 4], "no header of version 2 or 3"),
        (8, &[0, 0, 0, 0, 0, 0, 1, 0], "overlay of a backing file"),
        (20, &[0, 0, 0, 8], "cluster_bits is 8"),
        (20, &[0, 0, 0, 22], "cluster_bits is 22"),
        (24, &[0, 0, 1, 0, 0, 0, 0, 0], "entries of the L1 table"),
        (32, &[0, 0, 0, 2], "it is encrypted"),
        (36, &[0, 0, 0, 0], "which has 0"),
        (40, &[0, 0, 0, 0, 0, 0, 0x10, 1], "is not in the clusters of the file"),
        (40, &[0x7f; 8], "is not in the clusters of the file"),
        (72, &[0, 0, 0, 0, 0, 0, 0, 2], "marked corrupt"),
        (72, &[0, 0, 0, 0, 0, 0, 0, 4], "in another file"),
        (72, &[0, 0, 0, 0, 0, 0, 1, 0], "feature bits 0x100"),
        (72, &[0, 0, 0, 0, 0, 0, 0, 16], "too few for subclusters"),
    ] {
        let mut file = good.clone();
        file[at..][..bytes.len()].copy_from_slice(bytes);
        let error = open_error(file).to_string();
        assert!(error.contains(words), "{at}: {error}");
    }
    let mut file = good.clone();
    file[79] = 8;
    file[104] = 7;
    assert!(open_error(file.clone()).to_string().contains("compression type 7 is unknown"));
    file[103] = 104;
    assert!(open_error(file).to_string().contains("too short for its compression type"));
    // The dirty bit is about reference counts, and is of no interest here.
    let mut file = good.clone();
    file[79] = 1;
    assert!(Qcow2::open(Slice::whole(&MemoryImage::new("disk.qcow2", file)), &Cancel::new()).is_ok());
    // The largest L1 table that a header can tell of: no memory is taken for it.
    let mut file = good.clone();
    file[24..32].copy_from_slice(&(1_u64 << 50).to_be_bytes());
    file[36..40].fill(0xff);
    assert!(open_error(file).to_string().contains("larger than any reader supports"));
    assert!(open_error(good[..71].to_vec()).to_string().contains("ends inside the header"));
}

#[test]
fn damage_is_named_where_it_is_and_the_rest_can_be_read() {
    let kinds = [Kind::Stored(noise(1, 4096)), Kind::Packed(vec![7; 4096]), Kind::Stored(noise(2, 4096))];
    let built = build(PLAIN, 3 * 4096, &kinds);
    let l2 = built.l2.unwrap();
    let read = |file: Vec<u8>, cluster: u64| {
        let image = MemoryImage::new("disk.qcow2", file);
        let disk = Qcow2::open(Slice::whole(&image), &Cancel::new()).unwrap();
        disk.read_at(&mut vec![0; 4096], cluster * 4096)
    };
    let altered = |at: usize, value: u64| {
        let mut file = built.bytes.clone();
        file[at..][..8].copy_from_slice(&value.to_be_bytes());
        file
    };
    for (at, value, cluster, words) in [
        (l2, 0x1001_0000_0000, 0, "beyond the end of the file"),
        (l2 + 8, 1 << 62 | 0xff_0000, 1, "beyond the end of the file"),
        (l2 + 8, 1 << 62 | 0x3f00, 1, "decompress"),
        (built.l1, 0x1000_0000, 0, "the L2 table has the impossible offset 268435456"),
    ] {
        let file = altered(at, value);
        let error = read(file.clone(), cluster).unwrap_err();
        assert!(
            matches!(&error, SourceError::Damaged { what, .. } if what.contains(words)),
            "{value:#x}: {error}"
        );
        assert_eq!(read(file, 2).is_ok(), at != built.l1, "{value:#x}");
    }
    // Cut off within a cluster.
    let end = built.bytes.len().next_multiple_of(4096);
    let mut file = altered(l2, end as u64);
    file.resize(end + 4095, 3);
    let error = read(file, 0).unwrap_err();
    assert!(error.to_string().contains("beyond the end of the file"), "{error}");
}
