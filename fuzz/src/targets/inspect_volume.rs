//! Input: a flag, then a sparse volume: a disk without a partition table. By the flag the checksums of an LVM physical volume are
//! put right.
//!
//! Oracle: the same volume in a partition of a disk is reported as the same; texts are of bounded length; no read goes beyond the
//! disk, and all of them together stay small.

use imsprep_inspect::{Volume, VolumeKind};
use imsprep_source::ReadAt;

use super::inspect_tables::look;
use crate::plant::planted;
use crate::sparse::SparseFile;

/// Bytes of a text at most: F2FS has labels of 512 UTF-16 units.
const TEXT: usize = 3 * 512;
/// Where the partition begins.
const START: u64 = 1 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let mut volume = SparseFile::decode(rest, 1 << 40);
    if flags & 1 != 0 {
        seal_lvm(&mut volume);
    }
    let alone = look(&volume);
    let volumes = alone.whole.iter().chain(alone.partitions.iter().map(|partition| &partition.content));
    volumes.for_each(assert_bounded);
    let size = volume.size();
    let (None, Some(whole)) = (&alone.table, &alone.whole) else { return };
    if size == 0 || !size.is_multiple_of(512) {
        return;
    }
    let disk = volume.moved_behind(START, boot_record(size));
    let found = look(&disk);
    let [partition] = &found.partitions[..] else { panic!("not the one partition: {:?}", found.partitions) };
    assert_eq!((partition.start, partition.length), (START, size));
    // A reader that takes the disk's offsets for the volume's is the bug to be found.
    let content = planted(partition.content.clone(), |content| content.label = None);
    assert_eq!(content, *whole);
}

/// An MBR with one partition of this size.
fn boot_record(size: u64) -> Vec<u8> {
    let mut mbr = vec![0; 512];
    mbr[446 + 4] = 0x83;
    mbr[446 + 8..446 + 12].copy_from_slice(&((START / 512) as u32).to_le_bytes());
    mbr[446 + 12..446 + 16].copy_from_slice(&u32::try_from(size / 512).unwrap_or(u32::MAX).to_le_bytes());
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    mbr
}

fn assert_bounded(volume: &Volume) {
    for text in [&volume.label, &volume.uuid].into_iter().flatten() {
        assert!(!text.is_empty() && text.len() <= TEXT, "{text:?}");
    }
    assert!(
        !volume.also.contains(&volume.kind.name()) || volume.kind == VolumeKind::Unknown,
        "{volume:?} twice"
    );
    if let VolumeKind::Lvm(lvm) = &volume.kind
        && let Some(group) = &lvm.group
    {
        assert!(group.physical.len() <= 1024 && group.logical.len() <= 1024);
        assert!(group.missing.iter().all(|missing| group.physical.contains(missing)));
    }
}

/// Puts the checksum of LVM's text right, where its header says that it is.
fn seal_lvm(volume: &mut SparseFile) {
    const HEADER: u64 = 4096;
    let Some(header) = volume.peek::<64>(HEADER).filter(|header| header[4..20] == *b" LVM2 x[5A%r0N*>")
    else {
        return;
    };
    let number = |at: usize| u64::from_le_bytes(*header[at..].first_chunk().expect("within the header"));
    let (offset, size) = (number(40), number(48));
    if size > 64 << 10 || offset.checked_add(size).is_none_or(|end| end > 1 << 20) {
        return;
    }
    let text = (0..size)
        .map(|at| volume.peek::<1>(HEADER + offset + at).map_or(0, |[byte]| byte))
        .collect::<Vec<_>>();
    volume.write(HEADER + 56, lvm_crc(&text).to_le_bytes().to_vec());
}

