//! Whatever the bytes: no panic, no error, little read, bounded answers.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use crate::support::{Folder, MIB, Sparse};
use imsprep_inspect::{Inspection, MAX_LOADERS, MAX_PARTITIONS, MAX_PROBLEMS, Volume, VolumeKind, inspect};
use imsprep_source::{Cancel, Error, MemoryImage};
use imsprep_testdata::each;
use proptest::prelude::*;

/// Most bytes that are read of any disk, and of each partition.
const BYTES_OF_DISK: u64 = 48 * MIB;
const BYTES_OF_PARTITION: u64 = 8 * MIB;
/// Most reads, the same way.
const READS_OF_DISK: u64 = 20_000;
const READS_OF_PARTITION: u64 = 2_000;
/// Most bytes of a string, a path of folders and file excepted.
const TEXT: usize = 256;

fn look(disk: &Sparse) -> Inspection {
    disk.take();
    let found = inspect(disk, &Cancel::new()).unwrap();
    let (reads, bytes) = disk.take();
    let count = found.partitions.len() as u64;
    assert!(reads <= READS_OF_DISK + count * READS_OF_PARTITION, "{reads} reads: {found:?}");
    assert!(bytes <= BYTES_OF_DISK + count * BYTES_OF_PARTITION, "{bytes} bytes: {found:?}");
    assert_bounded(&found);
    found
}

fn assert_bounded(found: &Inspection) {
    assert!(found.partitions.len() <= MAX_PARTITIONS + 4);
    assert!(found.table.as_ref().is_none_or(|table| table.problems.len() <= MAX_PROBLEMS));
    for volume in found.whole.iter().chain(found.partitions.iter().map(|partition| &partition.content)) {
        assert_volume_bounded(volume);
    }
    for system in &found.boot.efi {
        assert!(system.loaders.len() <= MAX_LOADERS);
        assert!(system.loaders.iter().all(|loader| loader.path.len() <= 5 * TEXT));
    }
    let reasons = &found.summary.reasons;
    for reasons in [&reasons.firmware, &reasons.architecture, &reasons.purpose, &reasons.system] {
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason.len() <= 6 * TEXT));
    }
}

fn assert_volume_bounded(volume: &Volume) {
    for text in [&volume.label, &volume.uuid].into_iter().flatten() {
        assert!(!text.is_empty() && text.len() <= TEXT, "{text}");
    }
    if let VolumeKind::Lvm(lvm) = &volume.kind
        && let Some(group) = &lvm.group
    {
        assert!(group.physical.len() <= 1024 && group.logical.len() <= 1024);
    }
}

/// Runs the body with each of the disks made by the real tools that show every reader, and with its name.
fn each_seed(mut body: impl FnMut(&str, Sparse)) {
    let volumes: &[(&[&str], u64, &str)] = &[
        (&["mkfs.ext4"], 16, "mkfs.ext4 -q -F -L ext image"),
        (&["mkfs.xfs"], 512, "mkfs.xfs -q -L xfs image"),
        (&["mkfs.btrfs"], 256, "mkfs.btrfs -q -L btrfs image"),
        (&["mkfs.f2fs"], 128, "mkfs.f2fs -q -l f2fs image"),
        (
            &["mkntfs", "ntfscp"],
            32,
            "mkntfs -q -F -L ntfs image && printf hibr > x && ntfscp image x hiberfil.sys",
        ),
        (&["mkfs.vfat"], 4, "mkfs.vfat -F 12 -n LABEL image"),
        (&["mkfs.exfat"], 16, "mkfs.exfat -L label image"),
        (&["mkswap"], 8, "mkswap -L swap image"),
        (&["genisoimage"], 1, "mkdir files && rm image && genisoimage -quiet -V CD -o image files"),
        (
            &["mkfs.vfat", "mmd", "mcopy"],
            40,
            "mkfs.vfat -F 32 -s 1 image && mmd -i image ::EFI ::EFI/BOOT ::'EFI/A long name'
             printf MZ > x && mcopy -i image x ::EFI/BOOT/BOOTX64.EFI",
        ),
        (&["sgdisk"], 8, "sgdisk -n 1::+1M -t 1:ef00 -n 2::+1M -c 2:name image"),
        (
            &["sfdisk"],
            8,
            "printf 'label: dos\\n2048,1024,83\\n4096,,E\\n4200,500,83\\n6000,500,83\\n' | sfdisk -q image",
        ),
    ];
    each(volumes, |(tools, mib, script)| {
        let folder = Folder::new();
        folder.image("image", mib * MIB);
        folder.run(tools, script);
        body(script, Sparse::load(&folder.path("image")));
    });
}

