//! The free space of XFS against xfs_db and partclone, and against xfs_repair and the kernel once it was overwritten.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs;
use std::ops::Range;

use imsprep_filesystem::ErrorKind;
use imsprep_testdata::{each, need_tools};

use crate::free_support::{altered, assert_free, assert_ranges, by_partclone, fragment, free_of, joined};
use crate::support::{Abilities, MIB, Volume, noise, populate};

/// Groups are looked at at the same time, and named in any order.
const FSCK: &str = "xfs_repair -n -f \"$image\" > report 2>&1; grep -v 'agno = ' report";
const MOUNT: &str = "mount -o loop,ro \"$image\" \"$at\"";
const UNIX: Abilities = Abilities { is_unix: true, link_max: 1023, preallocates: true, entries: 700 };

/// The extents that xfs_db finds in the trees by place, in bytes.
fn by_xfs_db(volume: &Volume) -> Vec<Range<u64>> {
    let numbers = volume.run("xfs_db -r -c 'sb 0' -c 'p agcount agblocks blocksize' \"$image\"").unwrap();
    let mut numbers = numbers.lines().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    let (groups, blocks, size) = (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap());
    let mut ranges = Vec::new();
    for group in 0..groups {
        let script = format!("xfs_db -r -c 'agf {group}' -c 'addr bnoroot' -c btdump \"$image\"");
        let mut are_extents = false;
        for line in volume.run(&script).unwrap().lines() {
            let Some((number, extent)) = line.split_once(":[") else {
                are_extents = line.starts_with("recs");
                continue;
            };
            assert!(number.parse::<u64>().is_ok());
            let (start, length) = extent.trim().trim_end_matches(']').split_once(',').unwrap();
            let [start, length] = [start, length].map(|number| number.parse::<u64>().unwrap());
            if are_extents {
                let start = (group * blocks + start) * size;
                ranges.push(start..start + length * size);
            }
        }
    }
    joined(ranges)
}

/// The same with the blocks that groups keep for their trees, which `freesp` lists.
fn with_lists(volume: &Volume) -> Vec<Range<u64>> {
    let listed = volume.run("xfs_db -r -c 'sb 0' -c 'p agblocks' -c 'freesp -d' \"$image\"").unwrap();
    let mut lines = listed.lines();
    let blocks = lines.next().unwrap().rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    let extents = lines.skip(1).map_while(|line| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        let (group, start, length) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let start = (group * blocks + start) * 4096;
        Some(start..start + length * 4096)
    });
    joined(extents.collect())
}

fn check(volume: &mut Volume, mount: Option<&str>) {
    need_tools(["xfs_db", "xfs_repair"]);
    let free = free_of(&volume.image()).unwrap();
    assert_ranges(free.ranges(), &by_xfs_db(volume), "xfs_db");
    assert_free(volume, FSCK, mount, true);
}

#[test]
fn xfs_volumes_have_the_free_space_that_their_trees_have() {
    let cases = [
        "",
        "-b size=1024 -m rmapbt=1 -d agcount=3 -i size=512",
        "-m rmapbt=1,bigtime=0,inobtcount=0,finobt=0 -s size=4096",
    ];
    each(cases, |make| {
        let tools = ["mkfs.xfs", "fallocate"];
        let mut volume = Volume::new(&tools, 320 * MIB, &format!("mkfs.xfs -q {make} \"$image\" 2>&1"));
        volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
        populate(&volume.at(), UNIX);
        fragment(&volume.at(), 900);
        let script = "cd \"$at\"; rm -f 'fragments 1' 'size 65536' zeros; rm -rf 'many/the name of file 1'*; \
            { cp --reflink=always noise clone; cp --reflink=always noise other; \
            dd if=zeros of=clone bs=10000 count=3 seek=7 conv=notrunc; rm noise; } 2>/dev/null || true";
        volume.run(script).unwrap();
        volume.unmount();
        check(&mut volume, Some(MOUNT));
    });
}

