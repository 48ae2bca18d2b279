//! The free space of FAT12, FAT16 and FAT32 against fsck.fat and partclone, and after overwriting it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::fs;

use imsprep_ondisk::volume::fat::{BootRecord, Geometry, Width};
use imsprep_source::{ImageFile, ReadAt};
use imsprep_testdata::{each, need_tools};

use crate::free_hostile::{check_altered, free_with};
use crate::free_support::{assert_free, assert_ranges, by_partclone, free_of};
use crate::support::{MIB, Volume, noise};

const TOOLS: [&str; 5] = ["mkfs.vfat", "fsck.fat", "mcopy", "mdel", "sha256sum"];
/// The opinion of fsck.fat, and hashes of all files as mtools reads them.
const FSCK: &str = "fsck.fat -n \"$image\"; rm -rf out; mkdir out; mcopy -Q -s -n -i \"$image\" :: out; \
    find out -type f -exec sha256sum {} + | sort";

fn make(size: u64, options: &str) -> Volume {
    let volume = Volume::new(&TOOLS, size, &format!("mkfs.vfat {options} \"$image\" >/dev/null"));
    let from = volume.at();
    fs::create_dir_all(from.join("EFI/BOOT/a long name of a folder")).unwrap();
    fs::write(from.join("EFI/BOOT/BOOTX64.EFI"), noise(1, 100_000)).unwrap();
    fs::write(from.join("EFI/BOOT/a long name of a folder/file"), noise(2, 5000)).unwrap();
    fs::write(from.join(".hidden"), "empty").unwrap();
    fs::write(from.join("empty"), "").unwrap();
    for number in 0..40 {
        fs::write(from.join(format!("piece {number}")), noise(number, 9000)).unwrap();
    }
    fs::write(from.join("last"), noise(3, 200_000)).unwrap();
    let script = "cd \"$at\"; mcopy -Q -s -i \"$image\" EFI .hidden empty piece* ::; mdel -i \"$image\" '::piece *[13579]'; \
        mcopy -Q -i \"$image\" last ::; mdel -i \"$image\" '::piece 2*'";
    volume.run(script).unwrap();
    volume
}

fn geometry(image: &ImageFile) -> (Geometry, u64) {
    let mut boot = [0; BootRecord::SIZE];
    image.read_at(&mut boot, 0).unwrap();
    let record = BootRecord::decode(&boot);
    let sectors = if record.table_16 == 0 { record.table_32 } else { record.table_16.into() };
    (record.geometry().unwrap(), u64::from(sectors) * u64::from(record.basic.bytes_per_sector))
}

/// Clusters whose entries in the first table are 0, in bytes, one by one.
fn naive(image: &ImageFile) -> Vec<std::ops::Range<u64>> {
    let (geometry, size) = geometry(image);
    let mut table = vec![0; usize::try_from(size).unwrap()];
    image.read_at(&mut table, geometry.table_at).unwrap();
    let entry = |number: usize| match geometry.width {
        Width::Fat12 if number % 2 == 1 => {
            u32::from(table[number * 3 / 2] >> 4) | u32::from(table[number * 3 / 2 + 1]) << 4
        }
        Width::Fat12 => u32::from(table[number * 3 / 2]) | u32::from(table[number * 3 / 2 + 1] & 0xf) << 8,
        Width::Fat16 => u32::from(table[number * 2]) | u32::from(table[number * 2 + 1]) << 8,
        Width::Fat32 => u32::from_le_bytes(*table[number * 4..].first_chunk().unwrap()) & 0xfff_ffff,
    };
    let clusters = (0..geometry.clusters).filter(|number| entry(usize::try_from(*number).unwrap() + 2) == 0);
    let place = |number: u64| geometry.clusters_at + number * geometry.cluster_size;
    crate::free_support::joined(clusters.map(|number| place(number)..place(number + 1)).collect())
}

#[test]
fn used_fat_volumes_have_the_free_space_that_their_tables_show() {
    let cases =
        [("-F 12", 2), ("-F 12 -f 1", 2), ("-F 16 -s 4", 60), ("-F 32 -s 1", 40), ("-F 32 -S 4096", 300)];
    each(cases, |(options, size)| {
        let mut volume = make(size * MIB, options);
        let free = free_of(&volume.image()).unwrap_or_else(|error| panic!("{options}: {error}"));
        let image = ImageFile::open(volume.image()).unwrap();
        assert_ranges(free.ranges(), &naive(&image), options);
        assert!(free.ranges().len() > 5, "{free:?}");
        drop(image);
        assert_free(&mut volume, FSCK, None, true);
    });
}

