//! The free space of exFAT against fsck.exfat and partclone, and after overwriting it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs;

use imsprep_ondisk::volume::exfat::{BootRecord, ENTRY, Entry};
use imsprep_source::{ImageFile, ReadAt};
use imsprep_testdata::{each, need_tools};

use crate::free_hostile::{check_altered, free_with};
use crate::free_support::{assert_free, assert_ranges, by_partclone, free_of};
use crate::support::{MIB, Volume, noise};

const TOOLS: [&str; 5] = ["mkfs.exfat", "fsck.exfat", "mount.exfat-fuse", "losetup", "grep"];
const FSCK: &str = "fsck.exfat -n \"$image\" 2>&1";
/// It takes a block device only; the device is given up with the mount.
const MOUNT: &str = "device=$(losetup -f --show \"$image\"); \
    mount.exfat-fuse \"$device\" \"$at\" >/dev/null || { losetup -d \"$device\"; exit 1; }; losetup -d \"$device\"";
/// Waits until it has been.
const WAIT: &str = "while losetup -j \"$image\" | grep -q .; do sleep 0.02; done";

/// A volume with files and what deleted ones leave, some of them in pieces.
fn make(size: u64, options: &str) -> Volume {
    let mut volume = Volume::new(&TOOLS, size, &format!("mkfs.exfat {options} \"$image\" >/dev/null"));
    volume.mount(&TOOLS, MOUNT);
    for number in 0..60 {
        fs::write(volume.at().join(format!("piece {number}")), noise(number, 9000)).unwrap();
    }
    for number in (0..60).step_by(2) {
        fs::remove_file(volume.at().join(format!("piece {number}"))).unwrap();
    }
    fs::create_dir_all(volume.at().join("folder/deeper")).unwrap();
    fs::write(volume.at().join("folder/deeper/file"), noise(3, 150_000)).unwrap();
    volume
}

#[test]
fn used_exfat_volumes_have_the_free_space_that_tools_see() {
    each(["-c 4096", "-c 512", "-c 131072"], |options| {
        let mut volume = make(96 * MIB, options);
        fs::write(volume.at().join("large"), noise(9, 5 << 20)).unwrap();
        fs::create_dir(volume.at().join("many")).unwrap();
        for number in 0..300 {
            fs::write(
                volume.at().join(format!("many/a rather long name of file {number}")),
                noise(number, 700),
            )
            .unwrap();
        }
        volume.run("rm \"$at/large\" \"$at\"/many/*7").unwrap();
        volume.unmount();
        volume.run(WAIT).unwrap();
        let free = free_of(&volume.image()).unwrap_or_else(|error| panic!("{options}: {error}"));
        assert!(free.bytes() > 40 * MIB, "{}", free.bytes());
        assert_free(&mut volume, FSCK, Some(MOUNT), false);
    });
}

#[test]
fn partclone_agrees_on_what_is_free_in_exfat() {
    need_tools(["partclone.exfat"]);
    let mut volume = make(40 * MIB, "-c 4096");
    volume.unmount();
    volume.run(WAIT).unwrap();
    let free = free_of(&volume.image()).unwrap();
    assert_ranges(free.ranges(), &by_partclone(&volume, "exfat", free.size()), "partclone");
}

#[test]
fn an_exfat_in_doubt_is_refused() {
    let mut volume = make(20 * MIB, "-c 4096");
    volume.unmount();
    volume.run(WAIT).unwrap();
    let image = ImageFile::open(volume.image()).unwrap();
    let free = free_with(&image, Vec::new()).unwrap();
    let mut boot = [0; BootRecord::SIZE];
    image.read_at(&mut boot, 0).unwrap();
    let boot = BootRecord::decode(&boot);
    let place = |cluster: u32| u64::from(boot.heap) * 512 + u64::from(cluster - 2) * 4096;
    let mut root = vec![0; 4096];
    image.read_at(&mut root, place(boot.root_cluster)).unwrap();
    let entries: Vec<_> = root.as_chunks::<ENTRY>().0.iter().map(Entry::decode).collect();
    let find = |kind: u8| entries.iter().position(|entry| entry.kind == kind).unwrap();
    let (bitmap, upcase, stream) = (find(0x81), find(0x82), find(0xc0));
    let bitmap_at = place(entries[bitmap].cluster);
    let mut bytes = vec![0; 4096];
    image.read_at(&mut bytes, bitmap_at).unwrap();
    let freed = |cluster: u32| {
        let bit = usize::try_from(cluster - 2).unwrap();
        assert_ne!(bytes[bit / 8] & 1 << (bit % 8), 0);
        vec![(bitmap_at + bit as u64 / 8, vec![bytes[bit / 8] & !(1 << (bit % 8))])]
    };
    let entry_at = |index: usize| place(boot.root_cluster) + index as u64 * 32;
    let cases = [
        ("dirty", vec![(106, vec![2])], "dirty"),
        ("errors", vec![(106, vec![4])], "errors"),
        ("the second table", vec![(106, vec![1])], "second table"),
        ("boot code", vec![(200, vec![1])], "checksum of its boot"),
        ("the bitmap's clusters", freed(entries[bitmap].cluster), "calls free"),
        ("the characters' clusters", freed(entries[upcase].cluster), "calls free"),
        ("the root's clusters", freed(boot.root_cluster), "calls free"),
        ("a file's clusters", freed(entries[stream].cluster), "calls free"),
        ("a length", vec![(entry_at(stream) + 24, vec![1])], "checksum of a directory entry"),
        ("an unknown entry", vec![(entry_at(stream + 20), vec![0xa5])], ""),
        ("the bitmap's length", vec![(entry_at(bitmap) + 24, vec![1])], "its bitmap has"),
        ("no bitmap", vec![(entry_at(bitmap), vec![1])], "does not name its bitmap"),
    ];
    for (what, changes, reason) in cases {
        let error = free_with(&image, changes).map(|free| free.bytes()).expect_err(what);
        assert!(error.reason().contains(reason), "{what}: {error}");
    }
    // The share of clusters in use is no part of the checksum, and only advice.
    assert_eq!(free_with(&image, vec![(112, vec![77])]).unwrap(), free);
    let table = u64::from(boot.table) * 512;
    let places = [64..120, table..table + 400, bitmap_at..bitmap_at + 60, entry_at(0)..entry_at(60)];
    let refused = check_altered(&volume, &places, 500);
    assert!((50..490).contains(&refused), "{refused} were refused");
}