/// Bytes that are read of a disk and near to which something stands, a bounded number of them, evenly chosen.
fn places(disk: &Sparse) -> Vec<u64> {
    /// How far from a byte that is not zero a zero may be part of the same field.
    const NEAR: u64 = 8;
    /// The readers stay near the start, but for what a header points to.
    const MOST: usize = 1200;
    disk.watch();
    look(disk);
    let read = disk.watched();
    let is_near = |at: &u64| (at.saturating_sub(NEAR)..=at + NEAR).any(|near| disk.get(near) != 0);
    let mut all = Vec::new();
    for (start, end) in read {
        all.extend((start..end).filter(is_near));
    }
    let step = all.len().div_ceil(MOST).max(1);
    all.into_iter().step_by(step).collect()
}

#[test]
fn every_byte_altered() {
    let mut tried = 0;
    each_seed(|name, mut disk| {
        let before = look(&disk);
        for at in places(&disk) {
            for value in [0xff, disk.get(at).wrapping_add(1), disk.get(at) ^ 0x80] {
                let old = disk.set(at, value);
                look(&disk);
                disk.set(at, old);
                tried += 1;
            }
        }
        assert_eq!(look(&disk), before, "{name}: as it was");
    });
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn every_length_to_which_a_disk_may_be_cut() {
    each_seed(|name, mut disk| {
        let size = imsprep_source::ReadAt::size(&disk);
        let near = (0..66).map(|n| n * 1024 + n % 7).chain([510, 511, 513, 4095]);
        let far = (1..60).map(|n| size * n / 60 + n % 5);
        for end in near.chain(far).filter(|end| *end <= size) {
            disk.set_size(end);
            let found = look(&disk);
            assert_eq!(found.disk_size, end, "{name}");
        }
    });
}

#[test]
fn a_stop_is_an_error_and_so_is_a_disk_that_can_not_be_read() {
    let cancel = Cancel::new();
    cancel.cancel();
    let folder = Folder::new();
    folder.image("image", 8 * MIB);
    folder.run(&["sfdisk"], "printf 'label: gpt\\n,1M\\n,1M\\n' | sfdisk -q image");
    let disk = Sparse::load(&folder.path("image"));
    assert!(matches!(inspect(&disk, &cancel), Err(Error::Cancelled)));
    disk.fail_from(MIB);
    assert!(matches!(inspect(&disk, &Cancel::new()), Err(Error::UnexpectedEnd { .. })));
}

/// 256 partitions in one place that holds whatever costs most.
#[test]
fn many_partitions_are_looked_at_within_bounds() {
    let folder = Folder::new();
    folder.image("image", 512 * MIB);
    folder.run(&["mkfs.xfs"], "mkfs.xfs -q image");
    let mut disk = Sparse::load(&folder.path("image"));
    let mut chain = |at: u64, first: u32, next: u32| {
        let mut record = [0_u8; 512];
        record[446 + 4] = 0x83;
        record[446 + 8..446 + 12].copy_from_slice(&first.to_le_bytes());
        record[446 + 12..446 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
        record[462 + 4] = 5;
        record[462 + 8..462 + 12].copy_from_slice(&next.to_le_bytes());
        record[510..].copy_from_slice(&[0x55, 0xaa]);
        for (place, byte) in (at..).zip(record) {
            disk.set(place, byte);
        }
    };
    // The XFS begins at 0 where the table is, so the partitions begin where its second group does, which looks the same.
    for link in 0..300_u32 {
        chain(MIB + u64::from(link) * 512, 262_144 - 2048 - link, link + 1);
    }
    let mut table = [0_u8; 66];
    table[4] = 5;
    table[8..12].copy_from_slice(&2048_u32.to_le_bytes());
    table[12..16].copy_from_slice(&900_000_u32.to_le_bytes());
    table[64..].copy_from_slice(&[0x55, 0xaa]);
    for (place, byte) in (0..446).map(|at| (at, 0)).chain((446..).zip(table)) {
        disk.set(place, byte);
    }
    let found = look(&disk);
    assert_eq!(found.partitions.len(), 1 + imsprep_inspect::MAX_LOGICAL, "{:?}", found.table);
    assert_eq!(found.table.unwrap().problems.len(), MAX_PROBLEMS);
}

proptest! {
    #[test]
    fn any_bytes_are_something(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let found = inspect(&MemoryImage::new("disk", bytes.clone()), &Cancel::new()).unwrap();
        prop_assert_eq!(found.disk_size, bytes.len() as u64);
        assert_bounded(&found);
    }

    /// Magics in their places with anything around them.
    #[test]
    fn any_bytes_behind_a_magic_are_something(
        magic in prop::sample::select(imsprep_ondisk::disk::CONTENT_MAGICS),
        bytes in prop::collection::vec(any::<u8>(), 600),
        start in prop::sample::select(vec![0_u64, 400, 1000, 1024, 4000, 16384, 32768, 65536]),
    ) {
        let mut disk = Sparse::new(MIB);
        for (at, byte) in (start..).zip(bytes) {
            disk.set(at, byte);
        }
        for (at, byte) in (magic.offset as u64..).zip(magic.bytes) {
            disk.set(at, *byte);
        }
        look(&disk);
    }
}
