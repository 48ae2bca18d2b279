//! File systems that are named and no more: made by their own tools, or, where Debian has none, their superblocks by their documentation;
//! on a whole disk and in a partition, where only the partition's own offsets count.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::os::unix::fs::FileExt;

use imsprep_inspect::VolumeKind;
use imsprep_testdata::each;

use crate::support::{Folder, MIB};

/// A disk with one MBR partition from 3 MiB on.
fn in_partition(folder: &Folder, size: u64) {
    let source = std::fs::File::open(folder.path("image")).unwrap();
    let path = folder.image("disk", size + 3 * MIB);
    let target = std::fs::File::options().write(true).open(path).unwrap();
    let mut sector = [0; 512];
    sector[446 + 4] = 0x83;
    sector[446 + 8..446 + 12].copy_from_slice(&(3 * 2048_u32).to_le_bytes());
    sector[446 + 12..446 + 16].copy_from_slice(&u32::try_from(size / 512).unwrap().to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    target.write_all_at(&sector, 0).unwrap();
    let mut piece = vec![0; 1 << 20];
    for at in (0..size).step_by(1 << 20) {
        source.read_exact_at(&mut piece, at).unwrap();
        if piece.iter().any(|byte| *byte != 0) {
            target.write_all_at(&piece, 3 * MIB + at).unwrap();
        }
    }
}

fn is_named(folder: &Folder, size: u64, name: &'static str) {
    let whole = folder.inspect("image").whole.map(|volume| volume.kind);
    assert_eq!(whole, Some(VolumeKind::Other(name)), "{name} on the whole disk");
    in_partition(folder, size);
    let inspection = folder.inspect("disk");
    let kinds = inspection.partitions.iter().map(|one| one.content.kind.clone()).collect::<Vec<_>>();
    assert_eq!((kinds, inspection.whole), (vec![VolumeKind::Other(name)], None), "{name} in a partition");
}

#[test]
fn file_systems_that_are_named_by_what_their_tools_make() {
    each(
        [
            (
                "ocfs2",
                &["mkfs.ocfs2"][..],
                200,
                "yes | mkfs.ocfs2 -q --fs-features=local -M local image >out 2>&1",
            ),
            ("gfs2", &["mkfs.gfs2"], 64, "mkfs.gfs2 -O -q -p lock_nolock -J 8 image >out 2>&1"),
            ("jfs", &["mkfs.jfs"], 32, "mkfs.jfs -q image >out 2>&1"),
            ("udf", &["mkudffs"], 32, "mkudffs image >out 2>&1"),
            ("apfs", &["mkapfs"], 256, "mkapfs image >out 2>&1"),
            (
                "squashfs",
                &["mksquashfs", "truncate"],
                4,
                "rm image; mkdir in; echo file >in/file; mksquashfs in image -quiet >out 2>&1; truncate -s 4M image",
            ),
        ],
        |(name, tools, mib, script)| {
            let folder = Folder::new();
            folder.image("image", mib * MIB);
            folder.run(tools, script);
            is_named(&folder, mib * MIB, name);
        },
    );
}

/// Apple File System Reference, `nx_superblock_t`; Technical Note 1150, the volume header; Linux, `fs/bcachefs/bcachefs_format.h`; the
/// descriptions of a VMFS member and of its file system, each with its version.
#[test]
fn file_systems_that_are_named_by_what_their_documentation_says() {
    for (name, pieces) in [
        ("apfs", &[(32, &b"NXSB\0\x10\0\0"[..])][..]),
        ("hfsplus", &[(1024, &b"H+\0\x04\0\0\x01\0"[..])]),
        ("hfsplus", &[(1024, &b"HX\0\x05\0\0\x01\0"[..])]),
        (
            "bcachefs",
            &[(
                4096 + 24,
                &[
                    0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d,
                    0x81,
                ],
            )],
        ),
        ("VMFS_volume_member", &[(MIB, &[0x0d, 0xd0, 0x01, 0xc0, 5, 0, 0, 0])]),
        (
            "VMFS_volume_member",
            &[
                (MIB, &[0x0d, 0xd0, 0x01, 0xc0, 6, 0, 0, 0]),
                (2 * MIB, &[0x5e, 0xf1, 0xab, 0x2f, 24, 0, 0, 0]),
            ],
        ),
        ("VMFS", &[(2 * MIB, &[0x5e, 0xf1, 0xab, 0x2f, 14, 0, 0, 0])]),
    ] {
        let folder = Folder::new();
        folder.image("image", 8 * MIB);
        for (offset, bytes) in pieces {
            folder.write_at("image", *offset, bytes);
        }
        is_named(&folder, 8 * MIB, name);
    }
}