#[test]
fn a_grown_xfs_volume_has_the_free_space_that_its_trees_have() {
    let tools = ["mkfs.xfs", "xfs_growfs", "partclone.xfs"];
    let mut volume = Volume::new(&tools, 420 * MIB, "mkfs.xfs -q -d size=310m \"$image\"");
    assert_eq!(free_of(&volume.image()).unwrap().size(), 310 * MIB);
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    fs::write(volume.at().join("first"), noise(1, 3_000_000)).unwrap();
    volume.run("xfs_growfs -D 100000 \"$at\"").unwrap();
    fragment(&volume.at(), 200);
    volume.run("rm \"$at/first\"").unwrap();
    volume.unmount();
    let free = free_of(&volume.image()).unwrap();
    assert_eq!(free.size(), 100_000 * 4096);
    // partclone also leaves out the blocks that groups keep for their trees, which xfs_db's freesp lists, too.
    assert_ranges(&with_lists(&volume), &by_partclone(&volume, "xfs", free.size()), "partclone");
    check(&mut volume, Some(MOUNT));
}

#[test]
fn version_4_of_xfs_is_read() {
    // The kernel may not mount it, but mkfs.xfs can put files into it.
    let make = "head -c 30000 /dev/urandom > noise; { echo /; echo 0 0; echo d--755 0 0; \
        for n in $(seq 400); do echo \"file$n ---644 0 0 $PWD/noise\"; done; echo \\$; } > proto; \
        mkfs.xfs -q -m crc=0 -b size=512 -p proto \"$image\" 2>&1";
    let mut volume = Volume::new(&["mkfs.xfs", "seq"], 320 * MIB, make);
    check(&mut volume, None);
}

#[test]
fn large_blocks_of_xfs_are_read() {
    let make = "mkfs.xfs -q -b size=65536 -m rmapbt=1 \"$image\" 2>&1";
    let mut volume = Volume::new(&["mkfs.xfs"], 700 * MIB, make);
    check(&mut volume, None);
}

#[test]
fn a_mounted_xfs_volume_is_refused() {
    let mut volume = Volume::new(&["mkfs.xfs"], 320 * MIB, "mkfs.xfs -q \"$image\"");
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    volume.run("echo x > \"$at/text\"; echo y > \"$at/one\"").unwrap();
    let copy = volume.copy();
    let error = free_of(&copy).map(|free| free.bytes()).unwrap_err();
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Refused, "its log is not empty"));
}

#[test]
fn damaged_xfs_volumes_are_refused() {
    each(["-m crc=0", "-m rmapbt=1"], |make| {
        let make = format!("mkfs.xfs -q {make} -s size=512 \"$image\" 2>&1");
        let volume = Volume::new(&["mkfs.xfs"], 320 * MIB, &make);
        let free = free_of(&volume.image()).unwrap();
        assert!(free.bytes() > 200 * MIB);
        let record: u64 = if make.contains("crc=0") { 16 } else { 56 };
        let second_group = free_group(&volume);
        // Counts, places and lengths of the superblock, of the second group's header and of its tree, and its list's ends.
        let header = [12, 19, 31, 43, 51, 55, 59, 63].map(|at| second_group + 512 + at);
        let tree = [5, 7, record + 3, record + 7].map(|at| second_group + 4096 + at);
        let by_length = [record + 3, record + 7].map(|at| second_group + 2 * 4096 + at);
        let superblock = [15, 87, 91, 150, 151];
        for place in superblock.into_iter().chain(header).chain(tree).chain(by_length) {
            let error = altered(&volume, place, &[0x02]).map(|free| free.bytes()).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Refused), "{place}: {error}");
        }
        assert_eq!(free_of(&volume.image()).unwrap(), free);
    });
    // Version 4 has no checksums, so that reasons show.
    let volume = Volume::new(&["mkfs.xfs"], 320 * MIB, "mkfs.xfs -q -m crc=0 \"$image\" 2>&1");
    let cases: [(u64, &[u8], &str); 5] = [
        (126, &[1], "made to the end"),
        (23, &[1], "real time"),
        (100, &[0x02], "features"),
        (203, &[0x02], "count the blocks"),
        (101, &[0x02], "version"),
    ];
    for (place, mask, reason) in cases {
        let error = altered(&volume, place, mask).map(|free| free.bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{place}: {error}");
        assert!(error.reason().contains(reason), "{place}: {error}");
    }
    volume.run("truncate -s 319M \"$image\"").unwrap();
    assert!(free_of(&volume.image()).unwrap_err().reason().contains("the volume has only"));
}

/// Where the second allocation group begins.
fn free_group(volume: &Volume) -> u64 {
    let numbers = volume.run("xfs_db -r -c 'sb 0' -c 'p agblocks' \"$image\"").unwrap();
    numbers.trim().rsplit(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}