#[test]
fn partclone_agrees_on_what_is_free_in_fat() {
    need_tools(["partclone.fat"]);
    let volume = make(60 * MIB, "-F 32 -s 1");
    let free = free_of(&volume.image()).unwrap();
    let image = ImageFile::open(volume.image()).unwrap();
    let (geometry, _) = geometry(&image);
    let end = geometry.clusters_at + geometry.clusters * geometry.cluster_size;
    assert_ranges(free.ranges(), &by_partclone(&volume, "fat", end), "partclone");
}

#[test]
fn a_fat_in_doubt_is_refused_and_bad_clusters_are_kept() {
    let volume = make(40 * MIB, "-F 32 -s 1");
    let image = ImageFile::open(volume.image()).unwrap();
    let free = free_with(&image, Vec::new()).unwrap();
    let (geometry, size) = geometry(&image);
    let entry = |cluster: u64| geometry.table_at + cluster * 4;
    let number = |number: u32| number.to_le_bytes().to_vec();
    // The same in both tables.
    let both = |cluster: u64, value: u32| {
        vec![(entry(cluster), number(value)), (entry(cluster) + size, number(value))]
    };
    let after = |cluster: u64| {
        let mut bytes = [0; 4];
        image.read_at(&mut bytes, entry(cluster)).unwrap();
        u64::from(u32::from_le_bytes(bytes))
    };
    // A cluster within a chain, and the first one of a chain that nothing else leads to.
    let within =
        (3..400).find(|cluster| after(*cluster) == cluster + 1 && after(cluster + 1) == cluster + 2).unwrap()
            + 1;
    let led_to: Vec<_> = (2..400).map(after).collect();
    let first = (3..400).find(|cluster| after(*cluster) == cluster + 1 && !led_to.contains(cluster)).unwrap();
    let unused = (free.ranges()[0].start - geometry.clusters_at) / geometry.cluster_size + 2;
    let count = u32::try_from(free.bytes() / geometry.cluster_size).unwrap();
    let unknown_count = vec![(512 + 488, number(u32::MAX))];
    let with_unknown = |changes: Vec<_>| unknown_count.iter().cloned().chain(changes).collect::<Vec<_>>();
    let cases = [
        ("not unmounted", vec![(entry(1) + 3, vec![0x07])], "not marked as unmounted"),
        ("errors", vec![(entry(1) + 3, vec![0x0b])], "having errors"),
        ("dirty boot record", vec![(65, vec![1])], "not marked as unmounted"),
        ("tables differ", vec![(entry(unused), number(7))], "tables differ"),
        ("count", vec![(512 + 488, number(count - 1))], "information sector"),
        ("no information", vec![(512, vec![0])], "information sector"),
        ("media", both(0, 0x0fff_fff0), "does not begin"),
        ("one table only", vec![(40, vec![0x80])], "one of its tables"),
        ("the copy", vec![(44, vec![3])], "copy of it"),
        ("version", vec![(42, vec![1])], "version"),
        ("a chain's cluster", with_unknown(both(within, 0)), "a chain leads to cluster"),
        ("a file's first", with_unknown(both(first, 0)), "begins with cluster"),
        ("beyond", with_unknown(both(within, 0x00ff_ffff)), "not there"),
        ("two chains", with_unknown(both(first, u32::try_from(within + 1).unwrap())), "two chains"),
        ("reserved", with_unknown(both(within, 1)), "not there"),
    ];
    for (what, changes, reason) in cases {
        let error = free_with(&image, changes).map(|free| free.bytes()).expect_err(what);
        assert!(error.reason().contains(reason), "{what}: {error}");
    }
    let bad = free_with(&image, with_unknown(both(unused, 0x0fff_fff7))).unwrap();
    assert_eq!(bad.bytes(), free.bytes() - geometry.cluster_size);
    assert_eq!(bad.ranges()[0].start, free.ranges()[0].start + geometry.cluster_size);
    assert_eq!(free_with(&image, unknown_count).unwrap(), free);
}

#[test]
fn altered_fat_volumes_are_refused_or_lose_nothing() {
    each([("-F 16 -f 1", 20), ("-F 32 -s 1 -f 1", 40), ("-F 12 -f 1", 2)], |(options, size)| {
        let volume = make(size * MIB, options);
        let image = ImageFile::open(volume.image()).unwrap();
        let (geometry, _) = geometry(&image);
        // FAT12 and FAT16 have no copy of the boot record.
        let boot = if geometry.width == Width::Fat32 { 11..64 } else { 510..512 };
        let root = geometry.root_at.min(geometry.clusters_at);
        let table = geometry.table_at..geometry.table_at + 400;
        let refused = check_altered(&volume, &[boot, table, root..root + 700], 200);
        assert!((10..200).contains(&refused), "{refused} were refused");
    });
}