/// LVM's CRC: the usual polynomial from a start of its own, and not inverted at the end.
fn lvm_crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    bytes.iter().fold(0xf597_a6cf, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// The FAT of the small image, and the superblocks of the others.
pub fn seeds() -> Vec<Vec<u8>> {
    let raw = std::fs::read(imsprep_testdata::folder().join("small.raw")).expect("small.raw");
    let fat = [vec![0], SparseFile::encode_bytes(&raw[64 * 512..])].concat();
    let seed = |size: u64, chunks: Vec<(u64, Vec<u8>)>| [vec![1], SparseFile::encode(size, chunks)].concat();
    let put = |length: usize, parts: &[(usize, &[u8])]| {
        let mut bytes = vec![0; length];
        for (at, part) in parts {
            bytes[*at..at + part.len()].copy_from_slice(part);
        }
        bytes
    };
    let mib = 1 << 20;
    let ext = put(
        1024,
        &[
            (4, &[0, 64, 0, 0]),
            (24, &[0; 4]),
            (56, &[0x53, 0xef, 1]),
            (76, &[1]),
            (104, &[7; 16]),
            (120, b"label"),
        ],
    );
    let xfs = put(
        512,
        &[
            (0, b"XFSB"),
            (4, &[0, 0, 16, 0]),
            (14, &[1, 0]),
            (32, &[7; 16]),
            (100, &[0xb4, 0xa5, 2]),
            (108, b"label"),
        ],
    );
    let btrfs = put(
        1024,
        &[
            (0x20, &[7; 16]),
            (0x32, &[1]),
            (0x40, b"_BHRfS_M"),
            (0x72, &[0, 1]),
            (0x88, &[1]),
            (0x91, &[16]),
            (0x12b, b"label"),
        ],
    );
    let swap =
        put(4096, &[(1024, &[1, 0, 0, 0, 255]), (1036, &[7; 16]), (1052, b"label"), (4086, b"SWAPSPACE2")]);
    let ntfs = put(
        512,
        &[
            (3, b"NTFS    "),
            (11, &[0, 2, 8]),
            (40, &[0, 32]),
            (48, &[4]),
            (64, &[0xf6]),
            (72, &[7; 8]),
            (510, &[0x55, 0xaa]),
        ],
    );
    let exfat = put(
        512,
        &[
            (3, b"EXFAT   "),
            (72, &[0, 32]),
            (80, &[24]),
            (88, &[64]),
            (92, &[100]),
            (96, &[4]),
            (108, &[9, 3]),
            (510, &[0x55, 0xaa]),
        ],
    );
    let luks = put(592, &[(0, b"LUKS\xba\xbe\x00\x01"), (168, b"12345678-1234-1234-1234-123456789abc")]);
    let iso = put(2048, &[(0, b"\x01CD001\x01"), (40, b"LABEL"), (80, &[16]), (128, &[0, 8])]);
    let md = put(
        256,
        &[
            (0, &[0xfc, 0x4e, 0x2b, 0xa9, 1]),
            (16, &[7; 16]),
            (32, b"host:label"),
            (72, &[1]),
            (92, &[2]),
            (144, &[8]),
        ],
    );
    let f2fs = put(
        1148,
        &[
            (0, &[0x10, 0x20, 0xf5, 0xf2]),
            (16, &[12, 0, 0, 0, 9]),
            (36, &[0, 1]),
            (76, &[2]),
            (108, &[7; 16]),
        ],
    );
    let mut seeds = vec![
        fat,
        seed(16 * mib, vec![(1024, ext)]),
        seed(16 * mib, vec![(0, xfs)]),
        seed(256 * mib, vec![(64 << 10, btrfs)]),
        seed(mib, vec![(0, swap)]),
        seed(16 * mib, vec![(0, ntfs)]),
        seed(16 * mib, vec![(0, exfat)]),
        seed(16 * mib, vec![(0, luks)]),
        seed(mib, vec![(32 << 10, iso)]),
        seed(16 * mib, vec![(4096, md)]),
        seed(64 * mib, vec![(1024, f2fs)]),
    ];
    seeds.push(seed(16 * mib, lvm()));
    seeds
}

/// A physical volume of LVM with one group on it.
fn lvm() -> Vec<(u64, Vec<u8>)> {
    const TEXT: &str = "vg {\nid = \"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"\nphysical_volumes {\npv0 {\nid = \
                        \"bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb\"\n}\n}\nlogical_volumes {\nroot {\n}\n}\n}\n";
    let mut label = vec![0; 512];
    label[..8].copy_from_slice(b"LABELONE");
    label[8] = 1;
    label[20] = 32;
    label[24..32].copy_from_slice(b"LVM2 001");
    label[32..64].fill(b'b');
    label[64..72].copy_from_slice(&(16_u64 << 20).to_le_bytes());
    // Data areas, an end, metadata areas, an end.
    label[72..80].copy_from_slice(&(1_u64 << 20).to_le_bytes());
    label[104..112].copy_from_slice(&4096_u64.to_le_bytes());
    label[112..120].copy_from_slice(&(1_u64 << 19).to_le_bytes());
    let mut header = vec![0; 512];
    header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
    header[20] = 1;
    header[24..32].copy_from_slice(&4096_u64.to_le_bytes());
    header[32..40].copy_from_slice(&(1_u64 << 19).to_le_bytes());
    header[40..48].copy_from_slice(&512_u64.to_le_bytes());
    header[48..56].copy_from_slice(&(TEXT.len() as u64).to_le_bytes());
    vec![(512, label), (4096, header), (4608, TEXT.as_bytes().to_vec())]
}
